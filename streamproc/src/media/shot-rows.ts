import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { FRAME_BYTES, type SampledFrame } from "./frames-file.ts";

/** Frames that the model sees of a shot, evenly over its length. */
export const SHOT_FRAMES = 8;
/** Input `signals`, in this order; the names in models/shot_score/trained.json are held to it by a test. */
export const SHOT_SIGNALS = [
  "sharpness",
  "exposure",
  "colourfulness",
  "noise",
  "cameraMotion",
  "objectMotion",
  "blackShare",
  "frozenShare",
  "cutsPerMin",
  "text",
  "novelty",
  "seconds",
] as const;

const LONGEST_S = 60;

export function signalsOf(shot: VideoShot): Float32Array {
  const seconds = Math.min(LONGEST_S, (shot.endMs - shot.startMs) / 1000);
  return Float32Array.from(SHOT_SIGNALS, (name) => (name === "seconds" ? seconds : shot[name]));
}

/**
 * SHOT_FRAMES frames of a shot, one after the other: those nearest to evenly spaced times inside it. `frames` in the order of
 * time. Null when none lies inside: a frame of a neighbouring shot would be another picture.
 */
export function framesOf(
  shot: Pick<VideoShot, "startMs" | "endMs">,
  frames: readonly SampledFrame[],
): Uint8Array | null {
  const inside = frames.filter(({ atMs }) => atMs >= shot.startMs && atMs < shot.endMs);
  if (inside.length === 0) return null;
  const packed = new Uint8Array(SHOT_FRAMES * FRAME_BYTES);
  for (let i = 0; i < SHOT_FRAMES; i++) {
    const wantedMs = shot.startMs + ((i + 0.5) * (shot.endMs - shot.startMs)) / SHOT_FRAMES;
    let nearest = inside[0]!;
    for (const frame of inside)
      if (Math.abs(frame.atMs - wantedMs) < Math.abs(nearest.atMs - wantedMs)) nearest = frame;
    packed.set(nearest.rgb, i * FRAME_BYTES);
  }
  return packed;
}
