import type { NatsConnection } from "@nats-io/transport-node";
import { METRICS_SUBJECT } from "@hypecast/runtime/metrics.ts";

/** A scrape may take so long, and ends when nobody has answered for a while: longer than a busy process's longest pause. */
const COLLECT_MS = 3000;
const STALL_MS = 400;

/** Asks every process for its metrics and joins them. A process that does not answer in time is missing from this scrape. */
export async function collectMetrics(nc: NatsConnection): Promise<string> {
  const texts: string[] = [];
  for await (const message of await nc.requestMany(METRICS_SUBJECT, new Uint8Array(), {
    strategy: "stall",
    maxWait: COLLECT_MS,
    stall: STALL_MS,
  }))
    texts.push(message.string());
  return joinExpositions(texts);
}

/**
 * Several processes' Prometheus text as one: a metric's HELP and TYPE may stand only once, and its samples must stand together.
 * Each sample carries its process's `part` and `instance` already.
 */
export function joinExpositions(texts: readonly string[]): string {
  const metrics = new Map<string, { head: string[]; samples: string[] }>();
  for (const text of texts) {
    let current: { head: string[]; samples: string[] } | null = null;
    let isNew = false;
    for (const line of text.split("\n")) {
      if (line === "") continue;
      if (!line.startsWith("#")) {
        current?.samples.push(line);
        continue;
      }
      const [, word, name = ""] = line.split(" ", 3);
      if (word === "HELP") {
        isNew = !metrics.has(name);
        current = metrics.get(name) ?? { head: [], samples: [] };
        metrics.set(name, current);
      }
      if (isNew) current?.head.push(line);
    }
  }
  return [...metrics.values()].flatMap(({ head, samples }) => [...head, ...samples, ""]).join("\n") + "\n";
}
