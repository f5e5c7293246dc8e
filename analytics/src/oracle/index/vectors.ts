import { Readable } from "node:stream";
import type { Store } from "../../store.ts";

/**
 * What is embedded of a chunk. People are not in it. The hash is by what a text is known again; a change of this line makes other texts of all chunks.
 */
const PASSAGE = "concat(text, '\\n', emoteWords, '\\n', screenWords)";

/** A chunk as it is to be embedded. */
export interface Passage {
  readonly chunkId: string;
  readonly channelId: string;
  readonly startMs: number;
  /** When the chunk reached the store, s. */
  readonly storedAtS: number;
  readonly passage: string;
  /** UInt64 as text. */
  readonly textHash: string;
}

/** Which chunks are looked at: those that reached the store since then, or those of one channel. */
export type Look = { readonly sinceS: number } | { readonly channelId: string };

/** By the table's key, so that FINAL reads little: the latest of two chunks that came in one second is known by it alone. */
const chunksOf = (look: Look): string =>
  "sinceS" in look
    ? "(channelId, startMs) IN (SELECT channelId, startMs FROM chat_chunks WHERE storedAt >= fromUnixTimestamp({sinceS:UInt32}))"
    : "channelId = {channelId:String}";
const vectorsOf = (look: Look): string =>
  "sinceS" in look ? "storedAt >= fromUnixTimestamp({sinceS:UInt32})" : "channelId = {channelId:String}";

/** Chunks whose present text has no vector of this model, oldest first; at most `limit`. */
export async function missing(
  store: Store,
  model: string,
  look: Look,
  limit: number,
  signal: AbortSignal,
): Promise<Passage[]> {
  const result = await store.query({
    query: `SELECT id AS chunkId, channelId, startMs, toUnixTimestamp(storedAt) AS storedAtS, ${PASSAGE} AS passage, toString(cityHash64(passage)) AS textHash
            FROM chat_chunks FINAL WHERE ${chunksOf(look)}
              AND (id, cityHash64(${PASSAGE})) NOT IN (SELECT chunkId, textHash FROM chunk_vectors WHERE model = {model:String} AND ${vectorsOf(look)})
            ORDER BY channelId, startMs LIMIT {limit:UInt32}`,
    query_params: { model, limit, ...look },
    format: "JSONEachRow",
    abort_signal: signal,
  });
  return result.json<Passage>();
}

/** Vectors of these texts that the model has made before, wherever, by hash. */
export async function madeBefore(
  store: Store,
  model: string,
  hashes: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Float32Array>> {
  // Numbers in the text of the query: as a parameter, which travels in the address, they would be too long.
  const result = await store.query({
    query: `SELECT toString(textHash) AS hash, vector FROM chunk_vectors
            WHERE model = {model:String} AND textHash IN (${hashes.map((hash) => BigInt(hash)).join(",")}) LIMIT 1 BY textHash`,
    query_params: { model },
    format: "JSONEachRow",
    abort_signal: signal,
  });
  const rows = await result.json<{ hash: string; vector: number[] }>();
  return new Map(rows.map(({ hash, vector }) => [hash, Float32Array.from(vector)]));
}

/** Values of a vector that the model has in the store; null: it has none. */
export async function widthInStore(store: Store, model: string, signal: AbortSignal): Promise<number | null> {
  const result = await store.query({
    query: "SELECT length(vector) AS width FROM chunk_vectors WHERE model = {model:String} LIMIT 1",
    query_params: { model },
    format: "JSONEachRow",
    abort_signal: signal,
  });
  return (await result.json<{ width: number }>())[0]?.width ?? null;
}

/** BFloat16 has three digits; one more than that is written. */
const DIGITS = 1e5;
const written = (vector: Float32Array): string => {
  const parts: number[] = [];
  for (let i = 0; i < vector.length; i++) parts.push(Math.round(vector[i]! * DIGITS) / DIGITS);
  return `[${parts.join(",")}]`;
};

/** Stores one vector a passage. The same twice is the same row. */
export async function putVectors(
  store: Store,
  model: string,
  rows: readonly { passage: Passage; vector: Float32Array }[],
): Promise<void> {
  const lines = rows.map(
    ({ passage: { chunkId, channelId, startMs, storedAtS, textHash }, vector }) =>
      `${JSON.stringify({ model, channelId, startMs, chunkId, storedAt: storedAtS }).slice(0, -1)},"textHash":${textHash},"vector":${written(vector)}}\n`,
  );
  const { stream } = await store.exec({
    query:
      "INSERT INTO chunk_vectors (model, channelId, startMs, chunkId, storedAt, textHash, vector) FORMAT JSONEachRow",
    values: Readable.from([Buffer.from(lines.join(""))], { objectMode: false }),
    // What was deleted may come again as it was: it is not to be taken for a block sent twice.
    clickhouse_settings: { async_insert: 0, insert_deduplicate: 0, input_format_parallel_parsing: 0 },
  });
  for await (const rest of stream) void rest;
}

/** How far a channel's chunks have vectors of a model. */
export interface Coverage {
  readonly channelId: string;
  readonly chunks: number;
  readonly embedded: number;
}

/** All channels, or the named ones. Channels of which only vectors are left have 0 chunks. */
export async function coverageOf(
  store: Store,
  model: string,
  channelIds: readonly string[] | null,
  signal: AbortSignal,
): Promise<Coverage[]> {
  const here = channelIds === null ? "1" : "channelId IN {channelIds:Array(String)}";
  const result = await store.query({
    query: `SELECT channelId, sum(c) AS chunks, least(sum(c), sum(e)) AS embedded, sum(e) AS vectors FROM (
              SELECT channelId, uniqExact(startMs) AS c, 0 AS e FROM chat_chunks WHERE ${here} GROUP BY channelId
              UNION ALL SELECT channelId, 0 AS c, uniqExact(startMs) AS e FROM chunk_vectors WHERE model = {model:String} AND ${here} GROUP BY channelId)
            GROUP BY channelId ORDER BY channelId`,
    query_params: { model, ...(channelIds === null ? {} : { channelIds }) },
    format: "JSONEachRow",
    abort_signal: signal,
  });
  return result.json<Coverage>();
}

/** Channels that have vectors and no chunks: deleted while they were being embedded. */
export async function forgetOrphans(store: Store, channelIds: readonly string[]): Promise<void> {
  if (channelIds.length === 0) return;
  await store.command({
    query:
      "ALTER TABLE chunk_vectors DELETE WHERE channelId IN {channelIds:Array(String)} AND channelId NOT IN (SELECT channelId FROM chat_chunks)",
    query_params: { channelIds: channelIds.slice(0, 100) },
  });
}

export async function modelsInStore(store: Store, signal: AbortSignal): Promise<string[]> {
  const result = await store.query({
    query: "SELECT DISTINCT model FROM chunk_vectors ORDER BY model",
    format: "JSONEachRow",
    abort_signal: signal,
  });
  return (await result.json<{ model: string }>()).map(({ model }) => model);
}

export async function forgetModel(store: Store, model: string): Promise<void> {
  await store.command({
    query: "ALTER TABLE chunk_vectors DELETE WHERE model = {model:String}",
    query_params: { model },
  });
}
