import { shots } from "@hypecast/contracts/question.ts";
import { shotScore, videoShot, type ShotScore, type VideoShot } from "@hypecast/contracts/shot.ts";
import { columnsOf, defineAnswer } from "./answer.ts";

/** A shot may have begun so long before the span that it touches. The folds end it at a gap or a break at the latest. */
const LONGEST_MS = 6 * 3_600_000;

/** Shots that touch [fromMs, toMs), oldest first, the newest `limit` of them; each with the latest score that says something. */
export const answerShots = defineAnswer(shots, async (asked, ask) => {
  const span = { ...asked, sinceMs: asked.fromMs - LONGEST_MS };
  const rows = await ask<VideoShot>(
    `SELECT ${columnsOf(videoShot)} FROM shots FINAL
     WHERE channelId = {channelId:String} AND startMs >= {sinceMs:Int64} AND startMs < {toMs:Int64} AND endMs > {fromMs:Int64}
     ORDER BY startMs DESC, id LIMIT {limit:UInt32}`,
    span,
  );
  const first = rows.at(-1);
  if (first === undefined) return { shots: [] };
  const scores = await ask<ShotScore>(
    `SELECT ${columnsOf(shotScore.schema)} FROM shot_scores FINAL
     WHERE channelId = {channelId:String} AND startMs >= {firstMs:Int64} AND startMs < {toMs:Int64}
     ORDER BY known DESC, storedAt DESC, model DESC LIMIT 1 BY id`,
    { ...span, firstMs: first.startMs },
  );
  const byId = new Map(scores.map((score) => [score.id, score]));
  return { shots: rows.toReversed().map((shot) => ({ ...shot, score: byId.get(shot.id) ?? null })) };
});
