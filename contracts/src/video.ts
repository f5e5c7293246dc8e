import { z } from "zod";
import { channelId, defineEvent, login } from "./event.ts";

/** A file that a source has stored: its key in `objects` (see runtime/src/objects.ts), never its bytes. */
export const objectRef = z.object({ key: z.string(), bytes: z.int() });

/** One rendition's file of a segment. */
export const rendition = objectRef.extend({
  /** As the master playlist says; 0: it does not. */
  width: z.int(),
  height: z.int(),
  /** Bits a second as the master playlist says; 0: it does not. */
  bandwidth: z.int(),
  /** `fmp4` needs its initialisation section in front: `init`. */
  container: z.enum(["ts", "fmp4"]),
  init: objectRef.nullable(),
});
export type Rendition = z.infer<typeof rendition>;

/**
 * One HLS media segment of a channel, fetched and kept. Written by the source `hls`, in the order of the playlist.
 * Time is the playlist's (EXT-X-PROGRAM-DATE-TIME), which is the clock that chat's `tmi-sent-ts` is compared with.
 */
export const videoSegment = defineEvent(
  "video.segment",
  "channel",
  z.object({
    /** `<channelId>:<epoch>:<seq>` */
    id: z.string(),
    channelId,
    /** Wall-clock ms of the first segment after the stream (re)started: sequence numbers count within it. */
    epoch: z.int(),
    /** EXT-X-MEDIA-SEQUENCE of this segment. */
    seq: z.int(),
    startMs: z.int(),
    durationMs: z.int(),
    /** The playlist names no time that one can believe: `startMs` is by our own clock, off by up to so much. Absent: the playlist's time. */
    uncertainMs: z.int().optional(),
    /** Its timestamps do not continue those of the segment before it. */
    discontinuity: z.boolean(),
    /** Stitched advertisement: shown, never part of a clip or a moment. */
    ad: z.boolean(),
    /** The smallest rendition, for measuring; null when only the source rendition could be had. */
    analysis: rendition.nullable(),
    /** The best rendition, for playing and clips; null when it could not be had. The same file as `analysis` where there is one rendition. */
    source: rendition.nullable(),
  }),
);
export type VideoSegment = z.infer<typeof videoSegment.schema>;

/** Why a stretch of the stream is not kept. Closed: it is also the metric label. */
export const VIDEO_GAP_REASONS = [
  "missed", // the playlist had moved on before we read it
  "not_found", // the server has no such segment
  "failed", // the server would not give it in time
  "too_large",
  "frozen", // the playlist stood still for longer than its own segments
  "refused", // its address or its kind is not allowed
  "source_restarted",
  "paused",
  "disk_full",
] as const;

/** The source has no picture of the channel from–to. */
export const videoGap = defineEvent(
  "video.gap",
  "channel",
  z.object({
    id: z.string(),
    channelId,
    epoch: z.int(),
    fromMs: z.int(),
    toMs: z.int(),
    /** The last sequence number that it covers; absent: a hole in time between numbers that follow one another. */
    toSeq: z.int().optional(),
    reason: z.enum(VIDEO_GAP_REASONS),
    detail: z.string(),
  }),
);
export type VideoGap = z.infer<typeof videoGap.schema>;

/** KV bucket of what the source says about each channel's video; key: login. */
export const VIDEO_STATE_BUCKET = "video_state";

/** `off` no address is configured · `waiting` the address answers, no stream yet · `live` · `stalled` nothing new for longer than it should be · `ended` · `refused` and `failed` say why. */
export const VIDEO_STATES = [
  "off",
  "waiting",
  "live",
  "stalled",
  "ended",
  "paused",
  "refused",
  "failed",
] as const;

/** Why the state is what it is. Closed: pages say it in their own language; `reason` has the details. */
export const VIDEO_CODES = [
  "no_address", // nothing says where the picture is
  "no_channel_id", // Twitch has not said the channel's number yet
  "no_stream", // the address answers that there is none
  "unreachable", // the playlist cannot be had
  "frozen", // the playlist answers and stands still
  "interrupted", // the source itself broke off
  "recording", // a finished recording, not a live stream
  "disk_full", // older video is removed early
  "bad_address", // it is none, or of a kind that is not fetched
  "host_refused", // its host is not public, or not among those that are allowed
  "bad_file", // the file is missing, or is no video
  "no_program", // TWITCH_VIDEO_COMMAND names none
  "protected", // DRM
  "bad_stream", // the playlist or its segments are not what they should be
] as const;
export type VideoCode = (typeof VIDEO_CODES)[number];

export const videoState = z.object({
  login,
  channelId: channelId.nullable(),
  state: z.enum(VIDEO_STATES),
  /** Null when all is well, or when an older source wrote it. */
  code: z.enum(VIDEO_CODES).nullable().default(null),
  /** One sentence: what is wrong and what to do; null when all is well. */
  reason: z.string().nullable(),
  sinceMs: z.int(),
  epoch: z.int().nullable(),
  lastSeq: z.int().nullable(),
  /** End of the newest kept segment (the stream's clock). */
  newestMs: z.int().nullable(),
  /** Start of the oldest kept segment; clips and the player reach back to here. */
  oldestMs: z.int().nullable(),
  keptBytes: z.int(),
  /** An advertisement is running. */
  ad: z.boolean(),
  renditions: z.array(z.object({ width: z.int(), height: z.int(), bandwidth: z.int() })),
  /** Measuring leaves this channel's segments out because the machine is behind (see docs/video.md). */
  shed: z.boolean(),
});
export type VideoState = z.infer<typeof videoState>;
