import { createClient, ClickHouseError, type ClickHouseClient } from "@clickhouse/client";
import type { Config } from "@hypecast/runtime/config.ts";

export type Store = ClickHouseClient;

/** The client of everything here. The same for the embedded engine, a server and a cluster. `database` false: before there is one. */
export function openStore(config: Config, options: { database?: boolean; timeoutMs?: number } = {}): Store {
  return createClient({
    url: config.HYPECAST_CLICKHOUSE_URL,
    username: config.HYPECAST_CLICKHOUSE_USER,
    password: config.HYPECAST_CLICKHOUSE_PASSWORD,
    ...(options.database === false ? {} : { database: config.HYPECAST_CLICKHOUSE_DATABASE }),
    application: "hypecast",
    request_timeout: options.timeoutMs ?? 30_000,
    max_open_connections: 16,
    keep_alive: { enabled: true, idle_socket_ttl: 30_000 },
    // Each error is reported once, by whoever asked.
    log: { level: 127 },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
}

/** One sentence for a person. */
export function storeErrorText(error: unknown): string {
  if (error instanceof ClickHouseError)
    return `${error.type ?? ""} (${error.code}): ${error.message}`.slice(0, 500);
  if (error instanceof AggregateError) return error.errors.map(storeErrorText).join("; ");
  return error instanceof Error ? error.message || error.name : String(error);
}

/**
 * Codes by which ClickHouse says that the rows themselves are wrong: sending them again changes nothing. Everything else (no
 * connection, no memory, no space, too many parts, keeper away, an unknown table) is the store's own state and is tried again.
 */
const ROWS_ARE_WRONG = new Set([
  "6", // CANNOT_PARSE_TEXT
  "26", // CANNOT_PARSE_QUOTED_STRING
  "27", // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  "25", // CANNOT_PARSE_ESCAPE_SEQUENCE
  "28", // CANNOT_PRINT_FLOAT_OR_DOUBLE_NUMBER
  "31", // BAD_SIZE_OF_FILE_IN_DATA_PART … of a value
  "32", // ATTEMPT_TO_READ_AFTER_EOF: the last row is cut short
  "33", // CANNOT_READ_ALL_DATA
  "36", // BAD_ARGUMENTS
  "38", // CANNOT_PARSE_DATE
  "41", // CANNOT_PARSE_DATETIME
  "53", // TYPE_MISMATCH
  "69", // ARGUMENT_OUT_OF_BOUND
  "70", // CANNOT_CONVERT_TYPE
  "72", // CANNOT_PARSE_NUMBER
  "117", // INCORRECT_DATA
  "131", // TOO_LARGE_STRING_SIZE
  "190", // SIZES_OF_ARRAYS_DONT_MATCH
  "307", // TOO_MANY_BYTES: one message that is larger than a body may be
  "321", // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  "349", // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  "376", // CANNOT_PARSE_UUID
  "407", // DECIMAL_OVERFLOW
  "441", // CANNOT_PARSE_IPV4
  "469", // VIOLATED_CONSTRAINT
  "636", // CANNOT_EXTRACT_TABLE_STRUCTURE
]);

export const rowsAreWrong = (error: unknown): boolean =>
  error instanceof ClickHouseError && ROWS_ARE_WRONG.has(error.code);
