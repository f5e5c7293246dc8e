import { wilson } from "../mod-text.ts";

/** A figure with its 80 % interval; nulls: `n` is too few to say. */
export interface Measured {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
}

export const tooFew = (n: number): Measured => ({ value: null, low: null, high: null, n });

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** The middle of sorted values. */
export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median and its exact interval from order statistics: no form of the distribution is assumed (Conover 1999). Fewer than `least` are too few. */
export function measuredMedian(values: readonly number[], least: number): Measured {
  const { length: n } = values;
  if (n < least) return tooFew(n);
  const sorted = values.toSorted((a, b) => a - b);
  const below = quantileRank(n);
  return {
    value: rounded(median(sorted)),
    low: rounded(sorted[below]!),
    high: rounded(sorted[n - 1 - below]!),
    n,
  };
}

/** The largest k with P(fewer than k + 1 of n fall below the median) ≤ 10 %, counted from 0. */
function quantileRank(n: number): number {
  let probability = 0.5 ** n;
  let sum = 0;
  let k = 0;
  for (; k < n >> 1; k++) {
    sum += probability;
    if (sum > 0.1) break;
    probability *= (n - k) / (k + 1);
  }
  return Math.max(0, k - 1);
}

/** A share with Wilson's interval. */
export function measuredShare(k: number, n: number, least: number): Measured {
  if (n < least || n === 0) return tooFew(n);
  const { low, high } = wilson(k, n);
  return { value: rounded(k / n), low: rounded(low), high: rounded(high), n };
}
