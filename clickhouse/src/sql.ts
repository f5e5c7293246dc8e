/** Enough of ClickHouse's lexer to know, without guessing, what a statement is, where its inline rows begin and which functions it names. */
export interface Token {
  readonly kind: "word" | "quoted" | "string" | "number" | "symbol";
  /** What it says: a quoted name or a string without its quotes and escapes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Written with backslashes. */
  readonly escaped?: boolean;
}

const SPACE = /\s+|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /[A-Za-z_][\w$]*/y;
const NUMBER = /\.?\d[\w.]*/y;
const HEREDOC = /\$(\w*)\$/y;

/** Tokens from `from` on. An unclosed quote or comment ends the tokens with a symbol of the rest, so nothing can hide behind it. */
export function* tokens(sql: string, from = 0): Generator<Token, void> {
  let at = from;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(sql);
  };
  while (at < sql.length) {
    const space = match(SPACE);
    if (space) {
      at += space[0].length;
      continue;
    }
    const start = at;
    const first = sql[at] ?? "";
    if (first === "'" || first === '"' || first === "`") {
      let text = "";
      let escaped = false;
      for (at++; ; at++) {
        const c = sql[at];
        if (c === undefined) {
          yield { kind: "symbol", text: sql.slice(start), start, end: sql.length };
          return;
        }
        if (c === "\\") {
          escaped = true;
          text += sql[++at] ?? "";
        } else if (c !== first) text += c;
        else if (sql[at + 1] === first) text += sql[++at];
        else break;
      }
      at++;
      yield { kind: first === "'" ? "string" : "quoted", text, start, end: at, escaped };
      continue;
    }
    const heredoc = match(HEREDOC);
    if (heredoc) {
      const close = sql.indexOf(heredoc[0], at + heredoc[0].length);
      if (close < 0) {
        yield { kind: "symbol", text: sql.slice(start), start, end: sql.length };
        return;
      }
      at = close + heredoc[0].length;
      yield { kind: "string", text: sql.slice(start + heredoc[0].length, close), start, end: at };
      continue;
    }
    const word = match(WORD);
    const number = word ? null : match(NUMBER);
    const found = (word ?? number)?.[0] ?? String.fromCodePoint(sql.codePointAt(at) ?? 0);
    at += found.length;
    yield { kind: word ? "word" : number ? "number" : "symbol", text: found, start, end: at };
  }
}

/** `INSERT INTO t (a, b) SETTINGS x = 1 FORMAT F` followed by rows, in the query or in the body. */
export interface RowsInsert {
  readonly table: readonly string[];
  readonly columns: readonly string[] | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly format: string;
  /** Where inline rows begin in the query's text. */
  readonly rowsAt: number;
}

export interface Statement {
  /** First keyword in capitals; `(` for a bracketed query. */
  readonly verb: string;
  /** Set for an insert whose rows follow in a format other than VALUES. */
  readonly rows: RowsInsert | null;
  /** The format that the statement itself asks for, if any. */
  readonly format: string | null;
  readonly tokens: readonly Token[];
}

export class RefusedSql extends Error {
  readonly code: number;
  readonly type: string;
  constructor(code: number, type: string, message: string) {
    super(message);
    this.code = code;
    this.type = type;
  }
}

const is = (token: Token | undefined, text: string): boolean =>
  token?.kind === "word"
    ? token.text.toUpperCase() === text
    : token?.kind === "symbol" && token.text === text;

/** Reads one statement. Throws RefusedSql for none or for several: over HTTP a request is one statement. */
export function readStatement(sql: string): Statement {
  const head: Token[] = [];
  for (const token of tokens(sql)) {
    if (is(token, ";")) {
      if (head.length === 0) continue;
      const next = tokens(sql, token.end).next();
      if (!next.done && !is(next.value, ";"))
        throw new RefusedSql(62, "SYNTAX_ERROR", "Multi-statements are not allowed");
      continue;
    }
    head.push(token);
    if (is(head[0], "INSERT") && head.length > 2 && is(head.at(-2), "FORMAT") && token.kind === "word") {
      const rows = readRowsInsert(sql, head);
      if (rows) return { verb: "INSERT", rows, format: null, tokens: head };
    }
  }
  const [first] = head;
  if (!first) throw new RefusedSql(62, "SYNTAX_ERROR", "Empty query");
  const at = head.findLastIndex((token) => is(token, "FORMAT"));
  const format = at > 0 && head[at + 1]?.kind === "word" ? (head[at + 1]?.text ?? null) : null;
  return {
    verb: first.kind === "word" ? first.text.toUpperCase() : first.text,
    rows: null,
    format: first.text.toUpperCase() === "INSERT" ? null : format,
    tokens: head,
  };
}

