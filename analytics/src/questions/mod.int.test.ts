import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { JournalEntry } from "@hypecast/contracts/journal.ts";
import type { ModCase } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import type {
  LineScore,
  ToxicityScores,
  ToxicitySpike,
  ToxicityWindow,
} from "@hypecast/contracts/toxicity.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { startClickHouse, STORE_PASSWORD, type Server } from "@hypecast/tests/servers.ts";
import { countHours } from "../chatters.ts";
import { migrate } from "../migrate.ts";
import { openStore, type Store } from "../store.ts";
import { insert } from "../sink/insert.ts";
import { targetOf } from "../sink/tables.ts";
import { asker, type Answer } from "./answer.ts";
import { answerModAllowPreview } from "./mod-allow-preview.ts";
import { answerModCasesById } from "./mod-cases-by-id.ts";
import { answerModContext } from "./mod-context.ts";
import { answerModEffect } from "./mod-effect.ts";
import { answerModEntries } from "./mod-entries.ts";
import { answerModFlagged } from "./mod-flagged.ts";
import { answerModLog } from "./mod-log.ts";
import { answerModPrecision } from "./mod-precision.ts";
import { answerModQueue } from "./mod-queue.ts";
import { answerModRecent } from "./mod-recent.ts";
import { answerModThresholds } from "./mod-thresholds.ts";
import { answerModUser } from "./mod-user.ts";

/** A Monday's noon, UTC. */
const T = Date.UTC(2026, 10, 23, 12);
const DAY_MS = 86_400_000;

let clickhouse: Server;
let store: Store;

async function ask<Answered extends Answer>(
  one: Answered,
  asked: Parameters<Answered["answer"]>[0],
  nowMs = T + 3_600_000,
): Promise<Awaited<ReturnType<Answered["answer"]>>> {
  const answer = await one.answer(
    one.question.ask.parse(asked),
    asker(store, AbortSignal.timeout(5000), () => 5),
    nowMs,
  );
  return one.question.answer.parse(answer) as Awaited<ReturnType<Answered["answer"]>>;
}
const put = async (table: string, rows: object[]): Promise<void> => {
  await store.insert({ table, values: rows, format: "JSONEachRow" });
};

beforeAll(async () => {
  clickhouse = await startClickHouse();
  const config = readConfig({
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
    // Nothing of these tests is too old to be kept.
    HYPECAST_RAW_HOURS: "48",
  });
  store = openStore(config);
  await migrate(store, config, createLog("test", "silent"));
});
afterAll(async () => {
  await store?.close();
  await clickhouse?.close();
});

const line = (
  channelId: string,
  id: string,
  atS: number,
  userId: string,
  text: string,
  over: Partial<ChatLine> = {},
): ChatLine => ({
  ...{ id, channelId, sentAtMs: T + atS * 1000, userId, login: `u${userId}`, text },
  ...over,
});
const score = (
  channelId: string,
  lineId: string,
  atS: number,
  userId: string,
  over: Partial<LineScore> = {},
): LineScore => ({
  ...{
    lineId,
    channelId,
    sentAtMs: T + atS * 1000,
    userId,
    login: `u${userId}`,
    name: `U${userId}`,
    text: `text of ${lineId}`,
  },
  ...{
    class: "insult",
    confidence: 0.8,
    toxicity: 0.8,
    severity: 0.5,
    action: 0.4,
    scores: [0.8, 0, 0, 0, 0, 0, 0],
  },
  ...{
    span: null,
    language: "en",
    authorLines: 1,
    copies: 1,
    near: 2 ** 52,
    firstMessage: false,
    gameTerm: false,
  },
  ...{ replyTo: "", model: "tox@1" },
  ...over,
});
const pack = (
  channelId: string,
  n: number,
  atS: number,
  flagged: LineScore[],
  over: Partial<ToxicityScores> = {},
): ToxicityScores => ({
  ...{
    id: `${channelId}:tox:${n}`,
    channelId,
    fromMs: T + atS * 1000,
    toMs: T + atS * 1000 + 900,
    lines: 10,
    unknown: 0,
  },
  ...{ why: null, languages: { en: 9, ru: 1 }, flagged, model: "tox@1" },
  ...over,
});
const modCase = (channelId: string, id: string, atS: number, over: Partial<ModCase> = {}): ModCase => ({
  ...{ id: `${channelId}:case:${id}`, channelId, version: 1, state: "open", kind: "series", source: "model" },
  ...{
    severity: "alert",
    class: "insult",
    score: 0.8,
    severityScore: 0.5,
    action: 0.4,
    scores: [0.8, 0, 0, 0, 0, 0, 0],
  },
  ...{ lineId: id, userId: "1", login: "u1", name: "U1", text: `text of ${id}`, span: null, language: "en" },
  ...{
    firstAtMs: T + atS * 1000,
    lastAtMs: T + atS * 1000,
    count: 1,
    users: 1,
    removed: 0,
    coordinated: false,
  },
  ...{
    newcomers: 0,
    reports: 0,
    heldId: "",
    spikeId: null,
    reasons: { copies: 1 },
    model: "tox@1",
    receivedAtMs: 0,
  },
  lines: [
    {
      lineId: id,
      userId: "1",
      login: "u1",
      name: "U1",
      text: `text of ${id}`,
      sentAtMs: T + atS * 1000,
      toxicity: 0.8,
      span: [0, 3],
      removedAtMs: null,
    },
  ],
  detectedAtMs: T + atS * 1000,
  ...over,
});
let events = 0;
const event = (channelId: string, atS: number, over: Partial<ModEvent>): ModEvent => ({
  ...{
    id: `${channelId}:mod:${events++}`,
    channelId,
    atMs: T + atS * 1000,
    action: "delete",
    heardBy: "eventsub",
  },
  ...{
    moderatorId: "m",
    moderatorLogin: "ana",
    targetUserId: "",
    targetLogin: "",
    targetMessageId: "",
    text: "",
  },
  ...{ reason: "", durationS: 0, detail: {}, sourceChannelId: "", messageId: "" },
  ...over,
});
const numbers = new Map<string, number>();
const entry = (channelId: string, atS: number, over: Partial<JournalEntry>): JournalEntry => {
  const number = (numbers.get(channelId) ?? 0) + 1;
  numbers.set(channelId, number);
  return {
    ...{ form: 1, number, channelId, id: `e${number}`, atMs: T + atS * 1000 },
    by: { kind: "twitch", userId: "m", login: "ana" },
    ...{
      act: "timeout",
      caseId: null,
      of: null,
      target: null,
      sealed: null,
      durationS: 0,
      reason: "",
      score: -1,
    },
    ...{ class: "", count: 1, detail: {}, prev: "0".repeat(64), hash: "f".repeat(64) },
    ...over,
  };
};

