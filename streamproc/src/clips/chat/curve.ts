import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { MOODS, type Mood } from "@hypecast/contracts/moods.ts";
import { analysisOf } from "../../processors/text.ts";

/** A column has a mood's colour when it is this share of its lines, and more than one. */
const MOOD_SHARE = 0.2;
const MOOD_LINES = 2;

export interface CurveColumn {
  /** Of the highest column, 0–1. */
  readonly height: number;
  readonly mood: Mood | null;
}

/** Lines of so many columns to both sides count towards a column's height, each less the farther it is: a curve and no comb. */
const SMOOTH = 2;

/** How much was written from `fromMs` to `toMs`, in equal columns, and which mood led. */
export function curveOf(
  lines: readonly ChatLine[],
  fromMs: number,
  toMs: number,
  columns: number,
): CurveColumn[] {
  const counts = Array.from({ length: columns }, () => ({ lines: 0, moods: MOODS.map(() => 0) }));
  for (const line of lines) {
    const column = counts[Math.floor(((line.sentAtMs - fromMs) / (toMs - fromMs)) * columns)];
    if (column === undefined) continue;
    column.lines++;
    const { moods } = analysisOf(line.text, line.channelId);
    for (let mood = 0; mood < MOODS.length; mood++) if ((moods & (1 << mood)) !== 0) column.moods[mood]!++;
  }
  const heights = counts.map((_, at) => {
    let sum = 0;
    for (let by = -SMOOTH; by <= SMOOTH; by++)
      sum += (counts[at + by]?.lines ?? 0) * (SMOOTH + 1 - Math.abs(by));
    return sum;
  });
  const most = Math.max(1, ...heights);
  return counts.map((column, at) => {
    const strongest = column.moods.indexOf(Math.max(...column.moods));
    const shown = column.moods[strongest] ?? 0;
    const isLed = shown >= MOOD_LINES && shown >= column.lines * MOOD_SHARE;
    return { height: (heights[at] ?? 0) / most, mood: isLed ? (MOODS[strongest] ?? null) : null };
  });
}