/** Null when it is not rows that follow (INSERT … SELECT … FORMAT, VALUES). */
function readRowsInsert(sql: string, head: readonly Token[]): RowsInsert | null {
  let at = 1;
  if (!is(head[at++], "INTO")) return null;
  if (is(head[at], "TABLE")) at++;
  if (is(head[at], "FUNCTION")) return null;
  const name = (token: Token | undefined): token is Token =>
    token !== undefined && (token.kind === "word" || token.kind === "quoted");
  const table: string[] = [];
  while (name(head[at])) {
    table.push(head[at++]?.text ?? "");
    if (!is(head[at], ".")) break;
    at++;
  }
  let columns: string[] | null = null;
  if (is(head[at], "(")) {
    columns = [];
    for (at++; !is(head[at], ")"); at++) {
      const token = head[at];
      if (name(token)) columns.push(token.text);
      else if (!is(token, ",")) return null;
    }
    at++;
  }
  const settings: Record<string, string> = {};
  if (is(head[at], "SETTINGS")) {
    do {
      const [key, equals, value] = head.slice(at + 1, at + 4);
      if (key?.kind !== "word" || !is(equals, "=") || value === undefined) return null;
      settings[key.text] = value.text;
      at += 4;
    } while (is(head[at], ","));
  }
  const [format, kind] = head.slice(at, at + 2);
  if (!is(format, "FORMAT") || kind === undefined || at + 2 !== head.length) return null;
  if (kind.text.toUpperCase() === "VALUES") return null;
  const gap = /^[^\S\n]*(?:;[^\S\n]*)?\n?/.exec(sql.slice(kind.end));
  return { table, columns, settings, format: kind.text, rowsAt: kind.end + (gap?.[0].length ?? 0) };
}

/** Statements that leave something behind in a session. Each request has a session of its own, so they would do nothing. */
const SESSION_VERBS = new Set(["SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "EXECUTE"]);

/** What nobody may ask over HTTP. The engine is a library here: what a client program would do on its own disk, it would do on ours. */
export function refuseForAll(statement: Statement): void {
  const { tokens: all, verb } = statement;
  if (SESSION_VERBS.has(verb))
    throw new RefusedSql(
      48,
      "NOT_IMPLEMENTED",
      `${verb} has no effect: every request has a session of its own. Pass settings as URL parameters or after SETTINGS`,
    );
  all.forEach((token, i) => {
    const next = all[i + 1];
    if (is(token, "INTO") && is(next, "OUTFILE"))
      throw new RefusedSql(
        48,
        "NOT_IMPLEMENTED",
        "INTO OUTFILE is for clickhouse-client; save the answer instead",
      );
    if (is(token, "FROM") && is(next, "INFILE"))
      throw new RefusedSql(
        48,
        "NOT_IMPLEMENTED",
        "FROM INFILE is for clickhouse-client; send the rows as body",
      );
    if ((is(token, "TEMPORARY") || is(token, "TEMP")) && (is(next, "TABLE") || is(next, "VIEW")))
      throw new RefusedSql(
        48,
        "NOT_IMPLEMENTED",
        "temporary tables end with their request and are of no use here",
      );
  });
}

/** Verbs that only read. */
export const READS = /^(?:SELECT|WITH|FROM|\(|SHOW|DESCRIBE|DESC|EXPLAIN|EXISTS)$/;
/** Functions that read the disk, or run text as a query, although the engine's readonly=1 lets them pass: not even their names. */
const NEVER = /^(?:file|eval|catboostevaluate)$/i;
/** Functions that reach beyond the tables. Their names may stand for columns. */
const REACHES_OUT =
  /^(?:ai[a-z]+|cluster|clusterallreplicas|getclienthttpheader|showcertificate|filesystem\w*)$/i;

/** What the read-only user may not ask, on top of the engine's own readonly=1. */
export function refuseForReader(statement: Statement): void {
  if (!READS.test(statement.verb))
    throw new RefusedSql(
      164,
      "READONLY",
      `${statement.verb} is not for a read-only user: only SELECT, SHOW, DESCRIBE, EXPLAIN and EXISTS`,
    );
  statement.tokens.forEach((token, i) => {
    const called = is(statement.tokens[i + 1], "(");
    // Typographic quotes, odd spaces and control characters: the engine would read them otherwise than we do.
    if (token.kind === "symbol" && !/^[!-~]$/.test(token.text))
      throw new RefusedSql(
        62,
        "SYNTAX_ERROR",
        `${JSON.stringify(token.text.slice(0, 20))} is not understood here`,
      );
    if (token.kind === "quoted" && (called || token.escaped))
      throw new RefusedSql(
        164,
        "READONLY",
        "quoted names of functions and escapes in names are not for a read-only user",
      );
    if (token.kind !== "word" && token.kind !== "quoted") return;
    const applied = is(statement.tokens[i - 1], "APPLY") || is(statement.tokens[i - 2], "APPLY");
    if (NEVER.test(token.text) || (REACHES_OUT.test(token.text) && (called || applied)))
      throw new RefusedSql(
        164,
        "READONLY",
        `${token.text} reaches beyond the tables and is not for a read-only user`,
      );
  });
}
