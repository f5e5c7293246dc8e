import type { SecondRing } from "../live/series.ts";
import { monotone } from "./curve.ts";
import { FONT, GLASS, hatch } from "./glass.ts";
import { heat } from "./heat.ts";

export interface Horizon {
  minutes: number;
  p10: number;
  p50: number;
  p90: number;
}

export interface FiveMinutes {
  /** Event time at the "now" line. */
  nowMs: number;
  seconds: SecondRing;
  /** Null: the model did not answer; then nothing is drawn, which is not a low forecast. */
  fan: readonly Horizon[] | null;
  /** What was said one minute earlier about this second (messages per minute), NaN where nothing was. */
  saidEarlier(second: number): number;
  /** Grey instead of heat: the newest data is old. */
  stale: boolean;
  /** Time of the picture on screen, where that is not now; beyond the chart's left edge it stands at the edge. */
  cursorMs?: number | null;
  words: {
    now: string;
    cursor: string;
    ticks: readonly (readonly [seconds: number, text: string])[];
    plus(minutes: number): string;
  };
  number(value: number): string;
}

const SPAN_S = 300;
const TOP = 22;
const BOTTOM = 20;
const RIGHT = 14;
/** Room for "+1 мин 1 636" at 11 px. */
const LABEL_PX = 70;

/** Highest value in view, measured or forecast: the axis is made from it. */
export function highest(scene: FiveMinutes): number {
  const nowS = Math.floor(scene.nowMs / 1000);
  let most = 0;
  for (let s = nowS - SPAN_S; s <= nowS; s++) {
    const rate = scene.seconds.rate(s);
    if (rate > most) most = rate;
  }
  for (const horizon of scene.fan ?? []) if (horizon.minutes <= 5) most = Math.max(most, horizon.p90);
  return most;
}

/** The forecast between its horizons. It leaves the measured line at now with no width at all. */
export function fanThrough(
  current: number,
  fan: readonly Horizon[],
): { p10: (s: number) => number; p50: (s: number) => number; p90: (s: number) => number } {
  const xs = [0, ...fan.map((horizon) => horizon.minutes * 60)];
  const through = (pick: (horizon: Horizon) => number): ((s: number) => number) =>
    monotone(xs, [current, ...fan.map(pick)]);
  return { p10: through((h) => h.p10), p50: through((h) => h.p50), p90: through((h) => h.p90) };
}

