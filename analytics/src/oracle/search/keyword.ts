import type { Ask } from "../../questions/answer.ts";
import type { Condition } from "./scope.ts";
import type { Wanted } from "./understand.ts";

/** A chunk by its channel and start, as every index names it. */
export interface ChunkRef {
  readonly channelId: string;
  readonly startMs: number;
}
export const chunkKey = ({ channelId, startMs }: ChunkRef): string => `${channelId} ${startMs}`;

export interface Found extends ChunkRef {
  readonly score: number;
}

/** What a term is worth in the scope that was asked about. */
export interface TermWorth {
  /** Chunks with it, and distinct lines. */
  readonly chunks: number;
  readonly lines: number;
}

/** What is known of a scope's words before anything is ranked. */
export interface Lexicon {
  readonly chunks: number;
  readonly channels: number;
  readonly lines: number;
  readonly meanLength: number;
  readonly terms: ReadonlyMap<string, TermWorth>;
  /** The question's wants, with terms added for what was misspelled or cut short. */
  readonly wanted: readonly Wanted[];
}

/** Words that are in no chunk are looked for among those that are nearly them, so many at most. */
const MOST_MENDED = 4;
const SHORTEST_MENDED = 4;
const MENDED_WORTH = 0.6;
const NEARLY = 12;

/** How much a scope holds. */
export type Size = Pick<Lexicon, "chunks" | "channels" | "lines" | "meanLength">;

async function sizeOf(ask: Ask, scope: Condition): Promise<Size> {
  const [size] = await ask<Size>(
    `SELECT count() AS chunks, uniqExact(channelId) AS channels, sum(lines) AS lines, avg(length) AS meanLength
     FROM chunk_lengths FINAL WHERE ${scope.sql}`,
    scope.params,
  );
  return size ?? { chunks: 0, channels: 0, lines: 0, meanLength: 1 };
}

/** Which of the wanted terms the scope knows, and how common each is. `sized`: what the scope holds, where somebody asks for it already. */
export async function lexiconOf(
  ask: Ask,
  scope: Condition,
  asked: readonly Wanted[],
  sized: Promise<Size> = sizeOf(ask, scope),
): Promise<Lexicon> {
  const terms = [...new Set(asked.flatMap(({ terms: own }) => [...own.keys()]))];
  const [known, size] = await Promise.all([
    terms.length === 0 ? new Map<string, TermWorth>() : worthOf(ask, scope, terms),
    sized,
  ]);
  const missing = asked
    .filter(({ terms: own }) => [...own.keys()].every((term) => !known.has(term)))
    .map((wanted) => ({ wanted, stem: [...wanted.terms.keys()][0] ?? "" }))
    .filter(({ stem }) => stem.length >= SHORTEST_MENDED && /^[\p{L}\p{N}]/u.test(stem))
    .slice(0, MOST_MENDED);
  const mended = await Promise.all(missing.map(({ stem }) => nearly(ask, scope, stem)));
  const wanted = asked.map((one) => {
    const at = missing.findIndex((other) => other.wanted === one);
    const near = at < 0 ? undefined : mended[at];
    return near === undefined || near.size === 0 ? one : { ...one, terms: new Map([...one.terms, ...near]) };
  });
  const added = [...new Set(mended.flatMap((near) => [...near.keys()]))];
  const all = added.length === 0 ? known : new Map([...known, ...(await worthOf(ask, scope, added))]);
  return {
    ...size,
    meanLength: Math.max(1, size.meanLength),
    terms: all,
    wanted,
  };
}

async function worthOf(
  ask: Ask,
  scope: Condition,
  terms: readonly string[],
): Promise<Map<string, TermWorth>> {
  const rows = await ask<{ term: string } & TermWorth>(
    `SELECT term, count() AS chunks, sum(uses) AS lines FROM chunk_terms
     WHERE term IN {terms:Array(String)} AND ${scope.sql} GROUP BY term`,
    { ...scope.params, terms },
  );
  return new Map(rows.map(({ term, chunks, lines }) => [term, { chunks, lines }]));
}

/**
 * Terms of the scope that differ from a stem by one slip (two in a long one), or go on where it ends. The first letter is taken to be
 * right: so only a piece of the index is read.
 */
