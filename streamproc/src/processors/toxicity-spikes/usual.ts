import type { ByteReader, ByteWriter } from "../bytes.ts";

/** The past that a spike is measured against: so many minutes in which people wrote. */
const MINUTES = 60;
const WINDOWS_A_MINUTE = 6;
/** Heard minutes before anything is said about the usual. */
const LEARN_MINUTES = 2;
/** A spike is looked for in this many seconds. */
export const LOOK_S = 30;
/** Chance that a stretch of the usual reaches the bound. */
const BY_CHANCE = 1e-4;
/** At least so many lines in LOOK_S, whatever is usual … */
const FLOOR_LINES = 6;
/** … and this many times the usual. */
const FLOOR_TIMES = 2.5;
/** Spread beyond chance (variance = μ + α μ²): a guess that weighs as much as so many minutes, and its bounds. */
const ALPHA_GUESS = 0.25;
const ALPHA_GUESS_MINUTES = 5;
const ALPHA = { least: 0.05, most: 2 };
/** What is believed of a channel of which nothing is known, and how little that weighs: a toxic line a minute, one in a hundred. */
const PRIOR = { lines: 0.25, minutes: 0.25, scored: 25 };
/** While a spike lasts, a window enters as at most this many times the usual. */
const DAMPED_TIMES = 1.5;

/** What is usual in a channel. All but the bounds a minute. */
export interface Bounds {
  readonly perMin: number;
  /** 10th and 90th percentile of its minutes. */
  readonly lowPerMin: number;
  readonly highPerMin: number;
  /** Of the scored lines. */
  readonly share: number;
  /** Toxic lines in LOOK_S from which a spike begins, and below which it calms down. */
  readonly enter: number;
  readonly leave: number;
}

/** The channel's own minutes, those in which people wrote: a night without chat says nothing about what is usual in it. */
export class Usual {
  readonly #toxic = new Uint16Array(MINUTES);
  readonly #scored = new Uint16Array(MINUTES);
  #filled = 0;
  #at = 0;
  /** Of the minute that is being filled. */
  #windows = 0;
  #toxicNow = 0;
  #scoredNow = 0;
  #bounds: Bounds | null | undefined;

  /** A window of ten seconds that was heard and scored. */
  learn(toxic: number, scored: number, inSpike: boolean): void {
    const usual = this.bounds();
    const most =
      inSpike && usual !== null ? Math.max(1, (usual.perMin / WINDOWS_A_MINUTE) * DAMPED_TIMES) : Infinity;
    this.#toxicNow += Math.min(toxic, most);
    this.#scoredNow += scored;
    if (++this.#windows < WINDOWS_A_MINUTE) return;
    this.#toxic[this.#at] = Math.min(65_535, Math.round(this.#toxicNow));
    this.#scored[this.#at] = Math.min(65_535, this.#scoredNow);
    this.#at = (this.#at + 1) % MINUTES;
    this.#filled = Math.min(MINUTES, this.#filled + 1);
    this.#windows = this.#toxicNow = this.#scoredNow = 0;
    this.#bounds = undefined;
  }

  /** From now on this rate is the usual one. */
  adopt(perMin: number): void {
    this.#toxic.fill(Math.min(65_535, Math.round(perMin)), 0, this.#filled);
    this.#bounds = undefined;
  }

  /** Null while it is being learned. */
  bounds(): Bounds | null {
    if (this.#bounds === undefined)
      this.#bounds =
        this.#filled < LEARN_MINUTES
          ? null
          : boundsOf(this.#toxic.subarray(0, this.#filled), this.#scored.subarray(0, this.#filled));
    return this.#bounds;
  }

  save(out: ByteWriter): void {
    out.u8(this.#filled);
    out.u8(this.#at);
    for (let i = 0; i < this.#filled; i++) {
      out.uint(this.#toxic[i]!);
      out.uint(this.#scored[i]!);
    }
    out.u8(this.#windows);
    out.number(this.#toxicNow);
    out.uint(this.#scoredNow);
  }

  static load(bytes: ByteReader): Usual {
    const usual = new Usual();
    usual.#filled = bytes.u8();
    usual.#at = bytes.u8();
    for (let i = 0; i < usual.#filled; i++) {
      usual.#toxic[i] = bytes.uint();
      usual.#scored[i] = bytes.uint();
    }
    usual.#windows = bytes.u8();
    usual.#toxicNow = bytes.number();
    usual.#scoredNow = bytes.uint();
    return usual;
  }
}

/**
 * What is usual and from where on it is not, from toxic and scored lines by minute. The rate is a mean with the top tenth cut down, so
 * that one bad minute is no habit; the bound is a quantile of what such a channel does in LOOK_S: a negative binomial whose spread is
 * the minutes' own and, where little is known, that of not knowing (a gamma prior on the rate).
 */
export function boundsOf(toxic: ArrayLike<number>, scored: ArrayLike<number>): Bounds {
  const sorted = Array.from(toxic).toSorted((a, b) => a - b);
  const minutes = sorted.length;
  const at = (part: number): number => sorted[Math.min(minutes - 1, Math.floor(part * minutes))]!;
  const top = at(0.9);
  let sum = 0;
  let squares = 0;
  for (const lines of sorted) {
    const cut = Math.min(lines, top);
    sum += cut;
    squares += cut * cut;
  }
  const mean = sum / minutes;
  const own = mean > 0 ? (squares / minutes - mean * mean - mean) / (mean * mean) : 0;
  const alpha = Math.max(
    ALPHA.least,
    Math.min(
      ALPHA.most,
      (ALPHA_GUESS * ALPHA_GUESS_MINUTES + own * minutes) / (ALPHA_GUESS_MINUTES + minutes),
    ),
  );
  const expected = (((sum + PRIOR.lines) / (minutes + PRIOR.minutes)) * LOOK_S) / 60;
  const spread = alpha + 1 / (sum + PRIOR.lines);
  const enter = Math.max(
    FLOOR_LINES,
    Math.ceil(expected * FLOOR_TIMES),
    1 + quantile(expected, spread, 1 - BY_CHANCE),
  );
  const allScored = Array.from(scored).reduce((total, lines) => total + lines, 0);
  return {
    perMin: mean,
    lowPerMin: at(0.1),
    highPerMin: top,
    share: (sum + PRIOR.lines) / (allScored + PRIOR.scored),
    enter,
    // One spread above the usual, and well below where it began: a spike that wavers around its bound is one spike.
    leave: Math.max(2, Math.min(enter * 0.5, expected + Math.sqrt(expected + alpha * expected * expected))),
  };
}

/** The least n with P(N ≤ n) ≥ p of a negative binomial with this mean and variance μ + α μ². */
export function quantile(mean: number, alpha: number, p: number): number {
  const r = 1 / alpha;
  const more = mean / (r + mean);
  let chance = (r / (r + mean)) ** r;
  let sum = chance;
  let n = 0;
  for (; sum < p && n < 100_000; n++) {
    chance *= ((n + r) / (n + 1)) * more;
    sum += chance;
  }
  return n;
}

/** Whether so many of so many lines are more than the channel's usual share: else chat is only faster than usual. */
export function shareStandsOut(toxic: number, scored: number, usualShare: number): boolean {
  const expected = scored * usualShare;
  return toxic >= 1.5 * expected && toxic > expected + 3 * Math.sqrt(expected + 0.05 * expected * expected);
}
