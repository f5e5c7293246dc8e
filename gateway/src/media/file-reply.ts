import type { Objects } from "@hypecast/runtime/objects.ts";
import { attachment } from "../attachment.ts";
import type { FileBody, Reply, Request } from "../http.ts";
import { media as measured } from "../metrics.ts";
import { ProblemError } from "../problems.ts";
import { rangeOf, type ByteRange } from "./range.ts";

/** Files that are sent at the same time. Each holds one chunk of at most 64 KB and one open file. */
const MOST_STREAMS = 500;
let streams = 0;

/** What a file is to whoever asks for it. */
export interface Served {
  readonly key: string;
  readonly kind: "segment" | "thumb" | "clip" | "shared";
  readonly type: string;
  /** Changes when the bytes do. */
  readonly etag: string;
  readonly cache: string;
  /** The browser keeps it under this name instead of showing it. */
  readonly download?: string;
}

/** An object as an answer: whole, a range of it, or that the client has it already. Null: there is no such object. */
export async function fileReply(objects: Objects, served: Served, request: Request): Promise<Reply | null> {
  const size = await objects.size(served.key).catch((error: unknown) => {
    measured.failed.inc();
    throw filesAway(error);
  });
  if (size === null) return null;
  const etag = `"${served.etag}"`;
  const headers: Record<string, string> = {
    ETag: etag,
    "Cache-Control": served.cache,
    "Accept-Ranges": "bytes",
  };
  if (listed(request.header("if-none-match"), etag)) return { status: 304, headers };
  headers["Content-Type"] = served.type;
  if (served.download !== undefined) headers["Content-Disposition"] = attachment(served.download);
  const ifRange = request.header("if-range");
  const range = ifRange === "" || ifRange === etag ? rangeOf(request.header("range"), size) : null;
  if (range === "outside")
    throw new ProblemError("range_not_satisfiable", `the file has ${size} bytes`, {
      "Content-Range": `bytes */${size}`,
    });
  if (streams >= MOST_STREAMS) {
    measured.refused.inc();
    throw new ProblemError("busy", `${streams} files are being sent`, { "Retry-After": "2" });
  }
  if (range === null)
    return { status: 200, headers, body: bodyOf(objects, served, { from: 0, to: size - 1 }) };
  headers["Content-Range"] = `bytes ${range.from}-${range.to}/${size}`;
  return { status: 206, headers, body: bodyOf(objects, served, range) };
}

export const filesAway = (error: unknown): ProblemError =>
  new ProblemError("files_away", error instanceof Error ? error.message.slice(0, 200) : "no answer", {
    "Retry-After": "3",
  });

const bodyOf = (objects: Objects, { key, kind }: Served, range: ByteRange): FileBody => ({
  bytes: range.to - range.from + 1,
  async *read() {
    measured.streams.set(++streams);
    try {
      const found = await objects.read(key, range);
      if (found === null) return;
      for await (const chunk of found.body) {
        measured.bytes.inc({ kind }, chunk.byteLength);
        yield chunk;
      }
    } finally {
      measured.streams.set(--streams);
    }
  },
});

const listed = (header: string, etag: string): boolean =>
  header
    .split(",")
    .map((one) => one.trim().replace(/^W\//, ""))
    .some((one) => one === etag || one === "*");
