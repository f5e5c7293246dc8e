import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { ForecastOutcome, HypeForecast } from "@hypecast/contracts/hype.ts";
import { answerTo, askOf, loadChannel, newChannel, saveChannel, stepChannel } from "../partitions/channel.ts";
import { MODELS_FOLDER } from "../scorer/open.ts";
import type { FoldOutput } from "./fold.ts";
import { FEATURES } from "./forecast-features.ts";
import { forecast, type ForecastState } from "./forecast.ts";
import { folds } from "./index.ts";

const START_S = 1_700_000_040; // a whole minute
const PLACE = folds.indexOf(forecast);

function randomOf(seed: number): () => number {
  let at = seed;
  return () => (at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** The chat of a second: 30 lines a minute, and every ten minutes from the 15th on ten seconds of "KEKW" from everybody. */
function linesOf(second: number, random: () => number): ChatLine[] {
  const burst = second > 900 && second % 600 < 10;
  const count = burst ? 6 : random() < 0.5 ? 1 : 0;
  return Array.from({ length: count }, (_, i) => ({
    id: `${second}-${i}`,
    channelId: "1",
    sentAtMs: (START_S + second) * 1000 + i,
    userId: String(1 + Math.floor(random() * 400)),
    login: "someone",
    text: burst
      ? "KEKW"
      : ["hello there", "what is this game?", "LOL", "nice one"][Math.floor(random() * 4)]!,
  }));
}

interface Play {
  seconds: number;
  /** Asked every so many seconds; null: nobody ever asks. */
  askEveryS?: number | null;
  /** Through bytes and back every so many seconds. */
  reloadEveryS?: number;
  /** From–to, seconds after the start: not heard. */
  gap?: [number, number];
  silent?: boolean;
  lines?: (second: number, random: () => number) => ChatLine[];
  /** log quantiles of each horizon, and the chance. */
  says?: { quantiles: [number, number, number]; burst: number };
}

function run(play: Play) {
  const random = randomOf(7);
  let channel = newChannel("1", folds);
  const outputs: FoldOutput[] = [];
  const rows: Float32Array[] = [];
  const says = play.says ?? { quantiles: [-0.4, 0, 0.4], burst: 0.05 };
  const ask = (): void => {
    const features = askOf(channel, folds, PLACE);
    if (features === null) return;
    const count = features.length / FEATURES.length;
    for (let i = 0; i < count; i++) rows.push(features.slice(i * FEATURES.length, (i + 1) * FEATURES.length));
    const said = {
      quantiles: Float32Array.from({ length: count * 9 }, (_, i) => says.quantiles[i % 3]!),
      burst: new Float32Array(count).fill(says.burst),
    };
    answerTo(channel, folds, PLACE, play.silent === true ? null : said, "forecast@1", outputs);
  };
  for (let second = 0; second < play.seconds; second++) {
    const unheard = play.gap !== undefined && second >= play.gap[0] && second < play.gap[1];
    const lines = (play.lines ?? linesOf)(second, random);
    if (play.gap !== undefined && second === play.gap[1]) {
      const [fromMs, toMs] = play.gap.map((at) => (START_S + at) * 1000) as [number, number];
      const gap = { id: "gap", channelId: "1", fromMs, toMs, reason: "connection_lost" as const };
      stepChannel(channel, folds, { type: "gap", gap }, outputs);
    }
    if (unheard) continue;
    if (lines.length > 0) stepChannel(channel, folds, { type: "lines", lines, emoteSet: "" }, outputs);
    stepChannel(channel, folds, { type: "alive", atMs: (START_S + second + 1) * 1000 }, outputs);
    if (play.askEveryS !== null && second % (play.askEveryS ?? 1) === 0) ask();
    if (play.reloadEveryS !== undefined && second % play.reloadEveryS === 3)
      channel = loadChannel(saveChannel(channel, folds), folds, outputs).channel;
  }
  const forecasts: HypeForecast[] = [];
  const outcomes: ForecastOutcome[] = [];
  for (const output of outputs)
    if (output.type === "forecast") forecasts.push(output.forecast);
    else if (output.type === "outcome") outcomes.push(output.outcome);
  return { forecasts, outcomes, outputs, rows, state: channel.states[PLACE] as ForecastState };
}
const secondOf = ({ atMs }: { atMs: number }): number => atMs / 1000 - START_S;
const countBetween = (from: number, until: number): number => {
  const random = randomOf(7);
  let count = 0;
  for (let second = 0; second < until; second++) {
    const lines = linesOf(second, random).length;
    if (second >= from) count += lines;
  }
  return count;
};

test("a forecast every 5 s of event time, unknown for the first five minutes", () => {
  const { forecasts } = run({ seconds: 600 });
  const seconds = forecasts.map(secondOf);
  expect(seconds.every((second, i) => second === seconds[0]! + i * 5 && second % 5 === 0)).toBe(true);
  expect(seconds.at(-1)).toBe(595);
  const known = forecasts.filter(({ horizons }) => horizons !== null);
  expect(secondOf(known[0]!)).toBeGreaterThanOrEqual(300);
  expect(secondOf(known[0]!)).toBeLessThanOrEqual(310);
  expect(known[0]!.horizons!.map(({ minutes }) => minutes)).toEqual([1, 5, 15]);
  expect(forecasts[0]).toMatchObject({ model: "none", burstChance: null, horizons: null });
});

test("each rate outcome compares what was said then with the minute that came", () => {
  const { forecasts, outcomes } = run({ seconds: 2400 });
  for (const [kind, minutes] of [
    ["rate1", 1],
    ["rate5", 5],
    ["rate15", 15],
  ] as const) {
    const of = outcomes.filter((outcome) => outcome.kind === kind);
    expect(of.length).toBeGreaterThan(15);
    for (const outcome of of) {
      const at = secondOf(outcome);
      expect(outcome.came).toBe(countBetween(at + (minutes - 1) * 60, at + minutes * 60));
      const said = forecasts.find(({ atMs }) => atMs === outcome.atMs)!;
      const horizon = said.horizons!.find((one) => one.minutes === minutes)!;
      expect([outcome.low, outcome.said, outcome.high]).toEqual([horizon.p10, horizon.p50, horizon.p90]);
      expect(outcome.hit).toBe(outcome.came >= horizon.p10 && outcome.came <= horizon.p90);
    }
  }
});

test("every burst is in the outcome of exactly one half minute, and calls add up", () => {
  const { outcomes, outputs, state } = run({ seconds: 6000 });
  const starts = new Set(
    outputs.flatMap((output) =>
      output.type === "burst" && output.burst.open && ["emote", "mood", "volume"].includes(output.burst.kind)
        ? [output.burst.startMs / 1000 - START_S]
        : [],
    ),
  );
  expect(starts.size).toBeGreaterThanOrEqual(5);
  const spans = outcomes.filter(({ kind }) => kind === "burst");
  for (const span of spans) {
    const at = secondOf(span);
    const came = [...starts].some((start) => start > at && start <= at + 30);
    expect(span.came).toBe(came ? 1 : 0);
    expect(span.hit).toBe(!came);
  }
  expect(spans.filter(({ came }) => came === 1).length).toBeGreaterThanOrEqual(5);
  const { right, falseAlarms, missed, quiet } = state.calls;
  expect([right + falseAlarms + missed + quiet, right, falseAlarms]).toEqual([spans.length, 0, 0]);
  expect(missed).toBe(spans.filter(({ came }) => came === 1).length);
});

test("what is said does not depend on how often the model is asked, nor on save and load", () => {
  const seconds = 2000;
  const plain = run({ seconds });
  const said = ({ forecasts, outcomes }: typeof plain): unknown[] => [forecasts, outcomes];
  // 97 s: several forecasts wait, and truths come between them.
  const last = (from: typeof plain, count: number): unknown[] => [
    from.forecasts.slice(0, count),
    from.outcomes.slice(0, count / 10),
  ];
  expect(last(run({ seconds, askEveryS: 97 }), 370)).toEqual(last(plain, 370));
  expect(said(run({ seconds, reloadEveryS: 11 }))).toEqual(said(plain));
  expect(last(run({ seconds, askEveryS: 97, reloadEveryS: 13 }), 370)).toEqual(last(plain, 370));
});

test("a silent scorer gives unknown, never low, and what came is still learnt about later", () => {
  const { forecasts, outcomes } = run({ seconds: 1200, silent: true });
  expect(forecasts.length).toBeGreaterThan(200);
  for (const one of forecasts)
    expect(one).toMatchObject({ model: "none", burstChance: null, horizons: null });
  expect(outcomes).toEqual([]);
});

test("nobody who asks: what waits is bounded and given up as unknown, oldest first", () => {
  const { state, forecasts } = run({
    seconds: 4200 * 5 + 700,
    askEveryS: null,
    lines: (second) => linesOf(second, () => 0.3),
  });
  expect(state.waiting).toHaveLength(4096);
  expect(forecasts.length).toBeGreaterThan(60);
});

test("a hole of a few seconds is bridged: the forecast goes on, and its minute is held against nobody", () => {
  const hole: [number, number] = [902, 905];
  const { forecasts, outcomes } = run({ seconds: 1800, gap: hole });
  const near = forecasts.filter(
    ({ atMs }) => atMs >= (START_S + 900) * 1000 && atMs < (START_S + 970) * 1000,
  );
  expect(near).toHaveLength(14);
  expect(near.every(({ horizons }) => horizons !== null)).toBe(true);
  // Levels stay those of the whole seconds beside the hole.
  const medians = near.map(({ horizons }) => horizons![0]!.p50);
  const before = forecasts.findLast(({ atMs }) => atMs < (START_S + 900) * 1000)!.horizons![0]!.p50;
  for (const median of medians) expect(Math.abs(median / before - 1)).toBeLessThan(0.25);
  const truths = outcomes
    .filter(({ kind }) => kind === "rate1")
    .map(({ atMs }) => atMs / 1000 + 60 - START_S);
  expect(truths).not.toContain(960);
  expect(truths).toContain(1020);
});

test("nothing is said about a time that was not heard, nor in the minute after it", () => {
  const { forecasts, outcomes } = run({ seconds: 1800, gap: [900, 960] });
  const known = forecasts.filter(({ horizons }) => horizons !== null).map(secondOf);
  expect(forecasts.map(secondOf).filter((second) => second > 900 && second <= 960)).toEqual([]);
  expect(known.filter((second) => second > 900 && second < 1020)).toEqual([]);
  expect(known).toContain(1020);
  // The minutes that touch the gap are nobody's truth.
  const measured = outcomes.filter(({ kind }) => kind === "rate1").map((outcome) => secondOf(outcome) + 60);
  expect(measured.filter((second) => second > 900 && second < 1020)).toEqual([]);
  expect(measured).toContain(1080);
});

test("a chat with less than a message a minute is unknown, not quiet", () => {
  const { forecasts } = run({
    seconds: 1200,
    lines: (second, random) =>
      second % 120 === 0
        ? linesOf(900 + 600, random)
            .slice(0, 1)
            .map((line) => ({ ...line, id: `s${second}`, sentAtMs: (START_S + second) * 1000 }))
        : [],
  });
  expect(forecasts.at(-1)).toMatchObject({ horizons: null, burstChance: null });
});

test("a chance is corrected by what this channel has shown", () => {
  // The model says 40 % all the time; a burst comes in one half minute of twenty.
  const { forecasts } = run({ seconds: 9000, says: { quantiles: [-0.4, 0, 0.4], burst: 0.4 } });
  const last = forecasts.at(-1)!;
  expect(last.burstChance!).toBeLessThan(0.2);
  expect(last.burstChance!).toBeGreaterThan(0.02);
  expect(last.usualChance!).toBeLessThan(0.2);
});

describe("rows", () => {
  const { rows } = run({ seconds: 2000 });

  test("are what they were when the model was trained: retrain when this changes (vitest -u)", async () => {
    const some = [0, 60, 150, rows.length - 1].map((at) =>
      FEATURES.map((name, i) => `${at} ${name} ${rows[at]![i]!.toFixed(4)}`).join("\n"),
    );
    await expect(`${some.join("\n")}\n`).toMatchFileSnapshot("forecast.golden.txt");
  });

  test("have the names that the model in models/ was trained on", () => {
    const { features } = JSON.parse(readFileSync(join(MODELS_FOLDER, "forecast/trained.json"), "utf8")) as {
      features: string[];
    };
    expect(features).toEqual(FEATURES);
  });

  test("are finite, also of the first tick and after a gap", () => {
    const all = [...rows, ...run({ seconds: 1800, gap: [900, 960] }).rows];
    expect(all.every((row) => row.length === FEATURES.length && row.every(Number.isFinite))).toBe(true);
  });

  test("of a chat ten times as fast differ in level, hardly in relation to it", () => {
    const tenTimes = (second: number, random: () => number): ChatLine[] =>
      linesOf(second, random).flatMap((line) =>
        Array.from({ length: 10 }, (_, i) => ({ ...line, id: `${line.id}-${i}`, text: `${line.text} ${i}` })),
      );
    const fast = run({ seconds: 800, lines: tenTimes }).rows.at(-1)!;
    const slow = run({ seconds: 800 }).rows.at(-1)!;
    const of = (row: Float32Array, name: string): number => row[FEATURES.indexOf(name)]!;
    expect(of(fast, "level") - of(slow, "level")).toBeGreaterThan(2);
    for (const name of ["minute", "mean15m", "median10"])
      expect(Math.abs(of(fast, name) - of(slow, name))).toBeLessThan(0.25);
  });
});
