import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { Searched } from "@hypecast/contracts/oracle.ts";
import { search, type SearchTools } from "@hypecast/analytics/oracle/search/search.ts";
import { vodChat, VOD_CREATED_AT_MS, VOD_S } from "@hypecast/demo/vod.ts";
import { foldsOf, openWorld, type World } from "./src/search-world.ts";

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    verbose: { type: "boolean", default: false },
    half: { type: "string", default: "" },
    dump: { type: "string", default: "" },
  },
});

interface Comment {
  _id: string;
  content_offset_seconds: number;
  commenter: { _id: string; name: string; display_name: string };
  message: { body: string; emoticons: { _id: string; begin: number; end: number }[] };
}
const DEMO = "vod-demo00000000000000-1";

/** The demo's stream as an import of its chat file sees it. */
function demoLines(): ChatLine[] {
  const { comments } = vodChat() as { comments: Comment[] };
  let second = -1;
  let inSecond = 0;
  return comments.map(({ _id: id, content_offset_seconds: offsetS, commenter, message }) => {
    inSecond = offsetS === second ? inSecond + 1 : 0;
    second = offsetS;
    return {
      id,
      channelId: DEMO,
      sentAtMs: VOD_CREATED_AT_MS + offsetS * 1000 + Math.min(999, inSecond * 10),
      userId: commenter._id,
      login: commenter.name,
      name: commenter.display_name,
      text: message.body,
    };
  });
}

interface Asked {
  readonly language: "en" | "ru";
  readonly text: string;
  readonly atS: readonly number[];
  readonly toleranceS: number;
}
const listed = JSON.parse(readFileSync(join(import.meta.dirname, "../demo/questions.json"), "utf8")) as {
  questions: Asked[];
  none: Pick<Asked, "language" | "text">[];
};
const asked: Asked[] = [
  ...listed.questions,
  ...listed.none.map((one) => ({ ...one, atS: [], toleranceS: 0 })),
];

/** A fixed half of the questions is for calibration; what is reported is the other. */
function halfOf(text: string): "calibration" | "held out" {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) & 1) === 0 ? "calibration" : "held out";
}

const toolsOf = (world: World): SearchTools => ({
  ask: world.ask,
  meaning: null,
  alike: null,
  extents: async () =>
    new Map([[DEMO, { fromMs: VOD_CREATED_AT_MS, toMs: VOD_CREATED_AT_MS + VOD_S * 1000 }]]),
  signal: new AbortController().signal,
});

const world = await openWorld();
const lines = demoLines();
const folded = foldsOf(DEMO, lines);
await world.add(DEMO, lines, folded);
await world.index();
console.log({
  lines: lines.length,
  chunks: folded.chunks.length,
  bursts: folded.bursts.length,
  moments: folded.moments.length,
});

const results: { one: Asked; answer: Searched; ok: boolean }[] = [];
const dumped: object[] = [];
for (const one of asked) {
  const answer = await search(
    {
      query: one.text,
      within: [{ channelId: DEMO, fromMs: null, toMs: null }],
      mode: "hybrid",
      limit: options.dump === "" ? 10 : 50,
      language: one.language,
    },
    toolsOf(world),
  );
  const rank = answer.hits.findIndex((hit) =>
    one.atS.some((atS) => Math.abs((hit.atMs - VOD_CREATED_AT_MS) / 1000 - atS) <= one.toleranceS),
  );
  if (options.dump !== "")
    dumped.push({
      half: halfOf(one.text),
      text: one.text,
      none: one.atS.length === 0,
      places: answer.hits.map((hit) => ({
        right: one.atS.some((atS) => Math.abs((hit.atMs - VOD_CREATED_AT_MS) / 1000 - atS) <= one.toleranceS),
        parts: hit.parts,
      })),
    });
  results.push({ one, answer, ok: rank === 0 });
  const half = halfOf(one.text);
  if (options.half !== "" && !half.startsWith(options.half)) continue;
  if (options.verbose) {
    const top = answer.hits
      .slice(0, 3)
      .map((hit) => `${((hit.atMs - VOD_CREATED_AT_MS) / 1000).toFixed(0)}:${hit.score}`);
    console.log(
      rank === 0 ? "OK " : one.atS.length === 0 ? (answer.found ? "FA " : "ok0") : `-- ${rank}`,
      half[0],
      one.text,
      one.atS.join(),
      "|",
      top.join(" "),
      "|",
      Object.entries(answer.hits[0]?.parts ?? {})
        .map(([k, v]) => `${k[0]}${k.slice(-1)} ${v}`)
        .join(","),
      `${answer.tookMs} ms`,
    );
  }
}
for (const half of ["calibration", "held out"]) {
  const of = results.filter(({ one }) => halfOf(one.text) === half);
  const real = of.filter(({ one }) => one.atS.length > 0);
  const none = of.filter(({ one }) => one.atS.length === 0);
  const notFound = none.filter(({ answer }) => !answer.found).length;
  const falseNotFound = real.filter(({ answer }) => !answer.found).length;
  const precision = notFound / Math.max(1, notFound + falseNotFound);
  const recall = notFound / none.length;
  console.log(half, {
    n: real.length,
    none: none.length,
    hit1: real.filter(({ ok }) => ok).length / real.length,
    f1: (2 * precision * recall) / (precision + recall),
    notFound,
    falseNotFound,
  });
}
if (options.dump !== "") writeFileSync(options.dump, JSON.stringify(dumped));
await world.close();
