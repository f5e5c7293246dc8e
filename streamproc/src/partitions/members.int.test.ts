import { Kvm } from "@nats-io/kv";
import { StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectBus } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { joinMembers, MEMBER_TTL_MS, type Members } from "./members.ts";

const BUCKET = "members";
let nats: Server;
let one: NatsConnection;
let two: NatsConnection;
const joined: Members[] = [];
beforeAll(async () => {
  nats = await startNats();
  const config = readConfig({ HYPECAST_NATS_URL: nats.url });
  [one, two] = await Promise.all([connectBus(config, "one"), connectBus(config, "two")]);
});
afterAll(async () => {
  for (const members of joined) await members.close();
  await Promise.all([one.close(), two.close()]);
  await nats.close();
});

async function join(nc: NatsConnection, id: string): Promise<Members> {
  const members = await joinMembers(nc, {
    bucket: BUCKET,
    id,
    replicas: 1,
    log: createLog("test", "fatal"),
    changed: () => undefined,
  });
  joined.push(members);
  return members;
}

test("who could not listen when its connection came back listens as soon as it can", async () => {
  const [first] = [await join(one, "one"), await join(two, "two")];
  await expect.poll(() => first.alive()).toEqual(["one", "two"]);

  // As with a bucket whose leader is being elected: the watch that a reconnection asks for anew is refused.
  await (await new Kvm(two).open(BUCKET)).destroy();
  await expect.poll(() => first.alive()).toBeNull();
  const asked = two.subscribe(`$JS.API.CONSUMER.CREATE.KV_${BUCKET}.>`);
  await two.flush();
  await one.reconnect();
  for await (const _ of asked) break;

  await new Kvm(two).create(BUCKET, { history: 1, ttl: MEMBER_TTL_MS, storage: StorageType.File });
  await expect.poll(() => first.alive()).toEqual(["one", "two"]);
});
