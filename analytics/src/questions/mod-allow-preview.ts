import type { ModCase } from "@hypecast/contracts/mod-case.ts";
import { phraseFinder } from "@hypecast/contracts/phrase.ts";
import { modAllowPreview } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer } from "./answer.ts";
import { decisionsOf } from "./mod-decisions.ts";
import { LISTED, listed } from "./mod-queue.ts";

const EXAMPLES = 5;
const MOST_IDS = 10_000;

/** The phrase is looked for here as the fold looks for it. */
export const answerModAllowPreview = defineAnswer(
  modAllowPreview,
  async ({ channelId, phrase, sinceMs }, ask, nowMs) => {
    const [texts, decisions] = await Promise.all([
      ask<{ id: string; firstAtMs: number; texts: string[] }>(
        `SELECT id, firstAtMs, arrayDistinct(arrayMap(line -> line.text, lines)) AS texts FROM mod_cases FINAL
         WHERE channelId = {channelId:String} AND firstAtMs >= {sinceMs:Int64} AND notEmpty(lines) AND source = 'model'
         ORDER BY firstAtMs DESC, id`,
        { channelId, sinceMs },
      ),
      decisionsOf(ask, { channelId, fromMs: sinceMs, toMs: nowMs }),
    ]);
    const isAllowed = phraseFinder([phrase]);
    const acted = new Set(decisions.flatMap(({ caseId, isRight }) => (isRight ? [caseId] : [])));
    const gone: { id: string; firstAtMs: number }[] = [];
    let fewer = 0;
    for (const one of texts) {
      const allowed = one.texts.filter(isAllowed).length;
      if (allowed === one.texts.length) gone.push(one);
      else if (allowed > 0) fewer++;
    }
    const newest = gone.slice(0, EXAMPLES);
    const rows =
      newest.length === 0
        ? []
        : await ask<Omit<ModCase, "lines" | "reasons" | "scores">>(
            `SELECT ${LISTED} FROM mod_cases FINAL
             WHERE channelId = {channelId:String} AND firstAtMs IN (${newest.map(({ firstAtMs }) => firstAtMs).join()})`,
            { channelId },
          );
    return {
      cases: gone.length,
      fewer,
      decidedRight: gone.filter(({ id }) => acted.has(id)).length,
      ids: gone.slice(0, MOST_IDS).map(({ id }) => id),
      examples: newest.flatMap(({ id }) => rows.filter((row) => row.id === id).map(listed)),
    };
  },
);
