import { expect, test } from "vitest";
import { SecondRing } from "../live/series.ts";
import { fanThrough, highest } from "./five-minutes.ts";

const fan = [
  { minutes: 1, p10: 474, p50: 636, p90: 818 },
  { minutes: 5, p10: 212, p50: 430, p90: 860 },
  { minutes: 15, p10: 100, p50: 300, p90: 2000 },
];

test("the fan leaves the measured line at now with no width and says at each horizon what was forecast", () => {
  const { p10, p50, p90 } = fanThrough(642, fan);
  expect([p10(0), p50(0), p90(0)]).toEqual([642, 642, 642]);
  expect([p10(60), p50(60), p90(60)]).toEqual([474, 636, 818]);
  expect([p10(300), p50(300), p90(300)]).toEqual([212, 430, 860]);
  for (let s = 1; s <= 300; s++) {
    expect(p10(s)).toBeLessThanOrEqual(p50(s));
    expect(p50(s)).toBeLessThanOrEqual(p90(s));
  }
});

test("the axis is made from what is in view: the last five minutes and the next five", () => {
  const seconds = new SecondRing(900);
  seconds.put(1000, 500, 1);
  seconds.put(1000 - 301, 9000, 1);
  const scene = {
    nowMs: 1_000_000,
    seconds,
    fan,
    saidEarlier: () => 0,
    stale: false,
  } as unknown as Parameters<typeof highest>[0];
  expect(highest(scene)).toBe(860);
});
