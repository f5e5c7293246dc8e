import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { runOf } from "@hypecast/streamproc/processors/run.ts";
import { shots } from "@hypecast/streamproc/processors/shots.ts";
import { measurePicture } from "@hypecast/streamproc/signals/picture.ts";
import { FRAME_BYTES } from "@hypecast/streamproc/signals/signature.ts";
import { demoFilm } from "./src/demo-film.ts";
import { loudnessOf, onDemo, tempoOnClicks } from "./src/sound-scores.ts";
import { sceneDetect, scdetScores } from "./src/shot-peers.ts";
import { FPS, makeFilms, type Film, type TrueCut } from "./src/shot-sets.ts";

/**
 * How well cuts are found in films joined from real clips (their joints are the truth), beside ffmpeg's scdet and
 * PySceneDetect on the same files; and what it costs over decoding. Thresholds were set on the half `tune`; `report` is the other one.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    half: { type: "string", default: "report" },
    /** Drawing the demo's half hour takes a minute or two. */
    demo: { type: "boolean", default: true },
  },
  allowNegative: true,
});

const HARD_WITHIN = 1;
const FADE_WITHIN = 8;
const SEGMENT_FRAMES = 2 * FPS;

interface Score {
  right: number;
  wrong: number;
  missed: number;
}
const NOTHING: Score = { right: 0, wrong: 0, missed: 0 };
const sum = (a: Score, b: Score): Score => ({
  right: a.right + b.right,
  wrong: a.wrong + b.wrong,
  missed: a.missed + b.missed,
});
const f1 = ({ right, wrong, missed }: Score): number =>
  round((2 * right) / Math.max(1, 2 * right + wrong + missed));
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Each true cut takes the nearest one found that no other took. */
function scoreOf(truth: readonly TrueCut[], found: readonly number[]): Score {
  const taken = new Set<number>();
  let right = 0;
  for (const cut of truth) {
    const within = cut.kind === "hard" ? HARD_WITHIN : FADE_WITHIN;
    let nearest = -1;
    for (const [i, frame] of found.entries()) {
      const distance = Math.abs(frame - cut.frame);
      if (taken.has(i) || distance > within) continue;
      if (nearest < 0 || distance < Math.abs(found[nearest]! - cut.frame)) nearest = i;
    }
    if (nearest < 0) continue;
    taken.add(nearest);
    right++;
  }
  return { right, wrong: found.length - right, missed: truth.length - right };
}

/** Frames of a film as a media worker sees them, and the CPU that decoding took (ms). */
function decode(path: string): { frames: Uint8Array[]; cpuMs: number } {
  const { stdout, stderr } = spawnSync(
    "ffmpeg",
    [
      ...["-v", "info", "-benchmark", "-nostdin", "-threads", "1", "-filter_threads", "1", "-i", path],
      ...["-an", "-vf", "scale=64:36:flags=area", "-fps_mode", "passthrough"],
      ...["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
    ],
    { maxBuffer: 2 ** 30 },
  );
  const times = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr.toString());
  const count = Math.floor(stdout.length / FRAME_BYTES);
  return {
    frames: Array.from({ length: count }, (_, i) => stdout.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES)),
    cpuMs: (Number(times?.[1] ?? NaN) + Number(times?.[2] ?? NaN)) * 1000,
  };
}

/** The film through what a worker measures and the fold, in segments of two seconds. */
function shotsOf(frames: readonly Uint8Array[]): { found: VideoShot[]; cpuMs: number } {
  const run = runOf([shots], "1");
  const found: VideoShot[] = [];
  const began = process.cpuUsage();
  for (let from = 0, seq = 0; from < frames.length; from += SEGMENT_FRAMES, seq++) {
    const part = frames.slice(from, from + SEGMENT_FRAMES);
    const startMs = Math.round((from * 1000) / FPS);
    const measured: VideoMeasured = {
      ...{ id: `1:0:${seq}`, channelId: "1", epoch: 0, seq, startMs },
      durationMs: Math.round(((from + part.length) * 1000) / FPS) - startMs,
      ...{ discontinuity: false, ad: false, failed: null, sound: null, framesKey: null, thumbKey: null },
      picture: measurePicture(
        part.map((rgb, i) => ({ atMs: Math.round(((from + i) * 1000) / FPS) - startMs, rgb })),
        [],
        { width: 284, height: 160 },
      ),
    };
    for (const said of run.step({ type: "measured", measured }))
      if (said.type === "shot") found.push(said.shot);
  }
  const endMs = Math.round((frames.length * 1000) / FPS);
  const gap = {
    id: "",
    channelId: "1",
    epoch: 0,
    fromMs: endMs,
    toMs: endMs + 9000,
    reason: "missed",
    detail: "",
  } as const;
  for (const said of run.step({ type: "videoGap", gap })) if (said.type === "shot") found.push(said.shot);
  const { user, system } = process.cpuUsage(began);
  return { found, cpuMs: (user + system) / 1000 };
}

const cutsIn = (found: readonly VideoShot[]): number[] =>
  found
    .filter((shot) => shot.cut === "hard" || shot.cut === "fade")
    .map((shot) => Math.round((shot.startMs * FPS) / 1000));

