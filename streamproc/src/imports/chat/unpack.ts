import { Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import * as yauzl from "yauzl";
import { ImportFailure } from "./failure.ts";
import { ARCHIVE_FILES, PACK_RATIO, PACK_RATIO_FROM_BYTES, UNPACKED_BYTES } from "./limits.ts";
import type { ByteSource } from "./source.ts";

export type Packing = "gzip" | "zstd" | "zip";

/** By the first bytes; null: it is not packed. */
export function packingOf(start: Uint8Array): Packing | null {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return "zstd";
  if (start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4) return "zip";
  return null;
}

/** The first bytes of a stream, `bytes` of them or all there are; the rest is not read. */
export async function startOf(stream: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    parts.push(part);
    length += part.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

/** gzip or zstd, once. What packs better than any chat does, or unpacks to more than the limit, is refused while it is read. */
export async function* inflate(
  stream: AsyncIterable<Uint8Array>,
  packing: "gzip" | "zstd",
  unpackedMost = UNPACKED_BYTES,
): AsyncGenerator<Buffer> {
  let packed = 0;
  let unpacked = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      packed += chunk.length;
      yield chunk;
    }
  };
  const inflater: Transform =
    packing === "gzip"
      ? createGunzip({ chunkSize: 256 * 1024 })
      : createZstdDecompress({ chunkSize: 256 * 1024 });
  const input = Readable.from(counted(), { objectMode: false, highWaterMark: 64 * 1024 });
  input.on("error", (error) => inflater.destroy(error));
  input.pipe(inflater);
  try {
    for await (const chunk of inflater as AsyncIterable<Buffer>) {
      unpacked += chunk.length;
      if (unpacked > unpackedMost)
        throw new ImportFailure(
          "too_large",
          `It unpacks to more than ${Math.round(unpackedMost / 1024 ** 3)} GB.`,
          "Unpack it, check what is in it, and import the part that you need.",
        );
      if (unpacked > PACK_RATIO_FROM_BYTES && unpacked / packed > PACK_RATIO)
        throw new ImportFailure(
          "too_large",
          `It unpacks to more than ${PACK_RATIO} times its size, which no chat does.`,
          "If it really is a chat, unpack it and import the file itself.",
        );
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ImportFailure) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    // The stream ends in mid-block: what came out so far stays.
    if (
      code === "Z_BUF_ERROR" ||
      code === "ZSTD_error_srcSize_wrong" ||
      /unexpected end/i.test(String(error))
    )
      throw new CutOff(unpacked);
    if (code.startsWith("Z_") || code.startsWith("ZSTD") || code.startsWith("ERR_ZSTD"))
      throw new CutOff(unpacked, "what follows is damaged");
    throw error;
  } finally {
    input.destroy();
    inflater.destroy();
  }
}

/** A packed file that ends, or is damaged, before its content does. */
export class CutOff extends Error {
  readonly unpackedBytes: number;

  constructor(unpackedBytes: number, why = "it ends in the middle") {
    super(why);
    this.unpackedBytes = unpackedBytes;
  }
}

export interface ArchiveFile {
  readonly name: string;
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
}

/** The files of a zip, without folders and what systems leave there. Refuses names that lead out of it, encryption and too many files. */
export async function filesOfZip(source: ByteSource): Promise<ArchiveFile[]> {
  const reader = new (class extends yauzl.RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(source.read(start, end - 1), { objectMode: false });
    }
  })();
  let archive: yauzl.ZipFile;
  try {
    archive = await new Promise<yauzl.ZipFile>((resolve, reject) =>
      yauzl.fromRandomAccessReader(
        reader,
        source.bytes,
        { lazyEntries: true, autoClose: false, strictFileNames: true },
        (error, opened) => (error === null ? resolve(opened) : reject(error)),
      ),
    );
  } catch (error) {
    throw badArchive(error);
  }
  const files: ArchiveFile[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      archive.on("error", reject);
      archive.on("end", () => resolve());
      archive.on("entry", (entry: yauzl.Entry) => {
        const name = entry.fileName;
        if (entry.isEncrypted()) reject(new Error(`“${name.slice(0, 80)}” is encrypted`));
        else if (files.length >= ARCHIVE_FILES)
          reject(new Error(`it holds more than ${ARCHIVE_FILES} files`));
        else {
          if (!/\/$|^__MACOSX\/|(?:^|\/)(?:\.DS_Store|Thumbs\.db|desktop\.ini)$/.test(name))
            files.push(fileOf(archive, entry));
          archive.readEntry();
        }
      });
      archive.readEntry();
    });
  } catch (error) {
    throw badArchive(error);
  }
  return files;
}

function fileOf(archive: yauzl.ZipFile, entry: yauzl.Entry): ArchiveFile {
  return {
    name: entry.fileName,
    bytes: entry.uncompressedSize,
    async *read() {
      if (
        entry.uncompressedSize > UNPACKED_BYTES ||
        (entry.uncompressedSize > PACK_RATIO_FROM_BYTES &&
          entry.uncompressedSize / Math.max(1, entry.compressedSize) > PACK_RATIO)
      )
        throw new ImportFailure(
          "too_large",
          `“${entry.fileName.slice(0, 80)}” unpacks to ${Math.round(entry.uncompressedSize / 1024 ** 2)} MB, more than any chat of its packed size.`,
          "If it really is a chat, unpack it and import the file itself.",
        );
      let stream: Readable;
      try {
        stream = await new Promise<Readable>((resolve, reject) =>
          archive.openReadStream(entry, (error, opened) =>
            error === null ? resolve(opened) : reject(error),
          ),
        );
      } catch (error) {
        throw badArchive(error);
      }
      let unpacked = 0;
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          unpacked += chunk.length;
          yield chunk;
        }
      } catch (error) {
        // yauzl holds the announced size against what comes out, so a lying header ends here too.
        throw new CutOff(unpacked, (error as Error).message);
      } finally {
        stream.destroy();
      }
    },
  };
}

function badArchive(error: unknown): ImportFailure {
  const why = error instanceof Error ? error.message : String(error);
  return new ImportFailure(
    "bad_archive",
    `The zip cannot be read: ${why.slice(0, 200)}.`,
    "Pack it anew, with the chat file alone in it, or import the chat file itself.",
  );
}
