import { Kvm, type KV } from "@nats-io/kv";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { connectBus } from "./bus.ts";
import { readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { watchBucket } from "./watch.ts";

const log = createLog("test", "error");
let nats: Server;
let nc: NatsConnection;
beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
});
afterAll(async () => {
  await nc.close();
  await nats.close();
});

const open = (name: string, ttl = 0): Promise<KV> => new Kvm(nc).create(name, { history: 1, ttl });
/** The news in their order, and what they come to. */
function follow(bucket: KV, key?: string) {
  const news: string[] = [];
  const now = new Map<string, string>();
  const watch = watchBucket(
    bucket,
    log,
    (of, entry) => {
      news.push(`${of} ${entry?.string() ?? "gone"}`);
      if (entry === null) now.delete(of);
      else now.set(of, entry.string());
    },
    key,
  );
  return { news, now, watch };
}
/** As a server that has died with its consumers, or has forgotten them. */
async function forgetWatches(bucket: string): Promise<void> {
  const { consumers } = await jetstreamManager(nc);
  for await (const { name } of consumers.list(`KV_${bucket}`)) await consumers.delete(`KV_${bucket}`, name);
}

test("what is there, then each change once, and what is gone", async () => {
  const bucket = await open("plain");
  await bucket.put("a", "1");
  await bucket.put("b", "1");
  await bucket.delete("b");
  const { news, watch } = follow(bucket);
  await watch.whole;
  expect(news).toEqual(["a 1", "b gone"]);
  await bucket.put("a", "2");
  await bucket.delete("a");
  await bucket.put("a", "3");
  await expect.poll(() => news.slice(2)).toEqual(["a 2", "a gone", "a 3"]);
  watch.close();
});

test("an empty bucket is whole at once, and one that has been emptied", async () => {
  const bucket = await open("empty");
  const first = follow(bucket);
  await first.watch.whole;
  first.watch.close();
  await bucket.put("a", "1");
  await bucket.purge("a");
  await (await jetstreamManager(nc)).streams.purge("KV_empty");
  const second = follow(bucket);
  await second.watch.whole;
  expect(second.news).toEqual([]);
  second.watch.close();
});

test("a watch that the server has forgotten is begun anew: nothing twice, nothing missing, what vanished is gone", async () => {
  const bucket = await open("forgotten");
  for (const key of ["a", "b", "c"]) await bucket.put(key, "1");
  const all = follow(bucket);
  const one = follow(bucket, "b");
  await Promise.all([all.watch.whole, one.watch.whole]);
  await forgetWatches("forgotten");
  await bucket.put("b", "2");
  await bucket.delete("c");
  // Leaves no entry that says so.
  await (await jetstreamManager(nc)).streams.purge("KV_forgotten", { filter: "$KV.forgotten.a" });
  await expect.poll(() => Object.fromEntries(all.now)).toEqual({ b: "2" });
  await expect.poll(() => one.news).toEqual(["b 1", "b 2"]);
  await bucket.put("b", "3");
  await expect.poll(() => one.now.get("b")).toBe("3");
  expect(all.news.filter((said) => said.startsWith("b"))).toEqual(["b 1", "b 2", "b 3"]);
  all.watch.close();
  one.watch.close();
});

test("a server that is killed again and again is followed to the last word", async () => {
  const bucket = await open("crashed");
  const { now, watch } = follow(bucket);
  await watch.whole;
  for (let i = 1; i <= 3; i++) {
    await nats.crash();
    await expect.poll(() => bucket.put("a", String(i)).catch(() => 0), { interval: 200 }).toBeGreaterThan(0);
    await expect.poll(() => now.get("a")).toBe(String(i));
  }
  watch.close();
});

test("keys that run out while nobody tells are gone", async () => {
  const bucket = await open("short", 3000);
  const { now, watch } = follow(bucket);
  await bucket.put("a", "1");
  await expect.poll(() => now.get("a")).toBe("1");
  await forgetWatches("short");
  await new Promise((resolve) => setTimeout(resolve, 3500));
  await bucket.put("b", "1");
  await expect.poll(() => Object.fromEntries(now)).toEqual({ b: "1" });
  watch.close();
});
