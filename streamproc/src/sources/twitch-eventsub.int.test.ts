import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { account, ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import type { ChannelState } from "@hypecast/contracts/channel.ts";
import { chatModeration, type ChatModeration } from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { modEvent, type ModEvent } from "@hypecast/contracts/mod-event.ts";
import { startDemo, type Demo } from "@hypecast/demo/demo.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig, type Config } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { EVERYBODY } from "@hypecast/runtime/opt-outs.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { helixModeration, type Acting } from "@hypecast/runtime/twitch/helix.ts";
import { twitchId } from "@hypecast/runtime/twitch/id.ts";
import { BROADCAST_SCOPES, MODERATE_SCOPES } from "@hypecast/runtime/twitch/scopes.ts";
import { openAccountTokens, sealTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openLog, type LogWriter } from "./publish.ts";
import { openRemovals, type Removals } from "./twitch-eventsub/removals.ts";
import { openEventSub, type EventSub } from "./twitch-eventsub/source.ts";

const CHANNEL = "811204512";
const BACK = "http://127.0.0.1/back";

let nats: Server;
let demo: Demo;
let nc: NatsConnection;
let config: Config;
let folder: string;
let writer: LogWriter;
let removals: Removals;
let eventSub: EventSub | null = null;
let settling: NodeJS.Timeout | null = null;
let before: ChannelState | null = null;

const fault = async (name: string, body: object): Promise<void> => {
  const answer = await fetch(`http://127.0.0.1:${demo.ports.http}/control/${name}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBe(200);
};

async function until<Found>(
  what: () => Promise<Found> | Found,
  is: (found: Found) => boolean,
): Promise<Found> {
  for (let i = 0; i < 4000; i++) {
    const found = await what();
    if (is(found)) return found;
    await sleep(25);
  }
  const found = await what();
  expect(
    is(found),
    `last: ${Array.isArray(found) ? `${found.length} of them ` : ""}${JSON.stringify(found).slice(0, 2000)}`,
  ).toBe(true);
  return found;
}

/** Signs somebody in at the stand-in, and keeps the account as the sign-in does. */
async function signIn(login: string, scopes: readonly string[] = BROADCAST_SCOPES): Promise<Account> {
  const id = twitchId(config);
  const page = new URL(
    id.authorizeUrl({ redirectUri: BACK, scopes, state: "s", codeChallenge: null, forceVerify: false }),
  );
  page.searchParams.set("as", login);
  const sent = await fetch(page, { redirect: "manual" });
  const code = new URL(sent.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const tokens = await id.exchange(code, BACK, null);
  if (tokens.kind !== "ok") throw new Error(tokens.said);
  const who = await id.validate(tokens.data.access);
  if (who.kind !== "ok") throw new Error(who.said);
  const moderates = await helixModeration(config).moderatedChannels(tokens.data.access, who.data.userId);
  const made: Account = {
    userId: who.data.userId,
    login,
    name: login,
    tokens: sealTokens(openSecret(config), tokens.data),
    scopes: [...tokens.data.scopes],
    expiresAtMs: tokens.data.expiresAtMs,
    moderates: moderates.kind === "ok" ? moderates.data : [],
    rolesAtMs: Date.now(),
    problem: null,
    signedInAtMs: Date.now(),
  };
  const bucket = await new Kvm(nc).open(ACCOUNTS_BUCKET);
  await bucket.put(made.userId, JSON.stringify(made));
  return made;
}
async function signOutAll(): Promise<void> {
  const bucket = await new Kvm(nc).open(ACCOUNTS_BUCKET);
  for await (const key of await bucket.keys()) await bucket.purge(key);
}
async function keptAccount(userId: string): Promise<Account> {
  const bucket = await new Kvm(nc).open(ACCOUNTS_BUCKET);
  return account.parse((await bucket.get(userId))?.json());
}
async function acting(who: Account): Promise<Acting> {
  const tokens = await openAccountTokens(config, nc);
  const token = await tokens.fresh(who.userId);
  if (token.kind !== "ok") throw new Error(token.said);
  return { channelId: CHANNEL, userId: who.userId, token: token.data };
}

/** Starts hearing, as the process `sources` does for a channel that chat has joined. */
async function hear(): Promise<EventSub> {
  const log = createLog("test", "error");
  const started = await openEventSub({
    ...{ config, log, nc, writer, optOuts: EVERYBODY, removals },
    lastState: () => Promise.resolve(before),
  });
  const state = { login: "pepel_lamp", channelId: CHANNEL, state: "live" } as ChannelState;
  settling = setInterval(() => started.settle([state]), 50);
  eventSub = started;
  return started;
}
function stop(): void {
  if (settling !== null) clearInterval(settling);
  eventSub?.close();
  eventSub = null;
}
const stateIs = async (started: EventSub, wanted: string): Promise<void> => {
  await until(
    () => started.stateOf(CHANNEL),
    (found) => found?.state === wanted,
  );
};

async function onTheLog<Event>(subject: string): Promise<Event[]> {
  const consumer = await jetstream(nc).consumers.get("INPUT", { filter_subjects: [subject] });
  try {
    const { num_pending: count } = await consumer.info();
    const found: Event[] = [];
    if (count === 0) return found;
    for await (const message of await consumer.fetch({ max_messages: count, expires: 2000 })) {
      found.push(message.json());
      if (found.length === count) break;
    }
    return found;
  } finally {
    await consumer.delete();
  }
}
const acts = async (reason?: string): Promise<ModEvent[]> =>
  (await onTheLog<ModEvent>(subjectOf(modEvent, CHANNEL))).filter(
    (event) => reason === undefined || event.reason.startsWith(reason),
  );
const removalsTold = (): Promise<ChatModeration[]> => onTheLog(subjectOf(chatModeration, CHANNEL));

beforeAll(async () => {
  [nats, demo] = await Promise.all([
    startNats(),
    // By the clock its own moderators would act in the middle of any of these.
    startDemo({ http: 0, ircWs: 0, ircTcp: 0, keepaliveMs: 1_000, acting: false }),
  ]);
  folder = temporaryFolder("eventsub");
  const http = `http://127.0.0.1:${demo.ports.http}`;
  config = readConfig({
    HYPECAST_DATA: folder,
    HYPECAST_NATS_URL: nats.url,
    TWITCH_CLIENT_ID: "hypecast-demo",
    TWITCH_CLIENT_SECRET: "hypecast-demo-secret",
    TWITCH_HELIX_URL: `${http}/helix`,
    TWITCH_ID_URL: `${http}/oauth2`,
    TWITCH_EVENTSUB_URL: `ws://127.0.0.1:${demo.ports.http}/eventsub/ws`,
  });
  nc = await connectBus(config, "test");
  await ensureStreams(nc, 1);
  writer = await openLog(nc, createLog("test", "error"));
  expect(partitionOf(CHANNEL)).toBeGreaterThanOrEqual(0);
});
afterAll(async () => {
  stop();
  await writer.close();
  await nc.close();
  await Promise.all([demo.close(), nats.close()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  stop();
  await fault("reset", {});
  await signOutAll();
  removals = openRemovals();
  before = null;
});

test("an act of a moderator is on the log once, with by whom and why, and chat is told what it removes", async () => {
  const dasha = await signIn("dasha_risuet", MODERATE_SCOPES);
  const broadcaster = await signIn("pepel_lamp");
  const started = await hear();
  await stateIs(started, "live");
  expect(started.stateOf(CHANNEL)).toMatchObject({ account: "pepel_lamp", missing: [], reason: null });
  const helix = helixModeration(config);
  // Not a length that a burst below has: the same user's timeout with the same end is the same act.
  await helix.ban(await acting(dasha), "918273645", 605, "once: spam");
  const [act] = await until(
    () => acts("once"),
    (found) => found.length > 0,
  );
  expect(act).toMatchObject({
    action: "timeout",
    channelId: CHANNEL,
    durationS: 605,
    moderatorLogin: "dasha_risuet",
    targetLogin: "zloy_tapok228",
    heardBy: "eventsub",
  });
  expect(modEvent.schema.safeParse(act).success).toBe(true);
  // Chat is not heard here: EventSub's word does what CLEARCHAT would have done.
  const [removal] = await until(removalsTold, (found) => found.length > 0);
  expect(removal).toMatchObject({ action: "timeout", targetUserId: "918273645", durationS: 605 });
  await helix.setChatSettings(await acting(broadcaster), { slowS: 10 });
  await until(
    () => acts(),
    (found) =>
      ["slow", "settings"].every((action) => found.some((one) => one.action === action)) &&
      found.filter((one) => one.action === "timeout").length === 1,
  );
});

test("a reconnect in the middle of a burst loses nothing and doubles nothing", async () => {
  await signIn("pepel_lamp");
  const started = await hear();
  await stateIs(started, "live");
  await fault("eventsub", { mode: "duplicate" });
  await fault("eventsub", { mode: "burst", count: 60 });
  await fault("eventsub", { mode: "reconnect", graceMs: 10_000 });
  await fault("eventsub", { mode: "burst", count: 60, login: "bestviewers_go" });
  await sleep(700);
  await fault("eventsub", { mode: "burst", count: 60, login: "grib_ok" });
  const found = await until(
    () => acts("burst"),
    (all) => all.length >= 180,
  );
  await sleep(500);
  expect((await acts("burst")).length).toBe(180);
  expect(new Set(found.map(({ id }) => id)).size).toBe(180);
  expect(started.stateOf(CHANNEL)?.state).toBe("live");
  expect((await acts()).filter((one) => one.action === "unheard")).toEqual([]);
});

test("a session that falls silent is given up, and what was missed is said", async () => {
  await signIn("pepel_lamp");
  const started = await hear();
  await stateIs(started, "live");
  await fault("eventsub", { mode: "silence", forMs: 3_600_000 });
  await stateIs(started, "lost");
  expect(started.figures().reason).toMatch(/moderation is not heard/);
  await fault("eventsub", { mode: "silence", forMs: 0 });
  await stateIs(started, "live");
  const gaps = await until(
    async () => (await acts()).filter((one) => one.action === "unheard"),
    (found) => found.length > 0,
  );
  expect(gaps).toHaveLength(1);
  expect(gaps[0]?.detail).toMatchObject({ reason: "connection_lost" });
  expect(gaps[0]?.durationS).toBeGreaterThanOrEqual(2);
});

test("a process that stands still for longer than Twitch may be silent loses no session by it", async () => {
  await signIn("pepel_lamp");
  const started = await hear();
  await stateIs(started, "live");
  const unheard = async (): Promise<number> =>
    (await acts()).filter((one) => one.action === "unheard").length;
  const before = await unheard();
  await fault("eventsub", { mode: "burst", count: 5 });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
  await until(
    () => acts("burst"),
    (all) => all.length >= 5,
  );
  expect(started.stateOf(CHANNEL)?.state).toBe("live");
  expect(await unheard()).toBe(before);
});

test("a revoked account is said, asked no more, and heard again when it signs in", async () => {
  const { userId } = await signIn("pepel_lamp");
  const started = await hear();
  await stateIs(started, "live");
  await fault("disconnect", { login: "pepel_lamp" });
  await stateIs(started, "revoked");
  expect(started.stateOf(CHANNEL)?.reason).toMatch(/sign in again/);
  const asked = async (): Promise<number> =>
    (
      (await (await fetch(`http://127.0.0.1:${demo.ports.http}/control`)).json()) as {
        helix: { requests: number };
      }
    ).helix.requests;
  const beforeMs = await asked();
  await sleep(1_000);
  expect(await asked()).toBe(beforeMs);
  // Whoever acts with the account finds out too, and the account says why.
  const tokens = await openAccountTokens(config, nc);
  const refused = await tokens.use(userId, (token) =>
    helixModeration(config).deleteMessage({ channelId: CHANNEL, userId, token }, "x"),
  );
  expect(refused).toMatchObject({ kind: "unauthorized" });
  expect(await keptAccount(userId)).toMatchObject({
    tokens: null,
    problem: expect.stringMatching(/sign in again/),
  });
  await signIn("pepel_lamp");
  await stateIs(started, "live");
});

test("a moderator who loses the role is replaced by another account", async () => {
  await signIn("dasha_risuet", MODERATE_SCOPES);
  const started = await hear();
  await stateIs(started, "live");
  expect(started.stateOf(CHANNEL)?.account).toBe("dasha_risuet");
  await signIn("kot_uchenyi", MODERATE_SCOPES);
  await fault("moderator", { login: "dasha_risuet", on: false });
  await until(
    () => started.stateOf(CHANNEL),
    (found) => found?.state === "live" && found.account === "kot_uchenyi",
  );
  await until(
    () => acts(),
    (found) => found.some((one) => one.action === "unheard" && one.detail["reason"] === "revoked"),
  );
  await fault("moderator", { login: "dasha_risuet", on: true });
});

test("what is forged, old, out of shape or unheard of changes nothing, and what has no shape is set aside", async () => {
  await signIn("pepel_lamp");
  const started = await hear();
  await stateIs(started, "live");
  const many = (await acts()).length;
  await fault("eventsub", { mode: "forged" });
  const letters = await until(
    async () => (await jetstream(nc).jetstreamManager()).streams.info("DEAD"),
    (info) => info.state.messages > 0,
  );
  expect(letters.state.messages).toBe(1);
  await sleep(300);
  expect((await acts()).length).toBe(many);
  expect(started.stateOf(CHANNEL)?.state).toBe("live");
});

test("refusals and limits of Twitch's are waited for, and said", async () => {
  await fault("eventsub", { mode: "refuse", status: 429 });
  await signIn(
    "pepel_lamp",
    BROADCAST_SCOPES.filter((scope) => scope !== "moderator:manage:automod"),
  );
  const started = await hear();
  await stateIs(started, "partial");
  expect(started.stateOf(CHANNEL)).toMatchObject({
    reason: "the account has not allowed all of it",
    missing: ["automod.message.hold", "automod.message.update", "automod.terms.update"],
  });
});

test("the first process after a restart says how long nobody listened", async () => {
  await signIn("pepel_lamp");
  const heardAtMs = Date.now() - 60_000;
  before = {
    channelId: CHANNEL,
    eventSub: { state: "live", reason: null, sinceMs: 0, account: "pepel_lamp", missing: [], heardAtMs },
  } as unknown as ChannelState;
  const started = await hear();
  await stateIs(started, "live");
  const gaps = await until(
    async () => (await acts()).filter((one) => one.detail["reason"] === "source_restarted"),
    (found) => found.length > 0,
  );
  expect(gaps[0]?.durationS).toBeGreaterThanOrEqual(59);
});
