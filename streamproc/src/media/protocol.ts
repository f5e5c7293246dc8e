import type { PictureSignals, SoundSignals, VideoMeasured } from "@hypecast/contracts/measured.ts";

/** What is said between the process `media` and its workers. */

interface StoredSegment {
  container: "ts" | "fmp4";
  /** Of a file that the worker can open. */
  path: string;
  initPath: string | null;
}

export interface Job extends StoredSegment {
  id: string;
  startMs: number;
  durationMs: number;
  /** The segment before it, where it continues in this one. */
  before: StoredSegment | null;
  /** Somebody looks at each small frame. */
  allFrames: boolean;
}

/** What one segment looks and sounds like. A function of the files alone. */
export interface Measured {
  picture: PictureSignals | null;
  sound: SoundSignals | null;
  /** About three frames a second as `frames-file.ts` packs them; null without picture. */
  frames: Uint8Array | null;
  /** The pixels of each frame that `picture` is of, 64 × 36 RGB, one behind the other; null without picture and where nobody asked. */
  allFrames: Uint8Array | null;
  /** JPEG of the first frame. */
  thumb: Uint8Array | null;
}

export type Failure = NonNullable<VideoMeasured["failed"]>;
export type Outcome = { failed: null; measured: Measured } | { failed: Failure; detail: string };

/** The first word of a worker: it can decode. */
export interface Ready {
  ready: { decoder: string; version: string };
}
export interface Answer {
  id: string;
  outcome: Outcome;
  cpuMs: number;
  rssBytes: number;
}
