import { emoteByName } from "./emotes.ts";
import { nonceOf, uuidOf } from "./random.ts";
import type { ChatEvent, Said } from "./chat-event.ts";
import type { Chatter } from "./chatters.ts";
import { FIRST_ATTEMPT, RUNS_PER_BROADCAST } from "./world.ts";

/** Where and when an event is heard: what turns the script's line into Twitch's. */
export interface Heard {
  readonly channel: string;
  readonly roomId: string;
  readonly loop: number;
  readonly sentAtMs: number;
  /** During shared chat: the room where it was written. */
  readonly source: { readonly channel: string; readonly roomId: string } | null;
}

/** IRCv3 message-tags: `;` → `\:`, space → `\s`, CR, LF and backslash. */
const ESCAPES: Readonly<Record<string, string>> = {
  ";": "\\:",
  " ": "\\s",
  "\\": "\\\\",
  "\r": "\\r",
  "\n": "\\n",
};
export const escapeTag = (value: string): string => value.replace(/[; \\\r\n]/g, (c) => ESCAPES[c] ?? c);

/** Twitch writes its tags in alphabetical order. Values are escaped here. */
export function tagLine(tags: Readonly<Record<string, string>>): string {
  return `@${Object.keys(tags)
    .sort()
    .map((key) => `${key}=${escapeTag(tags[key] ?? "")}`)
    .join(";")}`;
}

/** Twitch's `emotes` tag: `<id>:<first>-<last>,…/<id>:…`, in code points, for Twitch's own emotes only. */
export function emotesTag(text: string): { readonly tag: string; readonly only: boolean } {
  const found = new Map<string, string[]>();
  let at = 0;
  let only = text !== "";
  for (const word of text.split(" ")) {
    const length = Array.from(word).length;
    const emote = emoteByName.get(word);
    if (emote?.provider === "twitch") {
      const places = found.get(emote.id) ?? [];
      places.push(`${at}-${at + length - 1}`);
      found.set(emote.id, places);
    } else if (word !== "") only = false;
    at += length + 1;
  }
  return {
    tag: [...found].map(([id, places]) => `${id}:${places.join(",")}`).join("/"),
    only: only && found.size > 0,
  };
}

/** What a script's text says in this loop. */
export const spoken = (text: string, loop: number): string =>
  text.replaceAll(
    "{attempt}",
    String(FIRST_ATTEMPT + (((loop % RUNS_PER_BROADCAST) + RUNS_PER_BROADCAST) % RUNS_PER_BROADCAST)),
  );

/** The id of a script event as its home room shows it. */
export const idOf = (channel: string, loop: number, n: number): string => uuidOf(channel, loop, n);
const idIn = (heard: Heard, n: number): string => {
  const home = idOf(heard.source?.channel ?? heard.channel, heard.loop, n);
  return heard.source !== null && heard.source.channel !== heard.channel
    ? uuidOf("copy", heard.channel, home)
    : home;
};

