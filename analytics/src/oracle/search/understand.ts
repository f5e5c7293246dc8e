import type { BURST_KINDS } from "@hypecast/contracts/burst.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import type { Understood } from "@hypecast/contracts/oracle.ts";
import { conceptsOf } from "./concepts.ts";
import { FUNCTION_WORDS } from "./function-words.ts";
import { emoteNamesIn, stemOf, wordOf, wordsOf } from "./words.ts";

/** One thing that is asked for: any of its terms stands for it. */
export interface Wanted {
  /** As it was asked. */
  readonly said: string;
  /** Terms of the index with how well each stands for it: 1 the word itself, less a synonym. */
  readonly terms: ReadonlyMap<string, number>;
  /** What the folds or Twitch may know of it, so that nobody need say it. */
  readonly moods: readonly Mood[];
  readonly bursts: readonly (typeof BURST_KINDS)[number][];
  readonly notices: readonly string[];
}

/** A question, taken apart. */
export interface Question {
  readonly understood: Understood;
  readonly wanted: readonly Wanted[];
  /** Stems that must stand side by side, as they were put in quotation marks. */
  readonly phrases: readonly (readonly string[])[];
  /** Of "the funniest moments": what kind of best. */
  readonly moods: readonly Mood[];
  /** "chat lost it": a reaction out of the usual is asked for. */
  readonly intense: boolean;
  /** Chat itself is asked about ("who wrote …", "what did chat say"), not what was on screen. */
  readonly aboutChat: boolean;
}

/** Only so much of a question is looked at for what it wants besides its words: nobody says "the second time" on page three. */
const LOOKED_AT = 400;
/** Words beyond that are not searched for. */
export const MOST_WANTED = 160;
/** A text of more words is not a question about one thing: it is looked for by its own words alone. */
const LONG = 24;
const SYNONYM = 0.75;
/** A chunk in that mood may be where it is, and may be anywhere. */
const OF_MOOD = 0.3;

const ORDINALS: readonly (readonly [RegExp, number])[] = [
  [/(?:first|1st|перв(?:ый|ого|ое|ая|ую|ом))/, 1],
  [/(?:second|2nd|втор(?:ой|ого|ое|ая|ую|ом)|2-й)/, 2],
  [/(?:third|3rd|трет(?:ий|ьего|ье|ья|ью|ьем)|3-й)/, 3],
  [/(?:fourth|4th|четв[её]рт(?:ый|ое|ая|ую))/, 4],
  [/(?:fifth|5th|пят(?:ый|ое|ая|ую))/, 5],
  [/(?:last|final|последн(?:ий|его|ее|яя|юю|ем))/, -1],
];
const ordinal = ORDINALS.map(([pattern]) => pattern.source).join("|");
const B = String.raw`(?<![\p{L}\p{N}])`;
const E = String.raw`(?![\p{L}\p{N}])`;
const CLOCK = String.raw`(?:(\d{1,3}):)?(\d{1,3}):(\d{2})`;
const NTH_TIME = new RegExp(`${B}(?:(?:for|the|в|во)\\s+)*(${ordinal})\\s+(?:time|раз)${E}`, "iu");
const NTH_THING = new RegExp(`${B}(?:the\\s+|во?\\s+)?(${ordinal})\\s+([\\p{L}]+)`, "giu");
/** "The third phase" and "the last hit" are names of things, not places in a row. */
const COUNTED = new Set(["fall", "death", "lava", "copypasta", "raid", "miss", "joke", "poll", "ad", "pause", "scream", "boss", "win", "lose", "bug", "giveaway", "kill", "jump"]); // prettier-ignore

interface Part {
  readonly fromS: number | null;
  readonly toS: number | null;
}
/** How far "near the end" reaches: a fifth of the stream, between five minutes and half an hour. */
const endS = (lengthS: number | null): number =>
  lengthS === null ? 1200 : Math.round(Math.min(1800, Math.max(300, lengthS / 5)));

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
const unitOf = (word: string): number =>
  /^(?:hour|час)/iu.test(word) ? UNITS["h"]! : /^(?:min|мин)/iu.test(word) ? UNITS["m"]! : UNITS["s"]!;
