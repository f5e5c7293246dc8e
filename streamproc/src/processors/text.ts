import { MOODS, type Mood } from "@hypecast/contracts/moods.ts";
import lexicon from "./lexicon.json" with { type: "json" };
import moods from "./moods.json" with { type: "json" };
import { mix } from "./distinct.ts";
import { FLAG } from "./pane.ts";

/** What a line's text says by itself. A pure function of the text and the channel's overrides, and remembered: chat repeats itself. */
export interface Analysis {
  /** Code points, without the invisible ones that clients add to get past Twitch's duplicate check. */
  readonly length: number;
  /** Code points that are no spaces. */
  readonly bare: number;
  /** Hash of the text, and of what is left when case, punctuation, stretching and repeated words are taken away. */
  readonly textKey: number;
  readonly nearKey: number;
  /** Bit i: it shows MOODS[i]. */
  readonly moods: number;
  /** −1000 … 1000; null: it says nothing good or bad. */
  readonly sentiment: number | null;
  /** `FLAG.long`, `link`, `command`, `caps`, `question`. */
  readonly flags: number;
  /** 0 no words of its own, 1 English, 2 Russian, 3 another. */
  readonly language: 0 | 1 | 2 | 3;
  /** Code of a poll-like answer, 0 none. */
  readonly poll: number;
  /** Nothing but emotes and emoji known by name. */
  readonly emoteWordsOnly: boolean;
}

/** What a mood says about good and bad, in thousandths. Shock says nothing. */
const MOOD_SENTIMENT: Record<Mood, number | null> = {
  laugh: 400,
  shock: null,
  hype: 600,
  love: 800,
  sad: -500,
  anger: -700,
  cringe: -400,
};

/** Answers to a streamer's question; a line that is nothing else. Yes and no have one code each. */
export const POLL_ANSWERS = [
  "",
  "1",
  "2",
  "3",
  "4",
  "5",
  "6",
  "7",
  "8",
  "9",
  "yes",
  "no",
  "a",
  "b",
  "c",
  "d",
];
const POLL_SPELLINGS: Record<string, number> = {
  ...Object.fromEntries(POLL_ANSWERS.map((answer, code) => [answer, code])),
  "0": 9,
  "+": 10,
  y: 10,
  да: 10,
  д: 10,
  "-": 11,
  n: 11,
  нет: 11,
  н: 11,
};

interface Word {
  mood: number;
  /** Thousandths; 0 none. */
  sentiment: number;
  negates: boolean;
  /** 1 English, 2 foreign; 0 neither. */
  functionWord: number;
}

/** Looked up by hash alone: at 32 bits and some thousand words a foreign token is taken for one of ours once in a million. */
class Words {
  readonly #keys = new Int32Array(1 << 13);
  readonly #words: (Word | undefined)[] = Array.from({ length: 1 << 13 }, () => undefined);

  find(hash: number): Word | undefined {
    let at = mix(hash) & 8191;
    while (this.#words[at] !== undefined) {
      if (this.#keys[at] === (hash | 0)) return this.#words[at];
      at = (at + 1) & 8191;
    }
    return undefined;
  }

  /** The word of this hash, made when it is new. */
  at(hash: number): Word {
    const known = this.find(hash);
    if (known !== undefined) return known;
    let at = mix(hash) & 8191;
    while (this.#words[at] !== undefined) at = (at + 1) & 8191;
    const word = { mood: -1, sentiment: 0, negates: false, functionWord: 0 };
    this.#keys[at] = hash | 0;
    this.#words[at] = word;
    return word;
  }
}

const SEED = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
/** Every written laugh is near to every other. */
const LAUGH_KEY = 0x1a06;

// Code units below FOLDED: letter class (1 Latin, 2 Cyrillic, 3 other letters, 4 digit) and lower case.
const FOLDED = 0x530;
const CLASS = new Uint8Array(FOLDED);
const LOWER = new Uint16Array(FOLDED);
const UPPER = new Uint8Array(FOLDED);
for (let code = 0; code < FOLDED; code++) {
  const char = String.fromCharCode(code);
  const lower = char.toLowerCase();
  LOWER[code] = lower.length === 1 ? lower.charCodeAt(0) : code;
  UPPER[code] = lower === char ? 0 : 1;
  if (/\p{Script=Latin}/u.test(char)) CLASS[code] = 1;
  else if (/\p{Script=Cyrillic}/u.test(char)) CLASS[code] = 2;
  else if (/\p{L}/u.test(char)) CLASS[code] = 3;
  else if (/\d/.test(char)) CLASS[code] = 4;
}
LOWER["ё".charCodeAt(0)] = "е".charCodeAt(0);
LOWER["Ё".charCodeAt(0)] = "е".charCodeAt(0);

const UKRAINIAN: ReadonlySet<number> = new Set(Array.from("іїєґў", (char) => char.charCodeAt(0)));

// Letters of written laughter, in Latin and Cyrillic: haha, jaja, ахах, хехе, and the keyboard smash апхпвахп.
const LAUGH_H = 1;
const LAUGH_VOWEL = 2;
const LAUGH_SMASH = 4;
const LAUGH = new Uint8Array(FOLDED);
for (const char of "hjхx") LAUGH[char.charCodeAt(0)] = LAUGH_H;
for (const char of "aeiаеихэ") LAUGH[char.charCodeAt(0)] ||= LAUGH_VOWEL;
for (const char of "пывз") LAUGH[char.charCodeAt(0)] = LAUGH_SMASH;

const hashRaw = (token: string): number => {
  let hash = SEED;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), PRIME);
  return hash;
};
const fold = (token: string): string => token.toLowerCase().replaceAll("ё", "е");
const squeeze = (token: string): string => token.replaceAll(/(.)\1+/gu, "$1");
const list = (words: string): string[] => words.split(" ").filter((word) => word !== "");

