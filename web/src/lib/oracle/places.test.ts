import { expect, test } from "vitest";
import { LONGEST_QUERY as CONTRACT } from "@hypecast/contracts/oracle.ts";
import type { Place } from "@hypecast/contracts/api-vods.ts";
import { LONGEST_QUERY } from "./limits.ts";
import { lensAround, leavesLens, nextRank, pinsOf, spanOf, startOf } from "./places.ts";

const START = 1_000_000;
const place = (rank: number, atS: number, stream = "_a"): Place => ({
  rank,
  channelId: "vod-a-1",
  atMs: START + atS * 1000,
  errorMs: 2000,
  chatAtMs: START + atS * 1000 + 4000,
  startMs: START + atS * 1000 - 8000,
  endMs: START + atS * 1000 + 20_000,
  score: 0.9,
  certainty: "sure",
  parts: {},
  chunkIds: [],
  momentId: null,
  lines: [],
  why: "",
  screen: "",
  stream,
  title: "",
  atS,
  timecode: "",
  link: "",
});

test("the page takes as long a question as the API does", () => {
  expect(LONGEST_QUERY).toBe(CONTRACT);
});

test("a place knows where its stream begins", () => {
  expect(startOf(place(1, 4358))).toBe(START);
});

test("pins are those of the stream on the stage, the chosen one on top", () => {
  const answer = { hits: [place(1, 100), place(2, 50), place(3, 70, "_b")], nearest: [] };
  expect(pinsOf(answer, "_a", 1).map(({ rank, chosen }) => [rank, chosen])).toEqual([
    [2, false],
    [1, true],
  ]);
  expect(pinsOf({ hits: [], nearest: [place(1, 9)] }, "_a", null)).toEqual([
    { rank: 1, atMs: START + 9000, kind: "near", chosen: false },
  ]);
  expect(pinsOf(null, "_a", 1)).toEqual([]);
});

test("the lens is two minutes around the range, inside the stream, and longer for a longer range", () => {
  const whole = { fromMs: START, toMs: START + 3_600_000 };
  expect(lensAround({ startMs: START + 600_000, endMs: START + 630_000 }, whole)).toEqual({
    fromMs: START + 555_000,
    toMs: START + 675_000,
  });
  expect(lensAround({ startMs: START, endMs: START + 10_000 }, whole).fromMs).toBe(START);
  expect(lensAround({ startMs: START + 3_590_000, endMs: START + 3_600_000 }, whole).toMs).toBe(whole.toMs);
  const long = lensAround({ startMs: START + 600_000, endMs: START + 900_000 }, whole);
  expect(long.toMs - long.fromMs).toBe(450_000);
});

test("a range that reaches the lens's edge moves the lens", () => {
  const lens = { fromMs: 0, toMs: 120_000 };
  expect(leavesLens({ startMs: 30_000, endMs: 60_000 }, lens)).toBe(false);
  expect(leavesLens({ startMs: 2000, endMs: 60_000 }, lens)).toBe(true);
  expect(leavesLens({ startMs: 30_000, endMs: 119_000 }, lens)).toBe(true);
});

test("a place is as long as a clip may be", () => {
  expect(spanOf({ startMs: 0, endMs: 100 })).toEqual({ startMs: 0, endMs: 1000 });
  expect(spanOf({ startMs: 0, endMs: 3_600_000 })).toEqual({ startMs: 0, endMs: 600_000 });
});

test("keys go round the places that nobody has refused", () => {
  expect(nextRank([1, 2, 3], 1, 1)).toBe(2);
  expect(nextRank([1, 2, 3], 3, 1)).toBe(1);
  expect(nextRank([1, 3], 1, -1)).toBe(3);
  expect(nextRank([1, 3], null, 1)).toBe(1);
  expect(nextRank([], 1, 1)).toBeNull();
});
