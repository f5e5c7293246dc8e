import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { PERIOD_MS, scenes, events as worldEvents } from "@hypecast/demo/world.ts";
import { asksForClip } from "@hypecast/streamproc/processors/moment-words.ts";
import { screenEvents, type Screen } from "@hypecast/streamproc/processors/screen.fixture.ts";
import { renderedScreen } from "./src/demo-screen.ts";
import { BEGIN_MS, demoEvents, randomFrom, type TimedInput } from "./src/demo-events.ts";
import { byRate, found, meet, proposalsOf, type Found, type Proposal } from "./src/found-moments.ts";
import { vodChats } from "./vod-chats.ts";

/**
 * How well moments are found. On the demo: its chat as the script has it, with the screen's signals, against `moments` and `noMoments` of its
 * truth. On raw VOD chats, where nobody labelled anything, chat alone: how many an hour, whether half of the lines finds the same ones, and
 * how many of the best hold a viewer's "clip that", beside the simplest peer, which takes the peaks of the message rate.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    /** `rendered`: the demo's video, drawn, encoded, decoded and measured. `scripted`: what it would say, made up from the script. */
    screen: { type: "string", default: "rendered" },
    /** Where the demo has rendered its loop already. */
    loop: { type: "string" },
  },
});

const quantile = (values: readonly number[], share: number): number | null =>
  values.length === 0
    ? null
    : values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
const round = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 1000) / 1000;

/** The two in order of time. */
function* merged(a: Iterable<TimedInput>, b: readonly TimedInput[]): Generator<TimedInput> {
  let next = 0;
  for (const event of a) {
    for (; next < b.length && b[next]!.atMs <= event.atMs; next++) yield b[next]!;
    yield event;
  }
  yield* b.slice(next);
}

interface Truth {
  moments: { event: string; kinds: string[]; must: boolean; atMs: number; fromMs: number; toMs: number }[];
  noMoments: { event: string; kind: string; fromMs: number; toMs: number }[];
  bursts: { event: string; kind: string; must: boolean; onsetMs: number }[];
}
const truth = JSON.parse(readFileSync(join(import.meta.dirname, "../demo/truth.json"), "utf8")) as Truth;

/**
 * What the demo's screen would say, made up from its script instead of decoded from its video: a crash or a cry for most events, small sounds
 * for jumps, which are as many false traces, cuts where the scene changes or a screen says that the hero died, silence in the breaks.
 */
function synthesisedScreen(loops: number): TimedInput[] {
  const random = randomFrom(5);
  const sounds: NonNullable<Screen["sounds"]>[number][] = [];
  const cuts: number[] = [];
  const ads: [number, number][] = [];
  const menus: [number, number][] = [];
  const silences: number[] = [];
  const loud: Record<string, [z: number, aboveUsual: number]> = {
    lava: [14, 7],
    three_spikes: [8, 4],
    boss_phase: [11, 6],
    death: [12, 5],
    boss_miss: [9, 4],
    win: [18, 9],
    gift_bomb: [10, 4],
    raid: [10, 4],
    near_miss: [5, 2],
    boss_hit: [7, 3],
  };
  for (let loop = 0; loop < loops; loop++) {
    const baseS = (loop * PERIOD_MS) / 1000;
    for (const event of worldEvents) {
      const atS = baseS + event.atMs / 1000;
      const rise = loud[event.kind];
      if (rise !== undefined) sounds.push({ atS, z: rise[0], aboveUsual: rise[1], voice: 0.5 });
      if (event.kind === "jump" && random() < 0.4) sounds.push({ atS, z: 3 + random() * 2 });
      if (event.kind === "lava" || event.kind === "death") {
        cuts.push(atS + 0.6, atS + 5.2);
        menus.push([atS, atS + 5]);
      }
      if (event.kind === "secret" || event.kind === "glitch") cuts.push(atS + 0.1);
    }
    for (const [i, scene] of scenes.entries()) {
      const fromS = baseS + scene.fromMs / 1000;
      cuts.push(fromS);
      const untilS = baseS + (scenes[i + 1]?.fromMs ?? PERIOD_MS) / 1000;
      if (scene.place === "ads") ads.push([fromS - (fromS % 2), untilS]);
      if (scene.place === "pause") for (let s = Math.ceil(fromS); s < untilS; s++) silences.push(s);
    }
  }
  return screenEvents({
    channelId: "1",
    beginMs: BEGIN_MS,
    fromS: 0,
    untilS: (loops * PERIOD_MS) / 1000,
    sounds: sounds.toSorted((a, b) => a.atS - b.atS),
    cuts: cuts.toSorted((a, b) => a - b),
    ads,
    menus,
    silences,
    segmentLateS: 3,
    scoreLateS: null,
  }).map(({ atS, input }) => ({ atMs: BEGIN_MS + atS * 1000, input }));
}

