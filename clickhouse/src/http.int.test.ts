import { mkdtempSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createClient, ClickHouseError, type ClickHouseClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exited, freePort, startClickHouse, STORE_PASSWORD, type Server } from "@hypecast/tests/servers.ts";

let engine: Server;
let writer: ClickHouseClient;
let analyst: ClickHouseClient;

beforeAll(async () => {
  engine = await startClickHouse();
  writer = createClient({ url: engine.url, password: STORE_PASSWORD, log: { level: 127 } });
  analyst = createClient({ url: engine.url, username: "analyst", log: { level: 127 } });
  await writer.command({
    query:
      "CREATE TABLE t (a UInt32, s String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100",
  });
});
afterAll(async () => {
  await writer?.close();
  await analyst?.close();
  await engine?.close();
});

interface Said {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}
/** As curl would ask. */
async function curl(
  path: string,
  options: { body?: string; headers?: Record<string, string>; method?: string } = {},
): Promise<Said> {
  const response = await fetch(`${engine.url}${path}`, {
    method: options.method ?? (options.body === undefined ? "GET" : "POST"),
    ...(options.body === undefined ? {} : { body: options.body }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}
const BASIC = { authorization: `Basic ${Buffer.from(`default:${STORE_PASSWORD}`).toString("base64")}` };
const rows = async (query: string, client = writer): Promise<unknown[]> =>
  (await client.query({ query, format: "JSONEachRow" })).json();
const emptied = async (): Promise<void> => void (await writer.command({ query: "TRUNCATE TABLE t" }));

describe("ClickHouse's protocol, by its own client", () => {
  test("ping, query with parameters, settings of one query that the next does not have", async () => {
    expect(await writer.ping()).toEqual({ success: true });
    expect(await writer.ping({ select: true })).toEqual({ success: true });
    const result = await writer.query({
      query:
        "SELECT {n:UInt32} + 1 AS n, {s:String} AS s, {a:Array(String)} AS a, getSetting('max_block_size') AS b",
      query_params: { n: 41, s: 'it\'s \\ "ok"\n; DROP TABLE t', a: ["x'y", "z"] },
      clickhouse_settings: { max_block_size: "123" },
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([
      { n: 42, s: 'it\'s \\ "ok"\n; DROP TABLE t', a: ["x'y", "z"], b: 123 },
    ]);
    expect(await rows("SELECT getSetting('max_block_size') = 123 AS kept")).toEqual([{ kept: 0 }]);
  });

  test("rows as objects, as compact lists and as a raw stream, with what was written in the summary", async () => {
    await emptied();
    const one = await writer.insert({ table: "t", values: [{ a: 1, s: "x" }], format: "JSONEachRow" });
    expect(one.summary?.written_rows).toBe("1");
    await writer.insert({ table: "t", values: [[2, "y"]], format: "JSONCompactEachRow" });
    await writer.insert({
      table: "t",
      values: Readable.from(["3,z\n4,w\n"], { objectMode: false }),
      format: "CSV",
    });
    expect(await rows("SELECT a, s FROM t ORDER BY a")).toEqual([
      { a: 1, s: "x" },
      { a: 2, s: "y" },
      { a: 3, s: "z" },
      { a: 4, s: "w" },
    ]);
  });

  test("a batch with the same token is stored once, and the token of one insert is not that of the next", async () => {
    await emptied();
    const settings = { insert_deduplication_token: "batch-1" };
    for (const a of [1, 1])
      await writer.insert({
        table: "t",
        values: [{ a }],
        format: "JSONEachRow",
        clickhouse_settings: settings,
      });
    for (const a of [2, 3]) await writer.insert({ table: "t", values: [{ a }], format: "JSONEachRow" });
    expect(await rows("SELECT a FROM t ORDER BY a")).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
  });

  test("compressed both ways", async () => {
    await emptied();
    const client = createClient({
      url: engine.url,
      password: STORE_PASSWORD,
      compression: { request: true, response: true },
    });
    await client.insert({
      table: "t",
      values: Array.from({ length: 5000 }, (_, a) => ({ a, s: "привет" })),
      format: "JSONEachRow",
    });
    const back = await rows("SELECT * FROM t ORDER BY a", client);
    expect(back).toHaveLength(5000);
    expect(back[4999]).toEqual({ a: 4999, s: "привет" });
    await client.close();
  });

  test("errors carry ClickHouse's code and type", async () => {
    const error = await writer.query({ query: "SELECT * FROM nosuch" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClickHouseError);
    expect(error).toMatchObject({ code: "60", type: "UNKNOWN_TABLE" });
  });

  test("time ends a query", async () => {
    const slow = writer.query({
      query: "SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1",
      clickhouse_settings: { max_execution_time: 1 },
    });
    await expect(slow).rejects.toMatchObject({ code: "159" });
  });
});

describe("ClickHouse's protocol, by curl", () => {
  test("query in the URL, in the body, and in both; format by clause, parameter or none", async () => {
    expect((await curl("/?query=SELECT+1,2")).text).toBe("1\t2\n");
    expect((await curl("/", { body: "SELECT 1 AS x FORMAT JSONEachRow" })).text).toBe('{"x":1}\n');
    expect((await curl("/?query=SELECT+1+AS+x&default_format=CSVWithNames")).text).toBe('"x"\n1\n');
    expect((await curl("/?query=SELECT+1%2B", { body: "41" })).text).toBe("42\n");
    const { headers } = await curl("/?query=SELECT+1&query_id=mine");
    expect(headers.get("x-clickhouse-query-id")).toBe("mine");
    expect(JSON.parse(headers.get("x-clickhouse-summary") ?? "")).toMatchObject({ read_rows: "1" });
  });

  test.each([
    [
      "JSONEachRow, behind the query",
      "/",
      'INSERT INTO t FORMAT JSONEachRow\n{"a":1,"s":"é;"}\n{"a":2,"s":"\\n"}',
    ],
    [
      "JSONEachRow, as body",
      "/?query=INSERT+INTO+t+FORMAT+JSONEachRow",
      '{"a":1,"s":"é;"}\n{"a":2,"s":"\\n"}\n',
    ],
    ["JSONCompactEachRow", "/?query=INSERT+INTO+t+FORMAT+JSONCompactEachRow", '[1,"é;"]\n[2,"\\n"]\n'],
    ["TSV", "/?query=INSERT+INTO+t+FORMAT+TSV", "1\té;\n2\t\\n\n"],
    ["TSV with names", "/?query=INSERT+INTO+t+FORMAT+TSVWithNames", "s\ta\né;\t1\n\\n\t2\n"],
    [
      "CSV, begun in the URL",
      `/?query=${encodeURIComponent('INSERT INTO t FORMAT CSV\n1,"é;"\n')}`,
      '2,"\n"\n',
    ],
    ["VALUES", "/?query=INSERT+INTO+t+VALUES", "(1,'é;'),(2,'\n')"],
    ["a SELECT", "/", "INSERT INTO t SELECT arrayJoin([1,2]) AS a, if(a = 1, 'é;', '\\n')"],
  ])("inserts %s", async (_form, path, body) => {
    await emptied();
    const said = await curl(path, { body, headers: BASIC });
    expect(said).toMatchObject({ status: 200, text: "" });
    expect(await rows("SELECT a, s FROM t ORDER BY a")).toEqual([
      { a: 1, s: "é;" },
      { a: 2, s: "\n" },
    ]);
  });

  test("another database, and `default` as the configured one", async () => {
    expect((await curl("/?database=system&query=SELECT+currentDatabase()")).text).toBe("system\n");
    expect((await curl("/?database=default&query=SELECT+currentDatabase()")).text).toBe("hypecast\n");
  });

  test("what it does not speak, it says", async () => {
    const answers = await Promise.all([
      curl("/?session_id=x&query=SELECT+1"),
      curl("/?compress=1&query=SELECT+1"),
      curl("/?query=INSERT+INTO+t+FORMAT+Parquet", { body: "x", headers: BASIC }),
      curl("/", { body: "SET max_threads = 1", headers: BASIC }),
    ]);
    for (const { status, text, headers } of answers) {
      expect(status).toBe(501);
      expect(headers.get("x-clickhouse-exception-code")).toBe("48");
      expect(text).toMatch(/^Code: 48\. DB::Exception: .{20,}\(NOT_IMPLEMENTED\)/);
    }
    expect((await curl("/nosuch")).status).toBe(404);
    expect((await curl("/?query=DROP+TABLE+t", { headers: BASIC })).status).toBe(403);
  });
});

describe("who may do what", () => {
  const CREATE = "CREATE TABLE own (a UInt8) ENGINE = Memory";
  test.each([
    ["Basic", "/", BASIC],
    ["headers", "/", { "x-clickhouse-user": "default", "x-clickhouse-key": STORE_PASSWORD }],
    ["the URL", `/?user=default&password=${encodeURIComponent(STORE_PASSWORD)}`, {}],
  ])("the writer shows its password by %s", async (_how, path, headers) => {
    expect(await curl(path, { body: CREATE, headers })).toMatchObject({ status: 200 });
    expect(await curl(path, { body: "DROP TABLE own", headers })).toMatchObject({ status: 200 });
  });

  test.each([
    ["a wrong password", "/", { "x-clickhouse-user": "default", "x-clickhouse-key": "wrong" }],
    ["no password", "/", { "x-clickhouse-user": "default" }],
    ["an unknown user", "/", { "x-clickhouse-user": "root", "x-clickhouse-key": STORE_PASSWORD }],
    ["a password for the analyst", "/", { "x-clickhouse-user": "analyst", "x-clickhouse-key": "guess" }],
    ["two answers at once", "/?user=analyst", BASIC],
    ["a bearer token", "/", { authorization: "Bearer x" }],
  ])("%s opens nothing", async (_what, path, headers) => {
    const said = await curl(path, { body: "SELECT 1", headers });
    expect(said).toMatchObject({ status: 403, text: expect.stringContaining("Code: 516") as string });
  });

  test("a web page is not answered, whatever name it uses for loopback", async () => {
    expect((await curl("/?query=SELECT+1", { headers: { origin: "https://evil.example" } })).status).toBe(
      403,
    );
    const { request } = await import("node:http");
    const status = await new Promise((resolve) =>
      request(
        { host: "127.0.0.1", port: engine.port, path: "/?query=SELECT+1", headers: { host: "evil.example" } },
        (answer) => resolve(answer.statusCode),
      ).end(),
    );
    expect(status).toBe(403);
  });
});

describe("the analyst, hostile", () => {
  const folder = mkdtempSync(join(tmpdir(), "hypecast-hostile-"));
  const secret = join(folder, "secret.txt");
  writeFileSync(secret, "the secret");
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    "INSERT INTO t VALUES (666, 'x')",
    'INSERT INTO t FORMAT JSONEachRow {"a":666}',
    "INSERT INTO t SELECT 666, 'x'",
    "DROP TABLE t",
    "TRUNCATE TABLE t",
    "ALTER TABLE t DELETE WHERE 1",
    "CREATE TABLE u (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE u (a Int8)",
    "RENAME TABLE t TO u",
    "OPTIMIZE TABLE t FINAL",
    "SYSTEM STOP MERGES",
    "KILL QUERY WHERE 1",
    "BACKUP TABLE t TO File('x')",
    "DETACH DATABASE default",
    "SET readonly = 0",
    "SELECT 1; DROP TABLE t",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 1000",
    "SELECT * FROM t SETTINGS allow_ddl = 1",
    `SELECT file('${secret}')`,
    `SELECT \`file\`('${secret}')`,
    `SELECT “file”('${secret}')`,
    `SELECT \`\\x66ile\`('${secret}')`,
    `SELECT * APPLY(file) FROM (SELECT '${secret}')`,
    `SELECT * APPLY file FROM (SELECT '${secret}')`,
    `SELECT * FROM file('${secret}', 'LineAsString', 'line String')`,
    `SELECT * FROM default.\`${secret}\``,
    `SELECT * FROM \`default\`.\`${secret}\``,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM \`${secret}\``,
    `SELECT * FROM eval('SELECT file(''${secret}'')')`,
    `WITH x AS (SELECT * FROM file('${secret}', 'LineAsString', 'line String')) SELECT * FROM x`,
    `EXPLAIN SELECT file('${secret}')`,
    `SELECT * FROM merge('default', '.*')`,
    `SELECT 1 INTO OUTFILE '${join(folder, "out")}'`,
    `SELECT 1 INTO /**/ OUTFILE '${join(folder, "out")}'`,
    `SELECT 1 INTO OUTFILE '${join(folder, "out")}' APPEND FORMAT CSV`,
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM executable('id', 'LineAsString', 'x String')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM odbc('DSN=x', 'y', 'z')",
    "SELECT * FROM python('x')",
    "SELECT * FROM filesystem('/')",
    "SELECT * FROM loop(t)",
  ])("%s", async (sql) => {
    const { status, text } = await curl("/", { body: sql });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).toMatch(/^Code: \d+\. DB::Exception/);
    expect(text).not.toContain("the secret");
    expect(existsSync(join(folder, "out"))).toBe(false);
  });

  test.each([
    "readonly=0",
    "max_memory_usage=-1",
    "allow_ddl=1",
    "max_execution_time=0",
    "log_comment=x",
    "allow_experimental_analyzer=0",
  ])("the setting %s in the URL", async (setting) => {
    const { text } = await curl(`/?${setting}`, { body: "INSERT INTO t VALUES (666, 'x')" });
    expect(text).toMatch(/\(READONLY\)/);
  });

  test("a setting's name or value cannot smuggle a statement in", async () => {
    const named = await curl(`/?${encodeURIComponent("output_format_x = 1; DROP TABLE t; SET y")}=1`, {
      body: "SELECT 1",
    });
    const valued = await curl(`/?session_timezone=${encodeURIComponent("UTC\\'; DROP TABLE t; --")}`, {
      body: "SELECT 1",
    });
    const parameter = await curl(`/?param_x=${encodeURIComponent("1\\'; DROP TABLE t; --")}`, {
      body: "SELECT {x:String}",
    });
    const database = await curl(`/?database=${encodeURIComponent("x`; DROP TABLE t; --")}`, {
      body: "SELECT 1",
    });
    for (const { status } of [named, valued, database]) expect(status).toBeGreaterThanOrEqual(400);
    expect(parameter.status).toBeLessThan(500);
    expect(await rows("EXISTS TABLE t")).toEqual([{ result: 1 }]);
  });

  test("nothing of all that has left a trace", async () => {
    expect(await rows("SELECT count() AS n FROM t WHERE a = 666")).toEqual([{ n: 0 }]);
    expect(await rows("SELECT name FROM system.tables WHERE database = 'hypecast'")).toEqual([{ name: "t" }]);
  });

  test("rows, bytes and time have an end, and waiting too", async () => {
    expect((await curl("/", { body: "SELECT number FROM numbers(2000000)" })).text).toMatch(
      /TOO_MANY_ROWS_OR_BYTES/,
    );
    expect((await curl("/", { body: "SELECT repeat('x', 100000) FROM numbers(1500)" })).text).toMatch(
      /TOO_MANY_ROWS_OR_BYTES|MEMORY_LIMIT_EXCEEDED/,
    );
    expect(
      (
        await curl("/?max_execution_time=1&max_block_size=1", {
          body: "SELECT sleepEachRow(0.5) FROM numbers(20)",
        })
      ).text,
    ).toMatch(/TIMEOUT_EXCEEDED/);
    expect((await curl("/", { body: "SELECT groupArray(number) FROM numbers(4e8)" })).text).toMatch(
      /MEMORY_LIMIT_EXCEEDED/,
    );
    expect((await curl("/", { body: "SELECT count() FROM numbers(1e12)" })).text).toMatch(/TOO_MANY_ROWS/);
    const many = await Promise.all(
      Array.from({ length: 40 }, () => curl("/", { body: "SELECT sleep(0.2)" })),
    );
    expect(many.filter(({ status }) => status === 200).length).toBe(18);
    expect(many.filter(({ status }) => status === 429).length).toBe(22);
  });

  test("what it is there for works: tables, windows, formats, compression, EXPLAIN", async () => {
    await writer.insert({ table: "t", values: [{ a: 7, s: "seven" }], format: "JSONEachRow" });
    expect(await rows("SELECT s FROM t WHERE a = 7", analyst)).toEqual([{ s: "seven" }]);
    expect((await curl("/", { body: "SHOW TABLES" })).text).toBe("t\n");
    expect((await curl("/", { body: "EXPLAIN SELECT * FROM t" })).status).toBe(200);
    expect(
      (
        await curl("/?output_format_json_quote_64bit_integers=1", {
          body: "SELECT toUInt64(1) AS x FORMAT JSONEachRow",
        })
      ).text,
    ).toBe('{"x":"1"}\n');
    expect((await curl("/", { body: "SELECT number FROM numbers(3) FORMAT Parquet" })).text.slice(0, 4)).toBe(
      "PAR1",
    );
    expect((await curl("/", { body: "SELECT a FROM t WHERE a = 7 FORMAT Native" })).text).toContain("UInt32");
  });

  test("its long queries do not make the application wait", async () => {
    const slow = Promise.all([1, 2].map(() => curl("/", { body: "SELECT sleep(1)" })));
    const began = performance.now();
    await rows("SELECT 1");
    expect(performance.now() - began).toBeLessThan(900);
    await slow;
  });
});

describe("bodies", () => {
  test("too long, badly compressed or in an unknown way: a clear sentence", async () => {
    const insert = "/?query=INSERT+INTO+t+FORMAT+JSONEachRow";
    const long = await curl(insert, { body: " ".repeat(65_000_000), headers: BASIC });
    expect(long).toMatchObject({ status: 413, text: expect.stringContaining("64000000 bytes") as string });
    const reader = await curl("/", { body: `SELECT 1 -- ${" ".repeat(1_000_000)}` });
    expect(reader).toMatchObject({ status: 413, text: expect.stringContaining("1000000 bytes") as string });
    const broken = await curl(insert, { body: "no gzip", headers: { ...BASIC, "content-encoding": "gzip" } });
    expect(broken).toMatchObject({ status: 400, text: expect.stringContaining("no valid gzip") as string });
    const unknown = await curl(insert, { body: "x", headers: { ...BASIC, "content-encoding": "lz4" } });
    expect(unknown).toMatchObject({ status: 501, text: expect.stringContaining("lz4") as string });
  });
});

describe("rows are rows, never statements", () => {
  test.each(["JSONEachRow", "JSONCompactEachRow", "TSV", "TSVWithNames", "CSV", "CSVWithNames"])(
    "what follows a blank line in %s is not run",
    async (format) => {
      await emptied();
      for (const start of [
        "",
        "\n",
        '{"a":1}\n',
        "[1,2]\n",
        "1\tx\n",
        '1,"x"\n',
        "a\ts\n",
        "a,s\n",
        ";\n",
        "-- \n",
      ])
        for (const blank of ["\n", "\n\n", "\n\n\n", "\r\n\n", ";\n\n"])
          for (const path of ["/", `/?query=${encodeURIComponent(`INSERT INTO t FORMAT ${format}`)}`]) {
            const attack = `${start}${blank}DROP TABLE t`;
            await curl(path, {
              body: path === "/" ? `INSERT INTO t FORMAT ${format}\n${attack}` : attack,
              headers: BASIC,
            });
          }
      expect(await rows("EXISTS TABLE t")).toEqual([{ result: 1 }]);
    },
  );

  test("blank lines between JSON rows mean nothing; within a value of CSV they are data", async () => {
    await emptied();
    const insert = (format: string): string =>
      `/?query=${encodeURIComponent(`INSERT INTO t FORMAT ${format}`)}`;
    await curl(insert("JSONEachRow"), { body: '\n\n{"a":1}\n\n\n{"a":2,"s":"é"}\n\n', headers: BASIC });
    expect(await rows("SELECT a, s FROM t ORDER BY a")).toEqual([
      { a: 1, s: "" },
      { a: 2, s: "é" },
    ]);
    const csv = await curl(insert("CSV"), { body: '3,"x\n\ny"\n', headers: BASIC });
    expect(csv.status).toBe(200);
    expect(await rows("SELECT s FROM t WHERE a = 3")).toEqual([{ s: "x\n\ny" }]);
  });
});

describe("the engine's process", () => {
  const start = (env: Record<string, string>): Promise<{ code: number | null; said: string }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
        env: { ...process.env, HYPECAST_CLICKHOUSE_PASSWORD: "x", ...env },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr.on("data", (data: Buffer) => (said += data.toString()));
      child.once("exit", (code) => resolve({ code, said }));
    });

  test("a folder that another engine uses, a port that is taken and an address beyond loopback are named, and it stops", async () => {
    const port = await freePort();
    const url = (host: string, at: number): string => `http://${host}:${at}`;
    const other = mkdtempSync(join(tmpdir(), "hypecast-other-"));
    const [locked, taken, beyond, open] = await Promise.all([
      start({ HYPECAST_DATA: engine.folder, HYPECAST_CLICKHOUSE_URL: url("127.0.0.1", port) }),
      start({ HYPECAST_DATA: join(other, "a"), HYPECAST_CLICKHOUSE_URL: engine.url }),
      start({ HYPECAST_DATA: join(other, "b"), HYPECAST_CLICKHOUSE_URL: url("0.0.0.0", port) }),
      start({ HYPECAST_DATA: join(other, "c"), HYPECAST_CLICKHOUSE_PASSWORD: "" }),
    ]);
    rmSync(other, { recursive: true, force: true });
    expect(locked.said).toMatch(
      /is in use by another ClickHouse engine \(process \d+\); stop that one, or set HYPECAST_DATA/,
    );
    expect(taken.said).toMatch(/port \d+ is taken/);
    expect(beyond.said).toMatch(/0\.0\.0\.0: the embedded engine listens on loopback only/);
    expect(open.said).toMatch(/HYPECAST_CLICKHOUSE_PASSWORD is empty/);
    for (const { code } of [locked, taken, beyond, open]) expect(code).toBe(1);
  });

  test("kill -9 loses nothing that was acknowledged, and it starts again on its folder", async () => {
    await emptied();
    let stored = 0;
    const inserting = (async () => {
      for (let a = 0; ; a++) {
        await writer.insert({ table: "t", values: [{ a }], format: "JSONEachRow" });
        stored = a + 1;
      }
    })().catch(() => {});
    await expect.poll(() => stored).toBeGreaterThan(20);
    engine.child().kill("SIGKILL");
    await exited(engine.child());
    await inserting;
    await engine.crash();
    const [row] = (await rows("SELECT count() AS n, max(a) AS last FROM t")) as { n: number; last: number }[];
    expect(row?.n).toBeGreaterThanOrEqual(stored);
    expect(row?.n).toBe((row?.last ?? 0) + 1);
    expect(row?.n).toBeLessThanOrEqual(stored + 1);
  });
});
