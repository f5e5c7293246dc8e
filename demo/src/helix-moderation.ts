import type { Answer } from "./answer.ts";
import type { RoomSettings } from "./deeds.ts";
import { channels, createdAtMs, whoHasId, type Moderators, type Who } from "./directory.ts";
import type { ModerationFault } from "./faults.ts";
import type { Access } from "./grants.ts";
import type { Rooms } from "./rooms.ts";

export interface ModerationCall {
  readonly method: string;
  /** After /helix/. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** Null: the application's own token. */
  readonly access: Access | null;
}
export interface ModerationWorld {
  readonly rooms: Rooms;
  readonly moderators: Moderators;
  /** Accounts that are gone from Twitch. */
  readonly gone: ReadonlySet<string>;
  readonly now: () => number;
}

export const problem = (status: number, error: string, message: string): Answer => ({
  status,
  json: { error, status, message },
});
const bad = (message: string): Answer => problem(400, "Bad Request", message);
const ok = (data: readonly object[]): Answer => ({ status: 200, json: { data } });
const DONE: Answer = { status: 204, body: "" };

const MOST_TIMEOUT_S = 1_209_600;

interface Place {
  readonly channel: Who;
  readonly by: Who;
}
interface Route {
  /** Any one of them. */
  readonly scopes: readonly string[];
  readonly answer: (call: ModerationCall, place: Place, world: ModerationWorld) => Answer;
}

/** Calls about a channel in the name of a moderator: `broadcaster_id` and `moderator_id` say whose. */
const routes: Readonly<Record<string, Route>> = {
  "POST moderation/bans": { scopes: ["moderator:manage:banned_users"], answer: ban },
  "DELETE moderation/bans": { scopes: ["moderator:manage:banned_users"], answer: unban },
  "DELETE moderation/chat": { scopes: ["moderator:manage:chat_messages"], answer: deleteLines },
  "POST moderation/warnings": { scopes: ["moderator:manage:warnings"], answer: warn },
  "GET chat/settings": {
    scopes: ["moderator:read:chat_settings", "moderator:manage:chat_settings"],
    answer: (_call, place, { rooms }) => ok([settingsRow(place, rooms.settings(place.channel.userId))]),
  },
  "PATCH chat/settings": { scopes: ["moderator:manage:chat_settings"], answer: changeSettings },
  "GET moderation/shield_mode": {
    scopes: ["moderator:read:shield_mode", "moderator:manage:shield_mode"],
    answer: (_call, place, { rooms }) => ok([shieldRow(place, rooms.shield(place.channel.userId))]),
  },
  "PUT moderation/shield_mode": { scopes: ["moderator:manage:shield_mode"], answer: switchShield },
};

/** Null: not one of ours. */
export function moderation(call: ModerationCall, world: ModerationWorld): Answer | null {
  const name = `${call.method} ${call.path}`;
  switch (name) {
    case "POST moderation/automod/message":
      return decide(call, world);
    case "GET moderation/banned":
      return banned(call, world);
    case "GET moderation/channels":
      return moderatedChannels(call, world);
    default:
  }
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route === undefined) return null;
  const place = placeOf(call, route.scopes, world);
  return "status" in place ? place : route.answer(call, place, world);
}

/** What a fault makes of a call that changes something: before it is done, or after. */
export function withFault(fault: ModerationFault, done: () => Answer, nowMs: number): Answer {
  switch (fault.mode) {
    case "limited":
      return {
        ...problem(429, "Too Many Requests", "You have exceeded your request limit"),
        headers: {
          "Ratelimit-Limit": "800",
          "Ratelimit-Remaining": "0",
          "Ratelimit-Reset": String(Math.ceil((nowMs + fault.resetMs) / 1000)),
        },
      };
    case "busy":
      return problem(
        409,
        "Conflict",
        "You may not update the user's ban state while someone else is updating the state. Please retry your request.",
      );
    case "error":
      return problem(500, "Internal Server Error", "");
    case "done_unanswered":
      done();
      return { status: 0, hang: true };
    case "undone_unanswered":
      return { status: 0, hang: true };
  }
}

