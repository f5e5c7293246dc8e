import type { Who } from "./directory.ts";
import { tagLine } from "./wire.ts";

export interface RoomSettings {
  /** Seconds; null: off. */
  readonly slowS: number | null;
  /** Minutes; 0: any follower; null: off. */
  readonly followersMin: number | null;
  readonly subscribers: boolean;
  readonly emoteOnly: boolean;
  readonly uniqueChat: boolean;
}
export const OPEN_ROOM: RoomSettings = {
  slowS: null,
  followersMin: null,
  subscribers: false,
  emoteOnly: false,
  uniqueChat: false,
};

export interface HeldLine {
  readonly messageId: string;
  readonly target: Who;
  readonly text: string;
  readonly category: string;
  readonly level: number;
  /** `[first, last]`, as AutoMod counts. */
  readonly span: readonly [number, number];
  readonly heldAtMs: number;
}

/** Something that moderation did, whoever did it: a person of the script or whoever signed in. */
export type Deed = {
  readonly channel: Who;
  readonly atMs: number;
  /** Null: nobody, or Twitch itself. */
  readonly by: Who | null;
} & What;
type What =
  | { readonly action: "ban"; readonly target: Who; readonly reason: string }
  | { readonly action: "timeout"; readonly target: Who; readonly reason: string; readonly durationS: number }
  | { readonly action: "unban" | "untimeout"; readonly target: Who }
  | { readonly action: "delete"; readonly target: Who; readonly messageId: string; readonly text: string }
  | { readonly action: "clear" }
  | { readonly action: "warn"; readonly target: Who; readonly reason: string }
  | { readonly action: "warning_acknowledge"; readonly target: Who }
  | { readonly action: "settings"; readonly before: RoomSettings; readonly after: RoomSettings }
  | { readonly action: "shield"; readonly on: boolean }
  | { readonly action: "hold"; readonly line: HeldLine }
  | { readonly action: "decide"; readonly line: HeldLine; readonly status: "approved" | "denied" | "expired" }
  | {
      readonly action: "suspicious";
      readonly target: Who;
      readonly messageId: string;
      readonly text: string;
      readonly status: "none" | "active_monitoring" | "restricted";
      readonly types: readonly string[];
      readonly evasion: "unknown" | "possible" | "likely";
    }
  | { readonly action: "trust"; readonly target: Who; readonly status: string }
  | {
      readonly action: "unban_request";
      readonly target: Who;
      readonly request: string;
      readonly text: string;
    }
  | {
      readonly action: "unban_request_resolved";
      readonly target: Who;
      readonly request: string;
      readonly text: string;
      readonly approved: boolean;
    };

// ── in chat ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How chat (IRC) tells it; much of moderation it never tells. */
export function chatLinesOf(deed: Deed, shiftMs = 0): string[] {
  const { channel } = deed;
  const server = ":tmi.twitch.tv";
  const time = { "room-id": channel.userId, "tmi-sent-ts": String(deed.atMs + shiftMs) };
  switch (deed.action) {
    case "ban":
    case "timeout": {
      const duration = deed.action === "timeout" ? { "ban-duration": String(deed.durationS) } : {};
      const tags = tagLine({ ...duration, ...time, "target-user-id": deed.target.userId });
      return [`${tags} ${server} CLEARCHAT #${channel.login} :${deed.target.login}`];
    }
    case "clear":
      return [`${tagLine(time)} ${server} CLEARCHAT #${channel.login}`];
    case "delete": {
      // Twitch leaves room-id of CLEARMSG empty.
      const tags = tagLine({
        login: deed.target.login,
        ...time,
        "room-id": "",
        "target-msg-id": deed.messageId,
      });
      return [`${tags} ${server} CLEARMSG #${channel.login} :${deed.text}`];
    }
    case "settings": {
      const [before, after] = [roomTags(deed.before), roomTags(deed.after)];
      const changed = Object.entries(after).filter(([name, value]) => before[name] !== value);
      return changed.map(
        ([name, value]) =>
          `${tagLine({ "room-id": channel.userId, [name]: value })} ${server} ROOMSTATE #${channel.login}`,
      );
    }
    case "decide":
      return deed.status === "approved" ? [releasedLine(deed.line, channel, deed.atMs + shiftMs)] : [];
    default:
      return [];
  }
}

