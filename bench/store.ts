// How fast chat reaches the store: rows a second when catching up, and how long a line takes from the log to a SELECT at 10,000 a
// second. Beside it, in the same run and engine: rows as objects through ClickHouse's own client, the
// same bytes posted without a log, and INSERT … SELECT.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { jetstream } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { chatLines, LINES_HEADER, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { exited, startClickHouse, startNats, STORE_PASSWORD } from "@hypecast/tests/servers.ts";

const CHANNELS = 64;
const CATCH_UP_LINES = 1_000_000;
const COMPARED_LINES = 300_000;
const BATCH_LINES = 10_000;
const PACK_LINES = 100;
const STEADY_PER_S = 10_000;
const STEADY_S = 10;
const WORDS = "KEKW no way he did that again LULW what a run catJAM hello from Riga Кто это придумал".split(
  " ",
);

/** Lines of real size: 40 to 160 characters of text and the fields that most lines have. */
const lineFor = (i: number, channelId: string, sentAtMs: number): ChatLine => ({
  id: `b34ccfc7-4977-403a-8a94-${String(i).padStart(12, "0")}`,
  channelId,
  sentAtMs,
  receivedAtMs: sentAtMs + 50,
  userId: String(1000 + (i % 800)),
  login: `viewer_${i % 800}`,
  text: Array.from({ length: 6 + (i % 18) }, (_word, n) => WORDS[(i * 7 + n * 3) % WORDS.length]).join(" "),
  color: "#1E90FF",
});
const channelOf = (pack: number): string => String(10_000 + (pack % CHANNELS));
const round = (value: number): number => Number(value.toPrecision(3));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

const [nats, clickhouse] = await Promise.all([startNats(), startClickHouse()]);
const env = {
  HYPECAST_NATS_URL: nats.url,
  HYPECAST_CLICKHOUSE_URL: clickhouse.url,
  HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
  HYPECAST_LOG_LEVEL: "error",
};
const config = readConfig(env);
const nc = await connectBus(config, "bench");
await ensureStreams(nc, 1);
const client = createClient({
  url: clickhouse.url,
  password: STORE_PASSWORD,
  database: config.HYPECAST_CLICKHOUSE_DATABASE,
  // Asked before the tables are there.
  log: { level: 127 },
});
const js = jetstream(nc);

async function publish(channelId: string, body: Uint8Array, lines: number): Promise<void> {
  const header = headers();
  header.set(LINES_HEADER, String(lines));
  await js.publish(subjectOf(chatLines, channelId), body, { headers: header });
}
async function count(where: string): Promise<number> {
  const result = await client.query({
    query: `SELECT count() AS n FROM chat_lines WHERE ${where}`,
    format: "JSONEachRow",
  });
  return (await result.json<{ n: number }>())[0]?.n ?? 0;
}
function startSink(): ReturnType<typeof spawn> {
  return spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "../analytics/src/main.ts"),
      "--only",
      "sink",
    ],
    { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } },
  );
}

