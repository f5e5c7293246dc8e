import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { blockDifference, SIGNATURE_BYTES, unpack } from "../signals/signature.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { Quantiles } from "./quantiles.ts";

export const ONSET_SENSES = ["sound", "cut", "motion"] as const;

/** Something begins on screen: a crash, a cut, a sudden movement. Times are the stream's clock. */
export interface ScreenOnset {
  sense: (typeof ONSET_SENSES)[number];
  atMs: number;
  /** Robust z; 1 for a cut. */
  strength: number;
  /** How often this channel has one as strong, per second: what makes it evidence. */
  perS: number;
}

/** Robust z from which a rise of sound or motion is an onset. */
const ENTER_Z = 3;
const Z_MAX = 40;
/** What a channel usually does weighs half after an hour. */
const HALF_LIFE_S = 3600;
/** Before anything was seen: one onset in 20 s, believed as much as two minutes of stream. */
const PRIOR_S = 120;
const PRIOR_ONSETS = 6;
/** Weight of everything that an exponential memory holds, in seconds. */
const MEMORY_S = HALF_LIFE_S / Math.LN2;
/** Seconds of motion that say what is usual. */
const MOTION_S = 30;
/** Sound blocks kept to find where in its second a sound rose. */
const BLOCKS = 80;
const BLOCK_MS = 100;

/** How often strengths come. */
class Rarity {
  readonly strengths = new Quantiles(0, Z_MAX, 0.5, HALF_LIFE_S);
  /** A second's onset; 0: it has none. */
  add(strength: number): void {
    this.strengths.add(Math.min(Z_MAX - 0.1, strength));
  }
  perS(strength: number): number {
    const seen = Math.min(this.strengths.entries, MEMORY_S);
    const share = seen === 0 ? 0 : 1 - this.strengths.below(Math.min(Z_MAX - 0.1, strength));
    return (share * seen + PRIOR_ONSETS) / (seen + PRIOR_S);
  }
}

/** Hears and sees what begins in a channel's sound and picture, and how rare it is there. */
export class Onsets {
  readonly #sound = new Rarity();
  readonly #motion = new Rarity();
  #cuts = 0;
  #cutSeconds = 0;
  /** Loudness of the newest blocks, as time and LUFS. */
  #blocks: { atMs: number; loudness: number }[] = [];
  /** Motion of the newest whole seconds. */
  #usualMotion: number[] = [];
  /** The second that is being filled. */
  #second = 0;
  #sum = 0;
  #most = 0;
  #mostAtMs = 0;
  #frames = 0;
  #moving = false;

  /** A segment's own figures; says what begins to move. */
  measured(measured: VideoMeasured): ScreenOnset[] {
    const { picture, sound, startMs, ad } = measured;
    if (ad) return [];
    if (sound !== null)
      for (const [i, loudness] of sound.loudness.entries())
        this.#blocks.push({ atMs: startMs + i * BLOCK_MS, loudness });
    if (this.#blocks.length > BLOCKS) this.#blocks.splice(0, this.#blocks.length - BLOCKS);
    const found: ScreenOnset[] = [];
    if (picture === null) return found;
    const signatures = unpack(picture.signatures);
    const frames = Math.min(picture.atMs.length, Math.floor(signatures.length / SIGNATURE_BYTES));
    for (let i = 1; i < frames; i++) {
      const at = i * SIGNATURE_BYTES;
      const moved = blockDifference(
        signatures.subarray(at, at + SIGNATURE_BYTES),
        signatures.subarray(at - SIGNATURE_BYTES, at),
      );
      const onset = this.#frame(startMs + picture.atMs[i]!, moved);
      if (onset !== null) found.push(onset);
    }
    return found;
  }

  /** A frame's distance from the one before; closes a second when the next begins. */
  #frame(atMs: number, moved: number): ScreenOnset | null {
    const second = Math.floor(atMs / 1000);
    const onset = second === this.#second ? null : this.#closeSecond();
    this.#second = second;
    this.#sum += moved;
    this.#frames++;
    if (moved > this.#most) {
      this.#most = moved;
      this.#mostAtMs = atMs;
    }
    return onset;
  }

