import { setTimeout as sleep } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatAlive, chatLines, packLines } from "@hypecast/contracts/chat.ts";
import { LIVE_PARTITIONS, PARTITIONS, partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { checkFinals, checkpointOf, startWorld, type World } from "./murder.ts";
import { until } from "./until.ts";

/** One channel in each partition. */
const channels = Array.from({ length: PARTITIONS }, (_, p) => {
  for (let id = 5_000_000; ; id++) {
    const channel = p < LIVE_PARTITIONS ? String(id) : `vod-${id}`;
    if (partitionOf(channel) === p) return channel;
  }
});

let world: World;
const stop = new AbortController();
const SPEAK_MS = 22_000;
let spokenSinceMs = 0;
let speaking: Promise<void>;
beforeAll(async () => {
  world = await startWorld({ store: false, processors: 2 });
  spokenSinceMs = Date.now();
  speaking = speak();
});
afterAll(async () => {
  stop.abort();
  await speaking;
  await world?.close();
});

/** A line and an alive marker a channel, five times a second. */
async function speak(): Promise<void> {
  const js = jetstream(world.nc);
  for (let n = 0; !stop.signal.aborted; n++) {
    const sentAtMs = Date.now();
    for (const [p, channelId] of channels.entries()) {
      const line = {
        id: `${channelId}-${n}`,
        channelId,
        sentAtMs,
        userId: "7",
        login: "seven",
        text: `line ${n}`,
      };
      await js.publish(subjectOf(chatLines, channelId), packLines([line]));
      await js.publish(`${chatAlive.name}.${p}`, JSON.stringify({ atMs: sentAtMs, channels: [channelId] }));
    }
    await sleep(200);
  }
}

/** How many partitions each process has committed last, counting only commits of what was written after `since`. */
async function owners(since: number): Promise<Map<string, number>> {
  const owners = new Map<string, number>();
  for (let p = 0; p < PARTITIONS; p++) {
    const { position, by } = await checkpointOf(world, p);
    if (position > since) owners.set(by, (owners.get(by) ?? 0) + 1);
  }
  return owners;
}
const now = async (): Promise<number> => (await world.jsm.streams.info("INPUT")).state.last_seq;
const HALF = PARTITIONS / 2;
const shared = async (since: number): Promise<boolean> =>
  [...(await owners(since)).values()].join() === `${HALF},${HALF}`;

test("two processes share the partitions; when one dies or stands still, the other has its share within seconds", async () => {
  await until("both have their half", async () => shared(0));
  const one = world.programs.get("processors-1")!;
  const two = world.programs.get("processors-2")!;
  for (const [victim, way, back] of [
    [one, "SIGKILL", () => one.start()],
    [two, "SIGSTOP", () => two.child().kill("SIGCONT")],
  ] as const) {
    const at = await now();
    const began = performance.now();
    victim.child().kill(way);
    await until("the other one commits everything", async () =>
      [...(await owners(at)).values()].includes(PARTITIONS),
    );
    expect(performance.now() - began).toBeLessThan(8000);
    back();
    await until("both have their half again", async () =>
      // A commit a second, and each partition is spoken on five times in it.
      shared(await now().then((seq) => seq - 12 * PARTITIONS)),
    );
  }
  // However quick the hand-over was, enough seconds are written to compare.
  await sleep(Math.max(0, SPEAK_MS - (Date.now() - spokenSinceMs)));
  stop.abort();
  await speaking;
  const { log, expected } = await checkFinals(world, channels, 1, 1);
  expect(log.length).toBeGreaterThan(1000);
  expect(expected.chat_windows.size).toBeGreaterThan(500);
});
