import type { Column } from "../live/series.ts";
import { GLASS, hatch } from "./glass.ts";
import { heat } from "./heat.ts";

export interface Timeline {
  columns: readonly Column[];
  /** Messages per minute at full height. */
  top: number;
  /** Column under the pointer or the keyboard, else −1. */
  marked: number;
  /** The newest column is the live edge and is drawn white-edged. */
  live: boolean;
  /** Loudness above the stream's usual (LU) in each column, NaN where no sound was measured. */
  loudness?: readonly number[];
}

/** Loudness from the stream's usual to so much above it fills the height; below its usual it lies on the ground. */
const LOUDEST_LU = 12;

const STEP = 3;
export const columnsFor = (width: number): number => Math.max(1, Math.floor(width / STEP));

/** A stream as bars: height is messages a minute, colour is hype. What was not measured is hatched over its full height. */
export function paintTimeline(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  scene: Timeline,
): void {
  const { columns, top } = scene;
  const step = width / Math.max(1, columns.length);
  const bar = Math.max(1, step - 1);
  for (const [i, column] of columns.entries()) {
    const x = i * step;
    if (Number.isNaN(column.rate)) continue;
    const colour = heat(column.hype) ?? GLASS.lineStrong;
    // A faint glow behind the bar keeps short hot columns visible.
    if (column.hype > 0) {
      pen.globalAlpha = 0.05 + 0.22 * Math.max(0, (column.hype - 40) / 60);
      pen.fillStyle = colour;
      pen.fillRect(x, 0, step + 0.5, height);
    }
    pen.globalAlpha = 1;
    pen.fillStyle = colour;
    const tall = Math.max(1.5, (Math.min(column.rate, top) / top) * (height - 4));
    pen.fillRect(x, height - tall, bar, tall);
  }
  let from = -1;
  const first = columns.findIndex(({ rate }) => !Number.isNaN(rate));
  for (let i = first < 0 ? columns.length + 1 : first; i <= columns.length; i++) {
    const missing = i < columns.length && Number.isNaN(columns[i]?.rate ?? Number.NaN);
    if (missing && from < 0) from = i;
    if (!missing && from >= 0) {
      pen.fillStyle = hatch(pen, GLASS.lineStrong, 6);
      pen.globalAlpha = 0.55;
      pen.fillRect(from * step, 0, (i - from) * step, height);
      pen.globalAlpha = 1;
      from = -1;
    }
  }
  if (scene.loudness !== undefined) {
    pen.strokeStyle = GLASS.text1;
    pen.globalAlpha = 0.62;
    pen.lineWidth = 1;
    pen.beginPath();
    let down = false;
    for (const [i, lu] of scene.loudness.entries()) {
      if (Number.isNaN(lu)) {
        down = false;
        continue;
      }
      const share = Math.max(0, Math.min(1, (lu + 3) / (LOUDEST_LU + 3)));
      const x = (i + 0.5) * step;
      const y = height - 2 - share * (height - 6);
      if (down) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      down = true;
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }
  if (scene.live) {
    pen.fillStyle = GLASS.text1;
    pen.fillRect(width - 1.5, 0, 1.5, height);
  }
  if (scene.marked >= 0) {
    pen.fillStyle = GLASS.ice;
    pen.fillRect(Math.min(width - 2, scene.marked * step), 0, 2, height);
  }
}

export interface MoodRun {
  mood: string;
  /** Columns [from, to). */
  from: number;
  to: number;
}

/** Neighbouring columns of one mood; runs shorter than `least` columns are left out, they would only flicker. */
export function moodRuns(columns: readonly Column[], least: number): MoodRun[] {
  const runs: MoodRun[] = [];
  for (const [i, { mood }] of columns.entries()) {
    if (mood === null) continue;
    const last = runs.at(-1);
    // One quiet column does not break a mood.
    if (last !== undefined && last.mood === mood && i - last.to <= 1) last.to = i + 1;
    else runs.push({ mood, from: i, to: i + 1 });
  }
  return runs.filter((run) => run.to - run.from >= least);
}

/** Cuts as fine lines on a strip: solid where hard, pale where faded. Shares of the width, in order. */
export function paintCuts(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  cuts: readonly (readonly [share: number, hard: boolean])[],
): void {
  pen.fillStyle = GLASS.raised;
  pen.fillRect(0, 0, width, height);
  let last = -1;
  pen.fillStyle = GLASS.text2;
  for (const [share, hard] of cuts) {
    const x = Math.round(share * width);
    // Two cuts on one pixel are one line.
    if (x === last) continue;
    last = x;
    pen.globalAlpha = hard ? 0.9 : 0.45;
    pen.fillRect(x, 0, 1, height);
  }
  pen.globalAlpha = 1;
}
