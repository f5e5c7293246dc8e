import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SegmentBytes } from "./frame-source.ts";

/** Footage for tests, made by ffmpeg from its own test pictures once and kept in `.tools/footage`. */
const kept = join(import.meta.dirname, "../../../.tools/footage");

/** Runs ffmpeg in an empty folder, unless that was done before; returns the folder. */
function made(args: readonly string[]): string {
  const folder = join(kept, createHash("sha256").update(JSON.stringify(args)).digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...args], { cwd: unfinished, timeout: 60_000 });
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
  return folder;
}

const byNumber = (a: string, b: string): number =>
  Number.parseInt(a.slice(1), 10) - Number.parseInt(b.slice(1), 10);
const EXACT = ["-fflags", "+bitexact", "-flags", "+bitexact"];
export const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1"];

/** An HLS stream of two-second segments: their paths in order, and that of the initialisation section of fMP4. */
export function hls(
  inputs: readonly string[],
  encoding: readonly string[],
  container: "ts" | "fmp4" = "ts",
): { paths: string[]; initPath: string | null } {
  const fmp4 = ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"];
  const folder = made([
    ...inputs,
    ...encoding,
    ...EXACT,
    ...["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", ...(container === "fmp4" ? fmp4 : [])],
    ...["-hls_segment_filename", container === "ts" ? "s%d.ts" : "s%d.m4s", "list.m3u8"],
  ]);
  const names = readdirSync(folder).filter((name) => /^s\d+\./.test(name));
  return {
    paths: names.toSorted(byNumber).map((name) => join(folder, name)),
    initPath: container === "fmp4" ? join(folder, "init.mp4") : null,
  };
}

/** One file. */
export const file = (args: readonly string[], name = "file.ts"): string =>
  join(made([...args, ...EXACT, name]), name);

export function bytesOf({ paths, initPath }: ReturnType<typeof hls>, i: number): SegmentBytes {
  return {
    container: initPath === null ? "ts" : "fmp4",
    media: readFileSync(paths[i]!),
    init: initPath === null ? null : readFileSync(initPath),
  };
}

const GOP = ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0"];
/** A test picture of 284 × 160 at 30 frames a second with a tone in stereo. */
export const plain = (seconds: number, container: "ts" | "fmp4" = "ts"): ReturnType<typeof hls> =>
  hls(
    [
      ...["-f", "lavfi", "-i", `testsrc2=size=284x160:rate=30:duration=${seconds}`],
      ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ],
    [...H264, ...GOP, "-c:a", "aac", "-ac", "2"],
    container,
  );
