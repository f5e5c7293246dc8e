import { open } from "node:fs/promises";

export interface Mp4Facts {
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
}

/** The index of a clip of ten minutes is about a megabyte. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024;

/** What a finished file says of itself: of `moov`, its longest track's time and its picture's size. */
export async function mp4Facts(path: string): Promise<Mp4Facts> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(16);
    for (let at = 0; at + 8 <= size;) {
      await file.read(head, 0, 16, at);
      const type = head.toString("latin1", 4, 8);
      const said = head.readUInt32BE(0);
      const bytes = said === 1 ? Number(head.readBigUInt64BE(8)) : said === 0 ? size - at : said;
      if (type === "moov" && bytes <= MOST_INDEX_BYTES) {
        const moov = Buffer.alloc(bytes);
        await file.read(moov, 0, bytes, at);
        return factsIn(moov.subarray(8));
      }
      if (bytes < 8) break;
      at += bytes;
    }
  } finally {
    await file.close();
  }
  throw new Error("the written file has no index");
}

function factsIn(moov: Buffer): Mp4Facts {
  let durationMs = 0;
  let width = 0;
  let height = 0;
  for (const { type, body } of boxes(moov)) {
    if (type === "mvhd") {
      const wide = body[0] === 1;
      const scale = body.readUInt32BE(wide ? 20 : 12);
      const duration = wide ? Number(body.readBigUInt64BE(24)) : body.readUInt32BE(16);
      durationMs = Math.round((duration * 1000) / Math.max(1, scale));
    }
    if (type === "trak")
      for (const inner of boxes(body))
        if (inner.type === "tkhd" && inner.body.length >= 84) {
          // The last two fields, in 1/65536 pixels; sound has 0.
          width = Math.max(width, inner.body.readUInt32BE(inner.body.length - 8) >> 16);
          height = Math.max(height, inner.body.readUInt32BE(inner.body.length - 4) >> 16);
        }
  }
  return { width, height, durationMs };
}

function* boxes(body: Buffer): Generator<{ type: string; body: Buffer }> {
  for (let at = 0; at + 8 <= body.length;) {
    const size = body.readUInt32BE(at);
    if (size < 8 || at + size > body.length) return;
    yield { type: body.toString("latin1", at + 4, at + 8), body: body.subarray(at + 8, at + size) };
    at += size;
  }
}
