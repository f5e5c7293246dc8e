import { READERS } from "./payload.ts";

/** Whose channel, and in whose name it is heard. */
export interface Place {
  readonly channelId: string;
  readonly userId: string;
}

export interface Kind {
  readonly type: string;
  readonly version: string;
  /** One of each group must have been allowed. */
  readonly scopes: readonly (readonly string[])[];
  /** Twitch gives it to the broadcaster alone. */
  readonly broadcasterOnly: boolean;
  readonly condition: (place: Place) => Record<string, string>;
}

const asModerator = ({ channelId, userId }: Place): Record<string, string> => ({
  broadcaster_user_id: channelId,
  moderator_user_id: userId,
});
const asReader = ({ channelId, userId }: Place): Record<string, string> => ({
  broadcaster_user_id: channelId,
  user_id: userId,
});
const asBroadcaster = ({ channelId }: Place): Record<string, string> => ({ broadcaster_user_id: channelId });

const manageOrRead = (what: string): readonly string[] => [
  `moderator:manage:${what}`,
  `moderator:read:${what}`,
];
const MODERATE_SCOPES = [
  ...["blocked_terms", "chat_settings", "unban_requests", "banned_users", "chat_messages", "warnings"].map(
    manageOrRead,
  ),
  ["moderator:read:moderators"],
  ["moderator:read:vips"],
];

/** What each type needs, by its name: `channel.chat.*` any reader may hear. */
function needs(type: string): Pick<Kind, "scopes" | "broadcasterOnly" | "condition"> {
  const moderator = (scopes: Kind["scopes"]): Pick<Kind, "scopes" | "broadcasterOnly" | "condition"> => ({
    scopes,
    broadcasterOnly: false,
    condition: asModerator,
  });
  if (type === "channel.moderate") return moderator(MODERATE_SCOPES);
  if (type === "automod.settings.update") return moderator([["moderator:read:automod_settings"]]);
  if (type.startsWith("automod.")) return moderator([["moderator:manage:automod"]]);
  if (type.startsWith("channel.suspicious_user.")) return moderator([["moderator:read:suspicious_users"]]);
  if (type.startsWith("channel.shield_mode.")) return moderator([manageOrRead("shield_mode")]);
  if (type.startsWith("channel.unban_request.")) return moderator([manageOrRead("unban_requests")]);
  if (type.startsWith("channel.warning.")) return moderator([manageOrRead("warnings")]);
  if (type.startsWith("channel.chat"))
    return { scopes: [["user:read:chat"]], broadcasterOnly: false, condition: asReader };
  return { scopes: [["channel:moderate"]], broadcasterOnly: true, condition: asBroadcaster };
}

/** Every kind of event that is heard of a channel, what matters most first. */
export const KINDS: readonly Kind[] = Object.entries(READERS).map(([type, { version }]) => ({
  type,
  version,
  ...needs(type),
}));

/** Those that an account may subscribe to for a channel; of the rest it is said that they are missing. */
export function kindsFor(
  place: Place,
  scopes: readonly string[],
): { kinds: readonly Kind[]; missing: readonly string[] } {
  const allowed = (kind: Kind): boolean =>
    kind.scopes.every((group) => group.some((scope) => scopes.includes(scope)));
  const possible = KINDS.filter((kind) => !kind.broadcasterOnly || place.channelId === place.userId);
  return {
    kinds: possible.filter(allowed),
    missing: possible.filter((kind) => !allowed(kind)).map(({ type }) => type),
  };
}
