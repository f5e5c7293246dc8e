import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, gzip, inflate, zstdDecompress } from "node:zlib";
import type { Logger } from "@hypecast/runtime/log.ts";
import { ANALYST_MAY_LOWER, ANALYST_MAY_SET, type Limits } from "./limits.ts";
import { EngineError, Turnstile, type Engine, type Scope } from "./sessions.ts";
import {
  READS,
  RefusedSql,
  readStatement,
  refuseForAll,
  refuseForReader,
  type RowsInsert,
  type Statement,
} from "./sql.ts";
import { authenticate, credentialsOf, type User } from "./users.ts";

export interface Door {
  readonly engine: Engine;
  readonly users: readonly User[];
  /** Used where a request names none, or `default`. */
  readonly database: string;
  readonly host: string;
  readonly port: number;
  readonly limits: Limits;
  readonly log: Logger;
}

/** Parameters travel in the address: as long as ClickHouse's own `http_max_uri_size` lets it be. */
const LONGEST_ADDRESS = 1_048_576;
/** The formats of rows that can be taken as bytes, by their names in lower case. */
const ROW_FORMATS: Readonly<Record<string, string>> = {
  jsoneachrow: "JSONEachRow",
  jsoncompacteachrow: "JSONCompactEachRow",
  csv: "CSV",
  csvwithnames: "CSVWithNames",
  tsv: "TabSeparated",
  tabseparated: "TabSeparated",
  tsvwithnames: "TabSeparatedWithNames",
  tabseparatedwithnames: "TabSeparatedWithNames",
};

/** Within these an insert must say its table and format. */
const HEAD_BYTES = 65_536;

/** Parameters of the protocol itself; everything else in the URL is a setting. */
const PROTOCOL = new Set([
  "query", "query_id", "database", "default_format", "user", "password", "enable_http_compression", "compress", "decompress",
  "session_id", "session_timeout", "session_check", "role", "quota_key", "buffer_size", "wait_end_of_query", "stacktrace",
  "send_progress_in_http_headers", "http_headers_progress_interval_ms", "http_response_buffer_size", "http_zlib_compression_level",
  "add_http_cors_header", "cancel_http_readonly_queries_on_client_close", "max_untracked_memory", "client_protocol_version", "readonly",
]); // prettier-ignore

/** HTTP status by error code, as ClickHouse's own handler answers. */
function statusOf(code: number): number {
  if (code === 516 || code === 194 || code === 193 || code === 192) return 403;
  if ([497, 164, 392].includes(code)) return 403;
  if ([60, 81, 46, 16, 47, 115].includes(code)) return 404;
  if (
    [6, 26, 27, 38, 41, 53, 62, 69, 72, 117, 456, 457, 36, 42, 43, 44, 63, 70, 130, 131, 469].includes(code)
  )
    return 400;
  if (code === 159) return 408;
  if (code === 48) return 501;
  if (code === 202) return 429;
  if (code === 307 || code === 396) return 413;
  return 500;
}

const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [
    /^JSON(?:Compact|Strings|Columns.*|ColumnsWithMetadata|CompactStrings)?$/i,
    "application/json; charset=UTF-8",
  ],
  [/^(?:JSON.*EachRow.*|NDJSON|JSONLines)$/i, "application/x-ndjson; charset=UTF-8"],
  [/^CSV/i, "text/csv; charset=UTF-8; header=absent"],
  [/^(?:TSV|TabSeparated)/i, "text/tab-separated-values; charset=UTF-8"],
  [/^(?:Native|RowBinary|Parquet|Arrow|ORC|Avro)/i, "application/octet-stream"],
];
const contentType = (format: string): string =>
  CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? "text/plain; charset=UTF-8";

const decoders = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const;
const gzipped = promisify(gzip);

async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const tooLong = (): never => {
    throw new EngineError(
      307,
      "TOO_MANY_BYTES",
      `a body may have ${mostBytes} bytes; send the rows in several inserts`,
    );
  };
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    // Read on without keeping: answering in mid-request would be lost on a client that still sends.
    if (bytes <= mostBytes) parts.push(part);
    else if (bytes > mostBytes * 4) request.destroy();
  }
  if (bytes > mostBytes) tooLong();
  const [only] = parts;
  const raw = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity" || raw.length === 0) return raw;
  if (!Object.hasOwn(decoders, encoding))
    throw new EngineError(
      48,
      "NOT_IMPLEMENTED",
      `content-encoding ${encoding} is not understood: gzip, deflate, br or zstd`,
    );
  try {
    return await decoders[encoding as keyof typeof decoders](raw, { maxOutputLength: mostBytes });
  } catch (error) {
    if (error instanceof RangeError) return tooLong();
    throw new EngineError(36, "BAD_ARGUMENTS", `the body is no valid ${encoding}`);
  }
}

/** Only the machine itself may be named: a web page that points its own name at loopback is turned away. */
const loopbackHost = (host: string | undefined): boolean =>
  host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);

