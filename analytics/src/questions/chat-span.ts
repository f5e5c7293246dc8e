import { chatLine, type ChatLine } from "@hypecast/contracts/chat.ts";
import { chatSpan } from "@hypecast/contracts/question.ts";
import { columnsOf, defineAnswer } from "./answer.ts";
import { withoutDefaults } from "./line.ts";
import { rawTables } from "./raw.ts";

/** What one answer may weigh: less than the bus carries in a message. */
const MOST_BYTES = 6_000_000;

/** Not removed since: not deleted itself, its writer not timed out or banned later, the chat not cleared later. */
const stillThere = (
  moderation: string,
): string => `channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND sentAtMs < {toMs:Int64}
  AND id NOT IN (SELECT targetMessageId FROM ${moderation}
    WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND action = 'delete')
  AND sentAtMs > (SELECT max(sentAtMs) FROM ${moderation}
    WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND action = 'clear')
  AND sentAtMs > ifNull(removed.untilMs, 0)`;
const withRemovals = (lines: string, moderation: string): string => `${lines} LEFT JOIN (
    SELECT targetUserId, max(sentAtMs) AS untilMs FROM ${moderation}
    WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND action IN ('timeout', 'ban') GROUP BY targetUserId
  ) AS removed ON removed.targetUserId = ${lines}.userId`;

/**
 * Lines of [fromMs, toMs) that are still there, oldest first. Of more than `limit` an even choice, the same each time; `complete` says
 * whether these are all.
 */
export const answerChatSpan = defineAnswer(chatSpan, async (asked, ask) => {
  const { lines: table, moderation } = rawTables(asked.channelId);
  const rows = await ask<ChatLine>(
    `SELECT ${columnsOf(chatLine)} FROM (
       SELECT ${columnsOf(chatLine)} FROM ${withRemovals(table, moderation)} WHERE ${stillThere(moderation)}
       ORDER BY cityHash64(id), sentAtMs LIMIT 1 BY id LIMIT {most:UInt32}
     ) ORDER BY sentAtMs, id`,
    { ...asked, most: asked.limit + 1 },
  );
  const lines: ChatLine[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, asked.limit)) {
    const line = withoutDefaults(row);
    bytes += JSON.stringify(line).length;
    if (bytes > MOST_BYTES) break;
    lines.push(line);
  }
  return { lines, complete: lines.length === rows.length };
});
