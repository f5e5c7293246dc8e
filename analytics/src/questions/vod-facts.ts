import { vodFacts } from "@hypecast/contracts/question.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { rawTables } from "./raw.ts";

/** What is stored of a stream's channel in [fromMs, toMs). While it is being imported the numbers grow. */
export const answerVodFacts = defineAnswer(vodFacts, async (asked, ask) => {
  const { lines: table } = rawTables(asked.channelId);
  const here = (time: string): string =>
    `channelId = {channelId:String} AND ${time} >= {fromMs:Int64} AND ${time} < {toMs:Int64}`;
  const [[lines], [chunks], windows, hype, moments, embedded] = await Promise.all([
    ask<{ lines: number; chatters: number; upToMs: number }>(
      `SELECT count() AS lines, uniqExact(userId) AS chatters, max(sentAtMs) AS upToMs FROM ${table} WHERE ${here("sentAtMs")}`,
      asked,
    ),
    ask<{ chunks: number; upToMs: number }>(
      `SELECT uniqExact(id) AS chunks, max(endMs) AS upToMs FROM chat_chunks WHERE ${here("startMs")}`,
      asked,
    ),
    ask<Stretch>(
      `SELECT startMs AS fromMs, startMs + sizeS * 1000 AS toMs, messages / (sizeS - gapS) * 60 AS value FROM chat_windows FINAL
       WHERE ${here("startMs")} AND sizeS = {sizeS:UInt16} AND gapS < sizeS ORDER BY startMs`,
      { ...asked, sizeS: asked.toMs - asked.fromMs > LONG_MS ? 60 : 10 },
    ),
    ask<Stretch>(
      `SELECT atMs - 5000 AS fromMs, atMs AS toMs, value FROM hype FINAL
       WHERE ${here("atMs")} AND value IS NOT NULL ORDER BY atMs`,
      asked,
    ),
    ask<Best>(
      `SELECT kind, subject, score, startMs, endMs, onsetMs, chatOnsetMs FROM (SELECT * FROM moments FINAL WHERE channelId = {channelId:String})
       WHERE state != 'withdrawn' AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64} ORDER BY score DESC, startMs`,
      asked,
    ),
    embeddedIn(ask, asked),
  ]);
  const best = moments[0];
  return {
    lines: lines?.lines ?? 0,
    chatters: lines?.chatters ?? 0,
    moments: moments.length,
    chunks: chunks?.chunks ?? 0,
    embedded,
    rate: columnsOf(windows, asked, meanOf),
    hype: columnsOf(hype, asked, highOf),
    best:
      best === undefined
        ? null
        : {
            atMs: best.onsetMs,
            kind: best.kind,
            subject: best.subject,
            quote: await quoteOf(ask, table, asked.channelId, best),
          },
    linesUpToMs: lines?.upToMs || null,
    windowsUpToMs: windows.at(-1)?.toMs ?? null,
    chunksUpToMs: chunks?.upToMs || null,
  };
});

/** A longer span is read from windows of a minute. */
const LONG_MS = 4 * 3_600_000;

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly value: number;
}
interface Columns {
  readonly fromMs: number;
  readonly toMs: number;
  readonly columns: number;
}

/** One value a column of the stretches that touch it, null where none does. `stretches` are in order and do not overlap. */
export function columnsOf(
  stretches: readonly Stretch[],
  { fromMs, toMs, columns }: Columns,
  valueOf: (values: number[]) => number,
): (number | null)[] {
  let first = 0;
  return Array.from({ length: columns }, (_, column) => {
    const beginMs = fromMs + ((toMs - fromMs) * column) / columns;
    const endMs = fromMs + ((toMs - fromMs) * (column + 1)) / columns;
    while (first < stretches.length && stretches[first]!.toMs <= beginMs) first++;
    const values: number[] = [];
    for (let at = first; at < stretches.length && stretches[at]!.fromMs < endMs; at++)
      values.push(stretches[at]!.value);
    return values.length === 0 ? null : valueOf(values);
  });
}
const meanOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
/** The ninth decile, as the heatmap takes it. */
const highOf = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(0.9 * (values.length - 1) + 0.5)]!;

interface Best {
  kind: string;
  subject: string;
  startMs: number;
  endMs: number;
  onsetMs: number;
  chatOnsetMs: number | null;
}

/** A line of the reaction that says something: the one that most people wrote, a longer one before a shorter. Empty: there is none. */
async function quoteOf(ask: Ask, table: string, channelId: string, best: Best): Promise<string> {
  const [row] = await ask<{ quote: string }>(
    `SELECT argMin(text, (sentAtMs, id)) AS quote FROM ${table}
     WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} AND sentAtMs <= {toMs:Int64}
       AND lengthUTF8(text) BETWEEN 8 AND 90 AND position(text, ' ') > 0 AND NOT startsWith(text, '!') AND NOT startsWith(text, '@') AND position(text, '://') = 0
     GROUP BY lowerUTF8(trimBoth(text)) ORDER BY uniqExact(userId) DESC, least(lengthUTF8(quote), 40) DESC, cityHash64(quote) LIMIT 1`,
    { channelId, fromMs: best.chatOnsetMs ?? best.onsetMs, toMs: best.endMs },
  );
  return row?.quote ?? "";
}

/** Chunks with a vector. The table comes with the part that makes them. */
async function embeddedIn(
  ask: Ask,
  asked: { channelId: string; fromMs: number; toMs: number },
): Promise<number> {
  const [table] = await ask<{ n: number }>(
    "SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name = 'chunk_vectors'",
    {},
  );
  if (table?.n !== 1) return 0;
  const [row] = await ask<{ n: number }>(
    "SELECT uniqExact(chunkId) AS n FROM chunk_vectors WHERE channelId = {channelId:String}",
    asked,
  );
  return row?.n ?? 0;
}
