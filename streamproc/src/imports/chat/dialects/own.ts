import type { ChatLine } from "@hypecast/contracts/chat.ts";
import {
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

const OFFSET = ["offsetS", "offset", "offset_seconds", "time_in_seconds", "seconds", "vod_offset"];
const TIME = ["sentAtMs", "sent_at_ms", "timestamp", "time", "created_at", "date", "sent_at"];
const TEXT = ["text", "message", "msg", "body", "content"];
const NAME = [
  "login",
  "user",
  "username",
  "nick",
  "author",
  "name",
  "user_name",
  "display_name",
  "displayName",
];

const first = (value: Json, names: readonly string[]): unknown => {
  for (const name of names) if (value[name] !== undefined && value[name] !== null) return value[name];
  return undefined;
};

/** A row of our own `chat.lines`, or of anybody's who calls the three things by a usual name. */
export const isOwn = (value: Json): boolean =>
  typeof first(value, TEXT) === "string" &&
  first(value, NAME) !== undefined &&
  (first(value, OFFSET) !== undefined || first(value, TIME) !== undefined);

export function ownDraft(value: Json): Draft {
  const { offsetS, atMs } = timesOf(first(value, OFFSET), first(value, TIME));
  if (Number.isNaN(offsetS) && Number.isNaN(atMs)) throw new Unreadable("it has no time that can be read");
  const said = first(value, TEXT);
  if (typeof said !== "string") throw new Unreadable("it has no text");
  const who = first(value, NAME);
  const name = isObject(who) ? text(who["display_name"] ?? who["name"]) : idText(who);
  const item = lineOf({
    id: idText(value["id"] ?? value["message_id"]),
    by: speaker(
      idText(value["userId"] ?? value["user_id"]),
      text(value["login"]),
      text(value["name"]) || (name === value["login"] ? "" : name),
    ),
    text: said,
    badges: text(value["badges"]),
    color: text(value["color"]),
  });
  const emotes = emotesOf(value["emotes"]);
  if (emotes !== null) item.emotes = emotes;
  const bits = number(value["bits"]);
  if (bits > 0 && Number.isSafeInteger(bits)) item.bits = bits;
  if (value["action"] === true) item.action = true;
  if (value["firstMessage"] === true) item.firstMessage = true;
  if (value["returning"] === true) item.returning = true;
  const replyTo = text(value["replyTo"]);
  if (/^[\w-]{1,64}$/.test(replyTo)) item.replyTo = replyTo;
  return {
    kind: "line",
    item,
    offsetS,
    atMs,
    channel: idText(value["channelId"] ?? value["channel_id"] ?? value["channel"]),
  };
}

/** A time as people write it: seconds or h:mm:ss from the start, or a date, or milliseconds or seconds since 1970. */
export function timesOf(offset: unknown, time: unknown): { offsetS: number; atMs: number } {
  const offsetS = offset === undefined ? NaN : secondsOf(offset);
  if (time === undefined) return { offsetS, atMs: NaN };
  const date = timeMs(time);
  if (!Number.isNaN(date)) return { offsetS, atMs: date };
  const plain = number(time);
  if (Number.isNaN(plain)) {
    const clock = secondsOf(time);
    return { offsetS: Number.isNaN(offsetS) ? clock : offsetS, atMs: NaN };
  }
  // Microseconds, milliseconds and seconds since 1970 are told apart by their size; what is smaller counts from the start.
  if (plain > 1e14) return { offsetS, atMs: Math.round(plain / 1000) };
  if (plain > 1e11) return { offsetS, atMs: Math.round(plain) };
  if (plain > 1e9) return { offsetS, atMs: Math.round(plain * 1000) };
  return { offsetS: Number.isNaN(offsetS) ? plain : offsetS, atMs: NaN };
}

/** `12.5`, `5:07`, `-0:12`, `1:02:03.5`, `1h2m3s`. NaN where it is none. */
export function secondsOf(value: unknown): number {
  const plain = number(value);
  if (!Number.isNaN(plain)) return plain;
  if (typeof value !== "string") return NaN;
  const clock = /^\s*(-)?(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)\s*$/.exec(value);
  if (clock !== null) {
    const seconds = Number(clock[2] ?? 0) * 3600 + Number(clock[3]) * 60 + Number(clock[4]);
    return clock[1] === undefined ? seconds : -seconds;
  }
  const words = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value);
  if (words === null || value === "") return NaN;
  return Number(words[1] ?? 0) * 3600 + Number(words[2] ?? 0) * 60 + Number(words[3] ?? 0);
}

function emotesOf(value: unknown): ChatLine["emotes"] | null {
  if (!Array.isArray(value)) return null;
  const emotes: NonNullable<ChatLine["emotes"]> = [];
  for (const one of value) {
    if (!Array.isArray(one) || emotes.length >= 250) continue;
    const [ref, name, from, to] = one as unknown[];
    if (typeof ref === "string" && typeof name === "string" && Number.isInteger(from) && Number.isInteger(to))
      emotes.push([ref, name, from as number, to as number]);
  }
  return emotes.length === 0 ? null : emotes;
}
