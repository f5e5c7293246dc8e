import type { ByteReader, ByteWriter } from "../bytes.ts";

/** Seconds that are remembered. */
const KEPT_S = 64;

/** Lines by second, of the last KEPT_S seconds that had any. */
export class CountedSeconds {
  readonly #lines = new Uint32Array(KEPT_S);
  readonly #at = new Float64Array(KEPT_S);

  add(second: number, lines: number): void {
    const place = second % KEPT_S;
    if (this.#at[place]! > second) return; // forgotten already
    if (this.#at[place] !== second) {
      this.#at[place] = second;
      this.#lines[place] = 0;
    }
    this.#lines[place]! += lines;
  }

  /** Lines of the seconds untilS − seconds … untilS − 1. */
  sum(untilS: number, seconds: number): number {
    let sum = 0;
    for (let place = 0; place < KEPT_S; place++) {
      const ago = untilS - this.#at[place]!;
      if (ago > 0 && ago <= seconds) sum += this.#lines[place]!;
    }
    return sum;
  }

  save(out: ByteWriter): void {
    const filled = this.#at.findLastIndex((second) => second > 0) + 1;
    out.u8(filled);
    for (let place = 0; place < filled; place++) {
      out.number(this.#at[place]!);
      out.uint(this.#lines[place]!);
    }
  }

  static load(bytes: ByteReader): CountedSeconds {
    const counted = new CountedSeconds();
    const filled = bytes.u8();
    for (let place = 0; place < filled; place++) {
      counted.#at[place] = bytes.number();
      counted.#lines[place] = bytes.uint();
    }
    return counted;
  }
}
