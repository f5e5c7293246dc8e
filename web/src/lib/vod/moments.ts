import type { Candidate } from "../video/board.ts";
import type { Span } from "../video/span.ts";

/** Places that keys walk through, in order of time: moments where there are some, else chapters. */
export const stops = (moments: readonly Candidate[], chapters: readonly { atMs: number }[]): number[] =>
  (moments.length > 0 ? moments.map(({ startMs }) => startMs) : chapters.map(({ atMs }) => atMs)).toSorted(
    (a, b) => a - b,
  );

/** The stop behind or before a time. A stop that was passed a moment ago is where one comes from. */
const JUST_PASSED_MS = 2000;
export function nextStop(all: readonly number[], atMs: number, step: 1 | -1): number | null {
  if (step === 1) return all.find((stop) => stop > atMs + 500) ?? null;
  return all.findLast((stop) => stop < atMs - JUST_PASSED_MS) ?? null;
}

/** The chapter that is on screen. */
export const chapterAt = <Chapter extends { atMs: number }>(
  chapters: readonly Chapter[],
  atMs: number,
): Chapter | null => chapters.findLast((one) => one.atMs <= atMs) ?? null;

/** Where the other of two streams stands that run side by side, when this one stands at `atS`: both counted from where they meet. */
export const beside = (atS: number, meetS: number, otherMeetS: number): number => atS - meetS + otherMeetS;

/** One end of a range, set where the player is; without a range a new one begins there. */
const FRESH_MS = 20_000;
export function withEnd(span: Span | null, end: "start" | "end", atMs: number): Span {
  if (span === null)
    return end === "start"
      ? { startMs: atMs, endMs: atMs + FRESH_MS }
      : { startMs: atMs - FRESH_MS, endMs: atMs };
  const next = { ...span, [end === "start" ? "startMs" : "endMs"]: atMs };
  // Set behind the other end, it pushes that one on.
  if (next.endMs - next.startMs >= 1000) return next;
  return end === "start"
    ? { startMs: atMs, endMs: atMs + FRESH_MS }
    : { startMs: atMs - FRESH_MS, endMs: atMs };
}
