import { execFileSync, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { RATE } from "../signals/loudness.ts";
import { FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH } from "../signals/signature.ts";
import { adtsFrames } from "./adts.ts";
import {
  checkSize,
  DETAIL_EVERY_MS,
  DETAIL_HEIGHT,
  DETAIL_WIDTH,
  MAX_FRAMES,
  NotMedia,
  TooLarge,
  type Decoded,
  type DecodeRequest,
  type FrameSource,
} from "./frame-source.ts";
import { dyingWithUs } from "./isolation.ts";
import { soundLine, type SoundPiece } from "./sound-line.ts";
import { msBetween, TICKS_PER_MS } from "./streams.ts";
import { takeApart, type Parts } from "./take-apart.ts";

const PROGRAM = "ffmpeg";

/** One ffmpeg for each segment, spoken to through pipes alone. Null: there is no ffmpeg. */
export function openFfmpeg(): FrameSource | null {
  let version: string;
  try {
    const said = execFileSync(PROGRAM, ["-version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    version = /version (\S+)/.exec(said)?.[1] ?? "unknown";
  } catch {
    return null;
  }
  return { name: "ffmpeg", version, decode };
}

/** stdin: the container · 1: small frames · 2: what `showinfo` says · 3: ADTS or MPEG audio · 4: detail frames · 5: samples. */
function argumentsOf(parts: Parts, container: "ts" | "fmp4"): string[] {
  // The demuxer is named, so that nothing is guessed from the content; pipes are the only protocol, so that nothing else is opened.
  const only = ["-protocol_whitelist", "pipe", "-probesize", "500000", "-analyzeduration", "0"];
  const args = [
    "-v",
    "info",
    "-hide_banner",
    "-nostats",
    "-threads",
    "1",
    "-filter_threads",
    "1",
    "-filter_complex_threads",
    "1",
  ];
  const graph: string[] = [];
  const out: string[] = [];
  let inputs = 0;
  if (parts.video !== null) {
    const demuxer = container === "ts" ? "mpegts" : "mov";
    args.push(...only, "-threads", "1", "-copyts", "-f", demuxer, "-i", "pipe:0");
    const every = `isnan(prev_selected_t)+gte(t-prev_selected_t\\,${DETAIL_EVERY_MS / 1000})`;
    graph.push(
      `[${inputs}:v:0]split=2[all][some]`,
      `[all]showinfo@small=checksum=0,scale=${FRAME_WIDTH}:${FRAME_HEIGHT}:flags=area,format=rgb24[small]`,
      `[some]select='${every}',scale=w=min(${DETAIL_WIDTH}\\,iw):h=min(${DETAIL_HEIGHT}\\,ih):force_original_aspect_ratio=decrease:flags=bilinear,format=rgb24,showinfo@detail=checksum=0[detail]`,
    );
    inputs++;
    out.push(...["-map", "[small]", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]);
    out.push(...["-map", "[detail]", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:4"]);
  }
  if (parts.audio !== null) {
    args.push(...only, "-threads", "1", "-f", parts.audio.codec === "aac" ? "aac" : "mp3", "-i", "pipe:3");
    graph.push(
      `[${inputs}:a:0]aresample=${RATE},aformat=sample_fmts=flt:channel_layouts=mono|stereo,ashowinfo@sound[sound]`,
    );
    out.push(...["-map", "[sound]", "-f", "f32le", "pipe:5"]);
  }
  return [...args, "-filter_complex", graph.join(";"), ...out];
}

async function decode(request: DecodeRequest): Promise<Decoded> {
  const parts = takeApart(request);
  if (parts.video === null && parts.audio === null)
    throw new NotMedia("no picture and no sound that we decode");
  const container =
    request.container === "fmp4" && request.init !== null
      ? Buffer.concat([request.init, request.media])
      : request.media;
  const answer = await runFfmpeg(argumentsOf(parts, request.container), {
    container: parts.video === null ? null : container,
    sound: parts.audio === null ? null : Buffer.concat(parts.audio.units.map(({ data }) => data)),
  });

  const decoded: Decoded = { frames: [], detail: [], sizes: [], sound: null };
  for (const [i, { pts, width, height }] of answer.small.entries()) {
    checkSize(width, height);
    const rgb = answer.pixels.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES);
    if (rgb.length < FRAME_BYTES) break;
    const atMs = msBetween(parts.startTicks, pts);
    const last = decoded.sizes.at(-1);
    if (last?.width !== width || last.height !== height) decoded.sizes.push({ atMs, width, height });
    decoded.frames.push({ atMs, rgb });
  }
  let at = 0;
  for (const { pts, width, height } of answer.detail) {
    const rgb = answer.detailPixels.subarray(at, (at += width * height * 3));
    if (rgb.length < width * height * 3) break;
    decoded.detail.push({ atMs: msBetween(parts.startTicks, pts), width, height, rgb });
  }
  if (parts.audio !== null && answer.channels > 0)
    decoded.sound = soundLine(
      piecesOf(parts.audio, answer.samples, answer.channels),
      answer.channels,
      request.durationMs,
      parts.audioTracks,
    );
  if (decoded.frames.length === 0 && decoded.sound === null)
    throw new NotMedia(answer.lastWords || "nothing in it could be decoded");
  return decoded;
}

/**
 * Raw sound carries no times, but each frame of it gives the same number of samples: a packet's place among the frames is its place among
 * the samples, and its timestamp is known.
 */
function piecesOf(audio: NonNullable<Parts["audio"]>, samples: Float32Array, channels: number): SoundPiece[] {
  const counts = audio.units.map(({ data }) => (audio.codec === "aac" ? adtsFrames(data) : 1));
  const frames = counts.reduce((sum, count) => sum + count, 0);
  const perFrame = samples.length / channels / Math.max(1, frames);
  const pieces: SoundPiece[] = [];
  let frame = 0;
  for (const [i, { atMs }] of audio.units.entries()) {
    const from = Math.round(frame * perFrame) * channels;
    frame += counts[i]!;
    pieces.push({ atMs, samples: samples.subarray(from, Math.round(frame * perFrame) * channels) });
  }
  return pieces;
}

interface Shown {
  pts: number;
  width: number;
  height: number;
}

interface Answer {
  small: Shown[];
  pixels: Buffer;
  detail: Shown[];
  detailPixels: Buffer;
  samples: Float32Array;
  channels: number;
  lastWords: string;
}

async function runFfmpeg(
  args: readonly string[],
  input: { container: Buffer | null; sound: Buffer | null },
): Promise<Answer> {
  const [program, leashed] = dyingWithUs(PROGRAM, args);
  const child = spawn(program, leashed, {
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe"],
  });
  const pipes: readonly unknown[] = child.stdio;
  const feed = (to: unknown, bytes: Buffer | null): void => {
    const pipe = to as Writable;
    // It may have seen enough before it has read all.
    pipe.on("error", () => undefined);
    pipe.end(bytes ?? undefined);
  };
  feed(child.stdin, input.container);
  feed(pipes[3], input.sound);

  const answer: Answer = {
    small: [],
    pixels: Buffer.alloc(0),
    detail: [],
    detailPixels: Buffer.alloc(0),
    samples: new Float32Array(),
    channels: 0,
    lastWords: "",
  };
  let clockTicks = { small: 1, detail: 1 };
  const line = (text: string): void => {
    const info = /^\[(?:Parsed_)?showinfo@(small|detail) @ \w+\] (.*)$/.exec(text);
    if (info !== null) {
      const [, name, said] = info as unknown as [string, "small" | "detail", string];
      const base = /^config in time_base: (\d+)\/(\d+)/.exec(said);
      if (base !== null)
        clockTicks = { ...clockTicks, [name]: (Number(base[1]) / Number(base[2])) * 1000 * TICKS_PER_MS };
      const frame = /^n: *\d+ pts: *(-?\d+) .* s:(\d+)x(\d+) /.exec(said);
      if (frame !== null)
        answer[name].push({
          pts: Number(frame[1]) * clockTicks[name],
          width: Number(frame[2]),
          height: Number(frame[3]),
        });
      return;
    }
    const sound = /^\[(?:Parsed_)?ashowinfo@sound @ \w+\] .* channels:(\d+) /.exec(text);
    if (sound !== null) answer.channels = Number(sound[1]);
    else if (!text.startsWith(" ") && text !== "") answer.lastWords = text.slice(0, 300);
  };
  const [pixels, detailPixels, samples] = await Promise.all([
    gather(child.stdio[1], MAX_FRAMES * FRAME_BYTES),
    gather(pipes[4] as Readable, MAX_DETAIL_BYTES),
    gather(pipes[5] as Readable, MAX_SOUND_BYTES),
    eachLine(child.stdio[2], line),
    new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve());
    }),
  ]).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  answer.pixels = pixels;
  answer.detailPixels = detailPixels;
  const whole = new Uint8Array(samples.length - (samples.length % 4));
  whole.set(samples.subarray(0, whole.length));
  answer.samples = new Float32Array(whole.buffer);
  return answer;
}

const MAX_DETAIL_BYTES = (MAX_FRAMES / 10) * DETAIL_WIDTH * DETAIL_HEIGHT * 3;
const MAX_SOUND_BYTES = 120 * RATE * 2 * 4;

async function gather(from: Readable, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of from) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > most) throw new TooLarge("more pictures or sound than one segment has");
  }
  return Buffer.concat(chunks, bytes);
}

const LINE_BYTES = 10_000;

async function eachLine(from: Readable, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const chunk of from) {
    const lines = (rest + String(chunk)).split("\n");
    rest = (lines.pop() ?? "").slice(-LINE_BYTES);
    for (const line of lines) take(line);
  }
  take(rest);
}