export function paintFiveMinutes(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  scene: FiveMinutes,
  top: number,
): void {
  const left = 44;
  const x = (s: number): number => left + ((s + SPAN_S) / (2 * SPAN_S)) * (width - left - RIGHT);
  const base = height - BOTTOM;
  const y = (rate: number): number => base - (Math.max(0, Math.min(top, rate)) / top) * (base - TOP);
  const nowS = Math.floor(scene.nowMs / 1000);
  const drift = scene.nowMs / 1000 - nowS;

  // Grid and axes.
  pen.font = `11px ${FONT}`;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  pen.lineWidth = 1;
  for (let i = 0; i <= 4; i++) {
    const value = (top / 4) * i;
    const line = Math.round(y(value)) + 0.5;
    pen.strokeStyle = GLASS.line;
    pen.beginPath();
    pen.moveTo(left, line);
    pen.lineTo(width - RIGHT, line);
    pen.stroke();
    pen.fillStyle = GLASS.text3;
    pen.fillText(scene.number(value), left - 8, line);
  }
  pen.textBaseline = "alphabetic";
  for (const [s, text] of scene.words.ticks) {
    pen.textAlign = s <= -SPAN_S ? "left" : s >= SPAN_S ? "right" : "center";
    pen.fillText(text, x(s), height - 4);
  }

  // Measured: height is messages a minute, colour is hype, one column a second. What was not measured is hatched.
  const column = x(1) - x(0);
  let gapFrom: number | null = null;
  const closeGap = (until: number): void => {
    if (gapFrom === null) return;
    if (until - gapFrom >= 2) {
      pen.fillStyle = hatch(pen, GLASS.line, 6);
      pen.fillRect(x(gapFrom), TOP, x(until) - x(gapFrom), base - TOP);
    }
    gapFrom = null;
  };
  for (let s = -SPAN_S; s <= 0; s++) {
    const rate = scene.seconds.rate(nowS + s);
    if (Number.isNaN(rate)) {
      // The newest second may still be under way.
      if (s < -2) gapFrom ??= s;
      continue;
    }
    closeGap(s);
    const hype = scene.seconds.hype(nowS + s);
    const colour = scene.stale ? GLASS.lineStrong : (heat(hype) ?? GLASS.lineStrong);
    const at = x(s - drift);
    const from = Math.max(left, at);
    const until = Math.min(x(0), at + column + 0.5);
    if (until <= from) continue;
    pen.fillStyle = colour;
    pen.globalAlpha = scene.stale ? 0.35 : 0.88;
    pen.fillRect(from, y(rate), until - from, base - y(rate));
  }
  closeGap(0);
  pen.globalAlpha = 1;
  // The area fades towards its foot, so that the line above it leads.
  const fade = pen.createLinearGradient(0, TOP, 0, base);
  fade.addColorStop(0, "rgba(8,7,11,0)");
  fade.addColorStop(1, "rgba(8,7,11,.45)");
  pen.fillStyle = fade;
  pen.fillRect(left, TOP, x(0) - left, base - TOP - 1);

  const trace = (from: number, to: number, value: (s: number) => number, step: number): void => {
    pen.beginPath();
    let down = false;
    for (let s = from; s <= to; s += step) {
      const v = value(s);
      if (Number.isNaN(v)) {
        down = false;
        continue;
      }
      if (down) pen.lineTo(x(s), y(v));
      else pen.moveTo(x(s), y(v));
      down = true;
    }
    pen.stroke();
  };
  let newest = -Infinity;
  for (let s = 0; s > -10 && newest === -Infinity; s--)
    if (!Number.isNaN(scene.seconds.rate(nowS + s))) newest = s;
  const current = newest === -Infinity ? Number.NaN : scene.seconds.rate(nowS + newest);
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, x(0) - left, height);
  pen.clip();
  pen.strokeStyle = scene.stale ? GLASS.text3 : GLASS.text1;
  pen.lineWidth = 1.6;
  pen.lineJoin = "round";
  pen.translate(-drift * column, 0);
  trace(-SPAN_S, 0, (s) => (s > newest ? current : scene.seconds.rate(nowS + s)), 1);
  if (!Number.isNaN(current)) {
    pen.beginPath();
    pen.moveTo(x(newest), y(current));
    pen.lineTo(x(1), y(current));
    pen.stroke();
  }
  // What was said a minute before, dotted: the reader judges the forecast with own eyes.
  pen.strokeStyle = GLASS.ice;
  pen.setLineDash([1, 4]);
  pen.lineCap = "round";
  trace(-SPAN_S, 0, (s) => scene.saidEarlier(nowS + s), 3);
  pen.restore();
  pen.lineCap = "butt";

  if (scene.fan !== null && !Number.isNaN(current) && !scene.stale) paintFan();

  if (scene.cursorMs != null) paintCursor(scene.cursorMs);

  // Now: a line and a point.
  pen.fillStyle = scene.stale ? GLASS.text3 : GLASS.text1;
  pen.fillRect(x(0) - 0.75, TOP - 6, 1.5, base - TOP + 6);
  if (!Number.isNaN(current)) {
    pen.beginPath();
    pen.arc(x(0), y(current), 4.5, 0, Math.PI * 2);
    pen.fill();
    pen.strokeStyle = GLASS.bg;
    pen.lineWidth = 2;
    pen.stroke();
  }
  pen.font = `600 11px ${FONT}`;
  pen.textAlign = "center";
  pen.fillText(scene.words.now, x(0), TOP - 10);

  /** The picture on screen: solid in ice, since it is a choice and not a measurement. */
  function paintCursor(atMs: number): void {
    const before = (atMs - scene.nowMs) / 1000;
    const at = Math.max(left, Math.min(x(0), x(before)));
    pen.fillStyle = GLASS.ice;
    pen.fillRect(at - 0.75, TOP - 6, 1.5, base - TOP + 6);
    const label = before < -SPAN_S ? `◂ ${scene.words.cursor}` : scene.words.cursor;
    pen.font = `600 11px ${FONT}`;
    const half = pen.measureText(label).width / 2;
    pen.textAlign = "center";
    // Never over the word at the now line.
    const room = x(0) - half - 40;
    pen.fillText(label, Math.max(left + half, Math.min(room, at)), TOP - 10);
  }

  function paintFan(): void {
    const fan = fanThrough(current, scene.fan ?? []);
    const outline = (): void => {
      pen.beginPath();
      for (let s = 0; s <= SPAN_S; s += 5) pen.lineTo(x(s), y(fan.p90(s)));
      for (let s = SPAN_S; s >= 0; s -= 5) pen.lineTo(x(s), y(fan.p10(s)));
      pen.closePath();
    };
    outline();
    pen.globalAlpha = 0.09;
    pen.fillStyle = GLASS.ice;
    pen.fill();
    pen.globalAlpha = 0.42;
    pen.fillStyle = hatch(pen, GLASS.ice, 7);
    pen.fill();
    pen.globalAlpha = 0.75;
    pen.strokeStyle = GLASS.ice;
    pen.lineWidth = 1;
    trace(0, SPAN_S, fan.p90, 5);
    trace(0, SPAN_S, fan.p10, 5);
    pen.globalAlpha = 1;
    pen.lineWidth = 2;
    pen.setLineDash([6, 5]);
    trace(0, SPAN_S, fan.p50, 5);
    pen.setLineDash([]);
    for (const horizon of scene.fan ?? []) {
      const s = horizon.minutes * 60;
      if (s > SPAN_S) continue;
      const edge = s === SPAN_S;
      pen.beginPath();
      pen.arc(x(s) - (edge ? 4 : 0), y(horizon.p50), 3.5, 0, Math.PI * 2);
      pen.fillStyle = GLASS.bg;
      pen.fill();
      pen.strokeStyle = GLASS.ice;
      pen.lineWidth = 2;
      pen.stroke();
      label(fan, horizon, x(s) + (edge ? -2 : 6), edge);
    }
  }

  function label(bounds: ReturnType<typeof fanThrough>, horizon: Horizon, at: number, toLeft: boolean): void {
    // Below the band where there is room over the label's whole width, else above it: never on the lines.
    const wide = (LABEL_PX / (width - left - RIGHT)) * 2 * SPAN_S;
    const from = horizon.minutes * 60 - (toLeft ? wide : 0);
    const edges = [0, 0.5, 1].map((part) => from + wide * part).filter((s) => s <= SPAN_S);
    const foot = Math.max(...edges.map((s) => y(bounds.p10(s))));
    const head = Math.min(...edges.map((s) => y(bounds.p90(s))));
    const below = base - foot >= 29;
    const first = below ? foot + 14 : Math.max(TOP + 10, head - 20);
    pen.textAlign = toLeft ? "right" : "left";
    pen.globalAlpha = 0.6;
    pen.fillStyle = GLASS.ice;
    if (!toLeft)
      pen.fillRect(
        at - 6.5,
        below ? y(horizon.p10) : first - 8,
        1,
        below ? first + 14 - y(horizon.p10) : y(horizon.p90) - first + 8,
      );
    pen.globalAlpha = 1;
    pen.font = `600 11px ${FONT}`;
    pen.fillText(`${scene.words.plus(horizon.minutes)} ${scene.number(horizon.p50)}`, at, first);
    pen.font = `11px ${FONT}`;
    pen.fillStyle = GLASS.text2;
    pen.fillText(`${scene.number(horizon.p10)}–${scene.number(horizon.p90)}`, at, first + 13);
  }
}
