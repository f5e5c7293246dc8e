import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

/**
 * What moderation did, as Twitch tells it. The names are those of `channel.moderate` v2, and for the other subscriptions their own:
 * `automod_hold`, `automod_update`, `suspicious_message`, `suspicious_update`, `shield_begin`, `shield_end`, `unban_request_create` …
 */
export const MOD_ACTIONS = [
  "ban",
  "timeout",
  "unban",
  "untimeout",
  "clear",
  "delete",
  "warn",
  "warning_acknowledge",
  "emoteonly",
  "emoteonlyoff",
  "followers",
  "followersoff",
  "uniquechat",
  "uniquechatoff",
  "slow",
  "slowoff",
  "subscribers",
  "subscribersoff",
  "raid",
  "unraid",
  "mod",
  "unmod",
  "vip",
  "unvip",
  "add_blocked_term",
  "add_permitted_term",
  "remove_blocked_term",
  "remove_permitted_term",
  "approve_unban_request",
  "deny_unban_request",
  "unban_request_create",
  "automod_hold",
  "automod_update",
  "automod_settings",
  "suspicious_message",
  "suspicious_update",
  "shield_begin",
  "shield_end",
  "settings",
  /** Twitch was not heard for `durationS` before `atMs`, and does not say later what was done then; `detail.reason` says why. */
  "unheard",
] as const;
export type ModAction = (typeof MOD_ACTIONS)[number];

/** One act of moderation in a channel. Columns of `mod_events`. Empty strings and 0 mean: not said. */
export const modEvent = defineEvent(
  "mod.event",
  "channel",
  z.object({
    /** From what it says (channel, action, target, second), so that the same act heard twice, by EventSub and by IRC, is one. */
    id: z.string(),
    channelId,
    atMs: z.int(),
    action: z.enum(MOD_ACTIONS),
    /** Who heard it. */
    heardBy: z.enum(["eventsub", "irc"]),
    moderatorId: z.string(),
    moderatorLogin: z.string(),
    targetUserId: z.string(),
    targetLogin: z.string(),
    targetMessageId: z.string(),
    /** The message's text, where Twitch tells it. */
    text: z.string(),
    reason: z.string(),
    durationS: z.int(),
    /** AutoMod's category and level, a suspicious user's status, terms, settings: by Twitch's names. */
    detail: z.record(z.string(), z.string()),
    /** Shared chat: the channel where it was done; empty: here. */
    sourceChannelId: z.string(),
    /** EventSub's message id, for what is looked up afterwards; empty from IRC. */
    messageId: z.string(),
  }),
);
export type ModEvent = z.infer<typeof modEvent.schema>;
