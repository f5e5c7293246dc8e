import { MOODS } from "@hypecast/contracts/moods.ts";
import type { z } from "zod";
import type { moodCounts } from "@hypecast/contracts/window.ts";

export type Moods = z.infer<typeof moodCounts>;

export const LEAST_LINES = 3;
export const LEAST_TIMES = 1.5;
export const LEAST_Z = 2;

/**
 * The mood of a stretch that is furthest above its usual share, or null. Counts are taken as Poisson: with `e` lines expected,
 * z = (n − e) / √(e + 1); it must reach 2, at least 1.5 × the expected, and 3 lines.
 */
export function standoutMood(
  moods: Moods,
  messages: number,
  usual: { moods: Moods; messages: number },
): string | null {
  let best: string | null = null;
  let bestZ = LEAST_Z;
  for (const mood of MOODS) {
    const lines = moods[mood] ?? 0;
    const expected = usual.messages > 0 ? ((usual.moods[mood] ?? 0) / usual.messages) * messages : 0;
    if (lines < LEAST_LINES || lines < LEAST_TIMES * expected) continue;
    const z = (lines - expected) / Math.sqrt(expected + 1);
    if (z >= bestZ) [best, bestZ] = [mood, z];
  }
  return best;
}