const words = new Words();
const stretched = new Words();
/** Words are hashed as the scan hashes them: letters, digits and apostrophes in lower case. */
function addWord(token: string, change: (word: Word) => void): void {
  const folded = fold(token);
  change(words.at(hashRaw(folded)));
  if (folded.length > 1) change(stretched.at(hashRaw(squeeze(folded))));
}
for (const text of list(lexicon.negations)) addWord(text, (word) => (word.negates = true));
for (const text of list(lexicon.english)) addWord(text, (word) => (word.functionWord = 1));
for (const text of list(lexicon.foreign)) addWord(text, (word) => (word.functionWord = 2));
for (const [kind, sign] of [
  [lexicon.good, 1],
  [lexicon.bad, -1],
] as const)
  for (const language of [kind.en, kind.ru]) {
    for (const text of list(language["1"])) addWord(text, (word) => (word.sentiment = sign * 500));
    for (const text of list(language["2"])) addWord(text, (word) => (word.sentiment = sign * 1000));
  }
for (const [mood, texts] of Object.entries(moods.words))
  for (const text of list(texts))
    addWord(text, (word) => {
      const at = MOODS.indexOf(mood as Mood);
      if (word.mood >= 0) return;
      word.mood = at;
      if (word.sentiment === 0) word.sentiment = MOOD_SENTIMENT[mood as Mood] ?? 0;
    });

/** Emotes of one vocabulary: the common ones, or a channel's with its overrides. −1: known, no mood. */
interface Vocabulary {
  readonly emotes: Words;
  young: Map<string, Analysis>;
  old: Map<string, Analysis>;
}
const suffixes = new Map<string, number>();
for (const [mood, texts] of Object.entries(moods.suffixes))
  for (const text of list(texts)) if (!suffixes.has(text)) suffixes.set(text, MOODS.indexOf(mood as Mood));

/** Two generations of this many texts are remembered a vocabulary. */
const REMEMBERED = 16_384;
/** Longer texts seldom come again. */
const REMEMBERED_LENGTH = 300;

function vocabulary(overrides: Record<string, string>): Vocabulary {
  const emotes = new Words();
  for (const [mood, texts] of Object.entries(moods.emotes))
    for (const text of list(texts)) {
      const word = emotes.at(hashRaw(text));
      if (word.mood >= 0) continue;
      word.mood = MOODS.indexOf(mood as Mood);
      word.sentiment = MOOD_SENTIMENT[mood as Mood] ?? 0;
    }
  for (const [text, mood] of Object.entries(overrides)) {
    const word = emotes.at(hashRaw(text));
    word.mood = MOODS.indexOf(mood as Mood);
    word.sentiment = MOOD_SENTIMENT[mood as Mood] ?? 0;
  }
  return { emotes, young: new Map(), old: new Map() };
}
const common = vocabulary({});
const ofChannel = new Map(
  Object.entries(moods.channels as Record<string, Record<string, string>>).map(([channel, overrides]) => [
    channel,
    vocabulary(overrides),
  ]),
);

/** The mood of an emote by its name, or null: for pictures and bursts. */
export function moodOfEmote(name: string, channelId: string): Mood | null {
  const { moods: mask } = analysisOf(name, channelId);
  return mask === 0 ? null : MOODS[31 - Math.clz32(mask & -mask)]!;
}

export function analysisOf(text: string, channelId: string): Analysis {
  const known = ofChannel.size === 0 ? common : (ofChannel.get(channelId) ?? common);
  let found = known.young.get(text);
  if (found !== undefined) return found;
  found = known.old.get(text) ?? analyse(text, known.emotes);
  if (text.length > REMEMBERED_LENGTH) return found;
  if (known.young.size >= REMEMBERED) {
    known.old = known.young;
    known.young = new Map();
  }
  known.young.set(text, found);
  return found;
}

