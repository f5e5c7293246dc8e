import { AT_BLOCKS, AT_CONTRAST, blockDifference, BLOCKS, unlikeness } from "../signals/signature.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** A frame waits this long for what follows it, before it is settled whether a shot begins with it. */
export const LOOK_AHEAD_MS = 600;
/** Frames before it that it is compared with are kept this long. */
const LOOK_BACK_MS = 600;
/** Half of the span over which a slow change is looked for. */
const HALF_SPAN_MS = 250;
/** How far from its middle a fade is over. */
const OUTER_SPAN_MS = 500;
const NEVER = -1;
/** A model's chance (0–255) from here on is more than a half. */
const LIKELY = 128;
const CUTS = ["hard", "fade"] as const;
/** No shot is shorter. */
const SHORTEST_MS = 300;
/** Steps in the neighbourhood that a cut has to stand out from. */
const NEAR_MS = 400;

const TUNING = {
  /** A hard cut is a step of at least `base` + `times` × the largest step near it. */
  hardBase: 0.12,
  hardTimes: 1.4,
  /** And what comes after stays unlike what was before, by this share of the step: a flash passes. */
  stays: 0.5,
  /** A slow change over the span is at least this, and this many times what goes on before and after it. */
  fadeBase: 0.5,
  fadeTimes: 1.6,
  /** And the blocks' luma changes by this much, 0–255. */
  fadeBlocks: 5,
  /** And no single step makes this share of it. */
  fadeStep: 0.6,
  /** And its middle is a mixture of its ends: what is left is at most this share of their difference. */
  mixture: 0.35,
  /** Or, through black or white, its contrast is at most this share of theirs. */
  flat: 0.35,
  /** And next to it at most this one. */
  fading: 0.75,
  /** And what comes after is unlike what was before by this much: a blink is none. */
  blinkBase: 0.2,
  /** Either way half of the picture changes by so much luma at least: a panel that appears over it is no cut. */
  blockChange: 2,
};

/** One frame with how it differs from the one before it. */
export interface Frame {
  readonly atMs: number;
  readonly signature: Uint8Array;
  /** Unlikeness to the frame before it; 0 for the first. */
  readonly step: number;
  /** A model's chance that it is the last before a cut, 0–255; 0 below a half, and without a model. */
  readonly chance: number;
}
export type Cut = "hard" | "fade";
/** Told of each frame once, in order: whether a shot begins with it. */
export type Settle = (frame: Frame, cut: Cut | null) => void;

/**
 * Finds the cuts of one unbroken run of frames as it comes. A hard cut is one step between two frames that is large, stands out from
 * the steps near it and lasts; a fade is a change over half a second in small steps, from one calm to another, through a mixture
 * of both or through one colour. Where a model sees a cut that these do not see within SHORTEST_MS, its cut is one too.
 */
export class CutFinder {
  /** Oldest first; those before `#settled` are only there to be compared with. */
  #frames: Frame[] = [];
  #settled = 0;
  /** Of those before it is known whether we see a cut. More than `#settled` only while a model's cut waits for whether one of ours is near. */
  #judged = 0;
  #lastCutMs = NEVER;
  /** What we see there; null where the run begins. */
  #lastCut: Cut | null = null;

  /** `atMs` must grow. `chance`: a model's, 0–255, that the frame is the last before a cut; 0 without one. */
  push(atMs: number, signature: Uint8Array, chance: number, settle: Settle): void {
    this.#frames.push(frameAfter(this.#frames.at(-1)?.signature, atMs, signature, chance));
    this.#goOn(atMs - LOOK_AHEAD_MS, settle);
  }

  /** No run has begun. */
  get empty(): boolean {
    return this.#frames.length === 0;
  }

  /** A model has a say in what is not settled yet: then there is more to save. */
  get asked(): boolean {
    return this.#frames.some(({ chance }) => chance > 0);
  }

  /** The run ends here: all that waits is settled with what there is. */
  end(settle: Settle): void {
    this.#goOn(Infinity, settle);
    this.#frames = [];
    this.#settled = 0;
    this.#judged = 0;
    this.#lastCutMs = NEVER;
    this.#lastCut = null;
  }

