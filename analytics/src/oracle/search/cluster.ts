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
/** A silence of so long ends a cluster; where few speak, one of a few times their usual pause. */
const GAP_MS = 6000;
const LONGEST_GAP_MS = 15_000;
const PAUSES = 4;
/** The dense part begins where, over three seconds, there is this share of the densest three seconds. */
const DENSE_SHARE = 0.15;
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
  const inPeak = indexAt(best.atMs + WINDOW_MS) - indexAt(best.atMs);
  const gapMs = Math.min(LONGEST_GAP_MS, Math.max(GAP_MS, (PAUSES * WINDOW_MS) / Math.max(1, inPeak)));
  // Back from the peak as long as it stays dense: a stray line before it is not the beginning.
  let onsetMs = peak.atMs;
  for (let i = indexAt(peak.atMs) - 1; i >= 0; i--) {
    const { atMs } = votes[i]!;
    if (onsetMs - atMs > gapMs) break;
    if (weightIn(atMs, atMs + DENSE_MS) >= peak.weight * DENSE_SHARE) onsetMs = atMs;
  }
  let endMs = peak.atMs;
  for (let i = indexAt(peak.atMs); i < votes.length && votes[i]!.atMs - endMs <= gapMs; i++)
    endMs = votes[i]!.atMs;
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
