import * as fc from "fast-check";
import { expect, test } from "vitest";
import { gapSecondsIn } from "./gaps.ts";
import { gridOf } from "./heatmap.ts";
import { standoutMood } from "./standout.ts";

const S = 1000;
const HOUR = 3_600_000;

test.each([
  [10 * S, 100, 1, 1],
  [HOUR, 360, 10, 10],
  [HOUR, 359, 20, 10],
  [2 * HOUR, 360, 20, 10],
  [3 * HOUR, 360, 30, 30],
  [24 * HOUR, 360, 300, 60],
  [30 * 24 * HOUR, 360, 7200, 60],
  [400 * 24 * HOUR, 360, 172_800, 60],
])(
  "a span of %d ms in %d columns has steps of %d s made of windows of %d s",
  (span, columns, stepS, sizeS) => {
    const fromMs = 172_800_000 * 10_000;
    expect(gridOf(fromMs, fromMs + span, columns)).toMatchObject({ stepMs: stepS * S, sizeS });
  },
);

test("any span fits its columns, is covered whole, and its steps are whole windows", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2e12 }),
      fc.integer({ min: 1, max: 1e11 }),
      fc.integer({ min: 1, max: 2000 }),
      (fromMs, span, columns) => {
        const grid = gridOf(fromMs, fromMs + span, columns);
        expect(grid.startMs).toBeLessThanOrEqual(fromMs);
        expect(grid.endMs).toBeGreaterThanOrEqual(fromMs + span);
        expect((grid.endMs - grid.startMs) / grid.stepMs).toBeLessThanOrEqual(columns);
        expect(grid.stepMs % (grid.sizeS * S)).toBe(0);
      },
    ),
  );
});

test.each([
  ["nothing in it", {}, 0, null],
  ["its usual", { laugh: 10 }, 100, null],
  ["far above its usual", { laugh: 30 }, 100, "laugh"],
  ["too few to say", { sad: 2 }, 100, null],
  ["never seen before, three times", { sad: 3 }, 100, "sad"],
  ["the furthest of two", { laugh: 30, sad: 30 }, 100, "sad"],
])("a column with %s", (_what, moods, messages, mood) =>
  expect(standoutMood(moods, messages, { moods: { laugh: 100 }, messages: 1000 })).toBe(mood),
);

test("gap seconds count only what lies inside", () => {
  const gaps = [
    { fromMs: 0, toMs: 1500 },
    { fromMs: 4000, toMs: 9000 },
  ];
  expect(gapSecondsIn(gaps, 1000, 5000)).toBe(1.5);
  expect(gapSecondsIn(gaps, 1500, 4000)).toBe(0);
});
