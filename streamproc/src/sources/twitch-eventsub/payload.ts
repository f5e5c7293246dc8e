import { z } from "zod";
import { LOGIN } from "@hypecast/contracts/login.ts";
import { MOD_ACTIONS, type ModAction, type ModEvent } from "@hypecast/contracts/mod-event.ts";

/** Longest texts that are kept; Twitch's own limits are shorter. */
const TEXT_LENGTH = 2_000;
const DETAIL_LENGTH = 500;
const TERMS = 50;

const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/);
/** A login that is no login says nothing; the id beside it is what counts. */
const login = z.string().transform((text) => (LOGIN.test(text.toLowerCase()) ? text.toLowerCase() : ""));
const text = z.string().transform((all) => all.slice(0, TEXT_LENGTH));
const maybe = text.nullish().transform((said) => said ?? "");
const short = z.string().transform((all) => all.slice(0, DETAIL_LENGTH));
const time = z.string().transform((written, context) => {
  const ms = Date.parse(written);
  if (!Number.isNaN(ms)) return Math.round(ms);
  context.addIssue({ code: "custom", message: "no time" });
  return z.NEVER;
});
const channel = { broadcaster_user_id: id };
const moderator = { moderator_user_id: id, moderator_user_login: login };
const user = { user_id: id, user_login: login };
const message = z.object({ text });
const terms = z.array(short).transform((all) => all.slice(0, TERMS));

/** What an act says beyond its channel and when it was. */
type Said = Pick<ModEvent, "action" | "atMs"> &
  Partial<Omit<ModEvent, "id" | "channelId" | "heardBy" | "messageId">>;

/** `poor`: another subscription tells the same act with more (by whom, why), a moment before or after. */
interface Reader {
  readonly version: string;
  readonly poor?: true;
  readonly read: (event: unknown, sentAtMs: number) => Said | { readonly unknownAction: string };
}

const reader = <Schema extends z.ZodType>(
  version: string,
  schema: Schema,
  said: (event: z.output<Schema>, sentAtMs: number) => ReturnType<Reader["read"]>,
): Reader => ({ version, read: (event, sentAtMs) => said(schema.parse(event), sentAtMs) });

const by = (event: {
  moderator_user_id: string;
  moderator_user_login: string;
}): Pick<ModEvent, "moderatorId" | "moderatorLogin"> => ({
  moderatorId: event.moderator_user_id,
  moderatorLogin: event.moderator_user_login,
});
const whom = (event: {
  user_id: string;
  user_login: string;
}): Pick<ModEvent, "targetUserId" | "targetLogin"> => ({
  targetUserId: event.user_id,
  targetLogin: event.user_login,
});
const secondsUntil = (endMs: number, atMs: number): number => Math.max(1, Math.round((endMs - atMs) / 1000));

// ── channel.moderate ──────────────────────────────────────────────────────────────────────────────────────────────────

const banned = z.object({ ...user, reason: maybe });
const timedOut = z.object({ ...user, reason: maybe, expires_at: time });
const deleted = z.object({ ...user, message_id: id, message_body: maybe });
const somebody = z.object(user);
const listed = z.object({
  action: short,
  list: short,
  terms,
  from_automod: z.boolean(),
});
const moderate = z.object({
  ...channel,
  ...moderator,
  source_broadcaster_user_id: id.nullish(),
  action: z.string().max(64),
  followers: z.object({ follow_duration_minutes: z.int() }).nullish(),
  slow: z.object({ wait_time_seconds: z.int() }).nullish(),
  vip: somebody.nullish(),
  unvip: somebody.nullish(),
  mod: somebody.nullish(),
  unmod: somebody.nullish(),
  ban: banned.nullish(),
  unban: somebody.nullish(),
  timeout: timedOut.nullish(),
  untimeout: somebody.nullish(),
  raid: z.object({ ...user, viewer_count: z.int() }).nullish(),
  unraid: somebody.nullish(),
  delete: deleted.nullish(),
  automod_terms: listed.nullish(),
  unban_request: z.object({ ...user, is_approved: z.boolean(), moderator_message: maybe }).nullish(),
  warn: z
    .object({
      ...user,
      reason: maybe,
      chat_rules_cited: z
        .array(short)
        .nullish()
        .transform((rules) => rules ?? []),
    })
    .nullish(),
  shared_chat_ban: banned.nullish(),
  shared_chat_unban: somebody.nullish(),
  shared_chat_timeout: timedOut.nullish(),
  shared_chat_untimeout: somebody.nullish(),
  shared_chat_delete: deleted.nullish(),
});
type Moderate = z.output<typeof moderate>;

