import { expect, test } from "vitest";
import { auroc, averagePrecision } from "./scores.ts";

test.each([
  ["all right", [0.9, 0.8, 0.2, 0.1], [true, true, false, false], 1, 1],
  ["all wrong", [0.9, 0.8, 0.2, 0.1], [false, false, true, true], 0, (1 / 3 + 2 / 4) / 2],
  ["nothing said", [0.5, 0.5, 0.5, 0.5], [true, false, false, false], 0.5, 0.25],
  ["one of two first", [4, 3, 2, 1], [true, false, true, false], 0.75, (1 + 2 / 3) / 2],
  ["a tie across the border", [2, 2, 1], [true, false, false], 0.75, 0.5],
])("a ranking that is %s scores as computed by hand", (_what, scores, came, area, precision) => {
  expect(auroc(scores, came)).toBeCloseTo(area, 10);
  expect(averagePrecision(scores, came)).toBeCloseTo(precision, 10);
});