const UNIT = String.raw`(hours?|час(?:а|ов)?|min(?:ute)?s?|минут(?:ы|у|е)?|sec(?:ond)?s?|секунд(?:ы|у)?)`;
const amountOf = (number: string | undefined, unit: string): number =>
  (number === undefined || number === "" ? 1 : Number(number)) * unitOf(unit);
const clockS = (h: string | undefined, m: string | undefined, s: string | undefined): number =>
  Number(h ?? 0) * 3600 + Number(m ?? 0) * 60 + Number(s ?? 0);
/** A time that is said is meant about so exactly. */
const ABOUT_S = 150;

/** What names a part of the stream. The first that fits counts; what it matched is no word of the search. */
const PARTS: readonly (readonly [RegExp, (found: RegExpExecArray, lengthS: number | null) => Part])[] = [
  [
    new RegExp(`${B}(?:between|от|между|from|с)\\s+${CLOCK}\\s+(?:and|и|to|до|по)\\s+${CLOCK}`, "iu"),
    (f) => ({ fromS: clockS(f[1], f[2], f[3]), toS: clockS(f[4], f[5], f[6]) }),
  ],
  [new RegExp(`${B}(?:after|since|после|с)\\s+${CLOCK}`, "iu"), (f) => ({ fromS: clockS(f[1], f[2], f[3]), toS: null })],
  [new RegExp(`${B}(?:before|until|до|раньше)\\s+${CLOCK}`, "iu"), (f) => ({ fromS: null, toS: clockS(f[1], f[2], f[3]) })],
  [
    new RegExp(`${B}(?:(?:at|around|about|near|на|около|примерно|в|в районе)\\s+)+${CLOCK}`, "iu"),
    (f) => ({ fromS: Math.max(0, clockS(f[1], f[2], f[3]) - ABOUT_S), toS: clockS(f[1], f[2], f[3]) + ABOUT_S }),
  ],
  [
    new RegExp(`${B}(?:in|during|within|за|в|во)\\s+(?:the\\s+)?(?:first|перв(?:ый|ые|ую|ых))\\s+(\\d*)\\s*${UNIT}`, "iu"),
    (f) => ({ fromS: null, toS: amountOf(f[1], f[2]!) }),
  ],
  [
    new RegExp(`${B}(?:in|during|within|за|в|во)\\s+(?:the\\s+)?(?:last|final|последн(?:ий|ие|юю|их))\\s+(\\d*)\\s*${UNIT}`, "iu"),
    (f) => ({ fromS: -amountOf(f[1], f[2]!), toS: null }),
  ],
  [
    new RegExp(`${B}(?:in|во?)\\s+(?:the\\s+)?(first|second|перв(?:ой|ую)|втор(?:ой|ую))\\s+(?:half|половин[еу])${E}`, "iu"),
    (f, lengthS) => {
      const half = lengthS === null ? null : Math.round(lengthS / 2);
      return /^(?:first|перв)/iu.test(f[1]!) ? { fromS: null, toS: half } : { fromS: half, toS: null };
    },
  ],
  [
    new RegExp(`${B}(?:in|во?)\\s+(?:the\\s+)?(?:middle|середин[еу])(?:\\s+(?:of\\s+)?(?:the\\s+)?(?:stream|vod|broadcast|стрима|записи|эфира))?${E}`, "iu"),
    (_f, lengthS) =>
      lengthS === null ? { fromS: null, toS: null } : { fromS: Math.round(lengthS / 3), toS: Math.round((lengthS * 2) / 3) },
  ],
  [
    new RegExp(`${B}(?:(?:right|near|at|towards?|by|close\\s+to|in)\\s+)+(?:the\\s+)?(?:very\\s+)?end(?:\\s+of\\s+(?:the\\s+)?(?:stream|vod|broadcast|video|run))?${E}|${B}(?:ближе\\s+к|под|к|в\\s+самом|в)\\s+конц(?:е|у)(?:\\s+(?:стрима|записи|эфира|трансляции|видео|забега))?${E}|${B}под\\s+конец(?:\\s+(?:стрима|записи|эфира))?${E}`, "iu"),
    (_f, lengthS) => ({ fromS: -endS(lengthS), toS: null }),
  ],
  [
    new RegExp(`${B}(?:(?:right|near|at|in|from)\\s+)+(?:the\\s+)?(?:very\\s+)?(?:beginning|start)(?:\\s+of\\s+(?:the\\s+)?(?:stream|vod|broadcast|video))?${E}|${B}в\\s+(?:самом\\s+)?начале(?:\\s+(?:стрима|записи|эфира|трансляции|видео))?${E}|${B}early\\s+on${E}`, "iu"),
    (_f, lengthS) => ({ fromS: null, toS: endS(lengthS) }),
  ],
  [
    new RegExp(`${B}(?:at|on|in|на)\\s+(?:the\\s+)?(?:minute\\s+)?(\\d{1,4})(?:st|nd|rd|th|-?й|-?ой)?\\s*${UNIT}?(?:\\s+in)?${E}`, "iu"),
    (f) => {
      if (f[2] === undefined && !/minute/iu.test(f[0])) return { fromS: null, toS: null };
      const atS = Number(f[1]) * (f[2] === undefined ? 60 : unitOf(f[2]));
      return { fromS: Math.max(0, atS - ABOUT_S), toS: atS + ABOUT_S };
    },
  ],
]; // prettier-ignore

