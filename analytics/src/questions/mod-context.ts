import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { modContextLines } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { rawLines, withFates } from "./mod-lines.ts";
import { rawTables } from "./raw.ts";

/** The line is looked for so near the time that was said. */
const NEAR_MS = 60_000;
/** How far lines are counted, and shown, on either side. */
const AROUND_MS = 10 * 60_000;
const THREAD_LINES = 50;

export const answerModContext = defineAnswer(modContextLines, async (asked, ask) => {
  const { channelId, lineId, atMs, before, after, showRemovedFromMs } = asked;
  const [line] = await rawLines(
    ask,
    "sentAtMs BETWEEN {fromMs:Int64} AND {toMs:Int64} AND id = {lineId:String}",
    "LIMIT 1",
    { channelId, lineId, fromMs: atMs - NEAR_MS, toMs: atMs + NEAR_MS },
  );
  if (line === undefined)
    return { lines: [], thread: [], earlier: 0, later: 0, laterRemoved: 0, kept: false };
  const { sentAtMs } = line;
  const at = { channelId, lineId, sentAtMs, fromMs: sentAtMs - AROUND_MS, toMs: sentAtMs + AROUND_MS };
  const [earlier, later, thread] = await Promise.all([
    before === 0
      ? []
      : rawLines(
          ask,
          "sentAtMs >= {fromMs:Int64} AND sentAtMs <= {sentAtMs:Int64} AND (sentAtMs, id) < ({sentAtMs:Int64}, {lineId:String})",
          "ORDER BY sentAtMs DESC, id DESC LIMIT 1 BY id LIMIT {before:UInt32}",
          { ...at, before },
        ),
    after === 0
      ? []
      : rawLines(
          ask,
          "sentAtMs >= {sentAtMs:Int64} AND sentAtMs < {toMs:Int64} AND (sentAtMs, id) > ({sentAtMs:Int64}, {lineId:String})",
          "ORDER BY sentAtMs, id LIMIT 1 BY id LIMIT {after:UInt32}",
          { ...at, after },
        ),
    threadOf(ask, channelId, line),
  ]);
  const shown = [...earlier.toReversed(), line, ...later];
  const [beyond, lines, told] = await Promise.all([
    countBeyond(ask, channelId, shown, at),
    withFates(ask, channelId, shown, showRemovedFromMs),
    withFates(ask, channelId, thread, showRemovedFromMs),
  ]);
  return { lines, thread: told, ...beyond, kept: true };
});

/** The root that the line answers, and all answers to it near the line; of a line that answers nobody, the answers to it. Empty where there are none. */
async function threadOf(ask: Ask, channelId: string, line: ChatLine): Promise<ChatLine[]> {
  const root = line.replyThread ?? line.replyTo ?? line.id;
  const found = await rawLines(
    ask,
    `sentAtMs BETWEEN {fromMs:Int64} AND {toMs:Int64} AND (id = {root:String} OR replyThread = {root:String} OR replyTo = {root:String})`,
    `ORDER BY sentAtMs, id LIMIT 1 BY id LIMIT ${THREAD_LINES}`,
    { channelId, root, fromMs: line.sentAtMs - AROUND_MS, toMs: line.sentAtMs + AROUND_MS },
  );
  return found.length > 1 ? found : [];
}

/** Lines that are not shown, and how many of those behind were removed. */
async function countBeyond(
  ask: Ask,
  channelId: string,
  shown: readonly ChatLine[],
  at: { fromMs: number; toMs: number },
): Promise<{ earlier: number; later: number; laterRemoved: number }> {
  const { lines, moderation } = rawTables(channelId);
  const first = shown[0]!;
  const last = shown.at(-1)!;
  const of = (action: string): string =>
    `FROM ${moderation} WHERE channelId = {channelId:String} AND sentAtMs >= {lastMs:Int64} AND action ${action}`;
  const [row] = await ask<{ earlier: number; later: number; laterRemoved: number }>(
    `SELECT countIf((sentAtMs, id) < ({firstMs:Int64}, {firstId:String})) AS earlier, countIf(isLater) AS later,
       countIf(isLater AND (id IN (SELECT targetMessageId ${of("= 'delete'")}) OR sentAtMs <= clearedMs OR sentAtMs <= removed.untilMs)) AS laterRemoved
     FROM (
       SELECT id, userId, sentAtMs, (sentAtMs, id) > ({lastMs:Int64}, {lastId:String}) AS isLater,
         (SELECT max(sentAtMs) ${of("= 'clear'")}) AS clearedMs
       FROM ${lines} WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND sentAtMs < {toMs:Int64}
     ) AS near LEFT JOIN (SELECT targetUserId, max(sentAtMs) AS untilMs ${of("IN ('timeout', 'ban')")} GROUP BY targetUserId) AS removed
       ON removed.targetUserId = near.userId`,
    { channelId, ...at, firstMs: first.sentAtMs, firstId: first.id, lastMs: last.sentAtMs, lastId: last.id },
  );
  return row ?? { earlier: 0, later: 0, laterRemoved: 0 };
}
