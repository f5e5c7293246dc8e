import { chatBurst, type ChatBurst } from "@hypecast/contracts/burst.ts";
import { moment, type Moment } from "@hypecast/contracts/moment.ts";
import { columnsOf, type Ask } from "../../questions/answer.ts";
import type { Span } from "./lines.ts";

/** How long chat takes to react in a channel, ± . */
export interface Lag {
  readonly lagMs: number;
  readonly errorMs: number;
  readonly learned: boolean;
}
/** Of a channel without a learned one: the mean and the width of streamproc/src/processors/lag-posterior.ts's prior. */
export const PRIOR_LAG: Lag = { lagMs: 6000, errorMs: 5000, learned: false };

/** What Twitch itself said: a raid, gifts. */
export interface Notice {
  readonly channelId: string;
  readonly sentAtMs: number;
  readonly kind: string;
  readonly login: string;
  readonly count: number;
}

/** What the folds know of the spans that are looked at. */
export interface Evidence {
  readonly bursts: readonly ChatBurst[];
  readonly moments: readonly Moment[];
  readonly lags: ReadonlyMap<string, Lag>;
}

/** A burst or moment that began so much before a span may still be what it speaks of. */
const BEFORE_MS = 120_000;

export async function evidenceOf(ask: Ask, spans: readonly Span[]): Promise<Evidence> {
  if (spans.length === 0) return { bursts: [], moments: [], lags: new Map() };
  const params: Record<string, unknown> = { channels: [...new Set(spans.map(({ channelId }) => channelId))] };
  // From the first to the last span of a channel: what lies between is little, and a condition a span costs the store more than it saves.
  const reach = new Map<string, { fromMs: number; toMs: number }>();
  for (const { channelId, fromMs, toMs } of spans) {
    const known = reach.get(channelId);
    reach.set(channelId, {
      fromMs: Math.min(known?.fromMs ?? Infinity, fromMs),
      toMs: Math.max(known?.toMs ?? -Infinity, toMs),
    });
  }
  const near = [...reach]
    .map(([channelId, { fromMs, toMs }], i) => {
      params[`channel${i}`] = channelId;
      params[`from${i}`] = Math.floor(fromMs) - BEFORE_MS;
      params[`to${i}`] = Math.ceil(toMs);
      return `(channelId = {channel${i}:String} AND startMs > {from${i}:Int64} AND startMs < {to${i}:Int64})`;
    })
    .join(" OR ");
  const [bursts, moments, lags] = await Promise.all([
    ask<ChatBurst>(`SELECT ${columnsOf(chatBurst)} FROM chat_bursts FINAL WHERE ${near}`, params),
    ask<Moment>(
      `SELECT ${columnsOf(moment)} FROM (SELECT * FROM moments FINAL WHERE ${near}) WHERE state != 'withdrawn'`,
      params,
    ),
    ask<Lag & { channelId: string }>(
      `SELECT channelId, argMax(lagMs, atMs) AS lagMs, argMax(errorMs, atMs) AS errorMs, argMax(learned, atMs) AS learned
       FROM reaction_lags WHERE channelId IN {channels:Array(String)} GROUP BY channelId`,
      params,
    ),
  ]);
  return {
    bursts,
    moments,
    lags: new Map(lags.map(({ channelId, ...lag }) => [channelId, lag])),
  };
}

/** Raids and gifts of a scope, oldest first. */
export async function noticesOf(
  ask: Ask,
  kinds: readonly string[],
  scope: { sql: string; params: Readonly<Record<string, unknown>> },
): Promise<Notice[]> {
  if (kinds.length === 0) return [];
  const where = `kind IN {kinds:Array(String)} AND ${scope.sql.replaceAll("startMs", "sentAtMs")}`;
  const columns = "channelId, sentAtMs, kind, login, count";
  return ask<Notice>(
    `SELECT ${columns} FROM (
       SELECT ${columns}, id FROM vod_notices WHERE ${where} UNION ALL SELECT ${columns}, id FROM chat_notices WHERE ${where}
     ) ORDER BY count DESC, sentAtMs LIMIT 1 BY id LIMIT 50`,
    { ...scope.params, kinds },
  );
}
