import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import type { Readable } from "node:stream";
import { z } from "zod";
import { isolated } from "../../media/isolation.ts";
import { ImportFailure } from "../chat/failure.ts";
import { PIDS, TsCutter, type CutLimits, type Piece } from "./cut-ts.ts";
import type { FfmpegInput } from "./ffmpeg-input.ts";

/** Behind everything that is live. */
const NICE = 15;
const PROBE_MS = 60_000;
const PROBE_BYTES = 1_000_000;
const WORDS_KEPT = 2000;
/** So that no timestamp is below zero, which a transport stream cannot say. */
const AHEAD_S = 10;
/** What a decoder of ours takes. */
const MOST = { width: 4096, height: 2304 };
const ENCODED_GOP_S = 4;
/** One seeks to before where one wants to be: containers know their keyframes more or less well. */
const SEEK_BEFORE_MS = 30_000;
const SEEK_NEAR_MS = 40;

export interface FileFacts {
  readonly durationS: number | null;
  readonly width: number;
  readonly height: number;
  /** Bits a second of everything; 0: it does not say. */
  readonly bandwidth: number;
  /** What stands at its beginning by its own clock. */
  readonly originMs: number;
  /** Why its picture has to be encoded anew; null: it is taken as it is. */
  readonly encodes: string | null;
  readonly encodesSound: boolean;
}

const probed = z.object({
  streams: z
    .array(
      z.object({
        codec_type: z.string().optional(),
        codec_name: z.string().optional(),
        pix_fmt: z.string().optional(),
        width: z.number().optional(),
        height: z.number().optional(),
        disposition: z.object({ attached_pic: z.number() }).optional(),
        side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
      }),
    )
    .default([]),
  format: z
    .object({
      duration: z.coerce.number().optional(),
      start_time: z.coerce.number().optional(),
      bit_rate: z.coerce.number().optional(),
    })
    .default({}),
});

/** What a file says of itself, and whether a picture of it decodes. Throws ImportFailure `not_a_video` with what it is instead. */
export async function probeFile(input: FfmpegInput, signal: AbortSignal): Promise<FileFacts> {
  const { out, words } = await ran(
    "ffprobe",
    ["-v", "error", ...input.options, "-show_streams", "-show_format", "-of", "json", input.name],
    input.openFiles,
    signal,
  );
  const said = probed.safeParse(jsonIn(out)).data ?? null;
  if (said === null || said.streams.length === 0) throw notAVideo(whatItIs(input.head, words));
  const picture = said.streams.find(
    ({ codec_type, disposition }) => codec_type === "video" && disposition?.attached_pic !== 1,
  );
  if (picture === undefined) throw notAVideo("There is sound in the file and no picture.");
  const { width = 0, height = 0 } = picture;
  const first = await ran("ffmpeg", [...quiet(input), ...FIRST_PICTURE], input.openFiles, signal);
  if (first.out.length === 0 || width === 0 || height === 0)
    throw notAVideo("The file names a picture, but not a single frame of it can be decoded.");
  const { duration, start_time = 0, bit_rate = 0 } = said.format;
  const sound = said.streams.find(({ codec_type }) => codec_type === "audio");
  return {
    durationS: duration ?? null,
    ...{ width, height },
    bandwidth: Math.round(bit_rate),
    originMs: start_time * 1000,
    encodes: whyEncode(picture),
    encodesSound: sound !== undefined && sound.codec_name !== "aac",
  };
}

const FIRST_PICTURE = ["-map", "0:V:0", "-frames:v", "1", "-vf", "scale=16:16", "-f", "rawvideo", "pipe:1"];
const quiet = ({ options, name }: FfmpegInput): string[] => [
  ...["-v", "error", "-nostdin", ...options],
  ...["-i", name],
];

function whyEncode(picture: z.infer<typeof probed>["streams"][number]): string | null {
  const { codec_name = "", pix_fmt = "", width = 0, height = 0 } = picture;
  if (codec_name !== "h264") return `browsers do not play ${codec_name.toUpperCase()} in segments`;
  if (pix_fmt !== "yuv420p" && pix_fmt !== "yuvj420p")
    return `browsers do not play H.264 of the form ${pix_fmt}`;
  if (width > MOST.width || height > MOST.height) return `${width} × ${height} is more than is decoded`;
  if (picture.side_data_list?.some(({ rotation = 0 }) => rotation !== 0) === true)
    return "it lies on its side";
  return null;
}

function whatItIs(head: Uint8Array, words: string): string {
  const text = Buffer.from(head).toString("latin1").trimStart().toLowerCase();
  if (/^(?:<!doctype html|<html|<head|<\?xml|<!--)/.test(text)) return "The file is a web page.";
  if (words.includes("moov atom not found"))
    return "The MP4 file has no index: it was cut off on its way, or its recording was never finished.";
  return "It is none of the kinds of video that are read (MP4, MOV, MKV, WebM, MPEG-TS, FLV, OGG), or damaged from its beginning.";
}

