import type { Health } from "@hypecast/runtime/report.ts";

/** One report of several parts: as well as the worst of them, with everybody's figures by their names. */
export function togetherHealth(parts: Readonly<Record<string, { health(): Health }>>): Health {
  const all = Object.entries(parts).map(([name, part]) => ({ name, ...part.health() }));
  const reasons = all.map(({ reason }) => reason).filter((reason) => reason !== null);
  return {
    status: all.some(({ status }) => status !== "ok") ? "degraded" : "ok",
    reason: reasons.length === 0 ? null : [...new Set(reasons)].join("; "),
    figures: Object.fromEntries(
      all.flatMap(({ name, figures }) =>
        Object.entries(figures).map(([figure, value]) => [`${name}.${figure}`, value]),
      ),
    ),
  };
}
