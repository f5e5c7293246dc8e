import type { ScreenOnset } from "./onsets.ts";

/** Chance that what was reacted to can be heard or seen to begin. */
const CAUSED = 0.7;
/** Onsets so near each other are one thing: a crash, the cut to the screen that says so, the shake of the camera. */
const TOGETHER_MS = 1500;
/** A cause is named when it is at least this probable; else the time is chat's less the lag. */
const SURE = 0.5;
/** Half-width of 80 % of a normal distribution. */
const Z80 = 1.2816;

export interface FoundOnset {
  onsetMs: number;
  /** What began then; empty: nothing stood out. */
  causes: ScreenOnset[];
}

/**
 * When it happened on screen. `expectedMs` ± `errorMs` (80 %) is where the lag points; among the onsets in there the one that is rare
 * for the channel and near is the cause, by Bayes against "none of them": normal(distance) / how often one as strong comes.
 */
export function onsetOf(
  expectedMs: number,
  errorMs: number,
  latestMs: number,
  onsets: readonly ScreenOnset[],
): FoundOnset {
  const spread = Math.max(errorMs, 500) / Z80 / 1000;
  const weighed = onsets
    .filter((onset) => Math.abs(onset.atMs - expectedMs) <= errorMs && onset.atMs <= latestMs)
    .map((onset) => {
      const distance = (onset.atMs - expectedMs) / 1000 / spread;
      const near = Math.exp(-0.5 * distance ** 2) / (spread * Math.sqrt(2 * Math.PI));
      return { onset, weight: (CAUSED * near) / onset.perS };
    })
    .toSorted((a, b) => a.onset.atMs - b.onset.atMs);
  let all = 1 - CAUSED;
  for (const { weight } of weighed) all += weight;
  let best: typeof weighed = [];
  let bestWeight = 0;
  for (const first of weighed) {
    const together = weighed.filter(
      ({ onset }) => onset.atMs >= first.onset.atMs && onset.atMs <= first.onset.atMs + TOGETHER_MS,
    );
    const weight = together.reduce((sum, each) => sum + each.weight, 0);
    if (weight <= bestWeight * 1.001) continue;
    best = together;
    bestWeight = weight;
  }
  if (bestWeight < SURE * all) return { onsetMs: Math.round(expectedMs), causes: [] };
  const strongest = Math.max(...best.map(({ weight }) => weight));
  const first = best.find(({ weight }) => weight >= strongest / 4)!;
  return { onsetMs: Math.round(first.onset.atMs), causes: best.map(({ onset }) => onset) };
}