describe("the queue", () => {
  const Q = "queue";
  beforeAll(async () => {
    await put("mod_cases", [
      modCase(Q, "a", 0, { severity: "watch", lastAtMs: T + 50_000, version: 3, count: 4 }),
      modCase(Q, "a", 0, { severity: "alert", lastAtMs: T + 20_000, version: 2, count: 2 }),
      modCase(Q, "b", 10, { severity: "critical", class: "threat", span: [1, 4], spikeId: "s" }),
      modCase(Q, "c", 20, { severity: "critical", language: "ru" }),
      modCase(Q, "d", 30, { userId: "2", login: "two", lines: [] }),
      modCase(Q, "e", 40),
      modCase(Q, "old", -90_000),
      modCase("elsewhere", "f", 40),
    ]);
  });
  const asked = { channelId: Q, sinceMs: T - DAY_MS, limit: 10 };
  const ids = ({ cases }: { cases: { lineId: string }[] }): string[] => cases.map(({ lineId }) => lineId);

  test("newest versions, the worst first and in each the newest first, with counts of all", async () => {
    const answer = await ask(answerModQueue, asked);
    expect(ids(answer)).toEqual(["c", "b", "e", "d", "a"]);
    expect(answer.counts).toEqual({ critical: 2, alert: 2, watch: 1 });
    expect(answer.next).toBeNull();
    expect(answer.cases.find(({ lineId }) => lineId === "a")).toMatchObject({
      count: 4,
      span: null,
      kept: true,
    });
    expect(answer.cases[1]!.span).toEqual([1, 4]);
  });

  test("pages go on behind each other, and counts stay those of all", async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 3; page++) {
      const answer = await ask(answerModQueue, { ...asked, limit: 2, cursor });
      seen.push(...ids(answer));
      expect(answer.counts).toEqual({ critical: 2, alert: 2, watch: 1 });
      cursor = answer.next ?? undefined;
      expect(cursor === undefined).toBe(page === 2);
    }
    expect(seen).toEqual(["c", "b", "e", "d", "a"]);
  });

  test.each<[string, object, string[]]>([
    ["severity", { severity: "critical" }, ["c", "b"]],
    ["class", { class: "threat" }, ["b"]],
    ["language", { language: "ru" }, ["c"]],
    ["spike", { spikeId: "s" }, ["b"]],
    ["a login", { user: "TWO" }, ["d"]],
    ["an author's id", { user: "1" }, ["c", "b", "e", "a"]],
    ["what is decided left out", { except: [`${Q}:case:c`, `${Q}:case:e`, "nothing"] }, ["b", "d", "a"]],
    ["what is decided alone", { only: [`${Q}:case:c`] }, ["c"]],
  ])("by %s", async (_name, filter, found) => {
    expect(ids(await ask(answerModQueue, { ...asked, ...filter }))).toEqual(found);
  });

  test("a case whole, its newest version, in the order that was asked", async () => {
    const { cases } = await ask(answerModCasesById, {
      channelId: Q,
      ids: [`${Q}:case:b`, `${Q}:case:a`, "unknown'); DROP TABLE mod_cases"],
    });
    expect(cases.map(({ lineId, version }) => [lineId, version])).toEqual([
      ["b", 1],
      ["a", 3],
    ]);
    expect(cases[0]!.lines).toEqual([{ ...modCase(Q, "b", 10).lines[0], span: [0, 3] }]);
  });
});

