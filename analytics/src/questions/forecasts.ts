import { hypeForecast, type HypeForecast } from "@hypecast/contracts/hype.ts";
import { forecasts } from "@hypecast/contracts/question.ts";
import { columnsOf, defineAnswer } from "./answer.ts";

/** Forecasts made in [fromMs, toMs), oldest first; the newest `limit` of them. */
export const answerForecasts = defineAnswer(forecasts, async (asked, ask) => {
  const rows = await ask<HypeForecast & { horizons: NonNullable<HypeForecast["horizons"]> }>(
    `SELECT ${columnsOf(hypeForecast)} FROM forecasts FINAL
     WHERE channelId = {channelId:String} AND atMs >= {fromMs:Int64} AND atMs < {toMs:Int64}
     ORDER BY atMs DESC LIMIT {limit:UInt32}`,
    asked,
  );
  // The store has no null for a list: none said is an empty one there.
  return {
    forecasts: rows
      .toReversed()
      .map((row) => ({ ...row, horizons: row.horizons.length === 0 ? null : row.horizons })),
  };
});
