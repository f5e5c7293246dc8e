import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import { FUNCTION_WORDS } from "./function-words.ts";
import { stemOf, wordsOf } from "./words.ts";

/** A chunk's terms with how often it says each, for the index. */
export interface ChunkWords {
  readonly uses: ReadonlyMap<string, number>;
  readonly length: number;
  /** Distinct lines. */
  readonly lines: number;
}

const MOST_USES = 255;
const MOST_LENGTH = 65_535;
const TIMES = / ×(\d+)$/;

/**
 * A term counts once a distinct line, a little more where the line was repeated: 84 copies of one text are no 84 people who speak of it.
 * Function words are indexed too, for phrases of nothing else, but do not lengthen a chunk.
 */
export function chunkWords(
  chunk: Pick<ChatChunk, "text" | "emoteWords" | "people" | "moods" | "screenWords">,
): ChunkWords {
  const uses = new Map<string, number>();
  const add = (term: string, weight: number): void => {
    uses.set(term, (uses.get(term) ?? 0) + weight);
  };
  let length = 0;
  const rows = chunk.text === "" ? [] : chunk.text.split("\n");
  for (const row of rows) {
    const times = Number(TIMES.exec(row)?.[1] ?? 1);
    const weight = 1 + Math.log2(times) / 2;
    const terms = new Set<string>();
    for (const { text: word } of wordsOf(times > 1 ? row.replace(TIMES, "") : row)) {
      terms.add(stemOf(word));
      if (!FUNCTION_WORDS.has(word)) length++;
    }
    for (const term of terms) add(term, weight);
  }
  for (const word of chunk.emoteWords.split(/\s+/)) if (word !== "") add(`:${word}`, 1);
  for (const login of chunk.people.split(" ")) if (login !== "") add(`@${login.toLowerCase()}`, 1);
  for (const { text: word } of wordsOf(chunk.screenWords)) add(`^${stemOf(word)}`, 1);
  for (const [mood, lines] of Object.entries(chunk.moods)) if (lines > 0) add(`~${mood}`, lines);
  return {
    uses: new Map([...uses].map(([term, count]) => [term, Math.min(MOST_USES, Math.round(count))])),
    length: Math.min(MOST_LENGTH, length),
    lines: Math.min(MOST_LENGTH, rows.length),
  };
}
