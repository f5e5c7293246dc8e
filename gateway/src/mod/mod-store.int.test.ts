import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { modRoutes } from "@hypecast/contracts/api-mod.ts";
import { chatLines, LINES_HEADER, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { modReport } from "@hypecast/contracts/mod-case.ts";
import type { QueueCase } from "@hypecast/contracts/mod-change.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { exited, startClickHouse, startNats, STORE_PASSWORD, type Server } from "@hypecast/tests/servers.ts";
import { startGateway, type Gateway } from "../testing.ts";
import { asker, caseOf, sayCases, watchChannel, type Asker } from "./testing.ts";

const LAVA = "4242";
const CASES = 10_000;
const T0 = Date.now() - 3_600_000;
const LINE: ChatLine = {
  ...{ id: "line-1", channelId: LAVA, sentAtMs: T0, userId: "77", login: "veter", name: "Veter" },
  text: '=cmd|" /C calc"!A0',
};
let nats: Server;
let clickhouse: Server;
let bus: NatsConnection;
let analytics: ChildProcess;
let gateway: Gateway;
let mod: Asker;

beforeAll(async () => {
  [nats, clickhouse] = await Promise.all([startNats(), startClickHouse()]);
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  await watchChannel(bus, "lava", LAVA);
  const env = {
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
    HYPECAST_LOG_LEVEL: "error",
  };
  analytics = spawn(process.execPath, [join(import.meta.dirname, "../../../analytics/src/main.ts")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...env },
  });
  const severities = ["critical", "alert", "watch"] as const;
  for (let first = 0; first < CASES; first += 500)
    await sayCases(
      bus,
      Array.from({ length: 500 }, (_, i) => {
        const n = first + i;
        return caseOf(LAVA, `n${n}`, { severity: severities[n % 3] ?? "watch", firstAtMs: T0 + n * 100 });
      }),
    );
  const head = headers();
  head.set(LINES_HEADER, "1");
  await jetstream(bus).publish(subjectOf(chatLines, LAVA), packLines([LINE]), { headers: head });
  gateway = await startGateway(env);
  mod = asker(gateway, "");
  await vi.waitFor(
    async () => {
      const { counts } = modRoutes.modCases.result.parse((await mod.get("lava/cases?limit=1")).body);
      expect(counts.critical + counts.alert + counts.watch).toBe(CASES);
    },
    { timeout: 25_000, interval: 200 },
  );
});
afterAll(async () => {
  await gateway?.close();
  analytics?.kill("SIGKILL");
  if (analytics !== undefined) await exited(analytics);
  await bus?.close();
  await Promise.all([nats?.close(), clickhouse?.close()]);
});

let keys = 0;
const key = (): string => `key-${String(++keys).padStart(6, "0")}`;
const page = async (query: string) =>
  modRoutes.modCases.result.parse((await mod.get(`lava/cases?${query}`)).body);

