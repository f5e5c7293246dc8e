import { MOODS, type Mood } from "@hypecast/contracts/moods.ts";
import { timecodeOf } from "../places.ts";
import type { Words } from "./words.ts";

export interface Column {
  readonly startMs: number;
  readonly messagesPerMin: number | null;
  readonly hype: number | null;
  readonly mood: string | null;
}

const WIDTH = 1000;
const BARS = 150;
const RIBBON_AT = 170;
const RIBBON = 12;
const AXIS_AT = 200;
const HEIGHT = 208;
const HEAT_STEPS = 9;
/** Fewer labels than this stand on the axis; the step is the first of these, in seconds, that keeps to it. */
const MOST_TICKS = 10;
const STEPS_S = [60, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800];
const MOST_ROWS = 40;

/** The heat timeline as SVG: bars of the rate coloured by hype, the mood as a ribbon, numbers of moments. Classes carry the colours. */
export function heatChart(
  columns: readonly Column[],
  zeroMs: number,
  durationS: number,
  marks: readonly { readonly atS: number; readonly number: number; readonly title: string }[],
  words: Words,
  escaped: (text: string) => string,
): string {
  const most = Math.max(1, ...columns.map(({ messagesPerMin }) => messagesPerMin ?? 0));
  const width = WIDTH / Math.max(1, columns.length);
  const place = (seconds: number): string => number((seconds / Math.max(1, durationS)) * WIDTH);
  const bars = columns.map(({ startMs, messagesPerMin, hype, mood }, i) => {
    const about = `${timecodeOf((startMs - zeroMs) / 1000)} · ${
      messagesPerMin === null ? words.notMeasured : `${Math.round(messagesPerMin)}/min`
    }`;
    const x = number(i * width);
    const tall = messagesPerMin === null ? BARS : (messagesPerMin / most) * BARS;
    const kind = messagesPerMin === null ? "none" : `h${heatStep(hype)}`;
    const bar = `<rect class="${kind}" x="${x}" y="${number(20 + BARS - tall)}" width="${number(width + 0.2)}" height="${number(tall)}"><title>${about}</title></rect>`;
    return isMood(mood)
      ? `${bar}<rect class="m-${mood}" x="${x}" y="${RIBBON_AT + 6}" width="${number(width + 0.2)}" height="${RIBBON}"><title>${words.moods[mood]}</title></rect>`
      : bar;
  });
  const numbers = marks.map(
    ({ atS, number: n, title }) =>
      `<a href="#m${n}"><text class="mark" x="${place(atS)}" y="14"><title>${escaped(title)}</title>${n}</text></a>`,
  );
  const step = STEPS_S.find((s) => durationS / s <= MOST_TICKS) ?? durationS;
  const ticks: string[] = [];
  for (let s = 0; s < durationS; s += step)
    ticks.push(`<text class="tick" x="${place(s)}" y="${AXIS_AT + 6}">${timecodeOf(s)}</text>`);
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="group" aria-labelledby="heat" aria-describedby="heat-about">` +
    `${bars.join("")}${numbers.join("")}${ticks.join("")}</svg>`
  );
}

/** The same for whoever does not see it: neighbouring columns together, at most MOST_ROWS rows. */
export function heatTable(columns: readonly Column[], zeroMs: number, words: Words): string {
  const each = Math.max(1, Math.ceil(columns.length / MOST_ROWS));
  const rows: string[] = [];
  for (let i = 0; i < columns.length; i += each) {
    const group = columns.slice(i, i + each);
    const rates = group.flatMap(({ messagesPerMin }) => messagesPerMin ?? []);
    const hypes = group.flatMap(({ hype }) => hype ?? []);
    const moods = group.flatMap(({ mood }) => (isMood(mood) ? words.moods[mood] : []));
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    rows.push(
      `<tr><th scope="row">${timecodeOf(((group[0]?.startMs ?? zeroMs) - zeroMs) / 1000)}</th><td>${
        rates.length === 0 ? words.notMeasured : Math.round(mean)
      }</td><td>${hypes.length === 0 ? "–" : Math.round(Math.max(...hypes))}</td><td>${[...new Set(moods)].join(", ")}</td></tr>`,
    );
  }
  return (
    `<table><thead><tr><th scope="col">${words.time}</th><th scope="col">${words.rate}</th><th scope="col">${words.hype}</th><th scope="col">${words.mood}</th></tr></thead>` +
    `<tbody>${rows.join("")}</tbody></table>`
  );
}

const heatStep = (hype: number | null): number =>
  hype === null ? 0 : Math.min(HEAT_STEPS - 1, Math.max(0, Math.floor((hype / 100) * HEAT_STEPS)));
const isMood = (mood: string | null): mood is Mood => MOODS.some((known) => known === mood);
const number = (value: number): string => String(Math.round(value * 10) / 10);