/** Acts of another channel in a shared chat have names of their own; here they are what they are, with where they were done. */
const SHARED = "shared_chat_";
/** Those of `channel.moderate` that say nothing more. */
const BARE: ReadonlySet<string> = new Set([
  "clear",
  "emoteonly",
  "emoteonlyoff",
  "followersoff",
  "uniquechat",
  "uniquechatoff",
  "slowoff",
  "subscribers",
  "subscribersoff",
]);
const isModAction = (action: string): action is ModAction =>
  (MOD_ACTIONS as readonly string[]).includes(action);

function moderated(event: Moderate, sentAtMs: number): ReturnType<Reader["read"]> {
  const { action } = event;
  const source = event.source_broadcaster_user_id ?? "";
  const base = {
    atMs: sentAtMs,
    ...by(event),
    sourceChannelId: source === event.broadcaster_user_id ? "" : source,
  };
  const bare = action.replace(SHARED, "");
  if (BARE.has(action) && isModAction(action)) return { ...base, action };
  switch (action) {
    case "ban":
    case "shared_chat_ban": {
      const said = given(event[action], action);
      return { ...base, action: "ban", ...whom(said), reason: said.reason };
    }
    case "timeout":
    case "shared_chat_timeout": {
      const said = given(event[action], action);
      return {
        ...base,
        action: "timeout",
        ...whom(said),
        reason: said.reason,
        durationS: secondsUntil(said.expires_at, sentAtMs),
      };
    }
    case "delete":
    case "shared_chat_delete": {
      const said = given(event[action], action);
      return {
        ...base,
        action: "delete",
        ...whom(said),
        targetMessageId: said.message_id,
        text: said.message_body,
      };
    }
    case "unban":
    case "untimeout":
    case "shared_chat_unban":
    case "shared_chat_untimeout":
    case "vip":
    case "unvip":
    case "mod":
    case "unmod":
    case "unraid":
      return { ...base, action: bare as ModAction, ...whom(given(event[action], action)) };
    case "raid": {
      const said = given(event.raid, action);
      return { ...base, action, ...whom(said), detail: { viewers: String(said.viewer_count) } };
    }
    case "slow":
      return { ...base, action, durationS: given(event.slow, action).wait_time_seconds };
    case "followers": {
      const minutes = given(event.followers, action).follow_duration_minutes;
      return { ...base, action, durationS: minutes * 60, detail: { minutes: String(minutes) } };
    }
    case "warn": {
      const said = given(event.warn, action);
      return { ...base, action, ...whom(said), ...warning(said.reason, said.chat_rules_cited) };
    }
    case "approve_unban_request":
    case "deny_unban_request": {
      const said = given(event.unban_request, action);
      return { ...base, action, ...whom(said), reason: said.moderator_message };
    }
    case "add_blocked_term":
    case "add_permitted_term":
    case "remove_blocked_term":
    case "remove_permitted_term": {
      const said = given(event.automod_terms, action);
      return { ...base, action, detail: termsOf(said.terms, said.from_automod) };
    }
    default:
      return { unknownAction: action };
  }
}

function given<Part>(part: Part | null | undefined, action: string): Part {
  if (part === null || part === undefined) throw new Error(`action ${action} without its ${action}`);
  return part;
}
const warning = (reason: string, rules: readonly string[]): Pick<ModEvent, "reason" | "detail"> => ({
  reason,
  detail: rules.length === 0 ? {} : { rules: rules.join("; ").slice(0, DETAIL_LENGTH) },
});
const termsOf = (list: readonly string[], fromAutomod: boolean): Record<string, string> => ({
  terms: list.join("\n").slice(0, TEXT_LENGTH),
  ...(fromAutomod ? { from_automod: "true" } : {}),
});

