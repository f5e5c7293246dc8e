import type { SpikeKind } from "@hypecast/contracts/toxicity.ts";
import type { SpikeNow } from "./api.ts";

/** The worse first: an attack before an argument. */
const ORDER: Record<SpikeKind, number> = { hate_raid: 0, toxicity: 1, flood: 2, follow_bots: 3 };
/** A spike that has just ended stays for a moment, so that it does not vanish under one's eyes. */
const AFTER_MS = 2 * 60_000;

/** Spikes to be shown now: neither resolved nor asleep; pure. */
export const foremost = (spikes: readonly SpikeNow[], nowMs: number): SpikeNow[] =>
  spikes
    .filter(
      ({ resolved, snoozedUntilMs, endMs }) =>
        resolved === null && (snoozedUntilMs ?? 0) <= nowMs && (endMs === null || nowMs - endMs < AFTER_MS),
    )
    .toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind] || b.startMs - a.startMs);
