import { topEmotes } from "@hypecast/contracts/question.ts";
import { defineAnswer } from "./answer.ts";

const HOUR_MS = 3_600_000;
/** Windows keep their 20 most used emotes: short ones miss less, long ones are fewer. */
const FINE_UP_TO_MS = 6 * HOUR_MS;

/** Most used emotes of the windows that begin in the span; `lastUsedMs` is the start of the last such window. */
export const answerTopEmotes = defineAnswer(topEmotes, async (asked, ask) => {
  const sizeS = asked.toMs - asked.fromMs <= FINE_UP_TO_MS ? 10 : 60;
  const [emotes, [since]] = await Promise.all([
    ask<{ ref: string; name: string; uses: number; lastUsedMs: number }>(
      `SELECT e.1 AS ref, e.2 AS name, sum(e.3) AS uses, max(startMs) AS lastUsedMs
       FROM (SELECT startMs, arrayJoin(emotes) AS e FROM chat_windows FINAL
             WHERE channelId = {channelId:String} AND sizeS = {sizeS:UInt16} AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64})
       GROUP BY ref, name ORDER BY uses DESC, name LIMIT {limit:UInt32}`,
      { ...asked, sizeS },
    ),
    ask<{ firstMs: number; n: number }>(
      "SELECT min(startMs) AS firstMs, count() AS n FROM chat_windows WHERE channelId = {channelId:String} AND sizeS = {sizeS:UInt16}",
      { ...asked, sizeS },
    ),
  ]);
  return { emotes, trackedSinceMs: since && since.n > 0 ? since.firstMs : null };
});
