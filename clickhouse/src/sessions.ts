import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session, type ChdbResult } from "chdb";

/** What a request may use at once, and how many may wait for it. */
export interface Lane {
  readonly running: number;
  readonly waiting: number;
}

/** An engine error as ClickHouse words it. */
export class EngineError extends Error {
  readonly code: number;
  readonly type: string;
  constructor(code: number, type: string, message: string) {
    super(message);
    this.code = code;
    this.type = type;
  }
}

/** Reads `Code: 60. DB::Exception: … (UNKNOWN_TABLE)` out of what chDB throws. */
export function engineError(error: unknown): EngineError {
  const text = error instanceof Error ? error.message : String(error);
  const found = /Code: (\d+)\. DB::Exception: ([\s\S]*) \(([A-Z0-9_]+)\)/.exec(text);
  if (!found) return new EngineError(1002, "UNKNOWN_EXCEPTION", text);
  // What comes by way of a file is said twice, and names the file.
  const said = (found[2] ?? "")
    .replace(/^Code: \d+\. DB::Exception: /, "")
    .replace(/ \([A-Z0-9_]+\) \(version [^)]*\)\.?$/, "")
    .replace(/: \(in file\/uri [^\n]*\.rows\)/, "")
    .replace(/: data for INSERT was parsed from file\.?$/, "");
  return new EngineError(Number(found[1]), found[3] ?? "", said);
}

const name = (text: string): string => {
  if (!/^[A-Za-z_]\w*$/.test(text))
    throw new EngineError(
      115,
      "UNKNOWN_SETTING",
      `a setting or parameter cannot be named ${JSON.stringify(text)}`,
    );
  return text;
};
export const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
export const identifier = (text: string): string =>
  `\`${text.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;

export interface Scope {
  readonly database: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Values of `{name:Type}`, in ClickHouse's escaped text form, as they stand in a URL. */
  readonly params: Readonly<Record<string, string>>;
  /** The engine itself then refuses writes, DDL, table functions that reach outside and any change of settings. */
  readonly readonly: boolean;
}

/** A session's preamble. `readonly` comes last: nothing can be set after it. */
function preamble(scope: Scope): string[] {
  return [
    `USE ${identifier(scope.database)}`,
    ...Object.entries(scope.settings).map(([key, value]) => `SET ${name(key)} = ${literal(value)}`),
    ...Object.entries(scope.params).map(([key, value]) => `SET param_${name(key)} = ${literal(value)}`),
    ...(scope.readonly ? ["SET readonly = 1"] : []),
  ];
}

/**
 * The engine in this process, over one folder. Each request gets a session of its own (0.3 ms), closed after it: settings,
 * parameters and database cannot leak from one to the next, whatever a request does.
 */
export class Engine {
  readonly #folder: string;
  /** Rows on their way in, a file for each insert. */
  readonly #inbox: string;
  /** Keeps the engine up between requests. */
  readonly #keeper: Session;
  #inserts = 0;

  private constructor(folder: string, inbox: string, keeper: Session) {
    this.#folder = folder;
    this.#inbox = inbox;
    this.#keeper = keeper;
  }

  /** Throws a sentence when the folder belongs to another running engine. */
  static open(folder: string, database: string, memoryMb: number): Engine {
    mkdirSync(folder, { recursive: true });
    const config = join(folder, "engine.xml");
    writeFileSync(config, engineConfig(memoryMb));
    let keeper;
    try {
      keeper = new Session(folder, { connectionArgs: [`--config-file=${config}`, "--async_insert=0"] });
    } catch (error) {
      const holder = runningHolder(folder);
      throw new Error(
        holder === null
          ? `ClickHouse cannot open the folder ${folder} (its own words stand above)`
          : `the folder ${folder} is in use by another ClickHouse engine (process ${holder}); stop that one, or set HYPECAST_DATA to another folder`,
        { cause: error },
      );
    }
    keeper.query(`CREATE DATABASE IF NOT EXISTS ${identifier(database)} ENGINE = Atomic`);
    // The library's own `default` database reads any file of the disk as a table. It comes back at each start; an empty one
    // takes its place, since a session begins in it.
    keeper.query("DETACH DATABASE IF EXISTS default");
    for (const file of ["default.sql", "default.sql.tmp"])
      rmSync(join(folder, "metadata", file), { force: true });
    keeper.query("CREATE DATABASE default ENGINE = Memory");
    return new Engine(folder, emptyInbox(folder), keeper);
  }

  /** One statement; the whole answer is in memory (bounded by max_result_bytes). */
  async query(scope: Scope, sql: string, format: string): Promise<ChdbResult> {
    return this.#with((session) => session.queryAsync([...preamble(scope), sql].join(";\n"), { format }));
  }

  /**
   * Rows as bytes; resolves to how many there were. They go by way of a file, which is gone again before the disk hears of it:
   * handed over as the text of a query they cost the library three times the CPU, and what follows a blank line it would run.
   */
  async insert(
    scope: Scope,
    into: { table: readonly string[]; columns: readonly string[] | null; format: string; rows: Buffer },
  ): Promise<number> {
    const file = join(this.#inbox, `${this.#inserts++}.rows`);
    const columns = into.columns === null ? "" : ` (${into.columns.map(identifier).join(", ")})`;
    const sql = `INSERT INTO ${into.table.map(identifier).join(".")}${columns} FROM INFILE ${literal(file)} COMPRESSION 'none' FORMAT ${into.format}`;
    try {
      await writeFile(file, into.rows, { mode: 0o600 });
      const result = await this.#with((session) => session.queryAsync([...preamble(scope), sql].join(";\n")));
      return result.rowsRead;
    } finally {
      await rm(file, { force: true });
    }
  }

  async #with<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    const session = new Session(this.#folder);
    try {
      return await work(session);
    } catch (error) {
      throw engineError(error);
    } finally {
      session.close();
    }
  }

  close(): void {
    this.#keeper.close();
    rmSync(this.#inbox, { recursive: true, force: true });
  }
}

