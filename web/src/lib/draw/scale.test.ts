import { expect, test } from "vitest";
import { monotone } from "./curve.ts";
import { niceTop, steadyTop, timeStep } from "./scale.ts";

test.each([
  [0, 20],
  [3, 20],
  [21, 24],
  [99, 100],
  [101, 120],
  [642, 800],
  [9_999, 10_000],
])("an axis for %d ends at %d", (most, top) => {
  expect(niceTop(most)).toBe(top);
});

test("an axis grows at once and shrinks only when less than 45 % is used", () => {
  expect(steadyTop(100, 140)).toBe(160);
  expect(steadyTop(1000, 500)).toBe(1000);
  expect(steadyTop(1000, 440)).toBe(500);
});

test("a time axis has round steps and at most as many labels as fit", () => {
  const minute = 60_000;
  expect(timeStep(102 * minute, 8)).toBe(15 * minute);
  expect(timeStep(5 * minute, 8)).toBe(minute);
  expect(timeStep(12 * 60 * minute, 8)).toBe(120 * minute);
});

test("the curve passes through its points and never leaves what lies between two of them", () => {
  const xs = [0, 60, 300, 900];
  const ys = [642, 818, 860, 640];
  const curve = monotone(xs, ys);
  for (const [i, x] of xs.entries()) expect(curve(x)).toBeCloseTo(ys[i] ?? 0, 9);
  for (let x = 0; x <= 900; x += 7) {
    const i = Math.min(
      2,
      xs.findIndex((_, j) => x <= (xs[j + 1] ?? Infinity)),
    );
    const between = [ys[i] ?? 0, ys[i + 1] ?? 0].sort((a, b) => a - b);
    expect(curve(x)).toBeGreaterThanOrEqual((between[0] ?? 0) - 1e-9);
    expect(curve(x)).toBeLessThanOrEqual((between[1] ?? 0) + 1e-9);
  }
  expect(curve(-5)).toBe(642);
  expect(curve(2000)).toBe(640);
});
