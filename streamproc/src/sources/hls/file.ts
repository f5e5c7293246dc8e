import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { NotFound, type Fetch } from "./fetch.ts";
import type { Position } from "./plan.ts";
import { Refused } from "./playlist.ts";

/** Containers that name no other files; playlists and AVI with its subtitle tricks are none of them. */
const CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,flv,mpeg,ogg";
const ONLY_FILES = ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS];
const SEGMENT_S = 2;
const LISTED = 30;
const FIRST_SEGMENT_MS = 20_000;
const PROBE_MS = 10_000;

const LEFT_BEHIND_MS = 30 * 60_000;

export interface PlayedFile {
  readonly playlist: string;
  readonly fetch: Fetch;
  close(): Promise<void>;
}

/**
 * Plays a file as if it were live: ffmpeg cuts it into segments at the pace of its clock, into a scratch folder whose playlist is then followed
 * like any other. After a restart it goes on where it would be by now. Null: it has been played to its end.
 */
export async function playFile(
  address: string,
  scratch: string,
  position: Position | null,
): Promise<PlayedFile | null> {
  const path = fileURLToPath(address);
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true) throw new Refused(`there is no file ${path}`, "bad_file");
  const offsetMs = position === null ? 0 : Date.now() - position.epoch;
  const durationMs = await durationOf(path);
  if (offsetMs >= durationMs - 500) return null;

  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, "file-"));
  const list = join(folder, "index.m3u8");
  const args = [
    ...["-hide_banner", "-loglevel", "error", "-nostdin", ...ONLY_FILES, "-re"],
    ...(offsetMs === 0 ? [] : ["-ss", (offsetMs / 1000).toFixed(3)]),
    ...["-i", `file:${path}`, "-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn"],
    ...(await codecsOf(path)),
    ...["-f", "hls", "-hls_time", String(SEGMENT_S), "-hls_list_size", String(LISTED)],
    ...["-hls_flags", "program_date_time+delete_segments+temp_file", "-hls_delete_threshold", "30"],
    ...["-start_number", String(position === null ? 0 : position.seq + 1)],
    ...["-hls_segment_filename", join(folder, "%d.ts"), list],
  ];
  const [program, all] = diesWithUs("ffmpeg", args);
  const child = spawn(program, all, { stdio: "ignore" });
  let ended = false;
  const over = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true;
      resolve();
    };
    child.once("error", end);
    child.once("exit", end);
  });
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await over;
    await rm(folder, { recursive: true, force: true });
  };
  const until = performance.now() + FIRST_SEGMENT_MS;
  while ((await stat(list).catch(() => null)) === null) {
    if (ended || performance.now() > until) {
      await close();
      throw new Refused(`ffmpeg cannot play ${path} as video`, "bad_file");
    }
    await sleep(100);
  }
  return {
    playlist: pathToFileURL(list).href,
    async fetch(url, limits) {
      const file = fileURLToPath(url);
      if (!file.startsWith(`${folder}/`))
        throw new Refused("a file outside of the one that is played", "bad_file");
      const body = await readFile(file).catch(() => {
        throw new NotFound("the segment is gone");
      });
      if (body.length > limits.mostBytes) throw new Error("the segment is larger than allowed");
      return { body, type: "", url };
    },
    close,
  };
}

/** Removes what a crash has left: a file that is being played gets a segment every few seconds. */
export async function sweepScratch(scratch: string, nowMs: number): Promise<void> {
  for (const name of await readdir(scratch).catch(() => [])) {
    const folder = join(scratch, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
    if (nowMs - mtimeMs > LEFT_BEHIND_MS) await rm(folder, { recursive: true, force: true });
  }
}

const PROBE = ["-v", "error", ...ONLY_FILES, "-of", "default=nw=1:nk=1"];

async function probe(path: string, entries: string[]): Promise<string[]> {
  const said = await new Promise<string>((resolve) => {
    execFile("ffprobe", [...PROBE, ...entries, `file:${path}`], { timeout: PROBE_MS }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  return said.split("\n").filter((line) => line !== "");
}

async function durationOf(path: string): Promise<number> {
  const [said] = await probe(path, ["-show_entries", "format=duration"]);
  const seconds = Number(said);
  return said !== undefined && Number.isFinite(seconds) ? seconds * 1000 : Infinity;
}

/** H.264 and AAC go as they are, cut at their keyframes; the rest is encoded. */
async function codecsOf(path: string): Promise<string[]> {
  const [video] = await probe(path, ["-select_streams", "v:0", "-show_entries", "stream=codec_name"]);
  const [audio] = await probe(path, ["-select_streams", "a:0", "-show_entries", "stream=codec_name"]);
  if (video === undefined) throw new Refused(`${path} has no picture`, "bad_file");
  return [
    ...(video === "h264"
      ? ["-c:v", "copy"]
      : [
          ...["-c:v", "libx264", "-preset", "superfast", "-threads", "1", "-pix_fmt", "yuv420p"],
          ...["-force_key_frames", `expr:gte(t,n_forced*${SEGMENT_S})`],
        ]),
    ...(audio === undefined || audio === "aac" ? ["-c:a", "copy"] : ["-c:a", "aac", "-b:a", "128k"]),
  ];
}

const hasSetpriv =
  process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;

/** Even kill -9 of this process ends ffmpeg. */
const diesWithUs = (program: string, args: readonly string[]): [string, string[]] =>
  hasSetpriv ? ["setpriv", ["--pdeathsig", "KILL", program, ...args]] : [program, [...args]];
