import { idf, type Lexicon } from "./keyword.ts";
import type { Line } from "./lines.ts";
import { stemOf, wordsOf } from "./words.ts";

/** What a question wants, each with how telling it is among the scope's lines. */
export interface Weighed {
  readonly terms: ReadonlyMap<string, number>;
  /** Those of them that are emoji, which are no words: `[emoji, worth]`. */
  readonly emoji: readonly (readonly [string, number])[];
  /** Share of the question, all together 1. */
  readonly share: number;
  /** Nobody in the scope says it. */
  readonly unheard: boolean;
}

/** A word that nobody says tells as much as one that three lines say: more would let one slip decide. */
const LEAST_LINES = 3;

/** Weighs the wants by how rare their own words are among lines; a synonym's lines count at their worth. */
export function weigh(lexicon: Lexicon): Weighed[] {
  const worths = lexicon.wanted.map(({ terms }) => {
    let lines = 0;
    let heard = false;
    for (const [term, worth] of terms) {
      const known = lexicon.terms.get(term);
      if (known === undefined || term.startsWith("~")) continue;
      lines += known.lines * worth;
      heard = true;
    }
    return {
      terms,
      heard,
      worth: idf(Math.min(lexicon.lines, Math.max(LEAST_LINES, lines)), Math.max(lexicon.lines, 50)),
    };
  });
  const sum = worths.reduce((all, { worth }) => all + worth, 0);
  return worths.map(({ terms, heard, worth }) => ({
    terms,
    emoji: [...terms]
      .filter(([term]) => term.startsWith(":") && !/\w/.test(term))
      .map(([term, value]) => [term.slice(1), value] as const),
    share: sum > 0 ? worth / sum : 0,
    unheard: !heard,
  }));
}

export interface Match {
  /** 0–1: how much of the question this line says. */
  readonly says: number;
  /** The same, want by want: 1 said, less by a synonym. */
  readonly each: Float64Array;
  readonly marks: (readonly [from: number, to: number])[];
  /** Lines of one key are nearly the same. */
  readonly key: string;
}

interface Read {
  readonly words: readonly {
    readonly terms: readonly string[];
    readonly from: number;
    readonly to: number;
  }[];
  readonly key: string;
}

const REMEMBERED = 40_000;
let reads = new Map<string, Read>();

/** A text's words with the terms that each may stand for. Remembered: chat repeats itself. */
function read(text: string): Read {
  const known = reads.get(text);
  if (known !== undefined) return known;
  const words = wordsOf(text).map(({ text: word, from, to }) => ({
    terms: [stemOf(word), `:${text.slice(from, to)}`],
    from,
    to,
  }));
  const stems = [...new Set(words.map(({ terms }) => terms[0]!))];
  const made = {
    words,
    key: stems.length > 0 ? stems.toSorted().join(" ") : [...new Set(text.split(/\s+/))].toSorted().join(" "),
  };
  if (reads.size >= REMEMBERED) reads = new Map();
  reads.set(text, made);
  return made;
}

const NONE: Match = { says: 0, each: new Float64Array(0), marks: [], key: "" };

/** How much of what is wanted a line says. */
export function matchOf(
  { text, login, emotes }: Pick<Line, "text" | "login" | "emotes">,
  weighed: readonly Weighed[],
): Match {
  if (weighed.length === 0) return { ...NONE, key: read(text).key };
  const { words, key } = read(text);
  const each = new Float64Array(weighed.length);
  const marks: [number, number][] = [];
  for (const { terms, from, to } of words) {
    let marked = false;
    for (const [at, { terms: wanted }] of weighed.entries()) {
      const worth = Math.max(wanted.get(terms[0]!) ?? 0, wanted.get(terms[1]!) ?? 0);
      if (worth === 0) continue;
      if (worth > each[at]!) each[at] = worth;
      marked = true;
    }
    if (marked) marks.push([from, to]);
  }
  for (const [at, { terms: wanted }] of weighed.entries()) {
    const worth = wanted.get(`@${login}`) ?? 0;
    if (worth > each[at]!) each[at] = worth;
    for (const [, name] of emotes) {
      const ofEmote = wanted.get(`:${name}`) ?? 0;
      if (ofEmote > each[at]!) each[at] = ofEmote;
    }
  }
  for (const [at, { emoji }] of weighed.entries())
    for (const [one, worth] of emoji) {
      const from = worth > each[at]! ? text.indexOf(one) : -1;
      if (from < 0) continue;
      each[at] = worth;
      marks.push([from, from + one.length]);
    }
  let says = 0;
  for (const [at, { share }] of weighed.entries()) says += share * each[at]!;
  return { says, each, marks, key };
}

/** Whether the stems of a phrase stand side by side in a text. */
export function saysPhrase(text: string, phrase: readonly string[]): boolean {
  const stems = read(text).words.map(({ terms }) => terms[0]);
  for (let at = 0; at + phrase.length <= stems.length; at++)
    if (phrase.every((stem, i) => stems[at + i] === stem)) return true;
  return false;
}
