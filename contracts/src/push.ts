import { z } from "zod";
import { audioWindow } from "./audio.ts";
import { chatBurst } from "./burst.ts";
import { channelState } from "./channel.ts";
import { chatLine, chatModeration, chatNotice } from "./chat.ts";
import { clip } from "./clip.ts";
import { login } from "./event.ts";
import { forecastOutcome, hypeForecast, hypeValue } from "./hype.ts";
import { moment, momentDecision, reactionLag } from "./moment.ts";
import { shotScore, videoShot } from "./shot.ts";
import { partReport } from "./system.ts";
import { vod } from "./vod.ts";
import { chatWindow } from "./window.ts";

/**
 * The websocket at /ws: JSON text frames. The server sends an array of envelopes a frame (one write a tick and socket),
 * the client one message a frame. Topics:
 *
 * | topic | d | id | resumable |
 * |---|---|---|---|
 * | `live:<login>` | LiveTick | counts up | no: conflated to the latest |
 * | `chat:<login>` | ChatColumn | counts up | 60 s |
 * | `events:<login>` | LiveEvent | counts up | 60 s |
 * | `channels` | ChannelSummary[] | counts up | no: latest |
 * | `video:<login>` | VideoState | counts up | no: latest |
 * | `clips` | ClipChange: a clip, whole, at each change | counts up | 60 s |
 * | `streams` | StreamChange: an imported stream, whole, at each change | counts up | 60 s |
 * | `mod:<login>` | ModChange, for moderators of the channel | counts up | 60 s |
 * | `sys` | SystemState | counts up | no: latest |
 */
export const TOPICS = [
  "live",
  "chat",
  "events",
  "video",
  "channels",
  "clips",
  "streams",
  "mod",
  "sys",
] as const;
export const topic = z.union([
  z.templateLiteral([z.enum(["live", "chat", "events", "video", "mod"]), ":", login]),
  z.enum(["channels", "clips", "streams", "sys"]),
]);
export type Topic = z.infer<typeof topic>;
/** Most topics that one socket may hold. */
export const TOPICS_PER_SOCKET = 64;

/** A few lines of the last quarter second, and what was left out of them. */
export const chatColumn = z.object({
  /** `repeats`: how many lines of the quarter second had this very text, this one included; absent: 1. */
  lines: z.array(chatLine.extend({ repeats: z.int().optional() })),
  notices: z.array(chatNotice.schema),
  moderation: z.array(chatModeration.schema),
  /** Lines of this quarter second that are not shown, by why. */
  hidden: z.object({ tooFast: z.int(), repeats: z.int(), bots: z.int() }),
});
export type ChatColumn = z.infer<typeof chatColumn>;

/** Final values, as committed. */
export const liveEvent = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("window"), window: chatWindow }),
  z.object({ kind: z.literal("burst"), burst: chatBurst }),
  z.object({ kind: z.literal("hype"), hype: hypeValue }),
  z.object({ kind: z.literal("forecast"), forecast: hypeForecast }),
  z.object({ kind: z.literal("outcome"), outcome: forecastOutcome }),
  z.object({ kind: z.literal("shot"), shot: videoShot }),
  z.object({ kind: z.literal("audio"), audio: audioWindow }),
  z.object({ kind: z.literal("score"), score: shotScore.schema }),
  z.object({ kind: z.literal("moment"), moment }),
  z.object({ kind: z.literal("lag"), lag: reactionLag }),
  /** A person kept, discarded or moved a moment. */
  z.object({ kind: z.literal("decision"), decision: momentDecision }),
  z.object({ kind: z.literal("gap"), fromMs: z.int(), toMs: z.int(), reason: z.string() }),
]);
export type LiveEvent = z.infer<typeof liveEvent>;

/** A clip as it is now, or that it was deleted. A page that opens asks /api/v1/clips first. */
export const clipChange = z.union([clip, z.object({ id: z.string(), removed: z.literal(true) })]);
export type ClipChange = z.infer<typeof clipChange>;

/** An imported stream as it is now, or that it is gone. A page that opens asks /api/v1/streams first. */
export const streamChange = z.union([vod, z.object({ id: z.string(), removed: z.literal(true) })]);
export type StreamChange = z.infer<typeof streamChange>;

/** A channel in the list: what was asked for and what the source says. `state` null: no source has spoken yet. */
export const channelSummary = z.object({
  login,
  addedAtMs: z.int(),
  paused: z.boolean(),
  video: z.string().nullable(),
  chat: z.boolean(),
  /** Twitch user id of the broadcaster who added it; absent: the operator did. */
  addedBy: z.string().optional(),
  state: channelState.nullable(),
  /** The latest tick's few numbers; null until there is one. */
  now: z
    .object({ atMs: z.int(), messagesPerMin: z.number(), value: z.number().nullable(), state: z.string() })
    .nullable(),
});
export type ChannelSummary = z.infer<typeof channelSummary>;

export const systemState = z.object({
  parts: z.array(partReport),
  /** Seconds that the store is behind the log; null when not known. Above 5 the screen says that history is delayed. */
  historyDelayS: z.number().nullable(),
  version: z.string(),
});
export type SystemState = z.infer<typeof systemState>;

export const envelope = z.object({
  ch: topic,
  id: z.int(),
  /** Gateway's clock at the write. */
  t: z.int(),
  d: z.unknown(),
  /** The first message after a subscription that could not be resumed: replace what you have. */
  snap: z.literal(true).optional(),
});
export type Envelope = z.infer<typeof envelope>;

/** Control messages of the server stand in the same array as envelopes; they have `op`. */
export const serverControl = z.discriminatedUnion("op", [
  /** First of all. `epoch` changes when the gateway restarts: forget every `since`. */
  z.object({
    op: z.literal("hello"),
    epoch: z.string(),
    heartbeatMs: z.int(),
    topics: z.int(),
    build: z.string(),
  }),
  z.object({ op: z.literal("pong") }),
  /** The subscription stands. `resumed`: what was missed follows; otherwise a snapshot does, where the topic has one. */
  z.object({ op: z.literal("subbed"), ch: topic, resumed: z.boolean() }),
  z.object({ op: z.literal("err"), ch: z.string().nullable(), code: z.string(), detail: z.string() }),
]);
export type ServerControl = z.infer<typeof serverControl>;

export const clientMessage = z.discriminatedUnion("op", [
  z.object({ op: z.literal("sub"), ch: topic, since: z.int().optional(), epoch: z.string().optional() }),
  z.object({ op: z.literal("unsub"), ch: topic }),
  z.object({ op: z.literal("ping") }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;
/** A client message is never longer. */
export const CLIENT_MESSAGE_BYTES = 4096;

export { CLOSE_CODES } from "./close-codes.ts";
