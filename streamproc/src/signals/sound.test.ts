import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Gated, lufsOf, meanSquareOf, RATE } from "./loudness.ts";
import { measureSound } from "./sound.ts";
import { unpack } from "./signature.ts";

const SEGMENT = 2 * RATE;
const PREROLL = RATE / 5;

/** What a filter graph of ffmpeg sounds like, and what its ebur128 says of it every 100 ms. */
function rendered(
  graph: string,
  channels = 2,
): { samples: Float32Array; integrated: number; momentary: number[]; shortTerm: number[] } {
  const { stdout, status } = spawnSync(
    "ffmpeg",
    [
      "-v",
      "error",
      "-f",
      "lavfi",
      "-i",
      graph,
      "-ac",
      String(channels),
      "-ar",
      String(RATE),
      "-f",
      "f32le",
      "pipe:1",
    ],
    { maxBuffer: 2 ** 28 },
  );
  expect(status).toBe(0);
  const samples = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  const measured = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-f", "f32le", "-ar", String(RATE), "-ac", String(channels), "-i", "pipe:0"],
      ...["-af", "ebur128=metadata=1,ametadata=print:file=-", "-f", "null", "-"],
    ],
    { input: stdout, encoding: "utf8", maxBuffer: 2 ** 28 },
  ).stdout;
  const all = (name: string): number[] =>
    [...measured.matchAll(new RegExp(`lavfi\\.r128\\.${name}=(-?[\\d.]+)`, "g"))].map((match) =>
      Number(match[1]),
    );
  return { samples, integrated: all("I").at(-1)!, momentary: all("M"), shortTerm: all("S") };
}

/** Block loudness of a whole piece, measured segment by segment as workers do. */
function blocksOf(samples: Float32Array, channels = 2): number[] {
  const loudness: number[] = [];
  for (let at = 0; at * channels < samples.length; at += SEGMENT) {
    const preroll = Math.min(at, PREROLL);
    const part = samples.subarray((at - preroll) * channels, (at + SEGMENT) * channels);
    loudness.push(...measureSound({ samples: part, channels, preroll, tracks: 1 }).loudness);
  }
  return loudness;
}
const over = (loudness: readonly number[], end: number, count: number): number =>
  lufsOf(loudness.slice(end - count, end).reduce((sum, lufs) => sum + meanSquareOf(lufs), 0) / count);

const MATERIAL = [
  ["a tone that swells", "sine=f=997:d=12,volume='0.05+0.2*abs(sin(t))':eval=frame", 2],
  [
    "pink noise with pauses",
    "anoisesrc=d=12:c=pink:a=0.5:seed=4,volume='if(lt(mod(t,4),2.7),1,0.001)':eval=frame",
    2,
  ],
  [
    "a low hum under hiss, one channel",
    "sine=f=60:d=10[a];anoisesrc=d=10:c=white:a=0.02:seed=2[b];[a][b]amix",
    1,
  ],
] as const;

describe.each(MATERIAL)("loudness of %s", (_, graph, channels) => {
  const { samples, integrated, momentary, shortTerm } = rendered(graph, channels);
  const blocks = blocksOf(samples, channels);

  test("integrated is ffmpeg's within 0.2 LU", () => {
    const gated = new Gated();
    for (let end = 4; end <= blocks.length; end++) gated.add(meanSquareOf(over(blocks, end, 4)));
    expect(Math.abs(gated.integrated()! - integrated)).toBeLessThan(0.2);
  });

  test("momentary and short-term are ffmpeg's within 0.2 LU at each 100 ms", () => {
    for (let end = 30; end <= Math.min(blocks.length, momentary.length); end++) {
      if (momentary[end - 1]! < -60) continue;
      expect(Math.abs(over(blocks, end, 4) - momentary[end - 1]!)).toBeLessThan(0.2);
      expect(Math.abs(over(blocks, end, 30) - shortTerm[end - 1]!)).toBeLessThan(0.2);
    }
  });
});

test("a full-scale 997 Hz sine in one of two channels is −3.01 LUFS", () => {
  const samples = new Float32Array(2 * SEGMENT);
  for (let i = 0; i < SEGMENT; i++) samples[2 * i] = Math.sin((2 * Math.PI * 997 * i) / RATE);
  const { loudness, peak } = measureSound({ samples, channels: 2, preroll: 0, tracks: 1 });
  for (const lufs of loudness.slice(1)) expect(Math.abs(lufs + 3.01)).toBeLessThan(0.1);
  expect(peak.at(-1)).toBeCloseTo(0, 1);
});

test("loudness of all that is gated out is none", () => {
  expect(new Gated().integrated()).toBeNull();
  const quiet = new Gated();
  quiet.add(meanSquareOf(-75));
  expect(quiet.integrated()).toBeNull();
});

