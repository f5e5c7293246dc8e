import { Readable } from "node:stream";
import type { Target } from "./tables.ts";
import { rowsAreWrong, type Store } from "../store.ts";

export interface Insert {
  readonly target: Pick<Target, "table" | "zeroes">;
  /** By this the store knows a batch that it has already. */
  readonly token: string;
  readonly rows: Buffer;
}

/** Rows as bytes, synchronous: when it returns they are visible. Resolves to the rows that the store says it wrote. */
export async function insert(store: Store, { target, token, rows }: Insert): Promise<number> {
  const { stream, summary } = await store.exec({
    query: `INSERT INTO ${target.table} FORMAT JSONEachRow`,
    values: Readable.from([rows], { objectMode: false }),
    clickhouse_settings: {
      async_insert: 0,
      insert_deduplicate: 1,
      input_format_defaults_for_omitted_fields: target.zeroes ? 0 : 1,
      // One thread reads a batch of this size faster than several share it.
      input_format_parallel_parsing: 0,
      insert_deduplication_token: token,
      // A crash between a table and a view of it: the batch comes again, and the view takes what it lacks.
      deduplicate_blocks_in_dependent_materialized_views: 1,
      // A line with a clock of its own, or many hours at once, is stored too.
      max_partitions_per_insert_block: "0",
    },
  });
  for await (const rest of stream) void rest;
  return Number(summary?.written_rows ?? 0);
}

export interface Refused {
  /** Index of the row. */
  readonly row: number;
  readonly error: unknown;
}

/**
 * Stores rows of which some may be refused: halves what is refused until the bad rows stand alone. The same rows give the
 * same parts and tokens each time, so after a crash in the middle it is simply done again. Throws what is not the rows' fault.
 */
export async function insertApart(
  attempt: (from: number, to: number) => Promise<void>,
  count: number,
): Promise<Refused[]> {
  const refused: Refused[] = [];
  const part = async (from: number, to: number): Promise<void> => {
    try {
      await attempt(from, to);
    } catch (error) {
      if (!rowsAreWrong(error)) throw error;
      if (to - from === 1) {
        refused.push({ row: from, error });
        return;
      }
      const middle = (from + to) >> 1;
      await part(from, middle);
      await part(middle, to);
    }
  };
  if (count > 0) await part(0, count);
  return refused;
}
