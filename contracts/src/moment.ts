import { z } from "zod";
import { channelId, defineEvent, login } from "./event.ts";
import { MOMENT_KINDS } from "./moment-kinds.ts";

export { MOMENT_KINDS, type MomentKind } from "./moment-kinds.ts";

/** Somebody said "remember this": the streamer's key, or a chat command of the broadcaster or a moderator. */
export const momentMark = defineEvent(
  "moment.mark",
  "channel",
  z.object({
    id: z.string(),
    channelId,
    /** What was on screen then (the stream's clock). */
    atMs: z.int(),
    via: z.enum(["key", "api"]),
    by: z.string(),
    label: z.string(),
  }),
);
export type MomentMark = z.infer<typeof momentMark.schema>;

/** What a sense could say: `ok` it measured, `unknown` it should have and did not, `none` the channel has none of it. */
export const SENSE_STATES = ["ok", "unknown", "none"] as const;

/** A stretch worth watching, with the reasons why. Columns of `moments`. Times are the stream's clock. */
export const moment = z.object({
  /** `<channelId>:m:<first detection's peak, ms>`; the same through all its versions. */
  id: z.string(),
  channelId,
  /** `open` may still change · `final` · `withdrawn` turned out to be none: an ad, a raid, merged into another. */
  state: z.enum(["open", "final", "withdrawn"]),
  /** Counts up with every version of this id. */
  version: z.int(),
  kind: z.enum(MOMENT_KINDS),
  /** What led to it: chat's reaction, picture and sound alone (a quiet chat), or a person. */
  origin: z.enum(["chat", "screen", "mark"]),
  /** Where a clip of it begins and ends: 15–60 s. */
  startMs: z.int(),
  endMs: z.int(),
  /** When it happened on screen: chat's onset minus the lag, or the sound's or picture's own onset where one stands out. */
  onsetMs: z.int(),
  peakMs: z.int(),
  /** When chat began to react; null where chat said nothing. */
  chatOnsetMs: z.int().nullable(),
  /** The lag that was used, ± its uncertainty, and whether it was learned or is the prior. */
  lagMs: z.int(),
  lagErrorMs: z.int(),
  lagLearned: z.boolean(),
  /** What `startMs` and `endMs` were moved to. */
  startSnap: z.enum(["cut", "silence"]).nullable(),
  endSnap: z.enum(["cut", "silence"]).nullable(),
  /** 0–100. */
  score: z.number(),
  /** The emote, mood or words that led, for a title; empty where there is none. */
  subject: z.string(),
  /** Numbers from each sense, by name: `chat.times`, `chat.chatters`, `sound.aboveUsual`, `picture.cutsPerMin` … The list is in docs/moments.md. */
  reasons: z.record(z.string(), z.number()),
  senses: z.object({
    chat: z.enum(SENSE_STATES),
    picture: z.enum(SENSE_STATES),
    sound: z.enum(SENSE_STATES),
    model: z.enum(SENSE_STATES),
  }),
  /** Marks inside it. */
  marks: z.array(z.string()),
  /** When this version was said, in the log's event time. */
  detectedAtMs: z.int(),
});
export type Moment = z.infer<typeof moment>;
export const moments = defineEvent("moment.found", "partition", z.array(moment));

/** How long after something on screen this channel's chat reacts, as learned. Columns of `reaction_lags`. */
export const reactionLag = z.object({
  /** `<channelId>:<atMs>` */
  id: z.string(),
  channelId,
  atMs: z.int(),
  lagMs: z.int(),
  /** Half-width of the 80 % interval. */
  errorMs: z.int(),
  learned: z.boolean(),
  /** Reactions that it was learned from. */
  pairs: z.int(),
});
export type ReactionLag = z.infer<typeof reactionLag>;
export const reactionLags = defineEvent("moment.lag", "partition", z.array(reactionLag));

/** KV bucket of what people decided about moments; key: `momentKey`. Their word stands over later versions. */
export const DECISIONS_BUCKET = "moment_decisions";
export const momentDecision = z.object({
  momentId: z.string(),
  channelId,
  login,
  /** Null: nothing (any more). */
  verdict: z.enum(["kept", "discarded"]).nullable(),
  /** Where a person put the ends; null: where the machine did. */
  startMs: z.int().nullable(),
  endMs: z.int().nullable(),
  by: z.string(),
  atMs: z.int(),
});
export type MomentDecision = z.infer<typeof momentDecision>;
/** KV keys may not hold ':'. */
export const momentKey = (momentId: string): string => momentId.replaceAll(":", ".");
