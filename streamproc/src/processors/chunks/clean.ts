import { wellFormed } from "../bytes.ts";

/** Longer texts are cut: what a search needs of a line stands at its beginning. */
const LONGEST_TEXT = 160;
/** A login made of letters alone may be a word; a shorter one is taken for one. */
const NAME_LETTERS = 5;
const SIGNED = /[\d_]/;
/** Words of a phrase that is said over and over in one line. */
const LONGEST_PHRASE = 10;
/** Two generations of this many texts are remembered: chat repeats itself, and a chunk repeats the end of the one before. */
const REMEMBERED = 4096;

/** Nothing in it can be ornament: printable ASCII and plain Cyrillic. */
const PLAIN = /^[\x20-\x7e\u0400-\u045f]*$/;
/** Also halves of characters, which a cut leaves. */
const INVISIBLE = /[\p{Cf}\p{Cc}\p{Cs}\p{Mn}\p{Me}\ufe00-\ufe0f\ufffd\u{e0000}-\u{e0fff}]/gu;
const ACCENTED = /[\u00c0-\u024f\u1e00-\u1eff]/g;
const REPEATED = /(.)\1/u;
const STRETCHED = /(\p{L})\1{2,}/gu;
const REPEATED_SIGN = /([^\p{L}\p{N}\s])\1+/gu;
const MENTION = /^[^\p{L}\p{N}@]*@([\p{L}\p{N}_]{2,})/u;
const LINK =
  /^(?:https?:\/\/|www\.)\S+$|^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.(?:com|tv|gg|net|org|ru|io|me|be|co|de|uk|fr|app|dev|ly)(?:\/\S*)?$/iu;
const EDGES = /^[^\p{L}\p{N}_]+|[^\p{L}\p{N}_]+$/gu;

/** What a text says, cleaned. */
export interface Cleaned {
  readonly text: string;
  /** In lower case: texts that differ in nothing else are one. */
  readonly key: string;
  readonly bytes: number;
  /** Who is named in it, in lower case. */
  readonly named: readonly string[];
}

/** The same, with what is needed to take out the names of people who are here. */
interface Words extends Cleaned {
  readonly words: readonly string[];
  /** Each word in lower case without signs at its ends where that could be a name, empty where it is too short for one. */
  readonly bare: readonly string[];
}
let young = new Map<string, Words>();
let old = new Map<string, Words>();

/** `names`: logins and names of those who write here, in lower case. */
export function clean(raw: string, names: ReadonlySet<string>): Cleaned {
  const whole = wordsOf(raw);
  for (const word of whole.bare) if (word !== "" && names.has(word)) return withoutNames(whole, names);
  return whole;
}

function withoutNames({ words, bare, named }: Words, names: ReadonlySet<string>): Cleaned {
  const kept = words.filter((_, i) => !names.has(bare[i]!));
  return cleanedOf(kept, [...named, ...bare.filter((word) => names.has(word))]);
}

function cleanedOf(words: readonly string[], named: readonly string[]): Cleaned {
  const text = cut(withoutRefrain(words.filter((word, i) => word !== words[i - 1])).join(" "));
  return { text, key: text.toLowerCase(), bytes: Buffer.byteLength(text), named };
}

function wordsOf(raw: string): Words {
  let found = young.get(raw);
  if (found !== undefined) return found;
  found = old.get(raw) ?? split(raw);
  if (young.size >= REMEMBERED) {
    old = young;
    young = new Map();
  }
  young.set(raw, found);
  return found;
}

function split(raw: string): Words {
  const words: string[] = [];
  const bare: string[] = [];
  const named: string[] = [];
  for (const token of plain(raw).split(/\s+/)) {
    if (token === "") continue;
    const mention = token.includes("@") ? MENTION.exec(token)?.[1] : undefined;
    if (mention !== undefined) named.push(mention.toLowerCase());
    else {
      const word = token.includes(".") && LINK.test(token) ? hostOf(token) : unstretched(token);
      if (word === "") continue;
      words.push(word);
      const candidate = token.replaceAll(EDGES, "").toLowerCase();
      bare.push(candidate.length >= NAME_LETTERS || SIGNED.test(candidate) ? candidate : "");
    }
  }
  return { words, bare, ...cleanedOf(words, named) };
}

/** Composed first, so that й stays one letter; what still hangs on a letter then is ornament. */
function plain(raw: string): string {
  if (PLAIN.test(raw)) return raw;
  return raw
    .normalize("NFKC")
    .replaceAll(INVISIBLE, "")
    .replaceAll(ACCENTED, (letter) => letter.normalize("NFD").replaceAll(/\p{Mn}/gu, ""));
}

const unstretched = (token: string): string =>
  REPEATED.test(token) ? token.replaceAll(STRETCHED, "$1").replaceAll(REPEATED_SIGN, "$1") : token;

const hostOf = (link: string): string =>
  link
    .replace(/^https?:\/\//i, "")
    .replace(/^www\./i, "")
    .replace(/[/?#].*$/, "")
    .toLowerCase();

/** A line that is one phrase over and over, its last time perhaps cut off, is that phrase. */
function withoutRefrain(words: readonly string[]): readonly string[] {
  for (let length = 1; length <= LONGEST_PHRASE && length * 2 <= words.length; length++) {
    let same = true;
    for (let i = length; i < words.length && same; i++) same = words[i] === words[i - length];
    if (same) return words.slice(0, length);
  }
  return words;
}

function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  const end = text.lastIndexOf(" ", LONGEST_TEXT);
  return wellFormed(text.slice(0, end > 0 ? end : LONGEST_TEXT)).replace("\ufffd", "");
}
