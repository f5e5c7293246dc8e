import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { Moment, ReactionLag } from "@hypecast/contracts/moment.ts";
import { audio } from "@hypecast/streamproc/processors/audio.ts";
import { bursts } from "@hypecast/streamproc/processors/bursts.ts";
import { hype } from "@hypecast/streamproc/processors/hype.ts";
import { lag } from "@hypecast/streamproc/processors/lag.ts";
import { moments } from "@hypecast/streamproc/processors/moments.ts";
import { runOf } from "@hypecast/streamproc/processors/run.ts";
import { shots } from "@hypecast/streamproc/processors/shots.ts";
import { windows } from "@hypecast/streamproc/processors/windows.ts";
import { lineInput, type TimedInput } from "./demo-events.ts";

export interface Found {
  /** First versions and last ones, by id. */
  first: Map<string, Moment>;
  last: Map<string, Moment>;
  versions: number;
  lags: ReactionLag[];
}

/** Runs the folds over a channel's events in the order of the log, with an alive mark each second, or as seldom as an import gives one. */
export function found(events: Iterable<TimedInput>, aliveEveryMs = 1000): Found {
  // What the script makes up comes without signatures and loudness: `shots` and `audio` find nothing in it and say nothing.
  const run = runOf([windows, bursts, hype, shots, audio, lag, moments], "1");
  const all: Found = { first: new Map(), last: new Map(), versions: 0, lags: [] };
  const step = (input: TimedInput["input"]): void => {
    for (const output of run.step(input)) {
      if (output.type === "lag") all.lags.push(output.lag);
      if (output.type !== "moment") continue;
      all.versions++;
      if (!all.first.has(output.moment.id)) all.first.set(output.moment.id, output.moment);
      all.last.set(output.moment.id, output.moment);
    }
  };
  let aliveMs: number | null = null;
  for (const { atMs, input } of events) {
    aliveMs ??= atMs;
    for (; aliveMs <= atMs; aliveMs += aliveEveryMs) step({ type: "alive", atMs: aliveMs });
    step(input);
  }
  if (aliveMs !== null) for (let s = 0; s < 180; s++) step({ type: "alive", atMs: aliveMs + s * 1000 });
  return all;
}

/** A stretch of a recording that somebody proposes, best first. */
export interface Proposal {
  fromMs: number;
  toMs: number;
  score: number;
}

/** The simplest peer: the highest counts of 10 s against the mean of the 100 s before, apart by a minute; 25 s before the peak to 15 s after it. */
export function byRate(lines: readonly ChatLine[], count: number): Proposal[] {
  const firstS = Math.floor(lines[0]!.sentAtMs / 1000);
  const counts = new Float64Array(Math.floor(lines.at(-1)!.sentAtMs / 1000) - firstS + 2);
  for (const line of lines) counts[Math.floor(line.sentAtMs / 1000) - firstS + 1]!++;
  for (let i = 1; i < counts.length; i++) counts[i]! += counts[i - 1]!;
  const between = (fromS: number, untilS: number): number => counts[untilS]! - counts[Math.max(0, fromS)]!;
  const peaks: { s: number; times: number }[] = [];
  for (let s = 110; s < counts.length; s++)
    peaks.push({ s, times: between(s - 10, s) / (between(s - 110, s - 10) / 10 + 1) });
  peaks.sort((x, y) => y.times - x.times || x.s - y.s);
  const taken: { s: number; times: number }[] = [];
  for (const peak of peaks) {
    if (taken.length >= count) break;
    if (taken.every((other) => Math.abs(other.s - peak.s) >= 60)) taken.push(peak);
  }
  return taken.map(({ s, times }) => ({
    fromMs: (firstS + s - 25) * 1000,
    toMs: (firstS + s + 15) * 1000,
    score: times,
  }));
}

export const meet = (a: Proposal, b: Proposal): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs;

export function proposalsOf(lines: readonly ChatLine[]): { proposals: Proposal[]; all: Found } {
  const all = found(lines.map(lineInput));
  const proposals = [...all.last.values()]
    .filter((moment) => moment.state === "final")
    .map((moment) => ({ fromMs: moment.startMs, toMs: moment.endMs, score: moment.score }))
    .toSorted((a, b) => b.score - a.score);
  return { proposals, all };
}
