import { afterAll, beforeAll, expect, test } from "vitest";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { checkServer, connectBus, ensureStreams } from "./bus.ts";
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

test("a server without atomic batches is named with what is needed", () => {
  expect(() => checkServer({ version: "2.9.10", jetstream: true })).toThrow(
    "nats-server 2.9.10 is too old: Hypecast needs 2.12.0 or newer",
  );
  expect(() => checkServer({ version: "2.12.0", jetstream: true })).not.toThrow();
  expect(() => checkServer({ version: "2.12.0" })).toThrow("runs without JetStream");
});
