import { expect, test } from "vitest";
import { scoringState } from "./scoring.ts";

test.each([
  ["a quiet channel without a line yet", { behindS: null, unknown: 0, scored: 0, model: null }, "ok"],
  ["all is scored", { behindS: 1, unknown: 0, scored: 400, model: "a@1" }, "ok"],
  ["no line could be scored", { behindS: 1, unknown: 40, scored: 0, model: "a@1" }, "away"],
  ["the model is gone", { behindS: null, unknown: 40, scored: 10, model: null }, "away"],
  ["scoring is behind and has holes", { behindS: 40, unknown: 3, scored: 10, model: "a@1" }, "behind"],
  ["some lines are unknown", { behindS: 0, unknown: 3, scored: 10, model: "a@1" }, "partly"],
])("%s", (_name, scoring, state) => {
  expect(scoringState(scoring).state).toBe(state);
});
