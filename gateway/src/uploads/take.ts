import { randomUUID } from "node:crypto";
import { uploadPiece, type Upload } from "@hypecast/contracts/upload.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { filesAway } from "../media/file-reply.ts";
import { ProblemError } from "../problems.ts";
import { uploadBytes } from "../metrics.ts";
import type { Uploads } from "./records.ts";

/** A piece is stored, and counted, when it has so many bytes or took so long: that much is sent again after a crash, and no more. */
const PIECE_BYTES = 16 << 20;
const PIECE_MS = 10_000;
/** Who writes says so this often; one who has not for STALE_MS is dead, and another may go on. */
const ALIVE_MS = 3000;
const STALE_MS = 10_000;

/**
 * Appends what comes to an upload and counts it piece by piece, so that any gateway may go on when this one or the connection ends. Resolves
 * to the record as it is then. Throws ProblemError: another writes it, the offset is another, it is gone, the disk is full, or the body is
 * longer than what was announced (what fits is kept).
 */
export async function takeBody(
  uploads: Uploads,
  objects: Objects,
  id: string,
  offset: number,
  body: AsyncGenerator<Uint8Array>,
): Promise<Upload> {
  const writer = randomUUID();
  let record = await claim(uploads, id, offset, writer);
  const own = async (change: Partial<Upload>): Promise<Upload> => {
    const after = await uploads.change(id, (before) => {
      if (before.writer !== writer) throw locked(id);
      return { ...before, ...change, touchedAtMs: Date.now() };
    });
    if (after === null) throw new ProblemError("upload_not_found", `upload ${id} was deleted`);
    return after;
  };
  const alive = setInterval(() => void own({}).catch(() => undefined), ALIVE_MS);
  try {
    let left = await body.next();
    while (left.done !== true && record.offset < record.bytes) {
      const key = uploadPiece(id, record.offset);
      const room = Math.min(PIECE_BYTES, record.bytes - record.offset);
      const stored = await store(
        objects,
        key,
        piece(body, left.value, room, (next) => (left = next)),
      );
      try {
        record = await own({ offset: record.offset + stored });
        uploadBytes.inc({}, stored);
      } catch (error) {
        if (uploads.get(id) === null) await objects.remove(key).catch(() => undefined);
        throw error;
      }
    }
    record = await own({ done: record.offset === record.bytes, writer: null });
    if (left.done !== true)
      throw new ProblemError("upload_too_long", `the upload has ${record.bytes} bytes, and more came`);
    return record;
  } catch (error) {
    if (!(error instanceof ProblemError && error.code === "upload_too_long"))
      await own({ writer: null }).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(alive);
  }
}

async function claim(uploads: Uploads, id: string, offset: number, writer: string): Promise<Upload> {
  const claimed = await uploads.change(id, (before) => {
    if (before.writer !== null && before.touchedAtMs > Date.now() - STALE_MS) throw locked(id);
    if (before.offset !== offset)
      throw new ProblemError("upload_offset", `upload ${id} stands at ${before.offset}, not at ${offset}`);
    return { ...before, writer, touchedAtMs: Date.now() };
  });
  if (claimed === null) throw new ProblemError("upload_not_found", `there is no upload ${id}`);
  return claimed;
}

/** At most `room` bytes of what comes. `rest` is told what is left: the beginning of the next piece, or that the body has ended. */
async function* piece(
  body: AsyncGenerator<Uint8Array>,
  first: Uint8Array,
  room: number,
  rest: (left: IteratorResult<Uint8Array>) => void,
): AsyncGenerator<Uint8Array> {
  const untilMs = Date.now() + PIECE_MS;
  let part = first;
  for (;;) {
    yield part.subarray(0, room);
    if (part.byteLength > room) return rest({ done: false, value: part.subarray(room) });
    room -= part.byteLength;
    const next = await body.next();
    if (next.done === true || room === 0 || Date.now() > untilMs) return rest(next);
    part = next.value;
  }
}

async function store(objects: Objects, key: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  try {
    return await objects.put(key, body);
  } catch (error) {
    if (error instanceof DiskFull)
      throw new ProblemError("disk_full", "there is no room for the file; what has come so far stays");
    throw filesAway(error);
  }
}

const locked = (id: string): ProblemError =>
  new ProblemError("upload_locked", `upload ${id} is being written by another request`, {
    "Retry-After": "2",
  });
