/** Everything here is at this rate: the K-weighting filters are defined for it (ITU-R BS.1770-5, annex 1, tables 1 and 2). */
export const RATE = 48_000;
/** Digital silence. */
export const SILENCE_LUFS = -100;
export const BLOCK_SAMPLES = RATE / 10;

const SHELF = {
  b0: 1.53512485958697,
  b1: -2.69169618940638,
  b2: 1.19839281085285,
  a1: -1.69065929318241,
  a2: 0.73248077421585,
};
const HIGH_PASS = { a1: -1.99004745483398, a2: 0.99007225036621 };

/** Weights by the order in which decoders give channels: front left, front right, centre, low frequencies, surround left and right. */
const weightsOf = (channels: number): readonly number[] =>
  channels === 6
    ? [1, 1, 1, 0, 1.41, 1.41]
    : channels === 5
      ? [1, 1, 1, 1.41, 1.41]
      : Array.from({ length: channels }, () => 1);

export const lufsOf = (meanSquare: number): number =>
  meanSquare <= 1e-10 ? SILENCE_LUFS : -0.691 + 10 * Math.log10(meanSquare);
export const meanSquareOf = (lufs: number): number =>
  lufs <= SILENCE_LUFS ? 0 : 10 ** ((lufs + 0.691) / 10);

/** How a signal of `length` samples is cut into blocks of 100 ms: a rest of half a block or more is one too, a shorter one joins the last. */
export const blocksOf = (length: number): number =>
  length <= 0 ? 0 : Math.max(1, Math.round(length / BLOCK_SAMPLES));

/**
 * K-weighted loudness (LUFS) and highest sample (dBFS) of each block after the pre-roll, which only warms the filters.
 * `samples` are interleaved at 48 kHz; `preroll` counts samples of one channel.
 */
export function blockLoudness(
  samples: Float32Array,
  channels: number,
  preroll: number,
): { loudness: number[]; peak: number[] } {
  const length = Math.floor(samples.length / channels);
  const count = blocksOf(length - preroll);
  const sums = new Float64Array(count);
  const peaks = new Float64Array(count);
  const weights = weightsOf(channels);
  for (let channel = 0; channel < channels; channel++) {
    const filter = new KWeighting();
    if (preroll > 0) filter.run(samples, channel, channels, 0, preroll);
    for (let block = 0; block < count; block++) {
      const from = preroll + block * BLOCK_SAMPLES;
      const until = block === count - 1 ? length : from + BLOCK_SAMPLES;
      filter.run(samples, channel, channels, from, until);
      sums[block]! += (weights[channel]! * filter.squares) / (until - from);
      peaks[block] = Math.max(peaks[block]!, filter.peak);
    }
  }
  return {
    loudness: Array.from(sums, (sum) => round(lufsOf(sum))),
    peak: Array.from(peaks, (peak) =>
      round(peak <= 1e-5 ? SILENCE_LUFS : 20 * Math.log10(Math.min(peak, 8))),
    ),
  };
}

/** The shelf of a head and the high-pass, one channel's, in transposed direct form II. */
class KWeighting {
  #s1 = 0;
  #s2 = 0;
  #h1 = 0;
  #h2 = 0;
  /** Of the last run: sum of squares after the filters, and largest sample before them. */
  squares = 0;
  peak = 0;

  run(samples: Float32Array, channel: number, channels: number, from: number, until: number): void {
    const { b0, b1, b2, a1, a2 } = SHELF;
    const { a1: c1, a2: c2 } = HIGH_PASS;
    let s1 = this.#s1;
    let s2 = this.#s2;
    let h1 = this.#h1;
    let h2 = this.#h2;
    let squares = 0;
    let peak = 0;
    for (let at = from * channels + channel, end = until * channels; at < end; at += channels) {
      let sample = samples[at]!;
      let size = Math.abs(sample);
      // No sound: NaN, or a decoder gone wild.
      if (!(size <= 8)) sample = size = 0;
      if (size > peak) peak = size;
      const shelf = b0 * sample + s1;
      s1 = b1 * sample - a1 * shelf + s2;
      s2 = b2 * sample - a2 * shelf;
      const high = shelf + h1;
      h1 = h2 - 2 * shelf - c1 * high;
      h2 = shelf - c2 * high;
      squares += high * high;
    }
    // Numbers too small to be normal ones are slow, and silence is full of them.
    this.#s1 = Math.abs(s1) < 1e-30 ? 0 : s1;
    this.#s2 = Math.abs(s2) < 1e-30 ? 0 : s2;
    this.#h1 = Math.abs(h1) < 1e-30 ? 0 : h1;
    this.#h2 = Math.abs(h2) < 1e-30 ? 0 : h2;
    this.squares = squares;
    this.peak = peak;
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Bounds of the histogram of blocks of 400 ms: the absolute gate, and louder than full scale. */
const GATE_LUFS = -70;
const STEPS_PER_LU = 10;
const STEPS = 90 * STEPS_PER_LU;

/**
 * Gated loudness of a whole stream in bounded memory (BS.1770-5, annex 1): how many blocks of 400 ms were how loud, in steps of 0.1 LU, so
 * that both gates can be applied at any time. The steps stand for their blocks: the error is below 0.05 LU.
 */
export class Gated {
  readonly #counts = new Uint32Array(STEPS);

  /** Mean square of a block of 400 ms; a new one every 100 ms. */
  add(meanSquare: number): void {
    const lufs = lufsOf(meanSquare);
    if (lufs < GATE_LUFS) return;
    this.#counts[Math.min(STEPS - 1, Math.round((lufs - GATE_LUFS) * STEPS_PER_LU))]!++;
  }

  /** Null before anything was above the absolute gate. */
  integrated(): number | null {
    const ungated = this.#meanFrom(0);
    if (ungated === null) return null;
    const relative = lufsOf(ungated) - 10;
    const kept = this.#meanFrom(Math.max(0, Math.ceil((relative - GATE_LUFS) * STEPS_PER_LU)));
    return kept === null ? null : lufsOf(kept);
  }

  #meanFrom(step: number): number | null {
    let count = 0;
    let energy = 0;
    for (let i = step; i < STEPS; i++) {
      if (this.#counts[i] === 0) continue;
      count += this.#counts[i]!;
      energy += this.#counts[i]! * ENERGIES[i]!;
    }
    return count === 0 ? null : energy / count;
  }

  /** Steps that have something, and their counts. */
  entries(): [step: number, count: number][] {
    const found: [number, number][] = [];
    for (let i = 0; i < STEPS; i++) if (this.#counts[i]! > 0) found.push([i, this.#counts[i]!]);
    return found;
  }
  set(step: number, count: number): void {
    this.#counts[step] = count;
  }
}
const ENERGIES = Float64Array.from({ length: STEPS }, (_, i) => meanSquareOf(GATE_LUFS + i / STEPS_PER_LU));
