import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { rowsAreWrong, storeErrorText, type Store } from "../../store.ts";
import { chunkWords } from "./chunk-words.ts";
import { WORDS_VERSION } from "./words.ts";

/** Chunks of one round. */
const AT_ONCE = 1000;
const LOOK_EVERY_MS = 1000;
/** Chunks that reached the store within so long are looked at each second; all of them at the start and once in a while. */
const LATELY_S = 120;
const ALL_EVERY_MS = 600_000;

const indexed = counter("oracle_chunks_indexed_total", "Chunks whose words were brought into the index.");

export interface WordIndex {
  health(): Health;
  close(): Promise<void>;
}

type Pending = Pick<
  ChatChunk,
  "channelId" | "startMs" | "text" | "emoteWords" | "people" | "moods" | "screenWords"
> & { readonly storedAtS: number };

/**
 * Brings the words of chunks that are not in the index into it: at most `AT_ONCE`, the newest first; returns how many. Terms before lengths: a
 * crash between the two repeats the chunk, and the rows replace themselves. Any number of processes may do so.
 */
export async function indexSome(store: Store, lately: boolean): Promise<number> {
  const asked = await store.query({
    query: `SELECT channelId, startMs, text, emoteWords, people, moods, screenWords, toUnixTimestamp(storedAt) AS storedAtS
      FROM chat_chunks WHERE ${lately ? "storedAt > now() - {latelyS:UInt32} AND " : ""} (channelId, startMs) NOT IN (
        SELECT channelId, startMs FROM chunk_lengths WHERE version = {version:UInt16} ${lately ? "AND storedAt > now() - {latelyS:UInt32} - 60" : ""})
      ORDER BY storedAt DESC, channelId, startMs LIMIT 1 BY channelId, startMs LIMIT {most:UInt32}`,
    query_params: { version: WORDS_VERSION, most: AT_ONCE, latelyS: LATELY_S },
    format: "JSONEachRow",
  });
  const pending = await asked.json<Pending>();
  if (pending.length === 0) return 0;
  const terms: string[] = [];
  const lengths: object[] = [];
  for (const chunk of pending) {
    const { uses, length, lines } = chunkWords(chunk);
    const { channelId, startMs, storedAtS: storedAt } = chunk;
    for (const [term, count] of uses)
      terms.push(JSON.stringify({ term, channelId, startMs, uses: count, length, storedAt }));
    lengths.push({ channelId, startMs, length, lines, version: WORDS_VERSION, storedAt });
  }
  const settings = { async_insert: 0 } as const;
  if (terms.length > 0)
    await store.command({
      query: `INSERT INTO chunk_terms (term, channelId, startMs, uses, length, storedAt) FORMAT JSONEachRow\n${terms.join("\n")}`,
      clickhouse_settings: settings,
    });
  await store.insert({
    table: "chunk_lengths",
    values: lengths,
    format: "JSONEachRow",
    clickhouse_settings: settings,
  });
  indexed.inc(pending.length);
  return pending.length;
}

/** Keeps the index up with the chunks, until closed. A store that is away is tried again. */
export function keepWordIndex(store: Store, log: Logger, trouble: () => string | null): WordIndex {
  let closing = false;
  let done = 0;
  let failure: string | null = null;
  let allAtMs = -Infinity;
  let wake: () => void = () => {};
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const work = (async () => {
    while (!closing) {
      let some = 0;
      if (trouble() === null)
        try {
          const all = performance.now() - allAtMs > ALL_EVERY_MS;
          some = await indexSome(store, !all);
          if (all && some === 0) allAtMs = performance.now();
          done += some;
          failure = null;
        } catch (error) {
          if (failure === null)
            log.warn({ error: storeErrorText(error) }, "words are not indexed; trying again");
          failure = storeErrorText(error);
          if (rowsAreWrong(error)) throw error;
        }
      if (some === 0 && !closing) await pause(LOOK_EVERY_MS);
    }
  })();
  return {
    health: () => ({
      status: failure === null ? "ok" : "degraded",
      reason: failure === null ? null : `new chunks are not found by their words: ${failure}`,
      figures: { indexed: done },
    }),
    async close() {
      closing = true;
      wake();
      await work;
    },
  };
}