function userOf({ access }: ModerationCall, scopes: readonly string[]): Who | Answer {
  if (access === null) return problem(401, "Unauthorized", "Missing User OAUTH Token");
  if (!scopes.some((scope) => access.scopes.includes(scope)))
    return problem(401, "Unauthorized", `Missing scope: ${scopes.join(" or ")}`);
  return whoHasId(access.userId) ?? problem(401, "Unauthorized", "Invalid OAuth token");
}

function placeOf(call: ModerationCall, scopes: readonly string[], world: ModerationWorld): Place | Answer {
  const by = userOf(call, scopes);
  if ("status" in by) return by;
  const broadcaster = call.query.get("broadcaster_id") ?? "";
  if (broadcaster === "") return bad("The broadcaster_id query parameter is required.");
  const channel = channels.get(broadcaster);
  if (channel === undefined) return bad("The ID in broadcaster_id was not found.");
  if (call.query.get("moderator_id") !== by.userId)
    return problem(
      401,
      "Unauthorized",
      "The ID in moderator_id must match the user ID found in the request's OAuth token.",
    );
  if (!world.moderators.may(channel.userId, by.userId))
    return problem(403, "Forbidden", "The user in moderator_id is not one of the broadcaster's moderators.");
  return { channel, by };
}

type Body = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);
function bodyOf(json: string): Body {
  try {
    const body: unknown = JSON.parse(json);
    return isObject(body) ? body : {};
  } catch {
    return {};
  }
}
const dataOf = (json: string): Body => {
  const { data } = bodyOf(json);
  return isObject(data) ? data : {};
};
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function targetOf(id: string, world: ModerationWorld): Who | Answer {
  if (id === "") return bad("The user_id field is required.");
  const who = whoHasId(id);
  return who === null || world.gone.has(id)
    ? bad("The user specified in the user_id field was not found.")
    : who;
}
const isProtected = (channel: Who, target: Who, world: ModerationWorld): boolean =>
  world.moderators.may(channel.userId, target.userId);

function ban(call: ModerationCall, { channel, by }: Place, world: ModerationWorld): Answer {
  const data = dataOf(call.body);
  const target = targetOf(textOf(data["user_id"]), world);
  if ("status" in target) return target;
  const { duration } = data;
  if (
    duration !== undefined &&
    !(Number.isInteger(duration) && Number(duration) >= 1 && Number(duration) <= MOST_TIMEOUT_S)
  )
    return bad("The value in the duration field is not valid; it must be from 1 to 1209600.");
  const reason = textOf(data["reason"]);
  if (reason.length > 500) return bad("The text in the reason field is too long.");
  if (isProtected(channel, target, world))
    return bad(
      duration === undefined
        ? "The user specified in the user_id field may not be banned."
        : "The user specified in the user_id field may not be put in a timeout.",
    );
  if (world.rooms.ban(channel.userId, target.userId)?.untilMs === null)
    return bad("The user specified in the user_id field is already banned.");
  const atMs = world.now();
  const deed = { channel, by, atMs, target, reason };
  world.rooms.do(
    duration === undefined
      ? { ...deed, action: "ban" }
      : { ...deed, action: "timeout", durationS: Number(duration) },
  );
  return ok([
    {
      broadcaster_id: channel.userId,
      moderator_id: by.userId,
      user_id: target.userId,
      created_at: new Date(atMs).toISOString(),
      end_time: duration === undefined ? null : new Date(atMs + Number(duration) * 1000).toISOString(),
    },
  ]);
}

function unban(call: ModerationCall, { channel, by }: Place, world: ModerationWorld): Answer {
  const target = targetOf(call.query.get("user_id") ?? "", world);
  if ("status" in target) return target;
  const before = world.rooms.ban(channel.userId, target.userId);
  if (before === null) return bad("The user specified in the user_id query parameter is not banned.");
  const action = before.untilMs === null ? "unban" : "untimeout";
  world.rooms.do({ channel, by, atMs: world.now(), action, target });
  return DONE;
}

