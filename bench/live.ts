import { openPage } from "@hypecast/gateway/testing.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import { startStack } from "@hypecast/tests/stack.ts";
import { Latencies } from "./push/measure.ts";

/**
 * One channel at 35,000 lines/s through the whole stack as a person starts it: the demo's IRC socket → source → log → folds →
 * tick → gateway → websocket. Latency: from the newest line's leaving the source's socket to the tick in the client, one clock.
 * Lost: gaps that the source declared (it declares what it could not keep), a change of the counting run, or less than the rate.
 */
const CHANNEL = "flood_35000";
const RATE = 35_000;
const SETTLE_S = 10;
const SECONDS = Number(process.argv[2] ?? 60);
const GOALS = { p99Ms: 250, lost: 0 };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const stack = await startStack();
try {
  const added = await fetch(`${stack.url}/api/v1/channels`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ channel: CHANNEL }),
  });
  if (!added.ok) throw new Error(`the channel could not be added: ${await added.text()}`);
  const page = await openPage(Number(new URL(stack.url).port));
  page.say({ op: "sub", ch: `live:${CHANNEL}` });
  page.say({ op: "sub", ch: `events:${CHANNEL}` });
  await page.until(({ ch, d }) => ch === `live:${CHANNEL}` && d !== undefined, 30_000);
  await pause(SETTLE_S * 1000);

  const latencies = new Latencies();
  const runs = new Set<string>();
  let first: LiveTick | null = null;
  let last: LiveTick | null = null;
  let gaps = 0;
  page.socket.on("message", (data: Buffer) => {
    const nowMs = Date.now();
    for (const message of JSON.parse(data.toString()) as { ch?: string; d?: unknown }[]) {
      if (message.ch === `events:${CHANNEL}` && (message.d as { kind?: string } | undefined)?.kind === "gap")
        gaps++;
      if (message.ch !== `live:${CHANNEL}` || message.d === undefined) continue;
      last = message.d as LiveTick;
      first ??= last;
      runs.add(last.run);
      if (last.newestReceivedAtMs !== null) latencies.add(nowMs - last.newestReceivedAtMs);
    }
  });
  await pause(SECONDS * 1000);
  page.socket.terminate();
  const [from, to] = [first as LiveTick | null, last as LiveTick | null];
  if (from === null || to === null) throw new Error("no tick came");
  const linesPerS = Math.round((to.lines - from.lines) / ((to.atMs - from.atMs) / 1000));
  const figures = {
    seconds: SECONDS,
    ticks: latencies.count,
    linesPerS,
    p50Ms: latencies.quantile(0.5),
    p99Ms: latencies.quantile(0.99),
    // The source writes a gap wherever it could not keep a line; a change of run would begin the count anew.
    gaps,
    runs: runs.size,
  };
  const meets = {
    [`p99 ≤ ${GOALS.p99Ms} ms`]: (figures.p99Ms ?? Number.POSITIVE_INFINITY) <= GOALS.p99Ms,
    "no gap, one run": gaps === GOALS.lost && runs.size === 1,
    "at full rate": linesPerS >= RATE * 0.98,
  };
  console.log(
    JSON.stringify({
      bench: "live",
      figures,
      ratios: { ofRate: Math.round((linesPerS / RATE) * 1000) / 1000 },
      meets,
    }),
  );
} finally {
  await stack.close();
}
