/**
 * Files that are too large for the log: segments, frames, clips. One folder or one S3-compatible bucket; events carry keys.
 * A key is a relative path of letters, digits, `-`, `_`, `.`, and `/` between parts; no part begins with a dot.
 */
export interface Objects {
  /** Stores the whole or nothing; replaces what was there. Resolves to its bytes. Rejects with `DiskFull` when there is no room. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<number>;
  /** Null: there is no such object. */
  get(key: string): Promise<Buffer | null>;
  /** Bytes `from`–`to`, both inclusive, `to` cut to the object's end; without a range all of it. Null: there is no such object. */
  read(
    key: string,
    range?: { from: number; to: number },
  ): Promise<{ bytes: number; body: AsyncIterable<Uint8Array> } | null>;
  /** Bytes; null: there is no such object. */
  size(key: string): Promise<number | null>;
  /** No error when it is gone already. */
  remove(key: string): Promise<void>;
  /** All whose key begins with `prefix`, in no order. */
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; modifiedMs: number }>;
  /** A path that a program can open: the file itself, or a copy of it that is gone after `release`. Null: there is no such object. */
  file(key: string): Promise<{ path: string; release(): Promise<void> } | null>;
  /** Removes what a crash has left half-written for more than 45 minutes. Happens by itself at the start and every ten minutes. */
  sweep(): Promise<void>;
  close(): void;
}

/** No room for an object. */
export class DiskFull extends Error {}
