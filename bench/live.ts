import { parseArgs } from "node:util";
import { openPage } from "@hypecast/gateway/testing.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import { startStack, type Stack } from "@hypecast/tests/stack.ts";
import { cpuSeconds, Latencies } from "./push/measure.ts";

/**
 * One fast channel through the whole stack as a person starts it: the demo's IRC server → source → log → folds → tick → gateway
 * → websocket, all on this machine. Two latencies of the newest line that a tick has counted, when the tick is in the client,
 * on the one clock that all of them share: from the time that the demo's IRC server has written into the line (`sent`; the line
 * is due then, and goes out within the 25 ms of that server's beat), and from its leaving the source's socket (`received`).
 *
 * Loss is counted, not guessed: at the end the channel is paused, and when everything has come to rest each line that the IRC
 * server has sent must have been counted, or be told late, doubled, or to have come after the source had left.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    rate: { type: "string", default: "35000" },
    data: { type: "string" },
  },
});
const SECONDS = Number(values.seconds);
const RATE = Number(values.rate);
const CHANNEL = `flood_${RATE}`;
const SETTLE_S = 8;
const GOALS = { rate: 35_000, p99Ms: 250, lost: 0 };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const round = (x: number): number => Math.round(x * 100) / 100;

/** The demo's IRC server answers on the fifth of the stack's ports. */
async function sentByIrcServer(stack: Stack): Promise<number> {
  const port = Number(new URL(stack.url).port) + 4;
  const state = (await (await fetch(`http://127.0.0.1:${port}/control`)).json()) as {
    irc: { linesByRoom: Record<string, number> };
  };
  return state.irc.linesByRoom[CHANNEL] ?? 0;
}

/** Lines by what became of them, as the source and the folds count them. */
async function outcomes(stack: Stack): Promise<Record<"afterLeaving" | "late" | "duplicate", number>> {
  const text = await (await fetch(`${stack.url}/metrics`)).text();
  const of = (metric: string, outcome: string): number =>
    [...text.matchAll(new RegExp(`^${metric}\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)$`, "gm"))].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  return {
    afterLeaving: of("hypecast_irc_lines_total", "not_joined"),
    late: of("hypecast_fold_lines_total", "late"),
    duplicate: of("hypecast_fold_lines_total", "duplicate"),
  };
}

async function ask(stack: Stack, method: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${stack.url}/api/v1/channels${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
}

const stack = await startStack();
try {
  const before = await outcomes(stack);
  await ask(stack, "POST", "", { channel: CHANNEL });
  const page = await openPage(Number(new URL(stack.url).port));
  const topic = `live:${CHANNEL}`;
  page.say({ op: "sub", ch: topic });
  page.say({ op: "sub", ch: `events:${CHANNEL}` });
  await page.until(({ ch, d }) => ch === topic && d !== undefined, 30_000);

  let measuring = false;
  const [sent, received] = [new Latencies(), new Latencies()];
  const runs = new Set<string>();
  let last: LiveTick | null = null;
  let gaps = 0;
  page.socket.on("message", (data: Buffer) => {
    const nowMs = Date.now();
    for (const message of JSON.parse(data.toString()) as { ch?: string; d?: unknown }[]) {
      if (message.ch === `events:${CHANNEL}` && (message.d as { kind?: string } | undefined)?.kind === "gap")
        gaps++;
      if (message.ch !== topic || message.d === undefined) continue;
      last = message.d as LiveTick;
      runs.add(last.run);
      if (!measuring) continue;
      if (last.newestSentAtMs !== null) sent.add(nowMs - last.newestSentAtMs);
      if (last.newestReceivedAtMs !== null) received.add(nowMs - last.newestReceivedAtMs);
    }
    // The page keeps what it has seen; this one sees a lot.
    page.messages.length = 0;
  });
  const newest = (): LiveTick => {
    if (last === null) throw new Error("no tick came");
    return last;
  };
  await pause(SETTLE_S * 1000);

  const cpu = (): Map<string, number> =>
    new Map([...stack.children()].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const [cpuBefore, from] = [cpu(), newest()];
  measuring = true;
  const beganMs = performance.now();
  await pause(SECONDS * 1000);
  measuring = false;
  const seconds = (performance.now() - beganMs) / 1000;
  const [cpuAfter, to] = [cpu(), newest()];

  await ask(stack, "PATCH", `/${CHANNEL}`, { paused: true });
  for (let lines = -1, still = 0; still < 4; still = newest().lines === lines ? still + 1 : 0) {
    ({ lines } = newest());
    await pause(1000);
  }
  page.socket.terminate();
  const sentLines = await sentByIrcServer(stack);
  const after = await outcomes(stack);
  const [late, duplicate, afterLeaving] = (["late", "duplicate", "afterLeaving"] as const).map(
    (outcome) => after[outcome] - before[outcome],
  ) as [number, number, number];
  const counted = newest().lines;
  const linesPerS = Math.round((to.lines - from.lines) / ((to.atMs - from.atMs) / 1000));
  const figures = {
    seconds: round(seconds),
    ticks: sent.count,
    linesPerS,
    sentP50Ms: sent.quantile(0.5),
    sentP99Ms: sent.quantile(0.99),
    receivedP50Ms: received.quantile(0.5),
    receivedP99Ms: received.quantile(0.99),
    sentLines,
    counted,
    late,
    duplicate,
    afterLeaving,
    lost: sentLines - counted - late - duplicate - afterLeaving,
    // The source writes a gap wherever it could not keep a line; a change of run would begin the count anew.
    gaps,
    runs: runs.size,
    coresByPart: Object.fromEntries(
      [...cpuAfter].map(([name, s]) => [name, round((s - (cpuBefore.get(name) ?? 0)) / seconds)]),
    ),
  };
  const meets = {
    [`p99 ≤ ${GOALS.p99Ms} ms`]: (figures.sentP99Ms ?? Number.POSITIVE_INFINITY) <= GOALS.p99Ms,
    [`lost ${GOALS.lost}`]: figures.lost === GOALS.lost && gaps === 0 && runs.size === 1,
    [`at ${GOALS.rate} lines/s`]: linesPerS >= GOALS.rate * 0.98,
  };
  console.log(
    JSON.stringify({ bench: "live", figures, ratios: { ofGoalRate: round(linesPerS / GOALS.rate) }, meets }),
  );
} finally {
  await stack.close();
}
