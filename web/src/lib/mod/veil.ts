import type { Severity } from "@hypecast/contracts/mod-case.ts";
import type { ToxicityClass } from "@hypecast/contracts/toxicity.ts";

/** Words that hurt to read are blurred; an advertisement is only tiresome. */
export const veils = (of: ToxicityClass | "none"): boolean => of !== "spam" && of !== "none";

/** A case of such a severity should have met somebody by then. */
const SLA_MS: Record<Severity, number> = { critical: 2 * 60_000, alert: 10 * 60_000, watch: 60 * 60_000 };
export const late = (severity: Severity, ageMs: number): boolean => ageMs > SLA_MS[severity];
