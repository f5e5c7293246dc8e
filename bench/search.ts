import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { openStatic } from "@hypecast/analytics/oracle/embed/static.ts";
import { embedMissing } from "@hypecast/analytics/oracle/index/embed-missing.ts";
import { nearest } from "@hypecast/analytics/oracle/index/nearest.ts";
import { fuse } from "@hypecast/analytics/oracle/search/fuse.ts";
import { byWords, lexiconOf } from "@hypecast/analytics/oracle/search/keyword.ts";
import { chunksIn, type Within } from "@hypecast/analytics/oracle/search/scope.ts";
import { understand } from "@hypecast/analytics/oracle/search/understand.ts";
import { demoVodLines } from "./src/demo-vod-lines.ts";
import { foldsOf, openWorld } from "./src/search-world.ts";
import { vodChats } from "./vod-chats.ts";

/**
 * How fast chunks are found among many, by meaning, by words and by both, and whether the nearest are the nearest. Real chats (or the demo's finished stream
 * where there are none) become chunks, vectors and words as the product makes them; copies with vectors shaken a little fill up to `--windows`.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    windows: { type: "string", default: "200000" },
    rounds: { type: "string", default: "2" },
  },
});
const WINDOWS = Number(options.windows);
const ROUNDS = Number(options.rounds);
const K = 100;
/** Of each value, relative to a usual one: a copy is another text of the same kind. */
const SHAKE = 0.6;

const world = await openWorld();
const { store, ask } = world;
const embedder = openStatic();
const signal = new AbortController().signal;
const command = async (query: string): Promise<void> => {
  await store.command({ query });
};

const chats: { channelId: string; lines: readonly ChatLine[] }[] = [];
for (const { lines } of existsSync(options.data) ? vodChats(options.data) : [])
  chats.push({ channelId: `vod-${String(chats.length).padStart(18, "0")}-0`, lines });
if (chats.length === 0) {
  console.log(`no VOD chats under ${options.data}: the demo's stream is copied instead`);
  const channelId = `vod-${"0".repeat(18)}-0`;
  chats.push({ channelId, lines: demoVodLines(channelId) });
}
let real = 0;
for (const { channelId, lines } of chats) {
  if (real >= WINDOWS) break;
  const { chunks } = foldsOf(channelId, lines);
  await world.put("chat_chunks", chunks);
  real += chunks.length;
}
const embedBegan = performance.now();
for (const { channelId } of chats)
  while ((await embedMissing(store, embedder, { channelId }, 2000, signal)) > 0);
const embedS = (performance.now() - embedBegan) / 1000;
await world.index();

// Copies: number n of a channel has n behind its name.
const copies = Math.ceil(WINDOWS / real) - 1;
const renamed = "replaceRegexpOne(channelId, '-0$', concat('-', toString(copy)))";
const copied = (columns: string, from: string): string =>
  `SELECT ${columns} FROM ${from} CROSS JOIN (SELECT number + 1 AS copy FROM numbers(${copies})) AS c`;
await command(
  "CREATE TABLE exact (channelId LowCardinality(String), startMs Int64, vector Array(Float32)) ENGINE = MergeTree ORDER BY (channelId, startMs)",
);
await command("INSERT INTO exact SELECT channelId, startMs, vector FROM chunk_vectors");
if (copies > 0) {
  const width = embedder.dimensions!;
  const shaken = `arrayMap((x, i) -> x + ${SHAKE} * randNormal(0, 1, i + copy * 1000 + startMs) / ${Math.sqrt(width)}, vector, range(${width}))`;
  for (let copy = 1; copy <= copies; copy++)
    await command(
      `INSERT INTO exact SELECT ${renamed}, startMs, arrayMap(x -> x / L2Norm(shaken), ${shaken} AS shaken)
       FROM (SELECT *, ${copy} AS copy FROM exact WHERE endsWith(channelId, '-0')) SETTINGS max_block_size = 4096`,
    );
  await command(
    `INSERT INTO chunk_vectors (model, channelId, startMs, chunkId, textHash, vector, storedAt)
     SELECT '${embedder.model}', channelId, startMs, concat(channelId, ':c:', toString(startMs)), cityHash64(channelId, startMs), vector, now() FROM exact WHERE NOT endsWith(channelId, '-0')`,
  );
  await command(
    `INSERT INTO chunk_lengths ${copied(`${renamed}, startMs, length, lines, version, storedAt`, "chunk_lengths")}`,
  );
  for (let copy = 1; copy <= copies; copy++)
    await command(
      `INSERT INTO chunk_terms SELECT term, ${renamed}, startMs, uses, length, storedAt FROM (SELECT *, ${copy} AS copy FROM chunk_terms WHERE endsWith(channelId, '-0'))`,
    );
}
// As they are once the store has come to rest.
for (const table of ["chunk_vectors", "chunk_terms", "chunk_lengths"])
  await command(`OPTIMIZE TABLE ${table} FINAL`);