const half = options.half === "tune" ? 0 : 1;
const folder = mkdtempSync(join(tmpdir(), "hypecast-shots-"));
const figures: Record<string, unknown> = { half: options.half };
const meets: Record<string, boolean> = {};
const ratios: Record<string, number> = {};
try {
  mkdirSync(folder, { recursive: true });
  const films = await makeFilms(options.data, half, folder);
  if (films.length === 0) {
    console.log(`no footage in ${options.data}: nothing measured`);
    console.log(
      JSON.stringify({ bench: "shots", skipped: "no footage", figures: {}, ratios: {}, meets: {} }),
    );
  } else {
    if (options.demo) films.push(await demoFilm(folder));
    report(films);
    sound();
    console.log(JSON.stringify({ bench: "shots", figures, ratios, meets }));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report(films: readonly Film[]): void {
  const peer = sceneDetect();
  if (peer === null) console.log("PySceneDetect cannot be had here: left out");
  const names = ["ours", "scdet at 10", "scdet at its best", ...(peer ? ["Content", "Adaptive"] : [])];
  // One threshold for all films, the best that hindsight finds.
  const scores = new Map(films.map((film) => [film, scdetScores(film.path)]));
  const scdetAt = (film: Film, threshold: number): number[] =>
    scores.get(film)!.flatMap((score, frame) => (score >= threshold ? [frame] : []));
  const best = Array.from({ length: 40 }, (_, i) => 1 + i / 2)
    .map((threshold) => ({
      threshold,
      f1: f1(films.map((film) => scoreOf(film.cuts, scdetAt(film, threshold))).reduce(sum, NOTHING)),
    }))
    .reduce((a, b) => (b.f1 > a.f1 ? b : a));
  figures["scdetBestThreshold"] = best.threshold;

  const harder = new Map(names.map((name) => [name, NOTHING]));
  const easy = new Map(names.map((name) => [name, NOTHING]));
  const demo = new Map(names.map((name) => [name, NOTHING]));
  let decodeMs = 0;
  let ownMs = 0;
  // Workers and folds run for hours: what is measured is not how the first frames are compiled.
  shotsOf(decode(films[0]!.path).frames);
  console.log(["film", "frames", "cuts", ...names].join(" · "));
  for (const film of films) {
    const decoded = decode(film.path);
    const own = shotsOf(decoded.frames);
    decodeMs += decoded.cpuMs;
    ownMs += own.cpuMs;
    const theirs = peer?.(film.path);
    const found = new Map([
      ["ours", cutsIn(own.found)],
      ["scdet at 10", scdetAt(film, 10)],
      ["scdet at its best", scdetAt(film, best.threshold)],
      ...(theirs
        ? ([
            ["Content", theirs.content],
            ["Adaptive", theirs.adaptive],
          ] as const)
        : []),
    ]);
    const row = names.map((name) => {
      const score = scoreOf(film.cuts, found.get(name)!);
      const total = film.set === "easy" ? easy : film.set === "demo" ? demo : harder;
      total.set(name, sum(total.get(name)!, score));
      figures[`${film.set}: ${name}`] = { f1: f1(score), ...score };
      return `${f1(score).toFixed(3)} (${score.right}+${score.wrong}−${score.missed})`;
    });
    console.log([film.set, decoded.frames.length, film.cuts.length, ...row].join(" · "));
  }
  const total = (scores: Map<string, Score>): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, f1(scores.get(name)!)]));
  const [easyF1, harderF1] = [total(easy), total(harder)];
  console.log("easy", easyF1, "harder", harderF1);
  const others = names.slice(1);
  const lead = round(harderF1["ours"]! - Math.max(...others.map((name) => harderF1[name]!)));
  const overDecode = round((decodeMs + ownMs) / decodeMs);
  const frames = films.reduce((count, film) => count + film.frames, 0);
  console.log(
    `CPU: ${(decodeMs / frames).toFixed(3)} ms a frame to decode, ${(ownMs / frames).toFixed(4)} ms for signatures and shots: ${overDecode} ×`,
  );
  meets["F1 above every peer on plain joins"] = others.every((name) => easyF1["ours"]! >= easyF1[name]!);
  meets["F1 at least 10 points ahead on the harder films"] = lead >= 0.1;
  meets["CPU at most 1.1 × of decoding"] = overDecode <= 1.1;
  if (options.demo) {
    const demoF1 = total(demo);
    meets["F1 above every peer on the demo"] = others.every((name) => demoF1["ours"]! > demoF1[name]!);
    figures["demo"] = demoF1;
  }
  figures["easy"] = easyF1;
  figures["harder"] = harderF1;
  figures["lead"] = lead;
  ratios["cpuOverDecode"] = overDecode;
}

/** Loudness beside ffmpeg on the clips' own sound; speech, silence and tempo on the demo's, whose script says what is to be heard. */
function sound(): void {
  const loudness = loudnessOf(options.data);
  console.log("loudness beside ffmpeg's ebur128 (LU):", loudness);
  figures["loudness"] = loudness;
  if (loudness !== null) meets["loudness within 0.2 LU of ffmpeg"] = loudness.largest <= 0.2;
  const heard = onDemo();
  console.log("the demo's sound:", heard);
  figures["sound"] = heard;
  const clicks = tempoOnClicks();
  console.log("tempo of drum loops, ours and beat-detection:", clicks);
  figures["tempo"] = clicks;
}
