import { hashOf } from "./toxicity-sets.ts";

/** How people hide words from filters. Each keeps a line readable. */

const LEET: Record<string, string> = { a: "4", e: "3", i: "1", o: "0", s: "5", t: "7" };
const LOOK_ALIKE: Record<string, string> = {
  ...{ a: "а", c: "с", e: "е", o: "о", p: "р", x: "х", y: "у", i: "і", k: "к" },
  ...{ а: "a", с: "c", е: "e", о: "o", р: "p", х: "x", у: "y", к: "k" },
};
const HARMLESS = "had a really nice dinner with my parents today and then we watched the match together";

const letters = (text: string, change: (letter: string, i: number) => string): string =>
  Array.from(text, change).join("");
/** Of a line's words, the longer ones. */
const longWords = (text: string, change: (word: string) => string): string =>
  text.replaceAll(/\p{L}{4,}/gu, change);

export const DISGUISES: Readonly<Record<string, (text: string) => string>> = {
  none: (text) => text,
  capitals: (text) => text.toUpperCase(),
  "digits for letters": (text) =>
    letters(text, (letter) =>
      hashOf(text + letter) % 2 === 0 ? (LEET[letter.toLowerCase()] ?? letter) : letter,
    ),
  "look-alike letters": (text) => letters(text, (letter) => LOOK_ALIKE[letter] ?? letter),
  "full-width letters": (text) =>
    letters(text, (letter) =>
      /[!-~]/.test(letter) ? String.fromCharCode(letter.charCodeAt(0) + 0xfee0) : letter,
    ),
  "mathematical letters": (text) =>
    letters(text.toLowerCase(), (letter) =>
      /[a-z]/.test(letter) ? String.fromCodePoint(0x1d4ea + letter.charCodeAt(0) - 97) : letter,
    ),
  "signs that are not seen": (text) =>
    letters(text, (letter, i) => (i % 2 === 1 ? `${letter}\u200b` : letter)),
  "marks on letters": (text) =>
    letters(text, (letter, i) => (/\p{L}/u.test(letter) && i % 2 === 0 ? `${letter}\u0336` : letter)),
  "letters set apart": (text) => longWords(text, (word) => Array.from(word).join(" ")),
  "dots between letters": (text) => longWords(text, (word) => Array.from(word).join(".")),
  "drawn out": (text) =>
    longWords(text, (word) => word.replace(/[aeiouyаеиоуы]/iu, (vowel) => vowel.repeat(5))),
  "two letters swapped": (text) =>
    longWords(text, (word) => `${word[0]}${word[2]}${word[1]}${word.slice(3)}`),
  "a letter left out": (text) => longWords(text, (word) => word.slice(0, 2) + word.slice(3)),
  "a star in each word": (text) => longWords(text, (word) => `${word[0]}*${word.slice(2)}`),
  "emotes around": (text) => `Kappa PogChamp ${text} LUL LUL`,
  "within harmless text": (text) => `${HARMLESS} ${text} ${HARMLESS}`,
};
