import { clean } from "./clean.ts";

/** Of one chunk. */
const ROWS_BOUND = 200;
const TEXT_BYTES = 6000;
/** Around the peak twice as many rows are taken as elsewhere: what set the chat off is said there first. */
const ONSET_BEFORE_S = 6;
const ONSET_AFTER_S = 2;

export interface Said {
  readonly near: number;
  readonly text: string;
  readonly weight: number;
  readonly reply: boolean;
  readonly count: number;
}
export interface SaidIn {
  readonly second: number;
  /** In their order. */
  readonly rows: readonly Said[];
}

interface Row {
  readonly second: number;
  readonly order: number;
  readonly text: string;
  readonly weight: number;
  count: number;
}

/** The chunk's text, one distinct line a row, and who is named in it. The same rows give the same text. */
export function textOf(
  seconds: readonly SaidIn[],
  peakS: number,
  names: ReadonlySet<string>,
): { text: string; named: Set<string> } {
  const named = new Set<string>();
  const chosen = choose(distinct(seconds, names, named), peakS);
  const text = chosen
    .toSorted((a, b) => a.order - b.order)
    .map(spelled)
    .join("\n");
  return { text, named };
}

const spelled = ({ text, count }: Row): string => (count === 1 ? text : `${text} ×${count}`);

/** What is nearly the same stands where it was said first, with how often. */
function distinct(seconds: readonly SaidIn[], names: ReadonlySet<string>, named: Set<string>): Row[] {
  const byNear = new Map<number, Row | null>();
  const byText = new Map<string, Row>();
  let order = 0;
  for (const { second, rows } of seconds)
    for (const said of rows) {
      const known = byNear.get(said.near);
      if (known !== undefined) {
        if (known !== null) known.count += said.count;
        continue;
      }
      const cleaned = clean(said.text, names);
      for (const name of cleaned.named) named.add(name);
      const key = cleaned.text.toLowerCase();
      let row = byText.get(key);
      if (key === "") {
        byNear.set(said.near, null);
        continue;
      }
      if (row === undefined) {
        row = {
          second,
          order: order++,
          text: said.reply ? `↳ ${cleaned.text}` : cleaned.text,
          weight: said.weight,
          count: 0,
        };
        byText.set(key, row);
      }
      row.count += said.count;
      byNear.set(said.near, row);
    }
  return [...byText.values()];
}

/** All that fit; of more an even choice over time, what is said most of each second first. */
function choose(rows: readonly Row[], peakS: number): Row[] {
  const bySecond = new Map<number, Row[]>();
  for (const row of rows) {
    const others = bySecond.get(row.second);
    if (others === undefined) bySecond.set(row.second, [row]);
    else others.push(row);
  }
  const queues = [...bySecond].map(([second, inIt]) => ({
    perRound: second >= peakS - ONSET_BEFORE_S && second <= peakS + ONSET_AFTER_S ? 2 : 1,
    rows: inIt.toSorted((a, b) => b.count - a.count || b.weight - a.weight || a.order - b.order),
    next: 0,
  }));
  const chosen: Row[] = [];
  let bytes = 0;
  for (let left = rows.length; left > 0;)
    for (const queue of queues)
      for (let n = 0; n < queue.perRound && queue.next < queue.rows.length; n++) {
        const row = queue.rows[queue.next++]!;
        left--;
        const size = Buffer.byteLength(spelled(row)) + 1;
        if (chosen.length >= ROWS_BOUND || bytes + size > TEXT_BYTES) continue;
        bytes += size;
        chosen.push(row);
      }
  return chosen;
}
