import type { LineEmote } from "@hypecast/contracts/chat.ts";
import {
  badgesOf,
  idText,
  isObject,
  lineOf,
  number,
  speaker,
  text,
  timeMs,
  Unreadable,
  type Draft,
  type Json,
} from "../draft.ts";

/**
 * Comments of a Twitch video, as Twitch's v5 API gave them (`content_offset_seconds`, `commenter.name`, `emoticon`; TwitchDownloader
 * writes the same) and as its GraphQL gives them (`contentOffsetSeconds`, `commenter.login`, `emote`). Tools mix the two, so each
 * field is looked for under all its names.
 */
export function commentDraft(value: Json): Draft {
  const offsetS = number(value["contentOffsetSeconds"] ?? value["content_offset_seconds"]);
  if (!Number.isFinite(offsetS)) throw new Unreadable("it has no offset in the video");
  const message = value["message"];
  const who = value["commenter"];
  const body = isObject(message) ? text(message["body"]) : text(message);
  if (!isObject(message) && typeof message !== "string") throw new Unreadable("it has no message");

  const emotes: LineEmote[] = [];
  let written = "";
  let points = 0;
  const fragments = isObject(message) ? message["fragments"] : null;
  if (Array.isArray(fragments))
    for (const fragment of fragments) {
      if (!isObject(fragment)) continue;
      const part = text(fragment["text"]);
      if (part === "") continue;
      const length = codePoints(part);
      const emote = fragment["emote"] ?? fragment["emoticon"];
      if (isObject(emote)) {
        const id = idText(emote["emoteID"] ?? emote["emoticon_id"] ?? emote["id"]);
        if (id !== "" && emotes.length < 250)
          emotes.push([`twitch:${id.split(";")[0]!}`, part, points, points + length - 1]);
      }
      written += part;
      points += length;
    }

  const commenter = isObject(who) ? who : {};
  const line = lineOf({
    id: idText(value["id"] ?? value["_id"]),
    by: speaker(
      idText(commenter["id"] ?? commenter["_id"]),
      text(commenter["login"] ?? commenter["name"]),
      typeof who === "string" ? who : text(commenter["displayName"] ?? commenter["display_name"]).trim(),
    ),
    text: written === "" ? body : written,
    ...(isObject(message) && {
      badges: badgesOf(message["userBadges"] ?? message["user_badges"]),
      color: text(message["userColor"] ?? message["user_color"]),
    }),
  });
  const times = {
    offsetS,
    atMs: timeMs(value["createdAt"] ?? value["created_at"]),
    channel: idText(value["channelId"] ?? value["channel_id"]),
  };
  if (!isObject(message)) return { kind: "line", item: line, ...times };

  const notice = message["user_notice_params"] ?? message["userNoticeParams"];
  const kind = isObject(notice) ? text(notice["msg-id"] ?? notice["msg_id"] ?? notice["msgid"]) : "";
  if (kind !== "" && kind !== "highlighted-message")
    return {
      kind: "notice",
      item: {
        id: line.id,
        channelId: "",
        sentAtMs: 0,
        kind: kind.slice(0, 64),
        userId: line.userId,
        login: line.login,
        ...(line.name !== undefined && { name: line.name }),
        systemText: line.text.slice(0, 1000),
        count: 1,
      },
      ...times,
    };
  if (message["is_action"] === true) line.action = true;
  if (emotes.length > 0) line.emotes = emotes;
  const bits = number(message["bitsSpent"] ?? message["bits_spent"]);
  if (bits > 0 && Number.isSafeInteger(bits)) line.bits = bits;
  return { kind: "line", item: line, ...times };
}

export const isComment = (value: Json): boolean =>
  ("contentOffsetSeconds" in value || "content_offset_seconds" in value) && "message" in value;

/** A page of answers, an edge or a bare comment: the comments in it. Null: it is none of these. */
export function commentsIn(value: Json): Json[] | null {
  if (isComment(value)) return [value];
  if (isObject(value["node"])) return isComment(value["node"]) ? [value["node"]] : null;
  const data = isObject(value["data"]) ? value["data"] : value;
  const video = isObject(data["video"]) ? data["video"] : data;
  const comments = video["comments"];
  const list = isObject(comments) ? comments["edges"] : comments;
  if (!Array.isArray(list)) return null;
  return list.flatMap((one) => (isObject(one) ? (commentsIn(one) ?? []) : []));
}

function codePoints(part: string): number {
  let points = part.length;
  for (let at = 0; at < part.length; at++) if ((part.charCodeAt(at) & 0xfc00) === 0xd800) points--;
  return points;
}