function scopeOf(door: Door, user: User, query: URLSearchParams): Scope {
  const reader = user.role === "reader";
  const settings: Record<string, string> = {
    ...(reader ? door.limits.analystSettings : door.limits.settings),
  };
  const params: Record<string, string> = {};
  for (const [key, value] of query) {
    if (key.startsWith("param_")) params[key.slice(6)] = value;
    else if (PROTOCOL.has(key)) continue;
    else if (!reader || ANALYST_MAY_SET.test(key)) settings[key] = value;
    else if (ANALYST_MAY_LOWER.has(key)) {
      const ceiling = Number(settings[key] ?? Number.POSITIVE_INFINITY);
      const wanted = Number(value);
      if (!(wanted > 0))
        throw new EngineError(164, "READONLY", `${key}=${value} would lift the limit of ${ceiling}`);
      settings[key] = String(Math.min(wanted, ceiling));
    } else throw new EngineError(164, "READONLY", `Cannot modify '${key}' setting in readonly mode`);
  }
  if (query.get("session_id"))
    throw new EngineError(
      48,
      "NOT_IMPLEMENTED",
      "sessions (session_id) are not kept: every request stands alone",
    );
  for (const own of ["compress", "decompress"])
    if (query.get(own) === "1")
      throw new EngineError(
        48,
        "NOT_IMPLEMENTED",
        `${own}=1 (ClickHouse's own block compression) is not spoken here: use enable_http_compression=1 and gzip`,
      );
  const named = query.get("database");
  return {
    database: named === null || named === "" || named === "default" ? door.database : named,
    settings,
    params,
    readonly: reader || (query.has("readonly") && query.get("readonly") !== "0"),
  };
}

interface Answer {
  readonly bytes: Uint8Array;
  readonly format: string;
  readonly summary: Record<string, string>;
}

const NO_SUMMARY = {
  read_rows: "0",
  read_bytes: "0",
  written_rows: "0",
  written_bytes: "0",
  total_rows_to_read: "0",
  result_rows: "0",
  result_bytes: "0",
};

