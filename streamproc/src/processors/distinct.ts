import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Up to this many different keys are counted exactly; beyond it a HyperLogLog of 2^12 registers estimates (standard error 1.6 %). */
export const EXACT_BOUND = 2048;
const REGISTER_BITS = 12;
const REGISTERS = 1 << REGISTER_BITS;

/** Tables given back, empty, by the logarithm of their size: seconds come and go faster than the collector likes. */
const spare: Uint32Array[][] = [];
const SPARE_BOUND = 64;
const SMALLEST = 16;

/** An empty table. */
export function take(size: number): Uint32Array {
  return spare[Math.log2(size)]?.pop() ?? new Uint32Array(size);
}
/** Gives a table back. */
export function give(table: Uint32Array): void {
  const pool = (spare[Math.log2(table.length)] ??= []);
  if (pool.length >= SPARE_BOUND) return;
  table.fill(0);
  pool.push(table);
}

/** Of the set that is being saved. */
const dense = new Uint32Array(EXACT_BOUND);

/**
 * Counts different 32-bit keys in bounded memory. The count depends on the set of keys alone, never on their order or on how
 * sets were merged. HyperLogLog: Flajolet et al. 2007, with linear counting for its low range.
 */
export class Distinct {
  /** Open addressing, 0 is empty; null once estimated. */
  #keys: Uint32Array | null = take(SMALLEST);
  #size = 0;
  #registers: Uint8Array | null = null;

  add(key: number): void {
    const own = key >>> 0 || 1;
    if (this.#keys === null) return this.#register(own);
    if (!this.#insert(this.#keys, own)) return;
    this.#size++;
    if (this.#size > EXACT_BOUND) this.#estimate();
    else if (this.#size * 2 > this.#keys.length) this.#grow();
  }

  merge(other: Distinct): void {
    if (other.#registers !== null) {
      this.#estimate();
      const mine = this.#registers!;
      for (let i = 0; i < REGISTERS; i++) if (other.#registers[i]! > mine[i]!) mine[i] = other.#registers[i]!;
    } else if (other.#size > 0) {
      const keys = other.#keys!;
      for (let i = 0; i < keys.length; i++) if (keys[i] !== 0) this.add(keys[i]!);
    }
  }

  has(key: number): boolean {
    if (this.#keys === null) return false;
    const own = key >>> 0 || 1;
    const mask = this.#keys.length - 1;
    for (let at = mix(own) & mask; this.#keys[at] !== 0; at = (at + 1) & mask)
      if (this.#keys[at] === own) return true;
    return false;
  }

  get estimated(): boolean {
    return this.#registers !== null;
  }

  count(): number {
    if (this.#registers === null) return this.#size;
    let sum = 0;
    let zeros = 0;
    for (const register of this.#registers) {
      sum += 2 ** -register;
      if (register === 0) zeros++;
    }
    const alpha = 0.7213 / (1 + 1.079 / REGISTERS);
    const raw = (alpha * REGISTERS * REGISTERS) / sum;
    return Math.round(raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw);
  }

  /** Empty again, with the same room. */
  clear(): void {
    this.#registers = null;
    this.#size = 0;
    if (this.#keys === null) this.#keys = take(SMALLEST);
    else this.#keys.fill(0);
  }

  /** Gives the table back; the set must not be used again. */
  release(): void {
    if (this.#keys !== null) give(this.#keys);
    this.#keys = null;
  }

  save(out: ByteWriter): void {
    out.u8(this.#registers === null ? 0 : 1);
    if (this.#registers !== null) return out.raw(this.#registers);
    const keys = this.#keys!;
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (keys[i] !== 0) dense[found++] = keys[i]!;
    out.uint(found);
    out.u32s(dense, found);
  }

  static load(bytes: ByteReader): Distinct {
    const set = new Distinct();
    if (bytes.u8() === 1) {
      set.#keys = null;
      set.#registers = bytes.raw();
    } else for (const key of bytes.u32s(bytes.uint())) set.add(key);
    return set;
  }

  /** True when the key was new. */
  #insert(keys: Uint32Array, key: number): boolean {
    const mask = keys.length - 1;
    let at = mix(key) & mask;
    while (keys[at] !== 0) {
      if (keys[at] === key) return false;
      at = (at + 1) & mask;
    }
    keys[at] = key;
    return true;
  }

  #grow(): void {
    const old = this.#keys!;
    const keys = take(old.length * 2);
    for (let i = 0; i < old.length; i++) if (old[i] !== 0) this.#insert(keys, old[i]!);
    this.#keys = keys;
    give(old);
  }

  #estimate(): void {
    if (this.#registers !== null) return;
    this.#registers = new Uint8Array(REGISTERS);
    for (const key of this.#keys!) if (key !== 0) this.#register(key);
    this.#keys = null;
    this.#size = 0;
  }

  #register(key: number): void {
    const hash = mix(key);
    const at = hash >>> (32 - REGISTER_BITS);
    const rank = Math.clz32((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))) + 1;
    const registers = this.#registers!;
    if (rank > registers[at]!) registers[at] = rank;
  }
}

/** Murmur3's finalizer: every bit of the key reaches every bit of the result, one to one. */
export function mix(key: number): number {
  let hash = key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
