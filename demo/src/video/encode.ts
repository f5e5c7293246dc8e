import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { MEETING, SEGMENT_MS, segmentsOf, type Film } from "./film.ts";
import { HEIGHT, planes, Raster, WIDTH } from "./raster.ts";
import { FPS, frameOf } from "./shots.ts";
import { RATE } from "./sound.ts";

/** Timestamps of a run begin here, so that the first sound, which lies a little before the picture, is not below zero. */
const FIRST_S = 10;
/**
 * Renders segments [from, to) of a film, all of one run, into `<folder>/<rendition>/<number>.ts`, each moved there when it
 * is whole in all renditions. `finished` hears of each, in order.
 */
export async function encodeSegments(
  film: Film,
  folder: string,
  from: number,
  to: number,
  finished: (segment: number) => void,
): Promise<void> {
  const { renditions } = film;
  const segments = segmentsOf(film);
  const first = segments[from];
  const last = segments[to - 1];
  const run = film.runs[first?.run ?? -1];
  if (first === undefined || last === undefined || run === undefined || first.run !== last.run)
    throw new RangeError(`segments ${from} to ${to} are not of one run`);
  const inRun = segments.filter((segment) => segment.run === first.run);
  const begin = first.place === 0 ? 0 : Math.floor((first.place - 1) / MEETING) * MEETING;
  const end = Math.min(inRun.length, last.place + 2);
  const fromMs = run.fromMs + begin * SEGMENT_MS;
  const tail = inRun[end - 1] ?? last;
  const toMs = tail.atMs + tail.durationMs;
  const offset = from - first.place;

  const draft = join(folder, `draft-${process.pid}`);
  await rm(draft, { recursive: true, force: true });
  for (const { name } of renditions) {
    await mkdir(join(draft, name), { recursive: true });
    await mkdir(join(folder, name), { recursive: true });
  }
  const ffmpeg = spawnEncoder(film, draft, FIRST_S + (fromMs - run.fromMs) / 1000, begin);
  const ended = once(ffmpeg, "close") as Promise<[number | null]>;
  let complaint = "";
  ffmpeg.stderr
    ?.setEncoding("utf8")
    .on("data", (text: string) => (complaint = (complaint + text).slice(-2_000)));
  const over = new AbortController();
  void ended.then(() => over.abort());

  const feeding = feed(film, ffmpeg, fromMs, toMs, over.signal);
  let next = first.place;
  const collect = async (): Promise<void> => {
    const there = await Promise.all(renditions.map(({ name }) => readdir(join(draft, name))));
    while (next <= last.place && there.every((names) => names.includes(`${next}.ts`))) {
      for (const { name } of renditions)
        await rename(join(draft, name, `${next}.ts`), join(folder, name, `${next + offset}.ts`));
      finished(next + offset);
      next++;
    }
  };
  while (!over.signal.aborted) {
    await Promise.race([sleep(150), ended]);
    await collect();
  }
  const [code] = await ended;
  await feeding;
  await rm(draft, { recursive: true, force: true });
  if (code !== 0 || next <= last.place)
    throw new Error(`ffmpeg made no picture (exit ${code}): ${complaint}`);
}

/** Picture on its standard input, sound on descriptor 3; one sound for three pictures, each an HLS folder of its own. */
function spawnEncoder({ renditions }: Film, draft: string, startS: number, number: number): ChildProcess {
  const scaled = renditions.map(({ scale }, i) => `[s${i}]${scale},format=yuv420p[v${i}]`);
  const graph = [
    `[0:v]setpts=(N/${FPS}+${startS})/TB,split=${renditions.length}${renditions.map((_, i) => `[s${i}]`).join("")}`,
    ...scaled,
    `[1:a]asetpts=(N/SR+${startS})/TB[sound]`,
  ];
  const outputs = renditions.map(({ name }, i) => {
    const at = join(draft, name);
    return `[f=hls:select='v\\:${i},a':hls_time=2:hls_list_size=2:hls_flags=temp_file:start_number=${number}:hls_segment_filename=${escaped(join(at, "%d.ts"))}]${escaped(join(at, "index.m3u8"))}`;
  });
  return spawn(
    "ffmpeg",
    [
      ...["-v", "error", "-nostdin"],
      ...[
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv444p",
        "-s",
        `${WIDTH}x${HEIGHT}`,
        "-r",
        String(FPS),
        "-i",
        "pipe:0",
      ],
      ...["-f", "f32le", "-ar", String(RATE), "-ac", "2", "-i", "pipe:3"],
      ...["-filter_complex_threads", "1", "-filter_complex", graph.join(";")],
      ...renditions.flatMap((_, i) => ["-map", `[v${i}]`]),
      ...[
        "-map",
        "[sound]",
        "-c:a",
        "aac",
        "-b:a",
        "64k",
        "-c:v",
        "libx264",
        "-threads",
        "1",
        "-x264-params",
        "cabac=1",
      ],
      ...renditions.flatMap(({ preset, crf }, i) => [`-preset:v:${i}`, preset, `-crf:v:${i}`, String(crf)]),
      ...["-bf", "0", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-flags", "+cgop"],
      ...["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
      ...["-fps_mode", "passthrough", "-f", "tee", outputs.join("|")],
    ],
    { stdio: ["pipe", "ignore", "pipe", "pipe"] },
  );
}
/** A path as the tee muxer's little language wants it. */
const escaped = (path: string): string => path.replace(/[\\':|[\]]/g, "\\$&");

async function feed(
  { draw, sound: soundOf }: Film,
  ffmpeg: ChildProcess,
  fromMs: number,
  toMs: number,
  over: AbortSignal,
): Promise<void> {
  const picture = ffmpeg.stdin as Writable;
  const sound = ffmpeg.stdio[3] as Writable;
  // An encoder that has died says so by its exit code.
  for (const pipe of [picture, sound]) pipe.on("error", () => undefined);
  const write = async (pipe: Writable, bytes: Uint8Array): Promise<void> => {
    if (over.aborted || pipe.destroyed || pipe.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        pipe.off("drain", goOn).off("close", goOn);
        resolve();
      };
      pipe.once("drain", goOn).once("close", goOn);
    });
  };
  const raster = new Raster();
  const pictures = async (): Promise<void> => {
    for (let frame = frameOf(fromMs); frame < frameOf(toMs) && !over.aborted; frame++) {
      const out = new Uint8Array(WIDTH * HEIGHT * 3);
      planes(raster, draw(raster, frame), out);
      await write(picture, out);
    }
    picture.end();
  };
  const sounds = async (): Promise<void> => {
    const step = RATE / 10;
    for (let at = (fromMs * RATE) / 1000; at < (toMs * RATE) / 1000 && !over.aborted; at += step)
      await write(sound, new Uint8Array(soundOf(at, step).buffer));
    sound.end();
  };
  await Promise.all([pictures(), sounds()]);
}
