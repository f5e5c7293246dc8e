import type { Saying } from "../pane.ts";
import { clean } from "./clean.ts";

/** Of one chunk. */
const ROWS_BOUND = 120;
const TEXT_BYTES = 4000;
/** What the sign of a reply, ` ×137` and the line end may take. */
const COUNT_BYTES = 12;
/** Around the peak twice as many rows are taken as elsewhere: what set the chat off is said there first. */
const ONSET_BEFORE_S = 6;
const ONSET_AFTER_S = 2;

export interface SaidIn {
  readonly second: number;
  /** In their order. */
  readonly rows: readonly Saying[];
}

/** What is nearly the same, where it was said first. */
interface Heard {
  readonly order: number;
  readonly saying: Saying;
  count: number;
}
interface Row {
  readonly order: number;
  readonly text: string;
  count: number;
}

/**
 * The chunk's text, one distinct line a row, and who is named in it: all that fits, of more an even choice over time, what is said most in
 * each second first. The same rows give the same text.
 */
export function textOf(
  seconds: readonly SaidIn[],
  peakS: number,
  names: ReadonlySet<string>,
): { text: string; named: Set<string> } {
  const named = new Set<string>();
  const byText = new Map<string, Row>();
  let bytes = 0;
  const take = ({ order, saying, count }: Heard): void => {
    const { text: said, key, bytes: size, named: mentioned } = clean(saying.text, names);
    for (const name of mentioned) named.add(name);
    if (said === "") return;
    const known = byText.get(key);
    if (known !== undefined) {
      known.count += count;
      return;
    }
    if (bytes + size + COUNT_BYTES > TEXT_BYTES || byText.size >= ROWS_BOUND) return;
    bytes += size + COUNT_BYTES;
    const text = saying.reply ? `↳ ${said}` : said;
    byText.set(key, { order, text, count });
  };
  const queues = queuesOf(seconds, peakS);
  for (;;) {
    let looked = 0;
    for (const queue of queues)
      for (let n = 0; n < queue.perRound && queue.next < queue.heard.length; n++, looked++)
        take(queue.heard[queue.next++]!);
    if (looked === 0 || byText.size >= ROWS_BOUND || bytes >= TEXT_BYTES - COUNT_BYTES) break;
  }
  const text = [...byText.values()]
    .sort((a, b) => a.order - b.order)
    .map((row) => (row.count === 1 ? row.text : `${row.text} ×${row.count}`))
    .join("\n");
  return { text, named };
}

interface Queue {
  readonly perRound: number;
  readonly heard: Heard[];
  next: number;
}

function queuesOf(seconds: readonly SaidIn[], peakS: number): Queue[] {
  const byNear = new Map<number, Heard>();
  const queues: Queue[] = [];
  let order = 0;
  for (const { second, rows } of seconds) {
    const heard: Heard[] = [];
    for (const saying of rows) {
      const known = byNear.get(saying.near);
      if (known !== undefined) {
        known.count += saying.count;
        continue;
      }
      const one = { order: order++, saying, count: saying.count };
      byNear.set(saying.near, one);
      heard.push(one);
    }
    if (heard.length === 0) continue;
    const perRound = second >= peakS - ONSET_BEFORE_S && second <= peakS + ONSET_AFTER_S ? 2 : 1;
    queues.push({ perRound, heard, next: 0 });
  }
  // Once all are counted.
  for (const { heard } of queues)
    heard.sort((a, b) => b.count - a.count || b.saying.weight - a.saying.weight || a.order - b.order);
  return queues;
}
