import { lineOf, speaker, timeMs, Unreadable, type Draft } from "../draft.ts";

/*
 * Plain logs, one message a line. The forms that are known:
 *   [2017-11-30 02:46:33 UTC] nick: text            overrustle, TwitchDownloader (UTC), justlog
 *   [2023-05-01 12:00:00] #channel nick: text       rustlog
 *   [0:05:12] nick: text    [00:05:12] <nick> text  TwitchDownloader (relative), chatterino, znc
 *   12:34 < nick> text      12:34:56 <@nick> text   irssi
 *   2023-05-01 12:34:56 <tab> nick <tab> text       weechat
 *   Dec 31 21:11:55 <nick> <tab> text               hexchat
 * A line that only tells who came and went is no message; a line that fits nothing is unreadable.
 */
const BRACKETED =
  /^\[(?:(\d{4}-\d\d-\d\d)[ T])?(-?\d{1,3}:\d\d(?::\d\d(?:\.\d+)?)?)(?: ?(?:UTC|Z))?\]\s+(?:#(\w{1,25}) +)?(.*)$/;
const IRSSI = /^(\d\d:\d\d(?::\d\d)?)\s+(<[ @+%&~]?([^>\s]{1,64})>|\*)\s+(.*)$/;
const WEECHAT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\t([^\t]*)\t(.*)$/;
const HEXCHAT = /^([A-Z][a-z]{2}) (\d\d) (\d\d:\d\d:\d\d) (<([^>\s]{1,64})>|\*)\s+(.*)$/;
const SAID = /^(?:<[ @+%&~]?([^>]{1,64})>\s?|(?:\* )?([^\s:]{1,64}(?: \([a-z0-9_]{1,25}\))?): ?)(.*)$/;
const TIMED_OUT =
  /^(?:#\w+ )?(\w{1,25}) has been (?:timed out for (\d+) ?s(?:econds)?|(banned|permanently banned))\.?$/i;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Joins, parts, topics, the client's own words. */
const SILENT =
  /^(?:#|---|\*\*\*\*|-!-|<?-->?|\*\*\* |==|\s*\*\s*$)|^\d\d:\d\d(?::\d\d)? -!-|^\[[\d: -]+\] +\*\*\* |^$/;

/** What lines before have said: a log gives its day once, and its clock wraps at midnight. */
export interface LogClock {
  /** Midnight of the day that is being written, UTC; null: the log names none. */
  dayMs: number | null;
  /** Seconds of the last time without a date, days that have gone by since the first, and what the first was. */
  lastS: number;
  days: number;
  firstS: number;
  /** Times count from the video's start, and are no time of day. */
  fromStart: boolean;
}

export const newLogClock = (): LogClock => ({
  dayMs: null,
  lastS: NaN,
  days: 0,
  firstS: NaN,
  fromStart: false,
});

export const looksLikeLog = (line: string): boolean =>
  WEECHAT.test(line) ||
  IRSSI.test(line) ||
  HEXCHAT.test(line) ||
  ((found) => found !== null && (SAID.test(found[4]!) || TIMED_OUT.test(found[4]!)))(BRACKETED.exec(line));

/** Null: the line is none of the chat's. */
export function logDraft(line: string, clock: LogClock): Draft | null {
  const opened = /^(?:--- (?:Log opened|Day changed)|\*\*\*\* BEGIN LOGGING AT) (.+)$/.exec(line);
  if (opened !== null) {
    const day = Date.parse(`${opened[1]} UTC`);
    if (!Number.isNaN(day)) startDay(clock, day);
    return null;
  }
  const started = /^# Start logging at (\d{4}-\d\d-\d\d)/.exec(line);
  if (started !== null) {
    startDay(clock, Date.parse(`${started[1]}T00:00:00Z`));
    return null;
  }
  if (SILENT.test(line)) return null;

  let found = BRACKETED.exec(line);
  if (found !== null) {
    const [, day, time, channel = "", rest] = found;
    const times =
      day === undefined
        ? timeOf(time!, clock)
        : { offsetS: NaN, atMs: timeMs(`${day}T${time!.length === 5 ? `${time!}:00` : time!}Z`) };
    return words(rest!, times, channel);
  }
  found = IRSSI.exec(line);
  if (found !== null)
    return words(
      found[2] === "*" ? `* ${found[4]!}` : `<${found[3]!}> ${found[4]!}`,
      timeOf(found[1]!, clock),
      "",
    );
  found = WEECHAT.exec(line);
  if (found !== null) {
    const nick = found[3]!.trim();
    if (/^(?:-->|<--|--|=!=|)$/.test(nick)) return null;
    const times = { offsetS: NaN, atMs: timeMs(`${found[1]}T${found[2]}Z`) };
    return words(
      nick === "*" ? `* ${found[4]!}` : `<${nick.replace(/^[@+%&~]/, "")}> ${found[4]!}`,
      times,
      "",
    );
  }
  found = HEXCHAT.exec(line);
  if (found !== null) {
    const month = MONTHS.indexOf(found[1]!);
    const year = clock.dayMs === null ? 2000 : new Date(clock.dayMs).getUTCFullYear();
    const [hours, minutes, seconds] = found[3]!.split(":").map(Number);
    const atMs = Date.UTC(year, month, Number(found[2]), hours, minutes, seconds);
    return words(
      found[4] === "*" ? `* ${found[6]!}` : `<${found[5]!}> ${found[6]!}`,
      { offsetS: NaN, atMs },
      "",
    );
  }
  throw new Unreadable("it has no form of a log line that is known");
}

function words(rest: string, times: { offsetS: number; atMs: number }, channel: string): Draft {
  if (Number.isNaN(times.offsetS) && Number.isNaN(times.atMs)) throw new Unreadable("its time is none");
  const gone = TIMED_OUT.exec(rest);
  if (gone !== null)
    return {
      kind: "moderation",
      item: {
        id: "",
        channelId: "",
        sentAtMs: 0,
        action: gone[2] === undefined ? "ban" : "timeout",
        targetLogin: gone[1]!.toLowerCase(),
        ...(gone[2] !== undefined && { durationS: Number(gone[2]) }),
      },
      ...times,
      channel,
    };
  const action = /^\* (\S{1,64}) (.*)$/.exec(rest);
  const said = SAID.exec(rest);
  if (said === null && action === null) throw new Unreadable("it says not who wrote it");
  const nick = said?.[1] ?? said?.[2] ?? action![1]!;
  // A name in other letters is followed by the login.
  const both = /^(.+) \(([a-z0-9_]{1,25})\)$/.exec(nick);
  const item = lineOf({
    id: "",
    by: both === null ? speaker("", nick, nick) : speaker("", both[2]!, both[1]!),
    text: said?.[3] ?? action![2]!,
  });
  if (said === null) item.action = true;
  return { kind: "line", item, ...times, channel };
}

function startDay(clock: LogClock, atMs: number): void {
  clock.dayMs = Math.floor(atMs / 86_400_000) * 86_400_000;
  clock.lastS = NaN;
  clock.days = 0;
}

/**
 * A time without a date. After a line that names the day it is a time of that day, taken as UTC. Otherwise it counts from the video's
 * start if the log begins in the first hour or writes its hours with one digit, and from the first line if it does not.
 */
function timeOf(time: string, clock: LogClock): { offsetS: number; atMs: number } {
  const parts = time.replace("-", "").split(":").map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = parts;
  let second = hours * 3600 + minutes * 60 + seconds;
  if (time.startsWith("-")) second = -second;
  if (Number.isNaN(clock.firstS)) {
    clock.firstS = second;
    clock.fromStart = second < 3600 || /^\d:/.test(time) || hours > 23;
  }
  if (clock.dayMs === null && clock.fromStart) return { offsetS: second, atMs: NaN };
  if (second < clock.lastS - 43_200) clock.days++;
  clock.lastS = second;
  const sinceMidnight = clock.days * 86_400 + second;
  return clock.dayMs === null
    ? { offsetS: sinceMidnight - clock.firstS, atMs: NaN }
    : { offsetS: NaN, atMs: clock.dayMs + sinceMidnight * 1000 };
}