test("what is far below the rest does not lower the integrated loudness", () => {
  const gated = new Gated();
  for (let i = 0; i < 100; i++) gated.add(meanSquareOf(-20));
  for (let i = 0; i < 100; i++) gated.add(meanSquareOf(-45));
  expect(gated.integrated()).toBeCloseTo(-20, 0);
});

test("digital silence is −100 and has no voice and no onsets", () => {
  const silent = measureSound({ samples: new Float32Array(4 * RATE), channels: 2, preroll: 0, tracks: 1 });
  expect(new Set(silent.loudness)).toEqual(new Set([-100]));
  expect(new Set(silent.voice)).toEqual(new Set([0]));
  expect(Math.max(...unpack(silent.onsets))).toBe(0);
  expect(silent.loudness).toHaveLength(20);
  expect(unpack(silent.onsets)).toHaveLength(200);
});

test("clicks are onsets where they are, and where segments meet is none", () => {
  const samples = new Float32Array(SEGMENT + PREROLL);
  for (let i = 0; i < samples.length; i++) samples[i] = 0.05 * Math.sin((2 * Math.PI * 330 * i) / RATE);
  const clicks = [0.5, 0.9, 1.4];
  for (const second of clicks)
    for (let i = 0; i < 400; i++)
      samples[PREROLL + Math.round(second * RATE) + i]! += 0.8 * Math.sin(i * i) * Math.exp(-i / 120);
  const onsets = unpack(measureSound({ samples, channels: 1, preroll: PREROLL, tracks: 1 }).onsets);
  const peaks = [...onsets.keys()].filter(
    (i) => onsets[i]! > 60 && onsets[i]! >= Math.max(onsets[i - 1] ?? 0, onsets[i + 1] ?? 0),
  );
  for (const second of clicks) expect(peaks.some((peak) => Math.abs(peak - second * 100) <= 3)).toBe(true);
  expect(Math.max(...onsets.subarray(0, 40))).toBeLessThan(30);
});

test("whatever the decoder gives, figures are finite and as many as there are blocks", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 30_000 }),
      fc.integer({ min: 0, max: 9600 }),
      fc.constantFrom(0, 0.5, 1e9, NaN, Infinity),
      (channels, length, preroll, value) => {
        const samples = new Float32Array(length * channels).fill(value);
        const { loudness, peak, voice } = measureSound({ samples, channels, preroll, tracks: 1 });
        expect(new Set([loudness.length, peak.length, voice.length]).size).toBe(1);
        for (const figure of [...loudness, ...peak, ...voice]) expect(Number.isFinite(figure)).toBe(true);
      },
    ),
    { numRuns: 40, seed: 3 },
  );
});

test("noise, a steady tone and stepped notes are not speech", () => {
  const made = (at: (i: number) => number): number => {
    const samples = Float32Array.from({ length: SEGMENT }, (_, i) => at(i));
    const { voice } = measureSound({ samples, channels: 1, preroll: 0, tracks: 1 });
    return voice.filter((likelihood) => likelihood >= 0.5).length / voice.length;
  };
  let state = 1;
  const noise = (): number =>
    ((state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32 - 0.5) * 0.4;
  expect(made(noise)).toBeLessThan(0.1);
  expect(made((i) => 0.3 * Math.sin((2 * Math.PI * 220 * i) / RATE))).toBe(0);
  expect(
    made(
      (i) =>
        0.3 *
        Math.sin((2 * Math.PI * 220 * 2 ** ([0, 4, 7, 4][Math.floor(i / 12_000) % 4]! / 12) * i) / RATE),
    ),
  ).toBeLessThan(0.2);
});

test("something like speech is: a gliding pitch with formants, in syllables", () => {
  const samples = new Float32Array(SEGMENT);
  let phase = 0;
  for (let i = 0; i < SEGMENT; i++) {
    const second = i / RATE;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 4 * second)) ** 0.7;
    phase += (2 * Math.PI * (130 + 25 * Math.sin(2 * Math.PI * 1.3 * second))) / RATE;
    let sum = 0;
    for (let harmonic = 1; harmonic < 25; harmonic++) {
      const hz = harmonic * 130;
      sum +=
        (Math.exp(-(((hz - 600) / 300) ** 2)) + 0.5 * Math.exp(-(((hz - 1700) / 400) ** 2))) *
        Math.sin(harmonic * phase);
    }
    samples[i] = 0.2 * syllable * sum;
  }
  const { voice } = measureSound({ samples, channels: 1, preroll: 0, tracks: 1 });
  expect(voice.filter((likelihood) => likelihood >= 0.5).length / voice.length).toBeGreaterThan(0.6);
});
