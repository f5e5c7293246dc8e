import type { DetailFrame, SmallFrame } from "../signals/picture.ts";
import type { Pcm } from "../signals/sound.ts";

/** The bytes of one segment. */
export interface SegmentBytes {
  container: "ts" | "fmp4";
  media: Buffer;
  /** The initialisation section of an fMP4 segment. */
  init: Buffer | null;
}

export interface DecodeRequest extends SegmentBytes {
  /** Sound after this is the next segment's. */
  durationMs: number;
  /** The segment before it, where it continues in this one: its last sound warms the audio decoder and the filters. */
  before: SegmentBytes | null;
}

/** What is seen and heard in one segment. Times are milliseconds after its first video timestamp. */
export interface Decoded {
  /** Every frame, 64 × 36 RGB. */
  frames: SmallFrame[];
  /** About three a second, at most 284 × 160, RGB. */
  detail: DetailFrame[];
  /** Size of the picture from a frame on: more than one entry when it changes in mid-segment; none without picture. */
  sizes: { atMs: number; width: number; height: number }[];
  /** Sound from the segment's start to its end, up to PREROLL_MS before it in front. Null: there is none. */
  sound: Pcm | null;
}

/** Decodes single segments. Two implementations, one contract (`frame-source.contract.ts`). */
export interface FrameSource {
  readonly name: "gstreamer" | "ffmpeg";
  readonly version: string;
  /**
   * Rejects with NotMedia or TooLarge. What is broken in parts gives the parts that decode. Nothing but the bytes of the request is
   * read: no file, no address that stands inside of them.
   */
  decode(request: DecodeRequest): Promise<Decoded>;
}

/** Nothing in it can be decoded. */
export class NotMedia extends Error {}
/** More than a media worker should hold. */
export class TooLarge extends Error {}

export const DETAIL_WIDTH = 284;
export const DETAIL_HEIGHT = 160;
/** A detail frame follows the one before it after at least this. */
export const DETAIL_EVERY_MS = 333;
export const PREROLL_MS = 500;
/** Sound that is decoded before PREROLL_MS: the first frames of an AAC decoder that starts anew are not sound yet. */
export const WARM_UP_MS = 100;

/** Frames of one segment: 60 a second for 50 s. Their signatures must fit into one message of the log. */
export const MAX_FRAMES = 3000;
/** 4096 × 2304, the largest that H.264 level 5.2 has. */
export const MAX_PIXELS = 4096 * 2304;

export function checkSize(width: number, height: number): void {
  if (width * height > MAX_PIXELS) throw new TooLarge(`a picture of ${width} × ${height}`);
}
