const PART = /^[0-9A-Za-z_-][0-9A-Za-z._-]*$/;
const LONGEST_KEY = 512;
const LONGEST_PART = 200;

/** The key, when it is one; throws otherwise: keys are made by us, so a wrong one is a broken invariant, never bad input. */
export function checkedKey(key: string): string {
  const parts = key.split("/");
  if (key.length > LONGEST_KEY || !parts.every((part) => PART.test(part) && part.length <= LONGEST_PART))
    throw new Error(`not a key of an object: ${JSON.stringify(key.slice(0, 200))}`);
  return key;
}

/** What `list` takes: empty, or a key that may end with `/`. */
export function checkedPrefix(prefix: string): string {
  if (prefix !== "") checkedKey(prefix.replace(/\/$/, ""));
  return prefix;
}

/** Half-written files of a crash are older than anything that is still being written; with the sweep they are gone within the hour. */
export const LEFT_BEHIND_MS = 45 * 60_000;
const SWEEP_EVERY_MS = 600_000;

/** Sweeps now and every ten minutes; what cannot be swept now is swept then. */
export function sweepNowAndThen(sweep: () => Promise<void>): { close(): void } {
  const quietly = (): void => void sweep().catch(() => {});
  quietly();
  const timer = setInterval(quietly, SWEEP_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
}
