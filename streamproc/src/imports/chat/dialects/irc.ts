import { chatLineOf, chatModerationOf, chatNoticeOf, validId } from "../../../sources/twitch-chat/chat.ts";
import { parseIrc, tagsOf, type IrcMessage } from "../../../sources/twitch-chat/irc.ts";
import { idText, isObject, speaker, text, timeMs, Unreadable, type Draft, type Json } from "../draft.ts";

const NO_NAMES: ReadonlyMap<string, string> = new Map();
/** What a raw log also holds, and is no part of the chat. */
const SILENT = /^(?:PING|PONG|CAP|JOIN|PART|NOTICE|USERSTATE|GLOBALUSERSTATE|HOSTTARGET|RECONNECT|\d{3})$/;

export const looksLikeRawIrc = (line: string): boolean =>
  /^(?:@\S* )?:\S+ (?:PRIVMSG|CLEARCHAT|CLEARMSG|USERNOTICE|ROOMSTATE) #\w+/.test(line);

/** A raw line of Twitch's IRC. Null: it is no part of the chat. */
export function ircDraft(raw: string): Draft | null {
  const message = parseIrc(raw);
  if (message === null) throw new Unreadable("no IRC line");
  return draftOf(message);
}

function draftOf(message: IrcMessage): Draft | null {
  if (SILENT.test(message.command)) return null;
  let atMs = message.sentAtMs;
  if (atMs === 0) {
    const tags = tagsOf(message);
    atMs = Number(tags.get("tmi-sent-ts") ?? tags.get("rm-received-ts") ?? NaN);
  }
  if (!Number.isFinite(atMs) || atMs <= 0) throw new Unreadable("it has no time (tmi-sent-ts)");
  const times = {
    offsetS: NaN,
    atMs,
    // A shared chat's line is counted in its own room, and says here in which it was heard.
    channel: message.roomId === "" ? message.channel : message.roomId,
  };
  const heard = { channelId: "", sentAtMs: 0, receivedAtMs: null, emotes: NO_NAMES };
  const ownId = validId(message.id) ? message.id : "";
  switch (message.command) {
    case "PRIVMSG": {
      if (!validId(message.userId)) message.userId = speaker("", message.nick, message.displayName).id;
      const item = chatLineOf(message, heard);
      if (item === null) throw new Unreadable("it says not who wrote it");
      item.id = ownId;
      return { kind: "line", item, ...times };
    }
    case "USERNOTICE":
      return { kind: "notice", item: { ...chatNoticeOf(message, heard), id: ownId }, ...times };
    default: {
      const item = chatModerationOf(message, heard);
      if (item === null) throw new Unreadable(`an unknown command: ${message.command.slice(0, 20)}`);
      return { kind: "moderation", item: { ...item, id: ownId }, ...times };
    }
  }
}

export const isRustlog = (value: Json): boolean =>
  (typeof value["raw"] === "string" && "text" in value) ||
  ("displayName" in value && "timestamp" in value && "text" in value && isObject(value["tags"]));

/** An entry of rustlog's or justlog's JSON: the raw line where it is there, else one made of its tags. */
export function rustlogDraft(value: Json): Draft | null {
  const raw = text(value["raw"]);
  if (raw !== "") return ircDraft(raw);
  const tags = isObject(value["tags"]) ? value["tags"] : {};
  const line = text(value["text"]);
  const at = timeMs(value["timestamp"]);
  const login = text(value["username"]) || text(tags["login"]) || text(value["displayName"]).toLowerCase();
  const all: Record<string, string> = {};
  for (const [key, tag] of Object.entries(tags)) if (typeof tag === "string") all[key] = tag;
  if (!Number.isNaN(at)) all["tmi-sent-ts"] ??= String(at);
  all["id"] ??= idText(value["id"]);
  all["display-name"] ??= text(value["displayName"]);
  const target = all["target-user-id"] !== undefined;
  const command = target ? "CLEARCHAT" : all["system-msg"] !== undefined ? "USERNOTICE" : "PRIVMSG";
  const joined = Object.entries(all)
    .map(([key, tag]) => `${key}=${escapeTag(tag)}`)
    .join(";");
  const channel = text(value["channel"]) || "unknown";
  const nick = login === "" ? "unknown" : login;
  return ircDraft(
    `@${joined} :${nick}!${nick}@${nick}.tmi.twitch.tv ${command} #${channel} :${target ? login : line}`,
  );
}

const ESCAPES: Record<string, string> = { ";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n" };
const escapeTag = (value: string): string => value.replace(/[; \\\r\n]/g, (one) => ESCAPES[one] ?? one);
