import type { SpikeKind } from "@hypecast/contracts/toxicity.ts";
import { measuredMedian, median, type Measured } from "./statistics.ts";

/** The rate of a moment is that of so many seconds around it. */
const SMOOTH_MS = 30_000;
export const WINDOW_MS = 10_000;
/** So long is looked for half of it: what lasts longer counts as that long. */
export const LONGEST_MS = 15 * 60_000;
/** What a measure took off is looked at after so long. */
const FELL_MS = 120_000;
/** A measure belongs to a spike from so long before its start (a spike is seen late) … */
const EARLY_MS = 10_000;
/** Fewer are too few to say, of spikes with the measure and of those that could be compared. */
export const LEAST_SPIKES = 5;
/** Spikes without a measure that each is compared with. */
const MATCHES = 3;
/** They are of its size within this factor, and of its time of day within so many hours. */
const SIZE_FACTOR = 2;
const HOURS = 3;

export const MEASURE_KINDS = [
  "slow",
  "followers",
  "subscribers",
  "shield",
  "timeouts",
  "bans",
  "deletions",
] as const;
export type MeasureKind = (typeof MEASURE_KINDS)[number];

export interface SpikeTime {
  readonly id: string;
  readonly kind: SpikeKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly usualPerMin: number;
}
export interface Act {
  readonly atMs: number;
  readonly measure: MeasureKind;
}
/** Toxic lines of ten seconds; null: it is not known. */
export type ToxicAt = (startMs: number) => number | null;

/** Toxic lines a minute around a moment; null where less than two thirds of the time is known. */
export function rateAt(toxicAt: ToxicAt, atMs: number): number | null {
  const first = Math.round((atMs - SMOOTH_MS / 2) / WINDOW_MS) * WINDOW_MS;
  let [sum, known] = [0, 0];
  for (let at = first; at < first + SMOOTH_MS; at += WINDOW_MS) {
    const toxic = toxicAt(at);
    if (toxic === null) continue;
    sum += toxic;
    known++;
  }
  return known < 2 ? null : (sum / known) * (60_000 / WINDOW_MS);
}

/** How a spike went on from a moment of it. */
export interface Course {
  /** Toxic lines a minute above the usual, at that moment. */
  readonly excess: number;
  /** Until half of it was gone. */
  readonly halfS: number;
  /** Which share of it was gone after two minutes; below 0: it grew. */
  readonly fell: number;
}

/** Null where it was no longer above the usual, or is not known. */
export function courseFrom(toxicAt: ToxicAt, usualPerMin: number, atMs: number): Course | null {
  const rate = rateAt(toxicAt, atMs);
  if (rate === null || rate <= usualPerMin) return null;
  const excess = rate - usualPerMin;
  let unknown = 0;
  let halfS = LONGEST_MS / 1000;
  for (let after = WINDOW_MS; after <= LONGEST_MS; after += WINDOW_MS) {
    const later = rateAt(toxicAt, atMs + after);
    if (later === null) {
      unknown++;
      // A gap may hide the half: then it is not known.
      if (unknown > 3) return null;
      continue;
    }
    if (later - usualPerMin <= excess / 2) {
      halfS = after / 1000;
      break;
    }
  }
  const later = rateAt(toxicAt, atMs + FELL_MS);
  if (later === null) return null;
  return { excess, halfS, fell: Math.max(-1, Math.min(1, 1 - (later - usualPerMin) / excess)) };
}

export interface MeasureEffect {
  readonly measure: MeasureKind;
  readonly withS: Measured;
  readonly withoutS: Measured;
  readonly fellWith: Measured;
  readonly fellWithout: Measured;
}

interface Pair {
  readonly taken: Course;
  /** Of spikes like it without a measure. */
  readonly others: readonly Course[];
}

/**
 * Spikes in which a measure was taken against like ones in which none was: each is followed from the moment of its first measure, the others from as long
 * after their own start (a landmark: what is compared has lasted as long). The same kind, size at that moment and time of day.
 */
export function compareMeasures(
  spikes: readonly SpikeTime[],
  acts: readonly Act[],
  toxicAt: (spike: SpikeTime) => ToxicAt,
): MeasureEffect[] {
  const sorted = acts.toSorted((a, b) => a.atMs - b.atMs);
  const within = spikes.map(({ startMs, endMs }) =>
    sorted.slice(firstAt(sorted, startMs - EARLY_MS), firstAt(sorted, endMs + 1)),
  );
  const found: MeasureEffect[] = [];
  for (const measure of MEASURE_KINDS) {
    const pairs: Pair[] = [];
    let taken = 0;
    for (const [i, spike] of spikes.entries()) {
      const first = within[i]!.find((act) => act.measure === measure);
      if (first === undefined) continue;
      taken++;
      const course = courseFrom(toxicAt(spike), spike.usualPerMin, first.atMs);
      if (course === null) continue;
      const afterMs = Math.max(0, first.atMs - spike.startMs);
      const others = spikes.flatMap((other, k) => {
        if (k === i || other.kind !== spike.kind || within[k]!.length > 0) return [];
        if (other.endMs < other.startMs + afterMs) return [];
        const hours = hoursApart(spike.startMs, other.startMs);
        if (hours > HOURS) return [];
        const like = courseFrom(toxicAt(other), other.usualPerMin, other.startMs + afterMs);
        if (like === null) return [];
        const size = Math.abs(Math.log(like.excess / course.excess));
        return size > Math.log(SIZE_FACTOR) ? [] : [{ like, apart: size + hours / HOURS }];
      });
      others.sort((a, b) => a.apart - b.apart);
      pairs.push({ taken: course, others: others.slice(0, MATCHES).map(({ like }) => like) });
    }
    if (taken === 0) continue;
    // Both sides speak of the same spikes: those that have a like.
    const matched = pairs.filter(({ others }) => others.length > 0);
    const side = (of: (pair: Pair) => number): Measured => measuredMedian(matched.map(of), LEAST_SPIKES);
    const alone = (of: (pair: Pair) => number): Measured => measuredMedian(pairs.map(of), LEAST_SPIKES);
    const isMatched = matched.length >= LEAST_SPIKES;
    found.push({
      measure,
      withS: isMatched ? side(({ taken: { halfS } }) => halfS) : alone(({ taken: { halfS } }) => halfS),
      withoutS: side(({ others }) => median(others.map(({ halfS }) => halfS).toSorted((a, b) => a - b))),
      fellWith: isMatched ? side(({ taken: { fell } }) => fell) : alone(({ taken: { fell } }) => fell),
      fellWithout: side(({ others }) => median(others.map(({ fell }) => fell).toSorted((a, b) => a - b))),
    });
  }
  return found;
}

/** Index of the first act that is not before a moment. */
function firstAt(sorted: readonly Act[], atMs: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.atMs < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hoursApart(a: number, b: number): number {
  const apart = Math.abs(((a - b) / 3_600_000) % 24);
  return Math.min(apart, 24 - apart);
}
