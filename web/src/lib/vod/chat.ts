import type { ChatLine } from "@hypecast/contracts/chat.ts";

/** Chat of a stream comes in minutes. What is on screen are minutes in a row, so that nothing is skipped between two lines. */
export const CHUNK_MS = 60_000;
export const chunkOf = (atMs: number): number => Math.floor(atMs / CHUNK_MS);

/** Most lines that the column holds; older ones are asked for again when somebody scrolls there. */
export const MOST_LINES = 4000;

/** Lines of the minutes `first` to that of the clock, up to the clock; stops at the first minute that is not here. */
export function linesUpTo(
  chunks: ReadonlyMap<number, readonly ChatLine[]>,
  first: number,
  atMs: number,
): ChatLine[] {
  const found: ChatLine[] = [];
  for (let chunk = first; chunk <= chunkOf(atMs); chunk++) {
    const lines = chunks.get(chunk);
    if (lines === undefined) {
      // What lies before a hole has no place beside what is on screen now.
      found.length = 0;
      continue;
    }
    for (const line of lines) {
      if (line.sentAtMs > atMs) break;
      found.push(line);
    }
  }
  return found.length > MOST_LINES ? found.slice(-MOST_LINES) : found;
}

/** First minute to show after a jump to `atMs`: far from what is shown a new row begins, near to it the row goes on. */
export function firstAfter(first: number | null, last: number | null, atMs: number): number {
  const chunk = chunkOf(atMs);
  const near = first !== null && last !== null && chunk >= first && chunk <= last + 1;
  return near ? first : chunk - 1;
}
