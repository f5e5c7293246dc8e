import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modUserCard } from "@hypecast/contracts/question-mod.ts";
import { HOUR_MS } from "../chatters.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { actsOnce, EVENT_COLUMNS } from "./mod-acts.ts";
import { rawLines, withFates, type ContextLine } from "./mod-lines.ts";
import { rawTables } from "./raw.ts";

const MONTH_MS = 30 * 86_400_000;
const EVENTS = 50;
const EARLIER_NAMES = 10;
/** Of hours that are not counted yet, so many lines. */
const FRESH_LINES = 5000;

/** How often and since when somebody wrote under one name. */
interface Written {
  readonly login: string;
  readonly name: string;
  readonly badges: string;
  readonly messages: number;
  readonly lastMonth: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export const answerModUser = defineAnswer(modUserCard, async (asked, ask, nowMs) => {
  const { channelId, userId, showRemovedFromMs } = asked;
  const sinceMs = nowMs - MONTH_MS;
  const of = { channelId, userId, sinceMs };
  const [counted, fresh, [flagged], told, lines, [tracked]] = await Promise.all([
    ask<Written>(
      `SELECT login, argMax(h.name, h.lastMs) AS name, argMax(h.badges, h.lastMs) AS badges, sum(h.messages) AS messages,
         sumIf(h.messages, h.lastMs >= {sinceMs:Int64}) AS lastMonth, min(h.firstMs) AS firstMs, max(h.lastMs) AS lastMs
       FROM chatter_hours AS h FINAL WHERE channelId = {channelId:String} AND userId = {userId:String} GROUP BY login`,
      of,
    ),
    freshlyWritten(ask, channelId, userId),
    ask<{ n: number }>(
      `SELECT uniqExact(lineId) AS n FROM toxicity_scores
       WHERE channelId = {channelId:String} AND userId = {userId:String} AND sentAtMs >= {sinceMs:Int64}`,
      of,
    ),
    ask<ModEvent>(
      `SELECT ${EVENT_COLUMNS} FROM mod_events FINAL WHERE channelId = {channelId:String} AND targetUserId = {userId:String}
       ORDER BY atMs DESC, id LIMIT ${2 * EVENTS}`,
      of,
    ),
    lastLines(ask, channelId, userId, asked.lines, showRemovedFromMs),
    ask<{ ms: number }>(
      `SELECT min(ms) AS ms FROM (
         SELECT min(firstMs) AS ms FROM chatter_hours WHERE channelId = {channelId:String} HAVING count() > 0
         UNION ALL SELECT min(sentAtMs) FROM ${rawTables(channelId).lines} WHERE channelId = {channelId:String} HAVING count() > 0)`,
      of,
    ),
  ]);
  const names = byName([...counted, ...fresh]);
  const newest = names[0];
  const events = actsOnce(told);
  const status = events.find(({ action }) => action.startsWith("suspicious_"))?.detail["status"];
  return {
    userId,
    login: newest?.login ?? lines[0]?.login ?? events[0]?.targetLogin ?? "",
    name: newest === undefined || newest.name === "" ? (newest?.login ?? "") : newest.name,
    earlierNames: names.slice(1, 1 + EARLIER_NAMES).map(({ login }) => login),
    firstSeenMs: names.length === 0 ? null : Math.min(...names.map(({ firstMs }) => firstMs)),
    messages: names.reduce((sum, { messages }) => sum + messages, 0),
    flagged: flagged?.n ?? 0,
    scored: names.reduce((sum, { lastMonth }) => sum + lastMonth, 0),
    badges: newest?.badges ?? "",
    suspicious: status === undefined || status === "none" || status === "no_treatment" ? null : status,
    events: events.slice(0, EVENTS),
    lines,
    trackedSinceMs: tracked === undefined || tracked.ms === 0 ? null : tracked.ms,
  };
});

/** Lines of hours that are not over, or not counted yet: who wrote in a counted hour stands in its count. */
async function freshlyWritten(ask: Ask, channelId: string, userId: string): Promise<Written[]> {
  const times = await ask<{ sentAtMs: number }>(
    `SELECT DISTINCT sentAtMs FROM ${rawTables(channelId).lines} WHERE userId = {userId:String} AND channelId = {channelId:String}
       AND intDiv(sentAtMs, ${HOUR_MS}) NOT IN (SELECT hour FROM chatter_hours WHERE channelId = {channelId:String} AND userId = {userId:String})
     ORDER BY sentAtMs DESC LIMIT ${FRESH_LINES}`,
    { channelId, userId },
  );
  if (times.length === 0) return [];
  const lines = await rawLines(
    ask,
    `sentAtMs IN (${times.map(({ sentAtMs }) => sentAtMs).join()}) AND userId = {userId:String} AND sourceChannelId IN ('', {channelId:String})`,
    "ORDER BY sentAtMs LIMIT 1 BY id",
    { channelId, userId },
  );
  return lines.map(({ login, name = "", badges = "", sentAtMs }) => ({
    ...{ login, name, badges, messages: 1, lastMonth: 1, firstMs: sentAtMs, lastMs: sentAtMs },
  }));
}

/** One a name, the newest first. */
function byName(written: readonly Written[]): Written[] {
  const names = new Map<string, Written>();
  for (const one of written) {
    const known = names.get(one.login);
    if (known === undefined) {
      names.set(one.login, one);
      continue;
    }
    const newer = one.lastMs >= known.lastMs ? one : known;
    names.set(one.login, {
      ...newer,
      messages: known.messages + one.messages,
      lastMonth: known.lastMonth + one.lastMonth,
      firstMs: Math.min(known.firstMs, one.firstMs),
    });
  }
  return [...names.values()].toSorted((a, b) => b.lastMs - a.lastMs);
}

/** The newest lines, oldest first. Their times come from the projection by viewer, the lines from their place. */
async function lastLines(
  ask: Ask,
  channelId: string,
  userId: string,
  limit: number,
  showRemovedFromMs: number,
): Promise<ContextLine[]> {
  if (limit === 0) return [];
  const times = await ask<{ sentAtMs: number }>(
    `SELECT DISTINCT sentAtMs FROM ${rawTables(channelId).lines} WHERE userId = {userId:String} AND channelId = {channelId:String}
     ORDER BY sentAtMs DESC LIMIT {limit:UInt32}`,
    { channelId, userId, limit },
  );
  if (times.length === 0) return [];
  const lines = await rawLines(
    ask,
    `sentAtMs IN (${times.map(({ sentAtMs }) => sentAtMs).join()}) AND userId = {userId:String}`,
    "ORDER BY sentAtMs DESC, id LIMIT 1 BY id LIMIT {limit:UInt32}",
    { channelId, userId, limit },
  );
  return withFates(ask, channelId, lines.toReversed(), showRemovedFromMs);
}