function authorTags(who: Chatter, heard: Heard): Record<string, string> {
  const away = heard.source !== null && heard.source.channel !== heard.channel;
  // In another room one's badges of the home room do not show.
  const badges = away
    ? who.badges
        .split(",")
        .filter((badge) => /^(?:premium|partner|bits|no_audio)\//.test(badge))
        .join(",")
    : who.badges;
  const moderator = who.moderator && !away;
  return {
    "badge-info": away ? "" : who.badgeInfo,
    badges,
    color: who.color,
    "display-name": who.name,
    flags: "",
    mod: moderator ? "1" : "0",
    "room-id": heard.roomId,
    subscriber: who.subscriber && !away ? "1" : "0",
    "tmi-sent-ts": String(heard.sentAtMs),
    turbo: "0",
    "user-id": who.userId,
    "user-type": moderator ? "mod" : "",
    ...(who.vip && !away ? { vip: "1" } : {}),
  };
}

function sourceTags(who: Chatter, heard: Heard, id: string): Record<string, string> {
  if (heard.source === null) return {};
  return {
    "source-badge-info": who.badgeInfo,
    "source-badges": who.badges,
    "source-id": id,
    "source-only": "0",
    "source-room-id": heard.source.roomId,
  };
}

function replyTags(said: Said, heard: Heard): Record<string, string> {
  const parent = said.replyTo;
  if (parent === null) return {};
  const idBefore = (message: Said, before: Said): string =>
    // A parent later in the loop than its answer was written in the loop before.
    idIn({ ...heard, loop: message.n > before.n ? heard.loop - 1 : heard.loop }, message.n);
  let root = parent;
  while (root.replyTo !== null) root = root.replyTo;
  return {
    "reply-parent-display-name": parent.who.name,
    "reply-parent-msg-body": spoken(parent.text, heard.loop),
    "reply-parent-msg-id": idBefore(parent, said),
    "reply-parent-user-id": parent.who.userId,
    "reply-parent-user-login": parent.who.login,
    "reply-thread-parent-display-name": root.who.name,
    "reply-thread-parent-msg-id": idBefore(root, said),
    "reply-thread-parent-user-id": root.who.userId,
    "reply-thread-parent-user-login": root.who.login,
  };
}

function said(event: Said, heard: Heard): string {
  const text = spoken(event.text, heard.loop);
  const { tag, only } = emotesTag(text);
  const id = idIn(heard, event.n);
  const home = idOf(heard.source?.channel ?? heard.channel, heard.loop, event.n);
  const { who } = event;
  const tags = {
    ...authorTags(who, heard),
    ...(event.bits > 0 ? { bits: String(event.bits) } : {}),
    ...(who.nonce ? { "client-nonce": nonceOf(home) } : {}),
    ...(only ? { "emote-only": "1" } : {}),
    emotes: tag,
    "first-msg": event.firstMessage ? "1" : "0",
    id,
    "returning-chatter": who.returning ? "1" : "0",
    ...replyTags(event, heard),
    ...sourceTags(who, heard, home),
  };
  const body = event.action ? `\u0001ACTION ${text}\u0001` : text;
  return `${tagLine(tags)} :${who.login}!${who.login}@${who.login}.tmi.twitch.tv PRIVMSG #${heard.channel} :${body}`;
}

/**
 * The raw line, with all tags, by which Twitch would tell a room of this event; null where the room does not hear it
 * (only messages cross into the other rooms of a shared chat). A change of the room is two lines.
 */
export function linesOf(event: ChatEvent, heard: Heard): readonly string[] {
  const away = heard.source !== null && heard.source.channel !== heard.channel;
  if (event.type === "message") return [said(event, heard)];
  if (away) return [];
  const server = ":tmi.twitch.tv";
  const time = { "room-id": heard.roomId, "tmi-sent-ts": String(heard.sentAtMs) };
  switch (event.type) {
    case "notice": {
      const { who } = event;
      const text = spoken(event.text, heard.loop);
      const { turbo: _turbo, ...author } = authorTags(who, heard);
      const id = idIn(heard, event.n);
      const tags = {
        ...author,
        emotes: emotesTag(text).tag,
        id,
        login: who.login,
        "msg-id": event.kind,
        ...Object.fromEntries(
          Object.entries(event.params).map(([key, value]) => [`msg-param-${key}`, value]),
        ),
        ...sourceTags(who, heard, id),
        "system-msg": event.system,
        vip: who.vip ? "1" : "0",
      };
      return [`${tagLine(tags)} ${server} USERNOTICE #${heard.channel}${text === "" ? "" : ` :${text}`}`];
    }
    case "timeout":
      return [
        `${tagLine({ "ban-duration": String(event.durationS), ...time, "target-user-id": event.target.who.userId })} ${server} CLEARCHAT #${heard.channel} :${event.target.who.login}`,
      ];
    case "ban":
      return [
        `${tagLine({ ...time, "target-user-id": event.target.who.userId })} ${server} CLEARCHAT #${heard.channel} :${event.target.who.login}`,
      ];
    case "delete":
      // Twitch leaves room-id of CLEARMSG empty.
      return [
        `${tagLine({ login: event.target.who.login, ...time, "room-id": "", "target-msg-id": idIn(heard, event.target.n) })} ${server} CLEARMSG #${heard.channel} :${spoken(event.target.text, heard.loop)}`,
      ];
    case "warn":
    case "hold":
    case "decide":
    case "suspicious":
    case "unban_request":
      // Moderators are told of these, chat is not.
      return [];
    case "room":
      return [
        `${tagLine({ "room-id": heard.roomId, ...event.tags })} ${server} ROOMSTATE #${heard.channel}`,
        `${tagLine({ "msg-id": event.notice.id })} ${server} NOTICE #${heard.channel} :${event.notice.text}`,
      ];
  }
}
