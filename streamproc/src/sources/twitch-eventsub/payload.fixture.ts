import type { Notification } from "./payload.ts";

/** Payloads of the shapes that Twitch sends, about invented people. */
export const CHANNEL = "700100200";
export const SENT_MS = Date.UTC(2026, 2, 1, 18, 30, 15, 400);
const at = (s: number): string => new Date(SENT_MS + s * 1000).toISOString().replace("Z", "959069Z");

const broadcaster = {
  broadcaster_user_id: CHANNEL,
  broadcaster_user_login: "ana_streams",
  broadcaster_user_name: "Ana_Streams",
};
const moderator = {
  moderator_user_id: "55",
  moderator_user_login: "mod_milo",
  moderator_user_name: "Mod_Milo",
};
const user = { user_id: "66", user_login: "loud_lee", user_name: "Loud_Lee" };
const target = { target_user_id: "66", target_user_login: "loud_lee", target_user_name: "Loud_Lee" };

const PARTS =
  "followers slow vip unvip mod unmod ban unban timeout untimeout raid unraid delete automod_terms unban_request warn shared_chat_ban shared_chat_unban shared_chat_timeout shared_chat_untimeout shared_chat_delete";
export const moderate = (
  action: string,
  parts: Record<string, unknown> = {},
  source: string | null = null,
): [string, string, object] => [
  "channel.moderate",
  "2",
  {
    ...broadcaster,
    ...moderator,
    source_broadcaster_user_id: source,
    source_broadcaster_user_login: source === null ? null : "other_room",
    source_broadcaster_user_name: source === null ? null : "Other_Room",
    action,
    ...Object.fromEntries(PARTS.split(" ").map((name) => [name, null])),
    ...parts,
  },
];
const ban = { ...user, reason: "be kind" };
const timeout = { ...ban, expires_at: at(600) };
const deleted = { ...user, message_id: "m-1", message_body: "rude words" };
const terms = (list: string, action: string): object => ({
  action,
  list,
  terms: ["one phrase", "two"],
  from_automod: false,
});
const held = {
  ...broadcaster,
  ...user,
  message_id: "m-2",
  message: { text: "so rude", fragments: [{ type: "text", text: "so rude", cheermote: null, emote: null }] },
  held_at: at(-1),
  reason: "automod",
  automod: { category: "bullying", level: 3, boundaries: [{ start_pos: 3, end_pos: 6 }] },
  blocked_term: null,
};
const blocked = {
  ...held,
  reason: "blocked_term",
  automod: null,
  blocked_term: {
    terms_found: [
      {
        term_id: "t-1",
        boundary: { start_pos: 3, end_pos: 6 },
        owner_broadcaster_user_id: CHANNEL,
        owner_broadcaster_user_login: "ana_streams",
        owner_broadcaster_user_name: "Ana_Streams",
      },
    ],
  },
};
const suspicious = {
  ...broadcaster,
  ...user,
  low_trust_status: "restricted",
  shared_ban_channel_ids: ["1", "2"],
  types: ["manually_added", "a_type_of_tomorrow"],
  ban_evasion_evaluation: "likely",
  message: { message_id: "m-3", text: "it is me again", fragments: [] },
};
const request = { ...broadcaster, ...user, id: "r-9" };

