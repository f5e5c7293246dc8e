import { setTimeout as sleep } from "node:timers/promises";

/** Below the runner's own limit, which has no sentence. Whoever waits here waits for what comes, not for how soon. */
const PATIENCE_MS = 150_000;

/**
 * Asks again and again until the answer is something, and gives it. What throws is asked again: while a server is down, looking fails.
 * @throws after two and a half minutes, with the sentence of what did not come.
 */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | null | undefined | false> | Value | null | undefined | false,
): Promise<Value> {
  for (const end = performance.now() + PATIENCE_MS; ;) {
    let why = "";
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      why = `, ${String(error)}`;
    }
    if (performance.now() > end) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}${why}`);
    await sleep(50);
  }
}
