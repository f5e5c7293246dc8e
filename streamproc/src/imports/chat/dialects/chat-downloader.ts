import type { LineEmote } from "@hypecast/contracts/chat.ts";
import {
  badgesOf,
  idText,
  isObject,
  lineOf,
  number,
  speaker,
  text,
  Unreadable,
  type Draft,
  type Json,
} from "../draft.ts";
import { annotate } from "../../../sources/emotes/annotate.ts";

const NO_NAMES: ReadonlyMap<string, string> = new Map();

export const isChatDownloader = (value: Json): boolean =>
  ("time_in_seconds" in value || "timestamp" in value) && "author" in value && "message" in value;

/** chat-downloader's items: `author` is an object, or in old files a name; `timestamp` counts microseconds; live chats have no `time_in_seconds`. */
export function chatDownloaderDraft(value: Json): Draft {
  const offsetS = number(value["time_in_seconds"]);
  const atMs = number(value["timestamp"]) / 1000;
  if (!Number.isFinite(offsetS) && !Number.isFinite(atMs)) throw new Unreadable("it has no time");
  const author = value["author"];
  const who = isObject(author) ? author : {};
  const kind = text(value["message_type"]);
  const line = lineOf({
    id: idText(value["message_id"]),
    by: speaker(
      idText(who["id"]),
      text(who["name"]),
      typeof author === "string" ? author : text(who["display_name"]),
    ),
    text: text(value["message"]),
    badges: badgesOf(value["author_badges"] ?? who["badges"]),
    color: text(value["author_colour"] ?? value["colour"] ?? who["colour"]),
  });
  const times = { offsetS, atMs: Math.round(atMs), channel: idText(value["channel_id"]) };
  const system = text(value["system_message"]);
  if (kind !== "" && kind !== "text_message" && kind !== "highlighted_message" && system !== "")
    return {
      kind: "notice",
      item: {
        id: line.id,
        channelId: "",
        sentAtMs: 0,
        kind: kind.slice(0, 64),
        userId: line.userId,
        login: line.login,
        ...(line.text !== "" && { text: line.text }),
        systemText: system.slice(0, 1000),
        count: 1,
      },
      ...times,
    };
  const emotes = emotesOf(line.text, value["emotes"]);
  if (emotes !== null) line.emotes = emotes;
  const bits = number(value["bits"]);
  if (bits > 0 && Number.isSafeInteger(bits)) line.bits = bits;
  return { kind: "line", item: line, ...times };
}

/** `locations` is `0-4,6-10`, or a list of such ranges. */
function emotesOf(line: string, list: unknown): LineEmote[] | null {
  if (!Array.isArray(list) || list.length === 0) return null;
  const tag: string[] = [];
  for (const emote of list) {
    if (!isObject(emote)) continue;
    const id = idText(emote["id"]);
    const ranges = Array.isArray(emote["locations"])
      ? emote["locations"].join(",")
      : text(emote["locations"]);
    if (/^[\w-]{1,64}$/.test(id) && /^[\d,-]+$/.test(ranges)) tag.push(`${id}:${ranges}`);
  }
  return annotate(line, tag.join("/"), NO_NAMES);
}