/** One pass over the text; a token is judged where it ends. */
function analyse(text: string, emotes: Words): Analysis {
  const { length: units } = text;
  let points = 0;
  let bare = 0;
  let textKey = SEED;
  let pendingSpace = false;

  let moodMask = 0;
  let sentimentSum = 0;
  let sentimentHits = 0;
  let negated = 0;
  let latin = 0;
  let cyrillic = 0;
  let otherLetters = 0;
  let ukrainian = 0;
  let accented = 0;
  let english = 0;
  let foreign = 0;
  let capsLetters = 0;
  let capsUpper = 0;
  let ownWords = 0;
  let tokens = 0;
  let knownEmotes = 0;
  let question = false;
  let link = false;
  let nearKey = SEED;
  let lastNear = 0;
  let small1 = 0xffffffff;
  let small2 = 0xffffffff;
  let small3 = 0xffffffff;
  let longWords = 0;

  // Of the token that is being read.
  let start = -1;
  let raw = SEED;
  let folded = SEED;
  let squeezed = SEED;
  let symbols = SEED;
  let last = 0;
  let run = 0;
  let longestRun = 0;
  let letters = 0;
  let upper = 0;
  let tokenLatin = 0;
  let tokenCyrillic = 0;
  let tokenOther = 0;
  let tokenUkrainian = 0;
  let tokenAccented = 0;
  let digits = 0;
  let laughH = 0;
  let laughRest = 0;
  let laughStrange = 0;
  let firstUpper = -1;
  let dot = -1;
  let lastCode = 0;

  for (let i = 0; i <= units; i++) {
    const code = i < units ? text.charCodeAt(i) : 32;
    if (code === 0xdb40) {
      i++; // U+E0000 and its like: invisible
      continue;
    }
    const space = code <= 32 || code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200b);
    if (!space) {
      if (start < 0) {
        start = i;
        if (pendingSpace) textKey = Math.imul(textKey ^ 32, PRIME);
        pendingSpace = true;
      }
      raw = Math.imul(raw ^ code, PRIME);
      textKey = Math.imul(textKey ^ code, PRIME);
      if (code < 0xdc00 || code > 0xdfff) {
        points++;
        bare++;
      }
      let kind: number;
      let lower = code;
      if (code < FOLDED) {
        kind = CLASS[code]!;
        lower = LOWER[code]!;
        if (UPPER[code] === 1) {
          upper++;
          if (firstUpper < 0) firstUpper = i - start;
        }
        if (code === 46 && i > start && dot < 0) dot = i;
        if (kind === 1 && code > 0x7f) tokenAccented++;
        if (kind === 2 && UKRAINIAN.has(lower)) tokenUkrainian++;
      } else kind = isOtherLetter(code) ? 3 : 0;
      lastCode = code;
      if (kind !== 0 || code === 39) {
        folded = Math.imul(folded ^ lower, PRIME);
        if (lower === last) run++;
        else {
          run = 1;
          last = lower;
          squeezed = Math.imul(squeezed ^ lower, PRIME);
        }
        if (run > longestRun) longestRun = run;
        if (kind === 4) digits++;
        else if (kind !== 0) {
          letters++;
          if (kind === 1) tokenLatin++;
          else if (kind === 2) tokenCyrillic++;
          else tokenOther++;
          const laugh = lower < FOLDED ? LAUGH[lower]! : 0;
          if (laugh === LAUGH_H) laughH++;
          else if (laugh === 0) laughStrange++;
          else laughRest++;
        }
      } else symbols = Math.imul(symbols ^ code, PRIME);
      continue;
    }
    if (i < units && code !== 0x200b) points++;
    if (start < 0) continue;

    // A token ends.
    tokens++;
    let near = squeezed;
    let word = emotes.find(raw);
    let isEmote = word !== undefined;
    if (word === undefined && firstUpper >= 3 && letters + digits === i - start) {
      const mood = suffixes.get(text.slice(start + firstUpper, i));
      if (mood !== undefined) {
        moodMask |= 1 << mood;
        const says = MOOD_SENTIMENT[MOODS[mood]!];
        if (says !== null) {
          sentimentSum += says;
          sentimentHits++;
        }
        isEmote = true;
        near = raw;
      }
    } else if (isEmote) near = raw;
    if (!isEmote) {
      if (letters + digits === 0) near = symbols;
      else word = words.find(folded) ?? (longestRun >= 3 ? stretched.find(squeezed) : undefined);
      const written =
        letters >= 4 && laughStrange === 0 && laughH >= 2 && laughRest >= 1 && word?.mood === undefined;
      if (written || isForeignLaugh(last, run, letters)) {
        moodMask |= 1;
        sentimentSum += MOOD_SENTIMENT.laugh!;
        sentimentHits++;
        near = LAUGH_KEY;
        word = undefined;
      } else if (letters > 0) {
        ownWords++;
        if (dot > 0 && isLink(text, start, i, dot)) link = true;
        else {
          latin += tokenLatin;
          cyrillic += tokenCyrillic;
          otherLetters += tokenOther;
          ukrainian += tokenUkrainian;
          accented += tokenAccented;
          capsLetters += letters;
          capsUpper += upper;
          if (lastCode === 63) question = true;
        }
        if (letters >= 4) {
          longWords++;
          const hash = mix(near);
          if (hash < small1) {
            small3 = small2;
            small2 = small1;
            small1 = hash;
          } else if (hash > small1 && hash < small2) {
            small3 = small2;
            small2 = hash;
          } else if (hash > small2 && hash < small3) small3 = hash;
        }
      } else if (lastCode === 63 && ownWords > 0) question = true;
    } else knownEmotes++;
    if (word !== undefined) {
      if (word.mood >= 0) moodMask |= 1 << word.mood;
      if (word.functionWord === 1) english++;
      else if (word.functionWord === 2) foreign++;
      if (word.negates) negated = 3;
      else if (word.sentiment !== 0) {
        sentimentSum += negated > 0 ? -word.sentiment / 2 : word.sentiment;
        sentimentHits++;
      }
    }
    if (negated > 0) negated--;
    if (near !== lastNear) nearKey = Math.imul(nearKey ^ near, PRIME);
    lastNear = near;

    start = -1;
    raw = folded = squeezed = symbols = SEED;
    last = run = longestRun = letters = upper = digits = 0;
    tokenLatin = tokenCyrillic = tokenOther = tokenUkrainian = tokenAccented = 0;
    laughH = laughRest = laughStrange = 0;
    firstUpper = dot = -1;
  }

  const allLetters = latin + cyrillic + otherLetters;
  let flags = 0;
  if (ownWords >= 5 || allLetters >= 20) flags |= FLAG.long;
  if (link) flags |= FLAG.link;
  if (question) flags |= FLAG.question;
  if (capsLetters >= 5 && capsUpper * 10 >= capsLetters * 7) flags |= FLAG.caps;
  if (text.charCodeAt(0) === 33 && ownWords > 0) flags |= FLAG.command;
  let language: Analysis["language"] = 0;
  if (allLetters > 0)
    if (otherLetters * 2 > allLetters) language = 3;
    else if (cyrillic >= latin) language = ukrainian > 0 ? 3 : 2;
    else language = foreign + (accented > 0 ? 1 : 0) > english ? 3 : 1;
  return {
    length: points,
    bare,
    textKey: textKey >>> 0,
    // With many words three of them stand for all, so that one word more or less does not make another text.
    nearKey: (longWords >= 6 && small3 !== 0xffffffff ? mix(small1) ^ mix(small2 ^ small3) : nearKey) >>> 0,
    moods: moodMask,
    sentiment:
      sentimentHits === 0 ? null : Math.max(-1000, Math.min(1000, Math.round(sentimentSum / sentimentHits))),
    flags,
    language,
    poll: tokens === 1 && units <= 5 ? (POLL_SPELLINGS[text.trim().toLowerCase()] ?? 0) : 0,
    emoteWordsOnly: tokens > 0 && knownEmotes === tokens,
  };
}