// ── AutoMod ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const boundary = z.object({ start_pos: z.int(), end_pos: z.int() });
const held = z.object({
  ...channel,
  ...user,
  message_id: id,
  message,
  held_at: time,
  reason: z.enum(["automod", "blocked_term"]),
  automod: z
    .object({ category: short, level: z.int(), boundaries: z.array(boundary) })
    .nullish()
    .transform((said) => said ?? null),
  blocked_term: z
    .object({
      terms_found: z.array(z.object({ term_id: id, boundary, owner_broadcaster_user_id: id.nullish() })),
    })
    .nullish()
    .transform((said) => said ?? null),
});

function heldDetail(event: z.output<typeof held>): Record<string, string> {
  const { automod, blocked_term: blocked } = event;
  const spans = automod?.boundaries ?? (blocked?.terms_found ?? []).map((found) => found.boundary);
  return {
    why: event.reason,
    category: automod?.category ?? "blocked_term",
    ...(automod === null ? {} : { level: String(automod.level) }),
    spans: spans
      .slice(0, TERMS)
      .map(({ start_pos: first, end_pos: last }) => `${first}-${last}`)
      .join(","),
  };
}

const LEVELS = [
  "aggression",
  "bullying",
  "disability",
  "misogyny",
  "race_ethnicity_or_religion",
  "sex_based_terms",
  "sexuality_sex_or_gender",
  "swearing",
] as const;
const level = z.int();
const levels = z.object({
  ...channel,
  ...moderator,
  overall_level: level.nullish(),
  ...(Object.fromEntries(LEVELS.map((name) => [name, level])) as Record<
    (typeof LEVELS)[number],
    typeof level
  >),
});

const TERM_ACTIONS: Readonly<Record<string, ModAction>> = {
  add_permitted: "add_permitted_term",
  remove_permitted: "remove_permitted_term",
  add_blocked: "add_blocked_term",
  remove_blocked: "remove_blocked_term",
};

// ── suspicious users ──────────────────────────────────────────────────────────────────────────────────────────────────

const suspicious = z.object({
  ...channel,
  ...user,
  low_trust_status: short,
  types: z
    .array(short)
    .nullish()
    .transform((types) => types ?? []),
  ban_evasion_evaluation: short.nullish(),
  shared_ban_channel_ids: z
    .array(id)
    .nullish()
    .transform((ids) => ids ?? []),
  message: z.object({ message_id: id, text }),
});

