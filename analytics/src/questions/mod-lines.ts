import type { z } from "zod";
import { chatLine, type ChatLine } from "@hypecast/contracts/chat.ts";
import type { modContextLines } from "@hypecast/contracts/question-mod.ts";
import { columnsOf, type Ask } from "./answer.ts";
import { withoutDefaults } from "./line.ts";
import { listOf } from "./mod-text.ts";
import { rawTables } from "./raw.ts";

export type ContextLine = z.infer<(typeof modContextLines)["answer"]>["lines"][number];

/** Lines of a channel's raw chat; a line that stands twice comes once. `tail` orders and limits. */
export async function rawLines(
  ask: Ask,
  where: string,
  tail: string,
  params: { channelId: string } & Record<string, unknown>,
): Promise<ChatLine[]> {
  const rows = await ask<ChatLine>(
    `SELECT ${columnsOf(chatLine)} FROM ${rawTables(params.channelId).lines}
     WHERE channelId = {channelId:String} AND ${where} ${tail}`,
    params,
  );
  return rows.map(withoutDefaults);
}

interface Removal {
  readonly atMs: number;
  readonly action: string;
  readonly targetUserId: string;
  readonly targetMessageId: string;
  readonly moderatorLogin: string;
}
/** Two tellings of one act: who did it is in only one of them. */
const SAME_ACT_MS = 3000;

/** What became of lines, and how toxic the model thought them. Text of what was removed before `showRemovedFromMs` is left out. */
export async function withFates(
  ask: Ask,
  channelId: string,
  lines: readonly ChatLine[],
  showRemovedFromMs: number,
): Promise<ContextLine[]> {
  if (lines.length === 0) return [];
  let [fromMs, toMs] = [Infinity, 0];
  for (const { sentAtMs } of lines) {
    fromMs = Math.min(fromMs, sentAtMs);
    toMs = Math.max(toMs, sentAtMs);
  }
  const users = listOf([...new Set(lines.map(({ userId }) => userId))]);
  const ids = listOf(lines.map(({ id }) => id));
  const [removals, scores] = await Promise.all([
    ask<Removal>(
      `SELECT atMs, action, targetUserId, targetMessageId, moderatorLogin FROM (
         SELECT atMs, action, targetUserId, targetMessageId, moderatorLogin, sourceChannelId FROM mod_events FINAL WHERE channelId = {channelId:String}
         UNION ALL
         SELECT sentAtMs, action, targetUserId, targetMessageId, '', '' FROM ${rawTables(channelId).moderation} WHERE channelId = {channelId:String}
       ) WHERE atMs >= {fromMs:Int64} AND sourceChannelId IN ('', {channelId:String}) AND (action = 'clear'
         OR (action = 'delete' AND targetMessageId IN ${ids}) OR (action IN ('timeout', 'ban') AND targetUserId IN ${users}))
       ORDER BY atMs, moderatorLogin DESC`,
      { channelId, fromMs },
    ),
    ask<{ lineId: string; toxicity: number }>(
      `SELECT lineId, any(toxicity) AS toxicity FROM toxicity_scores
       WHERE channelId = {channelId:String} AND userId IN ${users} AND sentAtMs BETWEEN {fromMs:Int64} AND {toMs:Int64} AND lineId IN ${ids} GROUP BY lineId`,
      { channelId, fromMs, toMs },
    ),
  ]);
  const toxicity = new Map(scores.map((score) => [score.lineId, score.toxicity]));
  return lines.map((line) => {
    const mine = removals.filter(
      ({ atMs, action, targetUserId, targetMessageId }) =>
        atMs >= line.sentAtMs &&
        (action === "clear" ||
          (action === "delete" ? targetMessageId === line.id : targetUserId === line.userId)),
    );
    const first = mine[0];
    const removedBy = mine.find(
      ({ atMs, moderatorLogin }) => moderatorLogin !== "" && atMs - first!.atMs <= SAME_ACT_MS,
    )?.moderatorLogin;
    const fate = {
      removedAtMs: first?.atMs ?? null,
      removedBy: removedBy ?? null,
      toxicity: toxicity.get(line.id) ?? null,
    };
    if (first === undefined || first.atMs >= showRemovedFromMs) return { ...line, ...fate };
    const { emotes: _emotes, ...rest } = line;
    return { ...rest, text: "", ...fate };
  });
}
