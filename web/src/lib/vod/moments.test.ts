import { expect, test } from "vitest";
import { beside, chapterAt, nextStop, withEnd } from "./moments.ts";

test("keys walk to the next stop, and back past the one that has just begun", () => {
  const all = [10_000, 60_000, 90_000];
  expect(nextStop(all, 0, 1)).toBe(10_000);
  expect(nextStop(all, 10_000, 1)).toBe(60_000);
  expect(nextStop(all, 90_000, 1)).toBeNull();
  expect(nextStop(all, 61_000, -1)).toBe(10_000);
  expect(nextStop(all, 70_000, -1)).toBe(60_000);
  expect(nextStop(all, 5000, -1)).toBeNull();
});

test("the chapter on screen is the last that has begun", () => {
  const chapters = [{ atMs: 0 }, { atMs: 1000 }];
  expect(chapterAt(chapters, 999)).toBe(chapters[0]);
  expect(chapterAt(chapters, 5000)).toBe(chapters[1]);
  expect(chapterAt([], 5)).toBeNull();
});

test("two streams side by side run from where they meet", () => {
  expect(beside(100, 0, 0)).toBe(100);
  // This one's boss falls at 4000 s, the other's at 2500 s.
  expect(beside(4010, 4000, 2500)).toBe(2510);
  expect(beside(1000, 4000, 2500)).toBe(-500);
});

test("an end that is set behind the other begins a new range", () => {
  expect(withEnd(null, "start", 5000)).toEqual({ startMs: 5000, endMs: 25_000 });
  expect(withEnd({ startMs: 5000, endMs: 25_000 }, "end", 12_000)).toEqual({ startMs: 5000, endMs: 12_000 });
  expect(withEnd({ startMs: 5000, endMs: 25_000 }, "start", 40_000)).toEqual({
    startMs: 40_000,
    endMs: 60_000,
  });
});