/** What is subscribed to for every channel, and how each is read. The order is that of subscribing: what matters most comes first. */
export const READERS: Readonly<Record<string, Reader>> = {
  "channel.moderate": reader("2", moderate, moderated),
  "automod.message.hold": reader("2", held, (event) => ({
    action: "automod_hold",
    atMs: event.held_at,
    ...whom(event),
    targetMessageId: event.message_id,
    text: event.message.text,
    detail: heldDetail(event),
  })),
  "automod.message.update": reader(
    "2",
    held.extend({
      moderator_user_id: id.nullish(),
      moderator_user_login: login.nullish(),
      status: short,
    }),
    (event, sentAtMs) => ({
      action: "automod_update",
      atMs: sentAtMs,
      moderatorId: event.moderator_user_id ?? "",
      moderatorLogin: event.moderator_user_login ?? "",
      ...whom(event),
      targetMessageId: event.message_id,
      text: event.message.text,
      detail: { ...heldDetail(event), status: event.status.toLowerCase() },
    }),
  ),
  "channel.chat.message_delete": {
    ...reader(
      "1",
      z.object({
        ...channel,
        target_user_id: id,
        target_user_login: login,
        message_id: id,
      }),
      (event, sentAtMs) => ({
        action: "delete",
        atMs: sentAtMs,
        targetUserId: event.target_user_id,
        targetLogin: event.target_user_login,
        targetMessageId: event.message_id,
      }),
    ),
    poor: true,
  },
  "channel.chat.clear_user_messages": {
    // Of a ban or a timeout, and it does not say which: `untold` until something says it.
    ...reader(
      "1",
      z.object({ ...channel, target_user_id: id, target_user_login: login }),
      (event, sentAtMs) => ({
        action: "timeout",
        atMs: sentAtMs,
        targetUserId: event.target_user_id,
        targetLogin: event.target_user_login,
        detail: { untold: "ban_or_timeout" },
      }),
    ),
    poor: true,
  },
  "channel.chat.clear": {
    ...reader("1", z.object(channel), (_event, sentAtMs) => ({ action: "clear", atMs: sentAtMs })),
    poor: true,
  },
  "channel.suspicious_user.message": reader("1", suspicious, (event, sentAtMs) => ({
    action: "suspicious_message",
    atMs: sentAtMs,
    ...whom(event),
    targetMessageId: event.message.message_id,
    text: event.message.text,
    detail: {
      status: event.low_trust_status,
      types: event.types.slice(0, TERMS).join(","),
      ban_evasion: event.ban_evasion_evaluation ?? "unknown",
      ...(event.shared_ban_channel_ids.length === 0
        ? {}
        : { shared_bans: String(event.shared_ban_channel_ids.length) }),
    },
  })),
  "channel.suspicious_user.update": reader(
    "1",
    z.object({ ...channel, ...moderator, ...user, low_trust_status: short }),
    (event, sentAtMs) => ({
      action: "suspicious_update",
      atMs: sentAtMs,
      ...by(event),
      ...whom(event),
      detail: { status: event.low_trust_status },
    }),
  ),
  "channel.shield_mode.begin": reader(
    "1",
    z.object({ ...channel, ...moderator, started_at: time }),
    (event) => ({ action: "shield_begin", atMs: event.started_at, ...by(event) }),
  ),
  "channel.shield_mode.end": reader("1", z.object({ ...channel, ...moderator, ended_at: time }), (event) => ({
    action: "shield_end",
    atMs: event.ended_at,
    ...by(event),
  })),
  "channel.warning.send": reader(
    "1",
    z.object({
      ...channel,
      ...moderator,
      ...user,
      reason: maybe,
      chat_rules_cited: z
        .array(short)
        .nullish()
        .transform((rules) => rules ?? []),
    }),
    (event, sentAtMs) => ({
      action: "warn",
      atMs: sentAtMs,
      ...by(event),
      ...whom(event),
      ...warning(event.reason, event.chat_rules_cited),
    }),
  ),
  "channel.warning.acknowledge": reader("1", z.object({ ...channel, ...user }), (event, sentAtMs) => ({
    action: "warning_acknowledge",
    atMs: sentAtMs,
    ...whom(event),
  })),
  "channel.unban_request.create": reader(
    "1",
    z.object({ ...channel, ...user, id, text, created_at: time }),
    (event) => ({
      action: "unban_request_create",
      atMs: event.created_at,
      ...whom(event),
      text: event.text,
      detail: { request: event.id },
    }),
  ),
  "channel.unban_request.resolve": reader(
    "1",
    z.object({
      ...channel,
      moderator_user_id: id.nullish(),
      moderator_user_login: login.nullish(),
      ...user,
      id,
      resolution_text: maybe,
      status: short,
    }),
    (event, sentAtMs) => ({
      // A request that its author withdrew changes as little as one that was denied.
      action: event.status.toLowerCase() === "approved" ? "approve_unban_request" : "deny_unban_request",
      atMs: sentAtMs,
      moderatorId: event.moderator_user_id ?? "",
      moderatorLogin: event.moderator_user_login ?? "",
      ...whom(event),
      reason: event.resolution_text,
      detail: { request: event.id, status: event.status.toLowerCase() },
    }),
  ),
  "channel.chat_settings.update": reader(
    "1",
    z.object({
      ...channel,
      emote_mode: z.boolean(),
      follower_mode: z.boolean(),
      follower_mode_duration_minutes: z.int().nullish(),
      slow_mode: z.boolean(),
      slow_mode_wait_time_seconds: z.int().nullish(),
      subscriber_mode: z.boolean(),
      unique_chat_mode: z.boolean(),
    }),
    (event, sentAtMs) => ({
      action: "settings",
      atMs: sentAtMs,
      detail: {
        emoteonly: String(event.emote_mode),
        followers: event.follower_mode ? String(event.follower_mode_duration_minutes ?? 0) : "off",
        slow: event.slow_mode ? String(event.slow_mode_wait_time_seconds ?? 0) : "off",
        subscribers: String(event.subscriber_mode),
        uniquechat: String(event.unique_chat_mode),
      },
    }),
  ),
  "automod.settings.update": reader("1", levels, (event, sentAtMs) => ({
    action: "automod_settings",
    atMs: sentAtMs,
    ...by(event),
    detail: {
      overall:
        event.overall_level === null || event.overall_level === undefined ? "" : String(event.overall_level),
      ...Object.fromEntries(LEVELS.map((name) => [name, String(event[name])])),
    },
  })),
  "automod.terms.update": reader(
    "1",
    z.object({ ...channel, ...moderator, action: short, from_automod: z.boolean(), terms }),
    (event, sentAtMs) => {
      const action = TERM_ACTIONS[event.action.toLowerCase()];
      return action === undefined
        ? { unknownAction: event.action }
        : { action, atMs: sentAtMs, ...by(event), detail: termsOf(event.terms, event.from_automod) };
    },
  ),
  "channel.ban": reader(
    "1",
    z.object({
      ...channel,
      ...moderator,
      ...user,
      reason: maybe,
      banned_at: time,
      ends_at: time.nullish(),
      is_permanent: z.boolean(),
    }),
    (event) => ({
      action: event.is_permanent ? "ban" : "timeout",
      atMs: event.banned_at,
      ...by(event),
      ...whom(event),
      reason: event.reason,
      durationS:
        event.is_permanent || event.ends_at === null || event.ends_at === undefined
          ? 0
          : secondsUntil(event.ends_at, event.banned_at),
    }),
  ),
  "channel.unban": reader("1", z.object({ ...channel, ...moderator, ...user }), (event, sentAtMs) => ({
    action: "unban",
    atMs: sentAtMs,
    ...by(event),
    ...whom(event),
  })),
};

