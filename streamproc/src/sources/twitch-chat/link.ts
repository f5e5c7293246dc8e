/** Silence after which the connection is asked whether it is there, and after which it is given up. */
export const PING_AFTER_MS = 2_000;
export const DEAD_AFTER_MS = 10_000;
/** A connection must be open and welcomed within this. */
const UP_WITHIN_MS = 5_000;
const BACKOFF_MS = { first: 500, most: 30_000 };

/** One connection's life as the watchdog sees it; times are monotonic ms. */
export interface Link {
  up: boolean;
  startedAt: number;
  heardAt: number;
  pingedAt: number;
}

export const newLink = (now: number): Link => ({ up: false, startedAt: now, heardAt: now, pingedAt: now });

/** What the watchdog does now: ask, give the connection up, or nothing. Changes `pingedAt` when it asks. */
export function watch(link: Link, now: number): "ping" | "dead" | null {
  if (!link.up) return now - link.startedAt > UP_WITHIN_MS ? "dead" : null;
  const silent = now - link.heardAt;
  if (silent > DEAD_AFTER_MS) return "dead";
  if (silent >= PING_AFTER_MS && now - Math.max(link.pingedAt, link.heardAt) >= PING_AFTER_MS) {
    link.pingedAt = now;
    return "ping";
  }
  return null;
}

/** Wait before attempt number `attempt` (0 is the first): doubles to 30 s, the upper half of it by chance, so that many do not return at once. */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(attempt, 10));
  return Math.round(full / 2 + (full / 2) * random);
}
