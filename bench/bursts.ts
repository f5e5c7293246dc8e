import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HYPE_BURST_KINDS, type ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { FoldInput } from "@hypecast/streamproc/processors/fold.ts";
import { runOf } from "@hypecast/streamproc/processors/run.ts";
import { bursts } from "@hypecast/streamproc/processors/bursts.ts";
import { windows } from "@hypecast/streamproc/processors/windows.ts";
import { BEGIN_MS, demoEvents, lineInput, randomFrom } from "./src/demo-events.ts";
import { vodChats } from "./vod-chats.ts";

/**
 * How well bursts are found: on the demo's stream, whose truth is known, at its full size and thinned; and on raw VOD chats, where
 * nobody labelled anything: against surrogates (the same lines with times drawn anew inside two minutes, so whatever is
 * found there is a false alarm) and against a detector that knows the whole stream.
 */
const { values: options } = parseArgs({
  options: { data: { type: "string", default: join(import.meta.dirname, "../../shared/data") } },
});

const HYPE: ReadonlySet<string> = new Set(HYPE_BURST_KINDS);

/** Runs the folds over a channel's events, with an alive mark each second, and returns the closed bursts by start. */
function found(events: Iterable<{ atMs: number; input: FoldInput }>): ChatBurst[] {
  const run = runOf([windows, bursts], "1");
  const closed = new Map<string, ChatBurst>();
  const step = (input: FoldInput): void => {
    for (const output of run.step(input))
      if (output.type === "burst") closed.set(output.burst.id, output.burst);
  };
  let aliveMs: number | null = null;
  for (const { atMs, input } of events) {
    aliveMs ??= atMs;
    for (; aliveMs <= atMs; aliveMs += 1000) step({ type: "alive", atMs: aliveMs });
    step(input);
  }
  if (aliveMs !== null) for (let s = 0; s < 180; s++) step({ type: "alive", atMs: aliveMs + s * 1000 });
  return [...closed.values()].toSorted((a, b) => a.startMs - b.startMs);
}

const quantile = (values: readonly number[], share: number): number | null =>
  values.length === 0
    ? null
    : values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
const round = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 1000) / 1000;

interface Truth {
  periodMs: number;
  bursts: {
    kind: string;
    subject: string;
    hype: boolean;
    must: boolean;
    onsetMs: number;
    fromMs: number;
    toMs: number;
  }[];
  notHype: { fromMs: number; toMs: number }[];
}
const truth = JSON.parse(readFileSync(join(import.meta.dirname, "../demo/truth.json"), "utf8")) as Truth;

/** Measured on the second loop: the first is for learning what is usual. */
function onDemo(keep: number): {
  precision: number;
  recall: number;
  delayMs: number[];
  missed: string[];
  wrong: string[];
} {
  const offsetMs = BEGIN_MS + truth.periodMs;
  const reported = found(demoEvents(3, keep)).filter(
    (burst) => burst.startMs >= offsetMs && burst.startMs < offsetMs + truth.periodMs,
  );
  const seen = new Set<number>();
  const wrong: string[] = [];
  const delayMs: number[] = [];
  for (const burst of reported) {
    const startMs = burst.startMs - offsetMs;
    const match = truth.bursts.findIndex(
      (real, i) =>
        !seen.has(i) &&
        real.kind === burst.kind &&
        (real.subject === "" || burst.kind === "copypasta"
          ? real.subject.slice(0, 20) === burst.subject.slice(0, 20) || real.subject === ""
          : real.subject === burst.subject) &&
        startMs >= real.fromMs &&
        startMs <= real.toMs,
    );
    if (match >= 0) {
      seen.add(match);
      if (truth.bursts[match]!.must)
        delayMs.push(Math.max(0, burst.detectedAtMs - offsetMs - truth.bursts[match]!.onsetMs));
    } else if (
      HYPE.has(burst.kind) ||
      !truth.notHype.some((span) => startMs >= span.fromMs && startMs <= span.toMs)
    )
      wrong.push(`${burst.kind} ${burst.subject} at ${startMs / 1000} s`);
  }
  const missed = truth.bursts.filter((real, i) => real.must && !seen.has(i));
  const musts = truth.bursts.filter((real) => real.must).length;
  return {
    precision: 1 - wrong.length / Math.max(1, reported.length),
    recall: 1 - missed.length / musts,
    delayMs,
    missed: missed.map((real) => `${real.kind} ${real.subject} at ${real.onsetMs / 1000} s`),
    wrong,
  };
}

/** The same lines and the same rate to two minutes, without any moment in them. */
function surrogate(lines: readonly ChatLine[]): ChatLine[] {
  const random = randomFrom(11);
  const blockMs = 120_000;
  return lines
    .map((line) => {
      const blockAt = Math.floor(line.sentAtMs / blockMs) * blockMs;
      return { ...line, sentAtMs: blockAt + Math.floor(random() * blockMs) };
    })
    .sort((a, b) => a.sentAtMs - b.sentAtMs);
}

interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * Bursts of volume with the whole stream at hand: ten seconds against the five minutes around them, by the Poisson tail, at
 * least six lines of four chatters and 2.5 times the usual; joined when closer than 20 s. Made without any code of the folds.
 */
