import { moment, reactionLag, type Moment, type ReactionLag } from "@hypecast/contracts/moment.ts";
import { momentList } from "@hypecast/contracts/question.ts";
import { columnsOf, defineAnswer } from "./answer.ts";

/** The newest version of each moment that begins in [fromMs, toMs), newest first, without the withdrawn; and the lag as it was learned by then. */
export const answerMoments = defineAnswer(momentList, async (asked, ask) => {
  const [moments, [lag]] = await Promise.all([
    ask<Moment>(
      // The condition comes after FINAL: a version that began elsewhere does not bring its moment back.
      `SELECT ${columnsOf(moment)} FROM (SELECT * FROM moments FINAL WHERE channelId = {channelId:String})
       WHERE state != 'withdrawn' AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64}
       ORDER BY startMs DESC, id LIMIT {limit:UInt32}`,
      asked,
    ),
    ask<ReactionLag>(
      `SELECT ${columnsOf(reactionLag)} FROM reaction_lags FINAL
       WHERE channelId = {channelId:String} AND atMs < {toMs:Int64} ORDER BY atMs DESC LIMIT 1`,
      asked,
    ),
  ]);
  return { moments, lag: lag ?? null };
});
