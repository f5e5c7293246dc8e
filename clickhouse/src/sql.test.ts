import { describe, expect, test } from "vitest";
import { readStatement, refuseForAll, refuseForReader, tokens } from "./sql.ts";

describe("reading a statement", () => {
  test.each([
    ["SELECT 1", "SELECT"],
    ["  -- hello\n/* there */ with x as (select 1) select * from x", "WITH"],
    ["#!shebang\nSHOW TABLES", "SHOW"],
    ["((SELECT 1))", "("],
    ["SELECT ';' -- ; INSERT\n;  ", "SELECT"],
    ["SELECT $tag$ ; DROP TABLE x $tag$", "SELECT"],
    ["SELECT 'it''s' , 'a\\';b'", "SELECT"],
  ])("%j begins with %s and is one", (sql, verb) => expect(readStatement(sql).verb).toBe(verb));

  test.each([
    "SELECT 1; SELECT 2",
    "SELECT 'a\\'; DROP TABLE t; --'; DROP TABLE t",
    "SELECT 1;/* */DROP TABLE t",
    "SELECT 1 -- \n; INSERT INTO t VALUES (1)",
  ])("%j is more than one and is refused", (sql) =>
    expect(() => readStatement(sql)).toThrow("Multi-statements are not allowed"),
  );

  test.each(["", "  ;; ", "-- only a comment", "/* only a comment */"])("%j is nothing", (sql) =>
    expect(() => readStatement(sql)).toThrow("Empty query"),
  );

  test("the answer's format is the last FORMAT word, not one in a string or a function", () => {
    expect(readStatement("SELECT 'FORMAT CSV', format('{}', 1) FORMAT JSONEachRow").format).toBe(
      "JSONEachRow",
    );
    expect(readStatement("SELECT 'FORMAT CSV'").format).toBeNull();
  });

  test("an unclosed quote swallows the rest as one symbol, so nothing after it is trusted", () => {
    expect([...tokens("SELECT 'abc; DROP")].at(-1)).toMatchObject({ kind: "symbol", text: "'abc; DROP" });
  });
});

describe("an insert of rows", () => {
  test("says table, columns, settings and where the rows begin", () => {
    const sql =
      "INSERT INTO db.`odd name` (a, `b c`) SETTINGS async_insert=0, x='y' FORMAT JSONEachRow\n{\"a\":1}";
    const { rows } = readStatement(sql);
    expect(rows).toMatchObject({
      table: ["db", "odd name"],
      columns: ["a", "b c"],
      settings: { async_insert: "0", x: "y" },
      format: "JSONEachRow",
    });
    expect(sql.slice(rows?.rowsAt)).toBe('{"a":1}');
  });

  test("rows may hold semicolons, quotes and words of SQL", () => {
    const { rows } = readStatement("INSERT INTO t FORMAT TSV\na;b\tSELECT 'x\n");
    expect(rows?.format).toBe("TSV");
  });

  test.each([
    "INSERT INTO t SELECT 1",
    "INSERT INTO t VALUES (1)",
    "INSERT INTO FUNCTION file('x') FORMAT CSV\n1",
  ])("%j is left to the engine", (sql) => expect(readStatement(sql).rows).toBeNull());
});

describe("nobody may, over HTTP", () => {
  test.each([
    "SET max_threads = 1",
    "USE system",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT 1 INTO/**/OUTFILE '/tmp/x'",
    "SELECT 1 into -- \n outfile '/tmp/x'",
    "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
    "CREATE TEMPORARY TABLE t (a Int8)",
  ])("%s", (sql) => expect(() => refuseForAll(readStatement(sql))).toThrow());
});

describe("the read-only user may not", () => {
  test.each([
    "INSERT INTO t VALUES (1)",
    "DROP TABLE t",
    "KILL QUERY WHERE 1",
    "SYSTEM FLUSH LOGS",
    "OPTIMIZE TABLE t",
    "CHECK TABLE t",
    "SELECT file('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    'SELECT "file" ( 1 )',
    "SELECT file/* */('/etc/passwd')",
    "EXPLAIN SELECT file('/etc/passwd')",
    "WITH file('/x') AS y SELECT y",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT aiGenerate('x')",
    "SELECT * FROM clusterAllReplicas('c', system.one)",
    "SELECT 'abc",
    "SELECT “file”('/etc/passwd')",
    "SELECT `\\x66ile`('/etc/passwd')",
    "SELECT `upper`('x')",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
    "SELECT COLUMNS('x') APPLY file FROM (SELECT '/etc/passwd' AS x)",
    "SELECT * APPLY aiGenerate FROM t",
    "SELECT file\u2003('/etc/passwd')",
    "SELECT 1\u0000",
  ])("%s", (sql) => expect(() => refuseForReader(readStatement(sql))).toThrow());

  test.each([
    "SELECT `count`, cluster FROM t",
    "SELECT 'file(1)'",
    "SELECT profile(1)",
    "DESCRIBE TABLE t",
    "EXISTS TABLE t",
    "EXPLAIN SELECT 1",
    "SHOW CREATE TABLE t",
  ])("but may: %s", (sql) => expect(() => refuseForReader(readStatement(sql))).not.toThrow());
});