/** How late the screen is told in a live stream; an import tells it in the order of event time, behind the chat of the same moment. */
const SCREEN_LATE_MS = 3000;
const IMPORT_ALIVE_MS = 30_000;

/** The stream's moments as an import tells it: how many, and how many of them are the live one's in all that is said of them. */
function asImported(
  live: Found,
  screen: readonly TimedInput[],
): { importedMoments: number; importedSame: number } {
  const early = screen.map(({ atMs, input }) => ({ atMs: atMs - SCREEN_LATE_MS + 1, input }));
  const imported = found(merged(demoEvents(3, 1), early), IMPORT_ALIVE_MS);
  const said = ({ version: _v, detectedAtMs: _d, ...moment }: Moment): string => JSON.stringify(moment);
  const finals = [...imported.last.values()].filter(({ state }) => state === "final");
  const same = finals.filter((moment) => {
    const other = live.last.get(moment.id);
    return other !== undefined && said(other) === said(moment);
  });
  return { importedMoments: finals.length, importedSame: same.length };
}

/** Measured on the second loop: the first is for learning what is usual. */
function onDemo(screen: readonly TimedInput[] | null, keep: number) {
  const offsetMs = BEGIN_MS + PERIOD_MS;
  const all = found(merged(demoEvents(3, keep), screen ?? []));
  const inLoop = (moment: Moment): boolean =>
    moment.onsetMs >= offsetMs && moment.onsetMs < offsetMs + PERIOD_MS;
  const finals = [...all.last.values()].filter((moment) => moment.state === "final" && inLoop(moment));
  const seen = new Map<string, Moment>();
  const wrong: string[] = [];
  for (const moment of finals) {
    const onsetMs = moment.onsetMs - offsetMs;
    const match = truth.moments.find(
      (real) => !seen.has(real.event) && onsetMs >= real.fromMs && onsetMs <= real.toMs,
    );
    if (match !== undefined) seen.set(match.event, moment);
    else wrong.push(`${moment.kind} at ${onsetMs / 1000} s`);
  }
  const musts = truth.moments.filter((real) => real.must);
  const onsetErrorMs: number[] = [];
  const startBeforeMs: number[] = [];
  const delayMs: number[] = [];
  const overReactionMs: number[] = [];
  const reactionMs: number[] = [];
  let kinds = 0;
  for (const real of musts) {
    const moment = seen.get(real.event);
    if (moment === undefined) continue;
    onsetErrorMs.push(Math.abs(moment.onsetMs - offsetMs - real.atMs));
    startBeforeMs.push(real.atMs - (moment.startMs - offsetMs));
    if (real.kinds.includes(moment.kind)) kinds++;
    const pushedMs = all.first.get(moment.id)!.detectedAtMs - offsetMs;
    delayMs.push(pushedMs - real.atMs);
    const reactions = truth.bursts.filter((burst) => burst.event === real.event && burst.must);
    overReactionMs.push(pushedMs - Math.min(...reactions.map((burst) => burst.onsetMs)));
    if (moment.chatOnsetMs !== null) reactionMs.push(moment.chatOnsetMs - offsetMs - real.atMs);
  }
  const missed = musts.filter((real) => !seen.has(real.event)).map((real) => real.event);
  return {
    all,
    finals,
    seen,
    wrong,
    missed,
    musts,
    onsetErrorMs,
    startBeforeMs,
    delayMs,
    overReactionMs,
    reactionMs,
    kinds,
  };
}

