/**
 * What a line says under its disguise: compatibility forms, accents, invisible signs, look-alike letters of other scripts and
 * runs are undone; digits for letters and letters set apart are read beside what is written, never instead of it.
 */

/** `word` letters and digits · `sign` anything else · `emote` an emote's name · `mention` @name · `link` · `reading` another reading of the words before it. */
export type TokenKind = "word" | "sign" | "emote" | "mention" | "link" | "reading";
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Code points of the line, both inclusive. */
  readonly first: number;
  readonly last: number;
}

/** A line's text beyond this is not read: Twitch allows 500 characters. */
export const MOST_CODE_POINTS = 600;
/** A longer run of one sign says no more. */
const LONGEST_RUN = 2;
const LONGEST_WORD = 40;
/** So many letters that stand alone are one word ("k y s"). */
const LEAST_SPACED = 3;

// Cyrillic and Greek letters that look Latin, and the other way for Russian words with Latin letters in them.
const TO_LATIN = new Map(
  Object.entries({
    ...{
      а: "a",
      е: "e",
      о: "o",
      р: "p",
      с: "c",
      у: "y",
      х: "x",
      і: "i",
      ї: "i",
      ј: "j",
      ѕ: "s",
      ԁ: "d",
      һ: "h",
    },
    ...{
      в: "b",
      к: "k",
      м: "m",
      н: "h",
      т: "t",
      г: "r",
      п: "n",
      и: "u",
      з: "3",
      б: "6",
      ь: "b",
      ԛ: "q",
      ԝ: "w",
    },
    ...{ α: "a", β: "b", ε: "e", η: "n", ι: "i", κ: "k", μ: "u", ν: "v", ο: "o", ρ: "p", σ: "o", τ: "t" },
    ...{ υ: "u", χ: "x", ω: "w", γ: "y", ς: "c", ո: "n", ս: "u", օ: "o", հ: "h", ց: "g", զ: "q", ꭰ: "d" },
  }),
);
const TO_CYRILLIC = new Map(
  Object.entries({
    ...{ a: "а", b: "в", c: "с", e: "е", h: "н", k: "к", m: "м", n: "п", o: "о", p: "р", r: "г", t: "т" },
    ...{ u: "и", x: "х", y: "у", i: "і", d: "д", g: "д", l: "л", z: "з", s: "с", v: "в", f: "ф", j: "й" },
  }),
);
/** Cyrillic letters that nobody would take for Latin ones, and the other way. */
const ONLY_CYRILLIC = /[бгджзийлпфцчшщъыьэюяієґё]/u;
const ONLY_LATIN = /[dfgijlnqrsvwz]/;
const SMALL_CAPITALS = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|\p{M}|\p{Cf}/u;
const LETTER = /\p{L}|\p{N}/u;
const LETTERS_A = 97;

/** Letters that a digit or sign stands for in disguised words. */
const LEET = new Map(
  Object.entries({
    ...{ "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g" },
    ...{ "@": "a", $: "s", "!": "i", "|": "i", "+": "t", "€": "e", "£": "l", "¥": "y", "¡": "i" },
  }),
);
const LEET_RUSSIAN = new Map(
  Object.entries({ "0": "о", "1": "и", "3": "з", "4": "ч", "6": "б", "@": "а", $: "с" }),
);

/** What one code point is read as; empty: nothing. */
const folded = new Map<number, string>();
const MOST_FOLDED = 20_000;

function fold(codePoint: number): string {
  const known = folded.get(codePoint);
  if (known !== undefined) return known;
  const read = foldSlow(codePoint);
  if (folded.size < MOST_FOLDED) folded.set(codePoint, read);
  return read;
}

function foldSlow(codePoint: number): string {
  // Negative circled and squared letters have no compatibility form.
  if (codePoint >= 0x1f150 && codePoint <= 0x1f169) return letter(codePoint - 0x1f150);
  if (codePoint >= 0x1f170 && codePoint <= 0x1f189) return letter(codePoint - 0x1f170);
  const sign = String.fromCodePoint(codePoint);
  const small = SMALL_CAPITALS.indexOf(sign);
  if (small >= 0 && codePoint > 127) return letter(small);
  if (INVISIBLE.test(sign)) return "";
  const lower = sign.normalize("NFKC").toLowerCase();
  // й is a letter of its own; ё is mostly written as е.
  if (lower === "й") return lower;
  const plain = lower.normalize("NFKD").replaceAll(/\p{M}/gu, "");
  return plain === "ł" ? "l" : plain === "ø" ? "o" : plain === "ı" ? "i" : plain === "ß" ? "ss" : plain;
}

const letter = (index: number): string => String.fromCharCode(LETTERS_A + index);
const isAsciiWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
const isRegional = (codePoint: number): boolean => codePoint >= 0x1f1e6 && codePoint <= 0x1f1ff;
const isSpace = (codePoint: number): boolean =>
  codePoint === 32 ||
  (codePoint >= 9 && codePoint <= 13) ||
  codePoint === 0xa0 ||
  codePoint === 0x3000 ||
  (codePoint >= 0x2000 && codePoint <= 0x200a) ||
  codePoint === 0x2800 ||
  codePoint === 0x2028 ||
  codePoint === 0x2029;