const BEST = new RegExp(
  `${B}(?:(?:the\\s+)?(?:juiciest|best|funniest|top|greatest|craziest|wildest|saddest|hypest|most\\s+(?:exciting|epic|hype|intense|emotional|viewed|popular|interesting|cringe|cringy))\\s+(?:\\d+\\s+)?(?:moments?|parts?|places?|bits?|clips?)|highlights?|(?:сам(?:ый|ые|ого|ых|ое)\\s+)(?:\\d+\\s+)?[\\p{L}]+\\s+(?:\\d+\\s+)?(?:момент[\\p{L}]*|мест[\\p{L}]*|эпизод[\\p{L}]*|кус[\\p{L}]*)|(?:лучш(?:ий|ие|их|ее)|топ(?:овые)?|сочн(?:ый|ые|ых))\\s*-?\\s*(?:\\d+\\s+)?(?:момент[\\p{L}]*|мест[\\p{L}]*|эпизод[\\p{L}]*)|хайлайт[\\p{L}]*)`,
  "iu",
);
const NEXT = /^(?:(?:and|а|и|what about|how about|show|покажи|ну|ok|ок)\s+)*(?:(?:the\s+)?next(?:\s+(?:one|time|moment|place))?|(?:что\s+)?дальше|следующ(?:ий|ее|ая|ую|его)(?:\s+(?:раз|момент|место))?|later|after\s+that|потом|после\s+(?:этого|того)|позже|another(?:\s+one)?|ещ[её](?:\s+(?:раз|один|одно))?)[\s?!.]*$/iu; // prettier-ignore
const EARLIER = /^(?:(?:and|а|и|what about|how about|show|покажи|ну|ok|ок)\s+)*(?:earlier(?:\s+(?:one|time|moment))?|(?:the\s+)?previous(?:\s+(?:one|time|moment))?|before(?:\s+(?:that|this|it))?|раньше|до\s+(?:этого|того)|предыдущ(?:ий|ее|ая|ую)(?:\s+(?:раз|момент|место))?|ранее)[\s?!.]*$/iu; // prettier-ignore
const INTENSE = new RegExp(
  `${B}(?:(?:chat|they|everyone|everybody|people)\\s+)?(?:los(?:t|e|es|ing)\\s+(?:it|their\\s+minds?|their\\s+shit)|w[eo]nt\\s+(?:crazy|wild|nuts|insane|mad|ballistic|off)|g(?:o|oes|oing)\\s+(?:crazy|wild|nuts|insane|off)|explod(?:ed|es|e)|blew\\s+up|freak(?:ed|s|ing)?\\s+out|popp?ed\\s+off|hyped?\\s+up)${E}|(?:чат[\\p{L}]*\\s+)?(?:взорвал[\\p{L}]*|взревел|сош[её]л\\s+с\\s+ума|с\\s+ума\\s+сош[её]л|сходил\\s+с\\s+ума|разорвал[\\p{L}]*|порвал[\\p{L}]*|разн[её]сло)${E}|${B}(?:чат|chat)\\s+(?:orал|орал|react(?:ed|s)?|реагир[\\p{L}]*|отреагировал[\\p{L}]*)${E}`,
  "iu",
);
const ABOUT_CHAT = new RegExp(
  `${B}(?:who|кто)\\s+(?:said|wrote|asked|typed|написал[\\p{L}]*|сказал[\\p{L}]*|спросил[\\p{L}]*|спрашивал[\\p{L}]*)|${B}(?:(?:chat|someone|somebody|people|viewers?|they|everyone)\\s+(?:\\p{L}+\\s+)?(?:sa(?:id|ys?)|wrote|writes?|asks?|asked|asking|talk(?:s|ed|ing)?|discuss\\p{L}*|spamm?\\p{L}*|typ(?:ed|ing)|argu\\p{L}*|mention\\p{L}*))|${B}(?:в\\s+чате?|чат[\\p{L}]*|кто-то|зрител[\\p{L}]*|люди|все)\\s+(?:\\p{L}+\\s+)?(?:писал[\\p{L}]*|пиш[\\p{L}]*|написал[\\p{L}]*|спрашивал[\\p{L}]*|спросил[\\p{L}]*|говорил[\\p{L}]*|обсужда[\\p{L}]*|спам[\\p{L}]*|заспамил[\\p{L}]*|упомина[\\p{L}]*)`,
  "iu",
);
const QUOTED = /["“«„]([^"”»“]{2,200})["”»“]/gu;
const LOGIN = /@([A-Za-z0-9_]{2,25})/g;
/**
 * Takes a question apart. A pure function: names of emotes and people are guesses from their form until the index has been asked.
 * `lengthS` of the stream, where one is asked about: for "near the end".
 */
export function understand(query: string, lengthS: number | null = null): Question {
  const whole = query.normalize("NFC");
  const language = languageOf(whole);
  let head = whole.slice(0, LOOKED_AT);
  const rest = whole.slice(LOOKED_AT);
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const found = pattern.exec(head);
    if (found !== null) head = `${head.slice(0, found.index)} ${head.slice(found.index + found[0].length)}`;
    return found;
  };

  const phrases = [...head.matchAll(QUOTED)]
    .map(([, inside = ""]) => wordsOf(inside).map(({ text }) => stemOf(text)))
    .filter((stems) => stems.length > 1);
  const kindAlone: Understood["kind"] | null = NEXT.test(head.trim())
    ? "next"
    : EARLIER.test(head.trim())
      ? "earlier"
      : null;
  let part: Part = { fromS: null, toS: null };
  let nth: number | null = null;
  let best: string | null = null;
  let intense = false;
  let aboutChat = false;
  if (kindAlone === null) {
    for (const [pattern, of] of PARTS) {
      const found = pattern.exec(head);
      if (found === null) continue;
      const says = of(found, lengthS);
      if (says.fromS === null && says.toS === null) continue;
      part = says;
      take(pattern);
      break;
    }
    const time = take(NTH_TIME);
    if (time !== null) nth = ordinalOf(time[1]!);
    else
      for (const found of head.matchAll(NTH_THING)) {
        const counted = conceptsOf(stemOf(wordOf(found[2]!))).some(({ id }) => COUNTED.has(id));
        if (!counted || (isLastNamed(found[1]!) && /^(?:boss|босс)/iu.test(found[2]!))) continue;
        nth = ordinalOf(found[1]!);
        head = head.replace(found[1]!, " ");
        break;
      }
    best = take(BEST)?.[0] ?? null;
    aboutChat = ABOUT_CHAT.test(head);
    intense = take(INTENSE) !== null;
  }

  const people = [...head.matchAll(LOGIN)].map(([, login]) => login!.toLowerCase());
  const emotes = kindAlone === null ? emoteNamesIn(`${head}${rest}`).slice(0, MOST_WANTED) : [];

  const text = kindAlone === null ? `${head}${rest}` : "";
  const moods = best === null ? [] : wordsOf(best).flatMap(({ text: word }) => moodsOf(stemOf(word)));
  // "The best moments", "that at 1:20:00": there may be nothing more to look for.
  const enough = best !== null || intense || part.fromS !== null || part.toS !== null;
  const wanted = wantedOf(text, emotes, people, enough);
  // "When did chat lose it", "what happened near the end": nothing is named, so the moments answer.
  const unnamed = enough && wanted.length === 0 && kindAlone === null;
  return {
    understood: {
      language,
      text: text.replaceAll(/\s+/g, " ").trim().slice(0, 1000),
      emotes: emotes.slice(0, 20),
      people,
      nth,
      ...part,
      kind: kindAlone ?? (best !== null || unnamed ? "best" : "place"),
    },
    wanted,
    phrases,
    moods: [...new Set(moods)],
    intense,
    aboutChat,
  };
}

