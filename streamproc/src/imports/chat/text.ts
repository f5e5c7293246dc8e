import { isUtf8 } from "node:buffer";
import { ImportFailure } from "./failure.ts";

const WHAT_TO_DO = "Save it as UTF-8 and import it again.";

/** Bytes of a text file as UTF-8 without a mark. UTF-16 is turned into it where a mark says that it is that; anything else is refused. */
export async function* asUtf8(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | null = null;
  let started = false;
  let start: Buffer = Buffer.alloc(0);
  for await (const part of stream) {
    let chunk = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    if (!started) {
      start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
      if (start.length < 4096) continue;
      chunk = start;
      started = true;
      ({ chunk, decoder } = begin(chunk));
    } else if (decoder !== null) chunk = Buffer.from(decoder.decode(chunk, { stream: true }), "utf8");
    if (chunk.length > 0) yield chunk;
  }
  if (!started && start.length > 0) yield begin(start).chunk;
  else if (decoder !== null) {
    const rest = decoder.decode();
    if (rest !== "") yield Buffer.from(rest, "utf8");
  }
}

function begin(start: Buffer): { chunk: Buffer<ArrayBuffer>; decoder: TextDecoder | null } {
  const own = Buffer.from(start);
  if (own[0] === 0xef && own[1] === 0xbb && own[2] === 0xbf) return { chunk: own.subarray(3), decoder: null };
  const wide =
    own[0] === 0xff && own[1] === 0xfe ? "utf-16le" : own[0] === 0xfe && own[1] === 0xff ? "utf-16be" : null;
  if (wide !== null) {
    const decoder = new TextDecoder(wide);
    return { chunk: Buffer.from(decoder.decode(own, { stream: true }), "utf8"), decoder };
  }
  const looked = own.subarray(0, 4096);
  const zeros: [number, number] = [0, 0];
  for (let at = 0; at < looked.length; at++) if (looked[at] === 0) zeros[(at & 1) as 0 | 1]++;
  if (Math.max(...zeros) > looked.length / 4 && Math.min(...zeros) < looked.length / 50)
    throw new ImportFailure(
      "bad_encoding",
      "Every second byte is zero: it looks like UTF-16 without the mark that says so.",
      WHAT_TO_DO,
    );
  return { chunk: own, decoder: null };
}

/** Of bytes that were cut anywhere: whether they are UTF-8, up to a character that may go on behind them. */
export function startsAsUtf8(bytes: Buffer): boolean {
  for (let cut = 0; cut < 4 && cut < bytes.length; cut++) {
    if (isUtf8(bytes.subarray(0, bytes.length - cut))) return true;
  }
  return bytes.length === 0;
}

export const badEncoding = (): ImportFailure =>
  new ImportFailure("bad_encoding", "It is neither UTF-8 nor UTF-16 with a mark.", WHAT_TO_DO);
