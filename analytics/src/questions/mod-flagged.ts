import { modFlagged } from "@hypecast/contracts/question-mod.ts";
import { lineScore, type LineScore } from "@hypecast/contracts/toxicity.ts";
import { columnsOf, defineAnswer } from "./answer.ts";
import { spanOf } from "./mod-text.ts";

export const answerModFlagged = defineAnswer(modFlagged, async (asked, ask) => {
  const rows = await ask<LineScore>(
    `SELECT ${columnsOf(lineScore)} FROM toxicity_scores FINAL
     WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND sentAtMs < {toMs:Int64}
       ${asked.userId === undefined ? "" : "AND userId = {userId:String}"}
     ORDER BY sentAtMs DESC, lineId LIMIT {limit:UInt32}`,
    asked,
  );
  return { lines: rows.map((row) => ({ ...row, span: spanOf(row.span) })) };
});
