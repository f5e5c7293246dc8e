import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  JOURNAL_STREAM,
  journalSubject,
  SYSTEM,
  type JournalEntry,
  type JournalPrivate,
} from "@hypecast/contracts/journal.ts";
import { exited, startNats, type Server } from "@hypecast/tests/servers.ts";
import { connectBus, ensureStreams } from "./bus.ts";
import { readConfig } from "./config.ts";
import { followJournal, hashOf, JournalMoved, openJournal, type Draft, type Journal } from "./journal.ts";
import { createLog } from "./log.ts";
import { openSecret } from "./secret.ts";

const secret = openSecret({ HYPECAST_SECRET: "s".repeat(43), HYPECAST_DATA: "" });
let nats: Server;
let nc: NatsConnection;
let journal: Journal;
beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  journal = await openJournal(nc, secret);
});
afterAll(async () => {
  await nc?.close();
  await nats?.close();
});

const draft = (channelId: string, id: string, more: Partial<Draft> = {}): Draft => ({
  channelId,
  id,
  by: SYSTEM,
  act: "note",
  ...more,
});
const about = (userId: string, login: string, words = ""): JournalPrivate => ({
  userId,
  login,
  lineIds: ["l1"],
  text: "you",
  words,
});
async function entriesOf(channelId: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const { entry } of journal.read(channelId)) entries.push(entry);
  return entries;
}

test("entries count up from 1, each behind the hash of the one before, and the chain is whole", async () => {
  const first = await journal.append(draft("10", "a"));
  const second = await journal.append(draft("10", "b", { detail: { z: "1", a: "2", 7: "x" } }));
  expect([first.entry.number, second.entry.number]).toEqual([1, 2]);
  expect(first.entry.prev).toBe("0".repeat(64));
  expect(second.entry.prev).toBe(first.entry.hash);
  expect(await journal.verify("10")).toEqual({ entries: 2, head: second.entry.hash, broken: null });
  expect(await journal.verify("nobody")).toEqual({ entries: 0, head: "0".repeat(64), broken: null });
});

test("the same id twice is one entry, also for a process that has just begun", async () => {
  const first = await journal.append(draft("11", "a", { reason: "first" }));
  const again = await journal.append(draft("11", "a", { reason: "second" }));
  expect(again).toEqual({ ...first, isNew: false });
  await journal.append(draft("11", "b"));
  const other = await openJournal(nc, secret);
  expect(await other.append(draft("11", "a", { reason: "third" }))).toEqual({ ...first, isNew: false });
  expect((await other.find("11", "a"))?.entry.reason).toBe("first");
  expect(await other.find("11", "c")).toBeNull();
  // In another channel it is another entry.
  expect((await other.append(draft("12", "a"))).isNew).toBe(true);
  expect(await entriesOf("11")).toHaveLength(2);
});

test("two processes that write at once lose and double nothing", async () => {
  const other = await openJournal(nc, secret);
  const ids = Array.from({ length: 60 }, (_, i) => `id-${i}`);
  const results = await Promise.all(
    [journal, other].flatMap((one) => ids.map((id) => one.append(draft("13", id)))),
  );
  expect(results.filter(({ isNew }) => isNew)).toHaveLength(ids.length);
  expect((await entriesOf("13")).map(({ number }) => number)).toEqual(ids.map((_, i) => i + 1));
  expect((await journal.verify("13")).broken).toBeNull();
});

test("an entry that depends on what was seen is refused when others have written since", async () => {
  const { seq } = await journal.append(draft("14", "a"));
  const other = await openJournal(nc, secret);
  const { seq: moved } = await other.append(draft("14", "b"), seq);
  await expect(journal.append(draft("14", "c"), seq)).rejects.toThrow(JournalMoved);
  expect((await journal.append(draft("14", "c"), moved)).entry.number).toBe(3);
  // What was written already is found, whatever was seen.
  expect((await journal.append(draft("14", "a"), seq)).isNew).toBe(false);
});

