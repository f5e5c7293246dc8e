import { heatmap } from "@hypecast/contracts/question.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { gapSecondsIn, gapsOf, type Gap } from "./gaps.ts";
import { standoutMood, type Moods } from "./standout.ts";

/** Steps that divide minutes, hours and days, each with the longest window size that divides it, in seconds. */
const STEPS_S: readonly (readonly [step: number, size: number])[] = [
  ...([[1, 1], [2, 1], [5, 1], [10, 10], [20, 10], [30, 30]] as const),
  ...[60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400].map((step) => [step, 60] as const),
]; // prettier-ignore
const DAY_S = 86_400;

export interface Grid {
  readonly stepMs: number;
  readonly sizeS: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** The finest grid, aligned to the epoch, that covers [fromMs, toMs) with at most `columns` columns; `leastS` is its finest step. */
export function gridOf(fromMs: number, toMs: number, columns: number, leastS = 1): Grid {
  const fit = (stepS: number, sizeS: number): Grid | null => {
    const stepMs = stepS * 1000;
    const startMs = Math.floor(fromMs / stepMs) * stepMs;
    const endMs = Math.max(startMs + stepMs, Math.ceil(toMs / stepMs) * stepMs);
    return (endMs - startMs) / stepMs <= columns ? { stepMs, sizeS, startMs, endMs } : null;
  };
  for (const [stepS, sizeS] of STEPS_S) {
    const grid = stepS >= leastS ? fit(stepS, sizeS) : null;
    if (grid) return grid;
  }
  for (let days = 2; ; days++) {
    const grid = fit(days * DAY_S, 60);
    if (grid) return grid;
    // One column cannot be made to cover a boundary of every step: the span lies in two days of any length.
    if (days * DAY_S * 1000 > 4 * (toMs - fromMs) && columns < 2)
      return { stepMs: days * DAY_S * 1000, sizeS: 60, startMs: fromMs, endMs: fromMs + days * DAY_S * 1000 };
  }
}

interface Measured {
  readonly startMs: number;
  readonly messages: number;
  readonly heardS: number;
  readonly chatters: number;
  readonly moods: Moods;
}

/** A second in which somebody wrote was heard, however a gap's edge cuts into it. */
async function measured(ask: Ask, channelId: string, grid: Grid): Promise<Map<number, Measured>> {
  const rows = await ask<Measured>(
    `SELECT {startMs:Int64} + intDiv(startMs - {startMs:Int64}, {stepMs:Int64}) * {stepMs:Int64} AS startMs,
            sum(w.messages) AS messages, count() * {sizeS:UInt16} - if({sizeS:UInt16} = 1, 0, sum(w.gapS)) AS heardS, max(w.chatters) AS chatters, sumMap(w.moods) AS moods
     FROM (SELECT startMs, messages, gapS, chatters, moods FROM chat_windows FINAL
           WHERE channelId = {channelId:String} AND sizeS = {sizeS:UInt16} AND startMs >= {startMs:Int64} AND startMs < {endMs:Int64}) AS w
     GROUP BY startMs`,
    { channelId, ...grid },
  );
  return new Map(rows.map((row) => [row.startMs, row]));
}

const TEN_S = 10;

/**
 * One-second panes are written for seconds in which somebody wrote; that the others were silent, and not unheard, is known from
 * the ten-second windows. A column inside one whose lines the panes add up to was heard, but for its gaps.
 */
async function withSilence(
  ask: Ask,
  channelId: string,
  grid: Grid,
  panes: Map<number, Measured>,
  gaps: readonly Gap[],
): Promise<Map<number, Measured>> {
  const tenOf = (startMs: number): number => Math.floor(startMs / (TEN_S * 1000)) * TEN_S * 1000;
  const inPanes = new Map<number, number>();
  for (const { startMs, messages } of panes.values())
    inPanes.set(tenOf(startMs), (inPanes.get(tenOf(startMs)) ?? 0) + messages);
  const tens = await ask<{ startMs: number; messages: number }>(
    `SELECT startMs, messages FROM chat_windows FINAL
     WHERE channelId = {channelId:String} AND sizeS = {tenS:UInt16} AND startMs > {startMs:Int64} - {tenS:UInt16} * 1000 AND startMs < {endMs:Int64}`,
    { channelId, ...grid, tenS: TEN_S },
  );
  const cells = new Map(panes);
  for (const { startMs: tenMs, messages } of tens) {
    // Panes leave the store before the longer windows do.
    if ((inPanes.get(tenMs) ?? 0) !== messages && tenMs >= grid.startMs && tenMs + TEN_S * 1000 <= grid.endMs)
      continue;
    for (let startMs = tenMs; startMs < tenMs + TEN_S * 1000; startMs += grid.stepMs) {
      if (startMs < grid.startMs || startMs >= grid.endMs) continue;
      const heardS = grid.stepMs / 1000 - gapSecondsIn(gaps, startMs, startMs + grid.stepMs);
      const pane = panes.get(startMs) ?? { startMs, messages: 0, heardS: 0, chatters: 0, moods: {} };
      cells.set(startMs, { ...pane, heardS: Math.max(pane.heardS, heardS) });
    }
  }
  return cells;
}

/** The ninth decile of the meter in each step: a short rise shows in a long column, a single value does not. */
async function hypeOf(ask: Ask, channelId: string, grid: Grid): Promise<Map<number, number>> {
  const rows = await ask<{ startMs: number; hype: number }>(
    `SELECT {startMs:Int64} + intDiv(atMs - {startMs:Int64}, {stepMs:Int64}) * {stepMs:Int64} AS startMs,
            quantileExactHigh(0.9)(assumeNotNull(value)) AS hype
     FROM hype FINAL
     WHERE channelId = {channelId:String} AND atMs >= {startMs:Int64} AND atMs < {endMs:Int64} AND value IS NOT NULL
     GROUP BY startMs`,
    { channelId, ...grid },
  );
  return new Map(rows.map((row) => [row.startMs, row.hype]));
}

/**
 * A column is null where nothing was measured. Rates are per heard minute, so a gap does not look like silence; chatters is the
 * most in one window of the column. The answer's span is the asked one, widened to whole columns.
 */
export const answerHeatmap = defineAnswer(heatmap, async (asked, ask) => {
  const { channelId, fromMs, toMs, columns } = asked;
  let grid = gridOf(fromMs, toMs, columns);
  let [cells, hype, gaps] = await layers(ask, channelId, grid);
  // One-second panes are kept for some days only; before that, ten seconds are the finest.
  if (cells.size === 0 && grid.sizeS === 1) {
    grid = gridOf(fromMs, toMs, columns, 10);
    [cells, hype, gaps] = await layers(ask, channelId, grid);
  }
  const usual = { moods: {} as Moods, messages: 0 };
  for (const { moods, messages } of cells.values()) {
    usual.messages += messages;
    for (const [mood, lines] of Object.entries(moods) as [keyof Moods, number][])
      usual.moods[mood] = (usual.moods[mood] ?? 0) + lines;
  }
  const count = Math.round((grid.endMs - grid.startMs) / grid.stepMs);
  return {
    channelId,
    fromMs: grid.startMs,
    toMs: grid.endMs,
    stepMs: grid.stepMs,
    columns: Array.from({ length: count }, (_, i) => {
      const startMs = grid.startMs + i * grid.stepMs;
      const cell = cells.get(startMs);
      return {
        startMs,
        messagesPerMin: cell && cell.heardS > 0 ? (cell.messages / cell.heardS) * 60 : null,
        hype: hype.get(startMs) ?? null,
        chatters: cell?.chatters ?? null,
        mood: cell ? standoutMood(cell.moods, cell.messages, usual) : null,
        moods: cell?.moods ?? {},
        gapS: gapSecondsIn(gaps, startMs, startMs + grid.stepMs),
      };
    }),
  };
});

async function layers(
  ask: Ask,
  channelId: string,
  grid: Grid,
): Promise<[Map<number, Measured>, Map<number, number>, Gap[]]> {
  const [cells, hype, gaps] = await Promise.all([
    measured(ask, channelId, grid),
    hypeOf(ask, channelId, grid),
    gapsOf(ask, { channelId, fromMs: grid.startMs, toMs: grid.endMs }),
  ]);
  return [grid.sizeS === 1 ? await withSilence(ask, channelId, grid, cells, gaps) : cells, hype, gaps];
}
