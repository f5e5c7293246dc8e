/** How fast bytes go, over the last seconds: a single slow piece is no slow network. */
const OVER_MS = 8000;

export interface Pace {
  /** Newest last: when so many were through. */
  readonly marks: readonly { atMs: number; bytes: number }[];
}
export const NO_PACE: Pace = { marks: [] };

/** Bytes that count back were sent in vain: measuring begins anew. */
export function paced({ marks }: Pace, atMs: number, bytes: number): Pace {
  const last = marks.at(-1);
  if (last !== undefined && bytes < last.bytes) return { marks: [{ atMs, bytes }] };
  const kept = marks.filter((mark, at) => atMs - mark.atMs <= OVER_MS || at === marks.length - 1);
  return { marks: [...kept, { atMs, bytes }].slice(-200) };
}

/** Bytes a second; null: too little was seen to say. */
export function rateOf({ marks }: Pace): number | null {
  const [first] = marks;
  const last = marks.at(-1);
  if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return null;
  return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
}

/** Seconds until all are through; null: it cannot be said. */
export function secondsLeft(pace: Pace, bytes: number): number | null {
  const rate = rateOf(pace);
  const sent = pace.marks.at(-1)?.bytes ?? 0;
  return rate === null || rate <= 0 ? null : Math.max(0, (bytes - sent) / rate);
}
