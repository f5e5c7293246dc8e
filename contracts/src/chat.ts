import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

/**
 * One emote in a line: `[ref, name, first, last]`. `ref` is `<provider>:<id>` (twitch, bttv, ffz, 7tv); positions count
 * code points from 0, both inclusive, as Twitch counts them.
 */
export const lineEmote = z.tuple([z.string(), z.string(), z.int(), z.int()]);
export type LineEmote = z.infer<typeof lineEmote>;

/**
 * One chat message. The same names on the wire, in TypeScript and as columns of `chat_lines`. A field that is absent
 * means its default (empty, false, 0): most lines have few.
 */
export const chatLine = z.object({
  id: z.string(),
  channelId,
  /** Twitch's own clock (`tmi-sent-ts`): event time. */
  sentAtMs: z.int(),
  /** Our clock, when the line left the socket: latency is measured from here. */
  receivedAtMs: z.int().optional(),
  userId: z.string(),
  login: z.string(),
  /** Display name, where it differs from the login. */
  name: z.string().optional(),
  text: z.string(),
  /** Sent with /me. */
  action: z.boolean().optional(),
  /** `subscriber/12,premium/1` as Twitch writes it. */
  badges: z.string().optional(),
  badgeInfo: z.string().optional(),
  /** `#RRGGBB`. */
  color: z.string().optional(),
  emotes: z.array(lineEmote).optional(),
  bits: z.int().optional(),
  firstMessage: z.boolean().optional(),
  returning: z.boolean().optional(),
  replyTo: z.string().optional(),
  replyThread: z.string().optional(),
  /** Shared chat: set where the line was written in another channel; such a line is not counted here. */
  sourceChannelId: z.string().optional(),
  sourceId: z.string().optional(),
  nonce: z.string().optional(),
});
export type ChatLine = z.infer<typeof chatLine>;

/**
 * `chat.lines`: lines of one channel, packed. The message body is NDJSON, one `ChatLine` a row, so that the sink can hand
 * it to ClickHouse as it is; `packLines` and `unpackLines` are the codec. Header `Hypecast-Lines` says how many.
 */
export const chatLines = defineEvent("chat.lines", "channel", z.array(chatLine));
export const LINES_HEADER = "Hypecast-Lines";
/** Hash of the third-party emote sets that were in force when the pack was made. */
export const EMOTE_SET_HEADER = "Hypecast-Emote-Set";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function packLines(lines: readonly ChatLine[]): Uint8Array {
  let body = "";
  for (const line of lines) body += JSON.stringify(line) + "\n";
  return encoder.encode(body);
}

/** Throws SyntaxError on a body that is no NDJSON: the caller dead-letters the message. Fields are not checked here. */
export function unpackLines(body: Uint8Array): ChatLine[] {
  const text = decoder.decode(body);
  const end = text.endsWith("\n") ? text.length - 1 : text.length;
  if (end <= 0) return [];
  const lines: ChatLine[] = JSON.parse(`[${text.slice(0, end).replaceAll("\n", ",")}]`);
  return lines;
}

/** USERNOTICE: something that Twitch says about a viewer. `kind` is Twitch's msg-id for what is not listed by name. */
export const chatNotice = defineEvent(
  "chat.notice",
  "channel",
  z.object({
    id: z.string(),
    channelId,
    sentAtMs: z.int(),
    /** sub, resub, subgift, submysterygift, raid, announcement, sharedchatnotice … as Twitch spells msg-id. */
    kind: z.string(),
    userId: z.string(),
    login: z.string(),
    name: z.string().optional(),
    /** What the viewer wrote with it, if anything. */
    text: z.string().optional(),
    /** Twitch's own sentence. */
    systemText: z.string().optional(),
    /** Raid: viewers that came. Gift bomb: subs given. Otherwise 1. */
    count: z.int().optional(),
    /** The msg-param-* tags, unescaped. */
    params: z.record(z.string(), z.string()).optional(),
  }),
);
export type ChatNotice = z.infer<typeof chatNotice.schema>;

/** CLEARCHAT, CLEARMSG and ROOMSTATE. */
export const chatModeration = defineEvent(
  "chat.moderation",
  "channel",
  z.object({
    id: z.string(),
    channelId,
    sentAtMs: z.int(),
    action: z.enum(["clear", "timeout", "ban", "delete", "room_state"]),
    targetUserId: z.string().optional(),
    targetLogin: z.string().optional(),
    targetMessageId: z.string().optional(),
    /** The deleted line's text, which CLEARMSG repeats. */
    text: z.string().optional(),
    durationS: z.int().optional(),
    /** ROOMSTATE's tags: slow, followers-only, subs-only, emote-only, r9k. */
    room: z.record(z.string(), z.string()).optional(),
  }),
);
export type ChatModeration = z.infer<typeof chatModeration.schema>;

/** The source did not hear the channel from–to: windows of that time are incomplete, not low. */
export const chatGap = defineEvent(
  "chat.gap",
  "channel",
  z.object({
    id: z.string(),
    channelId,
    fromMs: z.int(),
    toMs: z.int(),
    /** `state_reset`: a fold lost its memory of that time (see docs/recovery.md); never on the log. */
    reason: z.enum(["connection_lost", "source_restarted", "paused", "overflow", "replay", "state_reset"]),
  }),
);
export type ChatGap = z.infer<typeof chatGap.schema>;

/**
 * The source's word that it is joined to these channels and has published all it heard before `atMs` (Twitch's clock).
 * The folds have no other clock: silence is known from here, so final values are a function of the log alone.
 * One message a partition and second.
 */
export const chatAlive = defineEvent(
  "chat.alive",
  "partition",
  z.object({ atMs: z.int(), channels: z.array(channelId) }),
);
export type ChatAlive = z.infer<typeof chatAlive.schema>;

/** The last event of an imported stream's channel: after it nothing comes, and the folds forget the channel. */
export const chatEnded = defineEvent(
  "chat.ended",
  "channel",
  z.object({ id: z.string(), channelId, atMs: z.int() }),
);
export type ChatEnded = z.infer<typeof chatEnded.schema>;
