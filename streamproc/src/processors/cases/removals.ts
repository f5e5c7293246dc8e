import type { ByteReader, ByteWriter } from "../bytes.ts";

/** What was removed so long ago can no longer be news for a line that is scored only now. */
const KEPT_MS = 5 * 60_000;
/** Lines and chatters each; the oldest goes first. A line that is scored later than so many removals counts as standing. */
const BOUND = 1000;

/** What moderators removed a moment ago: a line is often gone before it is scored. */
export class Removals {
  /** By line and by chatter, in the order they came. */
  readonly #lines = new Map<string, number>();
  readonly #chatters = new Map<string, number>();
  #clearedMs = 0;

  line(lineId: string, atMs: number): void {
    keep(this.#lines, lineId, atMs);
  }
  chatter(userId: string, atMs: number): void {
    keep(this.#chatters, userId, atMs);
  }
  all(atMs: number): void {
    this.#clearedMs = Math.max(this.#clearedMs, atMs);
  }

  /** When this line was removed; null: it stands. */
  of(lineId: string, userId: string, sentAtMs: number): number | null {
    const line = this.#lines.get(lineId);
    if (line !== undefined) return line;
    const chatter = this.#chatters.get(userId);
    if (chatter !== undefined && chatter >= sentAtMs) return chatter;
    return this.#clearedMs >= sentAtMs ? this.#clearedMs : null;
  }

  forget(userId: string): void {
    this.#chatters.delete(userId);
  }

  drop(nowMs: number): void {
    for (const kept of [this.#lines, this.#chatters])
      for (const [key, atMs] of kept)
        if (atMs < nowMs - KEPT_MS) kept.delete(key);
        else break;
  }

  save(out: ByteWriter): void {
    out.number(this.#clearedMs);
    for (const kept of [this.#lines, this.#chatters]) {
      out.uint(kept.size);
      for (const [key, atMs] of kept) {
        out.text(key);
        out.number(atMs);
      }
    }
  }

  static load(bytes: ByteReader): Removals {
    const removals = new Removals();
    removals.#clearedMs = bytes.number();
    for (const kept of [removals.#lines, removals.#chatters])
      for (let left = bytes.uint(); left > 0; left--) kept.set(bytes.text(), bytes.number());
    return removals;
  }
}

function keep(into: Map<string, number>, key: string, atMs: number): void {
  into.delete(key);
  into.set(key, atMs);
  if (into.size <= BOUND) return;
  const oldest = into.keys().next();
  if (oldest.done === false) into.delete(oldest.value);
}
