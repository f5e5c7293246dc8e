import { FORECAST_HORIZONS_MIN, forecastOutcome, type ForecastOutcome } from "@hypecast/contracts/hype.ts";
import { forecastRecord } from "@hypecast/contracts/question.ts";
import { columnsOf, defineAnswer } from "./answer.ts";

/** How the forecasts since `sinceMs` have come out. Precision and recall of bursts count a call from a chance of one half on. */
export const answerForecastRecord = defineAnswer(forecastRecord, async (asked, ask) => {
  const [calls, kinds] = await Promise.all([
    ask<ForecastOutcome>(
      `SELECT ${columnsOf(forecastOutcome)} FROM forecast_outcomes FINAL
       WHERE channelId = {channelId:String} AND kind = 'rate1' AND atMs >= {sinceMs:Int64}
       ORDER BY atMs DESC LIMIT {limit:UInt32}`,
      asked,
    ),
    ask<{ kind: string; n: number; hits: number; calls: number; comings: number; right: number }>(
      `SELECT kind, count() AS n, countIf(hit) AS hits, countIf(said >= 0.5) AS calls, countIf(came >= 0.5) AS comings,
              countIf(said >= 0.5 AND came >= 0.5) AS right
       FROM forecast_outcomes FINAL WHERE channelId = {channelId:String} AND atMs >= {sinceMs:Int64} GROUP BY kind`,
      asked,
    ),
  ]);
  const of = (kind: string) => kinds.find((row) => row.kind === kind);
  const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  const burst = of("burst");
  return {
    calls: calls.toReversed(),
    hits: calls.filter(({ hit }) => hit).length,
    coverage: FORECAST_HORIZONS_MIN.map((minutes) => {
      const row = of(`rate${minutes}`);
      return { minutes, inside: share(row?.hits ?? 0, row?.n ?? 0), n: row?.n ?? 0 };
    }),
    precision: share(burst?.right ?? 0, burst?.calls ?? 0),
    recall: share(burst?.right ?? 0, burst?.comings ?? 0),
    n: burst?.n ?? 0,
  };
});
