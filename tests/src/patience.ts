import { vi } from "vitest";

/**
 * Before the tests of every file: whoever waits for something waits this long at least. vitest's second is the time of a machine that does
 * nothing else, and no test here asks how fast anything is. What never comes fails by the same sentence, later.
 */
const PATIENCE_MS = 30_000;

const { waitFor } = vi;
vi.waitFor = (check, options) => {
  const { timeout = 0, interval } = typeof options === "number" ? { timeout: options } : (options ?? {});
  return waitFor(check, {
    timeout: Math.max(timeout, PATIENCE_MS),
    ...(interval === undefined ? {} : { interval }),
  });
};