/** "The final boss" is who stands at the end, not the last of several fights. */
const isLastNamed = (word: string): boolean => ordinalOf(word) === -1;

const moodsOf = (stem: string): Mood[] =>
  conceptsOf(stem)
    .map(({ mood }) => mood)
    .filter((mood) => mood !== null);

function ordinalOf(text: string): number | null {
  return ORDINALS.find(([pattern]) => new RegExp(`^${pattern.source}$`, "iu").test(text))?.[1] ?? null;
}

function languageOf(text: string): Understood["language"] {
  let latin = 0;
  let cyrillic = 0;
  let other = 0;
  for (const char of text.slice(0, 2000)) {
    if (/\p{Script=Cyrillic}/u.test(char)) cyrillic++;
    else if (/\p{Script=Latin}/u.test(char)) latin++;
    else if (/\p{L}/u.test(char)) other++;
  }
  if (other > latin + cyrillic) return "other";
  return cyrillic > 0 && cyrillic * 3 >= latin ? "ru" : latin > 0 ? "en" : "other";
}

/** What is searched for, one entry a distinct word; function words only where there is nothing else. */
function wantedOf(
  text: string,
  emotes: readonly string[],
  people: readonly string[],
  enough: boolean,
): Wanted[] {
  const all = wordsOf(text);
  const telling = all.filter(({ text: word }) => !FUNCTION_WORDS.has(word));
  const long = telling.length > LONG;
  const emoteOf = new Map(emotes.map((name) => [wordOf(name), name]));
  const wanted = new Map<string, Wanted>();
  for (const { text: word, from, to } of telling.length > 0 || enough ? telling : all) {
    if (wanted.size >= MOST_WANTED) break;
    const stem = stemOf(word);
    if (wanted.has(stem)) continue;
    const terms = new Map([[stem, 1]]);
    const emote = emoteOf.get(word);
    if (emote !== undefined) terms.set(`:${emote}`, 1);
    if (/^[a-z0-9_]{3,25}$/.test(word)) terms.set(`@${word}`, 0.8);
    // KEKW is asked for by its name, not as one more laugh.
    const concepts = long ? [] : conceptsOf(stem).filter(({ mood }) => mood === null || emote === undefined);
    for (const { stems, mood } of concepts) {
      for (const other of stems) if (!terms.has(other)) terms.set(other, SYNONYM);
      if (mood !== null) terms.set(`~${mood}`, OF_MOOD);
    }
    wanted.set(stem, {
      said: text.slice(from, to),
      terms,
      moods: concepts.map(({ mood }) => mood).filter((mood) => mood !== null),
      bursts: concepts.map(({ burst }) => burst).filter((burst) => burst !== null),
      notices: concepts.map(({ notice }) => notice).filter((notice) => notice !== null),
    });
  }
  const bare = { moods: [], bursts: [], notices: [] };
  for (const name of emotes)
    if (!wanted.has(stemOf(wordOf(name))) && wanted.size < MOST_WANTED)
      wanted.set(`:${name}`, { said: name, terms: new Map([[`:${name}`, 1]]), ...bare });
  for (const login of people) {
    const stem = stemOf(wordOf(login));
    const known = wanted.get(stem) ?? { said: login, terms: new Map<string, number>(), ...bare };
    wanted.set(stem, { ...known, terms: new Map([...known.terms, [`@${login}`, 1]]) });
  }
  return [...wanted.values()];
}
