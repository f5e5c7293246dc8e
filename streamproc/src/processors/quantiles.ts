import type { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * The distribution of one figure in bounded memory that forgets slowly: a histogram of equal steps in which every entry
 * weighs half of one that comes `halfLife` entries later (forward decay, Cormode et al. 2009).
 */
export class Quantiles {
  readonly #bins: Float32Array;
  readonly #from: number;
  readonly #step: number;
  readonly #growth: number;
  #weight = 1;
  #total = 0;
  /** Nothing lies below this bin. */
  #lowest: number;
  entries = 0;

  constructor(from: number, until: number, step: number, halfLife: number) {
    this.#from = from;
    this.#step = step;
    this.#bins = new Float32Array(Math.ceil((until - from) / step));
    this.#lowest = this.#bins.length;
    this.#growth = 2 ** (1 / halfLife);
  }

  add(value: number): void {
    const place = this.#place(value);
    this.#bins[place]! += this.#weight;
    this.#lowest = Math.min(this.#lowest, place);
    this.#total += this.#weight;
    this.entries++;
    this.#weight *= this.#growth;
    if (this.#weight < 2 ** 40) return;
    for (let i = 0; i < this.#bins.length; i++) this.#bins[i]! /= this.#weight;
    this.#total /= this.#weight;
    this.#weight = 1;
  }

  /** The value below which this share of the weight lies, inside a bin in proportion. NaN while empty. */
  at(share: number): number {
    if (this.#total === 0) return NaN;
    let left = share * this.#total;
    let last = 0;
    for (let i = this.#lowest; i < this.#bins.length; i++) {
      const weight = this.#bins[i]!;
      if (weight === 0) continue;
      last = i;
      if (weight >= left) return this.#from + (i + left / weight) * this.#step;
      left -= weight;
    }
    return this.#from + (last + 1) * this.#step;
  }

  /** The share of the weight below a value. */
  below(value: number): number {
    if (this.#total === 0) return NaN;
    const place = this.#place(value);
    let sum = 0;
    for (let i = this.#lowest; i < place; i++) sum += this.#bins[i]!;
    const inside = (value - this.#from) / this.#step - place;
    return Math.min(1, (sum + this.#bins[place]! * Math.max(0, Math.min(1, inside))) / this.#total);
  }

  #place(value: number): number {
    return Math.max(0, Math.min(this.#bins.length - 1, Math.floor((value - this.#from) / this.#step)));
  }

  save(out: ByteWriter): void {
    out.f64(this.#weight);
    out.f64(this.#total);
    out.uint(this.entries);
    // Each bin that has something comes with its distance from the one before it; 0 ends them.
    let before = -1;
    for (let i = this.#lowest; i < this.#bins.length; i++) {
      if (this.#bins[i] === 0) continue;
      out.uint(i - before);
      out.f32(this.#bins[i]!);
      before = i;
    }
    out.uint(0);
  }

  load(bytes: ByteReader): void {
    this.#weight = bytes.f64();
    this.#total = bytes.f64();
    this.entries = bytes.uint();
    let at = -1;
    for (let step = bytes.uint(); step > 0; step = bytes.uint()) this.#bins[(at += step)] = bytes.f32();
    this.#lowest = this.#bins.findIndex((weight) => weight !== 0);
    if (this.#lowest < 0) this.#lowest = this.#bins.length;
  }
}
