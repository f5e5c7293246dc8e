import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { createClient } from "redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ACCOUNTS_BUCKET,
  ERASURE_PURPOSE,
  ERASURES_BUCKET,
  erasure,
  GRANTS_BUCKET,
  SESSIONS_BUCKET,
  type Erasure,
} from "@hypecast/contracts/account.ts";
import {
  chatAlive,
  chatLines,
  chatModeration,
  chatNotice,
  packLines,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import { clipRequest, CLIPS_BUCKET } from "@hypecast/contracts/clip.ts";
import { partitionOf, subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { POLICY_BUCKET } from "@hypecast/contracts/journal.ts";
import { modCases, modPolicy, modReport } from "@hypecast/contracts/mod-case.ts";
import { modEvent } from "@hypecast/contracts/mod-event.ts";
import { ANSWERS_BUCKET } from "@hypecast/contracts/oracle.ts";
import { chatterPlaces } from "@hypecast/contracts/question-erase.ts";
import { toxicityScores, type LineScore } from "@hypecast/contracts/toxicity.ts";
import { chatterHash } from "@hypecast/runtime/chatter.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { openJournal } from "@hypecast/runtime/journal.ts";
import { openPeople, type People } from "@hypecast/runtime/people.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { openSecret, type Secret } from "@hypecast/runtime/secret.ts";
import { openRecords } from "@hypecast/streamproc/clips/records.ts";
import { openPositions } from "@hypecast/streamproc/imports/positions.ts";
import { askStore } from "@hypecast/streamproc/imports/store.ts";
import { isGenuine } from "@hypecast/streamproc/moderation/erase/report.ts";
import { startEraser } from "@hypecast/streamproc/moderation/erase/worker.ts";
import { gqlChat, openDesk, type Desk } from "./imported.fixture.ts";
import { startWorld, type World } from "./murder.ts";
import { until } from "./until.ts";

/** Nothing else in the world is called so. */
const GONE = { userId: "900100200300", login: "quiet_fern_77" };
const NAME = /quiet_fern_77|900100200300|zebra umbrella/i;
/** Words that nobody else says. */
const WORDS = "zebra umbrella";
const LIVE = "4242";

let world: World;
let desk: Desk;
let objects: Objects;
let people: People;
let secret: Secret;
let redis: ReturnType<typeof createClient>;

beforeAll(async () => {
  world = await startWorld({ store: true, imports: true, processors: 1 });
  desk = await openDesk(world.nc, world.env["HYPECAST_REDIS_URL"]!, world.folder);
  objects = openFolder(join(world.folder, "objects"));
  secret = openSecret(readConfig(world.env));
  people = await openPeople(world.nc, secret);
  redis = createClient({ url: world.env["HYPECAST_REDIS_URL"]! });
  await redis.connect();
});
afterAll(async () => {
  redis?.destroy();
  await desk?.close();
  await world?.close();
});

const say = async (type: EventType, event: { channelId: string } & Record<string, unknown>): Promise<void> =>
  void (await jetstream(world.nc).publish(subjectOf(type, event.channelId), JSON.stringify(event)));
const put = async (bucket: string, key: string, value: object): Promise<void> =>
  void (await (await new Kvm(world.nc).open(bucket)).put(key, JSON.stringify(value)));
const rowsOf = async <Row>(query: string): Promise<Row[]> =>
  (await world.store!.query({ query, format: "JSONEachRow" })).json<Row>();

/** Every place that keeps anything, looked through from outside: none of the eraser's own eyes. */
async function hunt(): Promise<string[]> {
  const found: string[] = [];
  for (const stream of ["INPUT", "FOLD", "DEAD", "JOURNAL"] as const)
    for await (const message of readSince(world.nc, stream, [">"], 0)) {
      const text = message.string();
      const body = /"body":"([^"]+)"/.exec(text)?.[1] ?? "";
      if (NAME.test(text) || NAME.test(Buffer.from(body, "base64").toString()))
        found.push(`${stream} ${message.subject}`);
    }
  for await (const { streamInfo } of bucketsOf())
    for await (const entry of await streamInfo.keys()) {
      const text = (await streamInfo.get(entry))?.string() ?? "";
      if (NAME.test(text) || NAME.test(entry)) found.push(`bucket ${streamInfo.name} ${entry}`);
    }
  const columns = await rowsOf<{ table: string; name: string }>(
    "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND default_kind != 'ALIAS' AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')",
  );
  for (const table of new Set(columns.map((column) => column.table))) {
    const text = columns
      .filter((column) => column.table === table)
      .map(
        ({ name }) => `ifNull(${name === "body" ? "tryBase64Decode(body)" : `toString(\`${name}\`)`}, '')`,
      );
    const [row] = await rowsOf<{ n: number }>(
      `SELECT count() AS n FROM \`${table}\` WHERE match(concat(${text.join(", ' ', ")}, ''), '(?i)quiet_fern_77|900100200300|zebra umbrella')`,
    );
    if (row!.n > 0) found.push(`table ${table}: ${row!.n}`);
  }
  for (const key of await redis.keys("*"))
    if ((await redis.type(key)) === "string" && NAME.test((await redis.get(key)) ?? ""))
      found.push(`redis ${key}`);
  for await (const { key } of objects.list(""))
    if (NAME.test(key) || NAME.test((await objects.get(key))?.toString() ?? "")) found.push(`file ${key}`);
  return found;
}
async function* bucketsOf(): AsyncGenerator<{
  streamInfo: Awaited<ReturnType<Kvm["open"]>> & { name: string };
}> {
  for await (const { bucket } of new Kvm(world.nc).list()) {
    const kv = await new Kvm(world.nc).open(bucket);
    yield { streamInfo: Object.assign(kv, { name: bucket }) };
  }
}

