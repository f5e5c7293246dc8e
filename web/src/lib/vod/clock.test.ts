import { expect, test } from "vitest";
import { clockAt } from "./clock.svelte.ts";

test("a clock without a picture runs at its speed and stops at the end", () => {
  const from = { atMs: 60_000, sinceMs: 1000, rate: 1 };
  expect(clockAt(from, 1000, 100_000)).toBe(60_000);
  expect(clockAt(from, 6000, 100_000)).toBe(65_000);
  expect(clockAt({ ...from, rate: 4 }, 6000, 100_000)).toBe(80_000);
  expect(clockAt({ ...from, rate: 0.5 }, 6000, 100_000)).toBe(62_500);
  expect(clockAt({ ...from, rate: 4 }, 60_000, 100_000)).toBe(100_000);
  // A machine that has slept a little backwards turns nothing back.
  expect(clockAt(from, 0, 100_000)).toBe(60_000);
});
