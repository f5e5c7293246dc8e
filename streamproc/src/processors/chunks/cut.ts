/** A chunk lasts at least this long; how long at most, and how long rather, depends on how much is written. */
export const SHORTEST_S = 30;
export const LONGEST_S = 60;
/** What the next chunk repeats of the one before. */
const OVERLAP_MOST_S = 15;
const OVERLAP_S = 12;
const OVERLAP_LEAST_S = 10;

/** Lines in a chunk's first 30 s from which on it is dense, and middling. */
const DENSE = 150;
const MIDDLING = 45;

/** Cutting inside of a burst is worse than at any place that is no burst. */
const IN_BURST = 2;
/** What 30 s away from the length that is wanted costs, in rates of the chunk's mean. */
const OFF_LENGTH = 0.4;
/** Keeps the ratio of rates sober where hardly anything is written. */
const LEAST_PER_S = 0.2;

export interface Length {
  readonly mostS: number;
  readonly wantedS: number;
}

/** A dense chat is cut into shorter chunks. `lines`: those of the chunk's first SHORTEST_S seconds. */
export function lengthFor(lines: number): Length {
  if (lines >= DENSE) return { mostS: 40, wantedS: 33 };
  if (lines >= MIDDLING) return { mostS: 50, wantedS: 40 };
  return { mostS: LONGEST_S, wantedS: LONGEST_S };
}

/** Lines a second around the boundary before second `at`. */
function levelAt(counts: readonly number[], at: number): number {
  let sum = 0;
  let seconds = 0;
  for (let s = Math.max(0, at - 2); s < Math.min(counts.length, at + 2); s++) {
    sum += counts[s]!;
    seconds++;
  }
  return seconds === 0 ? 0 : sum / seconds;
}

/** The place in [from, to] where the least is said, rather at `wanted` and rather not inside of a burst. The earliest of equals. */
function lull(
  counts: readonly number[],
  from: number,
  to: number,
  wanted: number,
  inBurst: (at: number) => boolean,
): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length) + LEAST_PER_S;
  let best = from;
  let bestCost = Infinity;
  for (let at = from; at <= to; at++) {
    const cost =
      levelAt(counts, at) / mean +
      (inBurst(at) ? IN_BURST : 0) +
      (OFF_LENGTH * Math.abs(at - wanted)) / SHORTEST_S;
    if (cost >= bestCost - 1e-9) continue;
    best = at;
    bestCost = cost;
  }
  return best;
}

/** Seconds from its start at which a chunk ends. `counts`: lines of each second from its start on, `mostS` of them. */
export const cutAt = (
  counts: readonly number[],
  { mostS, wantedS }: Length,
  inBurst: (at: number) => boolean,
): number => lull(counts, SHORTEST_S, mostS, wantedS, inBurst);

/** Where the next chunk begins, when this one ends at `cut`: some seconds before it, at a lull too. */
export const nextStart = (counts: readonly number[], cut: number, inBurst: (at: number) => boolean): number =>
  lull(counts, cut - OVERLAP_MOST_S, cut - OVERLAP_LEAST_S, cut - OVERLAP_S, inBurst);
