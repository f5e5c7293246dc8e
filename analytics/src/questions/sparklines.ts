import { sparklines } from "@hypecast/contracts/question.ts";
import { defineAnswer } from "./answer.ts";

const STEP_MS = 60_000;

/** Whole minutes up to now: messages per heard minute and their hype as the heatmap takes it (ninth decile), null where none was measured. Channels in the order asked. */
export const answerSparklines = defineAnswer(sparklines, async ({ channelIds, minutes }, ask, nowMs) => {
  const endMs = Math.floor(nowMs / STEP_MS) * STEP_MS;
  const startMs = endMs - minutes * STEP_MS;
  type Rows = { channelId: string; points: [number, number][] };
  const hype = await ask<Rows>(
    `SELECT channelId, groupArray((minute, most)) AS points
     FROM (SELECT channelId, toUInt32(intDiv(atMs - {startMs:Int64}, ${STEP_MS})) AS minute, quantileExactHigh(0.9)(assumeNotNull(value)) AS most
           FROM hype FINAL
           WHERE channelId IN {channelIds:Array(String)} AND atMs >= {startMs:Int64} AND atMs < {endMs:Int64} AND value IS NOT NULL
           GROUP BY channelId, minute)
     GROUP BY channelId`,
    { channelIds, startMs, endMs },
  );
  const rows = await ask<Rows>(
    `SELECT channelId, groupArray((toUInt32(intDiv(startMs - {startMs:Int64}, ${STEP_MS})), messages / (60 - gapS) * 60)) AS points
     FROM chat_windows FINAL
     WHERE channelId IN {channelIds:Array(String)} AND sizeS = 60 AND startMs >= {startMs:Int64} AND startMs < {endMs:Int64} AND gapS < 60
     GROUP BY channelId`,
    { channelIds, startMs, endMs },
  );
  const spread = (of: Rows[]): ((channelId: string) => (number | null)[]) => {
    const found = new Map(of.map((row) => [row.channelId, row.points]));
    return (channelId) => {
      const values = Array.from({ length: minutes }, (): number | null => null);
      for (const [minute, value] of found.get(channelId) ?? []) values[minute] = value;
      return values;
    };
  };
  const rateOf = spread(rows);
  const hypeOf = spread(hype);
  return {
    sparklines: channelIds.map((channelId) => ({
      channelId,
      stepMs: STEP_MS,
      startMs,
      messagesPerMin: rateOf(channelId),
      hype: hypeOf(channelId),
    })),
  };
});