const T0 = Date.now() - 15 * 60_000;
const line = (atS: number, userId: string, login: string, text: string): ChatLine => ({
  id: `l-${userId}-${atS}`,
  channelId: LIVE,
  sentAtMs: T0 + atS * 1000,
  userId,
  login,
  text,
});
const score = ({ id, ...rest }: ChatLine): LineScore => ({
  ...{
    lineId: id,
    channelId: LIVE,
    sentAtMs: rest.sentAtMs,
    userId: rest.userId,
    login: rest.login,
    name: "",
  },
  ...{ text: rest.text, class: "insult", confidence: 0.97, toxicity: 0.97, severity: 0.9, action: 0.9 },
  ...{
    scores: [0.97, 0, 0, 0, 0, 0, 0],
    span: null,
    language: "en",
    authorLines: 1,
    copies: 1,
    near: rest.sentAtMs,
  },
  ...{ firstMessage: false, gameTerm: false, replyTo: "", model: "test@1" },
});

const caseOf = (worst: ChatLine, all: readonly ChatLine[]): object => ({
  ...score(worst),
  ...{
    id: `${LIVE}:case:${worst.id}`,
    version: 1,
    state: "open",
    kind: "series",
    source: "model",
    severity: "alert",
  },
  ...{
    score: 0.97,
    severityScore: 0.9,
    firstAtMs: worst.sentAtMs,
    lastAtMs: worst.sentAtMs,
    count: all.length,
    users: 2,
  },
  ...{ removed: 0, coordinated: false, newcomers: 0, reports: 0, heldId: "", spikeId: null, reasons: {} },
  ...{ receivedAtMs: 0, detectedAtMs: T0, span: [] },
  lines: all.map(({ id, sentAtMs, userId, login, text }) => ({
    ...{ lineId: id, userId, login, name: "", text, sentAtMs, toxicity: 0.97, span: [], removedAtMs: null },
  })),
});

