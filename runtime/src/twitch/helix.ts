import { z } from "zod";
import type { Config } from "../config.ts";
import type { TwitchAnswer } from "./answer.ts";
import { call, type Call } from "./call.ts";

/** Who acts where: `token` belongs to `userId`, who is the broadcaster of `channelId` or moderates it. */
export interface Acting {
  readonly channelId: string;
  readonly userId: string;
  readonly token: string;
}

export interface ChatSettings {
  /** Seconds between two lines of one chatter; null: off. */
  readonly slowS: number | null;
  /** Minutes that one must have followed; 0: any follower; null: off. */
  readonly followersMin: number | null;
  readonly subscribers: boolean;
  readonly emoteOnly: boolean;
  readonly uniqueChat: boolean;
}

export interface BannedUser {
  readonly userId: string;
  readonly login: string;
  /** Null: for good. */
  readonly untilMs: number | null;
  readonly reason: string;
  readonly moderatorId: string;
  readonly moderatorLogin: string;
}

export interface TwitchUser {
  readonly userId: string;
  readonly login: string;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface EventSubSubscription {
  readonly id: string;
  readonly type: string;
  readonly version: string;
  /** `enabled`, or why not. */
  readonly status: string;
  readonly cost: number;
  readonly condition: Readonly<Record<string, string>>;
  readonly sessionId: string;
}
export interface EventSubCost {
  readonly total: number;
  readonly totalCost: number;
  readonly maxTotalCost: number;
}

/** Twitch's own limits: what is longer is cut here, since Twitch would refuse it. */
const REASON_LENGTH = 500;
export const TIMEOUT_MOST_S = 1_209_600;
const PER_CALL = 100;

const many = <Row extends z.ZodType>(row: Row) =>
  z.object({ data: z.array(row), pagination: z.object({ cursor: z.string().optional() }).optional() });
const settingsRow = z.object({
  slow_mode: z.boolean(),
  slow_mode_wait_time: z.int().nullish(),
  follower_mode: z.boolean(),
  follower_mode_duration: z.int().nullish(),
  subscriber_mode: z.boolean(),
  emote_mode: z.boolean(),
  unique_chat_mode: z.boolean(),
});
const bannedRow = z.object({
  user_id: z.string(),
  user_login: z.string(),
  expires_at: z.string(),
  reason: z.string(),
  moderator_id: z.string(),
  moderator_login: z.string(),
});
const userRow = z.object({
  id: z.string(),
  login: z.string(),
  display_name: z.string(),
  created_at: z.string(),
});
const channelRow = z.object({ broadcaster_id: z.string(), broadcaster_login: z.string() });
const subscriptionRow = z.object({
  id: z.string(),
  type: z.string(),
  version: z.string(),
  status: z.string(),
  cost: z.number(),
  condition: z.record(z.string(), z.string()),
  transport: z.object({ session_id: z.string().optional() }),
});
const subscriptions = many(subscriptionRow).extend({
  total: z.number(),
  total_cost: z.number(),
  max_total_cost: z.number(),
});

/** Moderation at Twitch, in the name of one account. Every call answers with a `TwitchAnswer` and never throws. */
export interface HelixModeration {
  /** `not_found`: gone already, or older than six hours. `refused`: a moderator's or the broadcaster's line. */
  deleteMessage(as: Acting, messageId: string): Promise<TwitchAnswer>;
  /** `durationS` null: for good. A second timeout replaces the first; a second ban is a `conflict`. */
  ban(as: Acting, target: string, durationS: number | null, reason: string): Promise<TwitchAnswer>;
  /** Takes back a ban or a timeout. `conflict`: there was none. */
  unban(as: Acting, target: string): Promise<TwitchAnswer>;
  /** The chatter must acknowledge it before writing again. Twitch wants a reason. */
  warn(as: Acting, target: string, reason: string): Promise<TwitchAnswer>;
  /** Lets a line that AutoMod holds through, or not. `conflict`: decided already. */
  autoMod(as: Acting, messageId: string, action: "ALLOW" | "DENY"): Promise<TwitchAnswer>;
  chatSettings(as: Acting): Promise<TwitchAnswer<ChatSettings>>;
  setChatSettings(as: Acting, change: Partial<ChatSettings>): Promise<TwitchAnswer<ChatSettings>>;
  shield(as: Acting): Promise<TwitchAnswer<boolean>>;
  setShield(as: Acting, active: boolean): Promise<TwitchAnswer<boolean>>;
  /** Whether these are banned or timed out now: what became of a doubtful act. Twitch tells the broadcaster's own token alone. */
  banned(as: Acting, targets: readonly string[]): Promise<TwitchAnswer<BannedUser[]>>;
  /** Accounts by id, with when they were made; who is gone is missing. At most 100. */
  users(token: string, ids: readonly string[]): Promise<TwitchAnswer<TwitchUser[]>>;
  /** Channels in which the token's user moderates; their own is not among them. */
  moderatedChannels(
    token: string,
    userId: string,
  ): Promise<TwitchAnswer<{ channelId: string; login: string }[]>>;
  subscribe(
    token: string,
    asked: { type: string; version: string; condition: Record<string, string>; sessionId: string },
  ): Promise<TwitchAnswer<EventSubSubscription & EventSubCost>>;
  subscriptions(token: string): Promise<TwitchAnswer<EventSubCost & { list: EventSubSubscription[] }>>;
  unsubscribe(token: string, id: string): Promise<TwitchAnswer>;
}

export function helixModeration(
  config: Pick<Config, "TWITCH_HELIX_URL" | "TWITCH_CLIENT_ID">,
): HelixModeration {
  const ask = <Data = null>(
    token: string,
    method: Call<Data>["method"],
    path: string,
    query: Record<string, string | readonly string[]>,
    schema: z.ZodType<Data> | null,
    body?: object,
  ): Promise<TwitchAnswer<Data>> => {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      for (const one of typeof value === "string" ? [value] : value) asked.append(name, one);
    return call({
      url: `${config.TWITCH_HELIX_URL}/${path}${asked.size === 0 ? "" : `?${asked.toString()}`}`,
      method,
      headers: { "client-id": config.TWITCH_CLIENT_ID, authorization: `Bearer ${token}` },
      schema,
      ...(body === undefined ? {} : { body }),
    });
  };
  const place = ({ channelId, userId }: Acting): Record<string, string> => ({
    broadcaster_id: channelId,
    moderator_id: userId,
  });
  const settings = many(settingsRow).transform(({ data }) => settingsOf(data[0]));
  const shieldState = many(z.object({ is_active: z.boolean() })).transform(
    ({ data }) => data[0]?.is_active ?? false,
  );

  /** All pages, `pages` of them at most. */
  const pages = async <Row, Found>(
    token: string,
    path: string,
    query: Record<string, string>,
    row: z.ZodType<Row>,
    made: (row: Row) => Found,
    most = 20,
  ): Promise<TwitchAnswer<Found[]>> => {
    const found: Found[] = [];
    let after: string | undefined;
    for (let page = 0; page < most; page++) {
      const answer = await ask(
        token,
        "GET",
        path,
        { ...query, first: String(PER_CALL), ...(after === undefined ? {} : { after }) },
        many(row),
      );
      if (answer.kind !== "ok") return answer;
      found.push(...answer.data.data.map((one) => made(one)));
      after = answer.data.pagination?.cursor;
      if (after === undefined || after === "") break;
    }
    return { kind: "ok", data: found };
  };

  return {
    deleteMessage: (as, messageId) =>
      ask(as.token, "DELETE", "moderation/chat", { ...place(as), message_id: messageId }, null),
    ban: (as, target, durationS, reason) =>
      ask(as.token, "POST", "moderation/bans", place(as), null, {
        data: {
          user_id: target,
          ...(durationS === null
            ? {}
            : { duration: Math.min(TIMEOUT_MOST_S, Math.max(1, Math.round(durationS))) }),
          reason: reason.slice(0, REASON_LENGTH),
        },
      }),
    unban: (as, target) =>
      ask(as.token, "DELETE", "moderation/bans", { ...place(as), user_id: target }, null),
    warn: (as, target, reason) =>
      ask(as.token, "POST", "moderation/warnings", place(as), null, {
        data: { user_id: target, reason: reason.slice(0, REASON_LENGTH) },
      }),
    autoMod: (as, messageId, action) =>
      ask(as.token, "POST", "moderation/automod/message", {}, null, {
        user_id: as.userId,
        msg_id: messageId,
        action,
      }),
    chatSettings: (as) => ask(as.token, "GET", "chat/settings", place(as), settings),
    setChatSettings: (as, change) =>
      ask(as.token, "PATCH", "chat/settings", place(as), settings, changeOf(change)),
    shield: (as) => ask(as.token, "GET", "moderation/shield_mode", place(as), shieldState),
    setShield: (as, active) =>
      ask(as.token, "PUT", "moderation/shield_mode", place(as), shieldState, { is_active: active }),
    banned: (as, targets) =>
      ask(
        as.token,
        "GET",
        "moderation/banned",
        { broadcaster_id: as.channelId, user_id: targets.slice(0, PER_CALL) },
        many(bannedRow).transform(({ data }) =>
          data.map((row) => ({
            userId: row.user_id,
            login: row.user_login,
            untilMs: row.expires_at === "" ? null : Date.parse(row.expires_at),
            reason: row.reason,
            moderatorId: row.moderator_id,
            moderatorLogin: row.moderator_login,
          })),
        ),
      ),
    users: (token, ids) =>
      ask(
        token,
        "GET",
        "users",
        { id: ids.slice(0, PER_CALL) },
        many(userRow).transform(({ data }) =>
          data.map((row) => ({
            userId: row.id,
            login: row.login,
            name: row.display_name,
            createdAtMs: Date.parse(row.created_at) || 0,
          })),
        ),
      ),
    moderatedChannels: (token, userId) =>
      pages(token, "moderation/channels", { user_id: userId }, channelRow, (row) => ({
        channelId: row.broadcaster_id,
        login: row.broadcaster_login,
      })),
    async subscribe(token, { type, version, condition, sessionId }) {
      const answer = await ask(token, "POST", "eventsub/subscriptions", {}, subscriptions, {
        type,
        version,
        condition,
        transport: { method: "websocket", session_id: sessionId },
      });
      if (answer.kind !== "ok") return answer;
      const [row] = answer.data.data;
      return row === undefined
        ? { kind: "unknown", said: "Twitch says that it subscribed us, and not to what" }
        : { kind: "ok", data: { ...subscriptionOf(row), ...costOf(answer.data) } };
    },
    async subscriptions(token) {
      const answer = await ask(token, "GET", "eventsub/subscriptions", {}, subscriptions);
      return answer.kind !== "ok"
        ? answer
        : { kind: "ok", data: { ...costOf(answer.data), list: answer.data.data.map(subscriptionOf) } };
    },
    unsubscribe: (token, id) => ask(token, "DELETE", "eventsub/subscriptions", { id }, null),
  };
}

const subscriptionOf = (row: z.output<typeof subscriptionRow>): EventSubSubscription => ({
  id: row.id,
  type: row.type,
  version: row.version,
  status: row.status,
  cost: row.cost,
  condition: row.condition,
  sessionId: row.transport.session_id ?? "",
});
const costOf = (answer: { total: number; total_cost: number; max_total_cost: number }): EventSubCost => ({
  total: answer.total,
  totalCost: answer.total_cost,
  maxTotalCost: answer.max_total_cost,
});

const settingsOf = (row: z.output<typeof settingsRow> | undefined): ChatSettings => ({
  slowS: row?.slow_mode === true ? (row.slow_mode_wait_time ?? 0) : null,
  followersMin: row?.follower_mode === true ? (row.follower_mode_duration ?? 0) : null,
  subscribers: row?.subscriber_mode ?? false,
  emoteOnly: row?.emote_mode ?? false,
  uniqueChat: row?.unique_chat_mode ?? false,
});

function changeOf({
  slowS,
  followersMin,
  subscribers,
  emoteOnly,
  uniqueChat,
}: Partial<ChatSettings>): object {
  return {
    ...(slowS === undefined
      ? {}
      : slowS === null
        ? { slow_mode: false }
        : { slow_mode: true, slow_mode_wait_time: Math.min(120, Math.max(3, Math.round(slowS))) }),
    ...(followersMin === undefined
      ? {}
      : followersMin === null
        ? { follower_mode: false }
        : {
            follower_mode: true,
            follower_mode_duration: Math.min(129_600, Math.max(0, Math.round(followersMin))),
          }),
    ...(subscribers === undefined ? {} : { subscriber_mode: subscribers }),
    ...(emoteOnly === undefined ? {} : { emote_mode: emoteOnly }),
    ...(uniqueChat === undefined ? {} : { unique_chat_mode: uniqueChat }),
  };
}
