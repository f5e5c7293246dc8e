import { afterAll, beforeAll, expect, test } from "vitest";
import { jetstream, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { chatLines, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { openPartitionLog } from "./log.ts";
import { Partition } from "./partition.ts";
import { countFold, line } from "./test-folds.ts";
import type { PartitionLog } from "./worker.ts";

let nats: Server;
let nc: NatsConnection;
let jsm: JetStreamManager;
let log: PartitionLog;
beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  jsm = await ensureStreams(nc, 1);
  log = await openPartitionLog(nc, jsm);
});
afterAll(async () => {
  await nc.close();
  await nats.close();
});

const publish = async (channel: string, lines: ChatLine[]): Promise<unknown> =>
  jetstream(nc).publish(subjectOf(chatLines, channel), packLines(lines));

async function readAll(partition: Partition, messages: number): Promise<void> {
  const stop = new AbortController();
  for await (const message of log.read(partition.number, partition.position, stop.signal)) {
    partition.apply(message);
    if (--messages === 0) break;
  }
}

test("outputs, states and position of a commit come back as one, and the next owner goes on from there", async () => {
  const p = partitionOf("100");
  const first = new Partition(p, [countFold]);
  await publish("100", [line("100", "a", 1000), line("100", "b", 1500), line("100", "c", 2100)]);
  await readAll(first, 1);
  const done = await log.commit(first.take(log.id, "one", log.maxPayload), 0);
  expect(done).toMatchObject({ is: "committed" });

  const stored = await log.load(p);
  expect(stored).not.toBeNull();
  const second = Partition.restore(p, [countFold], stored, log.id);
  expect(second?.position).toBe(first.position);
  expect(second?.channels.get("100")?.linesIn).toBe(3);
  const counted = await jsm.direct.getMessage("FOLD", { last_by_subj: `chat.window.${p}` });
  expect(counted?.json()).toMatchObject([{ channelId: "100", startMs: 1000, messages: 2 }]);
});

test("a stale owner's commit is refused whole: no output of it is on the log", async () => {
  const p = partitionOf("200");
  await publish("200", [line("200", "a", 1000), line("200", "b", 2000)]);
  const [one, two] = [new Partition(p, [countFold]), new Partition(p, [countFold])];
  await readAll(one, 1);
  await readAll(two, 1);
  expect(await log.commit(one.take(log.id, "one", log.maxPayload), 0)).toMatchObject({ is: "committed" });
  const stale = await log.commit(two.take(log.id, "two", log.maxPayload), 0);
  expect(stale).toEqual({ is: "refused", reason: "another worker has committed" });
  const { state } = await jsm.streams.info("FOLD", { subjects_filter: `chat.window.${p}` });
  expect(state.subjects?.[`chat.window.${p}`]).toBe(1);
});

test("what is committed to last outlives the outputs' time to live", async () => {
  const stored = await jsm.direct.getMessage("FOLD", { last_by_subj: `chat.window.${partitionOf("100")}` });
  expect(stored?.header.get("Nats-TTL")).toBe("172800s");
  const checkpoint = await jsm.direct.getMessage("FOLD", {
    last_by_subj: `fold.checkpoint.${partitionOf("100")}`,
  });
  expect(checkpoint?.header.get("Nats-TTL")).toBe("");
});

test("a state larger than one message may be is split and comes back whole", async () => {
  const p = partitionOf("300");
  const big = new Partition(p, [{ ...countFold, save: () => Buffer.alloc(20_000_000, 7) }]);
  await publish("300", [line("300", "a", 1000)]);
  await readAll(big, 1);
  const work = big.take(log.id, "one", log.maxPayload);
  expect(work.states).toHaveLength(3);
  expect(await log.commit(work, 0)).toMatchObject({ is: "committed" });
  let seen = 0;
  const load = (_id: string, _version: number, bytes: Uint8Array): unknown => {
    seen = bytes.filter((byte) => byte === 7).length;
    return countFold.initial("300");
  };
  Partition.restore(p, [{ ...countFold, load }], await log.load(p), log.id);
  expect(seen).toBe(20_000_000);
});
