import { extent } from "@hypecast/contracts/question.ts";
import { defineAnswer } from "./answer.ts";

/** Begin of the first and end of the last ten-second window, and the messages between. */
export const answerExtent = defineAnswer(extent, async (asked, ask) => {
  const [row] = await ask<{ firstMs: number; lastMs: number; messages: number; n: number }>(
    `SELECT min(startMs) AS firstMs, max(startMs) + 10000 AS lastMs, sum(messages) AS messages, count() AS n
     FROM chat_windows FINAL WHERE channelId = {channelId:String} AND sizeS = 10`,
    asked,
  );
  if (!row || row.n === 0) return { firstMs: null, lastMs: null, messages: 0 };
  return { firstMs: row.firstMs, lastMs: row.lastMs, messages: row.messages };
});
