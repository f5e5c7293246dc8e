import { OUTCOMES } from "@hypecast/contracts/desk.ts";
import type { JournalAct, JournalEntry } from "@hypecast/contracts/journal.ts";
import { SEVERITIES, type Severity } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modEffectOf } from "@hypecast/contracts/question-mod.ts";
import { TOXIC_FROM, toxicitySpike, type ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import { columnsOf, defineAnswer, type Ask } from "./answer.ts";
import { actsOnce } from "./mod-acts.ts";
import { decisionsOf, RIGHT, WRONG } from "./mod-decisions.ts";
import { actsBySteps, actsDone, measureOf, type Done } from "./mod-effect/acts.ts";
import { compareMeasures, LONGEST_MS, WINDOW_MS, type SpikeTime } from "./mod-effect/half-life.ts";
import { loadOf } from "./mod-effect/load.ts";
import { measuredMedian, measuredShare, type Measured } from "./mod-effect/statistics.ts";
import { listOf } from "./mod-text.ts";
import { weeksOf } from "./mod-precision.ts";

const DAY_MS = 86_400_000;
const STEPS_S = [10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 86_400];
const COLUMNS = 300;
const SPIKES = 200;
const ACTIONS = 2000;
/** What spikes are compared with lies no further back, and is no more. */
const HISTORY_MS = 90 * DAY_MS;
const HISTORY_SPIKES = 400;
/** A longer spike is followed so far. */
const SPIKE_MS = 30 * 60_000;
const MOST_ROWS = 100_000;
/** Fewer are too few to say. */
const LEAST_CASES = 5;
const LEAST_OF_SHARE = 10;
const REPEAT_MS = 7 * DAY_MS;
/** So long flagged lines are known by who wrote them. */
const SCORES_MS = 30 * DAY_MS;

type Span = {
  readonly channelId: string;
  readonly fromMs: number;
  readonly toMs: number;
};

/** How each figure is made and what it does not say: docs/effect.md. */
export const answerModEffect = defineAnswer(modEffectOf, async (asked, ask, nowMs) => {
  const stepMs = stepFor(asked.toMs - asked.fromMs);
  const [columns, spikes, entries, events, cases, repeat7d, autoMod, decisions] = await Promise.all([
    columnsOfSpan(ask, asked, stepMs),
    ask<ToxicitySpike>(
      `SELECT ${columnsOf(toxicitySpike)} FROM toxicity_spikes FINAL
       WHERE channelId = {channelId:String} AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64} ORDER BY startMs DESC, id LIMIT ${SPIKES}`,
      asked,
    ),
    entriesOf(ask, asked, "1"),
    eventsOf(ask, asked, "1"),
    casesOf(ask, asked),
    repeats(ask, asked, nowMs),
    autoModOf(ask, asked),
    decisionsOf(ask, asked),
  ]);
  const done = actsDone(entries, actsOnce(events));
  return {
    ...{ fromMs: asked.fromMs, toMs: asked.toMs, stepMs, columns, spikes: spikes.toReversed() },
    actions: actsBySteps(done, Math.min(stepMs, 60_000), ACTIONS),
    ...onCases(cases, entries),
    repeat7d,
    measures: await measuresOf(ask, asked),
    autoMod,
    precision: weeksOf(decisions),
    load: loadOf(entries.filter(({ act }) => !(OUTCOMES as readonly JournalAct[]).includes(act))),
  };
});

const stepFor = (spanMs: number): number =>
  (STEPS_S.find((stepS) => spanMs / (stepS * 1000) <= COLUMNS) ?? STEPS_S.at(-1)!) * 1000;

interface Column {
  readonly startMs: number;
  readonly toxicPerMin: number | null;
  readonly usualPerMin: number | null;
  readonly unknown: number;
}

async function columnsOfSpan(ask: Ask, span: Span, stepMs: number): Promise<Column[]> {
  const rows = await ask<{
    startMs: number;
    toxic: number;
    unknown: number;
    heardS: number;
    usual: number | null;
  }>(
    `SELECT intDiv(w.startMs, {stepMs:Int64}) * {stepMs:Int64} AS startMs, sum(w.toxic) AS toxic, sum(w.unknown) AS unknown,
       sumIf(w.sizeS - w.gapS, w.scored > 0 OR w.unknown = 0) AS heardS, avg(w.usualPerMin) AS usual
     FROM toxicity_windows AS w FINAL WHERE w.channelId = {channelId:String} AND w.startMs >= {fromMs:Int64} AND w.startMs < {toMs:Int64} GROUP BY startMs`,
    { ...span, stepMs },
  );
  const byStart = new Map(rows.map((row) => [row.startMs, row]));
  const columns: Column[] = [];
  for (let startMs = Math.floor(span.fromMs / stepMs) * stepMs; startMs < span.toMs; startMs += stepMs) {
    const row = byStart.get(startMs);
    // What nobody heard or scored is neither toxic nor clean.
    const isKnown = row !== undefined && row.heardS > 0;
    columns.push({
      startMs,
      toxicPerMin: isKnown ? Math.round((row.toxic / row.heardS) * 60_000) / 1000 : null,
      usualPerMin: row?.usual ?? null,
      unknown: row?.unknown ?? 0,
    });
  }
  return columns;
}

type Entry = Pick<JournalEntry, "id" | "atMs" | "act" | "by" | "durationS" | "caseId" | "of"> & {
  outcome: string;
};

/** Entries that people made, oldest first, each with what became of it; an undo under the name of what it does. */
async function entriesOf(ask: Ask, span: Span, when: string): Promise<Entry[]> {
  const rows = await ask<Entry>(
    `SELECT e.id AS id, e.atMs AS atMs, e.act AS act, e.by AS by, e.durationS AS durationS, e.caseId AS caseId, e.of AS of, o.outcome AS outcome FROM (
       SELECT id, atMs, act, \`by\`, durationS, caseId, of FROM journal FINAL
       WHERE channelId = {channelId:String} AND atMs >= {fromMs:Int64} AND atMs < {toMs:Int64} AND act NOT IN ${listOf(OUTCOMES)} AND (${when})
       ORDER BY number DESC LIMIT ${MOST_ROWS}
     ) AS e LEFT JOIN (
       SELECT ifNull(of, '') AS about, if(countIf(act != 'sending') > 0, argMaxIf(act, number, act != 'sending'), 'sending') AS outcome
       FROM journal FINAL WHERE channelId = {channelId:String} AND atMs >= {fromMs:Int64} AND act IN ${listOf(OUTCOMES)} GROUP BY about
     ) AS o ON o.about = e.id ORDER BY e.atMs, e.id`,
    span,
  );
  const acts = new Map(rows.map(({ id, act }) => [id, act]));
  const undoing: Partial<Record<JournalAct, JournalAct>> = { timeout: "untimeout", ban: "unban" };
  return rows.map((entry) => {
    const undone = entry.act === "undo" ? acts.get(entry.of ?? "") : undefined;
    return undone === undefined ? entry : { ...entry, act: undoing[undone] ?? undone, durationS: 0 };
  });
}

type Told = Pick<
  ModEvent,
  | "atMs"
  | "action"
  | "heardBy"
  | "moderatorId"
  | "moderatorLogin"
  | "targetUserId"
  | "targetMessageId"
  | "durationS"
>;

const eventsOf = async (ask: Ask, span: Span, when: string): Promise<Told[]> =>
  ask<Told>(
    `SELECT atMs, action, heardBy, moderatorId, moderatorLogin, targetUserId, targetMessageId, durationS FROM (
       SELECT * FROM mod_events FINAL WHERE channelId = {channelId:String})
     WHERE atMs >= {fromMs:Int64} AND atMs < {toMs:Int64} AND sourceChannelId = '' AND (${when}) ORDER BY atMs DESC LIMIT ${MOST_ROWS}`,
    span,
  );

interface CaseTimes {
  readonly id: string;
  readonly severity: Severity;
  readonly firstAtMs: number;
  readonly removedMs: number;
}

const casesOf = async (ask: Ask, span: Span): Promise<CaseTimes[]> =>
  ask<CaseTimes>(
    `SELECT id, severity, firstAtMs, removedAtMs AS removedMs FROM mod_cases FINAL
     WHERE channelId = {channelId:String} AND firstAtMs >= {fromMs:Int64} AND firstAtMs < {toMs:Int64} ORDER BY firstAtMs DESC LIMIT ${MOST_ROWS}`,
    span,
  );

/** How soon and how often somebody acted: by our journal, or at Twitch, by whose hand so ever. What people dismissed is no case to act on. */
export function onCases(
  cases: readonly CaseTimes[],
  entries: readonly Pick<Entry, "act" | "caseId" | "atMs">[],
): { timeToActionS: Record<Severity, Measured>; acted: Record<Severity, Measured> } {
  const first = new Map<string, number>();
  const dismissed = new Set<string>();
  for (const { act, caseId, atMs } of entries) {
    if (caseId === null) continue;
    if ((RIGHT as readonly JournalAct[]).includes(act))
      first.set(caseId, Math.min(first.get(caseId) ?? atMs, atMs));
    else if ((WRONG as readonly JournalAct[]).includes(act)) dismissed.add(caseId);
  }
  const of = (severity: Severity): { times: number[]; n: number } => {
    const times: number[] = [];
    let n = 0;
    for (const one of cases) {
      if (one.severity !== severity) continue;
      const atMs = Math.min(first.get(one.id) ?? Infinity, one.removedMs === 0 ? Infinity : one.removedMs);
      if (atMs !== Infinity) times.push(Math.max(0, atMs - one.firstAtMs) / 1000);
      else if (dismissed.has(one.id)) continue;
      n++;
    }
    return { times, n };
  };
  const all = SEVERITIES.map((severity) => [severity, of(severity)] as const);
  return {
    timeToActionS: Object.fromEntries(
      all.map(([severity, { times }]) => [severity, measuredMedian(times, LEAST_CASES)]),
    ) as Record<Severity, Measured>,
    acted: Object.fromEntries(
      all.map(([severity, { times, n }]) => [severity, measuredShare(times.length, n, LEAST_OF_SHARE)]),
    ) as Record<Severity, Measured>,
  };
}

/** Of people whom somebody acted on and who could go on writing: how many wrote something toxic again. Only where the seven days are over. */
async function repeats(ask: Ask, span: Span, nowMs: number): Promise<Measured> {
  const fromMs = Math.max(span.fromMs, nowMs - SCORES_MS);
  const toMs = Math.min(span.toMs, nowMs - REPEAT_MS);
  if (fromMs >= toMs) return measuredShare(0, 0, LEAST_OF_SHARE);
  const [row] = await ask<{ n: number; again: number }>(
    `SELECT count() AS n, countIf(wrote > 0) AS again FROM (
       SELECT acted.targetUserId AS who, countIf(line.sentAtMs > acted.freeMs AND line.sentAtMs <= acted.firstMs + ${REPEAT_MS}) AS wrote
       FROM (
         SELECT targetUserId, min(atMs) AS firstMs, argMin(atMs + durationS * 1000, atMs) AS freeMs FROM mod_events FINAL
         WHERE channelId = {channelId:String} AND sourceChannelId = '' AND targetUserId != '' AND action IN ('timeout', 'delete', 'warn')
         GROUP BY targetUserId HAVING firstMs >= {fromMs:Int64} AND firstMs < {toMs:Int64}
       ) AS acted
       LEFT JOIN (
         SELECT userId, sentAtMs FROM toxicity_scores WHERE channelId = {channelId:String} AND toxicity >= ${TOXIC_FROM}
           AND sentAtMs >= {fromMs:Int64} AND sentAtMs < {toMs:Int64} + ${REPEAT_MS}
       ) AS line ON line.userId = acted.targetUserId
       GROUP BY who
     )`,
    { channelId: span.channelId, fromMs, toMs },
  );
  return measuredShare(row?.again ?? 0, row?.n ?? 0, LEAST_OF_SHARE);
}

/** Where AutoMod and our model met: on messages that it held and somebody let through, and on our critical cases. */
async function autoModOf(
  ask: Ask,
  span: Span,
): Promise<{ held: number; weFlagged: Measured; ofCriticalHeld: Measured }> {
  const told = (action: string, more = ""): string =>
    `(SELECT DISTINCT targetMessageId FROM mod_events WHERE channelId = {channelId:String} AND action = '${action}' ${more}
      AND atMs >= {fromMs:Int64} - ${DAY_MS} AND atMs < {toMs:Int64} + ${DAY_MS})`;
  const through = told("automod_update", "AND detail['status'] = 'approved'");
  const [row] = await ask<Record<"held" | "through" | "flagged" | "critical" | "criticalHeld", number>>(
    `SELECT
       (SELECT uniqExact(targetMessageId) FROM mod_events WHERE channelId = {channelId:String} AND action = 'automod_hold' AND atMs >= {fromMs:Int64} AND atMs < {toMs:Int64}) AS held,
       (SELECT count() FROM ${through}) AS through,
       (SELECT uniqExact(lineId) FROM toxicity_scores WHERE channelId = {channelId:String} AND sentAtMs >= {fromMs:Int64} - ${DAY_MS} AND lineId IN ${through}) AS flagged,
       countIf(severity = 'critical') AS critical, countIf(severity = 'critical' AND lineId IN ${told("automod_hold")}) AS criticalHeld
     FROM mod_cases FINAL WHERE channelId = {channelId:String} AND firstAtMs >= {fromMs:Int64} AND firstAtMs < {toMs:Int64} AND score > 0`,
    span,
  );
  return {
    held: row?.held ?? 0,
    weFlagged: measuredShare(row?.flagged ?? 0, row?.through ?? 0, LEAST_OF_SHARE),
    ofCriticalHeld: measuredShare(row?.criticalHeld ?? 0, row?.critical ?? 0, LEAST_OF_SHARE),
  };
}

/** Measures against like spikes without one, over the span and the history before it. Windows count what is toxic, so floods without hate have no course. */
async function measuresOf(ask: Ask, span: Span): Promise<ReturnType<typeof compareMeasures>> {
  const history = { ...span, fromMs: Math.min(span.fromMs, span.toMs - HISTORY_MS) };
  const ofHistory = `SELECT id, kind, startMs, endMs, usualPerMin FROM toxicity_spikes FINAL
    WHERE channelId = {channelId:String} AND startMs >= {fromMs:Int64} AND startMs < {toMs:Int64} AND state = 'ended' AND kind IN ('toxicity', 'hate_raid')
    ORDER BY startMs DESC LIMIT ${HISTORY_SPIKES}`;
  const windowsOf = (beforeMs: number, afterMs: number): string =>
    `(SELECT intDiv(startMs, ${WINDOW_MS}) * ${WINDOW_MS} + arrayJoin(range(-${beforeMs / WINDOW_MS},
       toInt32(intDiv(least(ifNull(endMs, startMs), startMs + ${SPIKE_MS}) - startMs + ${afterMs}, ${WINDOW_MS})))) * ${WINDOW_MS} FROM (${ofHistory}))`;
  const during = `intDiv(atMs, ${WINDOW_MS}) * ${WINDOW_MS} IN ${windowsOf(60_000, 60_000)}`;
  const [spikes, windows, entries, events] = await Promise.all([
    ask<SpikeTime>(ofHistory, history),
    ask<{ startMs: number; toxic: number; isKnown: number }>(
      `SELECT startMs, toxic, gapS <= 5 AND (scored > 0 OR unknown = 0) AS isKnown FROM toxicity_windows FINAL
       WHERE channelId = {channelId:String} AND startMs IN ${windowsOf(60_000, LONGEST_MS + 60_000)}`,
      history,
    ),
    entriesOf(ask, history, during),
    eventsOf(ask, history, during),
  ]);
  const toxic = new Map(windows.map((one) => [one.startMs, one.isKnown === 1 ? one.toxic : null]));
  const acts = actsDone(entries, actsOnce(events)).flatMap(({ atMs, act }: Done) => {
    const measure = measureOf(act);
    return measure === null ? [] : [{ atMs, measure }];
  });
  return compareMeasures(spikes, acts, () => (startMs) => toxic.get(startMs) ?? null);
}
