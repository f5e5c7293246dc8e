import { spawn, type ChildProcess } from "node:child_process";
import { createServer, type IncomingMessage, type Server as HttpServer } from "node:http";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import { createDesk, DETAIL } from "@hypecast/contracts/desk.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { OPERATOR, type JournalAct, type JournalEntry, type Person } from "@hypecast/contracts/journal.ts";
import { modEvent, type ModEvent } from "@hypecast/contracts/mod-event.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openJournal, type Draft, type Journal } from "@hypecast/runtime/journal.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { sealTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { exited, freePort, startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";

const SECRET = "s".repeat(43);
const secret = openSecret({ HYPECAST_SECRET: SECRET, HYPECAST_DATA: "" });
const ANA: Person = { kind: "twitch", userId: "1", login: "ana" };
const BEN: Person = { kind: "twitch", userId: "2", login: "ben" };
const LAVA = "4242";

/** A stand-in for Twitch's moderation calls: counts what is asked, answers as a test says. */
interface Call {
  readonly what: string;
  readonly query: URLSearchParams;
  readonly body: { data?: { user_id?: string } };
  readonly token: string;
}
let calls: Call[] = [];
let answers: (
  call: Call,
) => { status: number; json?: object; headers?: Record<string, string> } | Promise<never>;
const DONE = { status: 204 };

let nats: Server;
let bus: NatsConnection;
let journal: Journal;
let twitch: HttpServer;
let twitchUrl: string;
let processes: ChildProcess[] = [];

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  journal = await openJournal(bus, secret);
  const port = await freePort();
  twitchUrl = `http://127.0.0.1:${port}`;
  twitch = createServer((request, response) => {
    void (async () => {
      const call = await callOf(request);
      calls.push(call);
      const { status, json, headers } = await answers(call);
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(status === 204 ? undefined : JSON.stringify(json ?? { data: [] }));
    })();
  }).listen(port, "127.0.0.1");
  await account("1", "ana");
});
beforeEach(() => {
  calls = [];
  answers = () => DONE;
});
afterAll(async () => {
  for (const child of processes) child.kill("SIGKILL");
  twitch?.closeAllConnections();
  twitch?.close();
  await bus?.close();
  await nats?.close();
});

async function callOf(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? "", twitchUrl);
  const text = Buffer.concat(chunks).toString();
  return {
    what: `${request.method ?? ""} ${url.pathname.slice(1)}`,
    query: url.searchParams,
    body: (text === "" ? {} : JSON.parse(text)) as Call["body"],
    token: (request.headers.authorization ?? "").replace("Bearer ", ""),
  };
}
async function account(userId: string, login: string, more: Partial<Account> = {}): Promise<void> {
  const kept: Account = {
    ...{ userId, login, name: login, expiresAtMs: Date.now() + 3_600_000, moderates: [], rolesAtMs: 0 },
    tokens: sealTokens(secret, { access: `token-${login}`, refresh: "r" }),
    scopes: [
      ...["moderator:manage:banned_users", "moderator:manage:chat_messages", "moderator:manage:warnings"],
      ...["moderator:manage:chat_settings", "moderator:manage:shield_mode", "moderator:manage:automod"],
    ],
    problem: null,
    signedInAtMs: 0,
    ...more,
  };
  await (await new Kvm(bus).open(ACCOUNTS_BUCKET)).put(userId, JSON.stringify(kept));
}
async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "test-acts.ts")], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {
      ...process.env,
      HYPECAST_NATS_URL: nats.url,
      HYPECAST_SECRET: SECRET,
      HYPECAST_DATA: temporaryFolder("acts"),
      HYPECAST_LOG_LEVEL: "error",
      TWITCH_HELIX_URL: twitchUrl,
      TWITCH_ID_URL: twitchUrl,
      TWITCH_CLIENT_ID: "test",
      TWITCH_CLIENT_SECRET: "test",
    },
  });
  processes.push(child);
  await new Promise<void>((resolve) => child.once("message", () => resolve()));
  return child;
}
async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await exited(child);
  processes = processes.filter((one) => one !== child);
}

let ids = 0;
async function ask(act: JournalAct, more: Partial<Draft> = {}): Promise<JournalEntry> {
  const id = `act-${++ids}`;
  const about = { userId: "77", login: "veter", lineIds: [`l${ids}`], text: "", words: "" };
  const { entry } = await journal.append({
    ...{ channelId: LAVA, id, by: ANA, act, caseId: `${LAVA}:case:${id}`, durationS: 600, reason: "rule 3" },
    private: act === "slow" || act === "shield" ? null : about,
    ...more,
  });
  return entry;
}
async function became(entry: JournalEntry): Promise<{
  outcome: string | null;
  why: string | null;
  sendings: number;
  detail: Readonly<Record<string, string>>;
}> {
  const desk = createDesk();
  for await (const { entry: one } of journal.read(entry.channelId)) desk.take(one);
  const act = desk.act(entry.id);
  return {
    outcome: act?.outcome ?? null,
    why: act?.why ?? null,
    sendings: act?.attempts ?? 0,
    detail: act?.detail ?? {},
  };
}
const ended = async (entry: JournalEntry, outcome: string) => {
  await expect.poll(async () => (await became(entry)).outcome).toBe(outcome);
  return became(entry);
};

