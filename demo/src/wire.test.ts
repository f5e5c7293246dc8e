import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emoteByName } from "./emotes.ts";
import { linesBetween, ANCHOR_MS, pastLines, floodFrames, floodRate } from "./schedule.ts";
import { emotesTag, escapeTag, tagLine } from "./wire.ts";
import { PERIOD_MS, SHARED_CHAT } from "./world.ts";

/** Written from the IRCv3 message-tags document, not from our client. */
function parse(line: string) {
  const match = /^(?:@(\S*) )?(?::(\S+) )?(\S+)(?: (.*))?$/s.exec(line);
  if (match === null) throw new Error(`no IRC line: ${line}`);
  const [, tags = "", prefix = "", command = "", rest = ""] = match;
  const unescape = (value: string): string =>
    value.replace(/\\(.?)/g, (_w, c: string) => ({ ":": ";", s: " ", r: "\r", n: "\n" })[c] ?? c);
  const cut = rest.startsWith(":") ? 0 : rest.indexOf(" :");
  return {
    tags: new Map(
      tags
        .split(";")
        .map((tag) => [tag.slice(0, tag.indexOf("=")), unescape(tag.slice(tag.indexOf("=") + 1))]),
    ),
    prefix,
    command,
    channel: rest.split(" ")[0] ?? "",
    text: cut === -1 ? null : rest.slice(cut + 2),
  };
}

const loop = linesBetween("pepel_lamp", ANCHOR_MS, ANCHOR_MS + PERIOD_MS);
const parsed = loop.map(({ line }) => parse(line));
const only = (command: string) => parsed.filter((line) => line.command === command);

test("tag values are escaped as IRCv3 says", () => {
  expect(escapeTag("a;b c\\d\r\n")).toBe(String.raw`a\:b\sc\\d\r\n`);
  expect(tagLine({ b: "x y", a: "1" })).toBe(String.raw`@a=1;b=x\sy`);
});

test("emote positions count code points, not UTF-16 units", () => {
  expect(emotesTag("😂 Kappa 👨‍💻 Kappa KEKW")).toEqual({ tag: "25:2-6,12-16", only: false });
  expect(emotesTag("Kappa lampHA")).toEqual({
    tag: `25:0-4/${emoteByName.get("lampHA")?.id}:6-11`,
    only: true,
  });
  expect(emotesTag("")).toEqual({ tag: "", only: false });
});

