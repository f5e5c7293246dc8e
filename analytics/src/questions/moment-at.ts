import { chatLine, type ChatLine } from "@hypecast/contracts/chat.ts";
import { momentAt } from "@hypecast/contracts/question.ts";
import { columnsOf, defineAnswer, type Ask } from "./answer.ts";
import { burstsOf } from "./bursts.ts";
import { gapSecondsIn, gapsOf } from "./gaps.ts";
import type { Moods } from "./standout.ts";
import { withoutDefaults } from "./line.ts";
import { rawTables } from "./raw.ts";

const SAMPLE_LINES = 20;
const EMOTES = 12;
const BURSTS = 20;

interface Span extends Record<string, unknown> {
  readonly channelId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What happened in [atMs − aroundS, atMs + aroundS): sums of the finest windows that are kept, bursts, and lines that stand for many. */
export const answerMomentAt = defineAnswer(momentAt, async ({ channelId, atMs, aroundS }, ask) => {
  const span = { channelId, fromMs: atMs - aroundS * 1000, toMs: atMs + aroundS * 1000 };
  const [sums, emotes, hype, gaps, bursts, lines] = await Promise.all([
    sumsOf(ask, span),
    emotesOf(ask, span),
    ask<{ hype: number | null }>(
      `SELECT max(value) AS hype FROM hype FINAL
       WHERE channelId = {channelId:String} AND atMs >= {fromMs:Int64} AND atMs < {toMs:Int64}`,
      span,
    ),
    gapsOf(ask, span),
    burstsOf(ask, { ...span, limit: BURSTS }),
    linesOf(ask, span),
  ]);
  return {
    fromMs: span.fromMs,
    toMs: span.toMs,
    messages: sums.messages,
    chatters: lines.chatters || sums.chatters,
    hype: hype[0]?.hype ?? null,
    gapS: gapSecondsIn(gaps, span.fromMs, span.toMs),
    moods: sums.moods,
    emotes,
    bursts,
    lines: lines.sample,
    linesKept: lines.sample.length > 0 || sums.messages === 0,
  };
});

/** Windows of the finest size that this time still has. */
const FINEST = `channelId = {channelId:String} AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64} AND sizeS = (
  SELECT min(sizeS) FROM chat_windows WHERE channelId = {channelId:String} AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64} AND sizeS IN (1, 10))`;

async function sumsOf(ask: Ask, span: Span): Promise<{ messages: number; chatters: number; moods: Moods }> {
  const [row] = await ask<{ messages: number; chatters: number; moods: Moods }>(
    `SELECT sum(messages) AS messages, max(chatters) AS chatters, sumMap(moods) AS moods FROM chat_windows FINAL WHERE ${FINEST}`,
    span,
  );
  return row ?? { messages: 0, chatters: 0, moods: {} };
}

const emotesOf = (ask: Ask, span: Span): Promise<{ ref: string; name: string; uses: number }[]> =>
  ask(
    `SELECT e.1 AS ref, e.2 AS name, sum(e.3) AS uses
     FROM (SELECT arrayJoin(emotes) AS e FROM chat_windows FINAL WHERE ${FINEST})
     GROUP BY ref, name ORDER BY uses DESC, name LIMIT ${EMOTES}`,
    span,
  );

type Line = ChatLine & { similar: number };

/** Lines that are the same but for case and outer spaces stand for each other; the most repeated come first, then any. Shown in time order. */
async function linesOf(ask: Ask, span: Span): Promise<{ chatters: number; sample: Line[] }> {
  // A line of shared chat belongs to the channel where it was written.
  const HERE = `channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND sentAtMs < {toMs:Int64} AND sourceChannelId IN ('', channelId)`;
  const { lines: table } = rawTables(span.channelId);
  const [chosen, [who]] = await Promise.all([
    ask<{ id: string; similar: number }>(
      `SELECT argMin(id, (sentAtMs, id)) AS id, uniqExact(${table}.id) AS similar FROM ${table} WHERE ${HERE}
       GROUP BY lowerUTF8(trimBoth(text)) ORDER BY similar DESC, cityHash64(id) LIMIT ${SAMPLE_LINES}`,
      span,
    ),
    ask<{ chatters: number }>(`SELECT uniqExact(userId) AS chatters FROM ${table} WHERE ${HERE}`, span),
  ]);
  if (chosen.length === 0) return { chatters: 0, sample: [] };
  const rows = await ask<ChatLine>(
    `SELECT ${columnsOf(chatLine)} FROM ${table} WHERE ${HERE} AND id IN {ids:Array(String)} ORDER BY sentAtMs, id LIMIT 1 BY id`,
    { ...span, ids: chosen.map(({ id }) => id) },
  );
  const similar = new Map(chosen.map((row) => [row.id, row.similar]));
  return {
    chatters: who?.chatters ?? 0,
    sample: rows.map((row) => ({ ...withoutDefaults(row), similar: similar.get(row.id) ?? 1 })),
  };
}