const listed = JSON.parse(readFileSync(join(import.meta.dirname, "../demo/questions.json"), "utf8")) as {
  questions: { text: string }[];
};
const questions = listed.questions.map(({ text }) => text);
const channels = (
  await ask<{ channelId: string }>(
    "SELECT DISTINCT channelId FROM chunk_vectors ORDER BY cityHash64(channelId)",
    {},
  )
).map(({ channelId }) => channelId);
const [extent] = await ask<{ fromMs: number; toMs: number }>(
  "SELECT min(startMs) AS fromMs, max(startMs) AS toMs FROM chunk_vectors WHERE channelId = {channelId:String}",
  { channelId: channels[0] },
);
const middleMs = Math.round((extent!.fromMs + extent!.toMs) / 2);
const whole = (some: readonly string[]): Within =>
  some.map((channelId) => ({ channelId, fromMs: null, toMs: null }));
const scopes: Record<string, Within> = {
  everything: null,
  twentyStreams: whole(channels.slice(0, 20)),
  oneStream: whole(channels.slice(0, 1)),
  halfAnHour: [{ channelId: channels[0]!, fromMs: middleMs - 900_000, toMs: middleMs + 900_000 }],
};

async function semantic(text: string, within: Within): Promise<Awaited<ReturnType<typeof nearest>>> {
  const [vector] = await embedder.embed([text], "query");
  return nearest(store, embedder.model, vector!, within, K);
}
async function keyword(text: string, within: Within): Promise<Awaited<ReturnType<typeof byWords>>> {
  const scope = chunksIn(within);
  return byWords(ask, scope, await lexiconOf(ask, scope, understand(text, null).wanted), K);
}
const modes: Record<string, (text: string, within: Within) => Promise<unknown>> = {
  semantic,
  keyword,
  hybrid: async (text, within) => {
    const [words, near] = await Promise.all([keyword(text, within), semantic(text, within)]);
    return fuse(words, near, 1);
  },
};

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
/** CPU of the engine so far, ms. */
const engineCpuMs = async (): Promise<number> => {
  const [row] = await ask<{ us: number }>(
    "SELECT sum(value) AS us FROM system.events WHERE event IN ('OSCPUVirtualTimeMicroseconds')",
    {},
  );
  return (row?.us ?? 0) / 1000;
};

const figures: Record<string, number> = {};
for (const [mode, run] of Object.entries(modes))
  for (const [name, within] of Object.entries(scopes)) {
    for (const text of questions.slice(0, 5)) await run(text, within);
    const took: number[] = [];
    const cpuBefore = await engineCpuMs();
    for (let i = 0; i < ROUNDS; i++)
      for (const text of questions) {
        const began = performance.now();
        await run(text, within);
        took.push(performance.now() - began);
      }
    took.sort((a, b) => a - b);
    figures[`${mode}_${name}_p50Ms`] = round(quantile(took, 0.5));
    figures[`${mode}_${name}_p99Ms`] = round(quantile(took, 0.99));
    figures[`${mode}_${name}_cpuMs`] = round(((await engineCpuMs()) - cpuBefore) / took.length);
  }

let right = 0;
for (const text of questions) {
  const [vector] = await embedder.embed([text], "query");
  const truth = await ask<{ key: string }>(
    `WITH [${vector!.join(",")}]::Array(Float32) AS asked SELECT concat(channelId, ':c:', toString(startMs)) AS key FROM exact ORDER BY cosineDistance(vector, asked) LIMIT 10`,
    {},
  );
  const found = new Set(
    (await nearest(store, embedder.model, vector!, null, 10)).map(({ chunkId }) => chunkId),
  );
  right += truth.filter(({ key }) => found.has(key)).length / truth.length;
}
const recall = right / questions.length;
const [size] = await ask<{ rows: number; bytes: number }>(
  "SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() AND table = 'chunk_vectors'",
  {},
);
await embedder.close();
await world.close();

const p99 = (mode: string, filtered: boolean): number =>
  Math.max(
    ...Object.keys(scopes)
      .filter((name) => filtered === (name !== "everything"))
      .map((name) => figures[`${mode}_${name}_p99Ms`]!),
  );
console.log(
  JSON.stringify({
    bench: "search",
    figures: {
      windows: size?.rows ?? 0,
      realWindows: real,
      channels: channels.length,
      questions: questions.length,
      ...figures,
      recallAt10: round(recall, 4),
      vectorMb: round((size?.bytes ?? 0) / 1e6, 0),
      embedPerS: Math.round(real / embedS),
    },
    ratios: {},
    meets: {
      "semantic p99 ≤ 25 ms, everything": p99("semantic", false) <= 25,
      "keyword p99 ≤ 25 ms, everything": p99("keyword", false) <= 25,
      "hybrid p99 ≤ 25 ms, everything": p99("hybrid", false) <= 25,
      "p99 ≤ 25 ms with filters, each": ["semantic", "keyword", "hybrid"].every(
        (mode) => p99(mode, true) <= 25,
      ),
      "recall@10 ≥ 0.99": recall >= 0.99,
    },
  }),
);