test("every position of every emotes tag covers the emote's name", () => {
  let positions = 0;
  for (const { tags, text } of only("PRIVMSG")) {
    const body = text?.startsWith("\u0001ACTION ") === true ? text.slice(8, -1) : (text ?? "");
    for (const group of (tags.get("emotes") ?? "").split("/").filter(Boolean)) {
      const [id, places = ""] = group.split(":");
      for (const place of places.split(",")) {
        const [first = 0, last = 0] = place.split("-").map(Number);
        const name = Array.from(body)
          .slice(first, last + 1)
          .join("");
        expect(emoteByName.get(name)?.id).toBe(id);
        positions++;
      }
    }
  }
  expect(positions).toBeGreaterThan(3000);
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ALWAYS = [
  "badge-info",
  "badges",
  "color",
  "display-name",
  "emotes",
  "first-msg",
  "flags",
  "id",
  "mod",
  "returning-chatter",
  "room-id",
  "subscriber",
  "tmi-sent-ts",
  "turbo",
  "user-id",
  "user-type",
];

test("each PRIVMSG has the tags that Twitch always sends, in alphabetical order", () => {
  const wrong = only("PRIVMSG").filter(({ tags, prefix }) => {
    const names = [...tags.keys()];
    return !(
      names.join() === [...names].sort((a, b) => (a < b ? -1 : 1)).join() &&
      ALWAYS.every((name) => tags.has(name)) &&
      /^([a-z0-9_]{1,25})!\1@\1\.tmi\.twitch\.tv$/.test(prefix) &&
      tags.get("display-name")?.toLowerCase() === prefix.split("!")[0] &&
      UUID.test(tags.get("id") ?? "")
    );
  });
  expect(wrong).toEqual([]);
});

test("ids never repeat, within a loop, over loops, and between the rooms of a shared chat", () => {
  const ids = [
    ...parsed,
    ...linesBetween("pepel_lamp", ANCHOR_MS + PERIOD_MS, ANCHOR_MS + 2 * PERIOD_MS).map(({ line }) =>
      parse(line),
    ),
  ]
    .map(({ tags }) => tags.get("id"))
    .filter(Boolean);
  expect(new Set(ids).size).toBe(ids.length);
  const elsewhere = new Set(
    linesBetween("nightfern", ANCHOR_MS, ANCHOR_MS + PERIOD_MS).map(({ line }) => parse(line).tags.get("id")),
  );
  expect(ids.filter((id) => elsewhere.has(id))).toEqual([]);
});

test("a reply names its parent and its thread, both heard before", () => {
  const seen = new Map<string, string>();
  let replies = 0;
  for (const { tags, text } of only("PRIVMSG")) {
    const parent = tags.get("reply-parent-msg-id");
    if (parent !== undefined && Number(tags.get("tmi-sent-ts")) > ANCHOR_MS + 60_000) {
      expect(seen.get(parent)).toBe(tags.get("reply-parent-msg-body"));
      expect(seen.has(tags.get("reply-thread-parent-msg-id") ?? "")).toBe(true);
      expect(text?.startsWith(`@${tags.get("reply-parent-display-name")} `)).toBe(true);
      replies++;
    }
    seen.set(tags.get("id") ?? "", text ?? "");
  }
  expect(replies).toBeGreaterThan(50);
});

test("in shared chat a line is heard in both rooms, and both copies name its home", () => {
  const from = ANCHOR_MS + SHARED_CHAT.fromMs;
  const here = linesBetween("pepel_lamp", from, from + 30_000)
    .map(({ line }) => parse(line))
    .filter(({ command }) => command === "PRIVMSG");
  const there = linesBetween("nightfern", from, from + 30_000)
    .map(({ line }) => parse(line))
    .filter(({ command }) => command === "PRIVMSG");
  const homes = new Set(here.map(({ tags }) => tags.get("source-room-id")));
  expect(homes.size).toBe(2);
  const sources = (lines: typeof here): Set<string | undefined> =>
    new Set(lines.map(({ tags }) => tags.get("source-id")));
  expect(sources(here)).toEqual(sources(there));
  for (const { tags } of here)
    expect(tags.get("source-room-id") === tags.get("room-id")).toBe(tags.get("source-id") === tags.get("id"));
  const before = linesBetween("pepel_lamp", from - 5_000, from).map(({ line }) => parse(line));
  expect(before.some(({ tags }) => tags.has("source-room-id"))).toBe(false);
});

test("moderation points at a message that was said", () => {
  const ids = new Set(parsed.map(({ tags }) => tags.get("id")));
  const [deletion] = only("CLEARMSG");
  expect(ids.has(deletion?.tags.get("target-msg-id"))).toBe(true);
  const [, timeout, ban] = only("CLEARCHAT").filter(
    ({ text }) => !/^(?:q7|nobodyasked|vkhod|tishe|skin_drop)_/.test(text ?? ""),
  );
  expect(timeout?.tags.get("ban-duration")).toBe("600");
  expect(ban?.tags.has("ban-duration")).toBe(false);
  expect(ban?.text).toBe("bestviewers_go");
});

test("the past is sorted, holds every channel and ends where the live stream goes on", () => {
  const nowMs = ANCHOR_MS + 5 * PERIOD_MS + 12_345;
  const past = pastLines(nowMs - 600_000, nowMs);
  const sent = past
    .map(({ line }) => Number(parse(line).tags.get("tmi-sent-ts") ?? Number.NaN))
    .filter((ms) => !Number.isNaN(ms));
  expect(sent).toEqual([...sent].sort((a, b) => a - b));
  expect(new Set(past.map(({ line }) => parse(line).channel))).toEqual(
    new Set(["#pepel_lamp", "#nightfern", "#tihiy_ruchey"]),
  );
  const live = linesBetween("pepel_lamp", nowMs, nowMs + 60_000);
  const joined = [...past.filter(({ line }) => line.includes(" #pepel_lamp")), ...live].map(
    ({ line }) => line,
  );
  expect(joined).toEqual(linesBetween("pepel_lamp", nowMs - 600_000, nowMs + 60_000).map(({ line }) => line));
});

test("a clock that jumps changes the sent time and nothing else", () => {
  const [line] = linesBetween("pepel_lamp", ANCHOR_MS, ANCHOR_MS + 5_000, 7_200_000);
  const [right] = linesBetween("pepel_lamp", ANCHOR_MS, ANCHOR_MS + 5_000);
  expect(line?.line).toBe(
    right?.line.replace(/tmi-sent-ts=(\d+)/, (_w, ms: string) => `tmi-sent-ts=${Number(ms) + 7_200_000}`),
  );
});

test("a flood's lines are numbered in their ids, and as valid as any", () => {
  expect(floodRate("flood_35000")).toBe(35_000);
  expect(["flood_0", "flood_", "flood_9999999", "flood_12x"].map(floodRate)).toEqual([
    null,
    null,
    null,
    null,
  ]);
  const frames = [...floodFrames(35_000, 1_000_000, 1_000_100, 48)];
  expect(frames.map(({ lines }) => lines)).toEqual([48, 48, 4]);
  const lines = frames.flatMap(({ text }) => text.split("\r\n").filter((line) => line !== "")).map(parse);
  expect(lines).toHaveLength(100);
  const numbers = lines.map(({ tags }) =>
    Number.parseInt((tags.get("id") ?? "").replace(/^(.{8}).{16}/, "$1"), 16),
  );
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => 1_000_000 + i));
  for (const { tags, channel } of lines) {
    expect(channel).toBe("#flood_35000");
    expect(tags.get("id")).toMatch(UUID);
  }
});

