import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { modRoutes } from "@hypecast/contracts/api-mod.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { journalSubject, JOURNAL_STREAM, type JournalEntry } from "@hypecast/contracts/journal.ts";
import { modPolicy } from "@hypecast/contracts/mod-case.ts";
import { modChange } from "@hypecast/contracts/mod-change.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { openPage, startGateway, type Gateway } from "../testing.ts";
import { asker, caseOf, sayCases, signedIn, watchChannel, type Asker } from "./testing.ts";

const LAVA = "4242";
const OTHER = "4343";
let nats: Server;
let bus: NatsConnection;
let gateway: Gateway;
let anaCookie: string;
let ana: Asker;
let ben: Asker;
let stranger: Asker;

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  await watchChannel(bus, "lava", LAVA);
  await watchChannel(bus, "other", OTHER);
  const moderates = [{ channelId: LAVA, login: "lava" }];
  anaCookie = await signedIn(bus, { userId: "1", login: "ana", moderates });
  const benCookie = await signedIn(bus, { userId: "2", login: "ben", moderates });
  const otherCookie = await signedIn(bus, {
    userId: "3",
    login: "eve",
    moderates: [{ channelId: OTHER, login: "other" }],
  });
  gateway = await startGateway({
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_SIGN_IN: "twitch",
    TWITCH_CLIENT_ID: "test",
    TWITCH_CLIENT_SECRET: "test",
    TWITCH_ID_URL: "http://127.0.0.1:1",
    TWITCH_HELIX_URL: "http://127.0.0.1:1",
  });
  ana = asker(gateway, anaCookie);
  ben = asker(gateway, benCookie);
  stranger = asker(gateway, otherCookie);
  await vi.waitFor(async () => expect((await ana.get("lava")).status).toBe(200), 10_000);
});
afterAll(async () => {
  await gateway?.close();
  await bus?.close();
  await nats?.close();
});

/** Cases that the gateway knows from here on. */
async function cases(...named: Parameters<typeof caseOf>[]): Promise<string[]> {
  const said = named.map((one) => caseOf(...one));
  await sayCases(bus, said);
  for (const { id, channelId } of said)
    await vi.waitFor(async () =>
      expect(
        (
          await (channelId === LAVA ? ana : stranger).get(
            `${channelId === LAVA ? "lava" : "other"}/cases/${id}`,
          )
        ).status,
      ).toBe(200),
    );
  return said.map(({ id }) => id);
}
async function journalOf(channelId: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const message of readSince(bus, JOURNAL_STREAM, [journalSubject(channelId)], 0))
    entries.push(message.json<JournalEntry>());
  return entries;
}
let keys = 0;
const key = (): string => `key-${String(++keys).padStart(6, "0")}`;

test("an act stands in the journal, and the case says so at once", async () => {
  const [id = ""] = await cases([LAVA, "a1"]);
  const answer = await ana.send("lava/acts", { key: key(), act: "timeout", caseIds: [id], durationS: 600 });
  expect(answer.status).toBe(202);
  const { entries, decided } = modRoutes.modAct.result.parse(answer.body);
  expect(decided).toEqual([]);
  expect(entries).toMatchObject([
    { act: "timeout", caseId: id, durationS: 600, by: { login: "ana" }, score: 0.93, class: "insult" },
  ]);
  expect(entries[0]?.private).toMatchObject({ userId: "77", lineIds: ["a1"] });
  const found = modRoutes.modCase.result.parse((await ben.get(`lava/cases/${id}`)).body);
  expect(found.desk).toMatchObject({ status: "asked", act: "timeout", by: "ana" });
  expect(found.entries.map((entry) => entry.id)).toEqual(entries.map((entry) => entry.id));
  const raw = JSON.stringify(await journalOf(LAVA));
  expect(raw).not.toContain("severny_veter");
  expect(raw).not.toContain("disgrace");
});