/** So long after what it is about may a viewer's ask come. */
const ASK_AFTER_MS = 20_000;
const holds = (proposal: Proposal, askMs: number): boolean =>
  askMs >= proposal.fromMs && askMs <= proposal.toMs + ASK_AFTER_MS;

/** The same lines and the same rate to two minutes, without any moment in them: what is found there is a false alarm. */
function surrogate(lines: readonly ChatLine[]): ChatLine[] {
  const random = randomFrom(11);
  const blockMs = 120_000;
  return lines
    .map((line) => ({
      ...line,
      sentAtMs: Math.floor(line.sentAtMs / blockMs) * blockMs + Math.floor(random() * blockMs),
    }))
    .sort((a, b) => a.sentAtMs - b.sentAtMs);
}

/** Chat alone. Lines that ask for a clip are kept from the folds: they are what it is judged by. */
function onVods(data: string): Record<string, number | null> | null {
  const random = randomFrom(3);
  let vods = 0;
  let hours = 0;
  let opened = 0;
  let finals = 0;
  let versions = 0;
  let falseAlarms = 0;
  let again = 0;
  let againOf = 0;
  let alsoByRate = 0;
  let asks = 0;
  let asksHeld = 0;
  let asksHeldByRate = 0;
  let covered = 0;
  let coveredByRate = 0;
  const movedMs: number[] = [];
  const lengthsMs: number[] = [];
  const top = { ours: 0, rate: 0, of: 0 };
  for (const vod of vodChats(data)) {
    if (vod.lines.length < 100) continue;
    vods++;
    const spanMs = vod.lines.at(-1)!.sentAtMs - vod.lines[0]!.sentAtMs;
    hours += spanMs / 3_600_000;
    const asked = vod.lines.filter((line) => asksForClip(line.text)).map((line) => line.sentAtMs);
    const lines = vod.lines.filter((line) => !asksForClip(line.text));
    const { proposals, all } = proposalsOf(lines);
    opened += all.last.size;
    finals += proposals.length;
    versions += all.versions;
    for (const [id, moment] of all.last) {
      if (moment.state !== "final") continue;
      movedMs.push(Math.abs(moment.startMs - all.first.get(id)!.startMs));
      lengthsMs.push(moment.endMs - moment.startMs);
    }
    const half = proposalsOf(lines.filter(() => random() < 0.5)).proposals;
    againOf += half.length;
    again += half.filter((one) => proposals.some((other) => meet(one, other))).length;
    falseAlarms += proposalsOf(surrogate(lines)).proposals.length;
    const peers = byRate(lines, proposals.length);
    alsoByRate += proposals.filter((one) => peers.some((other) => meet(one, other))).length;
    asks += asked.length;
    const share = (list: readonly Proposal[]): number =>
      list.reduce((sum, one) => sum + one.toMs - one.fromMs + ASK_AFTER_MS, 0);
    covered += share(proposals);
    coveredByRate += share(peers);
    asksHeld += asked.filter((askMs) => proposals.some((one) => holds(one, askMs))).length;
    asksHeldByRate += asked.filter((askMs) => peers.some((one) => holds(one, askMs))).length;
    if (asked.length === 0) continue;
    const held = (list: readonly Proposal[]): number =>
      list.slice(0, 5).filter((one) => asked.some((askMs) => holds(one, askMs))).length;
    top.ours += held(proposals);
    top.rate += held(peers);
    top.of += Math.min(5, proposals.length);
  }
  if (vods === 0) return null;
  const wholeMs = hours * 3_600_000;
  return {
    vods,
    vodHours: round(hours),
    vodMomentsPerHour: round(finals / hours),
    vodWithdrawnPerHour: round((opened - finals) / hours),
    vodPrecisionBySurrogate: round(1 - falseAlarms / Math.max(1, finals)),
    vodVersionsPerMoment: round(versions / Math.max(1, opened)),
    /** From the first version to the final one. */
    vodStartMovedP95Ms: quantile(movedMs, 0.95),
    vodLengthP50Ms: quantile(lengthsMs, 0.5),
    /** Of what half of the lines shows, the share that all lines show too. */
    vodHalfAgrees: round(again / Math.max(1, againOf)),
    vodAlsoByRate: round(alsoByRate / Math.max(1, finals)),
    vodAsks: asks,
    /** Asks inside, and how many chance would put there. */
    vodAsksHeld: round(asksHeld / Math.max(1, asks)),
    vodAsksByChance: round(covered / wholeMs),
    vodAsksHeldByRate: round(asksHeldByRate / Math.max(1, asks)),
    vodAsksByChanceByRate: round(coveredByRate / wholeMs),
    /** Of the five best in recordings with an ask. */
    vodPrecisionAt5: round(top.ours / Math.max(1, top.of)),
    vodPrecisionAt5ByRate: round(top.rate / Math.max(1, top.of)),
  };
}

