import { JetStreamApiError } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { checkServer, connectBus, ensureStreams, whenTheLogAnswers } from "./bus.ts";
import { readConfig } from "./config.ts";

let nats: Server;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.close());

test("streams are created once, and a second start finds them as declared", async () => {
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  const jsm = await ensureStreams(nc, 1);
  const { config } = await jsm.streams.info("FOLD");
  expect(config.allow_atomic).toBe(true);
  expect(config.subjects).toContain("fold.checkpoint.*");
  await nc.close();
});

test("a write that nobody listens to, as while a leader is elected, is tried again until somebody does", async () => {
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  const bucket = await new Kvm(nc).create("leaderless");
  await bucket.destroy();
  const failures: unknown[] = [];
  const written = whenTheLogAnswers(nc, async () => {
    try {
      return await bucket.put("position", "7");
    } catch (error) {
      failures.push(error);
      throw error;
    }
  });
  await expect.poll(() => failures).toMatchObject([{ name: "JetStreamNotEnabled" }]);
  await new Kvm(nc).create("leaderless");
  expect(await written).toBe(1);
  await nc.close();
});

test("what is new waits for a server of the cluster that is away, and not for one that there never is", async () => {
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  const refusal = (why: string): JetStreamApiError =>
    new JetStreamApiError({
      code: 400,
      err_code: 10005,
      description: `no suitable peers for placement${why}`,
    });
  // As a cluster of three said it a moment after its leader was killed and had come back.
  const away = vi.fn(async () => "made").mockRejectedValueOnce(refusal(", peer offline"));
  expect(await whenTheLogAnswers(nc, away)).toBe("made");
  const never = vi.fn(async () => "made").mockRejectedValueOnce(refusal(""));
  await expect(whenTheLogAnswers(nc, never)).rejects.toThrow("no suitable peers");
  await nc.close();
});

test("a server without atomic batches is named with what is needed", () => {
  expect(() => checkServer({ version: "2.9.10", jetstream: true })).toThrow(
    "nats-server 2.9.10 is too old: Hypecast needs 2.12.0 or newer",
  );
  expect(() => checkServer({ version: "2.12.0", jetstream: true })).not.toThrow();
  expect(() => checkServer({ version: "2.12.0" })).toThrow("runs without JetStream");
});