function deleteLines(call: ModerationCall, { channel, by }: Place, world: ModerationWorld): Answer {
  const messageId = call.query.get("message_id");
  const base = { channel, by, atMs: world.now() };
  if (messageId === null) {
    world.rooms.do({ ...base, action: "clear" });
    return DONE;
  }
  const line = world.rooms.line(channel.userId, messageId);
  if (line === null || world.gone.has(line.author.userId))
    return problem(404, "Not Found", "The ID in message_id was not found.");
  if (isProtected(channel, line.author, world) && by.userId !== channel.userId)
    return bad("You may not delete another moderator's or the broadcaster's messages.");
  world.rooms.do({ ...base, action: "delete", target: line.author, messageId, text: line.text });
  return DONE;
}

function warn(call: ModerationCall, { channel, by }: Place, world: ModerationWorld): Answer {
  const data = dataOf(call.body);
  const target = targetOf(textOf(data["user_id"]), world);
  if ("status" in target) return target;
  const reason = textOf(data["reason"]);
  if (reason === "" || reason.length > 500)
    return bad("The reason field is required and cannot be longer than 500 characters.");
  if (isProtected(channel, target, world))
    return bad("The user specified in the user_id field may not be warned.");
  world.rooms.do({ channel, by, atMs: world.now(), action: "warn", target, reason });
  return ok([{ broadcaster_id: channel.userId, moderator_id: by.userId, user_id: target.userId, reason }]);
}

function decide(call: ModerationCall, world: ModerationWorld): Answer {
  const by = userOf(call, ["moderator:manage:automod"]);
  if ("status" in by) return by;
  const body = bodyOf(call.body);
  if (textOf(body["user_id"]) !== by.userId)
    return problem(
      401,
      "Unauthorized",
      "The ID in user_id must match the user ID found in the request's OAuth token.",
    );
  const action = textOf(body["action"]);
  if (action !== "ALLOW" && action !== "DENY") return bad("The value in the action field is not valid.");
  const messageId = textOf(body["msg_id"]);
  const channel = channels.get(world.rooms.heldIn(messageId) ?? "");
  const held = channel === undefined ? null : world.rooms.held(channel.userId, messageId);
  if (channel === undefined || held === null)
    return problem(404, "Not Found", "The message specified in the msg_id field was not found.");
  if (!world.moderators.may(channel.userId, by.userId))
    return problem(403, "Forbidden", "The user is not one of the broadcaster's moderators.");
  if (held.status !== "held") return bad("The message specified in the msg_id field was already processed.");
  const status = action === "ALLOW" ? "approved" : "denied";
  world.rooms.do({ channel, by, atMs: world.now(), action: "decide", line: held.line, status });
  return DONE;
}

function changeSettings(call: ModerationCall, place: Place, world: ModerationWorld): Answer {
  const { channel, by } = place;
  const body = bodyOf(call.body);
  const before = world.rooms.settings(channel.userId);
  const numberIn = (name: string, least: number, most: number, otherwise: number): number | null => {
    const value = body[name] ?? otherwise;
    return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
      ? value
      : null;
  };
  const slowS = numberIn("slow_mode_wait_time", 3, 120, before.slowS ?? 30);
  const followersMin = numberIn("follower_mode_duration", 0, 129_600, before.followersMin ?? 0);
  if (slowS === null) return bad("The value in slow_mode_wait_time is not valid; it must be from 3 to 120.");
  if (followersMin === null)
    return bad("The value in follower_mode_duration is not valid; it must be from 0 to 129600.");
  const flag = (name: string, otherwise: boolean): boolean =>
    typeof body[name] === "boolean" ? body[name] : otherwise;
  const after: RoomSettings = {
    slowS: flag("slow_mode", before.slowS !== null) ? slowS : null,
    followersMin: flag("follower_mode", before.followersMin !== null) ? followersMin : null,
    subscribers: flag("subscriber_mode", before.subscribers),
    emoteOnly: flag("emote_mode", before.emoteOnly),
    uniqueChat: flag("unique_chat_mode", before.uniqueChat),
  };
  if (JSON.stringify(after) !== JSON.stringify(before))
    world.rooms.do({ channel, by, atMs: world.now(), action: "settings", before, after });
  return ok([settingsRow(place, after)]);
}

