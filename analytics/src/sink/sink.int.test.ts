import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { connect as connectNats } from "@nats-io/transport-node";
import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatLines, LINES_HEADER, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { exited, startClickHouse, startNats, STORE_PASSWORD, type Server } from "@hypecast/tests/servers.ts";
import { headers } from "@nats-io/transport-node";
import { openStore, type Store } from "../store.ts";

let nats: Server;
let clickhouse: Server;
let store: Store;
let env: Record<string, string>;
let nc: Awaited<ReturnType<typeof connectNats>>;

beforeAll(async () => {
  [nats, clickhouse] = await Promise.all([startNats(), startClickHouse()]);
  env = {
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
    HYPECAST_LOG_LEVEL: "warn",
  };
  store = openStore(readConfig(env));
  nc = await connectNats({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  await ensureStreams(nc, 1);
});
afterAll(async () => {
  await store?.close();
  await nc?.close();
  await clickhouse?.close();
  await nats?.close();
});

function startSink(): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), "--only", "sink"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env },
  });
}
async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await exited(child);
}

async function publishLines(channelId: string, lines: ChatLine[]): Promise<void> {
  const header = headers();
  header.set(LINES_HEADER, String(lines.length));
  await jetstream(nc).publish(subjectOf(chatLines, channelId), packLines(lines), { headers: header });
}
const line = (channelId: string, n: number): ChatLine => ({
  id: `${channelId}-${n}`,
  channelId,
  sentAtMs: 1_700_000_000_000 + n,
  userId: `u${n % 7}`,
  login: `user${n % 7}`,
  text: `line ${n} привет "quoted" \\ back`,
  emotes: [["twitch:25", "Kappa", 0, 4]],
});

async function rows<Row>(query: string): Promise<Row[]> {
  return (await store.query({ query, format: "JSONEachRow" })).json<Row>();
}
async function until(what: string, holds: () => Promise<boolean>, ms = 20_000): Promise<void> {
  for (const end = Date.now() + ms; ;) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const count = async (channelId: string): Promise<number> =>
  (await rows<{ n: number }>(`SELECT count() AS n FROM chat_lines WHERE channelId = '${channelId}'`))[0]?.n ??
  0;

test("lines and windows on the log become rows with the same fields", async () => {
  const sink = startSink();
  try {
    await publishLines("c1", [line("c1", 1), line("c1", 2)]);
    await until("two lines", async () => (await count("c1")) === 2);
    const [first] = await rows<ChatLine>("SELECT * FROM chat_lines WHERE channelId = 'c1' ORDER BY sentAtMs");
    expect(first).toMatchObject({ ...line("c1", 1) });
  } finally {
    await end(sink);
  }
});
