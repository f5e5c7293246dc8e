import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { VOD_CHANNEL } from "@hypecast/contracts/event.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import { isRaw } from "./retention.ts";
import type { Store } from "./store.ts";

const FOLDER = join(import.meta.dirname, "../../clickhouse/migrations");
/** Blocks that each table remembers, to know one that is sent again: at ten batches a second, a quarter of an hour. */
const DEDUP_BLOCKS = 10_000;

/** The store is not one that this version may write to. */
export class WrongStore extends Error {}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

export function readMigrations(folder = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(folder, name), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

/** The statements of a file for this engine: names of engines and settings that a single server and a cluster spell differently. */
export function statementsOf(sql: string, cluster: string): string[] {
  const words: Record<string, string> = {
    Replicated: cluster === "" ? "" : "Replicated",
    OnCluster: cluster === "" ? "" : `ON CLUSTER \`${cluster}\``,
    DedupWindow:
      cluster === ""
        ? `non_replicated_deduplication_window = ${DEDUP_BLOCKS}`
        : `replicated_deduplication_window = ${DEDUP_BLOCKS}, replicated_deduplication_window_seconds = 604800`,
  };
  return sql
    .replaceAll(/^\s*--.*$/gm, "")
    .replaceAll(/\$\{(\w+)\}/g, (_whole, word: string) => {
      const text = words[word];
      if (text === undefined) throw new Error(`a migration uses \${${word}}, which nobody fills in`);
      return text;
    })
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/**
 * Brings the store to the present form: files in order, each once, with what was applied written down. Throws a sentence when
 * a file that was applied has changed, or when the store has seen files that this version does not know.
 */
export async function migrate(
  store: Store,
  config: Config,
  log: Logger,
  migrations: readonly Migration[] = readMigrations(),
): Promise<void> {
  const cluster = config.HYPECAST_CLICKHOUSE_CLUSTER;
  const run = async (sql: string): Promise<void> => {
    for (const statement of statementsOf(sql, cluster)) await store.command({ query: statement });
  };
  await run(
    "CREATE TABLE IF NOT EXISTS migrations ${OnCluster} (name String, checksum String, appliedAt DateTime('UTC') DEFAULT now()) ENGINE = ${Replicated}MergeTree ORDER BY name",
  );
  const asked = await store.query({
    query: "SELECT name, any(checksum) AS checksum FROM migrations GROUP BY name",
    format: "JSONEachRow",
  });
  const applied = new Map(
    (await asked.json<{ name: string; checksum: string }>()).map((row) => [row.name, row.checksum]),
  );
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...applied.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new WrongStore(
      `the store was written by a newer version: it has applied ${unknown.join(", ")}, which this version does not have. Start that version again`,
    );
  for (const { name, sql, checksum } of migrations) {
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined)
      throw new WrongStore(
        `migration ${name} has changed since it was applied here (${before.slice(0, 12)} then, ${checksum.slice(0, 12)} now). Applied files never change: restore it and add a new one`,
      );
    await run(sql);
    await store.command({
      query: "INSERT INTO migrations (name, checksum) VALUES ({name:String}, {checksum:String})",
      query_params: { name, checksum },
    });
    log.info({ migration: name }, "applied");
  }
  await keepRawFor(store, config, run);
}

/**
 * Raw chat, and what is made of it for searches, are kept as long as the settings say: the migrations' 24 h are changed here when they differ.
 * Where rows of imported streams stand among live ones, those stay. Some tables keep their rows without the text: there columns have the age.
 */
async function keepRawFor(store: Store, config: Config, run: (sql: string) => Promise<void>): Promise<void> {
  const ttl = `storedAt + toIntervalHour(${config.HYPECAST_RAW_HOURS})`;
  const asked = await store.query({
    query: `SELECT name, create_table_query AS made FROM system.tables
      WHERE database = currentDatabase() AND create_table_query LIKE '%TTL %storedAt + toIntervalHour(%'`,
    format: "JSONEachRow",
  });
  for (const { name, made } of await asked.json<{ name: string; made: string }>()) {
    // Some channels have consented to more: what they keep must not age away before somebody looks (retention.ts).
    if (
      isRaw(name) &&
      Number(/TTL storedAt \+ toIntervalHour\((\d+)\)/.exec(made)?.[1] ?? 0) > config.HYPECAST_RAW_HOURS
    )
      continue;
    const changes = rawTtlChanges(made, ttl);
    if (changes.length > 0) await run(`ALTER TABLE ${name} \${OnCluster} ${changes.join(", ")}`);
  }
}

/** What to change in a table, as the store spells it, so that its raw columns or rows have the age `ttl`. */
export function rawTtlChanges(made: string, ttl: string): string[] {
  const hours = /storedAt \+ toIntervalHour\(\d+\)/;
  const end = made.indexOf(" ENGINE = ");
  const changes: string[] = [];
  for (const [, column, age] of made
    .slice(0, end)
    .matchAll(/`(\w+)` [^`]*? TTL (storedAt \+ toIntervalHour\(\d+\))/g))
    if (age !== ttl) changes.push(`MODIFY COLUMN ${column!} TTL ${ttl}`);
  const ofRows = hours.exec(made.slice(end));
  if (ofRows !== null && ofRows[0] !== ttl)
    changes.push(
      `MODIFY TTL ${made.includes("TTL if(startsWith(channelId") ? `if(startsWith(channelId, '${VOD_CHANNEL}'), toDateTime(4102444800, 'UTC'), ${ttl})` : ttl}`,
    );
  return changes;
}

/** Before anything can be asked in the database, it must be there. */
export async function createDatabase(store: Store, config: Config): Promise<void> {
  const cluster = config.HYPECAST_CLICKHOUSE_CLUSTER;
  await store.command({
    query: `CREATE DATABASE IF NOT EXISTS \`${config.HYPECAST_CLICKHOUSE_DATABASE}\`${cluster === "" ? "" : ` ON CLUSTER \`${cluster}\``} ENGINE = Atomic`,
  });
}