export const roomTags = (settings: RoomSettings): Record<string, string> => ({
  "emote-only": settings.emoteOnly ? "1" : "0",
  "followers-only": String(settings.followersMin ?? -1),
  r9k: settings.uniqueChat ? "1" : "0",
  slow: String(settings.slowS ?? 0),
  "subs-only": settings.subscribers ? "1" : "0",
});

/** A line that was held comes into chat when it is let through, with the id that it had. */
function releasedLine(line: HeldLine, channel: Who, sentAtMs: number): string {
  const { login } = line.target;
  const tags = tagLine({
    "badge-info": "",
    badges: "",
    color: "",
    "display-name": line.target.name,
    emotes: "",
    "first-msg": "0",
    flags: "",
    id: line.messageId,
    mod: "0",
    "returning-chatter": "0",
    "room-id": channel.userId,
    subscriber: "0",
    "tmi-sent-ts": String(sentAtMs),
    turbo: "0",
    "user-id": line.target.userId,
    "user-type": "",
  });
  return `${tags} :${login}!${login}@${login}.tmi.twitch.tv PRIVMSG #${channel.login} :${line.text}`;
}

// ── over EventSub ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Told {
  readonly type: string;
  readonly version: string;
  readonly event: object;
}

const named = (prefix: string, who: Who | null): Record<string, string | null> => ({
  [`${prefix}user_id`]: who?.userId ?? null,
  [`${prefix}user_login`]: who?.login ?? null,
  [`${prefix}user_name`]: who?.name ?? null,
});
const iso = (ms: number): string => new Date(ms).toISOString().replace("Z", "000001Z");

/** `channel.moderate` v2 names every action's part, and all but one are null. */
const MODERATE_PARTS =
  "followers slow vip unvip mod unmod ban unban timeout untimeout raid unraid delete automod_terms unban_request warn shared_chat_ban shared_chat_unban shared_chat_timeout shared_chat_untimeout shared_chat_delete".split(
    " ",
  );
function moderate(deed: Deed, action: string, part: object | null): Told {
  return {
    type: "channel.moderate",
    version: "2",
    event: {
      ...named("broadcaster_", deed.channel),
      source_broadcaster_user_id: null,
      source_broadcaster_user_login: null,
      source_broadcaster_user_name: null,
      ...named("moderator_", deed.by ?? deed.channel),
      action,
      ...Object.fromEntries(MODERATE_PARTS.map((name) => [name, null])),
      ...(part === null ? {} : { [action.replace(/^(?:approve|deny)_/, "")]: part }),
    },
  };
}

