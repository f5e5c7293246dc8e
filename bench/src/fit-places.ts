/** A place that a search offered for a question with a known answer. */
export interface Offered {
  readonly right: boolean;
  readonly parts: Readonly<Record<string, number>>;
}
/** A question: its places, best first; `none`: nothing is right. */
export interface Offer {
  readonly none: boolean;
  readonly places: readonly Offered[];
}

/**
 * Weights of the parts such that exp(z) of the right places outweighs that of the wrong ones and of "none of these" (weight 1) together: one model
 * orders the places and says when to be silent. Kept near `prior` by `stiffness`: there are few questions. Adam, deterministic.
 */
export function fitPlaces(
  offers: readonly Offer[],
  prior: Readonly<Record<string, number>>,
  stiffness: number,
  steps = 4000,
): Record<string, number> {
  const names = Object.keys(prior);
  const start = names.map((name) => prior[name]!);
  const weights = [...start];
  const first = names.map(() => 0);
  const second = names.map(() => 0);
  const data = offers
    .filter(({ none, places }) => places.length > 0 && (none || places.some(({ right }) => right)))
    .map(({ none, places }) => ({
      none,
      right: places.map(({ right }) => right),
      rows: places.map(({ parts }) => names.map((name) => (name === "one" ? 1 : (parts[name] ?? 0)))),
    }));
  for (let step = 1; step <= steps; step++) {
    const slope = weights.map((weight, i) => stiffness * (weight - start[i]!));
    for (const { none, right, rows } of data) {
      const z = rows.map((row) => row.reduce((sum, value, i) => sum + value * weights[i]!, 0));
      const most = Math.max(0, ...z);
      const e = z.map((value) => Math.exp(value - most));
      const all = Math.exp(-most) + e.reduce((sum, value) => sum + value, 0);
      const ofRight = e.reduce((sum, value, i) => sum + (right[i]! ? value : 0), 0);
      for (const [i, row] of rows.entries()) {
        const wanted = none || !right[i]! ? 0 : e[i]! / ofRight;
        const off = e[i]! / all - wanted;
        for (let k = 0; k < row.length; k++) slope[k]! += (none ? 2 : 1) * off * row[k]!;
      }
    }
    for (let k = 0; k < weights.length; k++) {
      first[k] = 0.9 * first[k]! + 0.1 * slope[k]!;
      second[k] = 0.999 * second[k]! + 0.001 * slope[k]! ** 2;
      weights[k]! -=
        (0.02 * (first[k]! / (1 - 0.9 ** step))) / (Math.sqrt(second[k]! / (1 - 0.999 ** step)) + 1e-8);
    }
  }
  return Object.fromEntries(names.map((name, i) => [name, Math.round(weights[i]! * 100) / 100]));
}

export interface Judged {
  readonly questions: number;
  readonly none: number;
  readonly hitAt1: number;
  readonly reciprocalRank: number;
  readonly noneF1: number;
}

/** How good the answers are: the first place right, and silence where there is nothing. `found`: it was not silent. */
export function judge(
  answers: readonly { readonly none: boolean; readonly found: boolean; readonly rank: number | null }[],
): Judged {
  const real = answers.filter(({ none }) => !none);
  const silent = answers.filter(({ found }) => !found);
  const rightlySilent = silent.filter(({ none }) => none).length;
  const none = answers.length - real.length;
  const precision = rightlySilent / Math.max(1, silent.length);
  const recall = rightlySilent / Math.max(1, none);
  return {
    questions: real.length,
    none,
    hitAt1: real.filter(({ rank }) => rank === 1).length / Math.max(1, real.length),
    reciprocalRank:
      real.reduce((sum, { rank }) => sum + (rank === null ? 0 : 1 / rank), 0) / Math.max(1, real.length),
    noneF1: rightlySilent === 0 ? 0 : (2 * precision * recall) / (precision + recall),
  };
}
