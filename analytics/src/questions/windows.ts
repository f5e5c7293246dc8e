import { windows } from "@hypecast/contracts/question.ts";
import { chatWindow, type ChatWindow } from "@hypecast/contracts/window.ts";
import { columnsOf, defineAnswer } from "./answer.ts";

/** Final windows of one size that begin in [fromMs, toMs), oldest first; the newest `limit` of them. */
export const answerWindows = defineAnswer(windows, async (asked, ask) => {
  const rows = await ask<ChatWindow>(
    `SELECT ${columnsOf(chatWindow)} FROM chat_windows FINAL
     WHERE channelId = {channelId:String} AND sizeS = {sizeS:UInt16} AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64}
     ORDER BY startMs DESC LIMIT {limit:UInt32}`,
    asked,
  );
  return { windows: rows.toReversed() };
});
