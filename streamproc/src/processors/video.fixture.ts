import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { measurePicture } from "../signals/picture.ts";
import { FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH, pack } from "../signals/signature.ts";
import type { FoldInput } from "./fold.ts";
import { runOf, type Run } from "./run.ts";
import { shots } from "./shots.ts";

export const BEGIN_MS = Date.UTC(2026, 0, 1);
export const CHANNEL = "1";

/** A made-up scene: the same number is the same picture, `x` and `y` are where the camera looks, `moved` is where its ball is. */
export function scene(number: number, { x = 0, y = 0, moved = 0 } = {}): Uint8Array {
  const name = [number, x, y, moved].join(" ");
  let rgb = drawn.get(name);
  if (rgb === undefined) drawn.set(name, (rgb = draw(number, x, y, moved)));
  return rgb;
}
const drawn = new Map<string, Uint8Array>();

function draw(number: number, x: number, y: number, moved: number): Uint8Array {
  const rgb = new Uint8Array(FRAME_BYTES);
  const wave = (at: number, turn: number): number =>
    Math.sin(at / (4 + ((number * 7 + turn * 3) % 11)) + number * (turn + 1));
  for (let row = 0, to = 0; row < FRAME_HEIGHT; row++)
    for (let column = 0; column < FRAME_WIDTH; column++) {
      const u = column + x;
      const v = row + y;
      const light = 120 + 55 * wave(u, 0) + 45 * wave(v, 1);
      const ball = Math.hypot(column - 32 - moved, row - 18) < 6 ? 60 : 0;
      rgb[to++] = clamp(light + ball + 30 * wave(u, 2));
      rgb[to++] = clamp(light + ball);
      rgb[to++] = clamp(light + 30 * wave(v, 3));
    }
  return rgb;
}
const clamp = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));

export const mixed = (a: Uint8Array, b: Uint8Array, share: number): Uint8Array =>
  a.map((value, i) => clamp(value + (b[i]! - value) * share));
export const oneColour = (value: number): Uint8Array => new Uint8Array(FRAME_BYTES).fill(value);

/** Frames of one scene with a little life. */
export const still = (number: number, frames: number): Uint8Array[] =>
  Array.from({ length: frames }, (_, i) => scene(number, { moved: Math.round(4 * Math.sin(i / 6)) }));

export interface Film {
  frames: readonly Uint8Array[];
  /** Of each frame, after the film's start; 30 a second when left out. */
  atMs?: readonly number[];
  /** What a model says of each frame, 0–1; no model when left out. */
  cutChance?: readonly number[];
}

/** What a media worker says of a film cut into segments of `segmentFrames` frames. */
export function measuredOf(film: Film, segmentFrames = 60): VideoMeasured[] {
  const { frames } = film;
  const atMs = film.atMs ?? frames.map((_, i) => Math.round((i * 1000) / 30));
  const segments: VideoMeasured[] = [];
  for (let from = 0; from < frames.length; from += segmentFrames) {
    const until = Math.min(frames.length, from + segmentFrames);
    const startMs = atMs[from]!;
    const endMs = atMs[until] ?? atMs[until - 1]! + 33;
    const picture = measurePicture(
      frames.slice(from, until).map((rgb, i) => ({ atMs: atMs[from + i]! - startMs, rgb })),
      [],
      { width: FRAME_WIDTH, height: FRAME_HEIGHT },
    );
    if (film.cutChance !== undefined)
      picture.cutChance = pack(
        Uint8Array.from(film.cutChance.slice(from, until), (chance) => Math.round(chance * 255)),
      );
    segments.push(segment(segments.length, startMs, endMs - startMs, { picture }));
  }
  return segments;
}

export function segment(
  seq: number,
  startMs: number,
  durationMs: number,
  more: Partial<VideoMeasured> = {},
): VideoMeasured {
  return {
    id: `${CHANNEL}:${BEGIN_MS}:${seq}`,
    channelId: CHANNEL,
    epoch: BEGIN_MS,
    seq,
    startMs: BEGIN_MS + startMs,
    durationMs,
    discontinuity: false,
    ad: false,
    failed: null,
    picture: null,
    sound: null,
    framesKey: `frames/${CHANNEL}/${BEGIN_MS}/${seq}.rgb`,
    thumbKey: null,
    ...more,
  };
}

export const shotsOf = (run: Run, inputs: readonly FoldInput[]): VideoShot[] =>
  inputs.flatMap((input) => run.step(input).flatMap((said) => (said.type === "shot" ? [said.shot] : [])));

/** The shots of a film that ends in a gap. */
export function shotsOfFilm(film: Film, segmentFrames = 60, run: Run = runOf([shots], CHANNEL)): VideoShot[] {
  const segments = measuredOf(film, segmentFrames);
  const last = segments.at(-1)!;
  return shotsOf(run, [
    ...segments.map((measured): FoldInput => ({ type: "measured", measured })),
    gapAt(last.startMs + last.durationMs),
  ]);
}

export const gapAt = (fromMs: number): FoldInput => ({
  type: "videoGap",
  gap: {
    id: `${CHANNEL}:${fromMs}`,
    channelId: CHANNEL,
    epoch: BEGIN_MS,
    fromMs,
    toMs: fromMs + 4000,
    reason: "missed",
    detail: "",
  },
});

/** Frame at which each shot but the first begins, with how. */
export const cutsOf = (found: readonly VideoShot[]): [number, string][] =>
  found.slice(1).map((shot) => [Math.round(((shot.startMs - BEGIN_MS) * 30) / 1000), shot.cut]);
