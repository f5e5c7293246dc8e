/** Power spectra of real frames by a radix-2 transform (Cooley & Tukey 1965), in buffers of its own: one caller at a time. */
export class Spectrum {
  readonly size: number;
  readonly #window: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #reversed: Uint16Array;
  /** |X|² of bins 0 … size / 2 of the two frames, scaled so that a full-scale sine is 1. */
  readonly first: Float64Array;
  readonly second: Float64Array;

  constructor(size: number) {
    const bits = Math.log2(size);
    if (!Number.isInteger(bits)) throw new RangeError(`${size} is no power of two`);
    this.size = size;
    this.#window = Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size),
    );
    this.#re = new Float64Array(size);
    this.#im = new Float64Array(size);
    this.#cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.#sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.#reversed = Uint16Array.from({ length: size }, (_, i) => {
      let value = 0;
      for (let bit = 0; bit < bits; bit++) if ((i >> bit) & 1) value |= 1 << (bits - 1 - bit);
      return value;
    });
    this.first = new Float64Array(size / 2 + 1);
    this.second = new Float64Array(size / 2 + 1);
  }

  /** The spectra of `size` samples from `a` and from `b` on, in one transform: the second frame travels as the imaginary part. What lies outside of the samples counts as 0. */
  ofTwo(samples: Float32Array, a: number, b: number): void {
    const { size } = this;
    const re = this.#re;
    const im = this.#im;
    const inside = Math.min(a, b) >= 0 && Math.max(a, b) + size <= samples.length;
    for (let i = 0; i < size; i++) {
      const to = this.#reversed[i]!;
      const weight = this.#window[i]!;
      re[to] = weight * (inside ? samples[a + i]! : (samples[a + i] ?? 0));
      im[to] = weight * (inside ? samples[b + i]! : (samples[b + i] ?? 0));
    }
    for (let half = 1; half < size; half <<= 1) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0, turn = 0; k < half; k++, turn += stride) {
          const a = start + k;
          const b = a + half;
          const cos = this.#cos[turn]!;
          const sin = this.#sin[turn]!;
          const real = re[b]! * cos - im[b]! * sin;
          const imaginary = re[b]! * sin + im[b]! * cos;
          re[b] = re[a]! - real;
          im[b] = im[a]! - imaginary;
          re[a] = re[a]! + real;
          im[a] = im[a]! + imaginary;
        }
      }
    }
    // Of real frames the spectrum is symmetric, which takes the two apart again.
    const scale = 4 / (size * size);
    for (let i = 0; i <= size / 2; i++) {
      const mirror = i === 0 ? 0 : size - i;
      const evenRe = re[i]! + re[mirror]!;
      const evenIm = im[i]! - im[mirror]!;
      const oddRe = im[i]! + im[mirror]!;
      const oddIm = re[mirror]! - re[i]!;
      this.first[i] = (evenRe * evenRe + evenIm * evenIm) * scale;
      this.second[i] = (oddRe * oddRe + oddIm * oddIm) * scale;
    }
  }
}
