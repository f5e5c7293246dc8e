import { modReport, type ModReport } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modRecent } from "@hypecast/contracts/question-mod.ts";
import {
  toxicitySpike,
  toxicityWindow,
  type ToxicitySpike,
  type ToxicityWindow,
} from "@hypecast/contracts/toxicity.ts";
import { columnsOf, defineAnswer } from "./answer.ts";
import { actsOnce, EVENT_COLUMNS } from "./mod-acts.ts";

const SPIKES = 200;
const WINDOWS = 2000;
const REPORTS = 200;
/** A spike that began so long before may still be open. */
const LONGEST_SPIKE_MS = 86_400_000;

export const answerModRecent = defineAnswer(modRecent, async ({ channelId, sinceMs, events }, ask) => {
  const of = { channelId, sinceMs };
  const [spikes, windows, told, reports, [scoring]] = await Promise.all([
    ask<ToxicitySpike>(
      `SELECT ${columnsOf(toxicitySpike)} FROM toxicity_spikes FINAL
       WHERE channelId = {channelId:String} AND startMs >= {sinceMs:Int64} - ${LONGEST_SPIKE_MS} AND (endMs IS NULL OR endMs >= {sinceMs:Int64})
       ORDER BY startMs DESC, id LIMIT ${SPIKES}`,
      of,
    ),
    ask<ToxicityWindow>(
      `SELECT ${columnsOf(toxicityWindow)} FROM toxicity_windows FINAL
       WHERE channelId = {channelId:String} AND startMs >= {sinceMs:Int64} ORDER BY startMs DESC LIMIT ${WINDOWS}`,
      of,
    ),
    events === 0
      ? []
      : ask<ModEvent>(
          `SELECT ${EVENT_COLUMNS} FROM mod_events FINAL WHERE channelId = {channelId:String} AND atMs >= {sinceMs:Int64}
           ORDER BY atMs DESC, id LIMIT {most:UInt32}`,
          { ...of, most: 2 * events + 100 },
        ),
    ask<ModReport>(
      `SELECT ${columnsOf(modReport.schema)} FROM mod_reports FINAL WHERE channelId = {channelId:String} AND atMs >= {sinceMs:Int64}
       ORDER BY atMs DESC, id LIMIT ${REPORTS}`,
      of,
    ),
    ask<{ scored: number; unknown: number; model: string; upToMs: number }>(
      `SELECT sum(written - missed) AS scored, sum(missed) AS unknown, argMaxIf(by, untilMs, by != '') AS model, max(untilMs) AS upToMs
       FROM (SELECT id, any(lines) AS written, any(unknown) AS missed, any(model) AS by, any(toMs) AS untilMs FROM toxicity_packs
         WHERE channelId = {channelId:String} AND fromMs >= {sinceMs:Int64} GROUP BY id)`,
      of,
    ),
  ]);
  return {
    spikes,
    windows: windows.toReversed(),
    events: actsOnce(told).slice(0, events),
    reports,
    scored: scoring?.scored ?? 0,
    unknown: scoring?.unknown ?? 0,
    model: scoring === undefined || scoring.model === "" ? null : scoring.model,
    scoredUpToMs: scoring === undefined || scoring.upToMs === 0 ? null : scoring.upToMs,
  };
});
