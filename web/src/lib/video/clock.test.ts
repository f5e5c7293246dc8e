import { expect, test } from "vitest";
import { dateAt, secondsAt, type Piece } from "./clock.ts";

/** Ten seconds, a hole of a minute, ten seconds. */
const pieces: Piece[] = [
  { startS: 100, durationS: 5, dateMs: 1_000_000 },
  { startS: 105, durationS: 5, dateMs: 1_005_000 },
  { startS: 110, durationS: 10, dateMs: 1_070_000 },
];

test("the stream's clock runs with the player's and jumps over a hole", () => {
  expect(dateAt(pieces, 100)).toBe(1_000_000);
  expect(dateAt(pieces, 107.5)).toBe(1_007_500);
  expect(dateAt(pieces, 109.999)).toBeCloseTo(1_009_999, 3);
  expect(dateAt(pieces, 110)).toBe(1_070_000);
  expect(dateAt(pieces, 121)).toBe(1_081_000);
});

test("a time finds its frame; in a hole the first behind it, beyond the ends the ends", () => {
  expect(secondsAt(pieces, 1_007_500)).toBe(107.5);
  expect(secondsAt(pieces, 1_010_000)).toBe(110);
  expect(secondsAt(pieces, 1_044_000)).toBe(110);
  expect(secondsAt(pieces, 1_071_000)).toBe(111);
  expect(secondsAt(pieces, 0)).toBe(100);
  expect(secondsAt(pieces, 9_000_000)).toBe(120);
});

test("every time that is kept goes there and back", () => {
  for (let ms = 1_000_000; ms < 1_080_000; ms += 333) {
    if (ms >= 1_010_000 && ms < 1_070_000) continue;
    expect(dateAt(pieces, secondsAt(pieces, ms) ?? 0)).toBeCloseTo(ms, 6);
  }
});

test("nothing is kept: there is no time", () => {
  expect([dateAt([], 1), secondsAt([], 1)]).toEqual([null, null]);
});
