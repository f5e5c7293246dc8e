/** Ranking scores of a yes/no forecast; equal scores are taken together, so their order does not matter. */

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Highest first: for each distinct score, how many it has of either kind. */
function steps(scores: readonly number[], came: readonly boolean[]): { yes: number; no: number }[] {
  const order = Array.from(scores.keys()).toSorted((a, b) => scores[b]! - scores[a]!);
  const found: { yes: number; no: number }[] = [];
  let last: number | null = null;
  for (const i of order) {
    if (scores[i] !== last) found.push({ yes: 0, no: 0 });
    last = scores[i]!;
    found.at(-1)![came[i]! ? "yes" : "no"]++;
  }
  return found;
}

/** Chance that a moment before a burst has a higher score than another one. */
export function auroc(scores: readonly number[], came: readonly boolean[]): number {
  let above = 0;
  let pairs = 0;
  const all = steps(scores, came);
  const yes = all.reduce((sum, step) => sum + step.yes, 0);
  for (const step of all) {
    pairs += step.no * (above + step.yes / 2);
    above += step.yes;
  }
  return pairs / (yes * (scores.length - yes));
}

/** Mean precision over the recalls, each weighed by what it adds (no interpolation). */
export function averagePrecision(scores: readonly number[], came: readonly boolean[]): number {
  const yes = came.filter(Boolean).length;
  let right = 0;
  let said = 0;
  let sum = 0;
  for (const step of steps(scores, came)) {
    right += step.yes;
    said += step.yes + step.no;
    sum += (step.yes / yes) * (right / said);
  }
  return sum;
}
