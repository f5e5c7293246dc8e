import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frameNumberOf } from "./counter.ts";
import { encodeSegments } from "./encode.ts";
import { segmentsOf, type Film } from "./film.ts";
import { films } from "./films.ts";
import { frameOf } from "./shots.ts";
import { RATE } from "./sound.ts";

const castle = films[0] as Film;
/** The same film in its small renditions: what is tested here does not depend on 1080p, and takes a third of the time. */
const small: Film = { ...castle, renditions: castle.renditions.slice(1) };
const segments = segmentsOf(small);
/** Around the hard cut at 60 s: four segments, joined from two encodes at its middle. */
const FROM = 28;
const JOINT = 30;
const TO = 32;
let folder: string;
const finished: number[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "encode-"));
  await encodeSegments(small, folder, JOINT, TO, (segment) => finished.push(segment));
  await encodeSegments(small, folder, FROM, JOINT, (segment) => finished.push(segment));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const decoded = async (file: string, ...args: string[]): Promise<Buffer> =>
  (
    await promisify(execFile)("ffmpeg", ["-v", "error", "-i", file, ...args, "-"], {
      maxBuffer: 1 << 30,
      encoding: "buffer",
    })
  ).stdout;
/** Segments of a rendition as one file, as whoever clips them reads them. */
function joined(rendition: string, from: number, to: number): string {
  const file = join(folder, `${rendition}-${from}-${to}.ts`);
  const parts = Array.from({ length: to - from }, (_, i) =>
    readFileSync(join(folder, rendition, `${from + i}.ts`)),
  );
  writeFileSync(file, Buffer.concat(parts));
  return file;
}
async function framesOf(rendition: string, width: number, height: number): Promise<Buffer[]> {
  const file = joined(rendition, FROM, TO);
  const rgb = await decoded(
    file,
    "-map",
    "0:v",
    "-fps_mode",
    "passthrough",
    "-f",
    "rawvideo",
    "-pix_fmt",
    "rgb24",
  );
  const size = width * height * 3;
  return Array.from({ length: rgb.length / size }, (_, i) => rgb.subarray(i * size, (i + 1) * size));
}

test("segments are finished in order", () => {
  expect(finished).toEqual([30, 31, 28, 29]);
});

test.each([
  ["480", 854, 480],
  ["160", 284, 160],
])("each frame of %sp is the one that its place in the loop says", async (rendition, width, height) => {
  const frames = await framesOf(rendition, width, height);
  const first = frameOf(segments[FROM]?.atMs ?? 0);
  expect(frames.map((rgb) => frameNumberOf(rgb, width, height))).toEqual(
    Array.from({ length: (TO - FROM) * 60 }, (_, i) => first + i),
  );
});

test("the hard cut is where the truth says, after encoding too", async () => {
  const frames = await framesOf("160", 284, 160);
  const change = frames.map((rgb, i) => {
    const before = frames[i - 1];
    if (before === undefined) return 0;
    let sum = 0;
    for (let at = 0; at < rgb.length; at += 7) sum += Math.abs((rgb[at] ?? 0) - (before[at] ?? 0));
    return sum;
  });
  const cut = change.indexOf(Math.max(...change));
  expect(cut + frameOf(segments[FROM]?.atMs ?? 0)).toBe(frameOf(60_000));
});

test("timestamps go on across the joint of two encodes, of picture and of sound", async () => {
  const { stdout } = await promisify(execFile)("ffprobe", [
    ...["-v", "error", "-show_entries", "packet=stream_index,pts_time", "-of", "csv=p=0"],
    joined("160", FROM, TO),
  ]);
  const times: [number[], number[]] = [[], []];
  // Lines of side data lie between those of packets.
  for (const [, stream, time] of stdout.matchAll(/^(\d),(\d+\.\d+)/gm))
    times[Number(stream) as 0 | 1].push(Number(time));
  expect(times.map((list) => list.length)).toEqual([240, 375]);
  for (const [stream, step] of [
    [0, 1 / 30],
    [1, 1024 / RATE],
  ] as const) {
    const steps = times[stream].slice(1).map((time, i) => time - (times[stream][i] ?? 0));
    for (const one of steps) expect(Math.abs(one - step)).toBeLessThan(0.0002);
  }
});

test("the sound has no click where two encodes meet", async () => {
  const sound = await decoded(joined("160", FROM, TO), "-map", "0:a", "-f", "f32le", "-ac", "1");
  const samples = new Float32Array(sound.buffer, sound.byteOffset, sound.length / 4);
  /** The greatest second difference within 30 ms: a click is a corner. */
  const corner = (atS: number): number => {
    let most = 0;
    const middle = Math.round(atS * RATE);
    for (let i = middle - 720; i < middle + 720; i++)
      most = Math.max(most, Math.abs((samples[i - 1] ?? 0) - 2 * (samples[i] ?? 0) + (samples[i + 1] ?? 0)));
    return most;
  };
  const others = Array.from({ length: 24 }, (_, i) => corner(0.6 + i * 0.11));
  // At four seconds lies the joint; the beat of the new scene is there too, so it may be as sharp as any other beat.
  expect(corner(4)).toBeLessThanOrEqual(Math.max(...others) * 1.5);
});

test("segments of two runs are not one encode", async () => {
  await expect(encodeSegments(small, folder, 420, 422, () => undefined)).rejects.toThrow("not of one run");
});

test("a run's last segment is what is left of it", () => {
  const lengths = small.runs.map(
    (_, run) => segments.filter((segment) => segment.run === run).at(-1)?.durationMs,
  );
  expect(lengths).toEqual([2_000, 1_000, 1_000]);
  expect(segments.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(small.periodMs);
});
