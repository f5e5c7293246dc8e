import { SIGNATURE_BYTES, unlikeness } from "../signals/signature.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** So many different scenes are remembered; of more, the one that was not seen for longest is forgotten. */
const BOUND = 24;
/** Scenes that are less unlike than this are the same one again. */
const SAME = 0.25;

/** What a channel has shown before, as mean signatures, the one seen last at the end. */
export class SeenScenes {
  #means: Uint8Array[] = [];

  /** 1 − likeness to the most similar scene before, 0–1; 1 when there is none. Remembers this one. */
  add(mean: Uint8Array): number {
    let novelty = 1;
    let nearest = -1;
    for (const [i, seen] of this.#means.entries()) {
      const distance = unlikeness(seen, mean);
      if (distance >= novelty) continue;
      novelty = distance;
      nearest = i;
    }
    if (nearest >= 0 && novelty < SAME) this.#means.splice(nearest, 1);
    this.#means.push(mean);
    if (this.#means.length > BOUND) this.#means.shift();
    return novelty;
  }

  save(out: ByteWriter): void {
    out.uint(this.#means.length);
    for (const mean of this.#means) out.raw(mean);
  }

  load(bytes: ByteReader): void {
    for (let left = bytes.uint(); left > 0; left--) {
      const mean = bytes.raw();
      if (mean.length === SIGNATURE_BYTES) this.#means.push(mean);
    }
  }
}
