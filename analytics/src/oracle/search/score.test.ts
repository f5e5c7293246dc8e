import { expect, test } from "vitest";
import { certaintyOf } from "./score.ts";

test.each([
  ["many say so", 0.95, false, "sure"],
  ["one person alone says so", 0.95, true, "likely"],
  ["it is good enough", 0.5, false, "likely"],
  ["it is not", 0.2, false, "maybe"],
] as const)("%s", (_what, score, alone, word) => expect(certaintyOf(score, alone)).toBe(word));
