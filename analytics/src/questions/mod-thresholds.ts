import { SEVERITIES, type Severity, type Thresholds } from "@hypecast/contracts/mod-case.ts";
import { modThresholds } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer } from "./answer.ts";
import { decisionsOf, type Decision } from "./mod-decisions.ts";

/** Decisions, and of either kind, that a suggestion takes. */
const NEEDED = 60;
const NEEDED_EACH = 10;
/** What a case of a severity promises: people act on so many of its kind. The defaults of the thresholds are the same numbers. */
const PROMISE: Record<Severity, number> = { critical: 0.9, alert: 0.75, watch: 0.5 };
/** A smaller change is not worth a person's time. */
const LEAST_CHANGE = 0.03;
const HIGHEST = 0.98;

export const answerModThresholds = defineAnswer(modThresholds, async (asked, ask) => {
  const decisions = await decisionsOf(ask, asked);
  const at = Object.fromEntries(
    SEVERITIES.map((severity) => {
      const mine = decisions.filter(({ score }) => score >= asked.current[severity]);
      return [severity, { n: mine.length, right: mine.filter(({ isRight }) => isRight).length }];
    }),
  ) as Record<Severity, { n: number; right: number }>;
  const { suggested, why } = suggest(decisions, asked.current);
  return { suggested, why, n: decisions.length, needed: NEEDED, at };
});

/**
 * Isotonic regression of "people acted" on the score (pool adjacent violators): a threshold is where the fit reaches what the severity promises. Below
 * the lowest decided score nobody knows, so the lowest threshold never falls.
 */
export function suggest(
  decisions: readonly Decision[],
  current: Thresholds,
): { suggested: Thresholds | null; why: string } {
  const right = decisions.filter(({ isRight }) => isRight).length;
  const wrong = decisions.length - right;
  if (decisions.length < NEEDED || right < NEEDED_EACH || wrong < NEEDED_EACH)
    return {
      suggested: null,
      why: `too few decisions to say: ${decisions.length} of ${NEEDED}, ${right} acted on and ${wrong} dismissed (${NEEDED_EACH} of each)`,
    };
  const steps = isotonic(decisions);
  const found = (severity: Severity): number => {
    const step = steps.find(({ share }) => share >= PROMISE[severity]);
    const score = Math.min(HIGHEST, Math.round((step?.fromScore ?? HIGHEST) * 100) / 100);
    // What was decided begins at a threshold: that all of it was right does not say how far down it would be.
    return step === steps[0] && score < current[severity] ? Math.max(score, lowest(current)) : score;
  };
  const watch = Math.max(lowest(current), found("watch"));
  const alert = Math.max(watch, found("alert"));
  const critical = Math.max(alert, found("critical"));
  const suggested = { critical, alert, watch };
  const moved = SEVERITIES.filter((one) => Math.abs(suggested[one] - current[one]) >= LEAST_CHANGE);
  if (moved.length === 0)
    return { suggested: null, why: `the present thresholds fit ${decisions.length} decisions` };
  for (const one of SEVERITIES) if (!moved.includes(one)) suggested[one] = current[one];
  return {
    suggested,
    why: `of ${decisions.length} cases that people decided, from these scores on they acted on ${SEVERITIES.map((one) => `${PROMISE[one] * 100} % (${one})`).join(", ")}`,
  };
}

const lowest = ({ critical, alert, watch }: Thresholds): number => Math.min(critical, alert, watch);

interface Step {
  readonly fromScore: number;
  readonly share: number;
  readonly n: number;
}

/** Steps of rising share, lowest score first. */
export function isotonic(decisions: readonly Pick<Decision, "score" | "isRight">[]): Step[] {
  const steps: { fromScore: number; right: number; n: number }[] = [];
  for (const { score, isRight } of decisions.toSorted((a, b) => a.score - b.score)) {
    const last = steps.at(-1);
    if (last !== undefined && last.fromScore === score) {
      last.n++;
      if (isRight) last.right++;
    } else steps.push({ fromScore: score, right: isRight ? 1 : 0, n: 1 });
    for (;;) {
      const [a, b] = [steps.at(-2), steps.at(-1)];
      if (a === undefined || b === undefined || a.right / a.n < b.right / b.n) break;
      a.right += b.right;
      a.n += b.n;
      steps.pop();
    }
  }
  return steps.map(({ fromScore, right, n }) => ({ fromScore, share: right / n, n }));
}
