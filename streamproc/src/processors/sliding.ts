import type { ByteReader, ByteWriter } from "./bytes.ts";
import { mix } from "./distinct.ts";

/** At most this many keys are held; of more, every second one by its hash stands for two, and so on. */
const BOUND = 4096;

/** The table never grows beyond this; at most half of it is used. */
const LARGEST = 4 * BOUND;

/** Of the set that is being saved. */
const liveKeys = new Uint32Array(LARGEST / 2);
const liveAges = new Uint8Array(LARGEST / 2);

/**
 * Counts different keys over the last `ticks` ticks, or fewer, at a constant cost per line: each key is filed under the tick
 * that saw it last. Beyond BOUND keys it is adaptive sampling (Flajolet 1990): unbiased, standard error about 2 %.
 */
export class Sliding {
  readonly #ticks: number;
  /** Open addressing; 0 is empty. */
  #keys = new Uint32Array(64);
  #seen = new Uint32Array(64);
  #held = 0;
  /** Keys held whose newest tick is t, at t mod #ticks, and how thin the sample was then. */
  readonly #counts: Uint32Array;
  readonly #shifts: Uint8Array;
  #shift = 0;
  #now = 0;

  constructor(ticks: number) {
    this.#ticks = ticks;
    this.#counts = new Uint32Array(ticks);
    this.#shifts = new Uint8Array(ticks);
  }

  /** Moves on; ticks never go back. */
  at(tick: number): void {
    if (tick === this.#now) return;
    for (let t = Math.max(this.#now + 1, tick - this.#ticks + 1); t <= tick; t++)
      this.#counts[t % this.#ticks] = 0;
    this.#now = tick;
    let active = 0;
    for (const count of this.#counts) active += count;
    if (this.#shift > 0 && active < BOUND / 4) this.#shift--;
    this.#shifts[tick % this.#ticks] = this.#shift;
    if (this.#held > 64 && this.#held > active * 2) this.#rebuild(this.#keys.length);
  }

  /** The key is seen in the present tick. */
  add(key: number): void {
    const own = key >>> 0 || 1;
    const hash = mix(own);
    if (this.#shift > 0 && hash << (32 - this.#shift) !== 0) return;
    const mask = this.#keys.length - 1;
    let at = (hash >>> 8) & mask;
    while (this.#keys[at] !== 0) {
      if (this.#keys[at] === own) {
        const before = this.#seen[at]!;
        if (before === this.#now) return;
        if (before > this.#now - this.#ticks) this.#counts[before % this.#ticks]!--;
        this.#seen[at] = this.#now;
        this.#counts[this.#now % this.#ticks]!++;
        return;
      }
      at = (at + 1) & mask;
    }
    this.#keys[at] = own;
    this.#seen[at] = this.#now;
    this.#held++;
    this.#counts[this.#now % this.#ticks]!++;
    if (this.#held * 2 <= this.#keys.length) return;
    this.#rebuild(this.#keys.length);
    while (this.#held > BOUND) {
      this.#shift++;
      this.#rebuild(this.#keys.length);
    }
    if (this.#held * 4 > this.#keys.length) this.#rebuild(this.#keys.length * 2);
  }

  /** Different keys of the last `ticks` ticks, the present one included. */
  count(ticks: number): number {
    let sum = 0;
    for (let t = Math.max(0, this.#now - ticks + 1); t <= this.#now; t++)
      sum += this.#counts[t % this.#ticks]! * 2 ** this.#shifts[t % this.#ticks]!;
    return sum;
  }

  /** Leaves out what is too old or no longer in the sample, and counts anew. */
  #rebuild(size: number): void {
    const keys = this.#keys;
    const seen = this.#seen;
    this.#keys = new Uint32Array(size);
    this.#seen = new Uint32Array(size);
    this.#held = 0;
    this.#counts.fill(0);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (key === 0 || seen[i]! <= this.#now - this.#ticks) continue;
      if (this.#shift > 0 && mix(key) << (32 - this.#shift) !== 0) continue;
      this.#file(key, seen[i]!);
    }
    for (let t = 0; t < this.#ticks; t++) this.#shifts[t] = Math.max(this.#shifts[t]!, this.#shift);
  }

  #file(key: number, seen: number): void {
    const mask = this.#keys.length - 1;
    let at = (mix(key) >>> 8) & mask;
    while (this.#keys[at] !== 0) at = (at + 1) & mask;
    this.#keys[at] = key;
    this.#seen[at] = seen;
    this.#held++;
    this.#counts[seen % this.#ticks]!++;
  }

  save(out: ByteWriter): void {
    out.number(this.#now);
    out.u8(this.#shift);
    for (const shift of this.#shifts) out.u8(shift);
    const keys = this.#keys;
    const seen = this.#seen;
    const oldest = this.#now - this.#ticks;
    let live = 0;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0 || seen[i]! <= oldest) continue;
      liveKeys[live] = keys[i]!;
      liveAges[live++] = this.#now - seen[i]!;
    }
    out.uint(live);
    out.u32s(liveKeys, live);
    out.raw(liveAges.subarray(0, live));
  }

  load(bytes: ByteReader): void {
    this.#now = bytes.number();
    this.#shift = bytes.u8();
    for (let t = 0; t < this.#ticks; t++) this.#shifts[t] = bytes.u8();
    const live = bytes.uint();
    const size = Math.min(LARGEST, Math.max(64, 2 ** Math.ceil(Math.log2(live * 4 + 1))));
    this.#keys = new Uint32Array(size);
    this.#seen = new Uint32Array(size);
    const keys = bytes.u32s(live);
    const ages = bytes.raw();
    for (let i = 0; i < live; i++) this.#file(keys[i]!, this.#now - ages[i]!);
  }
}
