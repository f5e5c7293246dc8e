/** A text as it comes back from its bytes: half of a character, which a cut or a careless file leaves, is none. */
export const wellFormed = (text: string): string =>
  /[\ud800-\udfff]/.test(text) ? text.replaceAll(/\p{Surrogate}/gu, "\ufffd") : text;

/** Buffers that finished writers leave to the next: states are saved one after the other, many a second. */
const spare: Uint8Array[] = [];
const SPARE_BOUND = 4;
/** What grew beyond this is not kept. */
const SPARE_BYTES = 1 << 20;

/**
 * Little-endian writer for saved states: plain numbers and text, no tags; the reader must ask in the same order. Arrays are
 * copied as they lie in memory, which is little-endian wherever Node runs on servers.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;
  /** Words by their order of first use. */
  readonly #words = new Map<string, number>();

  constructor() {
    this.#bytes = spare.pop() ?? new Uint8Array(32_768);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #room(more: number): void {
    if (this.#at + more > this.#bytes.length) this.#grow(more);
  }
  #grow(more: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }
  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }
  f32(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }
  f64(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }
  /** A whole number from 0 to 2^53 − 1, seven bits a byte: most of what is counted is small. */
  uint(value: number): void {
    this.#room(8);
    const bytes = this.#bytes;
    let left = value;
    let at = this.#at;
    for (; left > 0x7fffffff; left = Math.floor(left / 128)) bytes[at++] = (left % 128) | 128;
    for (; left > 127; left >>>= 7) bytes[at++] = (left & 127) | 128;
    bytes[at++] = left;
    this.#at = at;
  }
  /** Any number: short for a whole one from 0, else a mark and all its bits. */
  number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 52 && !Object.is(value, -0))
      this.uint(value + 1);
    else {
      this.u8(0);
      this.f64(value);
    }
  }
  /** The first `count` values, without their number. */
  u32s(values: Uint32Array, count: number): void {
    this.#copy(new Uint8Array(values.buffer, values.byteOffset, count * 4));
  }
  f64s(values: Float64Array): void {
    this.#copy(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  text(value: string): void {
    const { length } = value;
    this.#room(8 + length);
    const start = this.#at;
    this.uint(length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.#at = start;
        return this.raw(encoder.encode(value));
      }
      bytes[at++] = code;
    }
    this.#at = at;
  }
  /** A text that comes several times in what is written: from its second time on only its number. */
  word(value: string): void {
    const known = this.#words.get(value);
    if (known !== undefined) return this.uint(known);
    this.uint(0);
    this.text(value);
    this.#words.set(value, this.#words.size + 1);
  }
  raw(value: Uint8Array): void {
    this.uint(value.length);
    this.#copy(value);
  }
  #copy(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }
  /** A copy of what was written; the writer must not be used again. */
  done(): Uint8Array {
    const written = this.#bytes.slice(0, this.#at);
    if (spare.length < SPARE_BOUND && this.#bytes.length <= SPARE_BYTES) spare.push(this.#bytes);
    return written;
  }
}

/** Reads what `ByteWriter` wrote; throws RangeError past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  readonly #words: string[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u8(): number {
    return this.#view.getUint8(this.#at++);
  }
  u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }
  f32(): number {
    const value = this.#view.getFloat32(this.#at, true);
    this.#at += 4;
    return value;
  }
  f64(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }
  uint(): number {
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 127) * weight;
      if (byte < 128) return value;
      weight *= 128;
    }
  }
  number(): number {
    const value = this.uint();
    return value === 0 ? this.f64() : value - 1;
  }
  u32s(count: number): Uint32Array {
    return new Uint32Array(this.#take(count * 4).buffer);
  }
  f64s(into: Float64Array): void {
    into.set(new Float64Array(this.#take(into.byteLength).buffer));
  }
  text(): string {
    return decoder.decode(this.raw());
  }
  word(): string {
    const known = this.uint();
    if (known > 0) return this.#words[known - 1]!;
    const value = this.text();
    this.#words.push(value);
    return value;
  }
  raw(): Uint8Array {
    return this.#take(this.uint());
  }
  #take(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#bytes.length) throw new RangeError("the saved state ends too early");
    const value = new Uint8Array(length);
    value.set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return value;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
