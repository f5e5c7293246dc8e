import type { ByteReader, ByteWriter } from "./bytes.ts";

/** The past that a burst is measured against: 60 bins of 5 heard seconds. */
export const BIN_S = 5;
export const BINS = 60;
/** Seconds that the scan looks back over. */
export const SCAN_S = 10;
/** Spread of the rate beyond chance (variance = μ + α μ²) is at least this: no chat is Poisson. */
const ALPHA_MIN = 0.05;
const ALPHA_MAX = 3;

export interface Baseline {
  /** Usual lines per second. */
  ratePerS: number;
  /** Overdispersion α of the counts: variance = μ + α μ². */
  alpha: number;
}

/**
 * The usual rate of a subject from its bins: median and MAD where the median says anything (≥ 4 a bin), else mean and
 * variance of the bins with the top tenth cut down to the ninth, since the median of few is 0. `sorted`: all BINS bins,
 * ascending; those that are not filled yet are 0 and stand first. `floorPerS` is the least rate.
 */
export function baselineOf(sorted: Uint16Array, filled: number, floorPerS: number): Baseline {
  const first = BINS - filled;
  const middle = first + (filled >> 1);
  const median = filled === 0 ? 0 : sorted[middle]!;
  let usual = median;
  let variance: number;
  if (median >= 4) variance = (1.4826 * deviationOf(sorted, first, middle)) ** 2;
  else {
    const top = filled === 0 ? 0 : sorted[first + Math.min(filled - 1, Math.floor(filled * 0.9))]!;
    let sum = 0;
    let squares = 0;
    for (let i = BINS - 1; i >= first && sorted[i] !== 0; i--) {
      const cut = Math.min(sorted[i]!, top);
      sum += cut;
      squares += cut * cut;
    }
    usual = filled === 0 ? 0 : sum / filled;
    variance = filled === 0 ? 0 : squares / filled - usual * usual;
  }
  const alpha = usual > 0 ? (variance - usual) / (usual * usual) : 0;
  return {
    ratePerS: Math.max(usual / BIN_S, floorPerS),
    alpha: Math.max(ALPHA_MIN, Math.min(ALPHA_MAX, alpha)),
  };
}

/** Median distance from the value in the middle: the nearest half lies around it. */
function deviationOf(sorted: Uint16Array, first: number, middle: number): number {
  const median = sorted[middle]!;
  let below = middle - 1;
  let above = middle;
  let distance = 0;
  for (let nearer = middle - first; nearer >= 0; nearer--) {
    const down = below >= first ? median - sorted[below]! : Infinity;
    const up = above < BINS ? sorted[above]! - median : Infinity;
    distance = Math.min(down, up);
    if (down < up) below--;
    else above++;
  }
  return distance;
}

/** Puts a value into the place of another and keeps the order. */
function replace(sorted: Uint16Array, was: number, is: number): void {
  let at = is > was ? sorted.lastIndexOf(was) : sorted.indexOf(was);
  for (; at + 1 < BINS && sorted[at + 1]! < is; at++) sorted[at] = sorted[at + 1]!;
  for (; at > 0 && sorted[at - 1]! > is; at--) sorted[at] = sorted[at - 1]!;
  sorted[at] = is;
}

export interface Scan {
  /** Signed root of the likelihood ratio, in standard deviations of the baseline. */
  z: number;
  /** Seconds of the stretch, ending now, that stands out most. */
  seconds: number;
  /** Lines in it. */
  count: number;
}

/**
 * The scan statistic (Kulldorff 1997, in time only): of all stretches of 1 … SCAN_S seconds that end now, the one whose
 * count is least likely at the usual rate. It gives the strength and the onset at once. `counts`: newest second first.
 */
export function scan(counts: ArrayLike<number>, baseline: Baseline): Scan {
  const best: Scan = { z: 0, seconds: 0, count: 0 };
  let count = 0;
  for (let seconds = 1; seconds <= counts.length; seconds++) {
    count += counts[seconds - 1]!;
    const usual = baseline.ratePerS * seconds;
    if (count <= usual) continue;
    const ratio = 2 * (count * Math.log(count / usual) - (count - usual));
    const z = Math.sqrt(ratio / (1 + baseline.alpha * usual));
    if (z <= best.z) continue;
    best.z = z;
    best.seconds = seconds;
    best.count = count;
  }
  return best;
}

