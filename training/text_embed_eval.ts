import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Embedder } from "../analytics/src/oracle/embed/embedder.ts";
import { openSentenceTransformers } from "../analytics/src/oracle/embed/sentence-transformers.ts";
import { MIX, openStatic, STATIC_FOLDER } from "../analytics/src/oracle/embed/static.ts";
import { keyOf, wordsOf } from "../analytics/src/oracle/embed/words.ts";

/**
 * How well an embedder finds chat, beside BM25 over the same words: half of a stretch from its other half, a VOD from its title, a paraphrase in Russian and
 * English and across, and the nearest of the same label. `node training/text_embed_eval.ts --texts DIR [--model FOLDER] [--st FOLDER]`.
 */
const { values } = parseArgs({
  options: {
    texts: { type: "string", default: "/tmp/hypecast-texts" },
    model: { type: "string", default: STATIC_FOLDER },
    /** A sentence-transformers folder instead. */
    st: { type: "string" },
    letters: { type: "string", default: String(MIX.letters) },
    unknown: { type: "string", default: String(MIX.unknown) },
  },
});
const mix = { letters: Number(values.letters), unknown: Number(values.unknown) };
const embedder: Embedder = values.st === undefined ? openStatic(values.model, mix) : await openSentenceTransformers(values.st);

interface Said {
  readonly text: string;
}
const read = <T>(name: string): T => JSON.parse(readFileSync(join(values.texts, `${name}.json`), "utf8")) as T;
const textsOf = (name: string): string[] => read<Said[]>(name).map(({ text }) => text);
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Numbers from 0 to 1, the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
const random = randomFrom(7);
function sample(count: number, of: number): number[] {
  const left = Array.from({ length: of }, (_, i) => i);
  return Array.from({ length: Math.min(count, of) }, () => left.splice(Math.floor(random() * left.length), 1)[0]!);
}

type Scores = number[][];
/** A score of every document for every question. */
async function byVectors(asked: readonly string[], documents: readonly string[]): Promise<Scores> {
  const questions = await embedder.embed(asked, "query");
  const passages = await embedder.embed(documents, "passage");
  return questions.map((question) =>
    passages.map((passage) => {
      let sum = 0;
      for (let i = 0; i < question.length; i++) sum += question[i]! * passage[i]!;
      return sum;
    }),
  );
}

function byWords(asked: readonly string[], documents: readonly string[]): Scores {
  const K = 1.2;
  const B = 0.75;
  const uses = documents.map((text) => {
    const counts = new Map<string, number>();
    for (const word of wordsOf(text)) counts.set(keyOf(word), (counts.get(keyOf(word)) ?? 0) + 1);
    return counts;
  });
  const lengths = uses.map((counts) => [...counts.values()].reduce((sum, n) => sum + n, 0));
  const usual = lengths.reduce((sum, n) => sum + n, 0) / lengths.length;
  const holders = new Map<string, { document: number; count: number }[]>();
  for (const [document, counts] of uses.entries())
    for (const [word, count] of counts) holders.set(word, [...(holders.get(word) ?? []), { document, count }]);
  return asked.map((text) => {
    const scores = new Array<number>(documents.length).fill(0);
    for (const word of new Set(wordsOf(text).map(keyOf))) {
      const found = holders.get(word) ?? [];
      const weight = Math.log(1 + (documents.length - found.length + 0.5) / (found.length + 0.5));
      for (const { document, count } of found)
        scores[document]! += (weight * count * (K + 1)) / (count + K * (1 - B + (B * lengths[document]!) / usual));
    }
    return scores;
  });
}

