import type { ChannelState } from "@hypecast/contracts/channel.ts";
import type { IrcMessage } from "./irc.ts";

/** What Twitch says, without a channel, to a token that it does not take. */
export const TOKEN_REFUSED =
  /login authentication failed|login unsuccessful|improperly formatted auth|invalid nick|error logging in/i;

const BY_ID: Record<string, ChannelState["state"]> = {
  msg_channel_suspended: "suspended",
  tos_ban: "suspended",
  msg_room_not_found: "not_found",
  no_such_channel: "not_found",
  msg_banned: "banned",
  msg_channel_blocked: "banned",
  msg_channel_renamed: "renamed",
};

/** A NOTICE that says why a channel is not to be heard; null for the many others (slow mode, timeouts of the sender …). */
export function refusalOf(message: IrcMessage): ChannelState["state"] | null {
  if (message.channel === "") return null;
  const known = BY_ID[message.msgId];
  // One id for two things; the words tell them apart.
  if (known === "suspended" && /renamed/i.test(message.text)) return "renamed";
  return known ?? null;
}
