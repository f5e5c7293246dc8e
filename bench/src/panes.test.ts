import { expect, test } from "vitest";
import type { FoldInput } from "@hypecast/streamproc/processors/fold.ts";
import { PaneLines } from "./pane-lines.ts";
import { panes, type PaneRow } from "./panes.ts";

const AT_MS = 1_700_000_000_000;
const EMOTES = "25:0-4,12-16/1902:6-10";

function irc(tags: Record<string, string | number>, text: string, command = "PRIVMSG"): string {
  const all = Object.entries({ "badge-info": "", "room-id": 7, "tmi-sent-ts": AT_MS, "user-id": 1, ...tags });
  return `@${all.map((tag) => tag.join("=")).join(";")} :a!a@a.tmi.twitch.tv ${command} #seven :${text}\n`;
}

/** The rows of every pane, after the lines came in chunks and the state was saved and loaded between any two of them. */
function rowsOf(chunks: readonly string[]): PaneRow[] {
  const rows: PaneRow[] = [];
  const reader = new PaneLines();
  let state = panes.initial("7");
  const step = (input: unknown): void =>
    panes.step(state, input as FoldInput, (said) => {
      if (said.type === "window") rows.push(said.window as unknown as PaneRow);
    });
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    for (const { channelId, lines } of reader.read(bytes, bytes.length)) {
      expect(channelId).toBe("7");
      step({ type: "lines", lines });
    }
    reader.clear();
    bytes.fill(0);
    state = panes.load("7", 1, panes.save(state))!;
  }
  step({ type: "alive", atMs: AT_MS + 3_600_000 });
  return rows;
}

test("a pane holds what Flink's holds", () => {
  const rows = rowsOf([
    irc({ emotes: EMOTES, "user-id": 9_007_199_254_740 }, "Kappa"),
    irc({ "user-id": 9_007_199_254_741, "emote-only": 1 }, "Kappa"),
    irc({ "user-id": 9_007_199_254_741, emotes: "25:0-4/305:6-7" }, "привет 🔥"),
  ]);
  expect(rows).toEqual([
    {
      channel: "7",
      startMs: AT_MS,
      messages: 3,
      chatters: 2,
      meanLength: (5 + 5 + 8) / 3,
      repeatedShare: 1 / 3,
      emotes: "25:3,1902:1,305:1",
    },
  ]);
});

test("only the ten most used emotes stand in a row, equal ones by id", () => {
  const emotes = Array.from({ length: 12 }, (_, i) => `${i + 10}:0-1${i === 11 ? ",3-4" : ""}`).join("/");
  expect(rowsOf([irc({ emotes }, "x")])[0]!.emotes).toBe("21:2,10:1,11:1,12:1,13:1,14:1,15:1,16:1,17:1,18:1");
});

test("a second closes two seconds after the newest line, and what comes later is left out", () => {
  const late = irc({ "user-id": 5 }, "late");
  const rows = rowsOf([
    irc({}, "a") + irc({ "tmi-sent-ts": AT_MS + 2999 }, "b") + irc({ "user-id": 2 }, "in time"),
    irc({ "tmi-sent-ts": AT_MS + 3000 }, "c") + late,
  ]);
  expect(rows.map(({ startMs, messages, chatters }) => [startMs - AT_MS, messages, chatters])).toEqual([
    [0, 2, 2],
    [2000, 1, 1],
    [3000, 1, 1],
  ]);
});

test("many chatters and texts are counted as sets of strings count them, over any cut", () => {
  let seed = 1;
  const below = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  const lines = Array.from({ length: 5000 }, () => {
    const [userId, text] = [below(2000) * 4_294_967_296, `t${below(1500)}`];
    return { userId, text, line: irc({ "user-id": userId, "tmi-sent-ts": AT_MS + below(3) * 500 }, text) };
  });
  const half = lines.slice(0, 2500);
  const rest = lines.slice(2500);
  const rows = rowsOf([half, rest].map((part) => part.map(({ line }) => line).join("")));
  for (const [second, row] of rows.entries()) {
    const of = lines.filter(({ line }) => line.includes(`tmi-sent-ts=${AT_MS + 1000}`) === (second === 1));
    const texts = new Set(of.map(({ text }) => text)).size;
    expect(row).toMatchObject({
      messages: of.length,
      chatters: new Set(of.map(({ userId }) => userId)).size,
      repeatedShare: (of.length - texts) / of.length,
    });
  }
  expect(rows).toHaveLength(2);
});

test.each([
  ["another command", irc({}, "x", "USERNOTICE")],
  ["a line without tags", ":a!a@a PRIVMSG #seven :x\n"],
  ["tags that end with the line", "@room-id=7;user-id=1\n"],
  ["a line that ends with the prefix", "@room-id=7 :a!a@a\n"],
  ["a message without text", "@room-id=7 :a!a@a PRIVMSG #seven\n"],
  ["an empty line", "\n"],
])("%s is passed over, and the next line is read", (_name, line) => {
  const rows = rowsOf([line + irc({}, "next")]);
  expect(rows.map(({ messages, meanLength }) => [messages, meanLength])).toEqual([[1, 4]]);
});

test("the line end is no part of the text", () => {
  const [row] = rowsOf([irc({}, "a\r") + irc({}, "a") + irc({}, "a\rb")]);
  expect(row).toMatchObject({ meanLength: 5 / 3, repeatedShare: 1 / 3 });
});
