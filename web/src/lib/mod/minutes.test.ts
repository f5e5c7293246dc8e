import { expect, test } from "vitest";
import type { ToxicityWindow } from "@hypecast/contracts/toxicity.ts";
import { marksOf, minutePoints, runs, topOf, withWindows } from "./minutes.ts";

const window = (at: number, toxic: number, more: Partial<ToxicityWindow> = {}): ToxicityWindow => ({
  id: `1:tox:${at * 10_000}`,
  channelId: "1",
  startMs: at * 10_000,
  sizeS: 10,
  scored: 40,
  unknown: 0,
  toxic,
  users: toxic,
  classes: {},
  languages: {},
  newcomers: 0,
  usualPerMin: 6,
  spikeFromPerMin: 16,
  gapS: 0,
  ...more,
});
const many = (n: number, toxic: (at: number) => number): ToxicityWindow[] =>
  Array.from({ length: n }, (_, at) => window(at, toxic(at)));

test("a point is the minute behind it", () => {
  const points = minutePoints(
    many(12, (at) => (at < 6 ? 1 : 3)),
    120_000,
  );
  expect(points.map(({ perMin }) => perMin)).toEqual([null, null, 6, 6, 6, 6, 8, 10, 12, 14, 16, 18]);
});

test("a minute that was mostly not scored or not heard is missing, not quiet", () => {
  const away = many(12, () => 2).map((one, at) =>
    at > 7 ? { ...one, toxic: 0, scored: 0, unknown: 40 } : one,
  );
  expect(minutePoints(away, 120_000).at(-1)).toEqual({ atMs: 120_000, perMin: null, unknown: 160 });
  const unheard = many(12, () => 2).map((one, at) => (at > 7 ? { ...one, toxic: 0, gapS: 10 } : one));
  expect(minutePoints(unheard, 120_000).at(-1)?.perMin).toBeNull();
});

test("a line is broken where points are missing", () => {
  const before = many(8, () => 1);
  const after = many(28, () => 1).slice(20);
  expect(runs(minutePoints([...before, ...after], 280_000)).map((run) => run.length)).toEqual([6, 6]);
});

test("a later version of a window takes the place of the earlier, and old ones go", () => {
  const known = withWindows(
    many(200, () => 1),
    [window(199, 9)],
  );
  expect(known.at(-1)?.toxic).toBe(9);
  expect(known[0]?.startMs).toBe((199 - 126) * 10_000);
});

test("acts of one kind close together are one mark with a count; what is no act makes none", () => {
  const at = (atMs: number, action: "timeout" | "ban" | "mod") => ({ atMs, action });
  expect(
    marksOf(
      [at(9000, "ban"), at(1000, "timeout"), at(3000, "timeout"), at(60_000, "timeout"), at(1, "mod")],
      70_000,
      20_000,
    ),
  ).toEqual([
    { shape: "timeout", atMs: 1000, count: 2 },
    { shape: "ban", atMs: 9000, count: 1 },
    { shape: "timeout", atMs: 60_000, count: 1 },
  ]);
});

test("the axis ends at a round number", () => {
  expect([topOf(0), topOf(5), topOf(29), topOf(61), topOf(140)]).toEqual([4, 5, 30, 80, 150]);
});