describe("lines around a line", () => {
  const C = "context";
  beforeAll(async () => {
    const said = Array.from({ length: 60 }, (_, i) =>
      line(C, `l${String(i).padStart(2, "0")}`, i, String(i % 7), `line ${i}`),
    );
    said[30] = { ...said[30]!, replyTo: "l10", replyThread: "l10" };
    said[33] = { ...said[33]!, replyTo: "l30", replyThread: "l10" };
    await put("chat_lines", said);
    await put("chat_moderation", [
      {
        id: "x1",
        channelId: C,
        sentAtMs: T + 36_000,
        action: "delete",
        targetMessageId: "l28",
        text: "line 28",
      },
      {
        id: "x2",
        channelId: C,
        sentAtMs: T + 52_000,
        action: "timeout",
        targetUserId: "5",
        targetLogin: "u5",
        durationS: 60,
      },
      { id: "x3", channelId: C, sentAtMs: T + 53_000, action: "delete", targetMessageId: "l50" },
    ]);
    await put("mod_events", [event(C, 36.2, { targetMessageId: "l28", text: "line 28" })]);
    await put("toxicity_packs", [pack(C, 1, 30, [score(C, "l30", 30, "2", { toxicity: 0.9 })])]);
  });
  const asked = { channelId: C, lineId: "l30", atMs: T + 30_400, before: 3, after: 4, showRemovedFromMs: 0 };

  test("so many before and after, oldest first, with what became of each and how toxic it seemed", async () => {
    const answer = await ask(answerModContext, asked);
    expect(answer.lines.map(({ id }) => id)).toEqual([
      "l27",
      "l28",
      "l29",
      "l30",
      "l31",
      "l32",
      "l33",
      "l34",
    ]);
    expect(answer.lines[1]).toMatchObject({ removedAtMs: T + 36_000, removedBy: "ana", text: "line 28" });
    expect(answer.lines[3]).toMatchObject({ toxicity: 0.9, removedAtMs: null, removedBy: null });
    // User 5 was timed out later: all of theirs is gone.
    expect(answer.lines[6]).toMatchObject({
      id: "l33",
      userId: "5",
      removedAtMs: T + 52_000,
      removedBy: null,
    });
    expect(answer.lines[0]!.toxicity).toBeNull();
    expect(answer).toMatchObject({ earlier: 27, later: 25, kept: true });
    // l40 and l47 by user 5, and l50.
    expect(answer.laterRemoved).toBe(3);
  });

  test("the thread: its root and every answer to it", async () => {
    const { thread } = await ask(answerModContext, asked);
    expect(thread.map(({ id }) => id)).toEqual(["l10", "l30", "l33"]);
    expect((await ask(answerModContext, { ...asked, lineId: "l20", atMs: T + 20_000 })).thread).toEqual([]);
  });

  test("text that was removed too long ago stays away", async () => {
    const { lines } = await ask(answerModContext, { ...asked, showRemovedFromMs: T + 40_000 });
    expect(lines[1]).toMatchObject({ id: "l28", text: "", removedBy: "ana" });
    expect(lines[6]!.text).toBe("line 33");
  });

  test("a line that is no longer kept has no context, and says so", async () => {
    expect(await ask(answerModContext, { ...asked, lineId: "gone" })).toEqual({
      ...{ lines: [], thread: [], earlier: 0, later: 0, laterRemoved: 0, kept: false },
    });
  });
});

