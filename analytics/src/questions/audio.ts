import { audio } from "@hypecast/contracts/question.ts";
import { defineAnswer } from "./answer.ts";
import { gridOf } from "./heatmap.ts";

interface Column {
  readonly startMs: number;
  readonly loudness: number | null;
  readonly aboveUsual: number;
  readonly onset: number;
  readonly voice: number;
}

/**
 * Sound of a span, widened to whole columns. A column says its loudest 400 ms, its highest rise above the usual and its strongest onset, so
 * that a shout shows in a column of minutes; speech is the mean. Null: no sound was measured there.
 */
export const answerAudio = defineAnswer(audio, async ({ channelId, fromMs, toMs, columns }, ask) => {
  const grid = gridOf(fromMs, toMs, columns);
  const rows = await ask<Column>(
    `SELECT {startMs:Int64} + intDiv(w.startMs - {startMs:Int64}, {stepMs:Int64}) * {stepMs:Int64} AS startMs,
            max(w.momentary) AS loudness, max(w.aboveUsual) AS aboveUsual, max(w.onset) AS onset, avg(w.voice) AS voice
     FROM (SELECT startMs, momentary, aboveUsual, onset, voice FROM audio_windows FINAL
           WHERE channelId = {channelId:String} AND startMs >= {startMs:Int64} AND startMs < {endMs:Int64}) AS w
     GROUP BY startMs`,
    { channelId, ...grid },
  );
  const cells = new Map(rows.map((row) => [row.startMs, row]));
  return {
    stepMs: grid.stepMs,
    columns: Array.from({ length: Math.round((grid.endMs - grid.startMs) / grid.stepMs) }, (_none, i) => {
      const startMs = grid.startMs + i * grid.stepMs;
      const cell = cells.get(startMs);
      return {
        startMs,
        loudness: cell?.loudness ?? null,
        aboveUsual: cell?.aboveUsual ?? null,
        onset: cell?.onset ?? null,
        voice: cell?.voice ?? null,
      };
    }),
  };
});