async function nearly(ask: Ask, scope: Condition, stem: string): Promise<Map<string, number>> {
  const points = Array.from(stem);
  const slips = points.length >= 8 ? 2 : 1;
  const rows = await ask<{ term: string; goesOn: boolean }>(
    `SELECT term, startsWith(term, {stem:String}) AS goesOn FROM (
       SELECT DISTINCT term FROM chunk_terms WHERE startsWith(term, {first:String}) AND ${scope.sql}
     ) WHERE (goesOn AND lengthUTF8(term) <= {length:UInt32} + 4)
       OR (abs(toInt32(lengthUTF8(term)) - {length:Int32}) <= {slips:UInt8} AND editDistanceUTF8(term, {stem:String}) <= {slips:UInt8} + 1)
     ORDER BY editDistanceUTF8(term, {stem:String}), term LIMIT {most:UInt32}`,
    { ...scope.params, stem, first: points[0], length: points.length, slips, most: 4 * NEARLY },
  );
  const near = new Map<string, number>();
  for (const { term, goesOn } of rows)
    if (near.size < NEARLY && (goesOn || slipsBetween(term, stem) <= slips)) near.set(term, MENDED_WORTH);
  return near;
}

/** Damerau's distance (adjacent letters that changed places are one slip). */
export function slipsBetween(a: string, b: string): number {
  const x = Array.from(a);
  const y = Array.from(b);
  const rows = Array.from({ length: x.length + 1 }, (_row, i) =>
    Array.from({ length: y.length + 1 }, (_cell, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= x.length; i++)
    for (let j = 1; j <= y.length; j++) {
      const same = x[i - 1] === y[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && x[i - 1] === y[j - 2] && x[i - 2] === y[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = least;
    }
  return rows[x.length]![y.length]!;
}

/** How telling it is that a thing is in `few` of `all`: BM25's, never below zero. */
export const idf = (few: number, all: number): number => Math.log(1 + (all - few + 0.5) / (few + 0.5));

const K1 = 1.2;
const B = 0.75;
/** Chunks that hold the terms of one question may be so many before its commonest words are left to the second look. */
const MOST_ROWS = 60_000;
/** A long text is asked for by its rarest words. */
const MOST_TERMS = 48;

/**
 * BM25 over the scope's chunks: `most` of them, best first. The terms of one want add up, each at its worth. One pass over the terms' own
 * rows: what a chunk says stands nowhere else.
 */
export async function byWords(ask: Ask, scope: Condition, lexicon: Lexicon, most: number): Promise<Found[]> {
  const weights = new Map<string, number>();
  for (const { terms } of lexicon.wanted)
    for (const [term, worth] of terms) {
      const known = lexicon.terms.get(term);
      if (known === undefined) continue;
      const weight = worth * worth * idf(known.chunks, lexicon.chunks);
      if (weight > (weights.get(term) ?? 0)) weights.set(term, weight);
    }
  const ranked = [...weights].toSorted(([, a], [, b]) => b - a).slice(0, MOST_TERMS);
  let rows = 0;
  const chosen = ranked.filter(([term], i) => {
    rows += lexicon.terms.get(term)?.chunks ?? 0;
    return i === 0 || rows <= MOST_ROWS;
  });
  if (chosen.length === 0) return [];
  return ask<Found>(
    `SELECT any(c) AS channelId, any(s) AS startMs, sum(weight) AS score FROM (
       SELECT cityHash64(channelId, startMs) AS chunk, channelId AS c, startMs AS s,
         transform(term, {terms:Array(String)}, {weights:Array(Float64)}, 0.)
           * uses * ${K1 + 1} / (uses + ${K1} * (${1 - B} + ${B} * length / {meanLength:Float64})) AS weight
       FROM chunk_terms WHERE term IN {terms:Array(String)} AND ${scope.sql}
     ) GROUP BY chunk ORDER BY score DESC, startMs LIMIT {most:UInt32} SETTINGS max_threads = 1`,
    {
      ...scope.params,
      terms: chosen.map(([term]) => term),
      weights: chosen.map(([, weight]) => weight),
      meanLength: lexicon.meanLength,
      most,
    },
  );
}
