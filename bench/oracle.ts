import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { Searched, SEARCH_MODES } from "@hypecast/contracts/oracle.ts";
import { alikeBy } from "@hypecast/analytics/oracle/embed/alike.ts";
import { openStatic, STATIC_FOLDER } from "@hypecast/analytics/oracle/embed/static.ts";
import { embedMissing } from "@hypecast/analytics/oracle/index/embed-missing.ts";
import { nearest } from "@hypecast/analytics/oracle/index/nearest.ts";
import { fuse } from "@hypecast/analytics/oracle/search/fuse.ts";
import { byWords, lexiconOf, type ChunkRef } from "@hypecast/analytics/oracle/search/keyword.ts";
import { chunksIn } from "@hypecast/analytics/oracle/search/scope.ts";
import { WEIGHTS } from "@hypecast/analytics/oracle/search/score.ts";
import { search, type SearchTools } from "@hypecast/analytics/oracle/search/search.ts";
import { understand } from "@hypecast/analytics/oracle/search/understand.ts";
import { wordsOf } from "@hypecast/analytics/oracle/search/words.ts";
import { VOD_CREATED_AT_MS, VOD_S } from "@hypecast/demo/vod.ts";
import { randomFrom } from "./src/demo-events.ts";
import { demoVodLines } from "./src/demo-vod-lines.ts";
import { fitPlaces, judge, type Judged, type Offer } from "./src/fit-places.ts";
import { foldsOf, openWorld, type World } from "./src/search-world.ts";
import { vodChats } from "./vod-chats.ts";

/**
 * How well places are found. On the demo's stream: questions whose seconds are known, and such that have no answer. On real VOD chats, where nobody
 * asked anything: a title finds its stream, half the lines of a stretch find the other half, a line that somebody half remembers is found. Always beside
 * words alone and vectors alone. A fixed half of everything is for calibration (`--fit` prints weights made of it); the other half is reported.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    fit: { type: "boolean", default: false },
    /** Prints each question of the calibration half. */
    verbose: { type: "boolean", default: false },
    "demo-only": { type: "boolean", default: false },
    "vods-only": { type: "boolean", default: false },
    /** So many of the recorded streams, evenly chosen. */
    streams: { type: "string", default: "48" },
    dump: { type: "string", default: "" },
  },
});

type Mode = (typeof SEARCH_MODES)[number];
const MODES: readonly Mode[] = ["hybrid", "keyword", "semantic"];
const DEMO = `vod-${"d".repeat(18)}-1`;
/** A real stream's place is right when the line was said so near to it: the lag is the channel's, and nobody knows it. */
const LINE_TOLERANCE_S = 10;

interface Asked {
  readonly language: "en" | "ru";
  readonly text: string;
  readonly channelId: string;
  /** Event times in ms of right answers; none: there is no answer. */
  readonly atMs: readonly number[];
  readonly toleranceMs: number;
  /** Whether what chat wrote is asked for, and not what was on screen. */
  readonly byChatTime: boolean;
}

/** A fixed half of the questions is for calibration. */
function isForCalibration(text: string): boolean {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) & 1) === 0;
}

const embedder = existsSync(join(STATIC_FOLDER, "trained.json")) ? openStatic() : null;
if (embedder === null) console.log(`no model in ${STATIC_FOLDER}: words alone are measured`);
const never = new AbortController().signal;

const toolsOf = (world: World): SearchTools => ({
  ask: world.ask,
  meaning:
    embedder === null
      ? null
      : {
          model: embedder.model,
          nearest: async (text, scope, most) => {
            const [vector] = await embedder.embed([text], "query");
            return nearest(world.store, embedder.model, vector!, scope, most);
          },
          coverage: async () => ({ chunks: 0, withoutVector: 0 }),
        },
  alike: embedder === null ? null : alikeBy(embedder),
  extents: async (channelIds) =>
    new Map(
      channelIds.includes(DEMO)
        ? [[DEMO, { fromMs: VOD_CREATED_AT_MS, toMs: VOD_CREATED_AT_MS + VOD_S * 1000 }]]
        : [],
    ),
  signal: never,
});

