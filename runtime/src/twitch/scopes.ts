/**
 * What a person allows when they sign in, and what for. Nobody is asked for more: who only looks needs none but
 * `user:read:moderated_channels`, from which the roles come.
 */
export const LOOK_SCOPES = ["user:read:moderated_channels"] as const;

/** Of a moderator: what the moderation calls (helix.ts) and `channel.moderate` v2 with its neighbours need. */
export const MODERATE_SCOPES = [
  ...LOOK_SCOPES,
  "moderator:manage:automod",
  "moderator:manage:banned_users",
  "moderator:manage:chat_messages",
  "moderator:manage:chat_settings",
  "moderator:manage:shield_mode",
  "moderator:manage:unban_requests",
  "moderator:manage:warnings",
  "moderator:read:automod_settings",
  "moderator:read:blocked_terms",
  "moderator:read:moderators",
  "moderator:read:suspicious_users",
  "moderator:read:vips",
  "user:read:chat",
] as const;

/** Of a broadcaster, besides: their list of banned users (to look up a doubtful ban), and `channel.ban`. */
export const BROADCAST_SCOPES = [...MODERATE_SCOPES, "channel:moderate", "moderation:read"] as const;