test("a queue of 10,000 cases is read page by page, each once, the worst and newest first", async () => {
  const seen: QueueCase[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const answer: Awaited<ReturnType<typeof page>> = await page(
      `limit=2000${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    seen.push(...answer.cases);
    cursor = answer.next;
  }
  expect(seen).toHaveLength(CASES);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(CASES);
  const rank = { critical: 0, alert: 1, watch: 2 };
  const sorted = seen.toSorted((a, b) => rank[a.severity] - rank[b.severity] || b.lastAtMs - a.lastAtMs);
  expect(seen.map(({ id }) => id)).toEqual(sorted.map(({ id }) => id));
});

test("whoever loads again after an act never sees what stood before it", async () => {
  const { cases } = await page("limit=30&severity=critical");
  const ids = cases.map(({ id }) => id);
  for (const id of ids.slice(0, 10)) {
    await mod.send("lava/acts", { key: key(), act: "approve", caseIds: [id] });
    expect((await page("limit=5&severity=critical")).cases.map((one) => one.id)).not.toContain(id);
  }
  const bulk = await mod.send("lava/acts", { key: key(), act: "delete", caseIds: ids.slice(10) });
  expect(bulk.status).toBe(202);
  const open = await page("limit=1");
  expect(open.counts).toMatchObject({ done: 30, critical: Math.ceil(CASES / 3) - 30 });
  const done = await page("limit=100&state=done");
  expect(done.cases.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  const back = modRoutes.modAct.result.parse(bulk.body).entries.map(({ id }) => id);
  await mod.send("lava/undo", { key: key(), entryIds: back.slice(0, 5) });
  expect((await page("limit=1")).counts).toMatchObject({ done: 25 });
});

test.each([`${LAVA}:case:forged`, "4343:case:n1", "x"])("a forged case id is not found: %s", async (id) => {
  expect((await mod.get(`lava/cases/${encodeURIComponent(id)}`)).status).toBe(404);
  expect((await mod.send("lava/acts", { key: key(), act: "ban", caseIds: [id] })).status).toBe(404);
});

test("the log is a file that a spreadsheet shows and does not run", async () => {
  const evil = caseOf(LAVA, "evil", { login: "veter", text: LINE.text });
  const lines = evil.lines.map((line) => ({ ...line, text: LINE.text, login: "+veter" }));
  await sayCases(bus, [{ ...evil, lines }]);
  await vi.waitFor(async () => expect((await mod.get(`lava/cases/${evil.id}`)).status).toBe(200));
  const reason = '=HYPERLINK("http://x")';
  const acted = await mod.send("lava/acts", { key: key(), act: "ban", caseIds: [evil.id], reason });
  const [entry] = modRoutes.modAct.result.parse(acted.body).entries;
  await mod.send(`lava/log/${entry?.id ?? ""}/comments`, { key: key(), words: "@SUM(1)" });
  const file = await gateway.get("/api/v1/mod/lava/log?format=csv&act=ban");
  expect(file.headers.get("content-type")).toContain("text/csv");
  expect(file.headers.get("content-disposition")).toContain(".csv");
  const text = await file.text();
  expect(text).toContain('"\'=HYPERLINK(""http://x"")"');
  expect(text).toContain(`"'+veter"`);
  expect(text).toContain(`"'=cmd|`);
  expect(text).not.toMatch(/(?:^|,)"?[=+@]/m);
  const rows = (await (await gateway.get("/api/v1/mod/lava/log?format=ndjson")).text()).trimEnd().split("\n");
  const { rows: listed } = modRoutes.modLog.result.parse((await mod.get("lava/log?limit=1000")).body);
  expect(rows.map((row) => (JSON.parse(row) as { id: string }).id)).toEqual(listed.map(({ id }) => id));
  expect(listed.find(({ id }) => id === entry?.id)).toMatchObject({
    ...{ source: "us", by: "operator", act: "ban", reason, whom: "+veter" },
    comments: [{ private: { words: "@SUM(1)" } }],
  });
});

test("the log is looked through by whom, by what and by words, and paged", async () => {
  const ids = async (query: string): Promise<string[]> =>
    modRoutes.modLog.result.parse((await mod.get(`lava/log?${query}`)).body).rows.map(({ act }) => act);
  expect(new Set(await ids("act=undo"))).toEqual(new Set(["undo"]));
  expect(await ids("whom=nobody_here")).toEqual([]);
  expect(await ids("whom=%2Bveter&act=ban")).toEqual(["ban"]);
  expect(await ids("text=hyperlink")).toEqual(["ban"]);
  expect(await ids("by=somebody_else")).toEqual([]);
  let rows = 0;
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body } = await mod.get(
      `lava/log?limit=7${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    const answer = modRoutes.modLog.result.parse(body);
    rows += answer.rows.length;
    cursor = answer.next;
  }
  expect(rows).toBe((await ids("limit=1000")).length);
});

test("a thousand reports of one person are one, and no more than a few a minute are taken", async () => {
  const report = { lineId: LINE.id, atMs: LINE.sentAtMs };
  await vi.waitFor(async () => expect((await mod.send("lava/reports", report)).status).toBe(202), 10_000);
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async () => (await mod.send("lava/reports", report)).status),
  );
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(20);
  const told: unknown[] = [];
  for await (const message of readSince(bus, "INPUT", [subjectOf(modReport, LAVA)], 0))
    told.push(message.json());
  expect(told).toMatchObject([{ lineId: LINE.id, userId: "77", text: LINE.text }]);
  expect(JSON.stringify(told)).not.toContain("operator");
  expect((await mod.send("lava/reports", { lineId: "forged", atMs: T0 })).status).not.toBe(202);
});

test("context, user card, policy, preview and effect answer as the contract says", async () => {
  const context = await mod.get(`lava/context?lineId=line-1&atMs=${T0}`);
  expect(modRoutes.modContext.result.parse(context.body)).toMatchObject({ kept: true, hasVideo: false });
  const user = modRoutes.modUser.result.parse((await mod.get("lava/users/77")).body);
  expect(user.entries.map(({ act }) => act)).toContain("ban");
  expect(user.accountCreatedAtMs).toBeNull();
  modRoutes.modPolicy.result.parse((await mod.get("lava/policy")).body);
  const preview = modRoutes.previewAllow.result.parse(
    (await mod.get("lava/policy/allow?phrase=disgrace")).body,
  );
  expect(preview.cases).toBeGreaterThan(9000);
  modRoutes.modEffect.result.parse((await mod.get("lava/effect")).body);
  modRoutes.modDesk.result.parse((await mod.get("lava")).body);
});
