import { chatBurst, type ChatBurst } from "@hypecast/contracts/burst.ts";
import { bursts } from "@hypecast/contracts/question.ts";
import { columnsOf, defineAnswer, type Ask } from "./answer.ts";

/** Bursts that touch [fromMs, toMs), newest first; each once: closed where it has closed. */
export async function burstsOf(
  ask: Ask,
  asked: { channelId: string; fromMs: number; toMs: number; limit: number },
): Promise<ChatBurst[]> {
  return ask<ChatBurst>(
    `SELECT ${columnsOf(chatBurst)} FROM chat_bursts FINAL
     WHERE channelId = {channelId:String} AND startMs < {toMs:Int64} AND endMs >= {fromMs:Int64}
     ORDER BY startMs DESC, id LIMIT {limit:UInt32}`,
    asked,
  );
}

export const answerBursts = defineAnswer(bursts, async (asked, ask) => ({
  bursts: await burstsOf(ask, asked),
}));
