import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FORECAST_HORIZONS_MIN } from "@hypecast/contracts/hype.ts";
import { openOnnx } from "@hypecast/streamproc/scorer/onnx.ts";
import { MODELS_FOLDER } from "@hypecast/streamproc/scorer/open.ts";
import { findSeries, play, type Played } from "./src/forecast-series.ts";
import { auroc, averagePrecision, mean } from "./src/scores.ts";

/**
 * The forecast against persistence and an EWMA, on the same moments of the same series. The product's own folds make the
 * forecasts, with the model in models/; what came is counted here, apart from them. Series that trained the model are
 * reported by themselves and decide nothing, where there are others.
 */
const { values: options } = parseArgs({ options: { data: { type: "string", default: "../shared/data" } } });
const MODEL = "forecast";
const EWMA_HALF_LIVES_MIN = [0.5, 1, 2, 3, 5, 10, 15, 30, 60];
const BURST_HALF_LIVES_MIN = [2, 5, 10, 20, 60];
const TICK_S = 5;
const SPAN_S = 30;
/** A burst is detected up to so much after it began. */
const KNOWN_AFTER_S = 15;

const { trained } = JSON.parse(readFileSync(join(MODELS_FOLDER, MODEL, "trained.json"), "utf8")) as {
  trained: string[];
};
const scorer = await openOnnx(MODELS_FOLDER);

/** One group of series: what was said and what came, moment by moment. */
class Group {
  series = 0;
  rates = FORECAST_HORIZONS_MIN.map(() => ({
    n: 0,
    inside: 0,
    model: 0,
    persistence: 0,
    ewma: EWMA_HALF_LIVES_MIN.map(() => 0),
  }));
  chance: number[] = [];
  persistence: number[] = [];
  ewma: number[][] = BURST_HALF_LIVES_MIN.map(() => []);
  began: boolean[] = [];

  add(played: Played): void {
    this.series++;
    const { startS, lines, burstsS, series } = played;
    const endS = startS + lines.length;
    const total = new Float64Array(lines.length + 1);
    for (const [i, count] of lines.entries()) total[i + 1] = total[i]! + count;
    const between = (fromS: number, untilS: number): number =>
      total[untilS - startS]! - total[fromS - startS]!;
    const rateMeans = means(
      EWMA_HALF_LIVES_MIN,
      startS,
      endS,
      (fromS) => between(fromS, fromS + TICK_S) * 12,
    );
    const bursts = new Set(burstsS);
    const burstMeans = means(BURST_HALF_LIVES_MIN, startS, endS, (fromS) => {
      let count = 0;
      for (let second = fromS; second < fromS + TICK_S; second++) if (bursts.has(second)) count++;
      return count;
    });
    const beganIn = (fromS: number, untilS: number): boolean => burstsS.some((s) => s > fromS && s <= untilS);
    for (const { atMs, horizons, burstChance } of played.forecasts) {
      const atS = atMs / 1000;
      if (horizons === null || atS - 60 < startS) continue;
      // Within a minute these series say nothing.
      if (series.set === "minutes" && atS % 60 !== 0) continue;
      const now = between(atS - 60, atS);
      for (const [h, { minutes, p10, p50, p90 }] of horizons.entries()) {
        const untilS = atS + minutes * 60;
        if (untilS > endS) continue;
        const came = between(untilS - 60, untilS);
        const rate = this.rates[h]!;
        rate.n++;
        if (came >= p10 && came <= p90) rate.inside++;
        rate.model += Math.abs(p50 - came);
        rate.persistence += Math.abs(now - came);
        for (const [i, at] of rateMeans.entries()) rate.ewma[i]! += Math.abs(at.get(atS)! - came);
      }
      if (series.set !== "vod" || burstChance === null || atS + SPAN_S + KNOWN_AFTER_S > endS) continue;
      this.chance.push(burstChance);
      this.persistence.push(beganIn(atS - SPAN_S, atS) ? 1 : 0);
      for (const [i, at] of burstMeans.entries()) this.ewma[i]!.push(at.get(atS)!);
      this.began.push(beganIn(atS, atS + SPAN_S));
    }
  }
}

/** Means that forget with each half-life, at the end of every tick; unbiased from the start. */
function means(
  halfLivesMin: readonly number[],
  startS: number,
  endS: number,
  of: (fromS: number) => number,
): Map<number, number>[] {
  return halfLivesMin.map((halfLife) => {
    const keep = 0.5 ** (TICK_S / 60 / halfLife);
    const at = new Map<number, number>();
    let sum = 0;
    let weight = 0;
    for (let fromS = Math.ceil(startS / TICK_S) * TICK_S; fromS + TICK_S <= endS; fromS += TICK_S) {
      sum = keep * sum + (1 - keep) * of(fromS);
      weight = keep * weight + (1 - keep);
      at.set(fromS + TICK_S, sum / weight);
    }
    return at;
  });
}

