import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { z } from "zod";
import type { chatColumn } from "@hypecast/contracts/push.ts";
import { isBot } from "@hypecast/contracts/bots.ts";

export type ChatColumn = z.infer<typeof chatColumn>;
type ShownLine = ChatColumn["lines"][number];

/** Lines that a quarter second may show. */
export const SHOWN_LINES = 12;
/** Lines that are decoded to choose from: reading all of a chat of 35,000 lines/s would cost a core. */
export const READ_LINES = 96;

/** NDJSON as it came, and how many lines it holds. */
export interface Pack {
  readonly body: Uint8Array;
  readonly lines: number;
}

/**
 * Chooses what a person can read out of a quarter second's packs. A line that repeats another is folded into it, bots are left
 * out, and of the rest those stay that say most: many repeats, bits, somebody's first words. A fast chat is read at evenly
 * spaced places only; then repeats and bots are counted among the lines that were read.
 */
export function columnOf(
  packs: readonly Pack[],
  removed: (line: ChatLine) => boolean,
  shown = SHOWN_LINES,
): Pick<ChatColumn, "lines" | "hidden"> {
  const total = packs.reduce((sum, { lines }) => sum + lines, 0);
  const byText = new Map<string, ShownLine>();
  let bots = 0;
  let repeats = 0;
  let gone = 0;
  for (const text of textsAt(packs, total)) {
    const line = parsed(text);
    if (line === null || removed(line)) gone++;
    else if (isBot(line)) bots++;
    else {
      const key = line.text.trim().toLowerCase();
      const same = byText.get(key);
      if (same === undefined) byText.set(key, line);
      else {
        same.repeats = (same.repeats ?? 1) + 1;
        repeats++;
      }
    }
  }
  const lines = [...byText.values()];
  const chosen = new Set(lines.toSorted((a, b) => weight(b) - weight(a)).slice(0, shown));
  return {
    lines: lines.filter((line) => chosen.has(line)),
    hidden: { tooFast: Math.max(0, total - bots - repeats - gone - chosen.size), repeats, bots },
  };
}

const weight = (line: ShownLine): number =>
  (line.repeats ?? 1) + ((line.bits ?? 0) > 0 ? 5 : 0) + (line.firstMessage === true ? 1 : 0);

const NEWLINE = 10;

/** All lines, or READ_LINES of them at even distances. Only the packs' line ends are looked at to find them. */
function* textsAt(packs: readonly Pack[], total: number): Generator<string> {
  const step = Math.max(1, total / READ_LINES);
  let wanted = step / 2;
  let first = 0;
  for (const { body, lines } of packs) {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    let index = first;
    let start = 0;
    while (start < bytes.length && Math.floor(wanted) < first + lines) {
      let end = bytes.indexOf(NEWLINE, start);
      if (end < 0) end = bytes.length;
      if (index === Math.floor(wanted)) {
        yield bytes.toString("utf8", start, end);
        wanted += step;
      }
      index++;
      start = end + 1;
    }
    first += lines;
  }
}

/** The last lines of a pack, copied: what a newcomer is shown first. */
export function tailOf({ body, lines }: Pack, most: number): Pack {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (lines <= most) return { body: Uint8Array.from(bytes), lines };
  let start = bytes.length - (bytes.at(-1) === NEWLINE ? 1 : 0);
  for (let found = 0; found < most && start > 0; found++) start = bytes.lastIndexOf(NEWLINE, start - 1);
  return { body: Uint8Array.from(bytes.subarray(start + 1)), lines: most };
}

function parsed(text: string): ChatLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === "object" && line !== null && "text" in line && typeof line.text === "string"
      ? (line as ChatLine)
      : null;
  } catch {
    return null;
  }
}