/** What one subject (the whole chat, a mood, an emote) did: its last seconds and its bins. */
export class Track {
  /** Lines of the newest final seconds that had any: of second s at s mod SCAN_S, where `#at` says that it is s. */
  readonly #counts = new Uint16Array(SCAN_S);
  readonly #at = new Float64Array(SCAN_S);
  readonly bins = new Uint16Array(BINS);
  /** The bins in ascending order. */
  readonly #sorted = new Uint16Array(BINS);
  /** Of the bin that is being filled. */
  current = 0;
  #baseline: Baseline | null = null;

  /** Counts a final second. */
  count(second: number, lines: number): void {
    this.#counts[second % SCAN_S] = Math.min(65_535, lines);
    this.#at[second % SCAN_S] = second;
    this.current += lines;
  }

  /** Puts the final seconds into `counts`, newest first, from second `untilS` − 1 back; returns their sum. */
  recall(counts: Uint16Array, untilS: number): number {
    let sum = 0;
    for (let place = 0; place < SCAN_S; place++) {
      const ago = untilS - 1 - this.#at[place]!;
      if (ago >= SCAN_S || ago < 0) continue;
      sum += counts[ago] = this.#counts[place]!;
    }
    return sum;
  }

  /** Lines of a final second of the last SCAN_S. */
  in(second: number): number {
    const place = second % SCAN_S;
    return this.#at[place] === second ? this.#counts[place]! : 0;
  }

  baseline(filled: number, floorPerS: number): Baseline {
    this.#baseline ??= baselineOf(this.#sorted, filled, floorPerS);
    return this.#baseline;
  }

  /** Lines of the newest minute of bins; `at`: where the next bin goes. */
  lastMinute(at: number): number {
    let sum = this.current;
    for (let ago = 1; ago <= 60 / BIN_S; ago++) sum += this.bins[(at - ago + BINS) % BINS]!;
    return sum;
  }

  /** From now on this rate is the usual one: as if all `filled` bins had had it. */
  adopt(ratePerS: number, filled: number): void {
    const lines = Math.min(65_535, Math.round(ratePerS * BIN_S));
    this.bins.fill(lines, 0, filled);
    this.#sorted.fill(lines, BINS - filled);
    this.#baseline = null;
  }

  /** Closes the current bin into place `at`; while its own burst lasts, the subject's bins are damped to `atMost`. */
  closeBin(at: number, atMost: number): void {
    const lines = Math.min(65_535, Math.round(Math.min(this.current, atMost)));
    if (lines !== this.bins[at]) {
      replace(this.#sorted, this.bins[at]!, lines);
      this.bins[at] = lines;
    }
    this.current = 0;
    this.#baseline = null;
  }

  /** `untilS`: the first second that is not final. Seconds that the scan no longer looks at are left out. */
  save(out: ByteWriter, untilS: number): void {
    for (let place = 0; place < SCAN_S; place++) {
      const ago = untilS - this.#at[place]!;
      if (this.#counts[place] === 0 || ago > SCAN_S) continue;
      out.u8(ago);
      out.uint(this.#counts[place]!);
    }
    out.u8(0);
    // Most bins are 0: places and values of the others. The sorted ones say how many.
    const zeros = this.#sorted.lastIndexOf(0) + 1;
    out.u8(BINS - zeros);
    if (zeros < BINS)
      for (let at = 0; at < BINS; at++) {
        if (this.bins[at] === 0) continue;
        out.u8(at);
        out.uint(this.bins[at]!);
      }
    out.uint(this.current);
  }

  load(bytes: ByteReader, untilS: number): void {
    for (let ago = bytes.u8(); ago > 0; ago = bytes.u8()) {
      const place = (untilS - ago) % SCAN_S;
      this.#counts[place] = bytes.uint();
      this.#at[place] = untilS - ago;
    }
    for (let left = bytes.u8(); left > 0; left--) this.bins[bytes.u8()] = bytes.uint();
    this.#sorted.set(this.bins);
    this.#sorted.sort();
    this.current = bytes.uint();
  }
}