describe("a chatter", () => {
  const U = "users";
  beforeAll(async () => {
    const chat = targetOf("INPUT", "chat.lines.0.x");
    const rows = [
      line(U, "a", 0, "9", "one", { login: "old_name" }),
      line(U, "b", 100, "9", "two", { login: "new_name", name: "New_Name", badges: "subscriber/12" }),
      line(U, "c", 101, "9", "three", { login: "new_name", name: "New_Name", badges: "subscriber/12" }),
      line(U, "d", -50, "8", "somebody else"),
      line(U, "e", 102, "9", "in another channel of a shared chat", {
        login: "new_name",
        sourceChannelId: "other",
      }),
    ];
    const batch = Buffer.from(rows.map((row) => JSON.stringify(row)).join("\n") + "\n");
    // The batch comes again after a crash: nothing counts twice.
    for (let times = 0; times < 2; times++)
      await insert(store, {
        target: { table: chat.table, zeroes: chat.zeroes },
        token: "batch",
        rows: batch,
      });
    await put("toxicity_packs", [
      pack(U, 1, 100, [score(U, "b", 100, "9"), score(U, "c", 101, "9")]),
      pack(U, 1, 100, [score(U, "b", 100, "9"), score(U, "c", 101, "9")]),
    ]);
    await put("chat_moderation", [
      {
        id: "x",
        channelId: U,
        sentAtMs: T + 150_400,
        action: "timeout",
        targetUserId: "9",
        targetLogin: "new_name",
        durationS: 600,
      },
    ]);
    await put("mod_events", [
      event(U, 150, {
        action: "timeout",
        targetUserId: "9",
        targetLogin: "new_name",
        durationS: 600,
        reason: "insult",
      }),
      event(U, 20, {
        action: "suspicious_update",
        targetUserId: "9",
        detail: { status: "active_monitoring" },
      }),
    ]);
  });

  test.each([
    ["as it is written", false],
    ["when the hour was counted, twice", true],
  ])(
    "is known by what they wrote here, their names, what was flagged and what was done, %s",
    async (_when, isOver) => {
      if (isOver) {
        await countHours(store, T + 3_600_000, new Set());
        const hours = async (): Promise<unknown> =>
          (
            await store.query({
              query: "SELECT count() AS n FROM chatter_hours WHERE firstMs >= 1795435200000",
              format: "JSONEachRow",
            })
          ).json();
        expect(await hours()).toEqual([{ n: 0 }]);
        for (let times = 0; times < 2; times++) await countHours(store, T + 2 * 3_600_000, new Set());
        expect(await hours()).not.toEqual([{ n: 0 }]);
      }
      const card = await ask(answerModUser, { channelId: U, userId: "9", lines: 2, showRemovedFromMs: 0 });
      expect(card).toMatchObject({
        ...{
          userId: "9",
          login: "new_name",
          name: "New_Name",
          earlierNames: ["old_name"],
          badges: "subscriber/12",
        },
        ...{
          messages: 3,
          firstSeenMs: T,
          flagged: 2,
          scored: 3,
          suspicious: "active_monitoring",
          trackedSinceMs: T - 50_000,
        },
      });
      expect(card.events.map(({ action, heardBy, reason }) => [action, heardBy, reason])).toEqual([
        ["timeout", "eventsub", "insult"],
        ["suspicious_update", "eventsub", ""],
      ]);
      expect(card.lines.map(({ id, removedBy }) => [id, removedBy])).toEqual([
        ["c", "ana"],
        ["e", "ana"],
      ]);
    },
  );

  test("who never wrote here has an empty card", async () => {
    expect(
      await ask(answerModUser, { channelId: U, userId: "77", lines: 5, showRemovedFromMs: 0 }),
    ).toMatchObject({
      ...{ login: "", messages: 0, firstSeenMs: null, flagged: 0, scored: 0, lines: [], events: [] },
    });
  });

  test("their flagged lines, each once, as the model said them", async () => {
    const { lines } = await ask(answerModFlagged, {
      channelId: U,
      fromMs: T,
      toMs: T + DAY_MS,
      userId: "9",
      limit: 10,
    });
    expect(lines).toEqual([score(U, "c", 101, "9"), score(U, "b", 100, "9")]);
  });
});

