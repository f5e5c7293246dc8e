import { modCase, type ModCase } from "@hypecast/contracts/mod-case.ts";
import { modCasesById } from "@hypecast/contracts/question-mod.ts";
import { columnsOf, defineAnswer } from "./answer.ts";
import { listOf, spanOf } from "./mod-text.ts";

/** Where the cases stand is found by their ids alone; then they are read by their place. */
export const answerModCasesById = defineAnswer(modCasesById, async ({ channelId, ids }, ask) => {
  const places = await ask<{ firstAtMs: number }>(
    `SELECT DISTINCT firstAtMs FROM mod_cases WHERE channelId = {channelId:String} AND id IN ${listOf(ids)}`,
    { channelId },
  );
  if (places.length === 0) return { cases: [] };
  const rows = await ask<ModCase>(
    `SELECT ${columnsOf(modCase)} FROM mod_cases FINAL
     WHERE channelId = {channelId:String} AND firstAtMs IN (${places.map(({ firstAtMs }) => firstAtMs).join()})`,
    { channelId },
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    cases: ids.flatMap((id) => {
      const row = byId.get(id);
      if (row === undefined) return [];
      return [
        {
          ...row,
          span: spanOf(row.span),
          lines: row.lines.map((line) => ({ ...line, span: spanOf(line.span) })),
        },
      ];
    }),
  };
});