const round = (value: number, digits = 3): number => Math.round(value * 10 ** digits) / 10 ** digits;
const began = performance.now();
const groups = new Map<string, Group>();
const found = findSeries(options.data);
if (found.length === 0) {
  console.log(`bench/forecast: skipped, ${options.data} has neither chat-vod nor forecast-minutes`);
  console.log(JSON.stringify({ bench: "forecast", figures: {}, ratios: {}, meets: {} }));
  process.exit(0);
}
for (const series of found) {
  const played = await play(series, scorer.version(MODEL), (features, rows) =>
    scorer.score(MODEL, { features }, rows, 60_000),
  );
  const name = `${series.set}${trained.includes(series.name) ? "Trained" : "HeldOut"}`;
  if (!groups.has(name)) groups.set(name, new Group());
  groups.get(name)!.add(played);
}
await scorer.close();

const figures: Record<string, unknown> = {};
const ratios: Record<string, number> = {};
const meets: Record<string, boolean> = {};
const decides = (name: string): boolean =>
  name.endsWith("HeldOut") || !groups.has(name.replace("Trained", "HeldOut"));

for (const [name, group] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(
    `\n${name}: ${group.series} series${decides(name) ? "" : " (trained the model: decides nothing)"}`,
  );
  for (const [h, rate] of group.rates.entries()) {
    if (rate.n === 0) continue;
    const minutes = FORECAST_HORIZONS_MIN[h]!;
    const best = rate.ewma.indexOf(Math.min(...rate.ewma));
    const coverage = rate.inside / rate.n;
    const key = `${name}+${minutes}`;
    figures[key] = {
      n: rate.n,
      mae: round(rate.model / rate.n),
      persistence: round(rate.persistence / rate.n),
      ewma: round(rate.ewma[best]! / rate.n),
      ewmaHalfLifeMin: EWMA_HALF_LIVES_MIN[best],
      coverage: round(coverage),
    };
    ratios[`${key} persistence/ours`] = round(rate.persistence / rate.model);
    ratios[`${key} ewma/ours`] = round(rate.ewma[best]! / rate.model);
    if (decides(name)) {
      meets[`${key} MAE better than persistence and the best EWMA`] =
        rate.model < Math.min(rate.persistence, rate.ewma[best]!);
      meets[`${key} coverage 0.77–0.83`] = coverage >= 0.77 && coverage <= 0.83;
    }
    console.log(`  +${minutes} min`, JSON.stringify(figures[key]));
  }
  const came = group.began.filter(Boolean).length;
  if (came === 0) continue;
  const score = (scores: readonly number[]): { ap: number; auroc: number } => ({
    ap: averagePrecision(scores, group.began),
    auroc: auroc(scores, group.began),
  });
  const ours = score(group.chance);
  const persistence = score(group.persistence);
  const ewmas = group.ewma.map(score);
  const ewma = {
    ap: Math.max(...ewmas.map((one) => one.ap)),
    auroc: Math.max(...ewmas.map((one) => one.auroc)),
  };
  const key = `${name} burst`;
  const four = ({ ap, auroc: area }: typeof ours): object => ({ ap: round(ap, 4), auroc: round(area, 4) });
  figures[key] = {
    n: group.began.length,
    came,
    ...four(ours),
    persistence: four(persistence),
    ewma: four(ewma),
    meanChance: round(mean(group.chance), 4),
    meanCame: round(came / group.began.length, 4),
    brier: round(mean(group.chance.map((chance, i) => (chance - (group.began[i]! ? 1 : 0)) ** 2)), 5),
  };
  for (const measure of ["ap", "auroc"] as const) {
    ratios[`${key} ${measure} ours/persistence`] = round(ours[measure] / persistence[measure]);
    ratios[`${key} ${measure} ours/ewma`] = round(ours[measure] / ewma[measure]);
    if (decides(name))
      meets[`${key} ${measure} better than persistence and the best EWMA`] =
        ours[measure] > Math.max(persistence[measure], ewma[measure]);
  }
  console.log("  burst within 30 s", JSON.stringify(figures[key]));
}
console.log(`\n${found.length} series in ${round((performance.now() - began) / 1000, 1)} s`);
console.log(JSON.stringify({ bench: "forecast", figures, ratios, meets }));
