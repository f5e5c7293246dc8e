/** After so long without a break the clock suggests one. */
export const BREAK_AFTER_MS = 90 * 60_000;
/** So long away is a break. */
const AWAY_MS = 10 * 60_000;
const KEY = "hypecast.mod.shift";

interface Kept {
  /** Since when one has been at it without a break, and the last sign of it. */
  sinceMs: number;
  seenMs: number;
}

/** The time of a shift without a break; pure. A page that was closed for ten minutes was one. */
export function shiftAfter(kept: Kept | null, nowMs: number): Kept {
  return kept === null || nowMs - kept.seenMs > AWAY_MS || kept.sinceMs > nowMs
    ? { sinceMs: nowMs, seenMs: nowMs }
    : { sinceMs: kept.sinceMs, seenMs: nowMs };
}

function read(): Kept | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return typeof kept === "object" && kept !== null && "sinceMs" in kept && "seenMs" in kept
      ? { sinceMs: Number(kept.sinceMs), seenMs: Number(kept.seenMs) }
      : null;
  } catch {
    return null;
  }
}

/** How long this person has looked at these things without a break. A hint, never a lock. */
export class Shift {
  sinceMs = $state(0);
  #kept: Kept;

  constructor(nowMs: number) {
    this.#kept = shiftAfter(read(), nowMs);
    this.sinceMs = this.#kept.sinceMs;
  }
  /** Somebody is here. */
  seen(nowMs: number): void {
    this.#take(shiftAfter(this.#kept, nowMs));
  }
  hadBreak(nowMs: number): void {
    this.#take({ sinceMs: nowMs, seenMs: nowMs });
  }
  #take(kept: Kept): void {
    this.#kept = kept;
    this.sinceMs = kept.sinceMs;
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // Storage is off: the shift begins with the page.
    }
  }
}