async function addStream(world: World, channelId: string, lines: readonly ChatLine[]): Promise<void> {
  await world.add(channelId, lines, foldsOf(channelId, lines));
  if (embedder === null) return;
  while ((await embedMissing(world.store, embedder, { channelId }, 2000, never)) > 0);
}

interface Result {
  readonly one: Asked;
  readonly answer: Searched;
  /** 1 is best; null: it is not among the hits. */
  readonly rank: number | null;
  readonly nearS: number | null;
  /** Of this process; the store's is its own. */
  readonly cpuMs: number;
}

async function askAll(world: World, asked: readonly Asked[], mode: Mode, limit = 10): Promise<Result[]> {
  const tools = toolsOf(world);
  const results: Result[] = [];
  for (const one of asked) {
    const before = process.cpuUsage();
    const answer = await search(
      {
        query: one.text,
        within: [{ channelId: one.channelId, fromMs: null, toMs: null }],
        mode,
        limit,
        language: one.language,
      },
      tools,
    );
    const { user, system } = process.cpuUsage(before);
    const off = answer.hits.map((hit) =>
      Math.min(...one.atMs.map((atMs) => Math.abs((one.byChatTime ? hit.chatAtMs : hit.atMs) - atMs))),
    );
    const at = off.findIndex((ms) => ms <= one.toleranceMs);
    results.push({
      one,
      answer,
      rank: at < 0 ? null : at + 1,
      cpuMs: (user + system) / 1000,
      nearS: off[0] === undefined || one.atMs.length === 0 ? null : off[0] / 1000,
    });
  }
  return results;
}

const judged = (results: readonly Result[]): Judged =>
  judge(results.map(({ one, answer, rank }) => ({ none: one.atMs.length === 0, found: answer.found, rank })));

const offersOf = (results: readonly Result[]): Offer[] =>
  results.map(({ one, answer }) => ({
    none: one.atMs.length === 0,
    places: answer.hits.map((hit) => ({
      right: one.atMs.some(
        (atMs) => Math.abs((one.byChatTime ? hit.chatAtMs : hit.atMs) - atMs) <= one.toleranceMs,
      ),
      parts: hit.parts,
    })),
  }));

interface Listed {
  readonly language: "en" | "ru";
  readonly text: string;
  readonly atS?: readonly number[];
  readonly toleranceS?: number;
}
function demoQuestions(): Asked[] {
  const listed = JSON.parse(readFileSync(join(import.meta.dirname, "../demo/questions.json"), "utf8")) as {
    questions: Listed[];
    none: Listed[];
  };
  return [...listed.questions, ...listed.none].map(({ language, text, atS = [], toleranceS = 0 }) => ({
    language,
    text,
    channelId: DEMO,
    atMs: atS.map((s) => VOD_CREATED_AT_MS + s * 1000),
    toleranceMs: toleranceS * 1000,
    byChatTime: false,
  }));
}

interface Stream {
  readonly channelId: string;
  readonly title: string;
  readonly lines: readonly ChatLine[];
  /** Stretches of which half the lines were kept apart. */
  readonly halves: readonly { fromMs: number; toMs: number; text: string }[];
}

const HALF_WINDOWS_A_STREAM = 10;
const HALF_WINDOW_MS = 45_000;
const LEAST_LINES = 12;

