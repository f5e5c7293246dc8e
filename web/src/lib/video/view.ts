import { LONGEST_CLIP_MS, SHORTEST_CLIP_MS } from "@hypecast/contracts/clip-words.ts";
import type { Span } from "./span.ts";

/** What part of the stream the timeline shows. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
}
/** Lengths of the lens; 0: the whole stream. */
export const ZOOMS_MS = [0, 30 * 60_000, 6 * 60_000] as const;

/**
 * The whole stream, or a lens over it: at its end while the edge is followed, else around what is on screen. The lens never
 * leaves the stream, and is never longer than it.
 */
export function viewOf(whole: View, zoomMs: number, centreMs: number | null): View {
  const length = whole.toMs - whole.fromMs;
  if (zoomMs === 0 || zoomMs >= length) return whole;
  const centred = centreMs === null ? whole.toMs - zoomMs : centreMs - zoomMs / 2;
  const fromMs = Math.min(Math.max(centred, whole.fromMs), whole.toMs - zoomMs);
  return { fromMs, toMs: fromMs + zoomMs };
}

/** 0–1 inside the view, beyond it less or more. */
export const shareOf = (view: View, atMs: number): number =>
  view.toMs > view.fromMs ? (atMs - view.fromMs) / (view.toMs - view.fromMs) : 0;
export const timeAt = (view: View, share: number): number =>
  view.fromMs + Math.min(1, Math.max(0, share)) * (view.toMs - view.fromMs);

/** A stretch as left and width in percent, cut to the view; null: it is not in view. */
export function placed(view: View, fromMs: number, toMs: number): { left: number; width: number } | null {
  const from = Math.max(0, shareOf(view, fromMs));
  const to = Math.min(1, shareOf(view, toMs));
  return to <= from ? null : { left: from * 100, width: (to - from) * 100 };
}

/** What a drag from one share to another selects: inside what is kept, as short and as long as clips may be. Null: nothing of it is kept. */
export function draggedSpan(view: View, fromShare: number, toShare: number, kept: Span | null): Span | null {
  const ends = [timeAt(view, fromShare), timeAt(view, toShare)].sort((a, b) => a - b);
  const startMs = Math.max(ends[0] ?? 0, kept?.startMs ?? Number.NEGATIVE_INFINITY);
  const endMs = Math.min(ends[1] ?? 0, kept?.endMs ?? Number.POSITIVE_INFINITY);
  if (endMs - startMs < SHORTEST_CLIP_MS) return null;
  // Drawn from its first end: that one stays where it was put.
  if (endMs - startMs <= LONGEST_CLIP_MS) return { startMs, endMs };
  return fromShare <= toShare
    ? { startMs, endMs: startMs + LONGEST_CLIP_MS }
    : { startMs: endMs - LONGEST_CLIP_MS, endMs };
}