  /** Frames up to `untilMs` have what follows them. */
  #goOn(untilMs: number, settle: Settle): void {
    for (;;) {
      const frame = this.#frames[this.#settled];
      if (frame === undefined) return;
      const next = this.#frames[this.#judged];
      const canJudge = next !== undefined && next.atMs <= untilMs;
      if (this.#judged === this.#settled) {
        if (!canJudge) return;
        this.#judge();
      }
      let cut = frame.atMs === this.#lastCutMs ? this.#lastCut : null;
      if (this.#isLikely(this.#settled) && !this.#isNearOurs(frame)) {
        const later = this.#frames[this.#judged];
        if (later !== undefined && later.atMs < frame.atMs + SHORTEST_MS) {
          if (later.atMs > untilMs) return;
          this.#judge();
          continue;
        }
        cut = frame.step < TUNING.hardBase ? "fade" : "hard";
      }
      this.#settled++;
      settle(frame, cut);
      this.#forget(frame.atMs - LOOK_BACK_MS);
    }
  }

  #judge(): void {
    const at = this.#judged++;
    const { atMs } = this.#frames[at]!;
    const cut = atMs - this.#lastCutMs < SHORTEST_MS ? null : this.#cutAt(at);
    // A run begins with a shot.
    if (cut === null && this.#lastCutMs !== NEVER) return;
    this.#lastCutMs = atMs;
    this.#lastCut = cut;
  }

  #forget(beforeMs: number): void {
    let old = 0;
    while (old < this.#settled && this.#frames[old]!.atMs < beforeMs) old++;
    if (old === 0) return;
    this.#frames.splice(0, old);
    this.#settled -= old;
    this.#judged -= old;
  }

  #isNearOurs({ atMs }: Frame): boolean {
    return Math.abs(atMs - this.#lastCutMs) < SHORTEST_MS;
  }

  /** By the model a shot begins here, and of those that it sees within SHORTEST_MS this is the likeliest. */
  #isLikely(at: number): boolean {
    const frames = this.#frames;
    const { atMs } = frames[at]!;
    const chanceAt = (i: number): number => frames[i - 1]?.chance ?? 0;
    const chance = chanceAt(at);
    if (chance === 0) return false;
    for (let i = at - 1; i > 0 && frames[i]!.atMs > atMs - SHORTEST_MS; i--)
      if (chanceAt(i) >= chance) return false;
    for (let i = at + 1; i < frames.length && frames[i]!.atMs < atMs + SHORTEST_MS; i++)
      if (chanceAt(i) > chance) return false;
    return true;
  }

  #cutAt(at: number): Cut | null {
    if (at === 0) return null;
    if (this.#isHard(at)) return "hard";
    return this.#isFade(at) ? "fade" : null;
  }

  #isHard(at: number): boolean {
    const frames = this.#frames;
    const { step, atMs } = frames[at]!;
    if (step < TUNING.hardBase) return false;
    let near = 0;
    for (let i = at - 1; i > 0 && frames[i]!.atMs > atMs - NEAR_MS; i--)
      near = Math.max(near, frames[i]!.step);
    for (let i = at + 1; i < frames.length && frames[i]!.atMs < atMs + NEAR_MS; i++)
      near = Math.max(near, frames[i]!.step);
    if (step < TUNING.hardBase + TUNING.hardTimes * near) return false;
    if (!isEverywhere(frames[at - 1]!.signature, frames[at]!.signature)) return false;
    return this.#lasts(at, TUNING.stays * step);
  }

  /** Nothing from before comes back within the look-ahead. */
  #lasts(at: number, least: number): boolean {
    const frames = this.#frames;
    const { atMs } = frames[at]!;
    const last = frames.length - 1;
    for (const later of [at + ((last - at) >> 1), last])
      for (const before of [at - 1, this.#first(atMs - 200), this.#first(atMs - 450)])
        if (before < at && unlikeness(frames[before]!.signature, frames[later]!.signature) < least)
          return false;
    return true;
  }

  #isFade(at: number): boolean {
    const frames = this.#frames;
    const { atMs } = frames[at]!;
    const early = this.#first(atMs - OUTER_SPAN_MS);
    const late = Math.min(this.#first(atMs + OUTER_SPAN_MS), frames.length - 1);
    if (this.#isFlatMiddle(early, at, late)) return this.#change(early, late) >= TUNING.blinkBase;
    const from = this.#first(atMs - HALF_SPAN_MS);
    const to = this.#first(atMs + HALF_SPAN_MS);
    if (from >= at || to > late) return false;
    // The cheap questions first: where hardly any block has changed, nothing has faded.
    const [fromSignature, toSignature] = [frames[from]!.signature, frames[to]!.signature];
    if (blockDifference(fromSignature, toSignature) < TUNING.fadeBlocks) return false;
    if (!isEverywhere(fromSignature, toSignature)) return false;
    const change = this.#change(from, to);
    if (change < TUNING.fadeBase) return false;
    for (let i = from + 1; i <= to; i++) if (frames[i]!.step > TUNING.fadeStep * change) return false;
    // Its middle: from here on the frame is more like what comes than like what was.
    if (this.#change(from, at) < this.#change(at, to)) return false;
    if (this.#change(from, at - 1) >= this.#change(at - 1, to)) return false;
    const calm = change / TUNING.fadeTimes;
    if (this.#change(early, from) > calm || this.#change(to, late) > calm) return false;
    if (this.#change(early, late) < TUNING.stays * change) return false;
    return mixes(fromSignature, frames[at]!.signature, toSignature);
  }

  /** In the middle of a run of frames without contrast, between two that have some: a fade through black or white. */
  #isFlatMiddle(early: number, at: number, late: number): boolean {
    const frames = this.#frames;
    const contrast = (i: number): number => frames[i]!.signature[AT_CONTRAST]!;
    const flat = TUNING.flat * Math.min(contrast(early), contrast(late));
    if (contrast(at) > flat) return false;
    let first = at;
    while (first > early && contrast(first - 1) <= flat) first--;
    let last = at;
    while (last < late && contrast(last + 1) <= flat) last++;
    if (first === early || last === late || at !== (first + last) >> 1) return false;
    // A flash begins at once; a fade has lost some of its contrast already.
    return (
      contrast(first - 1) <= TUNING.fading * contrast(early) &&
      contrast(last + 1) <= TUNING.fading * contrast(late)
    );
  }

  #change(from: number, to: number): number {
    return unlikeness(this.#frames[from]!.signature, this.#frames[to]!.signature);
  }

  save(out: ByteWriter): void {
    out.uint(this.#settled);
    out.number(this.#lastCutMs);
    out.uint(this.#frames.length);
    this.#frames.forEach((frame, i) => {
      out.number(frame.atMs);
      out.raw(frame.signature);
      // The others' follow from the frames before them.
      if (i === 0) out.number(frame.step);
    });
  }

  load(bytes: ByteReader): void {
    this.#settled = bytes.uint();
    this.#judged = this.#settled;
    this.#lastCutMs = bytes.number();
    const count = bytes.uint();
    for (let i = 0; i < count; i++) {
      const atMs = bytes.number();
      const signature = bytes.raw();
      const frame = frameAfter(this.#frames.at(-1)?.signature, atMs, signature, 0);
      this.#frames.push(i === 0 ? { ...frame, step: bytes.number() } : frame);
    }
  }

  /** What there is to save besides when it is `asked`. */
  saveAsked(out: ByteWriter): void {
    const waiting = this.#judged - this.#settled;
    out.uint(waiting);
    if (waiting > 0) out.uint(this.#lastCut === null ? 0 : CUTS.indexOf(this.#lastCut) + 1);
    for (const { chance } of this.#frames) out.u8(chance);
  }

  /** After `load`. */
  loadAsked(bytes: ByteReader): void {
    const waiting = bytes.uint();
    this.#judged = this.#settled + waiting;
    if (waiting > 0) this.#lastCut = CUTS[bytes.uint() - 1] ?? null;
    this.#frames = this.#frames.map((frame) => ({ ...frame, chance: bytes.u8() }));
  }

  /** The first frame that is not before `ms`. */
  #first(ms: number): number {
    const frames = this.#frames;
    let i = frames.length;
    while (i > 0 && frames[i - 1]!.atMs >= ms) i--;
    return i;
  }
}

/** Whether at least half of the blocks have changed. */
function isEverywhere(a: Uint8Array, b: Uint8Array): boolean {
  let changed = 0;
  for (let i = AT_BLOCKS; i < AT_BLOCKS + BLOCKS; i++)
    if (Math.abs(a[i]! - b[i]!) >= TUNING.blockChange) changed++;
  return changed >= BLOCKS / 2;
}

/** Whether the middle is what a dissolve from one to the other shows half-way: both at once. */
function mixes(from: Uint8Array, middle: Uint8Array, to: Uint8Array): boolean {
  let left = 0;
  let apart = 0;
  for (let i = AT_BLOCKS; i < AT_BLOCKS + BLOCKS; i++) {
    left += Math.abs(middle[i]! - (from[i]! + to[i]!) / 2);
    apart += Math.abs(from[i]! - to[i]!);
  }
  return left <= TUNING.mixture * apart;
}

const frameAfter = (
  before: Uint8Array | undefined,
  atMs: number,
  signature: Uint8Array,
  chance: number,
): Frame => ({
  atMs,
  signature,
  step: before === undefined ? 0 : unlikeness(before, signature),
  chance: chance < LIKELY ? 0 : chance,
});
