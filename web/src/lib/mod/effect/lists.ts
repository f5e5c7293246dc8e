/** Closed lists of the contracts, without their schemas: the page stays light. */
import type { Severity } from "@hypecast/contracts/mod-case.ts";

export type { Measure } from "@hypecast/contracts/toxicity.ts";
export const SEVERITIES: readonly Severity[] = ["critical", "alert", "watch"];
