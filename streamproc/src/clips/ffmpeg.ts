import { execFile, spawn, spawnSync } from "node:child_process";
import { setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import { ClipFailure, diskFull } from "./failure.ts";

/** Only what lies in files that we name, in containers that segments have: a segment cannot make the reader open anything else. */
export const READ_SAFELY = [
  ...["-protocol_whitelist", "file,crypto,pipe"],
  ...["-format_whitelist", "hls,applehttp,mpegts,mov,mp4,m4a,3gp,3g2,mj2,concat"],
];

/** Rendering gives way to what must keep up with the stream. */
const NICE = 10;
const STDERR_CHARS = 20_000;
/** A program that has said nothing for so long hangs. */
const SILENT_MS = 120_000;

export interface FfmpegRun {
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** Seconds of output that are done. */
  readonly progress?: (doneS: number) => void;
  /** One writer for each of `pipe:4`, `pipe:5`, …: rejects when the program has gone. */
  readonly inputs?: readonly ((pipe: Writable) => Promise<void>)[];
}

/** The first of the pipes that pictures of chat come through; 3 carries progress. */
export const FIRST_INPUT_FD = 4;

/**
 * Runs ffmpeg to its end and resolves to what it said on stderr. Rejects with ClipFailure where it says why, and with the signal's reason when that
 * aborts. It dies with this process where the kernel can do that, so that a killed worker leaves no encoder behind.
 */
export async function runFfmpeg({ args, signal, progress, inputs = [] }: FfmpegRun): Promise<string> {
  signal.throwIfAborted();
  const [program, all] = diesWithUs("ffmpeg", [
    ...["-nostdin", "-hide_banner", "-nostats", "-v", "info", "-y", "-progress", "pipe:3"],
    ...args,
  ]);
  const child = spawn(program, all, {
    stdio: ["ignore", "ignore", "pipe", "pipe", ...inputs.map(() => "pipe" as const)],
  });
  if (child.pid !== undefined)
    try {
      setPriority(child.pid, NICE);
    } catch {
      // It has ended already: `close` tells.
    }
  let hangs = false;
  const alarm = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, SILENT_MS);
  const stop = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-STDERR_CHARS);
  });
  let line = "";
  (child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => {
    alarm.refresh();
    const lines = (line + text).split("\n");
    line = lines.pop() ?? "";
    for (const each of lines) {
      const micros = /^out_time_us=(\d+)$/.exec(each)?.[1];
      if (micros !== undefined) progress?.(Number(micros) / 1e6);
    }
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const feeding = inputs.map(async (feed, i) => {
    const pipe = child.stdio[FIRST_INPUT_FD + i] as Writable;
    // Also when nobody writes at the moment: a reader that has gone is seen by its exit code.
    pipe.on("error", () => undefined);
    try {
      await feed(pipe);
    } finally {
      pipe.end();
    }
  });
  try {
    const [code, ...fed] = await Promise.all([
      ended,
      ...feeding.map((one) => one.then(nothing, (error: unknown) => error)),
    ]);
    signal.throwIfAborted();
    if (hangs) throw new Error(`ffmpeg said nothing for ${SILENT_MS / 1000} s and was stopped`);
    if (code !== 0) throw failureOf(code, said);
    const broken = fed.find((error) => error !== undefined && !isGone(error));
    if (broken !== undefined) throw broken;
    return said;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new ClipFailure("failed", "ffmpeg is not installed.", "Install ffmpeg, then try again.", {
        cause: error,
      });
    throw error;
  } finally {
    clearTimeout(alarm);
    signal.removeEventListener("abort", stop);
    stop();
  }
}

const nothing = (): undefined => undefined;
const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");

/** Writes and waits until there is room; rejects when nobody reads any more. */
export async function writeTo(pipe: Writable, bytes: Uint8Array): Promise<void> {
  if (pipe.destroyed) throw Object.assign(new Error("nobody reads"), { code: "EPIPE" });
  if (pipe.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const done = (error?: unknown): void => {
      pipe.off("drain", done);
      pipe.off("close", gone);
      if (error === undefined) resolve();
      else reject(error);
    };
    const gone = (): void => done(Object.assign(new Error("nobody reads"), { code: "EPIPE" }));
    pipe.once("drain", done);
    pipe.once("close", gone);
  });
}

/** The time of the first picture of a playlist on the reader's clock, in seconds. */
export async function firstPictureS(playlist: string, signal: AbortSignal): Promise<number> {
  const { stdout } = await promisify(execFile)(
    "ffprobe",
    [
      ...["-v", "error", ...READ_SAFELY, "-select_streams", "v:0", "-read_intervals", `%+#${REORDERED}`],
      ...["-show_entries", "packet=pts_time", "-of", "csv=p=0", playlist],
    ],
    { signal, timeout: SILENT_MS },
  );
  const times = stdout.split("\n").map(Number.parseFloat).filter(Number.isFinite);
  if (times.length === 0) throw new Error("ffprobe found no picture");
  return Math.min(...times);
}
/** Pictures may be stored this many places after one that is shown later. */
const REORDERED = 32;

function failureOf(code: number | null, said: string): Error {
  if (/No space left on device|Disk quota exceeded/i.test(said)) return diskFull(new Error(last(said)));
  if (/Invalid data found|could not find codec parameters|Conversion failed|matches no streams/i.test(said))
    return new ClipFailure(
      "bad_media",
      `The stored segments cannot be decoded (${last(said)}).`,
      "Choose another span.",
    );
  return new Error(`ffmpeg ended with ${code}: ${last(said)}`);
}

const last = (said: string): string =>
  said
    .trim()
    .split("\n")
    .slice(-3)
    .map((line) => line.replace(/^\[[^\]]*\] /, "").replaceAll(/\/\S+\//g, ""))
    .join(" / ")
    .slice(0, 300);

function diesWithUs(program: string, args: readonly string[]): [string, string[]] {
  setpriv ??= spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  return setpriv ? ["setpriv", ["--pdeathsig", "KILL", program, ...args]] : [program, [...args]];
}
let setpriv: boolean | undefined;
