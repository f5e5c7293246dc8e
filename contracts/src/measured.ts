import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

/** Why a segment was not measured. Closed: it is also the metric label. */
export const UNMEASURED_REASONS = [
  "no_file", // it was not kept
  "not_media", // empty, truncated, HTML …
  "decoder_died",
  "timeout",
  "too_large",
  "shed", // the machine was behind and this channel has low priority
] as const;

/** Base64 of little-endian values: typed arrays travel as text, five times shorter than JSON numbers. */
const packed = z.string();

/** Signals of the picture: one 64 × 36 signature a frame, and finer figures about three times a second. */
export const pictureSignals = z.object({
  /** Milliseconds of each frame after the segment's start. */
  atMs: z.array(z.int()),
  /** `atMs.length` × SIGNATURE_BYTES bytes (streamproc/src/signals/signature.ts). */
  signatures: packed,
  /** A model's chance that each frame is the last before a cut, 0–255, a byte a frame. Left out: there is no such model, or it did not answer. */
  cutChance: packed.optional(),
  /** Of the decoded rendition. */
  width: z.int(),
  height: z.int(),
  /** Figures of single frames, all of the same length. */
  detail: z.object({
    atMs: z.array(z.int()),
    sharpness: z.array(z.number()),
    exposure: z.array(z.number()),
    colourfulness: z.array(z.number()),
    noise: z.array(z.number()),
    /** Share of the picture that looks like text, 0–1. */
    text: z.array(z.number()),
  }),
});
export type PictureSignals = z.infer<typeof pictureSignals>;

/** Signals of the sound, in blocks of 100 ms from the segment's start. */
export const soundSignals = z.object({
  channels: z.int(),
  /** Audio tracks in the file; the first is measured. */
  tracks: z.int(),
  /** K-weighted mean square of each block, all channels summed (BS.1770), in LUFS; −100 for digital silence. */
  loudness: z.array(z.number()),
  /** Highest sample of each block, dBFS. */
  peak: z.array(z.number()),
  /** Likelihood of speech in each block, 0–1. */
  voice: z.array(z.number()),
  /** Onset strength at 100 Hz (half-wave rectified spectral flux), uint8. */
  onsets: packed,
});
export type SoundSignals = z.infer<typeof soundSignals>;

/**
 * What one segment looks and sounds like: the work of a media worker, and but for `cutChance` a function of the stored files alone, so
 * measuring twice says the same. Exactly one for each `video.segment`, in its order; folds make shots and audio windows of it.
 */
export const videoMeasured = defineEvent(
  "video.measured",
  "channel",
  z.object({
    /** The segment's. */
    id: z.string(),
    channelId,
    epoch: z.int(),
    seq: z.int(),
    startMs: z.int(),
    durationMs: z.int(),
    discontinuity: z.boolean(),
    ad: z.boolean(),
    /** Null: measured. */
    failed: z.enum(UNMEASURED_REASONS).nullable(),
    /** Null: no picture in it, or not measured. */
    picture: pictureSignals.nullable(),
    sound: soundSignals.nullable(),
    /** Key in `objects` of sampled frames, RGB 64 × 36, about three a second (streamproc/src/media/frames-file.ts): what models look at. */
    framesKey: z.string().nullable(),
    /** Key in `objects` of a JPEG of its first frame, at most 284 × 160. */
    thumbKey: z.string().nullable(),
  }),
);
export type VideoMeasured = z.infer<typeof videoMeasured.schema>;
