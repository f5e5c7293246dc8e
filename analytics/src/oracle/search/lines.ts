import { isBot } from "@hypecast/contracts/bots.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { rawTables } from "../../questions/raw.ts";
import type { Ask } from "../../questions/answer.ts";

export interface Span {
  readonly channelId: string;
  readonly fromMs: number;
  readonly toMs: number;
}
export type Line = Pick<ChatLine, "id" | "channelId" | "sentAtMs" | "userId" | "login" | "text"> & {
  readonly name: string;
  readonly emotes: NonNullable<ChatLine["emotes"]>;
};

/** Of a span with more lines an even choice is read, the same each time. */
const MOST_A_SPAN = 2500;
const MOST_SPANS = 60;
/** So many lines are read as they stand; where there are more, or a span has too many, the store chooses. */
const READ_AT_ONCE = 20_000;

/** Lines of one channel by columns: parsed in a third of the time that a row each takes. */
interface Columns {
  readonly channelId: string;
  readonly ids: readonly string[];
  readonly times: readonly number[];
  readonly users: readonly string[];
  readonly logins: readonly string[];
  readonly names: readonly string[];
  readonly texts: readonly string[];
  readonly emotes: readonly Line["emotes"][];
}

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
      const own = ats.map((at) => spans[at]!);
      const [channels, gone] = await Promise.all([readLines(ask, table, own), removalsOf(ask, own)]);
      for (const lines of channels)
        for (const at of ats) {
          const { channelId, fromMs, toMs } = spans[at]!;
          if (lines[0]?.channelId !== channelId) continue;
          for (let i = firstAt(lines, fromMs); i < lines.length && lines[i]!.sentAtMs < toMs; i++)
            if (!gone(lines[i]!) && !isBot(lines[i]!)) found[at]!.push(lines[i]!);
        }
    }),
  );
  return found;
}

function firstAt(lines: readonly Line[], atMs: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.sentAtMs < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The lines of some spans of one table, once each: one list a channel, oldest first. */
async function readLines(ask: Ask, table: string, spans: readonly Span[]): Promise<Line[][]> {
  const params: Record<string, unknown> = { most: MOST_A_SPAN, atOnce: READ_AT_ONCE };
  const conditions = spans.map(({ channelId, fromMs, toMs }, at) => {
    params[`channel${at}`] = channelId;
    params[`from${at}`] = Math.floor(fromMs);
    params[`to${at}`] = Math.ceil(toMs);
    return `channelId = {channel${at}:String} AND sentAtMs >= {from${at}:Int64} AND sentAtMs < {to${at}:Int64}`;
  });
  const read = async (choice: string): Promise<Line[][]> => {
    const columns = await ask<Columns>(
      `SELECT channelId, groupArray(id) AS ids, groupArray(sentAtMs) AS times, groupArray(userId) AS users, groupArray(login) AS logins,
         groupArray(name) AS names, groupArray(text) AS texts, groupArray(emotes) AS emotes
       FROM (
         SELECT id, channelId, sentAtMs, userId, login, name, text, emotes FROM ${table}
         WHERE (${conditions.map((condition) => `(${condition})`).join(" OR ")})
           AND sourceChannelId IN ('', channelId) AND position(badges, 'bot-badge/') = 0
         ${choice}
       ) GROUP BY channelId`,
      params,
    );
    return columns.map(inOrder);
  };
  const lines = await read("LIMIT {atOnce:UInt32}");
  const all = lines.reduce((sum, { length }) => sum + length, 0);
  const most = Math.max(
    0,
    ...spans.map(({ channelId, fromMs, toMs }) => {
      const own = lines.find((some) => some[0]?.channelId === channelId) ?? [];
      return firstAt(own, toMs) - firstAt(own, fromMs);
    }),
  );
  if (all < READ_AT_ONCE && most <= MOST_A_SPAN) return lines;
  const of = `multiIf(${conditions.map((condition, at) => `${condition}, ${at}`).join(", ")}, -1)`;
  return read(`ORDER BY ${of}, cityHash64(id), sentAtMs LIMIT {most:UInt32} BY ${of}`);
}

function inOrder({ channelId, ids, times, users, logins, names, texts, emotes }: Columns): Line[] {
  const seen = new Set<string>();
  const lines: Line[] = [];
  for (const [i, id] of ids.entries()) {
    // A line may have been stored twice.
    if (seen.has(id)) continue;
    seen.add(id);
    lines.push({
      ...{ id, channelId, sentAtMs: times[i]!, userId: users[i]!, login: logins[i]! },
      ...{ name: names[i]!, text: texts[i]!, emotes: emotes[i]! },
    });
  }
  return lines.sort((a, b) => a.sentAtMs - b.sentAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** Whether a moderator has removed a line since it was sent. */
async function removalsOf(ask: Ask, spans: readonly Span[]): Promise<(line: Line) => boolean> {
  const { moderation } = rawTables(spans[0]!.channelId);
  const removals = await ask<Removal>(
    `SELECT channelId, action, if(action = 'delete', targetMessageId, targetUserId) AS target, max(sentAtMs) AS atMs FROM ${moderation}
     WHERE channelId IN {channels:Array(String)} AND sentAtMs >= {sinceMs:Int64} AND action IN ('delete', 'timeout', 'ban', 'clear')
     GROUP BY channelId, action, target`,
    {
      channels: [...new Set(spans.map(({ channelId }) => channelId))],
      sinceMs: Math.floor(Math.min(...spans.map(({ fromMs }) => fromMs))),
    },
  );
  if (removals.length === 0) return () => false;
  const gone = new Map(
    removals.map(({ channelId, action, target, atMs }) => [
      action === "delete"
        ? `${channelId} line ${target}`
        : `${channelId} ${action === "clear" ? "all" : `user ${target}`}`,
      atMs,
    ]),
  );
  return ({ channelId, id, userId, sentAtMs }) =>
    gone.has(`${channelId} line ${id}`) ||
    sentAtMs <= (gone.get(`${channelId} user ${userId}`) ?? 0) ||
    sentAtMs <= (gone.get(`${channelId} all`) ?? 0);
}