/** Emotes by the code points that they cover, as Twitch gives them: `[first, last]`, both inclusive. */
export type Places = readonly (readonly [first: number, last: number])[];

/** The line as tokens in order; each reading stands behind the words that it reads anew. */
export function tokensOf(text: string, emotes: Places = []): Token[] {
  const points = codePointsOf(text);
  const tokens: Token[] = [];
  const emoteAt = emotes.length === 0 ? undefined : new Map(emotes.map(([first, last]) => [first, last]));
  for (let at = 0; at < points.length;) {
    if (isSpace(points[at]!)) {
      at++;
      continue;
    }
    const emoteLast = emoteAt?.get(at);
    if (emoteLast !== undefined && emoteLast >= at && emoteLast < points.length) {
      const name = String.fromCodePoint(...points.slice(at, emoteLast + 1));
      tokens.push({ kind: "emote", text: name, first: at, last: emoteLast });
      at = emoteLast + 1;
      continue;
    }
    let end = at + 1;
    while (end < points.length && !isSpace(points[end]!) && emoteAt?.has(end) !== true) end++;
    addChunk(points, at, end, tokens);
    at = end;
  }
  return tokens.length < LEAST_SPACED ? tokens : withSpacedOut(tokens);
}

function codePointsOf(text: string): number[] {
  const points: number[] = [];
  for (let i = 0; i < text.length && points.length < MOST_CODE_POINTS;) {
    const point = text.codePointAt(i)!;
    points.push(point);
    i += point > 0xffff ? 2 : 1;
  }
  return points;
}

/** What stands between two spaces. */
function addChunk(points: readonly number[], from: number, to: number, tokens: Token[]): void {
  // Each code point's reading; empty where it is invisible.
  const reads: string[] = [];
  let plain = true;
  for (let i = from; i < to; i++) {
    const point = points[i]!;
    if (point < 128) reads.push(String.fromCharCode(point >= 65 && point <= 90 ? point + 32 : point));
    else {
      plain = false;
      reads.push(isRegional(point) ? regional(points, i, from, to) : fold(point));
    }
  }
  const whole = reads.join("");
  if (whole === "") return;
  const last = to - 1;
  if (
    whole.length > 3 &&
    /^@[\p{L}\p{N}_]{2,25}[,:.!?]?$/u.test(whole) &&
    !/^@(?:ss|\p{L}{0,2}\d)/u.test(whole)
  ) {
    tokens.push({ kind: "mention", text: "@", first: from, last });
    return;
  }
  if (isLink(whole)) {
    tokens.push({ kind: "link", text: "://", first: from, last });
    return;
  }
  const isWord = (i: number): boolean => {
    const read = reads[i]!;
    if (read === "") return true;
    return plain || read.length === 1 ? isWordSign(read) : LETTER.test(read);
  };
  const began = tokens.length;
  let inner = false;
  for (let i = 0; i < reads.length;) {
    const word = isWord(i);
    // An apostrophe within a word is no border: "dont" and "don't" are one word.
    const goesOn = (at: number): boolean =>
      isWord(at) === word ||
      (word && (reads[at] === "'" || reads[at] === "’") && at + 1 < reads.length && isWord(at + 1));
    let end = i + 1;
    while (end < reads.length && goesOn(end)) end++;
    const parts = reads.slice(i, end);
    const raw = word ? parts.filter((read) => read !== "'" && read !== "’").join("") : parts.join("");
    if (raw !== "") {
      const [first, until] = [from + i, from + end - 1];
      if (word) addWord(raw, plain, first, until, tokens);
      else {
        tokens.push({ kind: "sign", text: shorten(raw), first, last: until });
        if (i > 0 || end < reads.length) inner = true;
      }
    }
    i = end;
  }
  // Signs within a word may be letters: sh!t, a$$, f@ggot.
  if (inner && tokens.length - began > 1) addReading(whole, from, last, tokens);
}

const isWordSign = (sign: string): boolean => {
  const code = sign.charCodeAt(0);
  return code < 128 ? isAsciiWord(code) : LETTER.test(sign);
};

/** Two regional indicators are a flag; more of them in a row are letters. */
function regional(points: readonly number[], at: number, from: number, to: number): string {
  let first = at;
  let last = at;
  while (first > from && isRegional(points[first - 1]!)) first--;
  while (last < to - 1 && isRegional(points[last + 1]!)) last++;
  return last - first < 2 ? String.fromCodePoint(points[at]!) : letter(points[at]! - 0x1f1e6);
}

const isLink = (chunk: string): boolean =>
  chunk.length > 4 &&
  chunk.includes(".") &&
  (/^(?:https?:\/\/|www\.)/.test(chunk) ||
    /^[a-z\d][a-z\d-]*(?:\.[a-z\d-]+)*\.(?:com|net|org|gg|tv|ru|ly|io|me|xyz|shop|store|club|link|be|co|info|online|site|top|live|click)(?:\/\S*)?$/.test(
      chunk,
    ));

