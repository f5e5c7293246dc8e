import type { Lane } from "./sessions.ts";

/** What one request may cost. Stated in docs/store.md. */
export interface Limits {
  readonly bodyBytes: number;
  readonly queryBytes: number;
  readonly writes: Lane;
  readonly reads: Lane;
  /** The read-only user's own lane: it cannot make the application wait. */
  readonly analyst: Lane;
  /** Settings of every request of the application; a request may lower or raise them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Settings of every request of the read-only user, and their ceilings. */
  readonly analystSettings: Readonly<Record<string, string>>;
}

const MB = 1_000_000;

/** Each running request holds one thread of libuv's pool: together they stay below UV_THREADPOOL_SIZE (16, set by whoever starts the process). */
export const ENGINE_LIMITS: Limits = {
  bodyBytes: 64 * MB,
  queryBytes: MB,
  writes: { running: 3, waiting: 64 },
  reads: { running: 6, waiting: 256 },
  analyst: { running: 2, waiting: 16 },
  settings: {
    max_execution_time: "60",
    max_result_bytes: String(256 * MB),
    result_overflow_mode: "throw",
    max_partitions_per_insert_block: "1000",
  },
  analystSettings: {
    max_execution_time: "15",
    max_result_rows: "1000000",
    max_result_bytes: String(64 * MB),
    result_overflow_mode: "throw",
    max_rows_to_read: "500000000",
    read_overflow_mode: "throw",
    max_memory_usage: String(512 * MB),
    max_threads: "1",
    allow_ddl: "0",
    allow_introspection_functions: "0",
    function_sleep_max_microseconds_per_block: "1000000",
  },
};

/** Settings that the read-only user may choose: the form of the answer, and its own limits downwards. */
export const ANALYST_MAY_SET =
  /^(?:output_format_\w+|format_csv_\w+|date_time_output_format|session_timezone|max_block_size|extremes|join_use_nulls)$/;
export const ANALYST_MAY_LOWER = new Set([
  "max_execution_time",
  "max_result_rows",
  "max_result_bytes",
  "max_rows_to_read",
  "max_memory_usage",
  "max_threads",
]);
