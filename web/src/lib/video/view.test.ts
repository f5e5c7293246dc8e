import { describe, expect, test } from "vitest";
import { LONGEST_CLIP_MS } from "@hypecast/contracts/clip-words.ts";
import { draggedSpan, placed, shareOf, timeAt, viewOf } from "./view.ts";

const whole = { fromMs: 0, toMs: 7_200_000 };
const LENS = 600_000;

describe("the lens", () => {
  test.each([
    ["the whole stream", 0, 5000, whole],
    ["at its end while the edge is followed", LENS, null, { fromMs: 6_600_000, toMs: 7_200_000 }],
    ["around what is on screen", LENS, 3_000_000, { fromMs: 2_700_000, toMs: 3_300_000 }],
    ["never before the stream", LENS, 1000, { fromMs: 0, toMs: 600_000 }],
    ["never behind it", LENS, 7_199_000, { fromMs: 6_600_000, toMs: 7_200_000 }],
    ["never longer than it", 9_000_000, 1000, whole],
  ] as const)("%s", (_what, zoom, centre, view) => {
    expect(viewOf(whole, zoom, centre)).toEqual(view);
  });
});

test("a time goes to its place and back", () => {
  const view = { fromMs: 1000, toMs: 3000 };
  for (const share of [0, 0.25, 1]) expect(shareOf(view, timeAt(view, share))).toBe(share);
  expect(timeAt(view, 7)).toBe(3000);
  expect(placed(view, 0, 2000)).toEqual({ left: 0, width: 50 });
  expect(placed(view, 4000, 5000)).toBeNull();
});

describe("a drag", () => {
  const view = { fromMs: 0, toMs: 3_600_000 };
  const kept = { startMs: 1_000_000, endMs: 3_000_000 };
  test("selects between its ends, in whichever direction, inside what is kept", () => {
    expect(draggedSpan(view, 0.5, 0.51, null)).toEqual({ startMs: 1_800_000, endMs: 1_836_000 });
    expect(draggedSpan(view, 0.51, 0.5, null)).toEqual({ startMs: 1_800_000, endMs: 1_836_000 });
    expect(draggedSpan(view, 0.2, 0.3, kept)).toEqual({ startMs: 1_000_000, endMs: 1_080_000 });
  });
  test("selects nothing where nothing is kept, or less than a clip", () => {
    expect(draggedSpan(view, 0, 0.1, kept)).toBeNull();
    expect(draggedSpan(view, 0.5, 0.5, null)).toBeNull();
  });
  test("is never longer than a clip, counted from where it began", () => {
    expect(draggedSpan(view, 0.25, 1, null)).toEqual({
      startMs: 900_000,
      endMs: 900_000 + LONGEST_CLIP_MS,
    });
    expect(draggedSpan(view, 1, 0.25, null)).toEqual({
      startMs: 3_600_000 - LONGEST_CLIP_MS,
      endMs: 3_600_000,
    });
  });
});