/** Letters of scripts beyond Cyrillic; symbols, punctuation and emoji are none. */
const isOtherLetter = (code: number): boolean =>
  (code < 0x2000 && code !== 0x1806) ||
  (code >= 0x2c00 && code < 0x2e00) ||
  (code >= 0x3040 && code < 0xd800) ||
  (code >= 0xf900 && code < 0xfe00);

/** kkkk, wwww, ㅋㅋ, ㅎㅎ, 草草: one letter over and over that laughs. */
function isForeignLaugh(last: number, run: number, letters: number): boolean {
  if (run !== letters) return false;
  if (last === 0x314b || last === 0x314e) return run >= 2;
  return run >= 4 && (last === 107 || last === 119);
}

const TOP_DOMAINS: ReadonlySet<string> = new Set(
  list("com tv gg net org ru io me be co de uk fr app dev ly"),
);
/** `https://…`, `www.…`, or a name with a common top-level domain. */
function isLink(text: string, start: number, end: number, dot: number): boolean {
  const token = text.slice(start, end);
  if (token.startsWith("http://") || token.startsWith("https://") || token.startsWith("www.")) return true;
  const slash = token.indexOf("/", dot - start);
  const host = slash < 0 ? token : token.slice(0, slash);
  return TOP_DOMAINS.has(host.slice(host.lastIndexOf(".") + 1).toLowerCase());
}