function addWord(raw: string, plain: boolean, first: number, last: number, tokens: Token[]): void {
  const read = plain ? raw : oneScript(raw);
  const word = shorten(read);
  tokens.push({ kind: "word", text: word, first, last });
  // A drawn-out word is also the word with single letters: fuuuuck.
  if (word.length !== read.length) {
    const single = word.replaceAll(/(.)\1/gu, "$1");
    if (single !== word && single.length > 1) tokens.push({ kind: "reading", text: single, first, last });
  }
  if (/\d/.test(word) && /\D/.test(word)) addReading(word, first, last, tokens);
}

/** A word of mixed scripts as its writer wants it to be seen. */
export function oneScript(word: string): string {
  let latin = 0;
  let cyrillic = 0;
  let only = 0;
  let foreign = 0;
  for (const sign of word) {
    const code = sign.charCodeAt(0);
    if (code < 128) {
      if (code >= 97 && code <= 122) latin++;
      if (ONLY_LATIN.test(sign)) only++;
    } else if (code >= 0x400 && code < 0x530) {
      cyrillic++;
      if (ONLY_CYRILLIC.test(sign)) only--;
    } else if (TO_LATIN.has(sign)) foreign++;
  }
  if (latin === 0 || cyrillic + foreign === 0) return word;
  if (foreign > 0 || only > 0 || (only === 0 && latin >= cyrillic))
    return Array.from(word)
      .map((sign) => TO_LATIN.get(sign) ?? sign)
      .join("");
  return Array.from(word)
    .map((sign) => TO_CYRILLIC.get(sign) ?? sign)
    .join("");
}

/** Digits and signs read as letters; nothing where no word comes of it. */
function addReading(chunk: string, first: number, last: number, tokens: Token[]): void {
  const russian = /[а-я]/.test(chunk);
  const table = russian ? LEET_RUSSIAN : LEET;
  let letters = 0;
  let read = "";
  for (const sign of chunk) {
    const other = table.get(sign);
    if (other !== undefined) read += other;
    else if (/\p{L}/u.test(sign)) {
      letters++;
      read += sign;
    } else if (sign === "*" || sign === "#") {
      if (!read.endsWith("*")) read += "*";
    } else if (!/[-._'’~^,]/.test(sign)) return;
  }
  read = shorten(read);
  // An exclamation mark at the end is one.
  if (/[!|]+$/.test(chunk)) read = read.replace(/i+$/, "");
  if (letters < 1 || read.length < 3 || read === chunk) return;
  // 15k, 3rd, 2x, gg2, 3v3 and the like are what they are.
  if (/^\d+\D{1,2}\d*$/.test(chunk) || /^\D{1,2}\d+$/.test(chunk)) return;
  if (tokens.at(-1)?.text === read || tokens.at(-2)?.text === read) return;
  tokens.push({ kind: "reading", text: read, first, last });
}

/** "k y s" and "n.o.o.b" as words of their own, behind what was written. */
function withSpacedOut(tokens: Token[]): Token[] {
  let out: Token[] | undefined;
  for (let i = 0; i < tokens.length; i++) {
    out?.push(tokens[i]!);
    if (!isLone(tokens[i]!)) continue;
    let end = i;
    let word = tokens[i]!.text;
    let letters = 1;
    for (let next = i + 1; next < tokens.length; next++) {
      const token = tokens[next]!;
      if (isLone(token)) {
        word += token.text;
        letters++;
        end = next;
      } else if (token.kind !== "sign" || token.text.length > 1) break;
    }
    if (letters < LEAST_SPACED) continue;
    out ??= tokens.slice(0, i + 1);
    for (let k = i + 1; k <= end; k++) out.push(tokens[k]!);
    out.push({ kind: "reading", text: shorten(word), first: tokens[i]!.first, last: tokens[end]!.last });
    i = end;
  }
  return out ?? tokens;
}

const isLone = ({ kind, text }: Token): boolean =>
  kind === "word" && text.length === 1 && /\p{L}/u.test(text);

/** Runs cut to two signs, and to a length that no word has. */
function shorten(word: string): string {
  let run = 1;
  let cut = word.length > LONGEST_WORD;
  for (let i = 1; i < word.length && !cut; i++) {
    run = word.charCodeAt(i) === word.charCodeAt(i - 1) ? run + 1 : 1;
    cut = run > LONGEST_RUN;
  }
  if (!cut) return word;
  let out = "";
  run = 0;
  let before = "";
  for (const sign of word) {
    run = sign === before ? run + 1 : 1;
    before = sign;
    if (run <= LONGEST_RUN && out.length < LONGEST_WORD) out += sign;
  }
  return out;
}

/** The line as somebody would compare it: its words and emotes once each in order, its signs where it has nothing else. For near-copies. */
export function plainText(tokens: readonly Token[]): string {
  const seen = new Set<string>();
  for (const { kind, text } of tokens)
    if (kind !== "reading" && kind !== "sign") seen.add(text.toLowerCase());
  if (seen.size === 0) for (const { text } of tokens) seen.add(text);
  return [...seen].join(" ");
}
