import { m } from "../paraglide/messages.js";
import { number } from "./numbers.ts";

type Unit = (value: number) => string;
const plain: Unit = (value) => number(value, Number.isInteger(value) ? 0 : 1);
const perS: Unit = (value) => m.unit_per_s({ n: plain(value) });
const seconds: Unit = (value) => m.unit_s({ n: plain(value) });
const ms: Unit = (value) => m.unit_ms({ n: plain(value) });
const messages: Unit = (value) => m.unit_messages({ n: plain(value) });
const chars: Unit = (value) => m.unit_chars({ n: plain(value) });
const bytes: Unit = (value) =>
  value >= 1e9 ? m.unit_gb({ n: number(value / 1e9, 1) }) : m.unit_mb({ n: number(value / 1e6, 1) });

/** The figures that parts report of themselves, by their names in `PartReport`. */
const FIGURES: Readonly<Record<string, readonly [name: () => string, unit: Unit]>> = {
  channels: [m.figure_channels, plain],
  live: [m.figure_live, plain],
  connections: [m.figure_connections, plain],
  moderationHeard: [m.figure_moderation_heard, plain],
  linesPerS: [m.figure_lines_per_s, perS],
  joinsWaiting: [m.figure_joins_waiting, plain],
  queuedChars: [m.figure_queued_chars, chars],
  overflowedLines: [m.figure_overflowed_lines, plain],
  partitions: [m.figure_partitions, plain],
  lagMessages: [m.figure_lag_messages, messages],
  lagS: [m.figure_lag_s, seconds],
  commitsPerS: [m.figure_commits_per_s, perS],
  commitP99Ms: [m.figure_commit_p99_ms, ms],
  delayS: [m.figure_delay_s, seconds],
  rowsPerS: [m.figure_rows_per_s, perS],
  answered: [m.figure_answered, plain],
  failed: [m.figure_failed, plain],
  atWork: [m.figure_at_work, plain],
  sockets: [m.figure_sockets, plain],
  socketsBehind: [m.figure_sockets_behind, plain],
  framesPerS: [m.figure_frames_per_s, perS],
  answerMs: [m.figure_answer_ms, ms],
  freeBytes: [m.figure_free_bytes, bytes],
  bytes: [m.figure_bytes, bytes],
  rows: [m.figure_rows, plain],
  parts: [m.figure_parts, plain],
  unknownLines: [m.figure_unknown_lines, plain],
};

/** A part's figure in the page's language with its unit; one that is not known here as it was sent. */
export function figureWords(name: string, value: number): { name: string; value: string } {
  const known = Object.hasOwn(FIGURES, name) ? FIGURES[name] : undefined;
  return known === undefined ? { name, value: plain(value) } : { name: known[0](), value: known[1](value) };
}
