import { z } from "zod";
import {
  CHAT_POSITIONS,
  CLIP_LAYOUTS,
  CLIP_PICTURES,
  CLIP_STAGES,
  CLIP_STATES,
  LONGEST_CLIP_MS,
  LONGEST_FILM_MS,
  MOST_PARTS,
  SHORTEST_CLIP_MS,
  type ClipPicture,
} from "./clip-words.ts";
import { channelId, login } from "./event.ts";
import { MOMENT_KINDS } from "./moment-kinds.ts";

export {
  CHAT_POSITIONS,
  CLIP_LAYOUTS,
  CLIP_PICTURES,
  CLIP_STAGES,
  CLIP_STATES,
  LONGEST_CLIP_MS,
  LONGEST_FILM_MS,
  MOST_PARTS,
  SHORTEST_CLIP_MS,
  type ClipLayout,
  type ClipPicture,
} from "./clip-words.ts";
/** A drawn edge may stand a pixel outside. */
const ROUNDING = 0.001;
/** Shares of the picture's width and height, 0–1. */
export const box = z
  .object({
    x: z.number().min(0).max(1),
    y: z.number().min(0).max(1),
    width: z.number().min(0.02).max(1),
    height: z.number().min(0.02).max(1),
  })
  .refine(
    ({ x, y, width, height }) => x + width <= 1 + ROUNDING && y + height <= 1 + ROUNDING,
    "the box leaves the picture",
  );
export type Box = z.infer<typeof box>;

/** How chat is drawn into the picture. */
export const chatOverlay = z.object({
  on: z.boolean().default(true),
  position: z.enum(CHAT_POSITIONS).default("right"),
  /** Share of the picture's width (left, right) or height (bottom). */
  size: z.number().min(0.1).max(0.6).default(0.24),
  /** Pixels at 1080 lines. */
  fontPx: z.int().min(14).max(72).default(28),
  font: z.enum(["sans", "mono"]).default("sans"),
  /** Of the ground behind the lines, 0 (none) to 1. */
  opacity: z.number().min(0).max(1).default(0.5),
  /** Show lines this much earlier than they were sent, so that they meet what caused them; null: the channel's learned lag. */
  shiftMs: z.int().min(0).max(60_000).nullable().default(null),
});
export type ChatOverlay = z.infer<typeof chatOverlay>;

/** Part of object keys, KV keys and addresses. A random UUID is one. */
export const clipId = z
  .string()
  .regex(
    /^[0-9a-z]{1,20}(?:-[0-9a-z]{1,20}){1,8}$/,
    "a clip id is a few words of lower-case letters and digits with - between",
  );

/** Why there is no clip. Closed: it is also the metric label. */
export const CLIP_ERRORS = [
  "bad_span", // its start is not before its end
  "too_short",
  "too_long",
  "not_kept", // older than what is kept
  "not_yet", // it ends after the newest segment
  "no_video", // the channel has no picture
  "nothing_left", // gaps and advertisements are all of it
  "bad_media", // the stored segments cannot be decoded
  "disk_full",
  "crashed", // the renderer died again and again
  "failed",
] as const;
export const clipError = z.object({ code: z.enum(CLIP_ERRORS), detail: z.string(), action: z.string() });
export type ClipError = z.infer<typeof clipError>;

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/**
 * What is wrong with a span, in words, or null: the gateway refuses the request with it, the page says it before asking, the worker checks
 * again. `kept`: the stream's clock of what the channel keeps (`video_state`); null: no picture of it at all. A clip of chat alone needs none.
 */
export function spanProblem(
  { startMs, endMs }: { startMs: number; endMs: number },
  kept: { oldestMs: number; newestMs: number } | null,
  picture: ClipPicture = "video",
): ClipError | null {
  const lengthMs = endMs - startMs;
  if (lengthMs < 0)
    return {
      code: "bad_span",
      detail: `The clip would end ${seconds(-lengthMs)} before it starts.`,
      action: "Swap its ends.",
    };
  if (lengthMs < SHORTEST_CLIP_MS)
    return {
      code: "too_short",
      detail: `The clip would last ${seconds(lengthMs)}; the shortest is ${seconds(SHORTEST_CLIP_MS)}.`,
      action: "Move its ends apart.",
    };
  if (lengthMs > LONGEST_CLIP_MS)
    return {
      code: "too_long",
      detail: `The clip would last ${seconds(lengthMs)}; the longest is ${seconds(LONGEST_CLIP_MS)}.`,
      action: "Choose a shorter span, or make several clips.",
    };
  if (picture === "chat") return null;
  if (kept === null)
    return {
      code: "no_video",
      detail: "No picture of this channel is kept.",
      action: "Give the channel a video address and wait until it is live.",
    };
  if (startMs < kept.oldestMs)
    return {
      code: "not_kept",
      detail: `The clip would start ${seconds(kept.oldestMs - startMs)} before what is still kept.`,
      action: "Choose a later start; the settings say how much of a channel is kept.",
    };
  if (endMs > kept.newestMs)
    return {
      code: "not_yet",
      detail: `The clip would end ${seconds(endMs - kept.newestMs)} after the newest picture.`,
      action: "Wait until the stream is there, or choose an earlier end.",
    };
  return null;
}

