import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Share of measured rates that should fall below and above the band. */
const MISS = 0.1;
/** How fast a side of the band learns. One truth a minute and horizon: at 0.04, twenty misses in a row double it. */
const BAND_STEP = 0.05;
const BAND_MIN = 0.15;
const BAND_MAX = 20;
/** A side is never narrower than this before it is stretched: in logs of messages per minute. */
const SIDE_MIN = 0.05;

/** Chances are corrected by what came ÷ what was expected, both decaying with this half-life, beside a prior of so many bursts. */
const CHANCE_HALF_LIFE_H = 3;
const CHANCE_PRIOR_BURSTS = 4;
const CHANCE_MAX = 6;
export const SPAN_S = 30;
const CHANCE_KEEP = 0.5 ** (SPAN_S / 3600 / CHANCE_HALF_LIFE_H);

/**
 * The band of one horizon, kept honest while it runs: each side is stretched by a factor that grows when the truth falls
 * outside and shrinks when it does not, so that in the long run each side is missed one time in ten, whatever the model
 * and however the channel changes (adaptive conformal inference: Gibbs & Candès 2021, arXiv:2106.00170; tracking of one
 * quantile a side: Angelopoulos, Candès & Tibshirani 2023, arXiv:2307.16895; scores scaled by the model's own quantiles:
 * Romano, Patterson & Candès 2019, arXiv:1905.03222).
 */
export class Band {
  below = 1;
  above = 1;
  measured = 0;
  inside = 0;

  /** The band around log quantiles. */
  around(q10: number, q50: number, q90: number): { low: number; high: number } {
    return {
      low: q50 - this.below * Math.max(q50 - q10, SIDE_MIN),
      high: q50 + this.above * Math.max(q90 - q50, SIDE_MIN),
    };
  }

  learn(low: number, high: number, came: number): void {
    this.measured++;
    if (came >= low && came <= high) this.inside++;
    this.below = stretched(this.below, came < low);
    this.above = stretched(this.above, came > high);
  }

  save(out: ByteWriter): void {
    for (const name of BAND_NUMBERS) out.f64(this[name]);
  }
  load(bytes: ByteReader): void {
    for (const name of BAND_NUMBERS) this[name] = bytes.f64();
  }
}
const BAND_NUMBERS = ["below", "above", "measured", "inside"] as const;

const stretched = (factor: number, missed: boolean): number =>
  Math.min(BAND_MAX, Math.max(BAND_MIN, factor * Math.exp(BAND_STEP * ((missed ? 1 : 0) - MISS))));

/** The model's chance, corrected to what this channel has shown: its odds times came ÷ expected. */
export class Chance {
  expected = 0;
  came = 0;
  spans = 0;

  get factor(): number {
    const ratio = (CHANCE_PRIOR_BURSTS + this.came) / (CHANCE_PRIOR_BURSTS + this.expected);
    return Math.min(CHANCE_MAX, Math.max(1 / CHANCE_MAX, ratio));
  }

  corrected(chance: number): number {
    const odds = (chance / Math.max(1e-9, 1 - chance)) * this.factor;
    return odds / (1 + odds);
  }

  /** The chance of any half minute here; null before the first is measured. */
  get usual(): number | null {
    return this.spans === 0 ? null : Math.min(1, (this.factor * this.expected) / this.spans);
  }

  /** `chance` as the model said it, before correction. */
  learn(chance: number, came: boolean): void {
    this.expected = CHANCE_KEEP * this.expected + chance;
    this.came = CHANCE_KEEP * this.came + (came ? 1 : 0);
    this.spans = CHANCE_KEEP * this.spans + 1;
  }

  save(out: ByteWriter): void {
    for (const name of CHANCE_NUMBERS) out.f64(this[name]);
  }
  load(bytes: ByteReader): void {
    for (const name of CHANCE_NUMBERS) this[name] = bytes.f64();
  }
}
const CHANCE_NUMBERS = ["expected", "came", "spans"] as const;
