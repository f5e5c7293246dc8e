import { setTimeout as sleep } from "node:timers/promises";
import type { Positions } from "./positions.ts";

/**
 * How far an import may be ahead of the folds: about two of their commits. Several imports on one partition get about the same share of its
 * folds, and the log holds no more of a stream than that before it is counted.
 */
const AHEAD = { lines: 150_000, bytes: 48_000_000, messages: 4000 } as const;
const LOOK_EVERY_MS = 200;

/** What of a channel is on the log and not yet folded. */
export interface Ahead {
  /** After each publish. */
  sent(seq: number, lines: number, bytes: number, untilMs: number): void;
  /** Resolves when there is room for more. */
  room(signal: AbortSignal): Promise<void>;
  /** Event time until which the folds have committed what was sent; null: nothing yet. */
  foldedUntilMs(): number | null;
  /** Resolves when the folds have committed this sequence, to that commit's place on FOLD. */
  folded(seq: number, signal: AbortSignal): Promise<number>;
  /** Looks where the folds are. */
  look(): Promise<void>;
}

export function aheadOf(positions: Positions, partition: number): Ahead {
  const waiting: { seq: number; lines: number; bytes: number; untilMs: number }[] = [];
  let lines = 0;
  let bytes = 0;
  let untilMs: number | null = null;
  let at = { position: 0, revision: 0 };
  const look = async (): Promise<void> => {
    at = await positions.folded(partition);
    let passed = 0;
    for (const one of waiting) {
      if (one.seq > at.position) break;
      passed++;
      lines -= one.lines;
      bytes -= one.bytes;
      untilMs = Math.max(untilMs ?? 0, one.untilMs);
    }
    waiting.splice(0, passed);
  };
  return {
    sent(seq, sentLines, sentBytes, sentUntilMs) {
      waiting.push({ seq, lines: sentLines, bytes: sentBytes, untilMs: sentUntilMs });
      lines += sentLines;
      bytes += sentBytes;
    },
    async room(signal) {
      while (lines > AHEAD.lines || bytes > AHEAD.bytes || waiting.length > AHEAD.messages) {
        await look();
        if (lines <= AHEAD.lines && bytes <= AHEAD.bytes && waiting.length <= AHEAD.messages) return;
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    },
    foldedUntilMs: () => untilMs,
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
