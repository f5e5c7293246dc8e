import type { Logger } from "@hypecast/runtime/log.ts";
import { gauge } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { storeErrorText, type Store } from "./store.ts";

const EVERY_MS = 5000;
const LEAST_FREE = 0.05;

const freeBytes = gauge("store_disk_free_bytes", "Free space of the store's fullest disk.");
const activeParts = gauge("store_parts", "Active parts of all tables.");
const storeBytes = gauge("store_bytes", "Bytes on disk of all tables.");

/** Asks the store now and then how it is: the same question to the embedded engine and to a server. */
export function watchStore(store: Store, log: Logger): { health(): Health; close(): void } {
  let health: Health = { status: "ok", reason: null, figures: {} };
  const look = async (): Promise<void> => {
    const began = performance.now();
    try {
      const result = await store.query({
        query: `SELECT (SELECT min(free_space) FROM system.disks) AS free, (SELECT min(free_space / total_space) FROM system.disks) AS share,
                count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count(DISTINCT table) AS tables
                FROM system.parts WHERE active AND database = currentDatabase()`,
        format: "JSONEachRow",
        clickhouse_settings: { max_execution_time: 5 },
      });
      const [row] = await result.json<{
        free: number;
        share: number;
        parts: number;
        rows: number;
        bytes: number;
      }>();
      if (!row) return;
      freeBytes.set(row.free);
      activeParts.set(row.parts);
      storeBytes.set(row.bytes);
      const full = row.share < LEAST_FREE;
      health = {
        status: full ? "degraded" : "ok",
        reason: full
          ? `the store's disk has ${Math.round(row.free / 1e6)} MB left (${Math.round(row.share * 100)} %): make room, or keep raw chat for fewer hours`
          : null,
        figures: {
          answerMs: performance.now() - began,
          freeBytes: row.free,
          bytes: row.bytes,
          rows: row.rows,
          parts: row.parts,
        },
      };
    } catch (error) {
      if (health.status !== "down") log.warn({ error: storeErrorText(error) }, "the store does not answer");
      health = {
        status: "down",
        reason: `the store does not answer: ${storeErrorText(error)}; live values go on`,
        figures: {},
      };
    }
  };
  void look();
  const timer = setInterval(() => void look(), EVERY_MS);
  return { health: () => health, close: () => clearInterval(timer) };
}
