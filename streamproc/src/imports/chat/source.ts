import { createReadStream, statSync } from "node:fs";

/** Bytes that can be read more than once and from any place: a file, an upload's pieces, an object. */
export interface ByteSource {
  /** For people only: what a file is, its content says. */
  readonly name: string;
  readonly bytes: number;
  /** Bytes `from`–`to`, both inclusive; without them all. */
  read(from?: number, to?: number): AsyncIterable<Uint8Array>;
}

export function fileSource(path: string, name = path): ByteSource {
  return {
    name,
    bytes: statSync(path).size,
    read: (from = 0, to = Infinity) =>
      createReadStream(path, { start: from, end: to, highWaterMark: 256 * 1024 }),
  };
}

export function bytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  return {
    name,
    bytes: bytes.length,
    // eslint-disable-next-line @typescript-eslint/require-await
    async *read(from = 0, to = Infinity) {
      const part = bytes.subarray(from, Math.min(bytes.length, to + 1));
      for (let at = 0; at < part.length; at += 256 * 1024) yield part.subarray(at, at + 256 * 1024);
    },
  };
}