/** The recorded streams, with half the lines of some stretches taken out before anything else sees them. */
function* recordedStreams(): Generator<Stream> {
  const random = randomFrom(5);
  let n = 0;
  let seen = 0;
  const every = Math.max(1, 48 / Number(options.streams));
  for (const chat of existsSync(options.data) ? vodChats(options.data) : []) {
    if (chat.lines.length < 100) continue;
    if (seen++ % every >= 1) continue;
    const about = join(options.data, "chat-vod", chat.name.replace(/\.chat\.json\.gz$/, ".vod.json"));
    const { title } = JSON.parse(readFileSync(about, "utf8")) as { title: string };
    const from = chat.lines[0]!.sentAtMs;
    const to = chat.lines.at(-1)!.sentAtMs;
    const halves: { fromMs: number; toMs: number; text: string }[] = [];
    const out = new Set<string>();
    for (let tries = 0; tries < 200 && halves.length < HALF_WINDOWS_A_STREAM; tries++) {
      const fromMs = from + Math.floor(random() * Math.max(1, to - from - HALF_WINDOW_MS));
      const toMs = fromMs + HALF_WINDOW_MS;
      if (halves.some((other) => fromMs < other.toMs + 90_000 && toMs > other.fromMs - 90_000)) continue;
      const inside = chat.lines.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs);
      if (inside.length < LEAST_LINES) continue;
      const apart = inside.filter(() => random() < 0.5);
      if (apart.length < LEAST_LINES / 3) continue;
      for (const { id } of apart) out.add(id);
      halves.push({ fromMs, toMs, text: [...new Set(apart.map(({ text }) => text))].join("\n") });
    }
    yield {
      channelId: `vod-${String(n++).padStart(18, "0")}-1`,
      title,
      lines: chat.lines.filter(({ id }) => !out.has(id)),
      halves,
    };
  }
}

/** A line as somebody remembers it: words are missing, one is misspelled, an end is another. */
function halfRemembered(text: string, random: () => number): string {
  const words = wordsOf(text).map(({ text: word }) => word);
  const kept = words.filter(() => random() < 0.75);
  const some = kept.length >= 3 ? kept : words.slice(0, 4);
  const at = some.findIndex((word) => word.length >= 5);
  if (at >= 0) {
    const word = some[at]!;
    const i = 1 + Math.floor(random() * (word.length - 2));
    some[at] =
      random() < 0.5
        ? word.slice(0, i) + word.slice(i + 1)
        : word.slice(0, i) + (word[i + 1] ?? "") + word[i]! + word.slice(i + 2);
  }
  return some.join(" ");
}

const LINES_A_STREAM = 6;
/** Questions for lines of the stream, and for as many of another channel's: those have no answer here. */
function lineQuestions(streams: readonly Stream[], channelOf: (stream: Stream) => string): Asked[] {
  const random = randomFrom(9);
  const telling = streams.map(({ lines }) => {
    const seen = new Map<string, number>();
    for (const { text } of lines) seen.set(text, (seen.get(text) ?? 0) + 1);
    const some = lines.filter(({ text }) => {
      const words = wordsOf(text).filter(({ text: word }) => word.length >= 4);
      return seen.get(text) === 1 && words.length >= 4 && words.length <= 14 && !text.startsWith("!");
    });
    return Array.from(
      { length: Math.min(2 * LINES_A_STREAM, some.length) },
      () => some[Math.floor(random() * some.length)]!,
    );
  });
  return streams.flatMap((stream, i) => {
    const other = streams.findIndex((one, k) => k > i && channelOf(one) !== channelOf(stream));
    const strangers =
      telling[other < 0 ? streams.findIndex((one) => channelOf(one) !== channelOf(stream)) : other] ?? [];
    const of = (line: ChatLine, here: boolean): Asked => ({
      language: "en",
      text: halfRemembered(line.text, random),
      channelId: stream.channelId,
      atMs: here ? [line.sentAtMs] : [],
      toleranceMs: LINE_TOLERANCE_S * 1000,
      byChatTime: true,
    });
    return [
      ...telling[i]!.slice(0, LINES_A_STREAM).map((line) => of(line, true)),
      ...strangers.slice(LINES_A_STREAM, LINES_A_STREAM + LINES_A_STREAM / 3).map((line) => of(line, false)),
    ];
  });
}