function ranks(scores: readonly number[]): number[] {
  const order = scores.map((_score, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const rank = new Array<number>(scores.length);
  for (const [place, i] of order.entries()) rank[i] = place;
  return rank;
}
const fused = (a: Scores, b: Scores): Scores =>
  a.map((scores, i) => {
    const [one, other] = [ranks(scores), ranks(b[i]!)];
    return one.map((rank, j) => 1 / (60 + rank) + 1 / (60 + other[j]!));
  });

/** Rank of the right document of each question, ties against it. */
const rightRanks = (scores: Scores, right: (i: number) => number = (i) => i): number[] =>
  scores.map((row, i) => row.filter((score, j) => j !== right(i) && score >= row[right(i)]!).length + 1);
const figures = (places: readonly number[]): { mrr: number; hit10: number } => ({
  mrr: round(places.reduce((sum, place) => sum + 1 / place, 0) / places.length),
  hit10: round(places.filter((place) => place <= 10).length / places.length),
});

const result: Record<string, unknown> = { model: embedder.model, ...(values.st === undefined ? mix : {}) };
async function compare(name: string, asked: readonly string[], documents: readonly string[], places: (scores: Scores) => number[]): Promise<void> {
  const words = byWords(asked, documents);
  const vectors = await byVectors(asked, documents);
  result[name] = {
    questions: asked.length,
    documents: documents.length,
    bm25: figures(places(words)),
    vectors: figures(places(vectors)),
    fused: figures(places(fused(words, vectors))),
  };
}

// Stretches of 40 lines.
const vods = read<{ title: string; lines: Said[] }[]>("vods");
const windows: { vod: number; lines: string[] }[] = [];
for (const [vod, { title, lines }] of vods.entries()) {
  const said = lines.map(({ text }) => text).filter((text) => !text.toLowerCase().includes(title.slice(0, 20).toLowerCase()));
  for (let at = 0; at < said.length - 40; at += 40) windows.push({ vod, lines: said.slice(at, at + 40) });
}
/** Streams whose halves were not learned from: as KEPT_APART of text_embed.py. */
const apart = windows.filter(({ vod }) => vod % 4 === 3);
const chosen = sample(700, apart.length).map((i) => apart[i]!.lines);
const half = (odd: number): string[] => chosen.map((lines) => lines.filter((_line, i) => i % 2 === odd).join("\n"));
await compare("half of a stretch → its other half", half(0), half(1), (scores) => rightRanks(scores));

const titles = vods.map(({ title }) => title.replaceAll(/\|.*|!\w+|【Spoopy.*/g, ""));
await compare("title → VOD", titles, windows.map(({ lines }) => lines.join("\n")), (scores) =>
  rightRanks(
    scores.map((row) => {
      const best: number[][] = vods.map(() => []);
      for (const [i, score] of row.entries()) best[windows[i]!.vod]!.push(score);
      return best.map((all) => {
        const top = all.sort((a, b) => b - a).slice(0, 5);
        return top.length === 0 ? -1 : top.reduce((sum, score) => sum + score, 0) / top.length;
      });
    }),
  ),
);

for (const [name, asked, said] of [
  ["paraphrase, Russian", "asked_ru", "said_ru"],
  ["paraphrase, English", "asked_en", "said_en"],
  ["asked in Russian, said in English", "asked_ru", "said_en"],
  ["asked in English, said in Russian", "asked_en", "said_ru"],
] as const)
  await compare(name, textsOf(asked), textsOf(said), (scores) => rightRanks(scores));

const labels = read<Record<string, string[]>>("labels");
for (const set of ["Tweet", "StackOverflow", "SearchSnippets"]) {
  if (!existsSync(join(values.texts, `${set}.json`)) || labels[set] === undefined) continue;
  const all = textsOf(set).slice(0, 4000);
  const asked = sample(values.st === undefined ? 300 : 60, all.length);
  const label = labels[set];
  const ndcg = (scores: Scores): number => {
    const each = scores.map((row, q) => {
      const own = asked[q]!;
      const top = row.map((_score, i) => i).filter((i) => i !== own).sort((a, b) => row[b]! - row[a]!).slice(0, 10);
      const same = Math.min(10, all.filter((_text, i) => i !== own && label[i] === label[own]).length);
      const gain = (place: number): number => 1 / Math.log2(place + 2);
      const most = Array.from({ length: same }, (_, place) => gain(place)).reduce((sum, value) => sum + value, 0);
      return most === 0 ? 1 : top.reduce((sum, i, place) => sum + (label[i] === label[own] ? gain(place) : 0), 0) / most;
    });
    return round(each.reduce((sum, value) => sum + value, 0) / each.length);
  };
  const texts = asked.map((i) => all[i]!);
  const [words, vectors] = [byWords(texts, all), await byVectors(texts, all)];
  result[`same label nDCG@10, ${set}`] = { bm25: ndcg(words), vectors: ndcg(vectors), fused: ndcg(fused(words, vectors)) };
}

if (values.st === undefined) {
  const chat = textsOf("chat").slice(0, 20_000);
  await embedder.embed(chat.slice(0, 2000), "passage");
  const began = process.cpuUsage();
  await embedder.embed(chat, "passage");
  const { user, system } = process.cpuUsage(began);
  result["lines a second of CPU"] = Math.round(chat.length / ((user + system) / 1e6));
}
await embedder.close();
console.log(JSON.stringify(result, null, 1));
