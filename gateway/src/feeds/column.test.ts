import { expect, test } from "vitest";
import { packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { columnOf, READ_LINES, SHOWN_LINES, tailOf, type Pack } from "./column.ts";

const line = (n: number, over: Partial<ChatLine> = {}): ChatLine => ({
  id: `m${n}`,
  channelId: "1",
  sentAtMs: n,
  userId: `u${n}`,
  login: `chatter${n}`,
  text: `line ${n}`,
  ...over,
});
const pack = (lines: ChatLine[]): Pack => ({ body: packLines(lines), lines: lines.length });
const many = (from: number, count: number): ChatLine[] =>
  Array.from({ length: count }, (_none, i) => line(from + i));
const none = (): boolean => false;

test("a calm chat is shown whole and in order, over several packs", () => {
  const { lines, hidden } = columnOf([pack(many(1, 2)), pack(many(3, 1))], none);
  expect(lines.map(({ id }) => id)).toEqual(["m1", "m2", "m3"]);
  expect(hidden).toEqual({ tooFast: 0, repeats: 0, bots: 0 });
});

test("what repeats a line is folded into it and counted", () => {
  const kekw = [1, 2, 3].map((n) => line(n, { text: n === 2 ? " kekw" : "KEKW" }));
  const { lines, hidden } = columnOf([pack([...kekw, line(4)])], none);
  expect(lines.map(({ text, repeats }) => [text, repeats])).toEqual([
    ["KEKW", 3],
    ["line 4", undefined],
  ]);
  expect(hidden).toEqual({ tooFast: 0, repeats: 2, bots: 0 });
});

test("bots are hidden by name and by badge, removed lines are not shown at all", () => {
  const lines = [line(1, { login: "nightbot" }), line(2, { badges: "bot-badge/1" }), line(3), line(4)];
  const column = columnOf([pack(lines)], ({ id }) => id === "m3");
  expect(column.lines.map(({ id }) => id)).toEqual(["m4"]);
  expect(column.hidden).toEqual({ tooFast: 0, repeats: 0, bots: 2 });
});

test("of more than fit those stay that say most, and the rest is counted as too fast", () => {
  const lines = many(1, 30);
  lines[20] = line(21, { bits: 500 });
  lines[25] = line(26, { firstMessage: true });
  const column = columnOf([pack(lines)], none);
  expect(column.lines).toHaveLength(SHOWN_LINES);
  expect(column.lines.map(({ id }) => id)).toEqual(expect.arrayContaining(["m21", "m26"]));
  expect(column.hidden.tooFast).toBe(30 - SHOWN_LINES);
});

test("of a flood only some lines are read, spread over all of it, and every line is accounted for", () => {
  const packs = Array.from({ length: 50 }, (_none, i) => pack(many(i * 175, 175)));
  let read = 0;
  const seen: number[] = [];
  const { lines, hidden } = columnOf(packs, ({ sentAtMs }) => {
    read++;
    seen.push(sentAtMs);
    return false;
  });
  expect(read).toBe(READ_LINES);
  expect(Math.min(...seen)).toBeLessThan(100);
  expect(Math.max(...seen)).toBeGreaterThan(8650);
  expect(lines.length + hidden.tooFast + hidden.repeats + hidden.bots).toBe(8750);
});

test("the tail of a pack is its last lines, whole", () => {
  const tail = tailOf(pack(many(1, 100)), 3);
  expect(columnOf([tail], none).lines.map(({ id }) => id)).toEqual(["m98", "m99", "m100"]);
  expect(tail.lines).toBe(3);
  expect(columnOf([tailOf(pack(many(1, 2)), 3)], none).lines).toHaveLength(2);
});

test("a line that is no JSON is passed over", () => {
  const body = new TextEncoder().encode(`{"broken\n${JSON.stringify(line(2))}\n`);
  expect(columnOf([{ body, lines: 2 }], none).lines.map(({ id }) => id)).toEqual(["m2"]);
});