const settingsRow = ({ channel, by }: Place, settings: RoomSettings): object => ({
  broadcaster_id: channel.userId,
  moderator_id: by.userId,
  slow_mode: settings.slowS !== null,
  slow_mode_wait_time: settings.slowS,
  follower_mode: settings.followersMin !== null,
  follower_mode_duration: settings.followersMin,
  subscriber_mode: settings.subscribers,
  emote_mode: settings.emoteOnly,
  unique_chat_mode: settings.uniqueChat,
  non_moderator_chat_delay: false,
  non_moderator_chat_delay_duration: null,
});

function switchShield(call: ModerationCall, place: Place, world: ModerationWorld): Answer {
  const active = bodyOf(call.body)["is_active"];
  if (typeof active !== "boolean") return bad("The is_active field is required.");
  const { channel, by } = place;
  if (active !== world.rooms.shield(channel.userId))
    world.rooms.do({ channel, by, atMs: world.now(), action: "shield", on: active });
  return ok([shieldRow(place, active)]);
}
const shieldRow = ({ by }: Place, active: boolean): object => ({
  is_active: active,
  moderator_id: by.userId,
  moderator_login: by.login,
  moderator_name: by.name,
  last_activated_at: "",
});

/** Twitch tells the broadcaster alone. */
function banned(call: ModerationCall, world: ModerationWorld): Answer {
  const by = userOf(call, ["moderation:read", "moderator:manage:banned_users"]);
  if ("status" in by) return by;
  if (call.query.get("broadcaster_id") !== by.userId)
    return problem(
      401,
      "Unauthorized",
      "The ID in broadcaster_id must match the user ID found in the request's OAuth token.",
    );
  const asked = call.query.getAll("user_id");
  if (asked.length > 100) return bad("The maximum number of user_id query parameters was exceeded: 100");
  const found = world.rooms
    .bans(by.userId)
    .filter(({ target }) => asked.length === 0 || asked.includes(target.userId));
  return {
    status: 200,
    json: {
      data: found.map(({ target, by: moderator, reason, atMs, untilMs }) => ({
        user_id: target.userId,
        user_login: target.login,
        user_name: target.name,
        expires_at: untilMs === null ? "" : new Date(untilMs).toISOString(),
        created_at: new Date(atMs).toISOString(),
        reason,
        moderator_id: moderator.userId,
        moderator_login: moderator.login,
        moderator_name: moderator.name,
      })),
      pagination: {},
    },
  };
}

function moderatedChannels(call: ModerationCall, world: ModerationWorld): Answer {
  const by = userOf(call, ["user:read:moderated_channels"]);
  if ("status" in by) return by;
  if (call.query.get("user_id") !== by.userId)
    return problem(
      401,
      "Unauthorized",
      "The ID in user_id must match the user ID found in the request's OAuth token.",
    );
  return {
    status: 200,
    json: {
      data: world.moderators.of(by.userId).map((channel) => ({
        broadcaster_id: channel.userId,
        broadcaster_login: channel.login,
        broadcaster_name: channel.name,
      })),
      pagination: {},
    },
  };
}

/** A row of GET /users for anybody who has an account; null: nobody has, or it is gone. */
export function userRow(who: Who, nowMs: number): object {
  return {
    id: who.userId,
    login: who.login,
    display_name: who.name,
    type: "",
    broadcaster_type: "",
    description: "",
    profile_image_url: "",
    offline_image_url: "",
    view_count: 0,
    created_at: new Date(createdAtMs(who.userId, nowMs)).toISOString().replace(/\.\d+Z/, "Z"),
  };
}
