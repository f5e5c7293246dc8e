import { z } from "zod";
import { channelId, login } from "./event.ts";
import {
  CHAT_DIALECTS,
  VOD_ERRORS,
  VOD_HOLES,
  VOD_STAGE_STATES,
  VOD_STAGES,
  VOD_STATES,
} from "./vod-words.ts";

/**
 * An imported stream is a channel whose time has passed. Its id has the form of a login that Twitch never gives (it begins with `_`), so
 * everything that takes a channel's login takes it too: heatmap, moments, chat, markers, player, clips.
 */
export const vodId = z
  .string()
  .regex(/^_[a-z0-9]{18}$/, "a stream id is _ and 18 lower-case letters and digits");

/** Sorts by the time that it was made. `random`: ten characters of a–z, 0–9. */
export const newVodId = (nowMs: number, random: string): string =>
  `_${nowMs.toString(36).padStart(8, "0")}${random}`;
export const isVodId = (login: string): boolean => login.startsWith("_");

/** The channel under which one run of an import stands on the log and in the store. A run that goes over it again has the next number. */
export const vodChannelId = (id: string, run: number): string => `vod-${id.slice(1)}-${run}`;
/** The other way; null: a live channel. */
export const vodIdOf = (channel: string): string | null => {
  const found = /^vod-([a-z0-9]{18})-\d+$/.exec(channel)?.[1];
  return found === undefined ? null : `_${found}`;
};
/**
 * The channel on which a stream's picture is taken, measured and scored, once and apart from its chat. It never answers: runs are told what came
 * of it, in the order of event time.
 */
export const vodPictureChannel = (id: string): string => vodChannelId(id, 0);
export const isPictureChannel = (channel: string): boolean =>
  vodIdOf(channel) !== null && channel.endsWith("-0");
/** Event time where the chat has no other: offset 0 stands here. */
export const UNKNOWN_START_MS = Date.UTC(2000, 0, 1);

export const vodError = z.object({
  code: z.enum(VOD_ERRORS),
  /** What was wrong, in a sentence. */
  detail: z.string(),
  /** What to do. */
  action: z.string(),
});
export type VodError = z.infer<typeof vodError>;

export const vodStage = z.object({
  name: z.enum(VOD_STAGES),
  state: z.enum(VOD_STAGE_STATES),
  /** 0–1. */
  progress: z.number(),
  /** What it has done so far, and of how much where that is known: bytes, lines, seconds of the stream, chunks. */
  done: z.int(),
  of: z.int().nullable(),
  unit: z.enum(["bytes", "lines", "seconds", "chunks", "segments"]),
  /** Units a second. */
  rate: z.number().nullable(),
  etaS: z.number().nullable(),
  /** Seconds that it took, or has taken so far. */
  tookS: z.number(),
});
export type VodStage = z.infer<typeof vodStage>;

/** How much of the chat there is. Shown wherever a number of the stream is. */
export const completeness = z.object({
  /** 0–1 of the stream's length that was certainly heard in full. */
  share: z.number(),
  holes: z.array(
    z.object({
      kind: z.enum(VOD_HOLES),
      /** Seconds from the stream's start. */
      fromS: z.number(),
      toS: z.number(),
      /** `removed_users`: lines that answer somebody who is not in the file; otherwise lines inside it. */
      lines: z.int(),
    }),
  ),
});
export type Completeness = z.infer<typeof completeness>;

/** A line that could not be read: which, why, and its beginning. */
export const badLine = z.object({ line: z.int(), why: z.string(), text: z.string() });

/** Where it came from. Uploads are named by their id (contracts/src/upload.ts). */
export const vodSource = z.object({
  /** A Twitch link, or the address of an HLS playlist, as it was given; null: files alone. */
  url: z.string().max(2000).nullable().default(null),
  chatUpload: z.string().max(64).nullable().default(null),
  videoUpload: z.string().max(64).nullable().default(null),
});
export type VodSource = z.infer<typeof vodSource>;