test("nobody can delete an entry, and a forged one is named by its number", async () => {
  const { seq } = await journal.append(draft("15", "a"));
  const jsm = await jetstreamManager(nc);
  await expect(jsm.streams.deleteMessage(JOURNAL_STREAM, seq)).rejects.toThrow();
  await expect(jsm.streams.purge(JOURNAL_STREAM)).rejects.toThrow();
  const real = (await journal.append(draft("15", "b"))).entry;
  const next = { ...real, id: "c", number: 3, prev: real.hash };
  await jetstream(nc).publish(
    journalSubject("15"),
    JSON.stringify({ ...next, hash: hashOf(next), act: "ban" }),
  );
  expect(await journal.verify("15")).toEqual({
    entries: 2,
    head: real.hash,
    broken: { number: 3, why: "its words are not those that were hashed" },
  });
});

test.each([
  ["does not follow the entry before it", { prev: "1".repeat(64) }],
  ["says that it is number 7", { number: 7 }],
  ["names the channel 99", { channelId: "99" }],
])("an entry that %s breaks the chain", async (why, change) => {
  const channelId = `16-${Object.keys(change)[0]}`;
  const { entry } = await journal.append(draft(channelId, "a"));
  const forged = { ...entry, id: "b", number: 2, prev: entry.hash, ...change };
  await jetstream(nc).publish(journalSubject(channelId), JSON.stringify({ ...forged, hash: hashOf(forged) }));
  expect((await journal.verify(channelId)).broken).toEqual({ number: 2, why: `it ${why}` });
});

test("who was erased is no longer named, and the chain stays whole", async () => {
  const { entry } = await journal.append(draft("17", "a", { private: about("u1", "old_name", "a note") }));
  await journal.append(draft("17", "b", { private: about("u1", "new_name") }));
  await journal.append(draft("17", "c", { private: about("u2", "other") }));
  expect(JSON.stringify(await entriesOf("17"))).not.toMatch(/old_name|new_name|a note/);
  expect((await journal.open(entry)).private).toEqual(about("u1", "old_name", "a note"));
  const target = journal.people.targetOf("u1");
  expect(entry.target).toBe(target);
  expect(await journal.people.get(target)).toMatchObject({ login: "new_name", earlier: ["old_name"] });
  expect((await journal.people.find("OLD", 5)).map((found) => found.target)).toEqual([target]);

  expect(await journal.people.remove(target)).toBe(true);
  expect(await journal.people.remove(target)).toBe(false);
  expect(await journal.open(entry)).toMatchObject({ private: null, erased: true, number: 1 });
  expect(await journal.people.find("new", 5)).toEqual([]);
  expect((await journal.verify("17")).broken).toBeNull();
  // They write again: a new key, and what was before stays closed.
  const again = await journal.append(draft("17", "d", { private: about("u1", "new_name") }));
  expect(again.entry.target).toBe(target);
  expect((await journal.open(again.entry)).erased).toBe(false);
  expect((await journal.open(entry)).erased).toBe(true);
});

test("kill -9 of writers and of the server loses and doubles no entry, and whoever follows is told each once", async () => {
  const told: string[] = [];
  const before = await journal.append(draft("1", "before"));
  const follow = followJournal(
    nc,
    before.entry.atMs,
    ({ entry }) => {
      if (entry.channelId === "1") told.push(entry.id);
    },
    createLog("test", "error"),
  );
  await follow.ready;
  expect(told).toEqual(["before"]);
  const COUNT = 120;
  const write = (writer: string): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, "test-journal.ts"), writer, String(COUNT)], {
      stdio: "ignore",
      env: { ...process.env, HYPECAST_NATS_URL: nats.url, HYPECAST_SECRET: "s".repeat(43) },
    });
  const killed = async (writer: string, from: number): Promise<void> => {
    const child = write(writer);
    await expect
      .poll(async () => (await journal.find("1", `${writer}-${from}`)) !== null, {
        timeout: 20_000,
        interval: 10,
      })
      .toBe(true);
    child.kill("SIGKILL");
    await exited(child);
  };
  await Promise.all([killed("ana", 20), killed("ben", 35)]);
  const last = ["ana", "ben"].map(write);
  await expect.poll(async () => (await journal.find("1", "ana-60").catch(() => null)) !== null).toBe(true);
  await nats.crash();
  await Promise.all(last.map(exited));
  const entries = await entriesOf("1");
  expect(new Set(entries.map(({ id }) => id)).size).toBe(2 * COUNT + 1);
  expect(entries).toHaveLength(2 * COUNT + 1);
  expect(await journal.verify("1")).toMatchObject({ entries: 2 * COUNT + 1, broken: null });
  await expect.poll(() => told).toEqual(entries.map(({ id }) => id));
  follow.close();
});
