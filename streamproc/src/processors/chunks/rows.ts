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
  readonly saying: Saying;
  count: number;
  /** As a row of the text; null: it is none. */
  row: string | null;
}

/** What was said in one second, most of all first; `next` has not been looked at yet. */
interface Queue {
  readonly perRound: number;
  readonly heard: Heard[];
  next: number;
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
  const byText = new Map<string, Heard>();
  let bytes = 0;
  const take = (heard: Heard): void => {
    const { text, key, bytes: size, named: mentioned } = clean(heard.saying.text, names);
    for (const name of mentioned) named.add(name);
    if (text === "") return;
    const known = byText.get(key);
    if (known !== undefined) {
      known.count += heard.count;
      return;
    }
    if (bytes + size + COUNT_BYTES > TEXT_BYTES || byText.size >= ROWS_BOUND) return;
    bytes += size + COUNT_BYTES;
    heard.row = heard.saying.reply ? `↳ ${text}` : text;
    byText.set(key, heard);
  };
  const { queues, inOrder } = heardIn(seconds, peakS);
  for (;;) {
    let looked = 0;
    for (const queue of queues)
      for (let n = 0; n < queue.perRound && queue.next < queue.heard.length; n++, looked++)
        take(queue.heard[queue.next++]!);
    if (looked === 0 || byText.size >= ROWS_BOUND || bytes >= TEXT_BYTES - COUNT_BYTES) break;
  }
  let text = "";
  for (const { row, count } of inOrder)
    if (row !== null) text += `${text === "" ? "" : "\n"}${row}${count === 1 ? "" : ` ×${count}`}`;
  return { text, named };
}

function heardIn(seconds: readonly SaidIn[], peakS: number): { queues: Queue[]; inOrder: Heard[] } {
  const byNear = new Map<number, Heard>();
  const queues: Queue[] = [];
  const inOrder: Heard[] = [];
  for (const { second, rows } of seconds) {
    const first = inOrder.length;
    for (const saying of rows) {
      const known = byNear.get(saying.near);
      if (known !== undefined) {
        known.count += saying.count;
        continue;
      }
      const one: Heard = { saying, count: saying.count, row: null };
      byNear.set(saying.near, one);
      inOrder.push(one);
    }
    if (inOrder.length === first) continue;
    const perRound = second >= peakS - ONSET_BEFORE_S && second <= peakS + ONSET_AFTER_S ? 2 : 1;
    queues.push({ perRound, heard: inOrder.slice(first), next: 0 });
  }
  // Once all are counted. Among equals what was said first stays first.
  for (const { heard } of queues)
    if (heard.length > 1) heard.sort((a, b) => b.count - a.count || b.saying.weight - a.saying.weight);
  return { queues, inOrder };
}
