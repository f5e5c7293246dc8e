import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, type JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  chatAlive,
  chatGap,
  chatLines,
  chatNotice,
  unpackLines,
  type ChatGap,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import { partitionOf } from "@hypecast/contracts/event.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLog, PACK_LINES_MOST } from "./publish.ts";

const T0 = 1_760_000_000_000;
const log = createLog("test", "fatal");
let nats: Server;
let nc: NatsConnection;

beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
});
afterAll(async () => {
  await nc.close();
  await nats.close();
});

const line = (channelId: string, i: number, text = `line ${i}`): ChatLine => ({
  id: `${channelId}-${i}`,
  channelId,
  sentAtMs: T0 + i * 10,
  userId: "1",
  login: "a",
  text,
});

async function partition(channelId: string): Promise<JsMsg[]> {
  const consumer = await jetstream(nc).consumers.get("INPUT", {
    filter_subjects: [chatLines, chatGap, chatNotice]
      .map((type) => `${type.name}.*.${channelId}`)
      .concat(`${chatAlive.name}.${partitionOf(channelId)}`),
  });
  const found: JsMsg[] = [];
  let left = (await consumer.info()).num_pending;
  while (left > 0)
    for await (const message of await consumer.fetch({ max_messages: left, expires: 1000 })) {
      found.push(message);
      left--;
    }
  return found;
}

test("lines pack, an event stands between the lines around it, an alive marker after all before it", async () => {
  const writer = await openLog(nc, log);
  for (let i = 0; i < PACK_LINES_MOST + 5; i++) writer.line(line("11", i), "set-a");
  writer.event(chatNotice, { id: "n1", channelId: "11" });
  writer.line(line("11", 9000), "set-a");
  writer.line(line("11", 9001), "set-b");
  let sent = 0;
  writer.alive(partitionOf("11"), T0 + 99_999, ["11"], () => sent++);
  writer.line(line("11", 9002), "set-b");
  await writer.close();
  const found = await partition("11");
  expect(
    found.map((message) => {
      const kind = message.subject.split(".").slice(0, 2).join(".");
      return kind === chatLines.name
        ? [kind, Number(message.headers?.get("Hypecast-Lines")), message.headers?.get("Hypecast-Emote-Set")]
        : [kind];
    }),
  ).toEqual([
    ["chat.lines", PACK_LINES_MOST, "set-a"],
    ["chat.lines", 5, "set-a"],
    ["chat.notice"],
    ["chat.lines", 1, "set-a"],
    // Said before the marker was on its way, and so may stand before it.
    ["chat.lines", 2, "set-b"],
    ["chat.alive"],
  ]);
  expect(sent).toBe(1);
});

test("when the log is away too long the oldest lines go, and a gap stands in their place", async () => {
  const writer = await openLog(nc, log, undefined, 3_000_000);
  const crashed = nats.crash();
  for (let i = 0; i < 4000; i++) {
    writer.line(line("22", i, "x".repeat(700)), "");
    if (i % 500 === 499) writer.alive(partitionOf("22"), T0 + i * 10, ["22"]);
  }
  expect(writer.queuedChars()).toBeLessThanOrEqual(3_000_000);
  expect(writer.overflowed()).toBeGreaterThan(1500);
  await crashed;
  await writer.below(1);
  const found = await partition("22");
  const lines = found.flatMap((message) =>
    message.subject.startsWith(chatLines.name) ? unpackLines(message.data) : [],
  );
  expect(lines.length + writer.overflowed()).toBe(4000);
  expect(lines.at(-1)?.id).toBe("22-3999");
  const gaps = found.flatMap((message) =>
    message.subject.startsWith(chatGap.name) ? [message.json<ChatGap>()] : [],
  );
  const there = new Set(lines.map((one) => one.sentAtMs));
  for (let i = 0; i < 4000; i++) {
    const at = T0 + i * 10;
    const inGap = gaps.some((gap) => gap.reason === "overflow" && at >= gap.fromMs && at < gap.toMs);
    expect(there.has(at) || inGap, `line ${i}`).toBe(true);
  }
  // Whoever reads in order meets the gap before any line that came after it.
  const order = found.map((message) => message.subject.split(".")[1]);
  const firstAfter = found.findIndex(
    (message) =>
      message.subject.startsWith(chatLines.name) &&
      unpackLines(message.data).some((one) => one.sentAtMs >= Math.max(...gaps.map((gap) => gap.toMs))),
  );
  expect(order.lastIndexOf("gap")).toBeLessThan(firstAfter);
  await writer.close();
});

test("one that may not publish any more forgets what waits", async () => {
  let mine = true;
  const writer = await openLog(nc, log, () => mine);
  writer.line(line("33", 1), "");
  await writer.below(1);
  mine = false;
  writer.line(line("33", 2), "");
  await writer.below(1);
  mine = true;
  writer.line(line("33", 3), "");
  await writer.close();
  await sleep(20);
  const ids = (await partition("33")).flatMap((message) => unpackLines(message.data).map((one) => one.id));
  expect(ids).toEqual(["33-1", "33-3"]);
});
