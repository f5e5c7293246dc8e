import type { Completeness } from "@hypecast/contracts/vod.ts";

/*
 * How much of a chat a file holds, from nothing but the file: no source says what it left out. Everything is judged against the channel's
 * own behaviour in the same stream, never against other channels. docs/import.md says what this cannot know.
 */

/** A silence is looked at from here on: shorter ones matter to nothing that is shown. */
const SILENCE_S = 60;
/** The rate beside a silence is that of so many seconds before and after it. */
const BESIDE_S = 900;
/**
 * A silence is a gap when the messages that would have come in it, at the slower of the rates beside it and after the channel's own
 * unevenness is taken off, are this many: a Poisson stream keeps silent so long once in e^14, a million, times.
 */
const MISSED = 14;
/** Messages come at an even pace only when something lets through so many and no more. */
const CAP_WINDOW_S = 5;
const CAP_WINDOWS = 60;
const CAP_MEAN = 3;
/** Variance over mean of the counts: 1 where messages come independently, more where people react, far less at a ceiling. */
const CAP_FANO = 0.25;
/** Answers to people who never write: so many, and this share of all answers. */
const ABSENT_LINES = 5;
const ABSENT_SHARE = 0.1;
/** Names that are remembered; a stream with more chatters loses precision and not memory. */
const NAMES = 2_000_000;
const ABSENT_NAMES = 200_000;
const MENTION = /^@([A-Za-z0-9_]{2,25})\b/;

interface Heard {
  /** One message, at `second` from whatever start all of them have. */
  line(second: number, login: string, text: string): void;
  /** `startS`: where the stream starts on the same scale; `lengthS`: how long it is, null where nothing says it. */
  finish(startS: number, lengthS: number | null, broadcaster: string): Completeness;
  readonly chatters: number;
  /** A minute → how many lines are in it, in no order. */
  readonly minutes: ReadonlyMap<number, number>;
}

export function hearCompleteness(): Heard {
  const seconds = new Map<number, number>();
  const minutes = new Map<number, number>();
  const names = new Set<string>();
  const asked = new Map<string, { lines: number; from: number; to: number }>();
  let answers = 0;

  return {
    get chatters() {
      return names.size;
    },
    minutes,
    line(at, login, text) {
      const second = Math.floor(at);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
      const minute = Math.floor(second / 60);
      minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
      if (names.size < NAMES) names.add(login);
      if (text.charCodeAt(0) !== 64) return;
      const to = MENTION.exec(text)?.[1]?.toLowerCase();
      if (to === undefined) return;
      answers++;
      const known = asked.get(to);
      if (known !== undefined) {
        known.lines++;
        known.from = Math.min(known.from, second);
        known.to = Math.max(known.to, second);
      } else if (asked.size < ABSENT_NAMES) asked.set(to, { lines: 1, from: second, to: second });
    },
    finish(startS, lengthS, broadcaster) {
      const counted = [...seconds]
        .sort((a, b) => a[0] - b[0])
        .map(([at, count]) => [at - startS, count] as const);
      const lastS = counted.at(-1)?.[0] ?? 0;
      const wholeS = Math.max(1, lengthS ?? lastS + 1);
      const holes = [...silences(counted, wholeS, lengthS !== null), ...ceilings(counted)];
      let absent = 0;
      let from = Infinity;
      let to = -Infinity;
      for (const [name, one] of asked) {
        if (names.has(name) || name === broadcaster) continue;
        absent += one.lines;
        from = Math.min(from, one.from - startS);
        to = Math.max(to, one.to - startS);
      }
      const missing = covered(holes, wholeS);
      if (absent >= ABSENT_LINES && absent >= answers * ABSENT_SHARE && names.size < NAMES)
        holes.push({ kind: "removed_users", fromS: from, toS: to + 1, lines: absent });
      return {
        share: Math.max(0, Math.min(1, 1 - missing / wholeS)),
        holes: holes.sort((a, b) => a.fromS - b.fromS).slice(0, 200),
      };
    },
  };
}

type Hole = Completeness["holes"][number];
type Counted = readonly (readonly [second: number, count: number])[];