const captures = join(import.meta.dirname, "../../../shared/data/chat-irc");
const capture = join(captures, "xqcow-2019-09-15.irc.txt.gz");
const recent = join(captures, "chatterino-benchmark/recentmessages-nymn.json");
const namesOf = (lines: readonly string[], command: string): Map<string, number> => {
  const names = new Map<string, number>();
  const those = lines.map(parse).filter((line) => line.command === command);
  for (const { tags } of those)
    for (const name of tags.keys()) names.set(name, (names.get(name) ?? 0) + 1 / those.length);
  return names;
};

// The captures are in nobody's checkout but ours: without them the documents' shapes above have to do.
test.skipIf(!existsSync(capture))(
  "our lines have the tags that real captures have, and no others that the docs lack",
  () => {
    const real = gunzipSync(readFileSync(capture))
      .toString("utf8")
      .split("\n")
      .filter((line) => line.startsWith("@"));
    const { messages } = JSON.parse(readFileSync(recent, "utf8")) as { messages: string[] };
    const ours = loop.map(({ line }) => line);
    const always = (lines: readonly string[], command: string): string[] =>
      [...namesOf(lines, command)].filter(([, share]) => share > 0.999).map(([name]) => name);
    // 2024's history service adds names of its own; a ban has no duration, a notice's parameters are its kind's.
    const own = new Set(["historical", "rm-received-ts", "rm-deleted", "ban-duration"]);
    for (const [lines, command] of [
      [messages, "PRIVMSG"],
      [real, "CLEARCHAT"],
      [real, "USERNOTICE"],
    ] as const) {
      const expected = always(lines, command).filter(
        (name) => !own.has(name) && !name.startsWith("msg-param-"),
      );
      expect(always(ours, command), command).toEqual(expect.arrayContaining(expected));
    }
    const shape = (line: string): string =>
      line
        .replace(/^@\S+ /, "")
        .replace(/:(\w+)!\1@\1/, ":u!u@u")
        .replace(/#\w+/, "#c")
        .split(" ")
        .slice(0, 3)
        .join(" ");
    const shapes = new Set([...real, ...messages].map(shape));
    const spoken = ours.filter((line) => / (?:PRIVMSG|CLEARCHAT|USERNOTICE) #/.test(line));
    expect(spoken.filter((line) => !shapes.has(shape(line)))).toEqual([]);
  },
);
