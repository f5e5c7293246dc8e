import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { migrate } from "@hypecast/analytics/migrate.ts";
import { asker, type Ask } from "@hypecast/analytics/questions/answer.ts";
import { indexSome } from "@hypecast/analytics/oracle/search/word-index.ts";
import { openStore, type Store } from "@hypecast/analytics/store.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { bursts as burstsFold } from "@hypecast/streamproc/processors/bursts.ts";
import { chunks as chunksFold } from "@hypecast/streamproc/processors/chunks.ts";
import { lag as lagFold } from "@hypecast/streamproc/processors/lag.ts";
import { moments as momentsFold } from "@hypecast/streamproc/processors/moments.ts";
import { windows as windowsFold } from "@hypecast/streamproc/processors/windows.ts";
import { runOf } from "@hypecast/streamproc/processors/run.ts";
import { startClickHouse, STORE_PASSWORD } from "@hypecast/tests/servers.ts";

/** What the folds make of one stream's chat. */
export interface Folded {
  readonly chunks: ChatChunk[];
  readonly bursts: ChatBurst[];
  readonly moments: Moment[];
}

/** Of the list in streamproc/src/processors/index.ts those that make what a search reads. */
const FOLDS = [windowsFold, burstsFold, chunksFold, lagFold, momentsFold];

/** A finished stream's chat through the folds, as an import does it. */
export function foldsOf(channelId: string, lines: readonly ChatLine[]): Folded {
  const run = runOf(FOLDS, channelId);
  const chunks: ChatChunk[] = [];
  const bursts = new Map<string, ChatBurst>();
  const moments = new Map<string, Moment>();
  const step = (input: Parameters<typeof run.step>[0]): void => {
    for (const output of run.step(input))
      if (output.type === "chunk") chunks.push(output.chunk);
      else if (output.type === "burst") bursts.set(output.burst.id, output.burst);
      else if (output.type === "moment") moments.set(output.moment.id, output.moment);
  };
  let aliveMs = lines[0]?.sentAtMs ?? 0;
  for (const line of lines) {
    for (; aliveMs <= line.sentAtMs; aliveMs += 1000) step({ type: "alive", atMs: aliveMs });
    step({ type: "lines", lines: [{ ...line, channelId }], emoteSet: "" });
  }
  for (let s = 0; s < 180; s++) step({ type: "alive", atMs: aliveMs + s * 1000 });
  return { chunks, bursts: [...bursts.values()], moments: [...moments.values()] };
}

/** A store of its own with streams in it, asked as the process `oracle` asks. */
export interface World {
  readonly store: Store;
  readonly ask: Ask;
  put(table: string, rows: readonly object[]): Promise<void>;
  /** Lines, and what the folds made of them. */
  add(channelId: string, lines: readonly ChatLine[], folded: Folded): Promise<void>;
  /** Brings all chunks into the index of words. */
  index(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const server = await startClickHouse();
  const config = readConfig({
    HYPECAST_CLICKHOUSE_URL: server.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
  });
  const store = openStore(config, { timeoutMs: 120_000 });
  await migrate(store, config, createLog("bench", "silent"));
  const put = async (table: string, rows: readonly object[]): Promise<void> => {
    for (let i = 0; i < rows.length; i += 20_000)
      await store.insert({
        table,
        values: rows.slice(i, i + 20_000),
        format: "JSONEachRow",
        clickhouse_settings: { async_insert: 0 },
      });
  };
  return {
    store,
    put,
    ask: asker(store, new AbortController().signal, () => 60),
    async add(channelId, lines, { chunks, bursts, moments }) {
      await put(
        "vod_lines",
        lines.map((line) => ({ ...line, channelId })),
      );
      await put("chat_chunks", chunks);
      await put("chat_bursts", bursts);
      await put("moments", moments);
    },
    async index() {
      while ((await indexSome(store, false)) > 0);
    },
    async close() {
      await store.close();
      await server.close();
    },
  };
}