/** The chunks that each way finds in all streams, best first. */
async function chunksFound(
  world: World,
  text: string,
  most: number,
): Promise<Record<Mode, readonly ChunkRef[]>> {
  const { wanted } = understand(text);
  const scope = chunksIn(null);
  const lexicon = await lexiconOf(world.ask, scope, wanted);
  const [words, near] = await Promise.all([
    byWords(world.ask, scope, lexicon, most),
    toolsOf(world).meaning?.nearest(text, null, most) ?? [],
  ]);
  return { hybrid: fuse(words, near, 1), keyword: words, semantic: near };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const round = (value: number): number => Math.round(value * 1000) / 1000;
const figures: Record<string, number> = {};

/** MRR and hit@10 of each way, over ranks from 1; null: not found. */
function report(name: string, ranks: Record<Mode, (number | null)[]>): void {
  for (const mode of MODES) {
    figures[`${name}_${mode}_mrr`] = round(meanOf(ranks[mode].map((rank) => (rank === null ? 0 : 1 / rank))));
    figures[`${name}_${mode}_hitAt10`] = round(
      meanOf(ranks[mode].map((rank) => (rank !== null && rank <= 10 ? 1 : 0))),
    );
  }
}

const world = await openWorld();
await addStream(world, DEMO, demoVodLines(DEMO));
await world.index();

const asked = demoQuestions();
const calibrating = options.fit || options.verbose || options.dump !== "";
const calibration: Result[] = [];
const demo = {} as Record<Mode, Judged>;
for (const mode of MODES) {
  if (mode === "semantic" && embedder === null) continue;
  // Only the fused way is calibrated.
  if (mode !== "hybrid" && calibrating) continue;
  const some = options["vods-only"] ? [] : asked.filter(({ text }) => isForCalibration(text) === calibrating);
  const results = await askAll(world, some, mode, options.fit || options.dump !== "" ? 50 : 10);
  const heldOut = results.filter(({ one }) => !isForCalibration(one.text));
  demo[mode] = judged(heldOut);
  if (mode !== "hybrid") continue;
  calibration.push(...results.filter(({ one }) => isForCalibration(one.text)));
  const wrong = heldOut.filter(({ one, rank }) => one.atMs.length > 0 && rank !== 1);
  figures["demoWrongWithin15S"] = wrong.filter(({ nearS }) => nearS !== null && nearS <= 15).length;
  figures["demoWrongButLater"] = wrong.filter(({ rank }) => rank !== null).length;
  const middleOf = (values: readonly number[]): number =>
    Math.round(values.toSorted((a, b) => a - b)[values.length >> 1]!);
  if (results.length > 0) {
    figures["demoMsP50"] = middleOf(results.map(({ answer }) => answer.tookMs));
    figures["demoCpuMsP50"] = middleOf(results.map(({ cpuMs }) => cpuMs));
  }
}
if (options.verbose)
  for (const { one, answer, rank } of calibration) {
    const s = (ms: number): string => ((ms - VOD_CREATED_AT_MS) / 1000).toFixed(0);
    const state =
      one.atMs.length === 0
        ? answer.found
          ? "FOUND"
          : "ok none"
        : rank === 1
          ? answer.found
            ? "ok"
            : "ok silent"
          : `rank ${rank}`;
    const top = answer.hits.slice(0, 3).map((hit) => `${s(hit.atMs)}:${hit.score}`);
    const parts = Object.entries(answer.hits[0]?.parts ?? {}).filter(([, value]) => value > 0);
    console.log(
      [
        state,
        one.text,
        one.atMs.map(s).join(),
        top.join(" "),
        parts.map(([name, value]) => `${name} ${value}`).join(" "),
      ].join(" | "),
    );
  }
if (calibrating) console.log("demo, calibration half", judged(calibration));

let vods = 0;
if (!options["demo-only"]) {
  const streams: Stream[] = [];
  for (const stream of recordedStreams()) {
    await addStream(world, stream.channelId, stream.lines);
    streams.push(stream);
  }
  await world.index();
  vods = streams.length;
  if (vods > 0) {
    const channelOf = (stream: Stream): string => stream.lines[0]!.channelId + stream.title.slice(-12);
    const titles: Record<Mode, (number | null)[]> = { hybrid: [], keyword: [], semantic: [] };
    const halves: Record<Mode, (number | null)[]> = { hybrid: [], keyword: [], semantic: [] };
    for (const { channelId, title, halves: some } of streams) {
      const found = await chunksFound(world, title, 300);
      for (const mode of MODES) {
        const order = [...new Set(found[mode].map((one) => one.channelId))].filter((one) => one !== DEMO);
        const at = order.indexOf(channelId);
        titles[mode].push(at < 0 ? null : at + 1);
      }
      for (const { fromMs, toMs, text } of some) {
        const chunks = await chunksFound(world, text, 100);
        for (const mode of MODES) {
          const at = chunks[mode].findIndex(
            (one) => one.channelId === channelId && one.startMs > fromMs - 45_000 && one.startMs < toMs,
          );
          halves[mode].push(at < 0 ? null : at + 1);
        }
      }
    }
    report("vodTitle", titles);
    report("vodHalf", halves);
    figures["vodHalfStretches"] = halves.hybrid.length;

    const lines = lineQuestions(streams, channelOf).filter(
      ({ text }) => isForCalibration(text) === calibrating,
    );
    for (const mode of MODES) {
      if ((mode === "semantic" && embedder === null) || (mode !== "hybrid" && calibrating)) continue;
      const results = await askAll(world, lines, mode, options.fit ? 30 : 10);
      const heldOut = judged(results.filter(({ one }) => !isForCalibration(one.text)));
      figures[`vodLine_${mode}_hitAt1`] = round(heldOut.hitAt1);
      figures[`vodLine_${mode}_mrr`] = round(heldOut.reciprocalRank);
      figures[`vodLine_${mode}_noneF1`] = round(heldOut.noneF1);
      figures["vodLineQuestions"] = heldOut.questions + heldOut.none;
      if (mode === "hybrid") calibration.push(...results.filter(({ one }) => isForCalibration(one.text)));
    }
  } else console.log(`no VOD chats under ${options.data}: only the demo is measured`);
}

if (options.dump !== "")
  writeFileSync(
    options.dump,
    JSON.stringify(
      offersOf(calibration).map((offer, i) => ({
        ...offer,
        text: calibration[i]!.one.text,
        demo: calibration[i]!.one.channelId === DEMO,
      })),
    ),
  );
if (options.fit) {
  const offers = offersOf(calibration);
  for (const stiffness of [0.3, 1, 3]) {
    const weights = fitPlaces(offers, WEIGHTS, stiffness);
    console.log(stiffness, JSON.stringify(weights));
  }
}
await world.close();

for (const [mode, { hitAt1, reciprocalRank, noneF1, questions, none }] of Object.entries(demo)) {
  figures[`demo_${mode}_hitAt1`] = round(hitAt1);
  figures[`demo_${mode}_mrr`] = round(reciprocalRank);
  figures[`demo_${mode}_noneF1`] = round(noneF1);
  figures["demoQuestions"] = questions;
  figures["demoNone"] = none;
}
const above = (name: string): boolean =>
  figures[`${name}_hybrid_mrr`]! >
  Math.max(figures[`${name}_keyword_mrr`]!, figures[`${name}_semantic_mrr`] ?? 0);
console.log(
  JSON.stringify({
    bench: "oracle",
    figures,
    ratios: {},
    meets: {
      "demo: hit@1 within 5 s ≥ 0.85": figures["demo_hybrid_hitAt1"]! >= 0.85,
      "demo: no-answer F1 ≥ 0.85": figures["demo_hybrid_noneF1"]! >= 0.85,
      ...(vods === 0 || embedder === null
        ? {}
        : {
            "title → VOD: hybrid above words alone and vectors alone": above("vodTitle"),
            "half a stretch: hybrid above words alone and vectors alone": above("vodHalf"),
            "remembered lines: hybrid above words alone and vectors alone": above("vodLine"),
          }),
    },
  }),
);
