import { stemmer as english } from "@orama/stemmers/english";
import { stemmer as russian } from "@orama/stemmers/russian";

/** A word of a text: as it is compared, and where it stands in code units. */
export interface Word {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** What makes terms: another number is another index, made anew in the background. */
export const WORDS_VERSION = 1;

/** Longer ones are no words: links, mashed keys, a line without a space. */
const LONGEST_WORD = 40;
/** A percent sign is a word: "4%", «четыре процента». */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}]+)?|%/gu;
/** Scripts that are written without spaces: each pair of neighbours is a word. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const LAUGH = /^(?:[ахaxh]{4,}|(?:[хx][аеиоэ]){2,}[хx]?|(?:h[aei]){2,}h?|(?:ja){2,}|(?:[пывахз]){6,})$/u;

/** A word as it is compared: without case, ё and stretching; every written laugh is one word. */
export function wordOf(raw: string): string {
  const word = raw
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll("ё", "е")
    .replaceAll(/['’]/g, "")
    .replaceAll(/(\p{L})\1{2,}/gu, "$1");
  return LAUGH.test(word) ? "хаха" : word;
}

/** The words of a text, in order. Links count as nothing but their host's words. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const found of text.matchAll(WORD)) {
    const raw = found[0];
    const from = found.index;
    if (raw.length > LONGEST_WORD) continue;
    if (raw === "%") {
      words.push({ text: "percent", from, to: from + 1 });
      continue;
    }
    if (UNSPACED.test(raw)) {
      const points = Array.from(raw);
      for (let i = 0, at = from; i + 1 < points.length || i === 0; i++) {
        const pair = points[i]! + (points[i + 1] ?? "");
        words.push({ text: pair, from: at, to: at + pair.length });
        at += points[i]!.length;
      }
    } else words.push({ text: wordOf(raw), from, to: from + raw.length });
  }
  return words;
}

/** Stems are remembered: chat has few words and says them often. */
const REMEMBERED = 60_000;
let stems = new Map<string, string>();

const CYRILLIC = /^[а-я]+$/;
const LATIN = /^[a-z]+$/;

/** Forms whose stems part company, by hand: the commonest verbs of questions about games. */
const IRREGULAR: Readonly<Record<string, string>> = {
  fell: "fall",
  fallen: "fall",
  lost: "lose",
  died: "die",
  dies: "die",
  dying: "die",
  dead: "die",
  death: "die",
  deaths: "die",
  won: "win",
  ate: "eat",
  eaten: "eat",
  found: "find",
  sang: "sing",
  sung: "sing",
  beaten: "beat",
  broke: "break",
  broken: "break",
  froze: "freez",
  frozen: "freez",
  threw: "throw",
  thrown: "throw",
  said: "say",
  left: "left",
};

/** The stem of a compared word; a word of another script is its own. */
export function stemOf(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const stem =
    IRREGULAR[word] ??
    (CYRILLIC.test(word) ? shorten(russian(word)) : LATIN.test(word) ? english(word) : word);
  if (stems.size >= REMEMBERED) stems = new Map();
  stems.set(word, stem);
  return stem;
}

/** The Russian stemmer leaves the ending of past tenses and of some nouns: упал → упа but упала → упала. One more vowel goes. */
const shorten = (stem: string): string =>
  stem.length > 4 && /[аеиоуыэюяйь]$/.test(stem) ? stem.slice(0, -1) : stem;

/** A word that may be an emote's name: capitals inside it, or nothing but capitals. */
const MAY_BE_EMOTE = /^(?:[a-z]+[A-Z][A-Za-z0-9]*|[A-Z]{2,}[A-Za-z0-9]*|[A-Z][a-z]+[A-Z][A-Za-z0-9]*)$/;
const EMOJI = /\p{Extended_Pictographic}(?:\u200d\p{Extended_Pictographic}|\ufe0f|\p{Emoji_Modifier})*/gu;

/** What of a text may be an emote by its form: exact names, and emoji one by one. Each once. */
export function emoteNamesIn(text: string): string[] {
  const names = new Set<string>();
  for (const [raw] of text.matchAll(/\S+/g)) {
    if (raw.length > LONGEST_WORD) continue;
    const bare = raw.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
    if (MAY_BE_EMOTE.test(bare)) names.add(bare);
  }
  for (const [emoji] of text.matchAll(EMOJI)) names.add(emoji);
  return [...names];
}
