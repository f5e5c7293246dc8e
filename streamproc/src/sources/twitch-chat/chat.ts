import { createHash } from "node:crypto";
import type { ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { OptOuts } from "@hypecast/runtime/opt-outs.ts";
import { annotate, type EmoteNames } from "../emotes/annotate.ts";
import { tagsOf, type IrcMessage } from "./irc.ts";

/** Ids go into subjects, SQL and the page: what does not look like Twitch's is not taken. */
const ID = /^[0-9A-Za-z_-]{1,64}$/;
const LOGIN = /^[a-z0-9_]{1,25}$/;
const COLOR = /^#[0-9A-Fa-f]{6}$/;
/** Longest badges tag that is kept; Twitch shows at most three badges. */
const BADGES_LENGTH = 500;
/** Params of a USERNOTICE that are kept, each and in all. */
const PARAM_LENGTH = 500;
const PARAMS = 40;
/** Lines written with some USERNOTICE kinds quote what their line says. */
const SYSTEM_TEXT_LENGTH = 1000;

/** What the source knows and the line does not say. */
export interface Heard {
  channelId: string;
  sentAtMs: number;
  receivedAtMs: number | null;
  emotes: EmoteNames;
}

export const validId = (id: string): boolean => ID.test(id);

/** A PRIVMSG as the row that everybody sees from here on. Null when its user is no user. */
export function chatLineOf(message: IrcMessage, heard: Heard): ChatLine | null {
  if (!ID.test(message.userId)) return null;
  const line: ChatLine = {
    id: idOf(message, heard.channelId),
    channelId: heard.channelId,
    sentAtMs: heard.sentAtMs,
    userId: message.userId,
    login: LOGIN.test(message.nick) ? message.nick : message.userId,
    text: message.text,
  };
  if (heard.receivedAtMs !== null) line.receivedAtMs = heard.receivedAtMs;
  if (message.displayName !== "" && message.displayName !== line.login)
    line.name = message.displayName.slice(0, 100);
  if (message.action) line.action = true;
  if (message.badges !== "") line.badges = message.badges.slice(0, BADGES_LENGTH);
  if (message.badgeInfo !== "") line.badgeInfo = message.badgeInfo.slice(0, BADGES_LENGTH);
  if (message.color !== "" && COLOR.test(message.color)) line.color = message.color;
  const emotes = annotate(message.text, message.emotes, heard.emotes);
  if (emotes !== null) line.emotes = emotes;
  if (message.bits > 0) line.bits = message.bits;
  if (message.firstMessage) line.firstMessage = true;
  if (message.returning) line.returning = true;
  if (message.replyTo !== "" && ID.test(message.replyTo)) line.replyTo = message.replyTo;
  if (message.replyThread !== "" && ID.test(message.replyThread)) line.replyThread = message.replyThread;
  if (message.sourceRoomId !== "" && ID.test(message.sourceRoomId))
    line.sourceChannelId = message.sourceRoomId;
  if (message.sourceId !== "" && ID.test(message.sourceId)) line.sourceId = message.sourceId;
  if (message.nonce !== "" && ID.test(message.nonce)) line.nonce = message.nonce;
  return line;
}

/** Nothing that a chatter who opted out wrote comes in, nor what was done to their lines. */
export function isOptedOut(
  message: IrcMessage,
  channelId: string,
  optOuts: Pick<OptOuts, "leavesOut">,
): boolean {
  if (message.command === "PRIVMSG" || message.command === "USERNOTICE")
    return optOuts.leavesOut(channelId, message.userId, LOGIN.test(message.nick) ? message.nick : "");
  const moderation = chatModerationOf(message, {
    channelId,
    sentAtMs: 1,
    receivedAtMs: null,
    emotes: NO_EMOTES,
  });
  if (moderation === null || moderation.action === "room_state" || moderation.action === "clear")
    return false;
  return optOuts.leavesOut(channelId, moderation.targetUserId ?? "", moderation.targetLogin ?? "");
}
const NO_EMOTES: EmoteNames = new Map();

/** Shared chat: the line was written in another room and is counted there. */
export const fromAnotherRoom = (message: IrcMessage): boolean =>
  message.sourceRoomId !== "" && message.sourceRoomId !== message.roomId;

/** A USERNOTICE. */
export function chatNoticeOf(message: IrcMessage, heard: Heard): ChatNotice {
  const tags = tagsOf(message);
  const login = tags.get("login") ?? "";
  const notice: ChatNotice = {
    id: idOf(message, heard.channelId),
    channelId: heard.channelId,
    sentAtMs: heard.sentAtMs,
    kind: message.msgId === "" ? "unknown" : message.msgId.slice(0, 64),
    userId: ID.test(message.userId) ? message.userId : "",
    login: LOGIN.test(login) ? login : "",
  };
  if (message.displayName !== "" && message.displayName !== notice.login)
    notice.name = message.displayName.slice(0, 100);
  if (message.text !== "") notice.text = message.text;
  const systemText = tags.get("system-msg");
  if (systemText !== undefined && systemText !== "")
    notice.systemText = systemText.slice(0, SYSTEM_TEXT_LENGTH);
  const params: Record<string, string> = {};
  let kept = 0;
  for (const [key, value] of tags) {
    if (!key.startsWith("msg-param-") || kept === PARAMS) continue;
    params[key.slice("msg-param-".length)] = value.slice(0, PARAM_LENGTH);
    kept++;
  }
  if (kept > 0) notice.params = params;
  const count = Number(
    notice.kind === "raid" ? params["viewerCount"] : (params["mass-gift-count"] ?? undefined),
  );
  notice.count = Number.isSafeInteger(count) && count >= 0 ? count : 1;
  return notice;
}

/** CLEARCHAT, CLEARMSG and ROOMSTATE; null for anything else. */
export function chatModerationOf(message: IrcMessage, heard: Heard): ChatModeration | null {
  const tags = tagsOf(message);
  const base = {
    id: idOf(message, heard.channelId),
    channelId: heard.channelId,
    sentAtMs: heard.sentAtMs,
  };
  const login = (text: string): { targetLogin?: string } => (LOGIN.test(text) ? { targetLogin: text } : {});
  switch (message.command) {
    case "CLEARCHAT": {
      if (message.text === "") return { ...base, action: "clear" };
      const target = tags.get("target-user-id") ?? "";
      const duration = tags.get("ban-duration");
      return {
        ...base,
        action: duration === undefined ? "ban" : "timeout",
        ...(ID.test(target) ? { targetUserId: target } : {}),
        ...login(message.text),
        ...(duration !== undefined && /^\d{1,9}$/.test(duration) ? { durationS: Number(duration) } : {}),
      };
    }
    case "CLEARMSG": {
      const target = tags.get("target-msg-id") ?? "";
      return {
        ...base,
        action: "delete",
        ...(ID.test(target) ? { targetMessageId: target } : {}),
        ...login(tags.get("login") ?? ""),
        text: message.text,
      };
    }
    case "ROOMSTATE": {
      const room: Record<string, string> = {};
      for (const key of ["emote-only", "followers-only", "r9k", "slow", "subs-only"]) {
        const value = tags.get(key);
        if (value !== undefined) room[key] = value.slice(0, 20);
      }
      return { ...base, action: "room_state", room };
    }
    default:
      return null;
  }
}

/** Twitch's id of the message, or, where it gives none, one that follows from what the line says. */
function idOf(message: IrcMessage, channelId: string): string {
  if (ID.test(message.id)) return message.id;
  return createHash("sha1")
    .update(`${channelId}\n${message.command}\n${message.tags}\n${message.nick}\n${message.text}`)
    .digest("hex");
}
