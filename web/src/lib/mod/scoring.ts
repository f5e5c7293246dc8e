import type { DeskNow } from "./api.ts";

/** A window of ten seconds is told a few seconds after its end, so half of this is usual. */
const BEHIND_S = 30;

export type Scoring =
  | { state: "ok" }
  /** No model: every line is unknown, none is clean. */
  | { state: "away" }
  | { state: "behind"; behindS: number }
  | { state: "partly"; unknown: number };

/** The worst that is true of the scores; pure. */
export function scoringState({ behindS, unknown, scored, model }: DeskNow["scoring"]): Scoring {
  if (unknown > 0 && (model === null || scored === 0)) return { state: "away" };
  if (behindS !== null && behindS > BEHIND_S) return { state: "behind", behindS };
  return unknown > 0 ? { state: "partly", unknown } : { state: "ok" };
}
