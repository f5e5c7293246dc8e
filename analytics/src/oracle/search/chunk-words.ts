import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import { FUNCTION_WORDS } from "./function-words.ts";
import { emoteNamesIn, stemOf, wordsOf } from "./words.ts";

/** A text of a chunk, and how many lines are just that. */
export interface Text {
  readonly text: string;
  readonly times: number;
  readonly emotes: readonly string[];
}

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

/** The rows of a chunk's own text: for chunks whose lines are not there (any more). */
export const rowsOf = (text: string): Text[] =>
  text === ""
    ? []
    : text.split("\n").map((row) => {
        const times = Number(TIMES.exec(row)?.[1] ?? 1);
        return { text: times > 1 ? row.replace(TIMES, "") : row, times, emotes: [] };
      });

/**
 * A term counts once a distinct line, a little more where the line was repeated: 84 copies of one text are no 84 people who speak of it.
 * Function words are indexed too, for phrases of nothing else, but do not lengthen a chunk.
 */
export function chunkWords(
  chunk: Pick<ChatChunk, "people" | "moods" | "screenWords">,
  texts: Iterable<Text>,
): ChunkWords {
  const uses = new Map<string, number>();
  const add = (term: string, weight: number): void => {
    uses.set(term, (uses.get(term) ?? 0) + weight);
  };
  let length = 0;
  let lines = 0;
  for (const { text, times, emotes } of texts) {
    const terms = new Set<string>();
    for (const { text: word } of wordsOf(text)) {
      terms.add(stemOf(word));
      if (!FUNCTION_WORDS.has(word)) length++;
    }
    for (const name of emotes) terms.add(`:${name}`);
    for (const name of emoteNamesIn(text)) terms.add(`:${name}`);
    const weight = 1 + Math.log2(times) / 2;
    for (const term of terms) add(term, weight);
    lines++;
  }
  for (const login of chunk.people.split(" ")) if (login !== "") add(`@${login.toLowerCase()}`, 1);
  for (const { text: word } of wordsOf(chunk.screenWords)) add(`^${stemOf(word)}`, 1);
  for (const [mood, count] of Object.entries(chunk.moods)) if (count > 0) add(`~${mood}`, count);
  return {
    uses: new Map([...uses].map(([term, count]) => [term, Math.min(MOST_USES, Math.round(count))])),
    length: Math.min(MOST_LENGTH, length),
    lines: Math.min(MOST_LENGTH, lines),
  };
}