const screen =
  options.screen === "scripted" ? synthesisedScreen(3) : await renderedScreen(3, options.loop ?? null);
const demo = onDemo(screen, 1);
for (const line of demo.wrong) console.log(`wrong on the demo: ${line}`);
for (const event of demo.missed) console.log(`missed on the demo: ${event}`);
const chatAlone = onDemo(null, 1);
const fifth = onDemo(screen, 0.2);
const vods = onVods(options.data);
if (vods === null) console.log(`no VOD chats under ${options.data}: only the demo is measured`);

const SEGMENT_MS = 2000;
const precision = (run: typeof demo): number => 1 - run.wrong.length / Math.max(1, run.finals.length);
const recall = (run: typeof demo): number => 1 - run.missed.length / run.musts.length;
const learned = demo.all.lags.at(-1);
const startErrorP50Ms = quantile(demo.onsetErrorMs, 0.5);
const overP95Ms = quantile(demo.overReactionMs, 0.95);
console.log(
  JSON.stringify({
    bench: "moments",
    figures: {
      screen: options.screen,
      demoPrecision: round(precision(demo)),
      demoRecall: round(recall(demo)),
      demoKindRight: round(demo.kinds / demo.musts.length),
      demoOnsetErrorP50Ms: startErrorP50Ms,
      demoOnsetErrorP90Ms: quantile(demo.onsetErrorMs, 0.9),
      /** The clip begins so long before the event: the least, and the median. */
      demoStartBeforeLeastMs: quantile(demo.startBeforeMs, 0),
      demoStartBeforeP50Ms: quantile(demo.startBeforeMs, 0.5),
      demoPushedAfterEventP50Ms: quantile(demo.delayMs, 0.5),
      demoPushedAfterEventP95Ms: quantile(demo.delayMs, 0.95),
      demoPushedAfterReactionP95Ms: overP95Ms,
      demoLagMs: learned?.lagMs ?? null,
      demoLagErrorMs: learned?.errorMs ?? null,
      demoLagTrueMs: quantile(demo.reactionMs, 0.5),
      chatAlonePrecision: round(precision(chatAlone)),
      chatAloneRecall: round(recall(chatAlone)),
      chatAloneOnsetErrorP50Ms: quantile(chatAlone.onsetErrorMs, 0.5),
      chatAloneStartBeforeLeastMs: quantile(chatAlone.startBeforeMs, 0),
      fifthPrecision: round(precision(fifth)),
      fifthRecall: round(recall(fifth)),
      ...asImported(demo.all, screen),
      ...vods,
    },
    ratios: {},
    meets: {
      "candidate p95 ≤ reaction + segment + 3 s": overP95Ms !== null && overP95Ms <= SEGMENT_MS + 3000,
      "precision ≥ 0.9 on the demo": precision(demo) >= 0.9,
      "recall ≥ 0.9 on the demo": recall(demo) >= 0.9,
      "start error median ≤ 2 s": startErrorP50Ms !== null && startErrorP50Ms <= 2000,
    },
  }),
);