export async function listen(door: Door): Promise<{ port: number; close(): Promise<void> }> {
  if (!(isIP(door.host) === 4 ? door.host.startsWith("127.") : ["::1", "localhost"].includes(door.host)))
    throw new Error(
      `HYPECAST_CLICKHOUSE_URL names ${door.host}: the embedded engine listens on loopback only. For other machines run a ClickHouse server`,
    );
  const { limits } = door;
  const writes = new Turnstile(limits.writes);
  const reads = new Turnstile(limits.reads);
  const analyst = new Turnstile(limits.analyst);

  async function answer(request: IncomingMessage, user: User, url: URL, body: Buffer): Promise<Answer> {
    const scope = scopeOf(door, user, url.searchParams);
    const inUrl = url.searchParams.get("query") ?? "";
    const allowed = (statement: Statement): Statement => {
      refuseForAll(statement);
      if (user.role === "reader") refuseForReader(statement);
      else if (request.method === "GET" && !READS.test(statement.verb)) throw onlyByPost();
      return statement;
    };
    // An insert is recognised by its beginning: its rows stay bytes.
    const head = inUrl || body.subarray(0, HEAD_BYTES).toString("utf8");
    const insert = /^[\s(]*(?:--|#|\/\*|INSERT)/i.test(head) ? readStatement(head) : null;
    if (insert?.rows) {
      allowed(insert);
      const { rowsAt } = insert.rows;
      const rows = inUrl
        ? [Buffer.from(inUrl.slice(rowsAt)), body]
        : [body.subarray(Buffer.byteLength(head.slice(0, rowsAt)))];
      const [first, second] = rows;
      const into = insert.rows;
      return writes.through(() =>
        insertRows(scope, into, second && first?.length ? Buffer.concat(rows) : (second ?? first ?? body)),
      );
    }
    const sql = inUrl + body.toString("utf8");
    if (sql.length > limits.queryBytes)
      throw new EngineError(62, "SYNTAX_ERROR", `a query may have ${limits.queryBytes} characters`);
    const statement = allowed(readStatement(sql));
    const format =
      statement.format ??
      (url.searchParams.get("default_format") ||
        request.headers["x-clickhouse-format"]?.toString() ||
        "TabSeparated");
    if (!/^\w{1,64}$/.test(format))
      throw new EngineError(73, "UNKNOWN_FORMAT", `Unknown format ${JSON.stringify(format)}`);
    const lane = user.role === "reader" ? analyst : READS.test(statement.verb) ? reads : writes;
    const result = await lane.through(() => door.engine.query(scope, sql, format));
    const bytes = result.bytes();
    const most = 2 * Number(scope.settings["max_result_bytes"]) || Number.POSITIVE_INFINITY;
    // The engine counts a value that repeats once; written out it may be more.
    if (bytes.length > most)
      throw new EngineError(
        396,
        "TOO_MANY_ROWS_OR_BYTES",
        `Limit for result exceeded: ${bytes.length} bytes, maximum ${most}`,
      );
    return {
      bytes,
      format,
      summary: {
        ...NO_SUMMARY,
        read_rows: String(result.rowsRead),
        read_bytes: String(result.bytesRead),
        result_bytes: String(bytes.length),
        elapsed_ns: String(Math.round(result.elapsed * 1e9)),
      },
    };
  }

  async function insertRows(scope: Scope, into: RowsInsert, body: Buffer): Promise<Answer> {
    const format = ROW_FORMATS[into.format.toLowerCase()];
    if (format === undefined)
      throw new EngineError(
        48,
        "NOT_IMPLEMENTED",
        `rows in ${into.format} are not taken by the embedded engine: use ${[...new Set(Object.values(ROW_FORMATS))].join(", ")}`,
      );
    if (body.length === 0)
      return { bytes: new Uint8Array(), format, summary: { ...NO_SUMMARY, elapsed_ns: "0" } };
    const began = performance.now();
    const rows = await door.engine.insert(
      { ...scope, settings: { ...scope.settings, ...into.settings } },
      { table: into.table, columns: into.columns, format, rows: body },
    );
    return {
      bytes: new Uint8Array(),
      format,
      summary: {
        ...NO_SUMMARY,
        written_rows: String(rows),
        written_bytes: String(body.length),
        read_rows: String(rows),
        read_bytes: String(body.length),
        elapsed_ns: String(Math.round((performance.now() - began) * 1e6)),
      },
    };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://loopback");
    const queryId = url.searchParams.get("query_id") || randomUUID();
    response.setHeader("X-ClickHouse-Server-Display-Name", "hypecast");
    response.setHeader("X-ClickHouse-Query-Id", /^[\x20-\x7e]*$/.test(queryId) ? queryId : "");
    response.setHeader("X-ClickHouse-Timezone", "UTC");
    try {
      if (!loopbackHost(request.headers.host) || request.headers.origin !== undefined)
        throw new EngineError(
          497,
          "ACCESS_DENIED",
          "requests of web pages and of other names than loopback are not answered",
        );
      if (url.pathname === "/ping" || url.pathname === "/replicas_status") return void response.end("Ok.\n");
      if (url.pathname !== "/")
        return void response
          .writeHead(404)
          .end(`There is no handle ${url.pathname}. Use / or /ping for health checks.\n`);
      if (request.method !== "GET" && request.method !== "POST")
        return void response.writeHead(405, { allow: "GET, POST" }).end("Use GET or POST.\n");
      if (request.method === "GET" && !url.searchParams.has("query")) return void response.end("Ok.\n");
      let shown;
      try {
        shown = credentialsOf(request.headers, url.searchParams);
      } catch (error) {
        throw new EngineError(516, "AUTHENTICATION_FAILED", (error as Error).message);
      }
      const user = authenticate(door.users, shown);
      if (user === null)
        throw new EngineError(
          516,
          "AUTHENTICATION_FAILED",
          `${shown?.user ?? "analyst"}: Authentication failed: password is incorrect, or there is no user with such name`,
        );
      // A reader sends queries only.
      const body = await bodyOf(request, user.role === "reader" ? limits.queryBytes : limits.bodyBytes);
      const given = await answer(request, user, url, body);
      response.setHeader("X-ClickHouse-Summary", JSON.stringify(given.summary));
      response.setHeader("X-ClickHouse-Format", given.format);
      response.setHeader("Content-Type", contentType(given.format));
      const squeeze =
        given.bytes.length > 1024 &&
        url.searchParams.get("enable_http_compression") === "1" &&
        /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
      if (squeeze) response.setHeader("Content-Encoding", "gzip");
      response.end(squeeze ? await gzipped(given.bytes, { level: 1 }) : given.bytes);
    } catch (error) {
      const known =
        error instanceof EngineError || error instanceof RefusedSql
          ? error
          : new EngineError(
              1002,
              "UNKNOWN_EXCEPTION",
              error instanceof Error ? error.message : String(error),
            );
      if (known.code === 1002) door.log.warn({ err: error }, "request failed");
      response.statusCode = statusOf(known.code);
      response.setHeader("X-ClickHouse-Exception-Code", String(known.code));
      response.setHeader("Content-Type", "text/plain; charset=UTF-8");
      if (known.code === 516)
        response.setHeader("WWW-Authenticate", 'Basic realm="ClickHouse server HTTP API"');
      response.end(
        `Code: ${known.code}. DB::Exception: ${known.message}. (${known.type}) (version 26.7 (embedded))\n`,
      );
    }
  }

  const server = createServer(
    { keepAliveTimeout: 60_000, requestTimeout: 300_000, maxHeaderSize: LONGEST_ADDRESS },
    (request, response) => {
      response.on("error", () => {}); // the client went away
      void handle(request, response);
    },
  );
  server.maxConnections = 256;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              `port ${door.port} is taken: another program listens there; HYPECAST_CLICKHOUSE_URL changes it`,
            )
          : error,
      ),
    );
    server.listen(door.port, door.host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : door.port;
  door.log.info({ port }, "listening");
  return {
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 5000).unref();
      await closed;
    },
  };
}

/** As on a server: what GET asks for changes nothing. */
const onlyByPost = (): EngineError =>
  new EngineError(
    164,
    "READONLY",
    "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries",
  );