test("acts are carried out in the moderator's own name, taken back, and each stands in the journal", async () => {
  await start();
  const ban = await ask("ban");
  expect(await ended(ban, "done")).toMatchObject({ sendings: 1, detail: { [DETAIL.as]: "ana" } });
  const undo = await ask("undo", { of: ban.id });
  await ended(undo, "done");
  expect(calls.map(({ what, token }) => [what, token])).toEqual([
    ["POST moderation/bans", "token-ana"],
    ["DELETE moderation/bans", "token-ana"],
  ]);
  expect(calls[0]?.body.data).toMatchObject({ user_id: "77", reason: "rule 3" });

  const gone = await ask("delete");
  answers = () => ({ status: 404, json: { message: "the message was not found" } });
  expect(await ended(gone, "refused")).toMatchObject({ why: "the message was not found" });
  answers = () => DONE;
  const deleted = await ask("delete");
  await ended(deleted, "done");
  calls = [];
  const back = await ask("undo", { of: deleted.id });
  expect((await ended(back, "done")).why).toContain("brings no deleted line back");
  expect(calls).toEqual([]);
});

test("what Twitch refuses is said in its words; who is asked to wait waits and goes on", async () => {
  const lost = await ask("timeout");
  answers = () => ({ status: 403, json: { message: "The user in moderator_id is not a moderator" } });
  expect(await ended(lost, "refused")).toMatchObject({ why: "The user in moderator_id is not a moderator" });

  let tries = 0;
  answers = () =>
    ++tries === 1
      ? {
          status: 429,
          json: { message: "Too Many Requests" },
          headers: { "ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 1) },
        }
      : DONE;
  const slow = await ask("timeout");
  // Why it takes long is told meanwhile.
  await expect.poll(async () => (await became(slow)).why).toBe("Too Many Requests");
  expect(await ended(slow, "done")).toMatchObject({ sendings: 2 });
  expect(calls.filter(({ what }) => what === "POST moderation/bans")).toHaveLength(3);
});

test("who is not connected has it recommended, the broadcaster's account helps out, and settings come back as they were", async () => {
  const nobody = await ask("ban", { by: BEN });
  expect(await ended(nobody, "recommended")).toMatchObject({ why: "Twitch is not connected" });
  await account(LAVA, "lava");
  answers = ({ what }) =>
    what === "GET chat/settings" || what === "PATCH chat/settings"
      ? {
          status: 200,
          json: {
            data: [
              {
                ...{ slow_mode: true, slow_mode_wait_time: 3, follower_mode: false, subscriber_mode: false },
                ...{ emote_mode: false, unique_chat_mode: false },
              },
            ],
          },
        }
      : DONE;
  const slow = await ask("slow", { by: OPERATOR, caseId: null, durationS: 30 });
  expect((await ended(slow, "done")).detail).toMatchObject({ [DETAIL.as]: "lava", before: '{"slowS":3}' });
  await ended(await ask("undo", { of: slow.id, by: OPERATOR, caseId: null, private: null }), "done");
  expect(calls.filter(({ what }) => what.startsWith("PATCH")).map(({ body }) => body)).toEqual([
    { slow_mode: true, slow_mode_wait_time: 30 },
    { slow_mode: true, slow_mode_wait_time: 3 },
  ]);
});

test("two processes send each of many acts once", async () => {
  await start();
  const asked = await Promise.all(Array.from({ length: 30 }, async () => ask("timeout")));
  for (const entry of asked) await ended(entry, "done");
  expect(calls.filter(({ what }) => what === "POST moderation/bans")).toHaveLength(asked.length);
  expect((await journal.verify(LAVA)).broken).toBeNull();
});

test("after a kill -9 a ban is looked up, a deletion that Twitch told of is done, one that nobody knows of doubtful", async () => {
  for (const child of [...processes]) await kill(child);
  const child = await start();
  const hang = new Promise<never>(() => undefined);
  answers = () => hang;
  const [banned, lifted, told, unknown] = [
    await ask("ban"),
    await ask("timeout", { private: { userId: "78", login: "x", lineIds: [], text: "", words: "" } }),
    await ask("delete"),
    await ask("delete"),
  ];
  await expect.poll(() => calls.length).toBe(4);
  await kill(child);
  expect((await became(unknown)).outcome).toBe("sending");
  const early = await ask("ban", { private: { userId: "79", login: "y", lineIds: [], text: "", words: "" } });
  const takenBack = await ask("undo", { of: early.id });
  const echo: ModEvent = {
    ...{
      id: "e1",
      channelId: LAVA,
      atMs: Date.now(),
      action: "delete",
      heardBy: "eventsub",
      moderatorId: "1",
    },
    ...{
      moderatorLogin: "ana",
      targetUserId: "77",
      targetLogin: "veter",
      text: "",
      reason: "",
      durationS: 0,
    },
    ...{ detail: {}, sourceChannelId: "", messageId: "", targetMessageId: `l${told.id.slice(4)}` },
  };
  await jetstream(bus).publish(subjectOf(modEvent, LAVA), JSON.stringify(echo));
  calls = [];
  // What was taken back while nobody was there is never sent. Twitch has done the ban, and not the timeout.
  const row = {
    user_id: "77",
    user_login: "veter",
    expires_at: "",
    reason: "",
    moderator_id: "1",
    moderator_login: "ana",
  };
  answers = ({ what, query }) =>
    what === "GET moderation/banned"
      ? { status: 200, json: { data: query.get("user_id") === "77" ? [row] : [] } }
      : DONE;
  await start();
  expect(await ended(banned, "done")).toMatchObject({ sendings: 1 });
  expect(await ended(lifted, "done")).toMatchObject({ sendings: 2 });
  expect(await ended(told, "done")).toMatchObject({ sendings: 1 });
  expect(await ended(unknown, "doubtful")).toMatchObject({ sendings: 1 });
  expect(await ended(takenBack, "done")).toMatchObject({ why: "it was never sent" });
  expect(calls.filter(({ what }) => what.startsWith("POST")).map(({ body }) => body.data?.user_id)).toEqual([
    "78",
  ]);
  expect(calls.filter(({ what }) => what.startsWith("DELETE"))).toEqual([]);
});
