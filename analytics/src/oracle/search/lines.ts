import { isBot } from "@hypecast/contracts/bots.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { rawTables } from "../../questions/raw.ts";
import type { Ask } from "../../questions/answer.ts";

export interface Span {
  readonly channelId: string;
  readonly fromMs: number;
  readonly toMs: number;
}
export type Line = Pick<
  ChatLine,
  "id" | "channelId" | "sentAtMs" | "userId" | "login" | "text" | "badges"
> & {
  readonly name: string;
  readonly emotes: NonNullable<ChatLine["emotes"]>;
};

/** Of a span with more lines an even choice is read, the same each time. */
const MOST_A_SPAN = 2500;
const MOST_SPANS = 60;

interface Removal {
  readonly channelId: string;
  readonly action: string;
  readonly target: string;
  readonly atMs: number;
}

/** Lines of each span, oldest first, as they still stand: what moderators removed since is left out, and bots. One list a span, in their order. */
export async function linesOf(ask: Ask, asked: readonly Span[]): Promise<Line[][]> {
  const spans = asked.slice(0, MOST_SPANS);
  const found: Line[][] = spans.map(() => []);
  const byTable = new Map<string, number[]>();
  for (const [at, { channelId }] of spans.entries()) {
    const { lines } = rawTables(channelId);
    byTable.set(lines, [...(byTable.get(lines) ?? []), at]);
  }
  await Promise.all(
    [...byTable].map(async ([table, ats]) => {
      const { moderation } = rawTables(spans[ats[0]!]!.channelId);
      const params: Record<string, unknown> = { most: MOST_A_SPAN };
      const conditions = ats.map((at) => {
        const { channelId, fromMs, toMs } = spans[at]!;
        params[`channel${at}`] = channelId;
        params[`from${at}`] = Math.floor(fromMs);
        params[`to${at}`] = Math.ceil(toMs);
        return {
          at,
          sql: `channelId = {channel${at}:String} AND sentAtMs >= {from${at}:Int64} AND sentAtMs < {to${at}:Int64}`,
        };
      });
      const where = conditions.map(({ sql }) => `(${sql})`).join(" OR ");
      const of = `multiIf(${conditions.map(({ at, sql }) => `${sql}, ${at}`).join(", ")}, -1)`;
      const channels = [...new Set(ats.map((at) => spans[at]!.channelId))];
      const sinceMs = Math.floor(Math.min(...ats.map((at) => spans[at]!.fromMs)));
      const [lines, removals] = await Promise.all([
        ask<Line & { span: number }>(
          `SELECT id, channelId, sentAtMs, userId, login, name, text, badges, emotes, ${of} AS span FROM ${table}
           WHERE (${where}) AND sourceChannelId IN ('', channelId)
           ORDER BY span, cityHash64(id), sentAtMs LIMIT {most:UInt32} BY span`,
          params,
        ),
        ask<Removal>(
          `SELECT channelId, action, if(action = 'delete', targetMessageId, targetUserId) AS target, max(sentAtMs) AS atMs FROM ${moderation}
           WHERE channelId IN {channels:Array(String)} AND sentAtMs >= {sinceMs:Int64} AND action IN ('delete', 'timeout', 'ban', 'clear')
           GROUP BY channelId, action, target`,
          { channels, sinceMs },
        ),
      ]);
      const gone = new Map(
        removals.map(({ channelId, action, target, atMs }) => [
          action === "delete"
            ? `${channelId} line ${target}`
            : `${channelId} ${action === "clear" ? "all" : `user ${target}`}`,
          atMs,
        ]),
      );
      // A line that was stored twice stands next to itself.
      let lastId = "";
      for (const { span, ...line } of lines) {
        const { channelId, id, userId, sentAtMs } = line;
        if (id === lastId) continue;
        lastId = id;
        const removed =
          gone.has(`${channelId} line ${id}`) ||
          sentAtMs <= (gone.get(`${channelId} user ${userId}`) ?? 0) ||
          sentAtMs <= (gone.get(`${channelId} all`) ?? 0);
        if (!removed && !isBot(line)) found[span]?.push(line);
      }
    }),
  );
  for (const lines of found)
    lines.sort((a, b) => a.sentAtMs - b.sentAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return found;
}
