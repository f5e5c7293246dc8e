import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import { moment, type Moment } from "@hypecast/contracts/moment.ts";
import type { Hit, searchQuestion, Searched } from "@hypecast/contracts/oracle.ts";
import type { z } from "zod";
import { columnsOf, type Ask } from "../../questions/answer.ts";
import { evidenceOf, noticesOf, type Notice } from "./evidence.ts";
import { fuse, type Fused } from "./fuse.ts";
import { byWords, chunkKey, idf, lexiconOf, type ChunkRef, type Lexicon, type Size } from "./keyword.ts";
import { linesOf, type Line, type Span } from "./lines.ts";
import { weigh } from "./match.ts";
import { joined, placesOf, type Candidate, type Place, type Stretch } from "./places.ts";
import { chunksIn, type Condition, type Within } from "./scope.ts";
import { certaintyOf, NEEDED } from "./score.ts";
import { understand, type Question } from "./understand.ts";
import { whyOf } from "./why.ts";

export type Asked = z.infer<typeof searchQuestion.ask>;

/** What the answer before was about, for "and the next one?". */
export interface Before {
  readonly question: string;
  readonly channelId: string;
  readonly atMs: number;
}

/** Nearness of meaning, where there is a model for it (analytics/src/oracle/index/chunk-index.ts). */
export interface Meaning {
  readonly model: string;
  nearest(
    text: string,
    scope: Within,
    most: number,
    signal?: AbortSignal,
  ): Promise<readonly (ChunkRef & { readonly cosine: number })[]>;
  coverage(
    channelIds: readonly string[] | null,
    signal: AbortSignal,
  ): Promise<{ chunks: number; withoutVector: number }>;
}

/** Cosine of each text with the question. Null where it stands: only chunks are compared. */
export type Alike = (question: string, texts: readonly string[]) => Promise<Float64Array>;

