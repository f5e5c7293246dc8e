import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modUserCard } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { actsOnce, EVENT_COLUMNS } from "./mod-acts.ts";
import { rawLines, withFates, type ContextLine } from "./mod-lines.ts";
import { rawTables } from "./raw.ts";

const MONTH_MS = 30 * 86_400_000;
const EVENTS = 50;
const EARLIER_NAMES = 10;

interface Days {
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
  const [names, [flagged], told, lines, [tracked]] = await Promise.all([
    // By name, the newest first.
    ask<Days>(
      `SELECT login, argMax(d.name, d.lastMs) AS name, argMax(d.badges, d.lastMs) AS badges, sum(d.messages) AS messages,
         sumIf(d.messages, day >= toDate(intDiv({sinceMs:Int64}, 1000), 'UTC')) AS lastMonth, min(d.firstMs) AS firstMs, max(d.lastMs) AS lastMs
       FROM chatter_days AS d WHERE channelId = {channelId:String} AND userId = {userId:String} GROUP BY login ORDER BY lastMs DESC`,
      of,
    ),
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
      `SELECT min(firstMs) AS ms FROM chatter_days WHERE channelId = {channelId:String}`,
      of,
    ),
  ]);
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
