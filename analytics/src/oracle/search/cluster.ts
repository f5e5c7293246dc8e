/** One line's weight of evidence: how much of the question it says, squared, so that half an answer counts a quarter. */
export interface Vote {
  readonly atMs: number;
  readonly userId: string;
  readonly key: string;
  readonly weight: number;
}

/** A stretch in which chat speaks of it. */
export interface Cluster {
  /** Where the dense part begins: chat's onset. */
  readonly onsetMs: number;
  readonly peakMs: number;
  readonly endMs: number;
  /** Sum of weights in the densest `WINDOW_MS`: each person once, copies of a text less. */
  readonly support: number;
}

/** What belongs together: a reaction's bulk. */
const WINDOW_MS = 12_000;
/** Chat goes on speaking of it while it does so at this share of the rate at its densest; each pause costs as much as it is long. */
const GOES_ON_SHARE = 0.25;
/** A stretch is never followed further than this from its peak. */
const LONGEST_MS = 40_000;
const DENSE_MS = 3000;
/** Two answers in one stretch are at least so far apart. */
const APART_MS = 30_000;
const LEAST = 0.02;

/** The stretches of a span, strongest first, at most `most`. `votes` in order of time. */
export function clustersOf(votes: readonly Vote[], most: number): Cluster[] {
  let left = votes.filter(({ weight }) => weight >= LEAST);
  const clusters: Cluster[] = [];
  while (left.length > 0 && clusters.length < most) {
    const cluster = strongest(left);
    clusters.push(cluster);
    left = left.filter(
      ({ atMs }) => atMs < cluster.onsetMs - APART_MS || atMs > cluster.endMs + APART_MS / 2,
    );
  }
  return clusters;
}

function strongest(votes: readonly Vote[]): Cluster {
  const sums = new Float64Array(votes.length + 1);
  for (const [i, { weight }] of votes.entries()) sums[i + 1] = sums[i]! + weight;
  /** Index of the first vote at or after a time. */
  const indexAt = (atMs: number): number => {
    let low = 0;
    let high = votes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (votes[middle]!.atMs < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const weightIn = (fromMs: number, toMs: number): number => sums[indexAt(toMs)]! - sums[indexAt(fromMs)]!;

  let best = { atMs: votes[0]!.atMs, support: -1 };
  for (const [from, { atMs }] of votes.entries()) {
    // What repeats only takes away: a stretch that weighs less than the best one need not be looked into.
    if (weightIn(atMs, atMs + WINDOW_MS) <= best.support) continue;
    const support = supportOf(votes.slice(from, indexAt(atMs + WINDOW_MS)));
    if (support > best.support + 1e-9) best = { atMs, support };
  }
  let peak = { atMs: best.atMs, weight: -1 };
  for (let i = indexAt(best.atMs); i < votes.length && votes[i]!.atMs < best.atMs + WINDOW_MS; i++) {
    const { atMs } = votes[i]!;
    const weight = weightIn(atMs, atMs + DENSE_MS);
    if (weight > peak.weight + 1e-9) peak = { atMs, weight };
  }
  // The stretch that, less what its pauses cost, weighs most: a stray line before a reaction is not its beginning, among few who speak with pauses it may be.
  const costPerMs = (GOES_ON_SHARE * weightIn(best.atMs, best.atMs + WINDOW_MS)) / WINDOW_MS;
  const reach = (step: -1 | 1): number => {
    let edgeMs = peak.atMs;
    let atMs = peak.atMs;
    let gain = 0;
    let most = 0;
    for (
      let i = step < 0 ? indexAt(peak.atMs) - 1 : indexAt(peak.atMs);
      i >= 0 && i < votes.length;
      i += step
    ) {
      const vote = votes[i]!;
      if (Math.abs(vote.atMs - peak.atMs) > LONGEST_MS) break;
      gain += vote.weight - costPerMs * Math.abs(vote.atMs - atMs);
      atMs = vote.atMs;
      if (gain >= most) {
        most = gain;
        edgeMs = vote.atMs;
      }
    }
    return edgeMs;
  };
  const onsetMs = reach(-1);
  const endMs = reach(1);
  return { onsetMs, peakMs: peak.atMs, endMs, support: best.support };
}

/** The n-th copy of a text counts 1/n of it, and a person's best line alone counts. */
function supportOf(votes: readonly Vote[]): number {
  const byUser = new Map<string, Vote>();
  for (const vote of votes)
    if (vote.weight > (byUser.get(vote.userId)?.weight ?? 0)) byUser.set(vote.userId, vote);
  const copies = new Map<string, number>();
  let sum = 0;
  for (const { key, weight } of byUser.values()) {
    const nth = (copies.get(key) ?? 0) + 1;
    copies.set(key, nth);
    sum += weight / Math.sqrt(nth);
  }
  return sum;
}
