import { mix } from "../distinct.ts";

/** So many keys are kept; of more, every second, every fourth … by their hash. */
const BOUND = 256;

/** A set of keys of which a fair part is kept: as a value, since a case is saved as JSON. */
export interface Sample {
  /** Keys whose hash ends in so many zero bits. */
  level: number;
  keys: number[];
}

export const emptySample = (): Sample => ({ level: 0, keys: [] });

const isKept = (key: number, level: number): boolean => (mix(key) & ((1 << level) - 1)) === 0;

/** Distinct sampling (Gibbons 2001): the count depends on the keys alone, exact up to BOUND, then within about 6 %. True when the count has changed. */
export function addTo(sample: Sample, key: number): boolean {
  const own = key >>> 0;
  if (!isKept(own, sample.level) || sample.keys.includes(own)) return false;
  sample.keys.push(own);
  while (sample.keys.length > BOUND) {
    sample.level++;
    sample.keys = sample.keys.filter((kept) => isKept(kept, sample.level));
  }
  return true;
}

export function removeFrom(sample: Sample, key: number): void {
  const own = key >>> 0;
  sample.keys = sample.keys.filter((kept) => kept !== own);
}

export const countOf = ({ level, keys }: Sample): number => keys.length * 2 ** level;
