import type { Store } from "../../store.ts";
import { chunksIn, type Within } from "../search/scope.ts";

/** Read beyond what is asked for: a chunk that was stored twice stands twice until the store has merged. */
const SPARE = 16;

export interface Near {
  readonly chunkId: string;
  readonly channelId: string;
  readonly startMs: number;
  /** −1 to 1. */
  readonly cosine: number;
}

/** How the vectors are read: mapped instead of copied. Measured in bench/search.ts. */
const READ = { local_filesystem_read_method: "mmap", min_bytes_to_use_mmap_io: "1" } as const;

/** The `k` chunks whose vectors are nearest to `vector`, nearest first: exact over everything within, at the precision of BFloat16. */
export async function nearest(
  store: Store,
  model: string,
  vector: Float32Array,
  within: Within,
  k: number,
  signal?: AbortSignal,
): Promise<Near[]> {
  if (vector.every((value) => value === 0)) return [];
  const { sql, params } = chunksIn(within);
  const result = await store.query({
    query: `WITH [${Array.from(vector, (value) => value.toFixed(6)).join(",")}]::Array(BFloat16) AS asked
            SELECT chunkId, channelId, startMs, dotProduct(vector, asked) AS cosine
            FROM chunk_vectors WHERE model = {model:String} AND ${sql} ORDER BY cosine DESC LIMIT {limit:UInt32}`,
    query_params: { model, limit: k + SPARE, ...params },
    format: "JSONEachRow",
    ...(signal === undefined ? {} : { abort_signal: signal }),
    clickhouse_settings: READ,
  });
  const rows = await result.json<Near>();
  const seen = new Set<string>();
  return rows
    .filter(
      ({ chunkId, cosine }) =>
        Number.isFinite(cosine) && !seen.has(chunkId) && seen.add(chunkId) !== undefined,
    )
    .slice(0, k);
}
