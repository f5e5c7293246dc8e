import { expect, test } from "vitest";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { CHUNK_MS, firstAfter, linesUpTo, MOST_LINES } from "./chat.ts";

const line = (sentAtMs: number): ChatLine => ({
  id: `l${sentAtMs}`,
  channelId: "vod-a-1",
  sentAtMs,
  userId: "1",
  login: "anna",
  text: "hi",
});
const times = (lines: readonly ChatLine[]): number[] => lines.map(({ sentAtMs }) => sentAtMs);

test("chat beside the clock ends where the clock stands", () => {
  const chunks = new Map([
    [0, [line(1000), line(59_000)]],
    [1, [line(61_000), line(90_000)]],
  ]);
  expect(times(linesUpTo(chunks, 0, 61_500))).toEqual([1000, 59_000, 61_000]);
  expect(times(linesUpTo(chunks, 1, 61_500))).toEqual([61_000]);
  expect(times(linesUpTo(chunks, 0, 500))).toEqual([]);
});

test("lines before a minute that has not come are not shown as if they were its neighbours", () => {
  const chunks = new Map([
    [0, [line(1000)]],
    [2, [line(2 * CHUNK_MS + 5)]],
  ]);
  expect(times(linesUpTo(chunks, 0, 3 * CHUNK_MS - 1))).toEqual([2 * CHUNK_MS + 5]);
});

test("the column is bounded: the newest lines stay", () => {
  const many = Array.from({ length: MOST_LINES + 10 }, (_, at) => line(at));
  const shown = linesUpTo(new Map([[0, many]]), 0, 50_000);
  expect(shown.length).toBe(MOST_LINES);
  expect(shown.at(-1)?.sentAtMs).toBe(MOST_LINES + 9);
});

test("a step goes on with the row, a jump begins a new one a minute before", () => {
  expect(firstAfter(null, null, 10 * CHUNK_MS)).toBe(9);
  expect(firstAfter(5, 8, 9 * CHUNK_MS + 3)).toBe(5);
  expect(firstAfter(5, 8, 20 * CHUNK_MS)).toBe(19);
  expect(firstAfter(5, 8, 2 * CHUNK_MS)).toBe(1);
});
