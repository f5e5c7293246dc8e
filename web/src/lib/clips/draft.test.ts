import { expect, test } from "vitest";
import { toggled } from "./draft.svelte.ts";

test("layouts are switched on and off in the contract's order; the last one stays", () => {
  expect(toggled(["9:16"], "16:9")).toEqual(["16:9", "9:16"]);
  expect(toggled(["16:9", "9:16"], "16:9")).toEqual(["9:16"]);
  expect(toggled(["9:16"], "9:16")).toEqual(["9:16"]);
  expect(toggled(["9:16-stacked", "16:9"], "9:16")).toEqual(["16:9", "9:16", "9:16-stacked"]);
});