/** Gaps, and what is missing at the head and at the tail. */
function silences(counted: Counted, wholeS: number, lengthKnown: boolean): Hole[] {
  if (counted.length === 0) return [];
  const unevenness = Math.max(1, fano(counted));
  /** Messages a second in from–to, which lies in the stream. */
  const before: number[] = [0];
  for (const [, count] of counted) before.push(before.at(-1)! + count);
  const until = (second: number): number => before[firstFrom(counted, second)]!;
  const rate = (from: number, to: number): number =>
    to - from < SILENCE_S ? 0 : (until(to) - until(from)) / (to - from);
  const holes: Hole[] = [];
  const first = counted[0]![0];
  const last = counted.at(-1)![0];
  const end = Math.max(wholeS, last + 1);
  const judge = (kind: Hole["kind"], from: number, to: number, beside: number): void => {
    if (to - from < SILENCE_S || (beside * (to - from)) / unevenness < MISSED) return;
    holes.push({ kind, fromS: from, toS: to, lines: 0 });
  };
  judge("head_missing", 0, first, rate(first, Math.min(last + 1, first + BESIDE_S)));
  for (let i = 1; i < counted.length; i++) {
    const from = counted[i - 1]![0] + 1;
    const to = counted[i]![0];
    if (to - from < SILENCE_S || from < 0) continue;
    const slower = Math.min(
      rate(Math.max(first, from - BESIDE_S), from),
      rate(to, Math.min(last + 1, to + BESIDE_S)),
    );
    judge("gap", from, to, slower);
  }
  if (lengthKnown) judge("tail_missing", last + 1, end, rate(Math.max(first, last + 1 - BESIDE_S), last + 1));
  return holes;
}

/** Index of the first counted second at or after `second`. */
function firstFrom(counted: Counted, second: number): number {
  let low = 0;
  let high = counted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (counted[middle]![0] < second) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How unevenly this chat comes: variance over mean of ten-second counts around the mean of their own five minutes, the median of all
 * such stretches. Busy moments of a stream do not make it large, only the way that people answer each other does.
 */
function fano(counted: Counted): number {
  const values: number[] = [];
  const first = counted[0]![0];
  const last = counted.at(-1)![0];
  for (let from = first; from + 300 <= last + 1; from += 300) {
    const bins = Array.from({ length: 30 }, () => 0);
    for (let i = firstFrom(counted, from); i < counted.length && counted[i]![0] < from + 300; i++)
      bins[Math.floor((counted[i]![0] - from) / 10)]! += counted[i]![1];
    const mean = bins.reduce((a, b) => a + b, 0) / bins.length;
    if (mean < 0.2) continue;
    values.push(bins.reduce((sum, bin) => sum + (bin - mean) ** 2, 0) / bins.length / mean);
  }
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? 1;
}

/** Stretches of at least five minutes in which as many messages come all the time. */
function ceilings(counted: Counted): Hole[] {
  if (counted.length === 0) return [];
  const first = Math.max(0, counted[0]![0]);
  const last = counted.at(-1)![0];
  const bins = new Float64Array(Math.floor((last - first) / CAP_WINDOW_S) + 1);
  for (const [second, count] of counted)
    if (second >= first) bins[Math.floor((second - first) / CAP_WINDOW_S)]! += count;
  const holes: Hole[] = [];
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < bins.length; at++) {
    sum += bins[at]!;
    squares += bins[at]! ** 2;
    if (at >= CAP_WINDOWS) {
      sum -= bins[at - CAP_WINDOWS]!;
      squares -= bins[at - CAP_WINDOWS]! ** 2;
    }
    if (at < CAP_WINDOWS - 1) continue;
    const mean = sum / CAP_WINDOWS;
    if (mean < CAP_MEAN || (squares / CAP_WINDOWS - mean ** 2) / mean > CAP_FANO) continue;
    const fromS = first + (at - CAP_WINDOWS + 1) * CAP_WINDOW_S;
    const toS = first + (at + 1) * CAP_WINDOW_S;
    const open = holes.at(-1);
    if (open !== undefined && open.toS >= fromS) open.toS = toS;
    else holes.push({ kind: "capped", fromS, toS, lines: 0 });
  }
  for (const hole of holes)
    for (let i = firstFrom(counted, hole.fromS); i < counted.length && counted[i]![0] < hole.toS; i++)
      hole.lines += counted[i]![1];
  return holes;
}

/** Seconds of 0–`wholeS` that lie in a hole. */
function covered(holes: readonly Hole[], wholeS: number): number {
  let seconds = 0;
  let until = 0;
  for (const hole of [...holes].sort((a, b) => a.fromS - b.fromS)) {
    const from = Math.max(until, hole.fromS, 0);
    const to = Math.min(hole.toS, wholeS);
    if (to > from) {
      seconds += to - from;
      until = to;
    }
  }
  return seconds;
}
