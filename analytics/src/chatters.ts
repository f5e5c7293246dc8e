import type { Logger } from "@hypecast/runtime/log.ts";
import { storeErrorText, type Store } from "./store.ts";

export const HOUR_MS = 3_600_000;
/** Lines of an hour are all there so long after it; what comes later is in nobody's count. */
const LATE_MS = 5 * 60_000;
const EVERY_MS = 60_000;

/**
 * Counts who wrote in hours that are over and were not counted yet, as long as their lines are kept: the same hour counted twice is the same rows.
 * `counted` are hours that need not be looked for; it gains those that are done now.
 */
export async function countHours(store: Store, nowMs: number, counted: Set<number>): Promise<void> {
  const rows = async (query: string): Promise<number[]> => {
    const asked = await store.query({ query, format: "JSONEachRow" });
    return (await asked.json<{ hour: number }>()).map(({ hour }) => hour);
  };
  // A partition of raw chat is an hour.
  const kept = await rows(
    "SELECT DISTINCT toUInt32(partition) AS hour FROM system.parts WHERE database = currentDatabase() AND table = 'chat_lines' AND active ORDER BY hour",
  );
  const over = kept.filter((hour) => !counted.has(hour) && (hour + 1) * HOUR_MS + LATE_MS <= nowMs);
  if (over.length === 0) return;
  for (const hour of await rows(`SELECT DISTINCT hour FROM chatter_hours WHERE hour IN (${over.join()})`))
    counted.add(hour);
  for (const hour of over) {
    if (counted.has(hour)) continue;
    await store.command({
      query: `INSERT INTO chatter_hours (channelId, userId, hour, login, name, badges, messages, firstMs, lastMs)
        SELECT channelId, userId, ${hour}, login, argMax(name, sentAtMs), argMax(badges, sentAtMs), uniqExact(id), min(sentAtMs), max(sentAtMs)
        FROM chat_lines WHERE sentAtMs >= ${hour * HOUR_MS} AND sentAtMs < ${(hour + 1) * HOUR_MS} AND (sourceChannelId = '' OR sourceChannelId = channelId)
        GROUP BY channelId, userId, login`,
      clickhouse_settings: { max_threads: 1 },
    });
    counted.add(hour);
  }
}

/** Counts until closed, once `ready`. What fails is tried again a minute later. */
export function countChatters(store: Store, log: Logger, ready: Promise<unknown>): { close(): void } {
  const counted = new Set<number>();
  let isReady = false;
  let isAtWork = false;
  const count = async (): Promise<void> => {
    if (!isReady || isAtWork) return;
    isAtWork = true;
    try {
      await countHours(store, Date.now(), counted);
    } catch (error) {
      log.warn({ error: storeErrorText(error) }, "chatters could not be counted");
    }
    isAtWork = false;
  };
  void ready.then(() => {
    isReady = true;
    return count();
  });
  const timer = setInterval(() => void count(), EVERY_MS);
  return { close: () => clearInterval(timer) };
}
