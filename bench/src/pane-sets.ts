/** Sets with open addressing that are cleared and used again, so that a second of chat leaves no garbage. At most half full. */
const FIRST_SLOTS = 64;

/** Of whole numbers from 0 to 2^53 − 2. */
export class NumberSet {
  size = 0;
  /** The number + 1; 0: free. */
  #table = new Float64Array(FIRST_SLOTS);

  get slots(): number {
    return this.#table.length;
  }

  add(value: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    const key = value + 1;
    const hash = Math.imul(value | 0, 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (table[slot] !== 0) {
      if (table[slot] === key) return;
      slot = (slot + 1) & mask;
    }
    table[slot] = key;
    this.size++;
    if (this.size * 2 > table.length) this.#grow();
  }

  values(): number[] {
    return [...this.#table].filter((key) => key !== 0).map((key) => key - 1);
  }

  clear(): void {
    this.#table.fill(0);
    this.size = 0;
  }

  #grow(): void {
    const values = this.values();
    this.#table = new Float64Array(this.#table.length * 2);
    this.size = 0;
    for (const value of values) this.add(value);
  }
}

/** Of byte sequences, exact: the hash only finds the slot. Keeps its own copies, numbered in the order they came. */
export class ByteSet {
  size = 0;
  /** The sequence's number + 1; 0: free. */
  #table = new Int32Array(FIRST_SLOTS);
  #hashes = new Int32Array(FIRST_SLOTS);
  /** Sequence n is `bytes` from `ends[n]` to `ends[n + 1]`. */
  #ends = new Int32Array(FIRST_SLOTS + 1);
  #bytes = Buffer.alloc(1024);

  get slots(): number {
    return this.#table.length;
  }

  /** The number of the sequence `bytes` from `from` to `to`, which is a new one if there was none like it. */
  add(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (let n = table[slot]!; n !== 0; n = table[slot]!) {
      if (this.#hashes[n - 1] === hash && this.#isAt(n - 1, bytes, from, to)) return n - 1;
      slot = (slot + 1) & mask;
    }
    const number = this.size++;
    table[slot] = this.size;
    this.#hashes[number] = hash;
    this.#copy(number, bytes, from, to);
    if (this.size * 2 > table.length) this.#grow();
    return number;
  }

  /** In the order of their numbers, as Latin-1. */
  values(): string[] {
    const values: string[] = [];
    for (let n = 0; n < this.size; n++)
      values.push(this.#bytes.toString("latin1", this.#ends[n], this.#ends[n + 1]));
    return values;
  }

  clear(): void {
    this.#table.fill(0);
    this.size = 0;
  }

  #isAt(number: number, bytes: Uint8Array, from: number, to: number): boolean {
    let at = this.#ends[number]!;
    if (this.#ends[number + 1]! - at !== to - from) return false;
    const own = this.#bytes;
    for (let i = from; i < to; i++) if (own[at++] !== bytes[i]) return false;
    return true;
  }

  #copy(number: number, bytes: Uint8Array, from: number, to: number): void {
    let at = this.#ends[number]!;
    const end = at + to - from;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], end * 2);
    const own = this.#bytes;
    for (let i = from; i < to; i++) own[at++] = bytes[i]!;
    this.#ends[number + 1] = end;
  }

  #grow(): void {
    const slots = this.#table.length * 2;
    const table = (this.#table = new Int32Array(slots));
    const hashes = (this.#hashes = extended(this.#hashes, slots));
    this.#ends = extended(this.#ends, slots + 1);
    for (let n = 0; n < this.size; n++) {
      const hash = hashes[n]!;
      let slot = (hash ^ (hash >>> 16)) & (slots - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (slots - 1);
      table[slot] = n + 1;
    }
  }
}

function extended(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(array);
  return longer;
}
