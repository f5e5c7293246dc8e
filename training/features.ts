import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findSeries, play } from "../bench/src/forecast-series.ts";
import { FEATURES, RATE_FEATURE_COUNT } from "../streamproc/src/processors/forecast-features.ts";

/**
 * Writes what the forecast model is trained on: the rows that the fold itself would ask the model with, made by the same
 * code, and what came of each. `node training/features.ts --data DIR --out DIR`.
 */
const { values } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data" },
    out: { type: "string", default: "/tmp/hypecast-training" },
  },
});
mkdirSync(values.out, { recursive: true });
const about: { file: string; name: string; set: string; channel: string; rows: number; bursts: number }[] = [];
for (const series of findSeries(values.data)) {
  const parts: Float32Array[] = [];
  // Any answer does: it only makes the fold say which moments it asked about.
  const played = await play(series, "none", async (features, rows) => {
    parts.push(features);
    return { quantiles: new Float32Array(rows * 9), burst: new Float32Array(rows).fill(0.1) };
  });
  const asked = played.forecasts.filter((said) => said.horizons !== null);
  const rows = Buffer.concat(parts.map((part) => Buffer.from(part.buffer)));
  if (rows.length !== asked.length * FEATURES.length * 4) throw new Error(`${series.name}: rows and forecasts differ`);
  const total = new Float64Array(played.lines.length + 1);
  for (const [i, count] of played.lines.entries()) total[i + 1] = total[i]! + count;
  const minuteUntil = (second: number): number => {
    const at = second - played.startS;
    return at > played.lines.length || at < 60 ? NaN : total[at]! - total[at - 60]!;
  };
  const endS = played.startS + played.lines.length;
  const truth = new Float64Array(asked.length * 6);
  for (const [i, { atMs }] of asked.entries()) {
    const atS = atMs / 1000;
    const began = played.burstsS.some((second) => second > atS && second <= atS + 30);
    truth.set(
      [
        atS,
        minuteUntil(atS),
        minuteUntil(atS + 60),
        minuteUntil(atS + 300),
        minuteUntil(atS + 900),
        series.set === "minutes" || atS + 45 > endS ? NaN : began ? 1 : 0,
      ],
      i * 6,
    );
  }
  const file = about.length.toString();
  writeFileSync(join(values.out, `${file}.rows.f32`), rows);
  writeFileSync(join(values.out, `${file}.truth.f64`), Buffer.from(truth.buffer));
  about.push({ file, name: series.name, set: series.set, channel: series.channel, rows: asked.length, bursts: played.burstsS.length });
  console.log(`${series.channel} ${series.name}: ${asked.length} rows, ${played.burstsS.length} bursts`);
}
writeFileSync(
  join(values.out, "series.json"),
  JSON.stringify({ features: FEATURES, rateFeatures: RATE_FEATURE_COUNT, series: about }, null, 1),
);
