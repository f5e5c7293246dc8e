import { STREAM_PATHS } from "@hypecast/contracts/api-vods.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import { UPLOAD_LIFE_MS, uploadId, uploadPrefix, type Upload } from "@hypecast/contracts/upload.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { problemReply, type Reply, type Request } from "../http.ts";
import { filesAway } from "../media/file-reply.ts";
import { ProblemError } from "../problems.ts";
import type { Roles } from "../roles.ts";
import { random } from "../vods.ts";
import type { Uploads } from "./records.ts";
import { takeBody } from "./take.ts";

const VERSION = "1.0.0";
const BODY_TYPE = "application/offset+octet-stream";
/** Uploads that are under way. */
const MOST_UNFINISHED = 500;
const SWEEP_MS = 10 * 60_000;
const METHODS = "POST, HEAD, PATCH, DELETE, OPTIONS";

const { uploads: PATH } = STREAM_PATHS;

/** May this request carry a body that is too large to hold? */
export const isUpload = (method: string, path: string): boolean =>
  (method === "PATCH" || method === "POST") && (path === PATH || path.startsWith(`${PATH}/`));

export interface UploadServer {
  /** Answers `/api/v1/uploads` and what is under it. Null: the path is none of these. */
  answer(request: Request, person: Person): Promise<Reply> | null;
  close(): void;
}

/** tus 1.0 with creation, creation-with-upload, termination and expiration (https://tus.io/protocols/resumable-upload). */
export function serveUploads(parts: {
  readonly uploads: Uploads;
  readonly objects: Objects;
  /** True while a stream is made from it. Null: not known yet. */
  readonly isUsed: (id: string) => boolean | null;
  readonly mostBytes: number;
  readonly roles: Roles;
  readonly log: Logger;
}): UploadServer {
  const { uploads, objects, isUsed, mostBytes, roles, log } = parts;
  const common = { "Tus-Resumable": VERSION, "Cache-Control": "no-store" };

  const create = async (request: Request): Promise<Reply> => {
    const bytes = numberIn(request, "upload-length");
    if (bytes > mostBytes)
      throw new ProblemError("upload_too_large", `the file has ${bytes} bytes; the most is ${mostBytes}`);
    if ([...uploads.values()].filter(({ done }) => !done).length >= MOST_UNFINISHED)
      throw new ProblemError("too_many_uploads", `${MOST_UNFINISHED} uploads are under way`);
    const withBody = typeOf(request) === BODY_TYPE;
    const nowMs = Date.now();
    const record: Upload = {
      id: `${nowMs.toString(36).padStart(9, "0")}${random()}`,
      name: nameIn(request.header("upload-metadata")),
      bytes,
      offset: 0,
      createdAtMs: nowMs,
      touchedAtMs: nowMs,
      done: bytes === 0,
      writer: null,
    };
    await uploads.put(record.id, record);
    const taken =
      withBody && request.upload !== null
        ? await takeBody(uploads, objects, record.id, 0, request.upload)
        : record;
    return { status: 201, headers: { ...progress(taken), Location: `${PATH}/${record.id}` } };
  };

  const append = async (id: string, request: Request): Promise<Reply> => {
    if (typeOf(request) !== BODY_TYPE)
      throw new ProblemError("unsupported_media_type", `send Content-Type: ${BODY_TYPE}`);
    const offset = numberIn(request, "upload-offset");
    const known = found(id);
    const length = Number(request.header("content-length"));
    if (offset + length > known.bytes)
      throw new ProblemError("upload_too_long", `the upload has ${known.bytes} bytes, and more would come`);
    if (request.upload === null) throw new Error("the body of an upload was not kept");
    return { status: 204, headers: progress(await takeBody(uploads, objects, id, offset, request.upload)) };
  };

  /** The record first: whoever writes it sees that it is gone. */
  const remove = async (id: string): Promise<void> => {
    await uploads.remove(id);
    try {
      for await (const { key } of objects.list(uploadPrefix(id))) await objects.remove(key);
    } catch (error) {
      throw filesAway(error);
    }
  };

  const found = (id: string): Upload => {
    const known = uploadId.safeParse(id).success ? uploads.get(id) : null;
    if (known === null) throw new ProblemError("upload_not_found", `there is no upload ${id.slice(0, 64)}`);
    return known;
  };

  const reply = async (request: Request, person: Person): Promise<Reply> => {
    roles.authoriseCrew(person);
    if (request.method === "OPTIONS")
      return {
        status: 204,
        headers: {
          "Tus-Version": VERSION,
          "Tus-Max-Size": String(mostBytes),
          "Tus-Extension": "creation,creation-with-upload,termination,expiration",
        },
      };
    if (request.header("tus-resumable") !== VERSION)
      throw new ProblemError("tus_version", `Tus-Resumable has to be ${VERSION}`, { "Tus-Version": VERSION });
    const id = request.path.slice(PATH.length + 1);
    if (id === "") {
      if (request.method === "POST") return create(request);
    } else if (request.method === "GET" && request.bodyless) {
      const record = found(id);
      return { status: 200, headers: { ...progress(record), "Upload-Length": String(record.bytes) } };
    } else if (request.method === "PATCH") return append(id, request);
    else if (request.method === "DELETE") {
      found(id);
      if (isUsed(id) !== false)
        throw new ProblemError("upload_used", `a stream is made from upload ${id}: delete the stream`);
      await remove(id);
      return { status: 204 };
    }
    throw new ProblemError("method_not_allowed", `${request.method} is not among ${METHODS}`, {
      Allow: METHODS,
    });
  };

  const sweep = setInterval(() => {
    const oldMs = Date.now() - UPLOAD_LIFE_MS;
    for (const { id, touchedAtMs } of uploads.values())
      if (touchedAtMs < oldMs && isUsed(id) === false)
        void remove(id).catch((error: unknown) => log.warn({ err: error, id }, "an old upload stays"));
  }, SWEEP_MS);

  return {
    answer(request, person) {
      if (request.path !== PATH && !request.path.startsWith(`${PATH}/`)) return null;
      return reply(request, person).then(
        (answered) => ({ ...answered, headers: { ...common, ...answered.headers } }),
        (error: unknown) => {
          if (!(error instanceof ProblemError)) throw error;
          return problemReply(error.code, error.message, request.path, { ...common, ...error.headers });
        },
      );
    },
    close: () => clearInterval(sweep),
  };
}

const typeOf = (request: Request): string =>
  request.header("content-type").split(";")[0]?.trim().toLowerCase() ?? "";

const progress = ({ offset, done, touchedAtMs }: Upload): Record<string, string> => ({
  "Upload-Offset": String(offset),
  ...(done ? {} : { "Upload-Expires": new Date(touchedAtMs + UPLOAD_LIFE_MS).toUTCString() }),
});

function numberIn(request: Request, name: "upload-length" | "upload-offset"): number {
  const text = request.header(name);
  if (!/^\d{1,15}$/.test(text))
    throw new ProblemError(
      "invalid_parameters",
      `${name}: ${text === "" ? "missing" : "not a number of bytes"}`,
    );
  return Number(text);
}

/** `filename <base64>` among what tus calls metadata. Only shown: nothing is stored under it. */
function nameIn(metadata: string): string {
  const encoded = metadata
    .split(",")
    .map((pair) => pair.trim().split(" "))
    .find(([name]) => name === "filename" || name === "name")?.[1];
  const name = Buffer.from(encoded ?? "", "base64").toString();
  // The last part: some browsers tell a folder.
  return (name.split(/[\\/]/).at(-1) ?? "").replaceAll(/\p{Cc}/gu, "").slice(0, 300);
}
