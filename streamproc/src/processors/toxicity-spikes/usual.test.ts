import * as fc from "fast-check";
import { expect, test } from "vitest";
import { boundsOf, LOOK_S, quantile, shareStandsOut } from "./usual.ts";
import { shapeOf } from "./newcomers.ts";

const minutes = (count: number, toxic: number, scored = 600): [number[], number[]] => [
  Array.from({ length: count }, () => toxic),
  Array.from({ length: count }, () => scored),
];

test.each([
  // Without spread it is Poisson's.
  [2, 1e-6, 0.95, 5],
  [10, 1e-6, 0.99, 18],
  // Geometric: P(N ≤ n) = 1 − (1/2)^(n+1).
  [1, 1, 0.9, 3],
  [1, 1, 0.999, 9],
  [0, 0.25, 0.9999, 0],
])("mean %f, spread %f: the quantile of %f is %i", (mean, alpha, p, n) => {
  expect(quantile(mean, alpha, p)).toBe(n);
});

test("of the usual's own minutes hardly any half reaches the bound", () => {
  // A third of the minutes has none, the others up to twelve.
  const toxic = Array.from({ length: 60 }, (_, i) => [0, 6, 12, 3, 0, 9][i % 6]!);
  const { enter, perMin, lowPerMin, highPerMin } = boundsOf(
    toxic,
    toxic.map(() => 300),
  );
  expect([perMin, lowPerMin, highPerMin]).toEqual([5, 0, 12]);
  expect(enter).toBeGreaterThan(12);
  expect(enter).toBeLessThan(25);
});

test("the less is known, the more it takes", () => {
  const enter = (known: number): number => boundsOf(...minutes(known, 4)).enter;
  expect(enter(2)).toBeGreaterThan(enter(60));
});

test("one bad minute is no habit", () => {
  const [toxic, scored] = minutes(60, 2);
  toxic[30] = 500;
  expect(boundsOf(toxic, scored).enter).toBe(boundsOf(...minutes(60, 2)).enter);
});

test("whatever is usual, the bound is well above it, and a spike calms down well below where it began", () => {
  const some = fc.array(fc.nat(400), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(some, (toxic) => {
      const { enter, leave, perMin, share } = boundsOf(
        toxic,
        toxic.map((lines) => lines * 3),
      );
      expect(enter).toBeGreaterThanOrEqual(6);
      expect(enter).toBeGreaterThanOrEqual(
        2.4 * ((perMin * LOOK_S) / 60) * (toxic.length / (toxic.length + 1)),
      );
      expect(leave).toBeLessThanOrEqual(enter / 2);
      expect(share).toBeLessThanOrEqual(1);
    }),
  );
});

test.each([
  [30, 300, 0.02, true],
  [12, 300, 0.02, false],
  [60, 3000, 0.02, false],
  [6, 20, 0.02, true],
])("%i of %i lines where %f are usual: %s", (toxic, scored, usual, standsOut) => {
  expect(shareStandsOut(toxic, scored, usual)).toBe(standsOut);
});

test.each([
  ["hoss00312_81", "hoss0_0"],
  ["hoss00312_7", "hoss0_0"],
  ["anna7", null],
  ["a1b2", null],
  ["valera", null],
])("the shape of %s is %s", (login, shape) => {
  expect(shapeOf(login)).toBe(shape);
});
