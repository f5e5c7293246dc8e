import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { OPERATOR } from "@hypecast/contracts/journal.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openJournal } from "@hypecast/runtime/journal.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { watchPrivacy, type Privacy } from "./privacy.ts";

const secret = openSecret({ HYPECAST_SECRET: "k".repeat(42) + "A", HYPECAST_DATA: "" });
let nats: Server;
let bus: NatsConnection;
let privacy: Privacy;
/** Whom the store has heard: what an erasure takes away. */
const heard = new Map([["ann", "77"]]);

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  const log = createLog("test", "error");
  const journal = await openJournal(bus, secret);
  const ask = async (_question: unknown, { login }: Record<string, unknown>): Promise<string> =>
    JSON.stringify({ userId: heard.get(String(login)) ?? null });
  privacy = await watchPrivacy(bus, { secret, journal, ask }, log);
});
afterAll(async () => {
  privacy?.close();
  await bus?.close();
  await nats?.close();
});

test("of somebody who was forgotten the operator still sees by name what was asked, and may take it back", async () => {
  const before = await privacy.subjectOf(OPERATOR, "ann");
  await privacy.setOptOut(before, null, true);
  const { id } = await privacy.erase(before, "key-00001");
  heard.clear();
  const after = await privacy.subjectOf(OPERATOR, "ann");
  expect(after.userId).not.toBe(before.userId);
  await vi.waitFor(() => expect(privacy.optOutsOf(after)).toMatchObject([{ channelId: "*" }]));
  await vi.waitFor(() => expect(privacy.erasuresOf(after)).toMatchObject([{ id }]));
  // Asked again it stays one record, and one word takes it back.
  await privacy.setOptOut(after, null, true);
  await privacy.setOptOut(after, null, false);
  await vi.waitFor(() => expect(privacy.optOutsOf(before)).toEqual([]));
});

test("a name's new owner sees nothing of what was erased for the one before", async () => {
  heard.set("ben", "88");
  const before = await privacy.subjectOf(OPERATOR, "ben");
  await privacy.setOptOut(before, null, true);
  await privacy.erase(before, "key-00002");
  const owner = await privacy.subjectOf({ kind: "twitch", userId: "99", login: "ben" }, undefined);
  await vi.waitFor(() => expect(privacy.optOutsOf(owner)).toHaveLength(1));
  expect(privacy.erasuresOf(owner)).toEqual([]);
});
