import type { NatsConnection } from "@nats-io/transport-node";
import { partReport, REPORT_FILTER, type PartReport } from "@hypecast/contracts/system.ts";
import type { SystemState } from "@hypecast/contracts/push.ts";
import { dropped } from "../metrics.ts";
import type { Hub } from "../push/hub.ts";

/** A part says something every second: after so long it is down, and after a minute it is forgotten. */
const SILENT_MS = 4000;
const FORGOTTEN_MS = 60_000;
/** A process that was started anew takes the place of its silent predecessor. */
const MOST_REPORTS = 500;

export interface SystemFeed {
  readonly state: () => SystemState;
  close(): void;
}

/** What every part says of itself, to `sys` once a second. */
export function feedSystem(nc: NatsConnection, hub: Hub, version: string): SystemFeed {
  const reports = new Map<string, PartReport & { heardAtMs: number }>();
  const subscription = nc.subscribe(REPORT_FILTER, {
    callback: (_error, message) => {
      try {
        const read = partReport.safeParse(message.json());
        if (!read.success) return dropped.inc({ reason: "unreadable_report" });
        const key = `${read.data.part} ${read.data.instance}`;
        if (reports.size < MOST_REPORTS || reports.has(key))
          reports.set(key, { ...read.data, heardAtMs: Date.now() });
      } catch {
        dropped.inc({ reason: "unreadable_report" });
      }
    },
  });
  const state = (): SystemState => systemStateOf([...reports.values()], Date.now(), version);
  const timer = setInterval(() => {
    const nowMs = Date.now();
    for (const [key, { heardAtMs }] of reports) if (heardAtMs < nowMs - FORGOTTEN_MS) reports.delete(key);
    hub.publish("sys", JSON.stringify(state()), nowMs);
  }, 1000);
  return {
    state,
    close: () => {
      subscription.unsubscribe();
      clearInterval(timer);
    },
  };
}

/** What the reports say together. A part that is silent is down, unless another process of its kind speaks. */
export function systemStateOf(
  reports: readonly (PartReport & { heardAtMs: number })[],
  nowMs: number,
  version: string,
): SystemState {
  const speaks = new Set(
    reports.filter(({ heardAtMs }) => heardAtMs >= nowMs - SILENT_MS).map(({ part }) => part),
  );
  const parts = reports.flatMap(({ heardAtMs, ...report }): PartReport[] => {
    if (heardAtMs >= nowMs - SILENT_MS) return [report];
    if (speaks.has(report.part)) return [];
    const silentS = Math.round((nowMs - heardAtMs) / 1000);
    return [{ ...report, status: "down", reason: `nothing heard of it for ${silentS} s` }];
  });
  return {
    parts: parts.sort((a, b) => a.part.localeCompare(b.part)),
    historyDelayS: historyDelayOf(reports, nowMs),
    version,
  };
}

/** The sink's own figure, which grows while the sink is silent. Null: no sink has ever spoken. */
function historyDelayOf(
  reports: readonly (PartReport & { heardAtMs: number })[],
  nowMs: number,
): number | null {
  const sinks = reports.filter(({ part, figures }) => part === "sink" && figures["delayS"] !== undefined);
  const newest = sinks.toSorted((a, b) => b.heardAtMs - a.heardAtMs)[0];
  if (newest === undefined) return null;
  const silentS = (nowMs - newest.heardAtMs) / 1000;
  return (newest.figures["delayS"] ?? 0) + (silentS > SILENT_MS / 1000 ? silentS : 0);
}
