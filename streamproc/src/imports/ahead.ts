import { setTimeout as sleep } from "node:timers/promises";
import type { Positions } from "./positions.ts";

/**
 * How far an import may be ahead of the folds: about two of their commits. Several imports on one partition get about the same share of its
 * folds, and the log holds no more of a stream than that before it is counted.
 */
const OF_FOLDS = { lines: 150_000, bytes: 48_000_000, messages: 4000 } as const;
/** … and of the store, which takes the lines of what is live in between. */
const OF_STORE = { lines: 200_000, bytes: 96_000_000, messages: 8000 } as const;
const LOOK_EVERY_MS = 200;

/** What of a channel is on the log and not yet folded, or not yet stored. */
export interface Ahead {
  /** After each publish. */
  sent(seq: number, lines: number, bytes: number, untilMs: number): void;
  /** Resolves when there is room for more. */
  room(signal: AbortSignal): Promise<void>;
  /** Event time until which the folds have committed what was sent; null: nothing yet. */
  foldedUntilMs(): number | null;
  /** Resolves when the folds have committed this sequence, to that commit's place on FOLD. */
  folded(seq: number, signal: AbortSignal): Promise<number>;
  /** Looks where they are. */
  look(): Promise<void>;
}

export function aheadOf(positions: Positions, partition: number): Ahead {
  const folds = new Backlog(OF_FOLDS);
  const store = new Backlog(OF_STORE);
  let at = { position: 0, revision: 0 };
  const look = async (): Promise<void> => {
    at = await positions.folded(partition);
    folds.passed(at.position);
    store.passed((await positions.storedBefore("INPUT")) - 1);
  };
  return {
    sent(seq, lines, bytes, untilMs) {
      folds.add({ seq, lines, bytes, untilMs });
      store.add({ seq, lines, bytes, untilMs });
    },
    async room(signal) {
      while (folds.isFull || store.isFull) {
        await look();
        if (folds.isFull || store.isFull) await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    },
    foldedUntilMs: () => folds.untilMs,
    async folded(seq, signal) {
      while (at.position < seq) {
        await look();
        if (at.position < seq) await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
      return at.revision;
    },
    look,
  };
}

interface Sent {
  readonly seq: number;
  readonly lines: number;
  readonly bytes: number;
  readonly untilMs: number;
}

/** Messages that a reader of the log has not passed, oldest first. */
class Backlog {
  /** Event time of the newest that it has passed. */
  untilMs: number | null = null;
  readonly #most: Omit<Sent, "seq" | "untilMs"> & { readonly messages: number };
  #waiting: Sent[] = [];
  #lines = 0;
  #bytes = 0;

  constructor(most: Omit<Sent, "seq" | "untilMs"> & { readonly messages: number }) {
    this.#most = most;
  }

  get isFull(): boolean {
    const { lines, bytes, messages } = this.#most;
    return this.#lines > lines || this.#bytes > bytes || this.#waiting.length > messages;
  }

  add(sent: Sent): void {
    this.#waiting.push(sent);
    this.#lines += sent.lines;
    this.#bytes += sent.bytes;
  }

  passed(position: number): void {
    const first = this.#waiting.findIndex(({ seq }) => seq > position);
    const gone = this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
    for (const { lines, bytes, untilMs } of gone) {
      this.#lines -= lines;
      this.#bytes -= bytes;
      this.untilMs = Math.max(this.untilMs ?? 0, untilMs);
    }
  }
}
