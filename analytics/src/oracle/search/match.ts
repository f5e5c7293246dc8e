import { idf, type Lexicon } from "./keyword.ts";
import type { Line } from "./lines.ts";
import { stemOf, wordsOf } from "./words.ts";

/** What a question wants, each with how telling it is among the scope's lines. */
export interface Weighed {
  readonly terms: ReadonlyMap<string, number>;
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

interface Stands {
  readonly at: number;
  readonly worth: number;
}

/** Says of a line how much of what is wanted it says. Of each text once: chat repeats itself. */
export function matcherOf(
  weighed: readonly Weighed[],
): (line: Pick<Line, "text" | "login" | "emotes">) => Match {
  const wants = new Map<string, Stands[]>();
  for (const [at, { terms }] of weighed.entries())
    for (const [term, worth] of terms) wants.set(term, [...(wants.get(term) ?? []), { at, worth }]);
  const startingWith = (sign: string): Map<string, Stands[]> =>
    new Map([...wants].flatMap(([term, stands]) => (term.startsWith(sign) ? [[term.slice(1), stands]] : [])));
  const logins = startingWith("@");
  const emoteNames = startingWith(":");
  // Emoji are no words.
  const emoji = [...emoteNames].filter(([name]) => !/\w/.test(name));
  const nothing = new Float64Array(weighed.length);
  const ofText = new Map<string, Match>();

  const raise = (each: Float64Array, stands: readonly Stands[]): void => {
    for (const { at, worth } of stands) if (worth > each[at]!) each[at] = worth;
  };
  const said = (each: Float64Array): number => {
    let says = 0;
    for (let at = 0; at < each.length; at++) says += weighed[at]!.share * each[at]!;
    return says;
  };
  function matchText(text: string): Match {
    const { words, key } = read(text);
    let each = nothing;
    const marks: [number, number][] = [];
    const found = (stands: readonly Stands[], from: number, to: number): void => {
      if (each === nothing) each = new Float64Array(weighed.length);
      raise(each, stands);
      marks.push([from, to]);
    };
    for (const { terms, from, to } of words) {
      const byStem = wants.get(terms[0]!);
      const byName = emoteNames.size === 0 ? undefined : wants.get(terms[1]!);
      if (byStem !== undefined || byName !== undefined)
        found([...(byStem ?? []), ...(byName ?? [])], from, to);
    }
    for (const [one, stands] of emoji) {
      const from = text.indexOf(one);
      if (from >= 0) found(stands, from, from + one.length);
    }
    return { says: said(each), each, marks, key };
  }
  return ({ text, login, emotes }) => {
    let match = ofText.get(text);
    if (match === undefined) {
      match = matchText(text);
      ofText.set(text, match);
    }
    const more = logins.size === 0 ? undefined : logins.get(login);
    const named = emoteNames.size === 0 ? [] : emotes.flatMap(([, name]) => emoteNames.get(name) ?? []);
    if (more === undefined && named.length === 0) return match;
    const each = Float64Array.from(match.each);
    raise(each, [...(more ?? []), ...named]);
    return { ...match, says: said(each), each };
  };
}

/** Whether the stems of a phrase stand side by side in a text. */
export function saysPhrase(text: string, phrase: readonly string[]): boolean {
  const stems = read(text).words.map(({ terms }) => terms[0]);
  for (let at = 0; at + phrase.length <= stems.length; at++)
    if (phrase.every((stem, i) => stems[at + i] === stem)) return true;
  return false;
}
