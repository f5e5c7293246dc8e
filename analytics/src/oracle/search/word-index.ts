import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { rowsAreWrong, storeErrorText, type Store } from "../../store.ts";
import { rawTables } from "../../questions/raw.ts";
import { chunkWords, rowsOf, type Text } from "./chunk-words.ts";
import { WORDS_VERSION } from "./words.ts";

/** Chunks of one round. */
const AT_ONCE = 300;
/** A chunk whose lines are there, but for commands and bots that it does not count the same way. */
const WHOLE_SHARE = 0.6;
const YOUNG_S = 20;
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
  "channelId" | "startMs" | "endMs" | "messages" | "text" | "people" | "moods" | "screenWords"
> & { readonly storedAtS: number; readonly young: boolean };

/**
 * Brings the words of chunks that are not in the index into it: at most `AT_ONCE`; returns how many. What a chunk says is read from its lines: its own text
 * is a choice of them. Terms before lengths: a crash between the two repeats the chunk, and the rows replace themselves. Any number of processes may
 * do so.
 */
export async function indexSome(store: Store, lately: boolean): Promise<number> {
  const asked = await store.query({
    query: `SELECT channelId, startMs, endMs, messages, text, people, moods, screenWords, toUnixTimestamp(storedAt) AS storedAtS, storedAt > now() - ${YOUNG_S} AS young
      FROM chat_chunks WHERE ${lately ? "storedAt > now() - {latelyS:UInt32} AND " : ""} (channelId, startMs) NOT IN (
        SELECT channelId, startMs FROM chunk_lengths WHERE version = {version:UInt16} ${lately ? "AND storedAt > now() - {latelyS:UInt32} - 60" : ""})
      ORDER BY channelId, startMs, storedAt DESC LIMIT 1 BY channelId, startMs LIMIT {most:UInt32}`,
    query_params: { version: WORDS_VERSION, most: AT_ONCE, latelyS: LATELY_S },
    format: "JSONEachRow",
  });
  const byChannel = new Map<string, Pending[]>();
  for (const chunk of await asked.json<Pending>())
    byChannel.set(chunk.channelId, [...(byChannel.get(chunk.channelId) ?? []), chunk]);
  const terms: string[] = [];
  const lengths: object[] = [];
  for (const [channelId, chunks] of byChannel) {
    const lines = await textsOf(store, channelId, chunks);
    for (const chunk of chunks) {
      const own = textsIn(lines, chunk);
      let count = 0;
      for (const { times } of own) count += times;
      const whole = count >= chunk.messages * WHOLE_SHARE;
      // Lines and chunks come to the store by ways of their own: the lines may follow in a moment.
      if (!whole && chunk.young) continue;
      const {
        uses,
        length,
        lines: distinct,
      } = chunkWords(chunk, whole ? own : [...own, ...rowsOf(chunk.text)]);
      const { startMs, storedAtS: storedAt } = chunk;
      for (const [term, of] of uses)
        terms.push(JSON.stringify({ term, channelId, startMs, uses: of, length, storedAt }));
      lengths.push({ channelId, startMs, length, lines: distinct, version: WORDS_VERSION, storedAt });
    }
  }
  if (lengths.length === 0) return 0;
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
  indexed.inc(lengths.length);
  return lengths.length;
}

type TextAt = Text & { readonly atS: number };

/** The texts of a channel's chunks by second, oldest first; those of bots and of other channels are left out, as the folds leave them out. */
async function textsOf(store: Store, channelId: string, chunks: readonly Pending[]): Promise<TextAt[]> {
  const asked = await store.query({
    query: `SELECT intDiv(sentAtMs, 1000) AS atS, text, count() AS times, groupUniqArrayArray(8)(emotes.2) AS emotes FROM ${rawTables(channelId).lines}
      WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND sentAtMs < {toMs:Int64}
        AND sourceChannelId IN ('', channelId) AND NOT startsWith(text, '!')
      GROUP BY atS, text ORDER BY atS`,
    query_params: {
      channelId,
      fromMs: chunks[0]!.startMs,
      toMs: Math.max(...chunks.map(({ endMs }) => endMs)),
    },
    format: "JSONEachRow",
  });
  return asked.json<TextAt>();
}

/** Each text of a chunk once. */
function textsIn(lines: readonly TextAt[], { startMs, endMs }: Pending): Text[] {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.atS * 1000 < startMs) low = middle + 1;
    else high = middle;
  }
  const texts = new Map<string, Text>();
  for (let i = low; i < lines.length && lines[i]!.atS * 1000 < endMs; i++) {
    const { text, times, emotes } = lines[i]!;
    const known = texts.get(text);
    texts.set(text, { text, times: times + (known?.times ?? 0), emotes });
  }
  return [...texts.values()];
}

/** Keeps the index up with the chunks, until closed. A store that is away is tried again. */
export function keepWordIndex(store: Store, log: Logger, trouble: () => string | null): WordIndex {
  const closing = new AbortController();
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
    while (!closing.signal.aborted) {
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
      if (some === 0 && !closing.signal.aborted) await pause(LOOK_EVERY_MS);
    }
  })();
  return {
    health: () => ({
      status: failure === null ? "ok" : "degraded",
      reason: failure === null ? null : `new chunks are not found by their words: ${failure}`,
      figures: { indexed: done },
    }),
    async close() {
      closing.abort();
      wake();
      await work;
    },
  };
}
