import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stampCounter } from "./counter.ts";

export interface FootageOptions {
  /** Default: 284×160 and 854×480. */
  readonly sizes?: readonly { readonly width: number; readonly height: number }[];
  /** Number of the first frame, as its strip says. */
  readonly firstFrame?: number;
  /** Default `ts`. */
  readonly container?: "ts" | "fmp4";
  /** AES-128, with its key beside the segments. */
  readonly encrypted?: boolean;
  /** Default true. */
  readonly sound?: boolean;
}
export interface Footage {
  readonly folder: string;
  readonly fps: 30;
  readonly segmentMs: 2_000;
  readonly frames: number;
  /** The first frame of each new picture: a hard cut, every 4.5 s (135 frames). */
  readonly cuts: readonly number[];
}

const FPS = 30;
const SHOT_FRAMES = 135;
const [WIDTH, HEIGHT] = [284, 160];

/**
 * Test footage: numbered frames (counter.ts), another picture every 4.5 s with something that moves, and a tone with a
 * beep at each full second. About 2 s of CPU for 30 s. A folder that has it already is left as it is.
 */
export async function makeFootage(
  folder: string,
  seconds: number,
  options: FootageOptions = {},
): Promise<Footage> {
  const frames = Math.round(seconds * FPS);
  const footage: Footage = {
    folder,
    fps: FPS,
    segmentMs: 2_000,
    frames,
    cuts: Array.from({ length: Math.ceil(frames / SHOT_FRAMES) - 1 }, (_, i) => (i + 1) * SHOT_FRAMES),
  };
  const there = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (there) return footage;
  // Two tests may make the same folder at once: each writes its own and the first to finish wins.
  const draft = `${folder}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  await encode(draft, seconds, frames, options);
  await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true, force: true });
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
  return footage;
}

async function encode(
  folder: string,
  seconds: number,
  frames: number,
  options: FootageOptions,
): Promise<void> {
  const sizes = options.sizes ?? [
    { width: 284, height: 160 },
    { width: 854, height: 480 },
  ];
  const sound = options.sound ?? true;
  const { container = "ts", encrypted = false } = options;
  const outputs: string[] = [];
  for (const [i, { width, height }] of sizes.entries()) {
    const place = join(folder, `${width}x${height}`);
    await mkdir(place, { recursive: true });
    outputs.push(
      ...["-map", `[v${i}]`, ...(sound ? ["-map", "1:a", "-c:a", "aac", "-b:a", "64k", "-ac", "2"] : [])],
      ...[
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "24",
        "-g",
        "60",
        "-keyint_min",
        "60",
        "-sc_threshold",
        "0",
      ],
      ...["-pix_fmt", "yuv420p", "-threads", "1", "-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"],
      ...(container === "fmp4" ? ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"] : []),
      ...(encrypted ? ["-hls_key_info_file", await keyInfo(place)] : []),
      ...[
        "-hls_segment_filename",
        join(place, container === "fmp4" ? "s%05d.m4s" : "s%05d.ts"),
        join(place, "index.m3u8"),
      ],
    );
  }
  const split = `[0:v]split=${sizes.length}${sizes.map((_, i) => `[s${i}]`).join("")}`;
  const scaled = sizes.map(({ width, height }, i) => `[s${i}]scale=${width}:${height}:flags=neighbor[v${i}]`);
  const ffmpeg = spawn(
    "ffmpeg",
    [
      ...[
        "-v",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        `${WIDTH}x${HEIGHT}`,
        "-r",
        String(FPS),
        "-i",
        "pipe:0",
      ],
      ...(sound
        ? ["-f", "lavfi", "-i", `sine=frequency=220:beep_factor=4:sample_rate=48000:duration=${seconds}`]
        : []),
      ...["-filter_complex", [split, ...scaled].join(";"), ...outputs],
    ],
    { stdio: ["pipe", "ignore", "pipe"] },
  );
  let complaint = "";
  ffmpeg.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (complaint = (complaint + text).slice(-2_000)));
  // What is written to an encoder that has died is not lost silently: its exit code says it.
  ffmpeg.stdin.on("error", () => undefined);
  const ended = once(ffmpeg, "close") as Promise<[number | null]>;
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < frames && ffmpeg.stdin.writable; i++) {
    drawTest(rgb, i);
    stampCounter(rgb, WIDTH, HEIGHT, i + (options.firstFrame ?? 0));
    if (!ffmpeg.stdin.write(Buffer.from(rgb))) await Promise.race([once(ffmpeg.stdin, "drain"), ended]);
  }
  ffmpeg.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`ffmpeg made no test footage (exit ${code}): ${complaint}`);
}

/** A key beside the segments, and the file that tells ffmpeg of it: address, place, initialisation vector. */
async function keyInfo(place: string): Promise<string> {
  const key = join(place, "index.key");
  await writeFile(key, Buffer.from("00112233445566778899aabbccddeeff", "hex"));
  const info = join(place, "key.txt");
  await writeFile(info, `index.key\n${key}\n000102030405060708090a0b0c0d0e0f\n`);
  return info;
}

/** Stripes of a shot's own two colours and slant, and a block that crosses the picture. */
function drawTest(rgb: Uint8Array, frame: number): void {
  const shot = Math.floor(frame / SHOT_FRAMES);
  const colour = (n: number): readonly [number, number, number] => [
    (n * 97 + 40) % 200,
    (n * 57 + 90) % 200,
    (n * 151 + 20) % 200,
  ];
  const colours = [colour(shot * 2), colour(shot * 2 + 1), [250, 240, 120] as const];
  const wide = 14 + ((shot * 11) % 40);
  const blockX = (frame * 2) % (WIDTH - 30);
  for (let y = 0, at = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++, at += 3) {
      const block = x >= blockX && x < blockX + 30 && y >= 60 && y < 90;
      const stripe = Math.floor((x + y * (shot % 3)) / wide) % 2;
      const [r, g, b] = colours[block ? 2 : stripe] ?? [0, 0, 0];
      rgb[at] = r;
      rgb[at + 1] = g;
      rgb[at + 2] = b;
    }
}