export interface SearchTools {
  readonly ask: Ask;
  readonly meaning: Meaning | null;
  readonly alike: Alike | null;
  /** Event time of a stream's first second and its end, where it is known better than by its chunks. */
  readonly extents: (channelIds: readonly string[]) => Promise<ReadonlyMap<string, Extent>>;
  readonly signal: AbortSignal;
}
export interface Extent {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Chunks from each index, and how many of them are read line by line. */
const FROM_EACH = 100;
const READ = 24;
/** Bursts of a mood or kind that was asked for that are looked at besides. */
const BURSTS = 12;
const MARGIN_MS = 6000;
/** Chunks nearer than that are read as one stretch, up to this length. */
const JOIN_MS = 2000;
const LONGEST_STRETCH_MS = 240_000;
const SHOWN_SHARE = 0.1;
/** A place is another one than the one before when it is so far from it. */
const ANOTHER_MS = 15_000;

/** From a question to places, best first. Reads the store, changes nothing. */
export async function search(
  asked: Asked,
  tools: SearchTools,
  before: Before | null = null,
): Promise<Searched> {
  const began = performance.now();
  const { ask, signal } = tools;
  const only = asked.within?.length === 1 ? asked.within[0]!.channelId : null;
  // Most questions name no part of a stream: its words are looked up while its length is.
  const holding = asked.within === null ? null : holdingOf(tools, asked.within);
  const whole = lexiconOf(
    ask,
    chunksIn(asked.within),
    goingOn(asked.query, before, null).wanted,
    asked.within?.every(({ fromMs, toMs }) => fromMs === null && toMs === null) === true
      ? holding?.then(({ size }) => size)
      : undefined,
  );
  const [wholeLexicon, held] = await Promise.all([whole, holding]);
  const extents = held?.extents ?? new Map<string, Extent>();
  const extent = only === null ? undefined : extents.get(only);
  const question = goingOn(
    asked.query,
    before,
    extent === undefined ? null : (extent.toMs - extent.fromMs) / 1000,
  );
  const { fromS, toS } = question.understood;
  const within = inPart(asked.within, question, extents);
  const scope = chunksIn(within);
  const lexicon =
    fromS === null && toS === null ? wholeLexicon : await lexiconOf(ask, scope, question.wanted);
  const shown = {
    ...question.understood,
    emotes: question.understood.emotes.filter((name) => lexicon.terms.has(`:${name}`)),
  };

  const [places, coverage] = await Promise.all([
    question.understood.kind === "best" && question.wanted.length === 0
      ? bestOf(tools, question, within, scope)
      : placesFor(asked, question, within, scope, lexicon, tools),
    tools.meaning === null
      ? { chunks: lexicon.chunks, withoutVector: lexicon.chunks }
      : tools.meaning.coverage(within?.map(({ channelId }) => channelId) ?? null, signal).catch(() => ({
          chunks: lexicon.chunks,
          withoutVector: lexicon.chunks,
        })),
  ]);
  const ranked = chosen(places, question, before);
  const top = ranked[0]?.score ?? 0;
  const hits = ranked
    .filter(({ score }) => score >= Math.min(NEEDED, top) * SHOWN_SHARE)
    .slice(0, asked.limit)
    .map((place, i) => hitOf(place, i + 1, asked.language, question));
  return {
    understood: shown,
    hits,
    found: top >= NEEDED,
    best: round(top),
    needed: NEEDED,
    chunks: lexicon.chunks,
    channels: lexicon.channels,
    withoutVector: coverage.withoutVector,
    model: tools.meaning?.model ?? "",
    tookMs: Math.round(performance.now() - began),
  };
}

/** The question; "and the next one?" is the one before again. */
function goingOn(query: string, before: Before | null, lengthS: number | null): Question {
  const question = understand(query, lengthS);
  const { kind } = question.understood;
  if ((kind !== "next" && kind !== "earlier") || before === null) return question;
  const first = understand(before.question, lengthS);
  return { ...first, understood: { ...first.understood, kind, nth: null } };
}

/** First and last second of each channel of a scope, and how much all of them hold. */
async function holdingOf(
  tools: SearchTools,
  within: NonNullable<Within>,
): Promise<{ extents: Map<string, Extent>; size: Size }> {
  const channels = [...new Set(within.map(({ channelId }) => channelId))];
  const [known, rows] = await Promise.all([
    tools.extents(channels),
    tools.ask<Extent & { channelId: string; chunks: number; lines: number; length: number }>(
      `SELECT channelId, min(startMs) AS fromMs, max(startMs) + 60000 AS toMs, count() AS chunks, sum(lines) AS lines, sum(length) AS length
       FROM (SELECT channelId, startMs, lines, length FROM chunk_lengths FINAL WHERE channelId IN {channels:Array(String)}) GROUP BY channelId`,
      { channels },
    ),
  ]);
  const sum = (of: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((all, row) => all + of(row), 0);
  const chunks = sum((row) => row.chunks);
  return {
    extents: new Map([
      ...rows.map(({ channelId, fromMs, toMs }): [string, Extent] => [channelId, { fromMs, toMs }]),
      ...known,
    ]),
    size: {
      chunks,
      channels: rows.length,
      lines: sum((row) => row.lines),
      meanLength: sum((row) => row.length) / Math.max(1, chunks),
    },
  };
}

/** The scope, cut to the part of the stream that the question names. Of streams whose length is not known the whole is looked at. */
function inPart(within: Within, { understood }: Question, extents: ReadonlyMap<string, Extent>): Within {
  const { fromS, toS } = understood;
  if (within === null || (fromS === null && toS === null)) return within;
  return within.map((one) => {
    const extent = extents.get(one.channelId);
    if (extent === undefined) return one;
    const of = (s: number): number => (s < 0 ? extent.toMs : extent.fromMs) + Math.round(s * 1000);
    return {
      channelId: one.channelId,
      fromMs: fromS === null ? one.fromMs : Math.max(one.fromMs ?? 0, of(fromS)),
      toMs: toS === null ? one.toMs : Math.min(one.toMs ?? Infinity, of(toS)),
    };
  });
}

async function placesFor(
  asked: Asked,
  question: Question,
  within: Within,
  scope: Condition,
  lexicon: Lexicon,
  tools: SearchTools,
): Promise<Place[]> {
  const { ask, meaning, signal } = tools;
  const { text } = question.understood;
  const notices = [...new Set(question.wanted.flatMap((wanted) => wanted.notices))];
  const [words, near, bursts, said] = await Promise.all([
    asked.mode === "semantic" ? [] : byWords(ask, scope, lexicon, FROM_EACH),
    asked.mode === "keyword" || meaning === null || text === ""
      ? []
      : meaning.nearest(text, within, FROM_EACH, signal).catch(() => []),
    burstsFor(ask, question, scope),
    noticesOf(ask, notices, scope),
  ]);
  const fused = fuse(words, near, bestKeyword(lexicon)).slice(0, READ);
  const read = await candidatesOf(ask, fused);
  const spans = [
    ...read.map(({ channelId, startMs, endMs }) => ({
      channelId,
      fromMs: startMs - MARGIN_MS,
      toMs: endMs + MARGIN_MS,
    })),
    ...bursts.map(({ channelId, startMs, endMs }) => ({
      channelId,
      fromMs: startMs - 2 * MARGIN_MS,
      toMs: Math.min(endMs, startMs + 60_000) + MARGIN_MS,
    })),
    ...said.map(({ channelId, sentAtMs }) => ({
      channelId,
      fromMs: sentAtMs - MARGIN_MS,
      toMs: sentAtMs + 60_000,
    })),
  ];
  const spansRead = joinedSpans(spans);
  const [stretches, evidence] = await Promise.all([
    readSpans(spansRead, read, question, tools),
    evidenceOf(ask, spansRead),
  ]);
  const places = placesOf(stretches, question, lexicon.wanted, weigh(lexicon), evidence, said);
  return joined(places.filter((place) => isIn(place, within)));
}

/** What a chunk would score that says all of the question, for keyword scores between 0 and 1. */
function bestKeyword(lexicon: Lexicon): number {
  let sum = 0;
  for (const { terms } of lexicon.wanted) {
    let best = idf(0, Math.max(1, lexicon.chunks)) / 2;
    for (const [term, worth] of terms) {
      const known = lexicon.terms.get(term);
      if (known !== undefined) best = Math.max(best, worth * worth * idf(known.chunks, lexicon.chunks));
    }
    sum += best * 2.2;
  }
  return sum;
}

/** Bursts of what was asked for by kind or mood: nobody need have said it. */
async function burstsFor(ask: Ask, question: Question, scope: Condition): Promise<ChatBurst[]> {
  const kinds = [...new Set(question.wanted.flatMap(({ bursts }) => bursts))];
  const moods = [...new Set([...question.moods, ...question.wanted.flatMap((wanted) => wanted.moods)])];
  if (kinds.length === 0 && moods.length === 0 && !question.intense) return [];
  return ask<ChatBurst>(
    `SELECT id, channelId, kind, subject, emoteRef, mood, startMs, peakMs, endMs, detectedAtMs, open, count, chatters, peakRate, baselineRate, times, z, reasons
     FROM chat_bursts FINAL WHERE ${scope.sql}
       AND (kind IN {kinds:Array(String)} OR (kind IN ('emote', 'mood', 'volume') AND (mood IN {moods:Array(String)} OR {intense:Bool})))
     ORDER BY times DESC, startMs LIMIT ${BURSTS}`,
    { ...scope.params, kinds, moods, intense: question.intense },
  );
}

/** The chunks themselves, once each. */
async function candidatesOf(ask: Ask, fused: readonly Fused[]): Promise<Candidate[]> {
  if (fused.length === 0) return [];
  const rows = await ask<Omit<Candidate, "keyword" | "semantic">>(
    `SELECT id, channelId, startMs, endMs, screenWords FROM chat_chunks
     WHERE channelId IN {channels:Array(String)} AND (channelId, startMs) IN arrayZip({ofChannel:Array(String)}, {starts:Array(Int64)})
     ORDER BY channelId, startMs LIMIT 1 BY channelId, startMs`,
    {
      channels: [...new Set(fused.map(({ channelId }) => channelId))],
      ofChannel: fused.map(({ channelId }) => channelId),
      starts: fused.map(({ startMs }) => startMs),
    },
  );
  const byKey = new Map(fused.map((one) => [chunkKey(one), one]));
  return rows.map((row) => {
    const { keyword, semantic } = byKey.get(chunkKey(row))!;
    return { ...row, keyword, semantic };
  });
}

/** Overlapping spans of a channel as one, none longer than is read at once. */
function joinedSpans(spans: readonly Span[]): Span[] {
  const sorted = spans.toSorted((a, b) =>
    a.channelId < b.channelId ? -1 : a.channelId > b.channelId ? 1 : a.fromMs - b.fromMs,
  );
  const merged: { channelId: string; fromMs: number; toMs: number }[] = [];
  for (const { channelId, fromMs, toMs } of sorted) {
    const last = merged.at(-1);
    if (
      last?.channelId === channelId &&
      fromMs <= last.toMs + JOIN_MS &&
      Math.max(toMs, last.toMs) - last.fromMs <= LONGEST_STRETCH_MS
    )
      last.toMs = Math.max(last.toMs, toMs);
    else merged.push({ channelId, fromMs, toMs });
  }
  return merged;
}

async function readSpans(
  spans: readonly Span[],
  candidates: readonly Candidate[],
  question: Question,
  tools: SearchTools,
): Promise<Stretch[]> {
  const lines = await linesOf(tools.ask, spans);
  const { text } = question.understood;
  const alike = tools.alike === null || text === "" ? null : await alikeOf(tools.alike, text, lines);
  return lines.map((some, i) => {
    const span = spans[i]!;
    return {
      ...span,
      lines: some,
      alike: alike === null ? null : Float64Array.from(some, (line) => alike.get(line.text) ?? 0),
      candidates: candidates.filter(
        ({ channelId, startMs, endMs }) =>
          channelId === span.channelId && startMs < span.toMs && endMs > span.fromMs,
      ),
    };
  });
}

/** Of shorter lines their words say all. */
const MEANS_FROM = 8;

/** Likeness of each distinct text: chat repeats itself. */
async function alikeOf(
  alike: Alike,
  question: string,
  lines: readonly (readonly Line[])[],
): Promise<ReadonlyMap<string, number>> {
  const distinct = new Set<string>();
  for (const some of lines)
    for (const { text } of some)
      if (text.length >= MEANS_FROM && /\p{L}\s+\p{L}/u.test(text)) distinct.add(text);
  const texts = [...distinct];
  const cosines = await alike(question, texts);
  return new Map(texts.map((text, i) => [text, cosines[i]!]));
}

const isIn = ({ channelId, atMs, chatAtMs }: Place, within: Within): boolean =>
  within === null ||
  within.some(
    (one) =>
      one.channelId === channelId &&
      (one.fromMs === null || chatAtMs >= one.fromMs) &&
      (one.toMs === null || atMs < one.toMs),
  );

/** In the order that was asked for: the best, the n-th in time, what comes after or before the answer before. */
function chosen(places: readonly Place[], question: Question, before: Before | null): Place[] {
  const { nth, kind } = question.understood;
  // A text that many copy is no time that it happened.
  const good = places
    .filter(({ score, parts }) => score >= NEEDED && parts.flood === 0)
    .toSorted((a, b) => a.atMs - b.atMs);
  if ((kind === "next" || kind === "earlier") && before !== null) {
    const later = kind === "next";
    const far = (place: Place): number => (later ? place.atMs - before.atMs : before.atMs - place.atMs);
    const of = (some: readonly Place[]): Place[] =>
      some
        .filter((place) => place.channelId === before.channelId && far(place) > ANOTHER_MS)
        .toSorted((a, b) => far(a) - far(b));
    return of(good);
  }
  if (nth !== null && good.length > 0) {
    const one = good.at(nth > 0 ? nth - 1 : nth);
    if (one === undefined)
      return places.map((place) => ({ ...place, score: Math.min(place.score, NEEDED / 2) }));
    return [one, ...places.filter((place) => place !== one)];
  }
  if (question.intense) return byReaction(places, good);
  return [...places];
}

/** "When chat lost it over …" asks for the strongest reaction: among places that are good enough, how strong each was counts as much again. */
function byReaction(places: readonly Place[], good: readonly Place[]): Place[] {
  const most = Math.max(...good.map(({ parts }) => parts.moment), 0);
  if (most === 0) return [...places];
  const worth = ({ score, parts }: Place): number => score * (parts.moment / most) ** 2;
  const first = good.toSorted((a, b) => worth(b) - worth(a) || b.score - a.score);
  return [...first, ...places.filter((place) => !first.includes(place))];
}

/** The juiciest moments, of a kind where one was named, as the folds found them; with the lines that were said most. */
async function bestOf(
  tools: SearchTools,
  question: Question,
  within: Within,
  scope: Condition,
): Promise<Place[]> {
  const { ask } = tools;
  const KINDS: Readonly<Record<string, string>> = {
    laugh: "funny",
    shock: "shock",
    hype: "hype",
    love: "love",
    sad: "sad",
    anger: "anger",
    cringe: "cringe",
  };
  const kinds = question.moods.map((mood) => KINDS[mood]).filter((kind) => kind !== undefined);
  const found = await ask<Moment>(
    `SELECT ${columnsOf(moment)} FROM (SELECT * FROM moments FINAL WHERE ${scope.sql})
     WHERE state != 'withdrawn' AND (empty({kinds:Array(String)}) OR kind IN {kinds:Array(String)}) ORDER BY score DESC, startMs LIMIT 20`,
    { ...scope.params, kinds },
  );
  const spans = found.map(({ channelId, chatOnsetMs, onsetMs }): Span => {
    const fromMs = (chatOnsetMs ?? onsetMs) - 1000;
    return { channelId, fromMs, toMs: fromMs + 20_000 };
  });
  const [stretches, evidence] = await Promise.all([
    readSpans(spans, [], question, tools),
    evidenceOf(ask, spans),
  ]);
  const places = stretches.flatMap((stretch, i) => {
    const one = found[i]!;
    const [place] = placesOf([stretch], { ...question, intense: false, moods: [] }, [], [], evidence, [
      {
        channelId: one.channelId,
        sentAtMs: one.chatOnsetMs ?? one.onsetMs,
        kind: "",
        login: "",
        count: 0,
      } satisfies Notice,
    ]);
    if (place === undefined) return [];
    return [
      {
        ...place,
        notice: null,
        moment: one,
        atMs: one.onsetMs,
        errorMs: Math.max(1000, one.lagErrorMs),
        chatAtMs: one.chatOnsetMs ?? one.onsetMs,
        startMs: one.startMs,
        endMs: one.endMs,
        score: Math.max(NEEDED, one.score / 100),
        parts: { ...place.parts, moment: one.score / 100, event: 0 },
      },
    ];
  });
  return places.filter((place) => isIn(place, within)).toSorted((a, b) => b.score - a.score);
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

function hitOf(place: Place, rank: number, language: "en" | "ru", question: Question): Hit {
  const { said, candidates, moment: found } = place;
  const first = said.toSorted((a, b) => b.match.says - a.match.says)[0];
  const words =
    first === undefined
      ? []
      : [...new Set(first.match.marks.map(([from, to]) => first.line.text.slice(from, to).toLowerCase()))];
  return {
    rank,
    channelId: place.channelId,
    atMs: place.atMs,
    errorMs: place.errorMs,
    chatAtMs: place.chatAtMs,
    startMs: place.startMs,
    endMs: place.endMs,
    score: round(place.score),
    certainty: certaintyOf(
      place.score,
      place.people < 2 && place.burst === null && place.moment === null && place.notice === null,
    ),
    parts: Object.fromEntries(Object.entries(place.parts).map(([name, value]) => [name, round(value)])),
    chunkIds: candidates.map(({ id }) => id),
    momentId: found?.id ?? null,
    lines: said.map(({ line: { id, sentAtMs, userId, login, name, text, emotes }, similar, match }) => ({
      id,
      sentAtMs,
      userId,
      login,
      ...(name === "" ? {} : { name }),
      text,
      ...(emotes.length === 0 ? {} : { emotes }),
      similar,
      marks: match.marks.map(([from, to]): [number, number] => [from, to]),
    })),
    why: whyOf(language, place, question.wanted.length === 0 ? [] : words),
    screen: candidates.find(({ screenWords }) => screenWords !== "")?.screenWords ?? "",
  };
}
