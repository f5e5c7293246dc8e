/** The next round number (1, 2, 2.5, 4, 5 … × 10ⁿ) whose quarters are round as well: the top of an axis with four steps. */
export function niceTop(most: number): number {
  if (!(most > 0)) return 20;
  const power = 10 ** Math.floor(Math.log10(most));
  for (const step of [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10])
    if (step * power >= most) return Math.max(20, step * power);
  return Math.max(20, 10 * power);
}

/** An axis grows at once but shrinks only when less than 45 % of it is used, so that the picture does not breathe. */
export function steadyTop(was: number, most: number): number {
  if (most > was || most < was * 0.45) return niceTop(most * 1.08);
  return was;
}

const MINUTE = 60_000;
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map((minutes) => minutes * MINUTE);

/** A round step that puts at most `most` labels on a time axis. */
export function timeStep(spanMs: number, most: number): number {
  return STEPS_MS.find((step) => spanMs / step <= most) ?? 720 * MINUTE;
}
