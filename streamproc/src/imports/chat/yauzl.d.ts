/** The part of yauzl 3 that is used; the package has no types. */
declare module "yauzl" {
  import type { EventEmitter } from "node:events";
  import type { Readable } from "node:stream";

  export interface Entry {
    readonly fileName: string;
    readonly compressedSize: number;
    readonly uncompressedSize: number;
    isEncrypted(): boolean;
  }
  export interface ZipFile extends EventEmitter {
    readEntry(): void;
    openReadStream(entry: Entry, done: (error: Error | null, stream: Readable) => void): void;
  }
  export class RandomAccessReader extends EventEmitter {
    /** Bytes `start` to `end`, `end` not included. */
    _readStreamForRange(start: number, end: number): Readable;
  }
  export function fromRandomAccessReader(
    reader: RandomAccessReader,
    totalSize: number,
    options: { lazyEntries: true; autoClose: false; strictFileNames: true },
    done: (error: Error | null, archive: ZipFile) => void,
  ): void;
}