describe("the log", () => {
  const L = "log";
  beforeAll(async () => {
    await put("journal", [
      entry(L, 0, { id: "note", act: "note", target: "t1", sealed: "…", caseId: "c1" }),
      entry(L, 10, {
        id: "out",
        act: "timeout",
        target: "t1",
        sealed: "…",
        durationS: 600,
        reason: "insult",
        caseId: "c1",
      }),
      entry(L, 10.1, { id: "s1", act: "sending", of: "out" }),
      entry(L, 10.3, { id: "d1", act: "done", of: "out" }),
      entry(L, 20, { id: "rev", act: "review", caseId: "c1" }),
      entry(L, 30, { id: "com", act: "comment", of: "out", sealed: "…" }),
      entry(L, 40, {
        id: "ban",
        act: "ban",
        by: { kind: "twitch", userId: "k", login: "kay" },
        target: "t2",
      }),
      entry(L, 40.2, { id: "r1", act: "refused", of: "ban", detail: { said: "user is a moderator" } }),
      entry(L, 50, { id: "undo", act: "undo", of: "out" }),
      entry(L, 50.5, { id: "d2", act: "done", of: "undo" }),
      entry(L, 60, { id: "slow", act: "slow", durationS: 30 }),
    ]);
    await put("mod_events", [
      event(L, 10.4, {
        id: "v1",
        action: "timeout",
        targetUserId: "1",
        targetLogin: "u1",
        durationS: 600,
        reason: "insult",
      }),
      event(L, 25, {
        id: "v2",
        targetMessageId: "l9",
        targetUserId: "2",
        targetLogin: "u2",
        text: "rude words",
      }),
      event(L, 26, {
        id: "v3",
        action: "timeout",
        moderatorLogin: "nightbot",
        targetUserId: "3",
        targetLogin: "u3",
      }),
      event(L, 27, { id: "v4", action: "automod_hold", moderatorLogin: "", targetMessageId: "h" }),
      event(L, 60.2, { id: "v5", action: "slow", durationS: 30 }),
      event(L, 60.3, { id: "v6", action: "settings", moderatorLogin: "", detail: { slow: "30" } }),
    ]);
    // The same deletion as chat told it, and one that EventSub did not tell.
    await put("chat_moderation", [
      {
        id: "i1",
        channelId: L,
        sentAtMs: T + 25_300,
        action: "delete",
        targetMessageId: "l9",
        targetLogin: "u2",
      },
      { id: "i2", channelId: L, sentAtMs: T + 35_000, action: "ban", targetUserId: "4", targetLogin: "u4" },
      { id: "i3", channelId: L, sentAtMs: T + 36_000, action: "room_state", room: { slow: "3" } },
    ]);
  });
  const asked = { channelId: L, fromMs: T - DAY_MS, toMs: T + DAY_MS, limit: 100 };
  const of = ({ entries, events: told }: Awaited<ReturnType<(typeof answerModLog)["answer"]>>): string[] => [
    ...entries.filter(({ before }) => !before).map(({ entry: { id } }) => id),
    ...told.map(({ id }) => id),
  ];

  test("our entries with what became of them, and each act that Twitch told once", async () => {
    const answer = await ask(answerModLog, asked);
    expect(of(answer)).toEqual([
      "slow",
      "undo",
      "ban",
      "out",
      "note",
      "v5",
      `${L}:irc:i2`,
      "v4",
      "v3",
      "v2",
      "v1",
    ]);
    const own = Object.fromEntries(answer.entries.map((one) => [one.entry.id, one]));
    expect(own["out"]).toMatchObject({ outcome: "done", outcomeAtMs: T + 10_300, undoneBy: "undo" });
    expect(own["out"]!.comments.map(({ id }) => id)).toEqual(["com"]);
    expect(own["ban"]).toMatchObject({ outcome: "refused", why: "user is a moderator", undoneBy: null });
    expect(own["slow"]!.outcome).toBe("asked");
    expect(own["note"]!.outcome).toBe("");
    expect(own["out"]!.entry.by).toEqual({ kind: "twitch", userId: "m", login: "ana" });
    expect(answer.next).toBeNull();
  });

  test("page after page gives the same rows, each once, and says which acts an echo may be of", async () => {
    const whole = of(await ask(answerModLog, asked)).toSorted();
    const seen: string[] = [];
    let cursor: string | undefined;
    let before = 0;
    do {
      const answer = await ask(answerModLog, { ...asked, limit: 2, cursor });
      seen.push(...of(answer));
      before += answer.entries.filter((one) => one.before).length;
      cursor = answer.next ?? undefined;
    } while (cursor !== undefined && seen.length < 50);
    expect(seen.toSorted()).toEqual(whole);
    expect(before).toBeGreaterThan(0);
  });

  test.each<[string, object, string[]]>([
    ["who", { by: "kay" }, ["ban"]],
    ["whom", { whom: "u2", target: "t2" }, ["ban", "v2"]],
    ["a chatter without entries", { whom: "U2" }, ["v2"]],
    ["act", { act: "timeout" }, ["out", "v3", "v1"]],
    ["reviews, when asked for", { act: "review" }, ["rev"]],
    ["ours", { source: "us" }, ["slow", "undo", "ban", "out", "note"]],
    ["Twitch's", { source: "twitch" }, ["v5", `${L}:irc:i2`, "v2", "v1"]],
    ["bots'", { source: "bot" }, ["v4", "v3"]],
    ["words, with every entry that may have them under its seal", { text: "RUDE" }, ["out", "note", "v2"]],
    ["words of a reason", { text: "insult" }, ["out", "note", "v1"]],
    ["time", { fromMs: T + 30_000, toMs: T + 45_000 }, ["ban", `${L}:irc:i2`]],
  ])("by %s", async (_name, filter, found) => {
    expect(of(await ask(answerModLog, { ...asked, ...filter }))).toEqual(found);
  });

  test("entries of a case, of a chatter, about an entry, by id: as they stand", async () => {
    const ids = async (by: object): Promise<string[]> =>
      (await ask(answerModEntries, { channelId: L, limit: 100, ...by })).entries.map(({ id }) => id);
    expect(await ids({ caseIds: ["c1"] })).toEqual(["rev", "out", "note"]);
    expect(await ids({ target: "t1" })).toEqual(["out", "note"]);
    expect(await ids({ of: ["out"] })).toEqual(["undo", "com", "d1", "s1"]);
    expect(await ids({ ids: ["undo"] })).toEqual(["undo"]);
    const { entries } = await ask(answerModEntries, { channelId: L, ids: ["note"], limit: 1 });
    expect(entries[0]).toEqual({
      ...entry("x", 0, { act: "note", target: "t1", sealed: "…", caseId: "c1" }),
      channelId: L,
      id: "note",
      number: 1,
    });
  });
});

