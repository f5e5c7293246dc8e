import { expect, test } from "vitest";
import { NO_PACE, paced, rateOf, secondsLeft, type Pace } from "./pace.ts";

const over = (...seen: [atS: number, bytes: number][]): Pace =>
  seen.reduce((pace, [atS, bytes]) => paced(pace, atS * 1000, bytes), NO_PACE);

test("nothing is said of the first half second", () => {
  expect(rateOf(over([0, 0], [0.3, 5000]))).toBeNull();
  expect(secondsLeft(NO_PACE, 100)).toBeNull();
});

test("the rate is of the last seconds, and the rest takes its time", () => {
  const pace = over([0, 0], [4, 8000], [20, 8000], [22, 12_000]);
  expect(rateOf(pace)).toBe(2000);
  expect(secondsLeft(pace, 16_000)).toBe(2);
});

test("bytes that were sent in vain begin the measure anew", () => {
  expect(rateOf(over([0, 0], [1, 9000], [2, 3000], [3, 5000]))).toBe(2000);
});
