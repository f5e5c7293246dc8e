import type { HypeValue } from "@hypecast/contracts/hype.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { KnownVideo } from "./known-video.ts";
import { rarity } from "./moment-score.ts";
import { ONSET_SENSES, type ScreenOnset } from "./onsets.ts";
import { Quantiles } from "./quantiles.ts";

/** What begins within this long is one thing. */
const TOGETHER_MS = 2500;
/** Cuts become known a little later than sound: a second is looked at when the next four are measured. */
const BEHIND_S = 4;
/** Measured seconds before it says anything. */
const LEARN_S = 900;
/** What stands out is above this share of the channel's own seconds, and at least this surprising. */
const SHARE = 0.999;
const LEAST = 0.9;
/** At most six an hour. */
const REST_MS = 10 * 60_000;
const METERS_BOUND = 16;

/**
 * Moments of a channel whose chat is too quiet to say: seconds in which sound and picture together are as surprising as one in a thousand
 * of its own.
 */
export class ScreenWatch {
  readonly #surprises = new Quantiles(0, 3, 0.02, 3600);
  /** The next second to look at; 0: none was measured. */
  #second = 0;
  #lastMs = 0;
  /** When chat became too quiet for the meter, and when it was no longer. */
  #meters: { atMs: number; quiet: boolean }[] = [];

  meter({ atMs, state }: HypeValue): void {
    const quiet = state === "too_sparse";
    if (this.#meters.at(-1)?.quiet === quiet) return;
    this.#meters.push({ atMs, quiet });
    if (this.#meters.length > METERS_BOUND) this.#meters.shift();
  }

  /** Looks at the seconds that are measured since; the one that stands out, or null. */
  next(known: KnownVideo, onsets: readonly ScreenOnset[], heardChat: boolean): { atMs: number } | null {
    const untilS = Math.floor(known.measuredUntilMs / 1000) - BEHIND_S;
    if (this.#second === 0 || untilS - this.#second > 120) this.#second = untilS;
    let peak: { atMs: number } | null = null;
    for (; this.#second < untilS; this.#second++) {
      const fromMs = this.#second * 1000;
      if (known.touchesHole(fromMs, fromMs + 1000) || known.touchesAd(fromMs - 2000, fromMs + 3000)) continue;
      const together = onsets.filter((onset) => onset.atMs >= fromMs && onset.atMs < fromMs + TOGETHER_MS);
      const first = together.find((onset) => onset.atMs < fromMs + 1000);
      // Counted in the second in which it begins.
      const surprise = first === undefined ? 0 : surpriseOf(together);
      const bound = Math.max(LEAST, this.#surprises.at(SHARE));
      const learned = this.#surprises.entries >= LEARN_S;
      this.#surprises.add(surprise);
      if (!learned || surprise < bound || fromMs < this.#lastMs + REST_MS) continue;
      if (!this.#quietAt(fromMs, heardChat)) continue;
      this.#lastMs = fromMs;
      peak ??= { atMs: Math.min(...together.map((onset) => onset.atMs)) };
    }
    return peak;
  }

  /** A channel without any chat is quiet too. */
  #quietAt(atMs: number, heardChat: boolean): boolean {
    if (!heardChat) return true;
    return this.#meters.findLast((meter) => meter.atMs <= atMs)?.quiet ?? false;
  }

  save(out: ByteWriter): void {
    this.#surprises.save(out);
    out.number(this.#second);
    out.number(this.#lastMs);
    out.uint(this.#meters.length);
    for (const { atMs, quiet } of this.#meters) {
      out.number(atMs);
      out.u8(quiet ? 1 : 0);
    }
  }
  load(bytes: ByteReader): void {
    this.#surprises.load(bytes);
    this.#second = bytes.number();
    this.#lastMs = bytes.number();
    for (let left = bytes.uint(); left > 0; left--)
      this.#meters.push({ atMs: bytes.number(), quiet: bytes.u8() === 1 });
  }
}

/** 0–3: each sense's rarest onset. */
function surpriseOf(onsets: readonly ScreenOnset[]): number {
  let sum = 0;
  for (const sense of ONSET_SENSES)
    sum += Math.max(0, ...onsets.map((onset) => (onset.sense === sense ? rarity(onset.perS) : 0)));
  return Math.min(2.99, sum);
}
