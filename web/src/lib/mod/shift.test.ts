import { expect, test } from "vitest";
import { shiftAfter } from "./shift.svelte.ts";

const MIN = 60_000;
test.each([
  ["nothing was kept", null, 100],
  ["the page was loaded anew", { sinceMs: 0, seenMs: 98 * MIN }, 0],
  ["one was away for ten minutes", { sinceMs: 0, seenMs: 89 * MIN }, 100],
  ["the clock was set back", { sinceMs: 200 * MIN, seenMs: 200 * MIN }, 100],
])("where %s the shift began at minute %s", (_name, kept, began) => {
  expect(shiftAfter(kept, 100 * MIN).sinceMs).toBe(began * MIN);
});