describe("what decisions say of the model", () => {
  const P = "precision";
  beforeAll(async () => {
    const decided = (n: number, act: JournalEntry["act"], over: Partial<JournalEntry> = {}): JournalEntry[] =>
      Array.from({ length: n }, (_, i) =>
        entry(P, i, {
          act,
          caseId: `${act}${over.class}${over.score}${i}`,
          score: 0.8,
          class: "insult",
          ...over,
        }),
      );
    const wrong = decided(4, "false_positive");
    await put("journal", [
      ...decided(8, "timeout"),
      ...wrong,
      // Taken back: it does not count. Twitch refused to take that back: it still does.
      entry(P, 100, { act: "undo", of: wrong[0]!.id }),
      entry(P, 101, { id: "u2", act: "undo", of: wrong[1]!.id }),
      entry(P, 102, { act: "refused", of: "u2" }),
      // Decided anew: the last one counts.
      entry(P, 200, { act: "approve", caseId: "twice", score: 0.6, class: "threat" }),
      entry(P, 201, { act: "ban", caseId: "twice", score: 0.6, class: "threat" }),
      // A second chatter of the same act, what AutoMod held, and what nobody scored.
      entry(P, 202, { act: "ban", of: "e1", caseId: "twice", score: 0.6, class: "threat" }),
      entry(P, 203, { act: "approve", caseId: `${P}:case:held`, score: 0.9, class: "insult" }),
      entry(P, 204, { act: "approve", caseId: "unscored" }),
      entry(P, 7 * 86_400, { act: "warn", caseId: "later", score: 0.9, class: "insult" }),
    ]);
    await put("mod_cases", [modCase(P, "held", 0, { source: "automod" })]);
  });

  test("by class and week: right, wrong, and an interval where there is enough", async () => {
    const { weeks, classes } = await ask(answerModPrecision, {
      channelId: P,
      fromMs: T - DAY_MS,
      toMs: T + 30 * DAY_MS,
    });
    const monday = T - DAY_MS / 2;
    expect(weeks.map((one) => [one.class, one.weekStartMs - monday, one.right, one.wrong])).toEqual([
      ["insult", 0, 8, 3],
      ["threat", 0, 1, 0],
      ["insult", 7 * DAY_MS, 1, 0],
    ]);
    expect(weeks[0]!.low).toBeGreaterThan(0.5);
    expect(weeks[0]!.high).toBeLessThan(0.9);
    expect(weeks[1]).toMatchObject({ low: null, high: null });
    expect(classes.map((one) => [one.class, one.right, one.wrong])).toEqual([
      ["insult", 9, 3],
      ["threat", 1, 0],
    ]);
  });

  test("thresholds wait for enough decisions, and then stand where people act as often as promised", async () => {
    const current = { critical: 0.9, alert: 0.75, watch: 0.5 };
    const span = { channelId: "tuned", fromMs: T - DAY_MS, toMs: T + DAY_MS, current };
    expect(await ask(answerModThresholds, span)).toMatchObject({ suggested: null, n: 0, needed: 60 });
    // People act on two of three from .7 on, on nine of ten from .8 on, and on one of four below.
    const entries = Array.from({ length: 120 }, (_, i) => {
      const scored = 0.5 + (i % 40) / 100;
      const acts = scored >= 0.8 ? i % 20 !== 1 : scored >= 0.7 ? i % 3 !== 0 : i % 4 === 0;
      return entry("tuned", i, {
        act: acts ? "delete" : "false_positive",
        caseId: `k${i}`,
        score: scored,
        class: "insult",
      });
    });
    await put("journal", entries);
    const tuned = await ask(answerModThresholds, span);
    expect(tuned.n).toBe(120);
    expect(tuned.suggested!.critical).toBeLessThan(0.87);
    expect(tuned.suggested!.critical).toBeGreaterThanOrEqual(0.78);
    expect(tuned.suggested!.watch).toBeGreaterThanOrEqual(0.65);
    expect(tuned.suggested!.watch).toBeLessThanOrEqual(tuned.suggested!.alert);
    expect(tuned.at.watch.n).toBe(120);
  });
});

