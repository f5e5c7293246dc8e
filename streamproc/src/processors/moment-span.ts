import type { Moment } from "@hypecast/contracts/moment.ts";
import type { Span } from "./known-video.ts";

export const SHORTEST_MS = 15_000;
export const LONGEST_MS = 60_000;
/** An end may move so far to a cut or a silence. */
export const SNAP_MS = 3000;
/** However it snaps: a start is this much before the onset, an end this much behind it. */
const LEAST_SETUP_MS = 1500;
const LEAST_AFTER_MS = 5000;

export interface Seams {
  /** Times of cuts. */
  cuts: readonly number[];
  /** Middles of silent seconds. */
  silences: readonly number[];
  ads: readonly Span[];
}

type Cut = Pick<Moment, "startMs" | "endMs" | "startSnap" | "endSnap">;

/** Where a clip begins and ends: from the set-up before the onset until the reaction has decayed, at seams where there are some. */
export function spanOf(onsetMs: number, setupMs: number, reactionEndMs: number, seams: Seams): Cut {
  const start = snapped(onsetMs - setupMs, -Infinity, onsetMs - LEAST_SETUP_MS, seams);
  const wantedEndMs = Math.max(reactionEndMs, start.atMs + SHORTEST_MS);
  const end = snapped(
    Math.min(wantedEndMs, start.atMs + LONGEST_MS),
    Math.max(onsetMs + LEAST_AFTER_MS, start.atMs + SHORTEST_MS),
    start.atMs + LONGEST_MS,
    seams,
  );
  return withoutAds(
    {
      startMs: Math.round(start.atMs),
      endMs: Math.round(end.atMs),
      startSnap: start.snap,
      endSnap: end.snap,
    },
    onsetMs,
    seams.ads,
  );
}

interface Snapped {
  atMs: number;
  snap: "cut" | "silence" | null;
}

/** The cut nearest to a time, else the silence, inside of SNAP_MS and the bounds. */
function snapped(atMs: number, fromMs: number, toMs: number, { cuts, silences }: Seams): Snapped {
  for (const [snap, seams] of [
    ["cut", cuts],
    ["silence", silences],
  ] as const) {
    let best: number | null = null;
    for (const seam of seams)
      if (Math.abs(seam - atMs) <= SNAP_MS && seam >= fromMs && seam <= toMs)
        if (best === null || Math.abs(seam - atMs) < Math.abs(best - atMs)) best = seam;
    if (best !== null) return { atMs: best, snap };
  }
  return { atMs: Math.min(Math.max(atMs, fromMs), toMs), snap: null };
}

/** Ends at an advertisement's edge, and takes what is missing to the shortest from the other side. */
function withoutAds(cut: Cut, onsetMs: number, ads: readonly Span[]): Cut {
  let earliestMs = -Infinity;
  let latestMs = Infinity;
  for (const ad of ads) {
    if (ad.toMs <= onsetMs) earliestMs = Math.max(earliestMs, ad.toMs);
    else latestMs = Math.min(latestMs, ad.fromMs);
  }
  let { startMs, endMs, startSnap, endSnap } = cut;
  if (startMs < earliestMs) [startMs, startSnap] = [earliestMs, "cut"];
  if (endMs > latestMs) [endMs, endSnap] = [latestMs, "cut"];
  if (endMs - startMs < SHORTEST_MS) {
    const missing = SHORTEST_MS - (endMs - startMs);
    if (endMs + missing <= latestMs) [endMs, endSnap] = [endMs + missing, null];
    else if (startMs - missing >= earliestMs) [startMs, startSnap] = [startMs - missing, null];
  }
  return { startMs, endMs, startSnap, endSnap };
}
