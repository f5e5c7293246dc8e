import { expect, test } from "vitest";
import type { Column } from "../live/series.ts";
import { moodRuns } from "./timeline.ts";

const columns = (...moods: (string | null)[]): Column[] =>
  moods.map((mood, i) => ({ startMs: i, rate: 1, hype: 1, mood }));

test("neighbours of one mood are one run, one quiet column does not break it, two do", () => {
  expect(moodRuns(columns("sad", "sad", null, "sad", null, null, "sad"), 1)).toEqual([
    { mood: "sad", from: 0, to: 4 },
    { mood: "sad", from: 6, to: 7 },
  ]);
});

test("a run that would only flicker is left out", () => {
  expect(moodRuns(columns("love", "sad", "sad", null), 2)).toEqual([{ mood: "sad", from: 1, to: 3 }]);
});
