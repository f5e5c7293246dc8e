import { z } from "zod";
import { channelId, login } from "./event.ts";

/** KV bucket of the channels that people asked for; key: login. Survives restarts; every source watches it. */
export const CHANNELS_BUCKET = "channels";
export const wantedChannel = z.object({
  login,
  addedAtMs: z.int(),
  paused: z.boolean(),
  /**
   * Where its picture comes from: an http(s) HLS playlist or a file: path; null: what the settings say for Twitch channels
   * (`TWITCH_VIDEO_COMMAND`), `""`: none.
   */
  video: z.string().max(2000).nullable().default(null),
  /** False: a channel of video alone, which is no Twitch channel. */
  chat: z.boolean().default(true),
  /** Twitch user id of the broadcaster who added it; absent: the operator did. */
  addedBy: z.string().optional(),
});
export type WantedChannel = z.infer<typeof wantedChannel>;

/** The id of a channel of video alone (`chat: false`), which has no number at Twitch. */
export const videoChannelId = (login: string): string => `video-${login}`;
/** The other way; null: an id of another kind. */
export const loginOfVideo = (channelId: string): string | null => /^video-(.+)$/.exec(channelId)?.[1] ?? null;

/** KV bucket of what the source says about each; key: login. Written about once a second while anything changes. */
export const CHANNEL_STATE_BUCKET = "channel_state";

/** `joining` asked, not yet confirmed · `live` hearing chat · `lost` connection gone, trying · the rest say why not. */
export const SOURCE_STATES = [
  "joining",
  "live",
  "lost",
  "paused",
  "not_found",
  "suspended",
  "banned",
  "renamed",
  "token_refused",
  "join_refused",
] as const;

export const emoteProviderState = z.object({
  provider: z.enum(["bttv", "ffz", "7tv"]),
  emotes: z.int(),
  /** When the set in use was fetched; null: never. */
  fetchedAtMs: z.int().nullable(),
  /** Why the last fetch failed; null when it did not. */
  error: z.string().nullable(),
});

/** `off`: no account here moderates the channel · `partial` some of it Twitch does not let us hear (`missing`) · `revoked` Twitch ended it. */
export const eventSubState = z.object({
  state: z.enum(["off", "connecting", "live", "partial", "lost", "refused", "revoked"]),
  /** Twitch's own words, where it gave some. */
  reason: z.string().nullable(),
  sinceMs: z.int(),
  /** The account in whose name moderation is heard. */
  account: z.string().nullable(),
  /** Kinds of events that are not heard. */
  missing: z.array(z.string()),
  /** Until when it has certainly been heard. */
  heardAtMs: z.int().nullable(),
});
export type EventSubState = z.infer<typeof eventSubState>;

export const channelState = z.object({
  login,
  /** Known once Twitch has answered the JOIN or Helix has. */
  channelId: channelId.nullable(),
  name: z.string().nullable(),
  state: z.enum(SOURCE_STATES),
  /** Twitch's own words, where it gave some. */
  reason: z.string().nullable(),
  sinceMs: z.int(),
  /** Attempt number and time of the next one while `lost`. */
  attempt: z.int(),
  nextAttemptAtMs: z.int().nullable(),
  lastLineAtMs: z.int().nullable(),
  /** Until when the source has certainly heard the channel (Twitch's clock). A restart makes its gap from here. */
  aliveAtMs: z.int().nullable(),
  /** Which connection of which process carries it. */
  connection: z.string().nullable(),
  emotes: z.array(emoteProviderState),
  /** Title, game and start, where Helix is configured and the stream is live. */
  stream: z.object({ title: z.string(), game: z.string(), startedAtMs: z.int() }).nullable(),
  /** Moderation as Twitch tells it (EventSub); absent: not looked at yet. */
  eventSub: eventSubState.optional(),
});
export type ChannelState = z.infer<typeof channelState>;

export { loginFrom } from "./login.ts";
export { namedChannel, type Named } from "./wanted.ts";