function inHindsight(lines: readonly ChatLine[]): Span[] {
  if (lines.length === 0) return [];
  const beginS = Math.floor(lines[0]!.sentAtMs / 1000);
  const endS = Math.floor(lines.at(-1)!.sentAtMs / 1000) + 1;
  const counts = new Float64Array(endS - beginS + 1);
  for (const line of lines) counts[Math.floor(line.sentAtMs / 1000) - beginS + 1]!++;
  for (let i = 1; i < counts.length; i++) counts[i]! += counts[i - 1]!;
  const between = (fromS: number, untilS: number): number =>
    counts[Math.max(0, Math.min(counts.length - 1, untilS))]! -
    counts[Math.max(0, Math.min(counts.length - 1, fromS))]!;
  const spans: Span[] = [];
  for (let s = 0; s + 10 <= endS - beginS; s++) {
    const count = between(s, s + 10);
    if (count < 6) continue;
    const around = between(s - 150, s - 15) + between(s + 25, s + 160);
    const aroundS = Math.min(135, Math.max(0, s - 15)) + Math.min(135, Math.max(0, endS - beginS - s - 25));
    const usual = (10 * around) / Math.max(60, aroundS);
    if (count < 2.5 * usual || poissonTail(count, Math.max(usual, 0.3)) > 1e-5) continue;
    const fromMs = (beginS + s) * 1000;
    const inside = lines.filter((line) => line.sentAtMs >= fromMs && line.sentAtMs < fromMs + 10_000);
    if (new Set(inside.map((line) => line.userId)).size < 4) continue;
    const last = spans.at(-1);
    if (last !== undefined && fromMs - last.toMs < 20_000) last.toMs = fromMs + 10_000;
    else spans.push({ fromMs, toMs: fromMs + 10_000 });
  }
  return spans;
}

/** P(X ≥ count) of a Poisson variable. */
function poissonTail(count: number, mean: number): number {
  let term = Math.exp(-mean);
  let below = 0;
  for (let k = 0; k < count; k++) {
    below += term;
    term *= mean / (k + 1);
  }
  return Math.max(0, 1 - below);
}

const overlaps = (a: Span, b: Span, slackMs: number): boolean =>
  a.fromMs <= b.toMs + slackMs && b.fromMs <= a.toMs + slackMs;
const spanOf = (burst: ChatBurst): Span => ({ fromMs: burst.startMs, toMs: burst.endMs });

function onVods(data: string): Record<string, number | null> | null {
  const perKind = new Map<string, number>();
  const delayMs: number[] = [];
  let hours = 0;
  let vods = 0;
  let hype = 0;
  let falseAlarms = 0;
  let moments = 0;
  let momentsSeen = 0;
  let volume = 0;
  let volumeAgreed = 0;
  for (const vod of vodChats(data)) {
    if (vod.lines.length < 100) continue;
    vods++;
    hours += (vod.lines.at(-1)!.sentAtMs - vod.lines[0]!.sentAtMs) / 3_600_000;
    const reported = found(vod.lines.map(lineInput));
    for (const burst of reported) perKind.set(burst.kind, (perKind.get(burst.kind) ?? 0) + 1);
    const ofHype = reported.filter((burst) => HYPE.has(burst.kind));
    hype += ofHype.length;
    delayMs.push(...ofHype.map((burst) => burst.detectedAtMs - burst.startMs));
    falseAlarms += found(surrogate(vod.lines).map(lineInput)).filter((burst) => HYPE.has(burst.kind)).length;

    const reference = inHindsight(vod.lines);
    moments += reference.length;
    momentsSeen += reference.filter((span) =>
      reported.some((burst) => overlaps(span, spanOf(burst), 0)),
    ).length;
    const ofVolume = reported.filter((burst) => burst.kind === "volume");
    volume += ofVolume.length;
    volumeAgreed += ofVolume.filter((burst) =>
      reference.some((span) => overlaps(span, spanOf(burst), 5000)),
    ).length;
  }
  if (vods === 0) return null;
  return {
    vods,
    vodHours: round(hours),
    ...Object.fromEntries([...perKind].map(([kind, count]) => [`vodPerHour_${kind}`, round(count / hours)])),
    vodFalseAlarmsPerHour: round(falseAlarms / hours),
    /** Share of reported hype that is more than what chance makes. */
    vodPrecisionBySurrogate: round(1 - falseAlarms / Math.max(1, hype)),
    vodHindsightMoments: moments,
    vodHindsightRecall: round(momentsSeen / Math.max(1, moments)),
    vodVolumeInHindsight: round(volumeAgreed / Math.max(1, volume)),
    vodDelayP50Ms: quantile(delayMs, 0.5),
    vodDelayP95Ms: quantile(delayMs, 0.95),
  };
}

const demo = onDemo(1);
for (const line of demo.wrong) console.log(`wrong on the demo: ${line}`);
for (const line of demo.missed) console.log(`missed on the demo: ${line}`);
const half = onDemo(0.5);
const fifth = onDemo(0.2);
const vods = onVods(options.data);
if (vods === null) console.log(`no VOD chats under ${options.data}: only the demo is measured`);

const delayP95Ms = quantile(demo.delayMs, 0.95);
console.log(
  JSON.stringify({
    bench: "bursts",
    figures: {
      demoPrecision: round(demo.precision),
      demoRecall: round(demo.recall),
      demoDelayP50Ms: quantile(demo.delayMs, 0.5),
      demoDelayP95Ms: delayP95Ms,
      demoHalfPrecision: round(half.precision),
      demoHalfRecall: round(half.recall),
      demoFifthPrecision: round(fifth.precision),
      demoFifthRecall: round(fifth.recall),
      ...vods,
    },
    ratios: {},
    meets: {
      "precision ≥ 0.95 on the demo": demo.precision >= 0.95,
      "recall ≥ 0.95 on the demo": demo.recall >= 0.95,
      "delay p95 ≤ 4 s": delayP95Ms !== null && delayP95Ms <= 4000,
    },
  }),
);
