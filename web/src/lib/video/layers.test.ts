import { expect, test } from "vitest";
import { Loudness, stretchesOf } from "./layers.ts";

const shot = (startMs: number, endMs: number, ad = false) => ({ startMs, endMs, ad });

test("advertisements that touch are one, a hole between shots is a gap, a frame's difference is none", () => {
  expect(
    stretchesOf([
      shot(0, 10_000),
      shot(10_033, 20_000, true),
      shot(20_000, 30_000, true),
      shot(30_000, 40_000),
      shot(70_000, 80_000),
      shot(80_000, 90_000, true),
    ]),
  ).toEqual([
    { fromMs: 10_033, toMs: 30_000, why: "ad" },
    { fromMs: 40_000, toMs: 70_000, why: "gap" },
    { fromMs: 80_000, toMs: 90_000, why: "ad" },
  ]);
  expect(stretchesOf([])).toEqual([]);
});

test("the loudest of a stretch is kept; what was not measured is not silence", () => {
  const loudness = new Loudness();
  expect(loudness.empty).toBe(true);
  loudness.put(5000, 1000, 3);
  loudness.put(6000, 1000, 9);
  loudness.put(7000, 1000, -4);
  loudness.put(30_000, 1000, null);
  expect(loudness.at(0, 10_000)).toBe(9);
  expect(loudness.at(10_000, 40_000)).toBeNaN();
  expect(loudness.at(0, 40_000)).toBe(9);
});
