import { sparklines } from "@hypecast/contracts/question.ts";
import { defineAnswer } from "./answer.ts";

const STEP_MS = 60_000;

/** Whole minutes up to now: messages per heard minute, null where none was measured. Channels in the order asked. */
export const answerSparklines = defineAnswer(sparklines, async ({ channelIds, minutes }, ask, nowMs) => {
  const endMs = Math.floor(nowMs / STEP_MS) * STEP_MS;
  const startMs = endMs - minutes * STEP_MS;
  const rows = await ask<{ channelId: string; points: [number, number][] }>(
    `SELECT channelId, groupArray((toUInt32(intDiv(startMs - {startMs:Int64}, ${STEP_MS})), messages / (60 - gapS) * 60)) AS points
     FROM chat_windows FINAL
     WHERE channelId IN {channelIds:Array(String)} AND sizeS = 60 AND startMs >= {startMs:Int64} AND startMs < {endMs:Int64} AND gapS < 60
     GROUP BY channelId`,
    { channelIds, startMs, endMs },
  );
  const found = new Map(rows.map((row) => [row.channelId, row.points]));
  return {
    sparklines: channelIds.map((channelId) => {
      const messagesPerMin = Array.from({ length: minutes }, (): number | null => null);
      for (const [minute, rate] of found.get(channelId) ?? []) messagesPerMin[minute] = rate;
      return { channelId, stepMs: STEP_MS, startMs, messagesPerMin };
    }),
  };
});
