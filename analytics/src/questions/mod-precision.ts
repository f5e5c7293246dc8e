import type { z } from "zod";
import { modPrecision, PRECISION_N } from "@hypecast/contracts/question-mod.ts";
import { TOXICITY_CLASSES } from "@hypecast/contracts/toxicity.ts";
import { defineAnswer } from "./answer.ts";
import { decisionsOf, type Decision } from "./mod-decisions.ts";
import { wilson } from "./mod-text.ts";

const WEEK_MS = 7 * 86_400_000;
/** A Monday, in UTC. */
const MONDAY_MS = 4 * 86_400_000;

type Precision = z.infer<(typeof modPrecision)["answer"]>["classes"][number];
const CLASSES: readonly Precision["class"][] = [...TOXICITY_CLASSES, "none"];

export const answerModPrecision = defineAnswer(modPrecision, async (asked, ask) => {
  const decisions = await decisionsOf(ask, asked);
  return { weeks: weeksOf(decisions), classes: classesOf(decisions) };
});

export const weekOf = (atMs: number): number =>
  Math.floor((atMs - MONDAY_MS) / WEEK_MS) * WEEK_MS + MONDAY_MS;

export function weeksOf(decisions: readonly Decision[]): (Precision & { weekStartMs: number })[] {
  const weeks = [...new Set(decisions.map(({ atMs }) => weekOf(atMs)))].toSorted((a, b) => a - b);
  return weeks.flatMap((weekStartMs) =>
    classesOf(decisions.filter(({ atMs }) => weekOf(atMs) === weekStartMs)).map((one) => ({
      ...one,
      weekStartMs,
    })),
  );
}

export const classesOf = (decisions: readonly Decision[]): Precision[] =>
  CLASSES.flatMap((name) => {
    const mine = decisions.filter((one) => one.class === name);
    const right = mine.filter(({ isRight }) => isRight).length;
    if (mine.length === 0) return [];
    const known = mine.length < PRECISION_N ? { low: null, high: null } : wilson(right, mine.length);
    return [{ class: name, right, wrong: mine.length - right, ...known }];
  });
