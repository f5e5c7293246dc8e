import { z } from "zod";
import { channelId, login } from "./event.ts";

export const CLIP_LAYOUTS = ["16:9", "9:16", "9:16-stacked"] as const;
export type ClipLayout = (typeof CLIP_LAYOUTS)[number];
/** Shares of the picture's width and height, 0–1. */
export const box = z.object({
  x: z.number().min(0).max(1),
  y: z.number().min(0).max(1),
  width: z.number().min(0.02).max(1),
  height: z.number().min(0.02).max(1),
});
export type Box = z.infer<typeof box>;

export const CHAT_POSITIONS = ["left", "right", "bottom"] as const;
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

export const SHORTEST_CLIP_MS = 1000;
export const LONGEST_CLIP_MS = 10 * 60_000;

/** What a person asks for. */
export const clipRequest = z.object({
  login,
  /** Null: any span. */
  momentId: z.string().max(200).nullable().default(null),
  startMs: z.int(),
  endMs: z.int(),
  /** `instant`: from the keyframe before the start, copied, no chat, 16:9 alone. `exact`: to the frame. */
  cut: z.enum(["instant", "exact"]).default("exact"),
  layouts: z.array(z.enum(CLIP_LAYOUTS)).min(1).max(3).default(["16:9", "9:16"]),
  /** Left edge of the 9:16 window, 0 (left) to 1 (right); 0.5 the middle. */
  cropX: z.number().min(0).max(1).default(0.5),
  chat: chatOverlay.default(chatOverlay.parse({})),
  /** Bring the loudness to −14 LUFS. */
  normalise: z.boolean().default(true),
  title: z.string().max(140).default(""),
});
export type ClipRequest = z.infer<typeof clipRequest>;

export const CLIP_STATES = ["queued", "running", "ready", "failed", "cancelled"] as const;
export const CLIP_STAGES = ["segments", "chat", "render", "finish"] as const;

/** KV bucket; key: clip id. The record is the truth about a clip; the job queue only gets the work done. */
export const CLIPS_BUCKET = "clips";
export const clip = clipRequest.extend({
  id: z.string(),
  channelId,
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
  error: z.object({ code: z.string(), detail: z.string(), action: z.string() }).nullable(),
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
