import { setTimeout as sleep } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { channelPolicy, POLICY_BUCKET } from "@hypecast/contracts/journal.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { Store } from "./store.ts";

const LOOK_EVERY_MS = 10 * 60_000;
/** Raw chat of live channels: its rows go whole. */
const RAW_TABLES = ["chat_lines", "chat_notices", "chat_moderation", "toxicity_packs"] as const;

export const isRaw = (table: string): boolean => RAW_TABLES.some((one) => one === table);

const swept = counter(
  "retention_rows_total",
  "Rows of raw chat removed because their channel keeps them for less time than another.",
  ["table"],
);

/** Hours by channel where they differ from the settings'. A broadcaster consents to more; fewer may be chosen by anybody who moderates. */
export type KeptHours = ReadonlyMap<string, number>;

/** How long the tables themselves keep: as long as any channel does. */
export const longestOf = (usualHours: number, hours: KeptHours): number =>
  Math.max(usualHours, ...hours.values());

/** Which rows are older than their channel keeps them; null: the tables' own age is right for all. */
export function tooOld(usualHours: number, hours: KeptHours): string | null {
  const longest = longestOf(usualHours, hours);
  const shorter = [...hours].filter(([, one]) => one < longest);
  if (usualHours === longest && shorter.length === 0) return null;
  const of = [...hours].map(
    ([channelId, one]) => `channelId = '${channelId.replaceAll(/[^\w-]/g, "")}', ${one}`,
  );
  const age = of.length === 0 ? String(usualHours) : `multiIf(${of.join(", ")}, ${usualHours})`;
  return `storedAt < now() - toIntervalHour(${age})`;
}

/** One look: the tables' age, and what is older than its channel keeps it. */
export async function keepAsAgreed(
  store: Store,
  usualHours: number,
  hours: KeptHours,
  cluster: string,
): Promise<void> {
  const onCluster = cluster === "" ? "" : `ON CLUSTER \`${cluster}\``;
  const ttl = `storedAt + toIntervalHour(${longestOf(usualHours, hours)})`;
  const old = tooOld(usualHours, hours);
  for (const table of RAW_TABLES) {
    const [is] = await rows<{ right: number }>(
      store,
      `SELECT position(create_table_query, 'TTL ${ttl}') > 0 AS right FROM system.tables WHERE database = currentDatabase() AND name = '${table}'`,
    );
    if (is?.right !== 1)
      await store.command({ query: `ALTER TABLE ${table} ${onCluster} MODIFY TTL ${ttl}` });
    if (old === null) continue;
    const [found] = await rows<{ n: number }>(store, `SELECT count() AS n FROM ${table} WHERE ${old}`);
    if ((found?.n ?? 0) === 0) continue;
    await store.command({
      query: `ALTER TABLE ${table} ${onCluster} DELETE WHERE ${old} SETTINGS mutations_sync = 0`,
    });
    swept.inc({ table }, found!.n);
  }
}

const rows = async <Row>(store: Store, query: string): Promise<Row[]> =>
  (await store.query({ query, format: "JSONEachRow" })).json<Row>();

/** Looks now and every ten minutes. Several processes that do so at the same time remove the same rows. */
export function keepRetention(
  nc: NatsConnection,
  store: Store,
  config: { readonly HYPECAST_RAW_HOURS: number; readonly HYPECAST_CLICKHOUSE_CLUSTER: string },
  log: Logger,
  prepared: Promise<unknown>,
): { close(): void } {
  const closing = new AbortController();
  void (async () => {
    await prepared;
    while (!closing.signal.aborted) {
      try {
        await keepAsAgreed(
          store,
          config.HYPECAST_RAW_HOURS,
          await agreed(nc, config.HYPECAST_RAW_HOURS),
          config.HYPECAST_CLICKHOUSE_CLUSTER,
        );
      } catch (error) {
        if (!closing.signal.aborted)
          log.warn({ err: error }, "what is too old could not be removed; trying again");
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();
  return { close: () => closing.abort() };
}

async function agreed(nc: NatsConnection, usualHours: number): Promise<KeptHours> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(POLICY_BUCKET));
  const hours = new Map<string, number>();
  if ((await whenTheLogAnswers(nc, () => bucket.status())).values === 0) return hours;
  for await (const key of await whenTheLogAnswers(nc, () => bucket.keys())) {
    const entry = await whenTheLogAnswers(nc, () => bucket.get(key));
    const read = entry?.operation === "PUT" ? channelPolicy.safeParse(entry.json()) : null;
    if (read?.success === true && read.data.rawHours !== usualHours)
      hours.set(read.data.channelId, read.data.rawHours);
  }
  return hours;
}
