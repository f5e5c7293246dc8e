import type { Health } from "@hypecast/runtime/report.ts";
import type { Sink } from "./sink.ts";

/** One sentence and the sums of all streams' sinks. `trouble`: why they have not begun. */
export function sinkHealth(sinks: readonly Sink[], trouble: string | null, nowMs = Date.now()): Health {
  const each = sinks.map((sink) => sink.health(nowMs));
  const sum = (name: string): number => each.reduce((total, { figures }) => total + (figures[name] ?? 0), 0);
  const worst = each.find(({ status }) => status !== "ok");
  const delayS = Math.max(0, ...each.map(({ figures }) => figures["delayS"] ?? 0));
  return {
    status: trouble !== null || worst ? "degraded" : "ok",
    reason: trouble === null ? (worst?.reason ?? null) : `history is delayed: ${trouble}; live values go on`,
    figures: { lagMessages: sum("lagMessages"), delayS, rowsPerS: sum("rowsPerS") },
  };
}