  #closeSecond(): ScreenOnset | null {
    // Without its greatest step, which may be a cut: cuts speak for themselves.
    const motion = this.#frames < 3 ? null : (this.#sum - this.#most) / (this.#frames - 1);
    const atMs = this.#mostAtMs;
    this.#sum = this.#most = this.#frames = 0;
    if (motion === null) return null;
    const z = aboveUsual(motion, this.#usualMotion);
    this.#usualMotion.push(motion);
    if (this.#usualMotion.length > MOTION_S) this.#usualMotion.shift();
    const begins = z >= ENTER_Z && !this.#moving;
    this.#moving = z >= ENTER_Z;
    this.#motion.add(begins ? z : 0);
    return begins ? { sense: "motion", atMs, strength: z, perS: this.#motion.perS(z) } : null;
  }

  /** A second of sound. */
  heard(audio: AudioWindow): ScreenOnset | null {
    if (audio.ad) return null;
    const strength = audio.onset >= ENTER_Z ? audio.onset : 0;
    this.#sound.add(strength);
    if (strength === 0) return null;
    return { sense: "sound", atMs: this.#roseAt(audio.startMs), strength, perS: this.#sound.perS(strength) };
  }

  /** Where in the second from `startMs` on the sound rose most against the three blocks before. */
  #roseAt(startMs: number): number {
    let best = -Infinity;
    let atMs = startMs;
    for (let i = 1; i < this.#blocks.length; i++) {
      const block = this.#blocks[i]!;
      if (block.atMs < startMs || block.atMs >= startMs + 1000) continue;
      let before = -Infinity;
      for (let ago = 1; ago <= 3; ago++) before = Math.max(before, this.#blocks[i - ago]?.loudness ?? -100);
      if (block.loudness - before <= best) continue;
      best = block.loudness - before;
      atMs = block.atMs;
    }
    return atMs;
  }

  /** A shot that has ended, or a part of one; `cutMs`: a cut that it makes known, or null. */
  shot(shot: VideoShot, cutMs: number | null): ScreenOnset | null {
    const seconds = Math.max(0, shot.endMs - shot.startMs) / 1000;
    const left = 2 ** (-seconds / HALF_LIFE_S);
    this.#cuts = this.#cuts * left + (cutMs === null ? 0 : 1);
    this.#cutSeconds = this.#cutSeconds * left + seconds;
    if (cutMs === null) return null;
    const perS = (this.#cuts + PRIOR_ONSETS) / (this.#cutSeconds + PRIOR_S);
    return { sense: "cut", atMs: cutMs, strength: 1, perS };
  }

  save(out: ByteWriter): void {
    this.#sound.strengths.save(out);
    this.#motion.strengths.save(out);
    for (const value of [this.#cuts, this.#cutSeconds, this.#second, this.#sum, this.#most, this.#mostAtMs])
      out.number(value);
    out.uint(this.#frames);
    out.u8(this.#moving ? 1 : 0);
    out.uint(this.#usualMotion.length);
    for (const motion of this.#usualMotion) out.number(motion);
    out.uint(this.#blocks.length);
    for (const { atMs, loudness } of this.#blocks) {
      out.number(atMs);
      out.number(loudness);
    }
  }

  load(bytes: ByteReader): void {
    this.#sound.strengths.load(bytes);
    this.#motion.strengths.load(bytes);
    this.#cuts = bytes.number();
    this.#cutSeconds = bytes.number();
    this.#second = bytes.number();
    this.#sum = bytes.number();
    this.#most = bytes.number();
    this.#mostAtMs = bytes.number();
    this.#frames = bytes.uint();
    this.#moving = bytes.u8() === 1;
    for (let left = bytes.uint(); left > 0; left--) this.#usualMotion.push(bytes.number());
    for (let left = bytes.uint(); left > 0; left--)
      this.#blocks.push({ atMs: bytes.number(), loudness: bytes.number() });
  }
}

/** Robust z against the values before; 0 while there are fewer than ten. */
function aboveUsual(value: number, before: readonly number[]): number {
  if (before.length < 10) return 0;
  const middle = before.length >> 1;
  const median = before.toSorted((a, b) => a - b)[middle]!;
  const deviation = before.map((each) => Math.abs(each - median)).toSorted((a, b) => a - b)[middle]!;
  // Compression makes still pictures flicker by about half a step: less is no motion.
  return (value - median) / Math.max(1.4826 * deviation, 0.15 * median, 0.5);
}
