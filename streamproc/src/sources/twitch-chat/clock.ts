import { uptime } from "node:os";

/** Further from the estimate than this, a time is not believed. */
export const BELIEVED_MS = 60_000;
const SAMPLES = 31;
const SAMPLE_EVERY_MS = 200;
/** So many lines in a row must agree on another time before a young estimate gives way to them … */
const AGREEING = 5;
/** … and, without a single line that fits, so long before a settled one does, forwards only. */
const INSIST_MS = 60_000;

export interface TwitchClock {
  /** Twitch's time at a moment of the monotonic clock, ms; null until anything has told it. */
  at(monotonicMs: number): number | null;
  /**
   * A line's `tmi-sent-ts` (0: it has none) as it arrived. Returns the time to file the line under: its own where that is
   * believable, otherwise the estimate. Null: it says none and there is no estimate.
   */
  sent(sentAtMs: number, monotonicMs: number): { atMs: number; believed: boolean } | null;
  /** How far ahead of `at` the truth may be: a `Date` header has whole seconds. */
  uncertainMs(): number;
  /** A `Date` header from any server outside: a first idea of the time, until a line gives a better one. */
  dated(dateMs: number, monotonicMs: number): void;
}

/**
 * What time it is at Twitch, from the lines it sends and a monotonic clock; the local wall clock is not asked. A line's time
 * less the monotonic time of its arrival is Twitch's clock minus the line's delay. The estimate is the upper quartile of
 * the last samples: it is not ahead by more than jitter (an alive marker must not overtake lines under way), and neither a
 * few forged lines nor a burst of delayed ones move it.
 */
export function twitchClock(): TwitchClock {
  let samples: number[] = [];
  let estimate: number | null = null;
  let sampledAt = -Infinity;
  let settled = 0;
  /** Lines in a row that disagree with the estimate. */
  let strangers: { offset: number; since: number }[] = [];

  const sample = (offset: number, monotonicMs: number): void => {
    settled++;
    if (monotonicMs - sampledAt < SAMPLE_EVERY_MS && settled > AGREEING) return;
    sampledAt = monotonicMs;
    samples.push(offset);
    if (samples.length > SAMPLES) samples.shift();
    estimate = samples.toSorted((a, b) => a - b)[Math.floor((samples.length - 1) * 0.75)] ?? offset;
  };

  return {
    at: (monotonicMs) => (estimate === null ? null : Math.round(estimate + monotonicMs)),
    uncertainMs: () => (settled === 0 ? 1000 : 0),
    dated(dateMs, monotonicMs) {
      if (settled === 0) estimate = dateMs - monotonicMs;
    },
    sent(sentAtMs, monotonicMs) {
      if (sentAtMs <= 0)
        return estimate === null ? null : { atMs: Math.round(estimate + monotonicMs), believed: false };
      const offset = sentAtMs - monotonicMs;
      if (estimate === null || Math.abs(offset - estimate) <= BELIEVED_MS) {
        strangers = [];
        sample(offset, monotonicMs);
        return { atMs: sentAtMs, believed: true };
      }
      strangers = strangers.filter((other) => Math.abs(other.offset - offset) <= BELIEVED_MS).slice(-SAMPLES);
      strangers.push({ offset, since: strangers[0]?.since ?? monotonicMs });
      const insisting = monotonicMs - (strangers[0]?.since ?? monotonicMs) >= INSIST_MS && offset > estimate;
      if (strangers.length >= AGREEING && (settled < AGREEING || insisting)) {
        samples = strangers.map((other) => other.offset);
        settled = 0;
        strangers = [];
        sample(offset, monotonicMs);
        return { atMs: sentAtMs, believed: true };
      }
      return { atMs: Math.round(estimate + monotonicMs), believed: false };
    },
  };
}

/** `performance.now()` stands still while the machine sleeps; the system's uptime does not. */
let slept = 0;
let awake = { uptime: uptime() * 1000, monotonic: performance.now() };

/** Milliseconds that only go forward, the machine's sleep included (seen within a call of `noticeSleep`). */
export const monotonicMs = (): number => performance.now() + slept;

/** Called about once a second. Returns the ms that the machine has slept since the last call. */
export function noticeSleep(): number {
  const now = { uptime: uptime() * 1000, monotonic: performance.now() };
  const missed = now.uptime - awake.uptime - (now.monotonic - awake.monotonic);
  awake = now;
  if (missed < 3000) return 0;
  slept += missed;
  return missed;
}