/** KV bucket; key: stream id without its `_`. The record is the truth about an import; the job queue only gets the work done. */
export const VODS_BUCKET = "vods";
export const vodKey = (id: string): string => id.slice(1);
export const vod = z.object({
  id: vodId,
  /** Counts up with every write of the record; SSE and push name it. */
  revision: z.int(),
  /** The run that answers now, from its first lines on (`searchableS`); null: none does yet. While a later run is made the earlier one answers. */
  channelId: channelId.nullable(),
  /** The run that is being made; null: none is. */
  making: channelId.nullable(),
  /** Number of the last run that was begun. */
  run: z.int(),
  status: z.enum(VOD_STATES),
  createdAtMs: z.int(),
  readyAtMs: z.int().nullable(),
  title: z.string(),
  /** Twitch's number of the video; null: it is not known. */
  twitchId: z.string().nullable(),
  /** Whose stream it was; null: not known. */
  broadcaster: z.object({ id: z.string().nullable(), login: login.nullable(), name: z.string() }).nullable(),
  game: z.string().nullable(),
  /** Event time of offset 0; `startKnown` false: no clock was in the file, and dates mean nothing. */
  startMs: z.int(),
  startKnown: z.boolean(),
  /** Length of the video, or up to the last line where there is none; null: not known yet. */
  durationS: z.number().nullable(),
  chapters: z.array(z.object({ atS: z.number(), title: z.string() })),
  source: vodSource,
  /** Of the chat file's content (decompressed); the same chat again is recognised by it. */
  contentHash: z.string().nullable(),
  /** The stream that holds the same chat already, because of which nothing was imported (error `known`); null otherwise. */
  sameAs: vodId.nullable(),
  dialect: z.enum(CHAT_DIALECTS).nullable(),
  lines: z.int(),
  chatters: z.int(),
  moments: z.int(),
  clips: z.int(),
  badLines: z.object({ count: z.int(), first: z.array(badLine) }),
  completeness: completeness.nullable(),
  stages: z.array(vodStage),
  /** Seconds of the stream, from its start, that can be asked about already. */
  searchableS: z.number(),
  /** 0–1 over all stages, and seconds to go. */
  progress: z.number(),
  etaS: z.number().nullable(),
  attempt: z.int(),
  error: vodError.nullable(),
  /** What else a person should know: a cut-off end, a video without chat, chat that stands beside the video. */
  notes: z.array(vodError),
  cancelled: z.boolean(),
  /** Being deleted: it answers nothing any more. */
  deleting: z.boolean(),
  /** Its picture: null: it has none (yet). */
  video: z
    .object({
      width: z.int(),
      height: z.int(),
      durationS: z.number(),
      bytes: z.int(),
      segments: z.int(),
      thumbKey: z.string().nullable(),
    })
    .nullable(),
  /** Messages a minute over the whole stream in at most 120 columns, and hype of the same columns, for the card. */
  spark: z.object({ rate: z.array(z.number().nullable()), hype: z.array(z.number().nullable()) }).nullable(),
  /** The best moment's title line for the card. */
  best: z.object({ atS: z.number(), kind: z.string(), subject: z.string(), quote: z.string() }).nullable(),
});
export type Vod = z.infer<typeof vod>;

/** BullMQ queue of imports and deletions; a job's id is the stream's, its data `{ id }`. */
export const VOD_QUEUE = "vods";

/** A stream's picture as it is kept: NDJSON of `VideoSegment`, in order, times in event time. `channelId` in it is `vodPictureChannel`. */
export const vodVideoKey = (id: string): string => `vods/${vodKey(id)}/video.ndjson`;
/** Everything of a stream in `objects` has this prefix; deletion removes it. */
export const vodPrefix = (id: string): string => `vods/${vodKey(id)}/`;

/** What a person asks for. One of `url`, `chatUpload`, `videoUpload` at least. */
export const vodRequest = vodSource.extend({
  title: z.string().max(200).default(""),
  /** Event time of the video's first picture, where neither the link nor the chat says it. */
  startMs: z.int().min(1).max(4_102_444_800_000).nullable().default(null),
  /** Take this stream's place: its clips and links stay. */
  replaces: vodId.nullable().default(null),
});
export type VodRequest = z.infer<typeof vodRequest>;
