import type { ByteReader, ByteWriter } from "../bytes.ts";

/** A task that starts again says again what was on its way when it ended; that is never more than this a channel. */
const BOUND = 128;

/** Which packs' scores were folded already, by the pack's sequence, which the scores' id ends with. What is older than the oldest remembered was. */
export class SeenPacks {
  /** Ascending. */
  #sequences: number[] = [];

  /** False when they were folded before, or the id is none. */
  add(scoresId: string): boolean {
    const sequence = Number(scoresId.slice(scoresId.lastIndexOf(":") + 1));
    if (!Number.isSafeInteger(sequence) || sequence < 0) return false;
    const known = this.#sequences;
    let at = known.length;
    while (at > 0 && known[at - 1]! > sequence) at--;
    if (known[at - 1] === sequence || (at === 0 && known.length === BOUND)) return false;
    known.splice(at, 0, sequence);
    if (known.length > BOUND) known.shift();
    return true;
  }

  save(out: ByteWriter): void {
    out.uint(this.#sequences.length);
    let before = 0;
    for (const sequence of this.#sequences) {
      out.uint(sequence - before);
      before = sequence;
    }
  }

  static load(bytes: ByteReader): SeenPacks {
    const seen = new SeenPacks();
    let before = 0;
    for (let left = bytes.uint(); left > 0; left--) seen.#sequences.push((before += bytes.uint()));
    return seen;
  }
}