/** One stretch of a film. */
export const clipPart = z.object({
  login,
  channelId,
  startMs: z.int(),
  endMs: z.int(),
  picture: z.enum(CLIP_PICTURES).default("video"),
  /** Written over its beginning, behind its number; empty: the number alone. */
  title: z.string().max(140).default(""),
});
export type ClipPart = z.infer<typeof clipPart>;

/** What is wrong with a film as a whole, or null; its parts are each looked at by `spanProblem`. */
export function filmProblem(parts: readonly Pick<ClipPart, "startMs" | "endMs">[]): ClipError | null {
  const lengthMs = parts.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  if (lengthMs <= LONGEST_FILM_MS && parts.length <= MOST_PARTS) return null;
  return {
    code: "too_long",
    detail: `The film would have ${parts.length} parts and last ${seconds(lengthMs)}; it may have ${MOST_PARTS} and last ${seconds(LONGEST_FILM_MS)}.`,
    action: "Choose fewer or shorter parts.",
  };
}

/** What a person asks for. */
export const clipRequest = z.object({
  login,
  /** Null: any span. */
  momentId: z.string().max(200).nullable().default(null),
  /** The moment's kind, for the gallery; null: any span. */
  kind: z.enum(MOMENT_KINDS).nullable().default(null),
  startMs: z.int(),
  endMs: z.int(),
  /** `instant`: from the keyframe before the start, copied, no chat, 16:9 alone. `exact`: to the frame. */
  cut: z.enum(["instant", "exact"]).default("exact"),
  layouts: z.array(z.enum(CLIP_LAYOUTS)).min(1).max(3).default(["16:9", "9:16"]),
  /** `chat`: of chat alone, without a picture of the stream; `cut` and `normalise` then mean nothing. Of a film each part says it for itself. */
  picture: z.enum(CLIP_PICTURES).default("video"),
  /** Where the 9:16 window stands: 0 at the left edge, 0.5 in the middle, 1 at the right edge. */
  cropX: z.number().min(0).max(1).default(0.5),
  chat: chatOverlay.default(chatOverlay.parse({})),
  /** Bring the loudness to −14 LUFS. */
  normalise: z.boolean().default(true),
  title: z.string().max(140).default(""),
});
export type ClipRequest = z.infer<typeof clipRequest>;

/** KV bucket; key: clip id. The record is the truth about a clip; the job queue only gets the work done. */
export const CLIPS_BUCKET = "clips";
export const clip = clipRequest.extend({
  id: clipId,
  channelId,
  /** A film: its stretches in their order, of one or several streams. `login`, `channelId`, `startMs` and `endMs` of the record are then the first one's. Empty: one stretch. */
  parts: z.array(clipPart).max(MOST_PARTS).default([]),
  /** Of a film: write numbers and titles over the beginnings of its parts. */
  titles: z.boolean().default(true),
  /** One of several clips that were asked for together; null: it stands alone. */
  batch: z.object({ id: clipId, number: z.int(), of: z.int() }).nullable().default(null),
  createdAtMs: z.int(),
  /** Counts up with every write of the record. */
  revision: z.int(),
  state: z.enum(CLIP_STATES),
  stage: z.enum(CLIP_STAGES).nullable(),
  /** 0–1 over all stages. */
  progress: z.number(),
  /** Seconds to go; null: not known yet. */
  etaS: z.number().nullable(),
  attempt: z.int(),
  /** Why it failed, in words, and what to do. */
  error: clipError.nullable(),
  /** Stretches inside the span that could not be shown: gaps and advertisements. */
  leftOut: z.array(z.object({ fromMs: z.int(), toMs: z.int(), why: z.enum(["gap", "ad"]) })),
  files: z.array(
    z.object({
      layout: z.enum(CLIP_LAYOUTS),
      key: z.string(),
      bytes: z.int(),
      width: z.int(),
      height: z.int(),
      durationMs: z.int(),
      /** The stream's time at its beginning: an instant cut begins at the keyframe before the start. */
      startMs: z.int(),
    }),
  ),
  thumbKey: z.string().nullable(),
  readyAtMs: z.int().nullable(),
  /** The public page is /c/<token>; null: not shared. */
  shareToken: z.string().nullable(),
  /** Clip on Twitch, where the broadcaster's token is configured. */
  twitchUrl: z.string().nullable(),
});
export type Clip = z.infer<typeof clip>;

/** BullMQ queue of clip jobs; a job's id is the clip's, its data `{ id }`. */
export const CLIP_QUEUE = "clips";

/** What a person sets once per channel. KV bucket `channel_layout`; key: login. */
export const LAYOUT_BUCKET = "channel_layout";
export const channelLayout = z.object({
  /** Where the camera stands in the picture; null: none was drawn. */
  facecam: box.nullable().default(null),
  cropX: z.number().min(0).max(1).default(0.5),
  chat: chatOverlay.default(chatOverlay.parse({})),
});
export type ChannelLayout = z.infer<typeof channelLayout>;