test("the same key twice is one act, and another act under it is refused", async () => {
  const [id = ""] = await cases([LAVA, "b1"]);
  const act = { key: key(), act: "ban", caseIds: [id] };
  const answers = await Promise.all([ana.send("lava/acts", act), ana.send("lava/acts", act)]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  expect(answers[1]?.body).toEqual(answers[0]?.body);
  expect((await journalOf(LAVA)).filter((entry) => entry.caseId === id)).toHaveLength(1);
  expect(await ana.send("lava/acts", { ...act, act: "delete" })).toMatchObject({
    status: 422,
    body: { type: "/problems/idempotency_key_used" },
  });
  // Somebody else's key is another one.
  expect((await ben.send("lava/acts", { ...act, act: "note", words: "seen" })).status).toBe(202);
});

test("of two moderators who decide one case at once, one does, and the other is told who", async () => {
  const ids = await cases(...Array.from({ length: 12 }, (_, i): [string, string] => [LAVA, `c${i}`]));
  const results = await Promise.all(
    ids.flatMap((id) => [
      ana.send("lava/acts", { key: key(), act: "timeout", caseIds: [id] }),
      ben.send("lava/acts", { key: key(), act: "ban", caseIds: [id] }),
    ]),
  );
  const entries = await journalOf(LAVA);
  ids.forEach((id, i) => {
    const pair = results.slice(2 * i, 2 * i + 2);
    expect(new Set(pair.map(({ status }) => status))).toEqual(new Set([202, 409]));
    expect(pair.find(({ status }) => status === 409)?.body).toMatchObject({ type: "/problems/case_decided" });
    expect(entries.filter((entry) => entry.caseId === id)).toHaveLength(1);
  });
});

test("who names what stands decides anew, and who has looked disturbs nobody", async () => {
  const [id = ""] = await cases([LAVA, "d1"]);
  const first = await ana.send("lava/acts", { key: key(), act: "timeout", caseIds: [id] });
  const [entry] = modRoutes.modAct.result.parse(first.body).entries;
  for (const act of ["review", "note"])
    expect((await ben.send("lava/acts", { key: key(), act, caseIds: [id], words: "hm" })).status).toBe(202);
  const over = [entry?.id];
  expect((await ben.send("lava/acts", { key: key(), act: "ban", caseIds: [id], over })).status).toBe(202);
  const { desk } = modRoutes.modCase.result.parse((await ana.get(`lava/cases/${id}`)).body);
  expect(desk).toMatchObject({ act: "ban", by: "ben", reviewedBy: ["2"], notes: 1 });
});

test("a bulk act leaves out what others have decided and says so", async () => {
  const ids = await cases([LAVA, "e1"], [LAVA, "e2"], [LAVA, "e3"]);
  await ben.send("lava/acts", { key: key(), act: "approve", caseIds: [ids[1]] });
  const answer = await ana.send("lava/acts", { key: key(), act: "delete", caseIds: ids });
  const { entries, decided } = modRoutes.modAct.result.parse(answer.body);
  expect(entries.map(({ caseId }) => caseId)).toEqual([ids[0], ids[2]]);
  expect(decided).toMatchObject([{ caseId: ids[1], desk: { status: "approved", by: "ben" } }]);
});

test("near-copies of several chatters are decided together, one entry a chatter, and undone together", async () => {
  const lines = ["x", "y", "x", "z"].map((userId, i) => ({
    ...{ lineId: `f${i}`, userId, login: `user_${userId}`, name: "", text: "СКИНЫ", sentAtMs: Date.now() },
    ...{ toxicity: 0.9, span: null, removedAtMs: i === 3 ? Date.now() : null },
  }));
  const [id = ""] = await cases([LAVA, "f0", { kind: "copies", userId: "x", users: 3, count: 4, lines }]);
  const deleted = await ana.send("lava/acts", { key: key(), act: "delete", caseIds: [id] });
  const { entries } = modRoutes.modAct.result.parse(deleted.body);
  // A line that is gone already is not deleted again.
  expect(entries.map((entry) => [entry.private?.userId, entry.private?.lineIds, entry.of])).toEqual([
    ["x", ["f0", "f2"], null],
    ["y", ["f1"], entries[0]?.id],
  ]);
  const undone = await ben.send("lava/undo", { key: key(), entryIds: [entries[0]?.id], reason: "a mistake" });
  expect(modRoutes.modUndo.result.parse(undone.body).entries).toMatchObject([
    { act: "undo", of: entries[0]?.id, reason: "a mistake", by: { login: "ben" } },
    { act: "undo", of: entries[1]?.id },
  ]);
  const { desk } = modRoutes.modCase.result.parse((await ana.get(`lava/cases/${id}`)).body);
  expect(desk).toMatchObject({ status: "open", entryId: null });
  // Undone twice it is one undoing, whoever asks.
  const before = (await journalOf(LAVA)).length;
  const again = await ana.send("lava/undo", { key: key(), entryIds: [entries[0]?.id] });
  expect(again.body["entries"]).toHaveLength(2);
  expect(await journalOf(LAVA)).toHaveLength(before);
});

test.each([
  ["a case that nobody has made", `${LAVA}:case:forged`, 404],
  ["another channel's case under this login", `${OTHER}:case:g1`, 404],
  ["something that is no id", "../../etc/passwd", 404],
])("%s cannot be acted on", async (_name, id, status) => {
  await cases([OTHER, "g1"]);
  const before = (await journalOf(OTHER)).length;
  // Without a store nobody can say that an unknown case is not there: then the act is not done either.
  const answer = await ana.send("lava/acts", { key: key(), act: "ban", caseIds: [id] });
  expect([status, 503]).toContain(answer.status);
  expect((await ana.get(`lava/cases/${encodeURIComponent(id)}`)).status).toBe(answer.status);
  expect(await journalOf(OTHER)).toHaveLength(before);
});

test("who moderates another channel sees and does nothing here", async () => {
  const [id = ""] = await cases([LAVA, "h1"]);
  for (const path of ["lava", "lava/cases", `lava/cases/${id}`, "lava/log", "lava/policy", "lava/log/verify"])
    expect((await stranger.get(path)).status).toBe(403);
  for (const path of ["_house/log/verify", "_house/log"])
    for (const who of [ana, stranger]) expect((await who.get(path)).status).toBe(403);
  expect((await stranger.send("lava/acts", { key: key(), act: "ban", caseIds: [id] })).status).toBe(403);
  expect((await stranger.send(`lava/cases/${id}/claim`, {})).status).toBe(403);
  expect((await stranger.send("lava/undo", { key: key(), entryIds: ["x"] })).status).toBe(403);
});

test("one person has a case in hand until they let it go, or another takes it over", async () => {
  const [id = ""] = await cases([LAVA, "i1"]);
  const claim = async (who: Asker, how: object = {}): Promise<unknown> => {
    const { body } = await who.send(`lava/cases/${id}/claim`, how);
    return modRoutes.modClaim.result.parse(body).claim?.by.login ?? null;
  };
  const first = await Promise.all([claim(ana), claim(ben)]);
  expect(first[0]).toBe(first[1]);
  const [holder, other] = first[0] === "ana" ? [ana, ben] : [ben, ana];
  expect(await claim(other)).toBe(first[0]);
  expect(await claim(other, { release: true })).toBe(first[0]);
  expect(await claim(other, { steal: true })).not.toBe(first[0]);
  expect(await claim(holder, { release: true })).not.toBe(first[0]);
  expect(await claim(other, { release: true })).toBeNull();
});

test("an open page is told of cases, acts, claims and entries; one that is not theirs is refused", async () => {
  const page = await openPage(gateway.port, { cookie: anaCookie });
  page.say({ op: "sub", ch: "mod:lava" });
  await page.until(({ op }) => op === "subbed");
  const [id = ""] = await cases([LAVA, "j1"]);
  const told = (kind: string, fits: (d: Record<string, unknown>) => boolean): Promise<unknown> =>
    page.until((message) => {
      const d = message["d"] as Record<string, unknown> | undefined;
      return message["ch"] === "mod:lava" && d?.["kind"] === kind && fits(d);
    });
  await told("case", (d) => (d["case"] as { id: string }).id === id);
  await ben.send(`lava/cases/${id}/claim`, {});
  await told("desk", (d) => d["caseId"] === id && d["claim"] !== null);
  await ben.send("lava/acts", { key: key(), act: "false_positive", caseIds: [id], reason: "game_talk" });
  await told("desk", (d) => (d["desk"] as { status: string }).status === "false_positive");
  await told("entry", (d) => (d["entry"] as { caseId: string; reason: string }).reason === "game_talk");
  await told("shift", (d) => (d["people"] as { login: string }[]).some(({ login }) => login === "ben"));
  for (const message of page.messages)
    if (message["ch"] === "mod:lava" && "d" in message) modChange.parse(message["d"]);
  page.say({ op: "sub", ch: "mod:other" });
  await page.until(({ op, ch }) => op === "err" && ch === "mod:other");
  page.socket.close();
});

test("policy is changed by whoever may, told to the folds, and stands in the journal with before and after", async () => {
  const said = async (): Promise<unknown[]> => {
    const told: unknown[] = [];
    for await (const message of readSince(bus, "INPUT", [subjectOf(modPolicy, LAVA)], 0))
      told.push(message.json());
    return told;
  };
  const change = { key: key(), thresholds: { critical: 0.95, alert: 0.8, watch: 0.6 }, allow: ["git gud"] };
  const answer = await ana.send("lava/policy", change, "PATCH");
  expect(modRoutes.changeModPolicy.result.parse(answer.body).policy).toMatchObject({
    thresholds: change.thresholds,
    allow: ["git gud"],
    revision: 1,
  });
  expect((await ana.send("lava/policy", change, "PATCH")).body).toEqual(answer.body);
  expect(await said()).toMatchObject([
    { channelId: LAVA, thresholds: change.thresholds, allow: ["git gud"] },
  ]);
  const noted = (await journalOf(LAVA)).filter(({ act }) => act === "policy");
  expect(noted).toHaveLength(1);
  expect(noted[0]?.detail).toMatchObject({
    "critical.before": "0.9",
    "critical.after": "0.95",
    "allow.added": '["git gud"]',
  });
  // Text that is kept for longer is the broadcaster's to allow.
  expect((await ana.send("lava/policy", { key: key(), rawHours: 48 }, "PATCH")).status).toBe(403);
  const upsideDown = { critical: 0.5, alert: 0.8, watch: 0.6 };
  expect((await ana.send("lava/policy", { key: key(), thresholds: upsideDown }, "PATCH")).status).toBe(400);
});

test("a phrase that is allowed becomes policy, and is none when that is taken back", async () => {
  const [id = ""] = await cases([LAVA, "k1"]);
  const act = { key: key(), act: "allow_phrase", caseIds: [id], words: "noob trash" };
  const { entries } = modRoutes.modAct.result.parse((await ana.send("lava/acts", act)).body);
  const policy = async (): Promise<string[]> =>
    modRoutes.modPolicy.result.parse((await ana.get("lava/policy")).body).policy.allow;
  expect(await policy()).toContain("noob trash");
  await ana.send("lava/undo", { key: key(), entryIds: [entries[0]?.id] });
  expect(await policy()).not.toContain("noob trash");
});

test("a comment on an entry is sealed with whom it is about", async () => {
  const [id = ""] = await cases([LAVA, "l1"]);
  const acted = await ana.send("lava/acts", { key: key(), act: "warn", caseIds: [id], reason: "rule 3" });
  const [entry] = modRoutes.modAct.result.parse(acted.body).entries;
  const answer = await ben.send(`lava/log/${entry?.id ?? ""}/comments`, { key: key(), words: "third time" });
  expect(answer.status).toBe(201);
  expect(modRoutes.modComment.result.parse(answer.body).entry).toMatchObject({
    act: "comment",
    of: entry?.id,
    private: { userId: "77", words: "third time" },
  });
  expect(JSON.stringify(await journalOf(LAVA))).not.toContain("third time");
});

test("what was decided is known again after a kill -9, and the chain is whole", async () => {
  const [id = ""] = await cases([LAVA, "m1"]);
  await ana.send("lava/acts", { key: key(), act: "ban", caseIds: [id] });
  await gateway.restart();
  await vi.waitFor(async () => expect((await ana.get("lava")).status).toBe(200), 10_000);
  await cases([LAVA, "m1", { version: 2 }]);
  const { desk } = modRoutes.modCase.result.parse((await ana.get(`lava/cases/${id}`)).body);
  expect(desk).toMatchObject({ status: "asked", act: "ban", by: "ana" });
  const verified = modRoutes.modVerify.result.parse((await ana.get("lava/log/verify")).body);
  expect(verified).toMatchObject({ entries: (await journalOf(LAVA)).length, broken: null });
});