test("a phrase's effect: cases that would not be, that would be smaller, and what people had acted on", async () => {
  const A = "allow";
  const lines = (...texts: string[]): ModCase["lines"] =>
    texts.map((text, i) => ({ ...modCase(A, "x", 0).lines[0]!, lineId: `${text}${i}`, text }));
  await put("mod_cases", [
    modCase(A, "1", 10, { lines: lines("gg ez", "GG  EZ!") }),
    modCase(A, "2", 20, { lines: lines("gg ez", "something else") }),
    modCase(A, "3", 30, { lines: lines("ggez") }),
    modCase(A, "4", 40, { lines: lines("well gg ez then") }),
    modCase(A, "5", 50, { lines: lines("gg ez"), source: "report" }),
    modCase(A, "6", -DAY_MS / 1000, { lines: lines("gg ez") }),
  ]);
  await put("journal", [
    entry(A, 60, { act: "timeout", caseId: `${A}:case:4`, score: 0.8, class: "insult" }),
  ]);
  const answer = await ask(answerModAllowPreview, { channelId: A, phrase: "gg ez", sinceMs: T - 3_600_000 });
  expect(answer).toMatchObject({ cases: 2, fewer: 1, decidedRight: 1, ids: [`${A}:case:4`, `${A}:case:1`] });
  expect(answer.examples.map(({ lineId }) => lineId)).toEqual(["4", "1"]);
});

test("a desk that opens sees spikes that were open, windows, acts once, and how scoring goes", async () => {
  const R = "recent";
  const spike = (startS: number, over: Partial<ToxicitySpike>): object => ({
    ...{ id: `${R}:spike:toxicity:${startS}`, channelId: R, version: 1, kind: "toxicity", state: "open" },
    ...{
      startMs: T + startS * 1000,
      endMs: null,
      peakMs: T + startS * 1000,
      driver: "crowd",
      measure: "slow",
      measureS: 10,
    },
    ...over,
  });
  const window = (startS: number): Partial<ToxicityWindow> => ({
    ...{
      id: `${R}:tox:${startS}`,
      channelId: R,
      startMs: T + startS * 1000,
      sizeS: 10,
      scored: 20,
      toxic: 3,
    },
    ...{ classes: { insult: 3 }, languages: { en: 20 }, usualPerMin: null, spikeFromPerMin: null },
  });
  await put("toxicity_spikes", [
    spike(-600, {}),
    spike(-600, {
      version: 2,
      state: "ended",
      endMs: T + 5000,
      phrases: [["too late", 19, 12]],
      topUsers: [["1", "u1", 4]],
    }),
    spike(-900, { state: "ended", endMs: T - 700_000 }),
  ]);
  await put("toxicity_windows", [window(10), window(20), window(-500)]);
  await put("mod_events", [event(R, 3, { targetMessageId: "l" })]);
  await put("toxicity_packs", [
    pack(R, 1, 10, []),
    pack(R, 1, 10, []),
    pack(R, 2, 20, [], { unknown: 10, why: "the model is away", model: "" }),
    pack(R, 3, -500, []),
  ]);
  const answer = await ask(answerModRecent, { channelId: R, sinceMs: T, events: 10 });
  expect(answer.spikes).toMatchObject([{ version: 2, endMs: T + 5000, phrases: [["too late", 19, 12]] }]);
  expect(answer.windows.map(({ startMs, usualPerMin }) => [startMs - T, usualPerMin])).toEqual([
    [10_000, null],
    [20_000, null],
  ]);
  expect(answer.events).toHaveLength(1);
  expect(answer).toMatchObject({ scored: 10, unknown: 10, model: "tox@1", scoredUpToMs: T + 20_900 });
});

