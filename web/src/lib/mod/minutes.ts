import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import type { ToxicityWindow } from "@hypecast/contracts/toxicity.ts";

/** Toxic lines a minute, from windows of ten seconds; pure. */
export interface MinutePoint {
  atMs: number;
  /** Of the last minute before `atMs`; null: most of it was not scored. */
  perMin: number | null;
  unknown: number;
}

export const SHOWN_MS = 20 * 60_000;
const MINUTE_MS = 60_000;

/** The newest version of each window of the shown time, oldest first. */
export function withWindows(
  known: readonly ToxicityWindow[],
  come: readonly ToxicityWindow[],
): ToxicityWindow[] {
  const byStart = new Map(known.map((window) => [window.startMs, window]));
  for (const window of come) byStart.set(window.startMs, window);
  const all = [...byStart.values()].toSorted((a, b) => a.startMs - b.startMs);
  const from = (all.at(-1)?.startMs ?? 0) - SHOWN_MS - MINUTE_MS;
  return all.filter(({ startMs }) => startMs >= from);
}

/**
 * A point a window: what the minute that ends with it held. Where lines could not be scored, or nobody heard the channel, for more than
 * half of that minute there is no point: missing is never zero.
 */
export function minutePoints(windows: readonly ToxicityWindow[], untilMs: number): MinutePoint[] {
  const points: MinutePoint[] = [];
  let first = 0;
  for (const [at, window] of windows.entries()) {
    const endMs = window.startMs + window.sizeS * 1000;
    while ((windows[first]?.startMs ?? endMs) < endMs - MINUTE_MS) first += 1;
    const minute = windows.slice(first, at + 1);
    const sum = (of: (one: ToxicityWindow) => number): number =>
      minute.reduce((total, one) => total + of(one), 0);
    const heardS = sum((one) => one.sizeS - one.gapS);
    const scored = sum((one) => one.scored);
    const unknown = sum((one) => one.unknown);
    if (endMs < untilMs - SHOWN_MS) continue;
    points.push({
      atMs: endMs,
      unknown,
      perMin: heardS < 30 || unknown > scored ? null : (sum((one) => one.toxic) / heardS) * 60,
    });
  }
  return points;
}

/** Runs of points without a hole between them. */
export function runs(
  points: readonly MinutePoint[],
  stepMs = 10_000,
): (MinutePoint & { perMin: number })[][] {
  const found: (MinutePoint & { perMin: number })[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { atMs, perMin, unknown } of points) {
    if (perMin === null) continue;
    const point = { atMs, perMin, unknown };
    if (atMs - lastMs > stepMs * 1.5) found.push([point]);
    else found.at(-1)?.push(point);
    lastMs = atMs;
  }
  return found;
}

/** What a mark on the time axis is: a shape, told apart without colour. */
export type MarkShape = "timeout" | "delete" | "ban" | "measure";
export const MARKS: Record<MarkShape, string> = { timeout: "◆", delete: "✕", ban: "■", measure: "▲" };
export function shapeOf(action: ModEvent["action"]): MarkShape | null {
  switch (action) {
    case "timeout":
      return "timeout";
    case "delete":
    case "clear":
      return "delete";
    case "ban":
      return "ban";
    case "slow":
    case "followers":
    case "subscribers":
    case "emoteonly":
    case "uniquechat":
    case "shield_begin":
      return "measure";
    default:
      return null;
  }
}

/** Marks that would lie on each other become one with a count. */
export function marksOf(
  events: readonly Pick<ModEvent, "action" | "atMs">[],
  untilMs: number,
  apartMs: number,
): { shape: MarkShape; atMs: number; count: number }[] {
  const marks: { shape: MarkShape; atMs: number; count: number }[] = [];
  const newest = new Map<MarkShape, (typeof marks)[number]>();
  for (const { action, atMs } of events.toSorted((a, b) => a.atMs - b.atMs)) {
    const shape = shapeOf(action);
    if (shape === null || atMs < untilMs - SHOWN_MS || atMs > untilMs) continue;
    const near = newest.get(shape);
    if (near !== undefined && atMs - near.atMs < apartMs) near.count += 1;
    else {
      const mark = { shape, atMs, count: 1 };
      newest.set(shape, mark);
      marks.push(mark);
    }
  }
  return marks;
}

/** The next round number above the highest value, for the axis. */
export function topOf(...values: number[]): number {
  const most = Math.max(4, ...values);
  const size = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((top) => top >= most) ?? most;
}
