import type { Hit } from "@hypecast/contracts/oracle.ts";

/** One chat line as a model may read and cite it. */
export interface ReadLine {
  readonly id: string;
  readonly atMs: number;
  readonly text: string;
  /** The search has found it to say what was asked. */
  readonly speaksOfIt: boolean;
}

/** What was found around one place: whoever searched says which place, and all lines there. */
export interface FoundWindow {
  readonly hit: Hit;
  /** Of the stream that it is in; untrusted as the lines are. */
  readonly title: string;
  /** Event time of that stream's first second: lines and answers count from there. */
  readonly zeroMs: number;
  /** Oldest first. */
  readonly lines: readonly ReadLine[];
}

/** A window as it is shown to the model: its lines have numbers of their own, counted over all windows. */
export interface ShownWindow {
  readonly number: number;
  readonly found: FoundWindow;
  readonly lines: readonly (ReadLine & { readonly number: number })[];
}

const MOST_WINDOWS = 8;
const MOST_LINES = 40;
const MOST_LINE_CHARS = 200;

/** Numbers windows and lines. Of a window with too many lines those stay that speak of it, and the rest evenly, so that the run of things can be seen. */
export function shownWindows(found: readonly FoundWindow[]): ShownWindow[] {
  let next = 1;
  return found.slice(0, MOST_WINDOWS).map((window, i) => ({
    number: i + 1,
    found: window,
    lines: chosen(window.lines).map((line) => ({ ...line, text: readable(line.text), number: next++ })),
  }));
}

function chosen(lines: readonly ReadLine[]): ReadLine[] {
  if (lines.length <= MOST_LINES) return [...lines];
  const keep = new Set(lines.filter(({ speaksOfIt }) => speaksOfIt).slice(0, MOST_LINES / 2));
  const rest = lines.filter((line) => !keep.has(line));
  const room = MOST_LINES - keep.size;
  for (let i = 0; i < room; i++) {
    const line = rest[Math.floor((i * rest.length) / room)];
    if (line !== undefined) keep.add(line);
  }
  return lines.filter((line) => keep.has(line));
}

/** Without controls, marks that reorder text, and what no person reads. */
const readable = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, MOST_LINE_CHARS);

/** Seconds as h:mm:ss; what lies before the start has a −. */
export function timecode(seconds: number): string {
  const whole = Math.floor(Math.abs(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${seconds < 0 ? "−" : ""}${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** The other way; null: it is no time. Takes h:mm:ss, mm:ss and bare seconds, with or without a fraction. */
export function secondsOf(text: string): number | null {
  const found = /^\s*([-−]?)(?:(\d{1,3}):)?(?:(\d{1,4}):)?(\d{1,6}(?:\.\d+)?)\s*$/.exec(text);
  if (found === null) return null;
  const [, minus, first, second, last] = found;
  const [hours, minutes] = second === undefined ? ["0", first ?? "0"] : [first ?? "0", second];
  const seconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(last);
  return minus === "" ? seconds : -seconds;
}