describe("what moderation achieved", () => {
  const E = "effect";
  /** Ten seconds from `startS` on, with so many toxic lines. */
  const window = (startS: number, toxic: number, over: Partial<ToxicityWindow> = {}): object => ({
    ...{
      id: `${E}:tox:${startS}`,
      channelId: E,
      startMs: T + startS * 1000,
      sizeS: 10,
      scored: 100,
      toxic,
      usualPerMin: 6,
    },
    ...over,
  });
  beforeAll(async () => {
    const windows: object[] = [];
    const spikes: object[] = [];
    const slow: object[] = [];
    // Sixteen days before, a spike each: in the first eight slow mode after a minute, and then half every 40 s; without it every 200 s.
    for (let day = 1; day <= 16; day++) {
      const startS = -day * 86_400;
      const isSlow = day <= 8;
      for (let s = -60; s < 1200; s += 10) {
        const excess = s < 0 ? 0 : 10 * 0.5 ** (Math.max(0, s - 60) / (isSlow ? 40 : 200));
        windows.push(window(startS + s, Math.round(1 + excess)));
      }
      spikes.push({
        ...{ id: `${E}:spike:toxicity:${day}`, channelId: E, version: 3, kind: "toxicity", state: "ended" },
        ...{
          startMs: T + startS * 1000,
          endMs: T + (startS + 300) * 1000,
          peakMs: T + startS * 1000,
          usualPerMin: 6,
        },
        ...{ driver: "crowd", measure: "slow" },
      });
      if (isSlow) slow.push(event(E, startS + 60, { action: "slow", durationS: 30 }));
    }
    windows.push(
      window(0, 2),
      window(10, 4),
      window(20, 0, { scored: 0, unknown: 30 }),
      window(30, 3, { gapS: 5 }),
    );
    await put("toxicity_windows", windows);
    await put("toxicity_spikes", spikes);
    await put("mod_events", [
      ...slow,
      // Twelve people were timed out three weeks ago; three wrote something toxic again, one only after eight days, one while nobody could.
      ...Array.from({ length: 12 }, (_, i) =>
        event(E, -21 * 86_400 + i, { action: "timeout", targetUserId: `p${i}`, durationS: 600 }),
      ),
      event(E, 100, { action: "automod_hold", moderatorLogin: "", targetMessageId: "h1" }),
      event(E, 130, { action: "timeout", targetUserId: "1", durationS: 600 }),
    ]);
    const again = (user: string, afterS: number): LineScore =>
      score(E, `a${user}${afterS}`, -21 * 86_400 + afterS, user);
    await put("toxicity_packs", [
      pack(E, 1, -20 * 86_400, [
        ...[again("p0", 3600), again("p1", 86_400), again("p1", 90_000), again("p2", 6 * 86_400)],
        ...[again("p3", 8 * 86_400), again("p4", 300)],
      ]),
    ]);
    await put("mod_cases", [
      ...Array.from({ length: 12 }, (_, i) => modCase(E, `k${i}`, 100 + i, { severity: "alert" })),
      modCase(E, "h1", 100, { severity: "critical", source: "automod", score: 0.95 }),
    ]);
    await put("journal", [
      ...Array.from({ length: 8 }, (_, i) =>
        entry(E, 130 + i, {
          id: `t${i}`,
          act: "timeout",
          caseId: `${E}:case:k${i}`,
          score: 0.8,
          class: "insult",
          durationS: 600,
        }),
      ),
      entry(E, 130.2, { act: "done", of: "t0" }),
      entry(E, 140, { act: "false_positive", caseId: `${E}:case:k9`, score: 0.8, class: "insult" }),
      entry(E, 150, { act: "review", caseId: `${E}:case:k9` }),
    ]);
  });

  test("one time axis, times and shares, repeats, measures against like spikes, AutoMod, precision and load", async () => {
    const effect = await ask(answerModEffect, { channelId: E, fromMs: T - 24 * DAY_MS, toMs: T + 3_600_000 });
    expect(effect.stepMs).toBe(7_200_000);
    expect(effect.columns.at(-1)).toMatchObject({ toxicPerMin: 21.6, usualPerMin: 6, unknown: 30 });
    expect(effect.columns[0]!.toxicPerMin).toBeNull();
    expect(effect.spikes).toHaveLength(16);
    // Ours was told by Twitch too: it stands once. The others never came back.
    expect(effect.actions.filter(({ source }) => source === "us")).toMatchObject([
      { act: "timeout", by: "ana", count: 1 },
    ]);
    expect(effect.actions.filter(({ act }) => act === "slow")).toHaveLength(8);
    expect(effect.timeToActionS.alert).toMatchObject({ value: 30, n: 8 });
    expect(effect.acted.alert).toMatchObject({ n: 11, value: 0.727 });
    expect(effect.acted.critical).toMatchObject({ value: null, n: 1 });
    expect(effect.repeat7d).toMatchObject({ n: 12, value: 0.25 });
    const [slow] = effect.measures;
    expect(slow).toMatchObject({ measure: "slow", withS: { n: 8 }, withoutS: { n: 8 } });
    expect(slow!.withS.value!).toBeLessThan(70);
    expect(slow!.withoutS.value!).toBeGreaterThan(150);
    expect(slow!.withS.high!).toBeLessThan(slow!.withoutS.low!);
    expect(effect.autoMod).toMatchObject({
      held: 1,
      weFlagged: { value: null },
      ofCriticalHeld: { value: null, n: 1 },
    });
    expect(effect.precision).toMatchObject([{ class: "insult", right: 8, wrong: 1, low: null }]);
    expect(effect.load).toMatchObject([{ by: { login: "ana" }, acts: 9, reviewed: 1, hardestHour: 10 }]);
  });

  test("a channel of which nothing is known has no figures, and no error", async () => {
    const effect = await ask(answerModEffect, { channelId: "unknown", fromMs: T, toMs: T + 600_000 });
    expect(effect).toMatchObject({
      spikes: [],
      actions: [],
      measures: [],
      precision: [],
      load: [],
      repeat7d: { value: null, n: 0 },
    });
    expect(effect.columns.every(({ toxicPerMin }) => toxicPerMin === null)).toBe(true);
  });
});