export const notAVideo = (detail: string): ImportFailure =>
  new ImportFailure(
    "not_a_video",
    detail,
    "Give a video file, or leave the video away: chat alone works too.",
  );

export interface TakeOptions extends Omit<CutLimits, "fromMs"> {
  /** Go on with the keyframe here, in the file's own clock; null: from its beginning. */
  readonly fromMs: number | null;
  /** Encode the picture anew. */
  readonly encode: boolean;
  readonly encodeSound: boolean;
  /** Lines of an encoded picture at most. */
  readonly mostHeight: number;
}

/**
 * The file as pieces that begin with keyframes, in its own clock (`firstMs` as in the file). ffmpeg writes into a pipe and waits while nobody
 * takes more, so memory is a few pieces. Throws `Uncuttable` when keyframes are too far apart. `broken`: what ffmpeg said at the end, where it ended badly.
 */
export async function* filePieces(
  input: FfmpegInput,
  options: TakeOptions,
  signal: AbortSignal,
): AsyncGenerator<Piece, { broken: string | null }> {
  const { encode, encodeSound, fromMs, mostHeight } = options;
  const before = encode ? 0 : SEEK_BEFORE_MS;
  const args = [
    ...["-v", "error", "-nostdin", ...input.options, "-copyts"],
    ...(fromMs === null ? [] : ["-seek_timestamp", "1", "-ss", ((fromMs - before) / 1000).toFixed(3)]),
    ...["-i", input.name, "-map", "0:V:0", "-map", "0:a:0?"],
    ...(encode
      ? [
          ...[
            "-vf",
            `scale=-2:'trunc(min(${mostHeight},ih)/2)*2'`,
            "-c:v",
            "libx264",
            "-preset",
            "superfast",
          ],
          ...["-crf", "23", "-pix_fmt", "yuv420p", "-threads", "2", "-fps_mode", "passthrough"],
          ...["-force_key_frames", `expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+${ENCODED_GOP_S}))`],
        ]
      : ["-c:v", "copy"]),
    ...(encodeSound ? ["-c:a", "aac", "-b:a", "160k", "-ac", "2"] : ["-c:a", "copy"]),
    ...["-muxdelay", "0", "-muxpreload", "0", "-avoid_negative_ts", "disabled"],
    ...["-output_ts_offset", String(AHEAD_S), "-flush_packets", "0"],
    ...["-mpegts_pmt_start_pid", String(PIDS.pmt), "-mpegts_start_pid", String(PIDS.video)],
    ...["-f", "mpegts", "pipe:1"],
  ];
  const running = start("ffmpeg", args, input.openFiles, signal);
  const cutter = new TsCutter({
    ...options,
    fromMs: fromMs === null || encode ? undefined : fromMs + AHEAD_S * 1000 - SEEK_NEAR_MS,
  });
  const inFileTime = (piece: Piece): Piece => ({
    ...piece,
    firstMs: piece.firstMs - AHEAD_S * 1000,
    lastMs: piece.lastMs - AHEAD_S * 1000,
  });
  try {
    for await (const chunk of running.out)
      for (const piece of cutter.push(chunk as Buffer)) yield inFileTime(piece);
    const broken = await running.ended;
    signal.throwIfAborted();
    for (const piece of cutter.end()) yield inFileTime(piece);
    return { broken };
  } finally {
    running.stop();
  }
}

/** A fenced program at low priority. `ended` resolves to what it said where it ended badly. */
function start(
  program: string,
  args: readonly string[],
  openFiles: number,
  signal: AbortSignal,
): { out: Readable; ended: Promise<string | null>; words: () => string; stop(): void } {
  const [file, all] = isolated(program, args, openFiles);
  const child = spawn(file, all, {
    stdio: ["ignore", "pipe", "pipe"],
    // Not our settings: they hold secrets.
    env: { PATH: process.env["PATH"], LANG: "C.UTF-8" },
    signal,
    killSignal: "SIGKILL",
  });
  if (child.pid !== undefined)
    try {
      setPriority(child.pid, NICE);
    } catch {
      // It is gone already, or we may not: it runs as it is.
    }
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => void (words = (words + chunk.toString()).slice(-WORDS_KEPT)));
  const ended = new Promise<string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, by) => resolve(code === 0 ? null : `${words.trim()} (${code ?? by})`));
  });
  return { out: child.stdout, ended, words: () => words, stop: () => void child.kill("SIGKILL") };
}

async function ran(
  program: string,
  args: readonly string[],
  openFiles: number,
  signal: AbortSignal,
): Promise<{ out: Buffer; words: string }> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
  const running = start(program, args, openFiles, within);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of running.out) {
      bytes += (chunk as Buffer).length;
      if (bytes > PROBE_BYTES) break;
      chunks.push(chunk as Buffer);
    }
  } catch {
    // Killed: what it said before is what there is.
  }
  running.stop();
  await running.ended;
  signal.throwIfAborted();
  return { out: Buffer.concat(chunks), words: running.words() };
}

function jsonIn(out: Buffer): unknown {
  try {
    return JSON.parse(out.toString());
  } catch {
    return null;
  }
}