/** CPU seconds that a process has used (Linux's hundredths). */
function cpuS(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface CatchUp {
  readonly rowsPerS: number;
  /** CPU of each process for one row, µs: what bounds the rate when the cores are shared. */
  readonly cpuUsPerRow: Readonly<Record<"sink" | "engine" | "log", number>>;
  readonly sink: ReturnType<typeof spawn>;
}

/** A sink that has this much before it: rows a second from its first row to its last. */
async function catchUp(): Promise<CatchUp> {
  const began = Date.now() - 3_600_000;
  const waiting: Promise<void>[] = [];
  for (let pack = 0; pack * PACK_LINES < CATCH_UP_LINES; pack++) {
    const channelId = channelOf(pack);
    const body = packLines(
      Array.from({ length: PACK_LINES }, (_, i) => lineFor(pack * PACK_LINES + i, channelId, began + pack)),
    );
    waiting.push(publish(channelId, body, PACK_LINES));
    if (waiting.length === 64) await Promise.all(waiting.splice(0));
  }
  await Promise.all(waiting);
  const sink = startSink();
  const used = (): number[] => [sink.pid, clickhouse.child().pid, nats.child().pid].map(cpuS);
  let firstAt = 0;
  let firstRows = 0;
  let firstUsed = used();
  for (;;) {
    const rows = await count("1").catch(() => 0);
    const now = performance.now();
    if (rows > 0 && firstAt === 0) [firstAt, firstRows, firstUsed] = [now, rows, used()];
    if (rows >= CATCH_UP_LINES) {
      const [own = 0, engine = 0, log = 0] = used().map(
        (seconds, i) => ((seconds - (firstUsed[i] ?? 0)) * 1e6) / (rows - firstRows),
      );
      return {
        rowsPerS: ((rows - firstRows) / (now - firstAt)) * 1000,
        cpuUsPerRow: { sink: round(own), engine: round(engine), log: round(log) },
        sink,
      };
    }
    await pause(50);
  }
}

/** Milliseconds from the publish of a line to the first SELECT that counts it, for a steady stream; sorted. */
async function steady(): Promise<number[]> {
  const channelId = "steady";
  const publishedAt: number[] = [];
  const latencies: number[] = [];
  const total = STEADY_PER_S * STEADY_S;
  const everyMs = 10;
  const lines = (STEADY_PER_S * everyMs) / 1000;
  const began = performance.now();
  const publishing = (async () => {
    for (let tick = 0; publishedAt.length < total; tick++) {
      const late = began + tick * everyMs - performance.now();
      if (late > 0) await pause(late);
      const now = Date.now();
      const body = packLines(
        Array.from({ length: lines }, (_, i) => lineFor(publishedAt.length + i, channelId, now)),
      );
      const at = performance.now();
      for (let i = 0; i < lines; i++) publishedAt.push(at);
      void publish(channelId, body, lines);
    }
  })();
  for (let seen = 0; seen < total;) {
    const visible = await count(`channelId = '${channelId}'`);
    const now = performance.now();
    for (; seen < visible; seen++) latencies.push(now - (publishedAt[seen] ?? now));
    await pause(5);
  }
  await publishing;
  return latencies.sort((a, b) => a - b);
}

/** Objects through the client, a batch after the other, into a table of the same form. */
async function clientObjects(): Promise<number> {
  await client.command({ query: "CREATE TABLE by_client AS chat_lines" });
  const now = Date.now();
  const batches = Array.from({ length: COMPARED_LINES / BATCH_LINES }, (_, batch) =>
    Array.from({ length: BATCH_LINES }, (_line, i) => lineFor(batch * BATCH_LINES + i, channelOf(i), now)),
  );
  const began = performance.now();
  for (const values of batches)
    await client.insert({
      table: "by_client",
      values,
      format: "JSONEachRow",
      clickhouse_settings: { async_insert: 0 },
    });
  return (COMPARED_LINES / (performance.now() - began)) * 1000;
}

/** The same bytes posted to the engine one batch after the other: no log, no plan, nothing overlaps. */
async function postedBytes(): Promise<number> {
  await client.command({ query: "CREATE TABLE by_bytes AS chat_lines" });
  const now = Date.now();
  const rows = COMPARED_LINES / 3;
  const body = packLines(Array.from({ length: rows }, (_, i) => lineFor(i, channelOf(i), now)));
  const url = `${clickhouse.url}/?database=${config.HYPECAST_CLICKHOUSE_DATABASE}&input_format_parallel_parsing=0&input_format_defaults_for_omitted_fields=0&query=INSERT+INTO+by_bytes+FORMAT+JSONEachRow`;
  const authorization = `Basic ${Buffer.from(`default:${STORE_PASSWORD}`).toString("base64")}`;
  const began = performance.now();
  for (let sent = 0; sent < COMPARED_LINES; sent += rows) {
    const response = await fetch(url, {
      method: "POST",
      body: Buffer.from(body),
      headers: { authorization },
    });
    const said = await response.text();
    if (!response.ok) throw new Error(said);
  }
  return (COMPARED_LINES / (performance.now() - began)) * 1000;
}

async function insertSelect(): Promise<number> {
  await client.command({ query: "CREATE TABLE by_select AS chat_lines" });
  const began = performance.now();
  await client.command({
    query: `INSERT INTO by_select SELECT * FROM chat_lines WHERE channelId != 'steady' LIMIT ${CATCH_UP_LINES}`,
  });
  return (CATCH_UP_LINES / (performance.now() - began)) * 1000;
}

const { rowsPerS, cpuUsPerRow, sink } = await catchUp();
const latencies = await steady();
sink.kill("SIGKILL");
await exited(sink);
const clientRowsPerS = await clientObjects();
const postedRowsPerS = await postedBytes();
const selectRowsPerS = await insertSelect();
await client.close();
await nc.close();
await clickhouse.close();
await nats.close();

const p99Ms = quantile(latencies, 0.99);
console.log(
  JSON.stringify({
    bench: "store",
    figures: {
      rowsPerS: round(rowsPerS),
      cpuUsPerRow,
      visibleP50Ms: round(quantile(latencies, 0.5)),
      visibleP99Ms: round(p99Ms),
      clientRowsPerS: round(clientRowsPerS),
      postedRowsPerS: round(postedRowsPerS),
      insertSelectRowsPerS: round(selectRowsPerS),
    },
    ratios: {
      overClient: round(rowsPerS / clientRowsPerS),
      overPosted: round(rowsPerS / postedRowsPerS),
      overInsertSelect: round(rowsPerS / selectRowsPerS),
    },
    meets: { "rows/s >= 350k": rowsPerS >= 350_000, "visible p99 <= 300 ms": p99Ms <= 300 },
  }),
);
