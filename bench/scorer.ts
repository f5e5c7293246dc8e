import { fork } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FRAME_BYTES } from "@hypecast/streamproc/media/frames-file.ts";
import { SHOT_FRAMES, SHOT_SIGNALS } from "@hypecast/streamproc/media/shot-rows.ts";
import { SHOT_MODEL } from "@hypecast/streamproc/media/score-shots.ts";
import { openOnnx } from "@hypecast/streamproc/scorer/onnx.ts";
import { MODELS_FOLDER } from "@hypecast/streamproc/scorer/open.ts";
import type { Scorer } from "@hypecast/streamproc/scorer/scorer.ts";
import { realTritonIsHere, startRealTriton } from "@hypecast/streamproc/scorer/test-real-triton.ts";
import { openTriton } from "@hypecast/streamproc/scorer/triton.ts";

/**
 * Shots scored a second by models/shot_score: onnxruntime in the process, and Triton's protocol over HTTP on loopback, against the
 * stand-in (onnxruntime behind it, so the difference is the protocol's) and a real Triton where one is installed.
 */
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, data: { type: "string" } },
});
const FOR_MS = Number(values.seconds) * 1000;
const BATCHES = [1, 8, 32];
const IN_FLIGHT = 8;
const MOST_OVERHEAD_MS = 2;

const rows = (count: number): Record<string, Float32Array | Uint8Array> => ({
  frames: new Uint8Array(count * SHOT_FRAMES * FRAME_BYTES).map((_, i) => (i * 2654435761) >>> 24),
  signals: new Float32Array(count * SHOT_SIGNALS.length).fill(0.5),
});

interface Measured {
  /** Milliseconds of one question, nothing else under way. */
  p50Ms: number;
  /** Shots a second with IN_FLIGHT questions under way. */
  shotsPerS: number;
}

async function measure(scorer: Scorer, batch: number): Promise<Measured> {
  const inputs = rows(batch);
  const ask = async (): Promise<unknown> => scorer.score(SHOT_MODEL, inputs, batch, 30_000);
  for (let i = 0; i < 10; i++) await ask();
  const took: number[] = [];
  for (const until = performance.now() + FOR_MS; performance.now() < until;) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
  }
  let asked = 0;
  const began = performance.now();
  const until = began + FOR_MS;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (; performance.now() < until; asked++) await ask();
    }),
  );
  const shotsPerS = (asked * batch) / ((performance.now() - began) / 1000);
  return { p50Ms: took.toSorted((a, b) => a - b)[took.length >> 1]!, shotsPerS };
}

const child = fork(join(import.meta.dirname, "src/triton-stand-in.ts"), { stdio: "inherit" });
const standInUrl = await new Promise<string>((resolve) =>
  child.once("message", (message) => resolve((message as { url: string }).url)),
);
const real = realTritonIsHere ? await startRealTriton(MODELS_FOLDER) : null;
if (real === null) console.log("a real Triton is not installed here (./hypecast test brings it): left out");

const scorers: [string, Scorer][] = [
  ["onnxruntime", await openOnnx(MODELS_FOLDER, [SHOT_MODEL])],
  ["triton stand-in", openTriton(standInUrl)],
  ...(real === null ? [] : ([["triton 2.51", openTriton(real.url)]] as [string, Scorer][])),
];

const round = (value: number): number => Math.round(value * 100) / 100;
const figures: Record<string, object> = {};
const ratios: Record<string, number> = {};
const meets: Record<string, boolean> = {};
for (const batch of BATCHES) {
  const measured = new Map<string, Measured>();
  for (const [name, scorer] of scorers) measured.set(name, await measure(scorer, batch));
  const own = measured.get("onnxruntime")!;
  for (const [name, { p50Ms, shotsPerS }] of measured) {
    figures[`${name}, batch ${batch}`] = { p50Ms: round(p50Ms), shotsPerS: Math.round(shotsPerS) };
    if (name === "onnxruntime") continue;
    figures[`${name}, batch ${batch}`] = {
      ...figures[`${name}, batch ${batch}`],
      overheadMs: round(p50Ms - own.p50Ms),
    };
    ratios[`${name}/onnxruntime shots/s, batch ${batch}`] = round(shotsPerS / own.shotsPerS);
    meets[`${name}, batch ${batch}: overhead ≤ ${MOST_OVERHEAD_MS} ms a request`] =
      p50Ms - own.p50Ms <= MOST_OVERHEAD_MS;
  }
  console.log(`batch ${batch}`, JSON.stringify(Object.fromEntries(measured)));
}
for (const [, scorer] of scorers) await scorer.close();
child.disconnect();
await real?.close();
console.log(JSON.stringify({ bench: "scorer", figures, ratios, meets }));