/** The engine reads these characters in a file's name as a pattern. */
const PATTERN = /[*?{}[\]]/;

/** A place for files that outlive nothing: what an engine that was killed left there goes. */
function emptyInbox(folder: string): string {
  if (PATTERN.test(folder)) return mkdtempSync(join(tmpdir(), "hypecast-inbox-"));
  const inbox = join(folder, "inbox");
  rmSync(inbox, { recursive: true, force: true });
  mkdirSync(inbox, { mode: 0o700 });
  return inbox;
}

/** The process that holds the folder, as its `status` file says, if it still runs. The library itself only prints that it cannot lock. */
function runningHolder(folder: string): number | null {
  try {
    const pid = Number(/^PID: (\d+)/m.exec(readFileSync(join(folder, "status"), "utf8"))?.[1]);
    process.kill(pid, 0);
    return pid === process.pid ? null : pid;
  } catch {
    return null;
  }
}

/** Bounds for one machine that does other things too. Profiles in this file are not read by the library: settings come with each request. */
const engineConfig = (memoryMb: number): string => `<clickhouse>
  <max_server_memory_usage>${memoryMb * 1_000_000}</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>4</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <memory_worker_use_cgroup>0</memory_worker_use_cgroup>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>2</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>2</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>2</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
`;

/** Lets `running` requests through at once; `waiting` more queue in order; the rest are told to come back. */
export class Turnstile {
  readonly #lane: Lane;
  readonly #queue: (() => void)[] = [];
  #running = 0;
  constructor(lane: Lane) {
    this.#lane = lane;
  }
  async through<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#lane.running) {
      if (this.#queue.length >= this.#lane.waiting)
        throw new EngineError(
          202,
          "TOO_MANY_SIMULTANEOUS_QUERIES",
          `${this.#running} queries run and ${this.#queue.length} wait already; try again later`,
        );
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