/** What a chatter leaves behind in a week. */
async function leaveTraces(): Promise<void> {
  const lines: ChatLine[] = [];
  for (let s = 0; s < 120; s++) {
    lines.push(line(s, "1", "ann", `hello number ${s} of the evening`));
    if (s % 7 === 0) lines.push(line(s + 0.3, GONE.userId, GONE.login, `${WORDS} again and again ${s}`));
    if (s % 31 === 0) lines.push(line(s + 0.6, "2", "ben", `@${GONE.login} stop it please ${s}`));
  }
  for (let at = 0; at < lines.length; at += 20)
    await jetstream(world.nc).publish(subjectOf(chatLines, LIVE), packLines(lines.slice(at, at + 20)));
  const mine = lines.filter(({ userId }) => userId === GONE.userId);
  await say(toxicityScores, {
    ...{
      id: `${LIVE}:tox:1`,
      channelId: LIVE,
      fromMs: T0,
      toMs: T0 + 120_000,
      lines: 20,
      unknown: 0,
      why: null,
    },
    ...{ languages: { en: 20 }, flagged: [...mine.slice(0, 4), lines[0]!].map(score), model: "test@1" },
  });
  await jetstream(world.nc).publish(
    subjectOf(modCases, LIVE),
    JSON.stringify([caseOf(mine[0]!, mine), caseOf(lines[0]!, [lines[0]!, mine[1]!])]),
  );
  const notice = { id: "n1", channelId: LIVE, sentAtMs: T0 + 5000, kind: "resub", ...GONE, text: WORDS };
  await say(chatNotice, { ...notice, systemText: `${GONE.login} has subscribed` });
  await say(chatModeration, {
    ...{ id: "m1", channelId: LIVE, sentAtMs: T0 + 9000, action: "timeout" },
    ...{ targetUserId: GONE.userId, targetLogin: GONE.login, durationS: 60 },
  });
  await say(modEvent, {
    ...{ id: "e1", channelId: LIVE, atMs: T0 + 9000, action: "warn", heardBy: "eventsub", moderatorId: "5" },
    ...{ moderatorLogin: "mod", targetUserId: GONE.userId, targetLogin: GONE.login, targetMessageId: "" },
    ...{ text: WORDS, reason: "", durationS: 0, detail: {}, sourceChannelId: "", messageId: "x" },
  });
  await say(modReport, {
    ...{ id: "r1", channelId: LIVE, atMs: T0 + 9000, lineId: mine[0]!.id, ...GONE, name: "", text: WORDS },
    ...{ sentAtMs: T0, reporter: "hash" },
  });
  await jetstream(world.nc).publish(
    `${chatLines.name}.${partitionOf(LIVE)}.${LIVE}`,
    `{"login":"${GONE.login}", broken`,
  );
  // The folds hold what is allowed for as long as nobody says otherwise.
  await say(modPolicy, {
    ...{ id: "p1", channelId: LIVE, atMs: T0, allow: ["good game", `${GONE.login} is great`] },
    thresholds: { critical: 0.9, alert: 0.75, watch: 0.5 },
  });
  // The channel goes on without them.
  for (let s = 120; s <= 840; s += 20)
    await jetstream(world.nc).publish(
      `${chatAlive.name}.${partitionOf(LIVE)}`,
      JSON.stringify({ atMs: T0 + s * 1000, channels: [LIVE] }),
    );
  await put(ANSWERS_BUCKET, "answer01", {
    question: "when was it funny",
    hits: [
      {
        channelId: LIVE,
        lines: [
          { ...GONE, text: WORDS },
          { userId: "1", login: "ann", text: "hello" },
        ],
      },
    ],
    nearest: [],
  });
  const limits = { critical: 0.9, alert: 0.75, watch: 0.5 };
  const allow = ["good game", `${GONE.login} is great`];
  await put(POLICY_BUCKET, LIVE, {
    ...{ channelId: LIVE, thresholds: limits, allow, rawHours: 24, consent: null, deletedHours: 24 },
    ...{ revision: 1, atMs: T0 },
  });
  await put(ACCOUNTS_BUCKET, GONE.userId, { ...GONE, name: "Quiet" });
  await put(GRANTS_BUCKET, `${LIVE}.${GONE.userId}`, { ...GONE, channelId: LIVE, role: "analyst" });
  await put(SESSIONS_BUCKET, "ab".repeat(32), { userId: GONE.userId });
  await people.seal({ ...GONE, lineIds: [mine[0]!.id], text: WORDS, words: "" });
  await redis.set("hypecast:gateway:answer:1", JSON.stringify({ lines: [GONE] }));
  await putClip("shows-them", [chatterHash(secret, GONE.userId)]);
  await putClip("without-them", [chatterHash(secret, "1")]);
}

async function putClip(id: string, chatters: string[]): Promise<void> {
  await put(CLIPS_BUCKET, id, {
    ...clipRequest.parse({
      login: "runner",
      startMs: T0,
      endMs: T0 + 20_000,
      title: `${GONE.login} says it`,
    }),
    ...{
      id,
      channelId: LIVE,
      parts: [],
      titles: true,
      batch: null,
      createdAtMs: T0,
      revision: 1,
      state: "ready",
    },
    ...{ stage: null, progress: 1, etaS: null, attempt: 1, error: null, leftOut: [], thumbKey: null },
    files: [
      {
        layout: "16:9",
        key: `clips/${id}/wide.mp4`,
        bytes: 3,
        width: 2,
        height: 2,
        durationMs: 1,
        startMs: T0,
      },
    ],
    ...{ readyAtMs: T0, shareToken: "token", twitchUrl: null },
  });
  await objects.put(`clips/${id}/wide.mp4`, Buffer.from("mp4"));
  await objects.put(`clips/${id}/chatters.json`, Buffer.from(JSON.stringify(chatters)));
}

