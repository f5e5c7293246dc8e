import { wellFormed } from "../bytes.ts";

/** Longer texts are cut: what a search needs of a line stands at its beginning. */
const LONGEST_TEXT = 160;
/** A login made of letters alone may be a word; a shorter one is taken for one. */
const NAME_LETTERS = 5;

const INVISIBLE = /[\p{Cf}\p{Cc}\p{Mn}\p{Me}\ufe00-\ufe0f\ufffd\u{e0000}-\u{e0fff}]/gu;
const ACCENTED = /[\u00c0-\u024f\u1e00-\u1eff]/g;
const STRETCHED = /(\p{L})\1{2,}/gu;
const REPEATED_SIGN = /([^\p{L}\p{N}\s])\1+/gu;
const MENTION = /^[^\p{L}\p{N}@]*@([\p{L}\p{N}_]{2,})/u;
const LINK =
  /^(?:https?:\/\/|www\.)[^\s]+$|^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.(?:com|tv|gg|net|org|ru|io|me|be|co|de|uk|fr|app|dev|ly)(?:\/\S*)?$/iu;
const EDGES = /^[^\p{L}\p{N}_]+|[^\p{L}\p{N}_]+$/gu;

export interface Cleaned {
  readonly text: string;
  /** Who is named in it, in lower case. */
  readonly named: readonly string[];
}

/** `names`: logins and names of those who write here, in lower case. */
export function clean(raw: string, names: ReadonlySet<string>): Cleaned {
  const named: string[] = [];
  const words: string[] = [];
  // Composed first, so that й stays one letter; what still hangs on a letter then is ornament.
  const plain = raw
    .normalize("NFKC")
    .replaceAll(INVISIBLE, "")
    .replaceAll(ACCENTED, (letter) => letter.normalize("NFD").replaceAll(/\p{Mn}/gu, ""));
  for (const token of plain.split(/\s+/u)) {
    if (token === "") continue;
    const mention = MENTION.exec(token)?.[1];
    if (mention !== undefined) {
      named.push(mention.toLowerCase());
      continue;
    }
    const bare = token.replaceAll(EDGES, "").toLowerCase();
    if (isName(bare, names)) {
      named.push(bare);
      continue;
    }
    const word = LINK.test(token)
      ? hostOf(token)
      : token.replaceAll(STRETCHED, "$1").replaceAll(REPEATED_SIGN, "$1");
    if (word !== "" && word !== words.at(-1)) words.push(word);
  }
  return { text: cut(words.join(" ")), named };
}

function isName(word: string, names: ReadonlySet<string>): boolean {
  if (!names.has(word)) return false;
  return word.length >= NAME_LETTERS || /[\d_]/.test(word);
}

const hostOf = (link: string): string =>
  link
    .replace(/^https?:\/\//i, "")
    .replace(/^www\./i, "")
    .replace(/[/?#].*$/, "")
    .toLowerCase();

function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  const end = text.lastIndexOf(" ", LONGEST_TEXT);
  return wellFormed(text.slice(0, end > 0 ? end : LONGEST_TEXT)).replace("\ufffd", "");
}