/** A notification as it stands on the wire. */
export interface Notification {
  readonly type: string;
  readonly version: string;
  readonly messageId: string;
  readonly sentAtMs: number;
  readonly event: unknown;
}

/** A notification, read. `act` has no id yet: that follows from what it says (same-act.ts). */
export type Reading =
  | { readonly kind: "act"; readonly act: Omit<ModEvent, "id">; readonly poor: boolean }
  | { readonly kind: "unknown_type" }
  | { readonly kind: "unknown_action"; readonly action: string }
  | { readonly kind: "malformed"; readonly detail: string };

const aboutChannel = z.object(channel);

export function readNotification(notification: Notification): Reading {
  const known = Object.hasOwn(READERS, notification.type) ? READERS[notification.type] : undefined;
  if (known?.version !== notification.version) return { kind: "unknown_type" };
  try {
    const said = known.read(notification.event, notification.sentAtMs);
    if ("unknownAction" in said) return { kind: "unknown_action", action: said.unknownAction };
    return {
      kind: "act",
      poor: known.poor === true,
      act: {
        channelId: aboutChannel.parse(notification.event).broadcaster_user_id,
        heardBy: "eventsub",
        moderatorId: "",
        moderatorLogin: "",
        targetUserId: "",
        targetLogin: "",
        targetMessageId: "",
        text: "",
        reason: "",
        durationS: 0,
        detail: {},
        sourceChannelId: "",
        messageId: notification.messageId,
        ...said,
      },
    };
  } catch (error) {
    return { kind: "malformed", detail: whatIsWrong(error) };
  }
}

function whatIsWrong(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "wrong shape"}`.slice(0, DETAIL_LENGTH);
  }
  return error instanceof Error ? error.message.slice(0, DETAIL_LENGTH) : String(error);
}
