import { stemmer as russian } from "@orama/stemmers/russian";

/** Longer ones are cut: no word of a language is, and what is counted by characters stays cheap. */
const LONGEST_WORD = 40;
const WORD = /[\p{L}\p{M}\p{N}_']+/gu;
const URL = /(?:https?:\/\/|www\.)\S+/gi;
/** `text ×137`: how often a line was said is no word of it. */
/** However a laugh is written, it is one word. */
const LAUGH =
  /^(?:[ахaxh]{4,}|(?:[хx][аеиоэ]){2,}[хx]?|(?:h[aei]){2,}h?|(?:ja){2,}|[пывахз]{6,}|(?:lo){2,}l|l[uo]+l[wz]?)$/u;
const TIMES = /×\s?\d+/gu;

/**
 * The words of a text as the static model knows them: small letters, ё as е, what is drawn out cut to two (`nooooo` → `noo`), accents on Latin letters
 * off, addresses and mentions out. Training reads its texts through this function too.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .replaceAll(URL, " ")
    .replaceAll(TIMES, " ")
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll("ё", "е")
    .replaceAll("’", "'")
    .replaceAll(/([^\p{N}])\1{2,}/gu, "$1$1");
  const words: string[] = [];
  for (const [found] of plain.matchAll(WORD)) {
    const word = found.replaceAll(/^'+|'+$|'s$/g, "");
    if (word === "") continue;
    const bare = /[à-ɏ]/.test(word) ? word.normalize("NFD").replaceAll(/\p{M}/gu, "").normalize("NFC") : word;
    words.push(LAUGH.test(bare) ? "haha" : bare.length <= LONGEST_WORD ? bare : bare.slice(0, LONGEST_WORD));
  }
  return words;
}

const CYRILLIC = /^[а-я]{3,}$/;
/** Under what a word stands in the table: Russian ones by their stem, which all their forms share. */
export const keyOf = (word: string): string => (CYRILLIC.test(word) ? russian(word) : word);

const SEED = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a over the UTF-16 code units, finished so that near numbers lie far apart. */
export function hashOf(text: string, from: number, to: number): number {
  let hash = SEED;
  for (let i = from; i < to; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), PRIME);
    hash = Math.imul(hash ^ (unit >> 8), PRIME);
  }
  return mixed(hash);
}

/** The finish of MurmurHash3. */
export function mixed(number: number): number {
  let hash = number;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