test("who is erased is found in no store afterwards, what others said is still there, and the report is signed", async () => {
  await leaveTraces();
  const chat = Array.from({ length: 200 }, (_, i): [number, string, string] =>
    i % 9 === 0
      ? [i * 2, GONE.login, `${WORDS} once more ${i}`]
      : [i * 2, `viewer${i % 5}`, `what a boss ${i}`],
  );
  const imported = await desk.ask({ chatUpload: await desk.upload("chat.json", gqlChat("3001", chat)) });
  await desk.until(imported.id, ({ status }) => status !== "processing");
  const ask = askStore(world.nc);
  const signal = new AbortController().signal;
  await until("both channels' lines are stored", async () => {
    const { places } = await ask(chatterPlaces, GONE, signal);
    return places.length === 2 && places.some(({ lines }) => lines === 18);
  });
  await until("cases, chunks and dead letters are stored", async () => {
    const places = new Set((await hunt()).map((one) => one.replace(/:.*/, "")));
    return [
      "table mod_cases",
      "table chat_chunks",
      "table dead_letters",
      "table mod_events",
      "table mod_reports",
    ].every((one) => places.has(one));
  });
  const others = async (): Promise<number> =>
    (await rowsOf<{ n: number }>(`SELECT count() AS n FROM chat_lines WHERE login != '${GONE.login}'`))[0]!.n;
  const before = { others: await others(), places: (await hunt()).length };
  expect(before.places).toBeGreaterThan(15);

  const id = randomUUID();
  const asked: Erasure = {
    ...{
      id,
      target: people.targetOf(GONE.userId),
      sealed: secret.seal(ERASURE_PURPOSE, JSON.stringify(GONE)),
    },
    ...{
      channelId: "*",
      askedAtMs: Date.now(),
      by: "self",
      state: "asked",
      revision: 1,
      touchedAtMs: Date.now(),
    },
    ...{
      doing: "",
      error: null,
      removed: {},
      clips: [],
      left: {},
      doneAtMs: null,
      signature: null,
      publicKey: null,
    },
  };
  await put(ERASURES_BUCKET, id, asked);
  const eraser = startEraser(
    {
      ...{ nc: world.nc, ask, people, objects, redisUrl: world.env["HYPECAST_REDIS_URL"]! },
      ...{
        positions: await openPositions(world.nc, 1),
        clips: await openRecords(world.nc, createLog("test", "error")),
      },
      openForMs: 0,
      waitMs: 8000,
    },
    await openJournal(world.nc, secret),
    secret,
    createLog("test", "error"),
  );
  const record = async (): Promise<Erasure> =>
    erasure.parse((await (await new Kvm(world.nc).open(ERASURES_BUCKET)).get(id))!.json());
  await until("it is done", async () => (await record()).state === "done");
  await eraser.close();

  expect(await hunt()).toEqual([]);
  const done = await record();
  expect(Object.values(done.left).every((n) => n === 0)).toBe(true);
  for (const place of [
    "store",
    "log",
    "journal",
    "policy",
    "answers",
    "account",
    "cache",
    "vectors",
    "clips",
  ] as const)
    expect(done.removed[place], place).toBeGreaterThan(0);
  expect(done.clips).toEqual([{ id: "shows-them", did: "withdrawn" }]);
  expect(await objects.get("clips/shows-them/wide.mp4")).toBeNull();
  expect(await objects.get("clips/without-them/wide.mp4")).not.toBeNull();
  expect(await others()).toBe(before.others);
  expect(
    (await rowsOf<{ text: string }>("SELECT text FROM chat_lines WHERE login = 'ben' LIMIT 1"))[0]?.text,
  ).toMatch(/^@… stop it/);

  expect(done.sealed).toBeNull();
  expect(isGenuine(done)).toBe(true);
  expect(isGenuine({ ...done, removed: { ...done.removed, store: 1 } })).toBe(false);
}, 200_000);