/** What is told, and what of the act must be true. */
export const told: readonly (readonly [string, [type: string, version: string, event: object], object])[] = [
  [
    "a ban",
    moderate("ban", { ban }),
    { action: "ban", moderatorLogin: "mod_milo", targetLogin: "loud_lee", reason: "be kind" },
  ],
  ["a timeout", moderate("timeout", { timeout }), { action: "timeout", durationS: 600, targetUserId: "66" }],
  ["an unban", moderate("unban", { unban: user }), { action: "unban", targetUserId: "66" }],
  ["an untimeout", moderate("untimeout", { untimeout: user }), { action: "untimeout", targetUserId: "66" }],
  ["a cleared chat", moderate("clear"), { action: "clear", targetUserId: "" }],
  [
    "a deletion",
    moderate("delete", { delete: deleted }),
    { action: "delete", targetMessageId: "m-1", text: "rude words" },
  ],
  [
    "a warning",
    moderate(
      "warn",
      { warn: { ...user, reason: "stop", chat_rules_cited: ["no spam", "be kind"] } },
      CHANNEL,
    ),
    { action: "warn", reason: "stop", detail: { rules: "no spam; be kind" }, sourceChannelId: "" },
  ],
  ["emotes only", moderate("emoteonly"), { action: "emoteonly" }],
  ["emotes only, off", moderate("emoteonlyoff"), { action: "emoteonlyoff" }],
  [
    "followers only",
    moderate("followers", { followers: { follow_duration_minutes: 15 } }),
    { action: "followers", durationS: 900, detail: { minutes: "15" } },
  ],
  ["followers only, off", moderate("followersoff"), { action: "followersoff" }],
  ["unique chat", moderate("uniquechat"), { action: "uniquechat" }],
  ["unique chat, off", moderate("uniquechatoff"), { action: "uniquechatoff" }],
  ["slow mode", moderate("slow", { slow: { wait_time_seconds: 10 } }), { action: "slow", durationS: 10 }],
  ["slow mode, off", moderate("slowoff"), { action: "slowoff" }],
  ["subscribers only", moderate("subscribers"), { action: "subscribers" }],
  ["subscribers only, off", moderate("subscribersoff"), { action: "subscribersoff" }],
  [
    "a raid",
    moderate("raid", { raid: { ...user, viewer_count: 3 } }),
    { action: "raid", detail: { viewers: "3" } },
  ],
  ["a raid called off", moderate("unraid", { unraid: user }), { action: "unraid" }],
  ["a new moderator", moderate("mod", { mod: user }), { action: "mod", targetUserId: "66" }],
  ["a moderator less", moderate("unmod", { unmod: user }), { action: "unmod" }],
  ["a VIP", moderate("vip", { vip: user }), { action: "vip" }],
  ["a VIP less", moderate("unvip", { unvip: user }), { action: "unvip" }],
  [
    "a blocked term",
    moderate("add_blocked_term", { automod_terms: terms("blocked", "add") }),
    { action: "add_blocked_term", detail: { terms: "one phrase\ntwo" } },
  ],
  [
    "a permitted term",
    moderate("add_permitted_term", { automod_terms: terms("permitted", "add") }),
    { action: "add_permitted_term" },
  ],
  [
    "a blocked term less",
    moderate("remove_blocked_term", { automod_terms: terms("blocked", "remove") }),
    { action: "remove_blocked_term" },
  ],
  [
    "a permitted term less",
    moderate("remove_permitted_term", { automod_terms: terms("permitted", "remove") }),
    { action: "remove_permitted_term" },
  ],
  [
    "an approved unban request",
    moderate("approve_unban_request", {
      unban_request: { ...user, is_approved: true, moderator_message: "welcome back" },
    }),
    { action: "approve_unban_request", reason: "welcome back" },
  ],
  [
    "a denied unban request",
    moderate("deny_unban_request", { unban_request: { ...user, is_approved: false, moderator_message: "" } }),
    { action: "deny_unban_request" },
  ],
  [
    "a ban in another room of a shared chat",
    moderate("shared_chat_ban", { shared_chat_ban: ban }, "800"),
    { action: "ban", sourceChannelId: "800" },
  ],
  [
    "a timeout there",
    moderate("shared_chat_timeout", { shared_chat_timeout: timeout }, "800"),
    { action: "timeout", durationS: 600, sourceChannelId: "800" },
  ],
  [
    "an unban there",
    moderate("shared_chat_unban", { shared_chat_unban: user }, "800"),
    { action: "unban", sourceChannelId: "800" },
  ],
  [
    "an untimeout there",
    moderate("shared_chat_untimeout", { shared_chat_untimeout: user }, "800"),
    { action: "untimeout", sourceChannelId: "800" },
  ],
  [
    "a deletion there",
    moderate("shared_chat_delete", { shared_chat_delete: deleted }, "800"),
    { action: "delete", targetMessageId: "m-1", sourceChannelId: "800" },
  ],
  [
    "a ban, by its own subscription",
    [
      "channel.ban",
      "1",
      { ...broadcaster, ...moderator, ...ban, banned_at: at(-1), ends_at: null, is_permanent: true },
    ],
    { action: "ban", atMs: SENT_MS - 1000, durationS: 0 },
  ],
  [
    "a timeout, by its own subscription",
    [
      "channel.ban",
      "1",
      { ...broadcaster, ...moderator, ...ban, banned_at: at(-1), ends_at: at(59), is_permanent: false },
    ],
    { action: "timeout", durationS: 60 },
  ],
  [
    "an unban, by its own subscription",
    ["channel.unban", "1", { ...broadcaster, ...moderator, ...user }],
    { action: "unban" },
  ],
  [
    "a deletion, as chat is told",
    ["channel.chat.message_delete", "1", { ...broadcaster, ...target, message_id: "m-1" }],
    { action: "delete", targetMessageId: "m-1", moderatorId: "" },
  ],
  [
    "a user's lines cleared, as chat is told",
    ["channel.chat.clear_user_messages", "1", { ...broadcaster, ...target }],
    { action: "timeout", durationS: 0, detail: { untold: "ban_or_timeout" } },
  ],
  ["a cleared chat, as chat is told", ["channel.chat.clear", "1", broadcaster], { action: "clear" }],
  [
    "what AutoMod holds",
    ["automod.message.hold", "2", held],
    {
      action: "automod_hold",
      targetMessageId: "m-2",
      text: "so rude",
      atMs: SENT_MS - 1000,
      detail: { why: "automod", category: "bullying", level: "3", spans: "3-6" },
    },
  ],
  [
    "what a blocked term holds",
    ["automod.message.hold", "2", blocked],
    { action: "automod_hold", detail: { why: "blocked_term", category: "blocked_term", spans: "3-6" } },
  ],
  [
    "what a moderator let through",
    ["automod.message.update", "2", { ...held, ...moderator, status: "Approved" }],
    { action: "automod_update", moderatorLogin: "mod_milo", detail: { status: "approved" } },
  ],
  [
    "what nobody looked at",
    [
      "automod.message.update",
      "2",
      { ...held, moderator_user_id: null, moderator_user_login: null, status: "expired" },
    ],
    { action: "automod_update", moderatorId: "", detail: { status: "expired" } },
  ],
  [
    "AutoMod's levels",
    [
      "automod.settings.update",
      "1",
      {
        ...broadcaster,
        ...moderator,
        overall_level: null,
        aggression: 1,
        bullying: 2,
        disability: 0,
        misogyny: 0,
        race_ethnicity_or_religion: 3,
        sex_based_terms: 0,
        sexuality_sex_or_gender: 0,
        swearing: 4,
      },
    ],
    { action: "automod_settings", detail: { overall: "", bullying: "2", swearing: "4" } },
  ],
  [
    "AutoMod's terms",
    [
      "automod.terms.update",
      "1",
      { ...broadcaster, ...moderator, action: "add_permitted", from_automod: true, terms: ["ok word"] },
    ],
    { action: "add_permitted_term", detail: { terms: "ok word", from_automod: "true" } },
  ],
  [
    "a suspicious user's line",
    ["channel.suspicious_user.message", "1", suspicious],
    {
      action: "suspicious_message",
      targetMessageId: "m-3",
      detail: {
        status: "restricted",
        types: "manually_added,a_type_of_tomorrow",
        ban_evasion: "likely",
        shared_bans: "2",
      },
    },
  ],
  [
    "a suspicion lifted",
    [
      "channel.suspicious_user.update",
      "1",
      { ...broadcaster, ...moderator, ...user, low_trust_status: "no_treatment" },
    ],
    { action: "suspicious_update", detail: { status: "no_treatment" } },
  ],
  [
    "shield mode",
    ["channel.shield_mode.begin", "1", { ...broadcaster, ...moderator, started_at: at(-2) }],
    { action: "shield_begin", atMs: SENT_MS - 2000 },
  ],
  [
    "shield mode, off",
    ["channel.shield_mode.end", "1", { ...broadcaster, ...moderator, ended_at: at(-2) }],
    { action: "shield_end" },
  ],
  [
    "a warning, by its own subscription",
    [
      "channel.warning.send",
      "1",
      { ...broadcaster, ...moderator, ...user, reason: null, chat_rules_cited: null },
    ],
    { action: "warn", reason: "", detail: {} },
  ],
  [
    "a warning read",
    ["channel.warning.acknowledge", "1", { ...broadcaster, ...user }],
    { action: "warning_acknowledge", targetUserId: "66" },
  ],
  [
    "an unban request",
    ["channel.unban_request.create", "1", { ...request, text: "sorry", created_at: at(-5) }],
    { action: "unban_request_create", text: "sorry", detail: { request: "r-9" } },
  ],
  [
    "an unban request resolved",
    [
      "channel.unban_request.resolve",
      "1",
      { ...request, ...moderator, resolution_text: "no", status: "denied" },
    ],
    { action: "deny_unban_request", reason: "no", detail: { request: "r-9", status: "denied" } },
  ],
  [
    "the room's settings",
    [
      "channel.chat_settings.update",
      "1",
      {
        ...broadcaster,
        emote_mode: false,
        follower_mode: true,
        follower_mode_duration_minutes: 10,
        slow_mode: false,
        slow_mode_wait_time_seconds: null,
        subscriber_mode: true,
        unique_chat_mode: false,
      },
    ],
    {
      action: "settings",
      detail: { emoteonly: "false", followers: "10", slow: "off", subscribers: "true", uniquechat: "false" },
    },
  ],
];

export const notification = ([type, version, event]: readonly [string, string, unknown]): Notification => ({
  type,
  version,
  messageId: "n-1",
  sentAtMs: SENT_MS,
  event,
});