/** Every subscription that tells of it, as Twitch's: the same act comes under several names. */
export function notificationsOf(deed: Deed): Told[] {
  const channel = named("broadcaster_", deed.channel);
  const moderator = named("moderator_", deed.by);
  const plain = (type: string, event: object, version = "1"): Told => ({
    type,
    version,
    event: { ...channel, ...event },
  });
  switch (deed.action) {
    case "ban":
    case "timeout": {
      const endsAt = deed.action === "timeout" ? iso(deed.atMs + deed.durationS * 1000) : null;
      const target = named("", deed.target);
      return [
        moderate(deed, deed.action, {
          ...target,
          reason: deed.reason,
          ...(endsAt === null ? {} : { expires_at: endsAt }),
        }),
        plain("channel.ban", {
          ...target,
          ...moderator,
          reason: deed.reason,
          banned_at: iso(deed.atMs),
          ends_at: endsAt,
          is_permanent: endsAt === null,
        }),
        plain("channel.chat.clear_user_messages", named("target_", deed.target)),
      ];
    }
    case "unban":
    case "untimeout": {
      const target = named("", deed.target);
      return [moderate(deed, deed.action, target), plain("channel.unban", { ...target, ...moderator })];
    }
    case "delete":
      return [
        plain("channel.chat.message_delete", {
          ...named("target_", deed.target),
          message_id: deed.messageId,
        }),
        moderate(deed, "delete", {
          ...named("", deed.target),
          message_id: deed.messageId,
          message_body: deed.text,
        }),
      ];
    case "clear":
      return [plain("channel.chat.clear", {}), moderate(deed, "clear", null)];
    case "warn": {
      const target = named("", deed.target);
      const words = { reason: deed.reason, chat_rules_cited: null };
      return [
        moderate(deed, "warn", { ...target, ...words }),
        plain("channel.warning.send", { ...target, ...moderator, ...words }),
      ];
    }
    case "warning_acknowledge":
      return [plain("channel.warning.acknowledge", named("", deed.target))];
    case "settings":
      return [...settingsTold(deed), plain("channel.chat_settings.update", settingsEvent(deed.after))];
    case "shield":
      return [
        deed.on
          ? plain("channel.shield_mode.begin", { ...moderator, started_at: iso(deed.atMs) })
          : plain("channel.shield_mode.end", { ...moderator, ended_at: iso(deed.atMs) }),
      ];
    case "hold":
      return [plain("automod.message.hold", heldEvent(deed.line), "2")];
    case "decide":
      return [
        plain("automod.message.update", { ...heldEvent(deed.line), ...moderator, status: deed.status }, "2"),
      ];
    case "suspicious":
      return [
        plain("channel.suspicious_user.message", {
          ...named("", deed.target),
          low_trust_status: deed.status,
          shared_ban_channel_ids: null,
          types: deed.types,
          ban_evasion_evaluation: deed.evasion,
          message: {
            message_id: deed.messageId,
            text: deed.text,
            fragments: [{ type: "text", text: deed.text, cheermote: null, emote: null }],
          },
        }),
      ];
    case "trust":
      return [
        plain("channel.suspicious_user.update", {
          ...named("", deed.target),
          ...moderator,
          low_trust_status: deed.status,
        }),
      ];
    case "unban_request":
      return [
        plain("channel.unban_request.create", {
          ...named("", deed.target),
          id: deed.request,
          text: deed.text,
          created_at: iso(deed.atMs),
        }),
      ];
    case "unban_request_resolved":
      return [
        moderate(deed, deed.approved ? "approve_unban_request" : "deny_unban_request", {
          ...named("", deed.target),
          is_approved: deed.approved,
          moderator_message: deed.text,
        }),
        plain("channel.unban_request.resolve", {
          ...named("", deed.target),
          ...moderator,
          id: deed.request,
          resolution_text: deed.text,
          status: deed.approved ? "approved" : "denied",
        }),
      ];
  }
}

function settingsTold(deed: Deed & { readonly action: "settings" }): Told[] {
  const { before, after } = deed;
  const told: Told[] = [];
  if (before.slowS !== after.slowS)
    told.push(
      after.slowS === null
        ? moderate(deed, "slowoff", null)
        : moderate(deed, "slow", { wait_time_seconds: after.slowS }),
    );
  if (before.followersMin !== after.followersMin)
    told.push(
      after.followersMin === null
        ? moderate(deed, "followersoff", null)
        : moderate(deed, "followers", { follow_duration_minutes: after.followersMin }),
    );
  const switched = [
    ["subscribers", before.subscribers, after.subscribers],
    ["emoteonly", before.emoteOnly, after.emoteOnly],
    ["uniquechat", before.uniqueChat, after.uniqueChat],
  ] as const;
  for (const [name, was, is] of switched)
    if (was !== is) told.push(moderate(deed, is ? name : `${name}off`, null));
  return told;
}

const settingsEvent = (settings: RoomSettings): object => ({
  emote_mode: settings.emoteOnly,
  follower_mode: settings.followersMin !== null,
  follower_mode_duration_minutes: settings.followersMin,
  slow_mode: settings.slowS !== null,
  slow_mode_wait_time_seconds: settings.slowS,
  subscriber_mode: settings.subscribers,
  unique_chat_mode: settings.uniqueChat,
});

const heldEvent = (line: HeldLine): object => ({
  ...named("", line.target),
  message_id: line.messageId,
  message: {
    text: line.text,
    fragments: [{ type: "text", text: line.text, cheermote: null, emote: null }],
  },
  reason: "automod",
  automod: {
    category: line.category,
    level: line.level,
    boundaries: [{ start_pos: line.span[0], end_pos: line.span[1] }],
  },
  blocked_term: null,
  held_at: iso(line.heldAtMs),
});
