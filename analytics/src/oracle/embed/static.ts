import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toUnitLength, type Embedder } from "./embedder.ts";
import { hashOf, keyOf, mixed, wordsOf } from "./words.ts";

/** Made by training/text_embed.py; its card.md says of what. */
export const STATIC_FOLDER = join(import.meta.dirname, "../../../models/text_embed");

/** Words are remembered with what they add: chat has few and says them often. 2 kB each. */
const REMEMBERED = 15_000;
/** Each run of letters goes to so many places of the vector, with a sign: runs that two words share lie in the same places. */
const PLACES = 8;
const LEAST_LETTERS = 3;
const MOST_LETTERS = 5;

/** How the two parts are joined. Measured by training/text_embed_eval.ts. */
export interface Mix {
  /** Length of the letters' part beside the meanings' part of 1. */
  readonly letters: number;
  /** Weight of a word that the table does not have, among its words of weight about 1. */
  readonly unknown: number;
}
export const MIX: Mix = { letters: 0.5, unknown: 1 };

interface Tables {
  readonly width: number;
  readonly version: number;
  readonly rows: ReadonlyMap<string, number>;
  /** Width values a row, each times its row's scale. */
  readonly vectors: Int8Array;
  readonly scales: Float32Array;
  /** Length of each row: what its word weighs. */
  readonly weights: Float32Array;
}

function readTables(folder: string): Tables {
  const about = JSON.parse(readFileSync(join(folder, "trained.json"), "utf8")) as {
    version: number;
    width: number;
    words: number;
  };
  const words = readFileSync(join(folder, "words.txt"), "utf8").trimEnd().split("\n");
  const bytes = readFileSync(join(folder, "vectors.i8"));
  const vectors = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const scales = new Float32Array(Uint8Array.from(readFileSync(join(folder, "scales.f32"))).buffer);
  if (
    words.length !== about.words ||
    vectors.length !== words.length * about.width ||
    scales.length !== words.length
  )
    throw new Error(`${folder}: words, vectors and scales are not of one model`);
  const weights = new Float32Array(words.length);
  for (let row = 0; row < words.length; row++) {
    let square = 0;
    for (let i = row * about.width; i < (row + 1) * about.width; i++) square += vectors[i]! * vectors[i]!;
    weights[row] = Math.sqrt(square) * scales[row]!;
  }
  return {
    width: about.width,
    version: about.version,
    rows: new Map(words.map((word, row) => [word, row])),
    vectors,
    scales,
    weights,
  };
}

/**
 * Vectors of our own, without a network or a library: the sum of the words' meanings (a table), and beside it of their letters (hashed runs of 3 to 5), so
 * that names, slang, misspellings and scripts that the table lacks still find themselves. Both lie in the same dimensions: runs of letters go to
 * places that have nothing to do with meanings.
 */
export function openStatic(folder = STATIC_FOLDER, mix: Mix = MIX): Embedder {
  const tables = readTables(folder);
  const { width, vectors, scales, weights, rows } = tables;
  const usual = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length);
  let remembered = new Map<string, Float32Array>();
  let texts = 0;
  let tokens = 0;

  /** What a word adds to a text: its meaning's row, and behind it its letters, which weigh as much as it does. */
  function shareOf(word: string): Float32Array {
    const known = remembered.get(word);
    if (known !== undefined) return known;
    const share = new Float32Array(2 * width);
    const letters = share.subarray(width);
    const framed = `<${word}>`;
    for (let from = 0; from < framed.length; from++)
      for (let to = from + LEAST_LETTERS; to <= Math.min(framed.length, from + MOST_LETTERS); to++) {
        let hash = hashOf(framed, from, to);
        for (let place = 0; place < PLACES; place++) {
          hash = mixed(hash + place + 1);
          letters[(hash >>> 1) % width]! += (hash & 1) === 0 ? 1 : -1;
        }
      }
    toUnitLength(letters);
    const row = rows.get(keyOf(word));
    const weight = row === undefined ? mix.unknown : weights[row]! / usual;
    for (let i = 0; i < width; i++) letters[i]! *= weight;
    if (row !== undefined)
      for (let i = 0; i < width; i++) share[i] = scales[row]! * vectors[row * width + i]!;
    if (remembered.size >= REMEMBERED) remembered = new Map();
    remembered.set(word, share);
    return share;
  }

  const sum = new Float32Array(2 * width);
  function vectorOf(text: string): Float32Array {
    const times = new Map<string, number>();
    for (const word of wordsOf(text)) times.set(word, (times.get(word) ?? 0) + 1);
    tokens += times.size;
    sum.fill(0);
    for (const [word, count] of times) {
      const share = shareOf(word);
      const often = 1 + Math.log(count);
      for (let i = 0; i < sum.length; i++) sum[i]! += often * share[i]!;
    }
    const letters = toUnitLength(sum.subarray(width));
    const vector = toUnitLength(sum.slice(0, width));
    for (let i = 0; i < width; i++) vector[i]! += mix.letters * letters[i]!;
    return toUnitLength(vector);
  }

  return {
    model: `static@${tables.version}`,
    dimensions: width,
    batch: 2000,
    embed: async (asked) => {
      texts += asked.length;
      return asked.map(vectorOf);
    },
    estimate: (asked) => ({ texts: asked.length, tokens: 0, usd: null }),
    get spent() {
      return { texts, tokens, usd: null };
    },
    close: async () => {},
  };
}
