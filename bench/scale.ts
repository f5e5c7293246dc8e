import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startStack } from "@hypecast/tests/stack.ts";
import { cpuSeconds } from "./push/measure.ts";

/**
 * What one machine carries: the whole stack as a person starts it, watching `--channels` channels of the demo whose rates are
 * 1, 2, 3 … lines a second, so few are fast and many are slow. CPU and memory of each process over `--seconds`, after all have
 * joined (Twitch allows 20 joins in 10 s). The demo's own share, which stands for Twitch, is told apart.
 */
const { values } = parseArgs({
  options: {
    channels: { type: "string", default: "80" },
    seconds: { type: "string", default: "20" },
    data: { type: "string" },
  },
});
const CHANNELS = Number(values.channels);
const SECONDS = Number(values.seconds);
const JOINS_PER_S = 2;
const SETTLE_S = 10;

const pause = async (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const round = (x: number): number => Math.round(x * 1000) / 1000;
const residentMb = (pid: number): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);

const stack = await startStack();
try {
  const report = async (): Promise<Record<string, Record<string, number>>> => {
    const answer = await fetch(`${stack.url}/api/v1/system`);
    const { parts } = (await answer.json()) as { parts: { part: string; figures: Record<string, number> }[] };
    return Object.fromEntries(parts.map(({ part, figures }) => [part, figures]));
  };
  const cpu = (): Map<string, number> =>
    new Map([...stack.children()].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const over = async (): Promise<Record<string, number>> => {
    const [before, beganMs] = [cpu(), performance.now()];
    await pause(SECONDS);
    const seconds = (performance.now() - beganMs) / 1000;
    return Object.fromEntries(
      [...cpu()].map(([name, s]) => [name, round((s - (before.get(name) ?? 0)) / seconds)]),
    );
  };

  await pause(SETTLE_S);
  const idle = await over();
  for (let n = 1; n <= CHANNELS; n++) {
    const answer = await fetch(`${stack.url}/api/v1/channels`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ channel: `flood_${n}` }),
    });
    if (answer.status === 429) await pause(Number(answer.headers.get("retry-after") ?? 1)).then(() => n--);
    else if (!answer.ok) throw new Error(await answer.text());
  }
  await pause(CHANNELS / JOINS_PER_S + SETTLE_S);
  const cores = await over();
  const { sources, processors, sink } = await report();
  const ours = Object.entries(cores).filter(([name]) => name !== "demo");
  const figures = {
    channels: sources?.["live"],
    linesPerS: sources?.["linesPerS"],
    cores,
    coresIdle: idle,
    coresOurs: round(ours.reduce((sum, [, share]) => sum + share, 0)),
    memoryMb: Object.fromEntries([...stack.children()].map(([name, pid]) => [name, residentMb(pid)])),
    foldLagS: processors?.["lagS"],
    commitP99Ms: processors?.["commitP99Ms"],
    storeDelayS: sink?.["delayS"],
  };
  const meets = {
    "every channel is heard": figures.channels === CHANNELS + 3,
    "folds within 5 s": (figures.foldLagS ?? Infinity) <= 5,
    "history within 5 s": (figures.storeDelayS ?? Infinity) <= 5,
  };
  console.log(JSON.stringify({ bench: "scale", figures, ratios: {}, meets }));
} finally {
  await stack.close();
}
