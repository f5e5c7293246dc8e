import { plainText, type Token } from "./normalise.ts";

/**
 * A line as the model reads it: numbers of hashed words, pairs of neighbours and pieces of words. Training and product take
 * their rows from here; another hash or another piece needs another model.
 */

/** Row 0 of the model's tables is nothing: unused places of a window point there. */
export const BUCKETS = 1 << 17;
/** Numbers a window; a longer line is read in several, which overlap. */
export const WINDOW = 256;
/** The same window word by word: so many words, each with so many numbers. */
export const WORDS = 20;
export const PIECES = 12;
/** Those have a table of their own. */
export const WORD_BUCKETS = 1 << 16;
/** So many windows hold Twitch's 500 characters; the rest of a longer line is not read. */
const MOST_WINDOWS = 8;
const SHORTEST_PIECE = 2;
const LONGEST_PIECE = 5;
/** Words that a window has in common with the one before it. */
const OVERLAP = 3;
/** A line of more words is read in short pieces too: few words among many would not be heard. */
const LONG = 12;
const SHORT_WORDS = 8;
const MOST_SHORT = 12;

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const step = (hash: number, code: number): number => Math.imul(hash ^ code, PRIME);
const WORD = step(OFFSET, 119);
const PIECE = step(OFFSET, 99);
const SKELETON = step(OFFSET, 107);
const LETTERS = step(OFFSET, 108);

/** FNV-1a over UTF-16, mixed so that the low bits depend on all; 1 … buckets − 1. */
function bucketOf(hash: number, buckets: number): number {
  let mixed = hash ^ (hash >>> 15);
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  mixed ^= mixed >>> 13;
  return 1 + ((mixed >>> 0) % (buckets - 1));
}

/** A window: which tokens it covers and its numbers, once as a bag and once word by word, zeros behind them. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly numbers: Float32Array;
  readonly words: Float32Array;
}

/** When a bucket was last taken: it goes into a window once. */
const taken = new Uint32Array(BUCKETS);
let round = 0;

/** At least one window, at most MOST_WINDOWS and MOST_SHORT. `without`: tokens that are left out, as if they were not there. */
export function windowsOf(tokens: readonly Token[], without?: ReadonlySet<number>): Window[] {
  const windows = split(tokens, WORDS, MOST_WINDOWS, without);
  return tokens.length <= LONG ? windows : [...windows, ...split(tokens, SHORT_WORDS, MOST_SHORT, without)];
}

function split(
  tokens: readonly Token[],
  most: number,
  mostWindows: number,
  without: ReadonlySet<number> | undefined,
): Window[] {
  const windows: Window[] = [];
  for (let from = 0; ;) {
    const numbers = new Float32Array(WINDOW);
    const words = new Float32Array(WORDS * PIECES);
    const to = fill(numbers, words, tokens, from, most, without);
    windows.push({ from, to, numbers, words });
    if (to >= tokens.length || windows.length === mostWindows) return windows;
    from = Math.max(from + 1, to - OVERLAP);
  }
}

/** Fills a window from a token on; returns the first token that found no place (one that fits in no window is cut). */
function fill(
  numbers: Float32Array,
  words: Float32Array,
  tokens: readonly Token[],
  from: number,
  mostWords: number,
  without: ReadonlySet<number> | undefined,
): number {
  if (++round === 0xffffffff) {
    taken.fill(0);
    round = 1;
  }
  let count = 0;
  const add = (hash: number): void => {
    const bucket = bucketOf(hash, BUCKETS);
    if (taken[bucket] === round || count === WINDOW) return;
    taken[bucket] = round;
    numbers[count++] = bucket;
  };
  let word = 0;
  // Hash of the word before, so that the pair "kill him" is found; readings stand beside the line and have no neighbours.
  let before = 0;
  for (let i = from; i < tokens.length; i++) {
    if (without?.has(i) === true) continue;
    const { kind, text } = tokens[i]!;
    if (i > from && (word === mostWords || count + most(tokens[i]!) > WINDOW)) return i;
    const place = word++ * PIECES;
    let hash = WORD;
    for (let k = 0; k < text.length; k++) hash = step(hash, lower(text.charCodeAt(k)));
    add(hash);
    words[place] = bucketOf(hash, WORD_BUCKETS);
    if (kind !== "reading") {
      if (before !== 0) {
        let pair = before;
        for (let k = 0; k < text.length; k++) pair = step(pair, lower(text.charCodeAt(k)));
        add(pair);
      }
      // Without a sign between them, the pair of a word that was split is the word: "nig ger".
      before = hash;
    }
    if (kind !== "word" && kind !== "reading") continue;
    let pieces = 1;
    if (text.length >= 4) {
      const [skeleton, letters] = [skeletonOf(text), lettersOf(text)];
      add(skeleton);
      add(letters);
      words[place + pieces++] = bucketOf(skeleton, WORD_BUCKETS);
      words[place + pieces++] = bucketOf(letters, WORD_BUCKETS);
    }
    const length = text.length + 2;
    const codeAt = (k: number): number => (k === 0 || k === length - 1 ? 32 : text.charCodeAt(k - 1));
    // Of a long word as many pieces as have a place, spread over it.
    const every = Math.max(1, text.length / (PIECES - pieces));
    let next = 0;
    for (let start = 0; start < length - 1; start++) {
      let piece = PIECE;
      for (let n = 1; n <= LONGEST_PIECE && start + n <= length; n++) {
        piece = step(piece, codeAt(start + n - 1));
        if (n >= SHORTEST_PIECE) add(piece);
        if (n === 3 && start >= next && pieces < PIECES) {
          words[place + pieces++] = bucketOf(piece, WORD_BUCKETS);
          next += every;
        }
      }
    }
  }
  return tokens.length;
}

const VOWELS = new Set(Array.from("aeiouyаеиоуыэюяьъй", (sign) => sign.charCodeAt(0)));

/** The first letter and the consonants, doubled ones once: mistyped words often keep them ("moiron", "idoot"). */
function skeletonOf(word: string): number {
  let hash = SKELETON;
  let before = 0;
  for (let k = 0; k < word.length; k++) {
    const code = word.charCodeAt(k);
    if (code === before || (k > 0 && VOWELS.has(code))) continue;
    hash = step(hash, code);
    before = code;
  }
  return hash;
}

/** Which letters a word has, in whatever order: letters are swapped ("useelss"). */
function lettersOf(word: string): number {
  let sum = 0;
  const seen = new Set<number>();
  for (let k = 0; k < word.length; k++) {
    const code = word.charCodeAt(k);
    if (seen.has(code)) continue;
    seen.add(code);
    sum = (sum + Math.imul(step(OFFSET, code), 0x85ebca6b)) | 0;
  }
  return step(step(LETTERS, word.charCodeAt(0)) ^ sum, seen.size);
}

const lower = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code);

/** The most numbers that a token can give. */
function most({ kind, text }: Token): number {
  if (kind !== "word" && kind !== "reading") return 2;
  return 4 + (LONGEST_PIECE - SHORTEST_PIECE + 1) * (text.length + 1);
}

/** 53-bit hash of what a line says: near-copies share it. */
export function nearOf(tokens: readonly Token[]): number {
  const text = plainText(tokens);
  let low = OFFSET;
  let high = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    low = step(low, text.charCodeAt(i));
    high = Math.imul(high ^ text.charCodeAt(i), 0x85ebca6b);
  }
  high ^= high >>> 13;
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
