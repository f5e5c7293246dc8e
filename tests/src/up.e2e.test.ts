import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readExposition } from "./exposition.ts";
import { exited } from "./servers.ts";
import { startStack, type Stack } from "./stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

interface Channels {
  channels: { login: string; state: { state: string } | null; now: { messagesPerMin: number } | null }[];
}
const channels = async (): Promise<Channels> =>
  (await (await fetch(`${stack.url}/api/v1/channels`)).json()) as Channels;

test("within seconds the demo channel is live and its chat is measured", async () => {
  await vi.waitFor(
    async () => {
      const [pepel] = (await channels()).channels;
      expect(pepel?.login).toBe("pepel_lamp");
      expect(pepel?.state?.state).toBe("live");
      expect(pepel?.now?.messagesPerMin).toBeGreaterThan(20);
    },
    { timeout: 20_000, interval: 250 },
  );
});

test("history reaches the store: the heatmap has measured columns", async () => {
  await vi.waitFor(
    async () => {
      const heatmap = (await (
        await fetch(`${stack.url}/api/v1/channels/pepel_lamp/heatmap?columns=60`)
      ).json()) as {
        columns: { messagesPerMin: number | null }[];
      };
      expect(
        heatmap.columns.filter(({ messagesPerMin }) => (messagesPerMin ?? 0) > 0).length,
      ).toBeGreaterThan(5);
    },
    { timeout: 20_000, interval: 500 },
  );
});

test("/metrics has every part, and Prometheus can read each line of it", async () => {
  const families = readExposition(await (await fetch(`${stack.url}/metrics`)).text());
  const parts = new Set(
    [...families.values()].flatMap(({ samples }) => samples.map(({ labels }) => labels.get("part"))),
  );
  expect(parts).toEqual(new Set(["analytics", "gateway", "oracle", "streamproc"]));
  for (const name of [
    "hypecast_irc_lines_total",
    "hypecast_chat_published_lines_total",
    "hypecast_fold_lines_total",
    "hypecast_fold_lag_seconds",
    "hypecast_gateway_line_age_seconds",
  ])
    expect(families.get(name)?.samples.length, name).toBeGreaterThan(0);
});

test("channels come and go from the command line", async () => {
  const run = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "../../up/src/channel.ts"), ...args, "--port", new URL(stack.url).port],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await exited(child);
    return { code: child.exitCode, said };
  };
  const added = await run("add", "https://www.twitch.tv/flood_3");
  expect(added.code).toBe(0);
  expect(added.said).toMatch(/^flood_3 /m);
  const removed = await run("remove", "flood_3");
  expect(removed.said).not.toContain("flood_3");
  expect(await run("add", "two words")).toEqual({
    code: 1,
    said: 'hypecast: "two words" is no Twitch channel, no address of an HLS playlist and no file: give a login, a link, an address, or channel=address\n',
  });
});

test("a second up on the same data folder says so and stops", async () => {
  const second = spawn(
    process.execPath,
    [join(import.meta.dirname, "../../up/src/main.ts"), "demo", "--data", stack.data],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let said = "";
  second.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await exited(second);
  expect(second.exitCode).toBe(1);
  expect(said).toContain(`another hypecast already runs on the data folder ${stack.data}`);
});

test("every part that is killed with -9 comes back, and the channel is live again", async () => {
  const before = stack.children();
  expect([...before.keys()].toSorted()).toEqual(
    [
      "analytics",
      "clickhouse",
      "clips",
      "demo",
      "gateway",
      "imports",
      "media",
      "moderation",
      "nats-server",
      "oracle",
      "processors",
      "redis-server",
      "sources",
    ].toSorted(),
  );
  for (const pid of before.values()) process.kill(pid, "SIGKILL");
  await vi.waitFor(
    () => {
      const after = stack.children();
      expect(after.size).toBe(before.size);
      for (const [name, pid] of before) expect(after.get(name), name).not.toBe(pid);
    },
    { timeout: 30_000, interval: 250 },
  );
  await vi.waitFor(
    async () => {
      const [pepel] = (await channels()).channels;
      expect(pepel?.state?.state).toBe("live");
      expect(pepel?.now?.messagesPerMin).toBeGreaterThan(20);
    },
    { timeout: 30_000, interval: 250 },
  );
});

test("SIGTERM stops every part in order and leaves nothing running", async () => {
  const pids = [...stack.children().values()];
  stack.supervisor.kill("SIGTERM");
  await exited(stack.supervisor);
  expect(stack.supervisor.exitCode).toBe(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
