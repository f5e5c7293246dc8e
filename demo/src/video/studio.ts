import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ANCHOR_MS } from "../schedule.ts";
import { RUNS_PER_BROADCAST } from "../world.ts";
import type { Broadcast } from "./broadcast.ts";
import { MEETING, SEGMENT_MS, segmentsOf, type Film, type FilmSegment } from "./film.ts";
import { films } from "./films.ts";
import type { AdSpot } from "./playlists.ts";

export interface Studio {
  readonly broadcasts: ReadonlyMap<string, Broadcast>;
  /** One loop of each film by itself, from its beginning; null: not all of it is rendered yet. */
  finished(login: string): Finished | null;
  /** How much of each film is there: segments of all. */
  state(): object;
  close(): Promise<void>;
}
/** A loop as a recording. Times count from its beginning. */
export interface Finished {
  readonly film: Film;
  readonly segments: readonly FilmSegment[];
  body(rendition: string, number: number): Promise<Buffer | null>;
}
interface Log {
  info(about: object, text: string): void;
  warn(about: object, text: string): void;
}

/** An encode's length at most: what is lost when it is killed, and how long another film waits. */
const MOST_SEGMENTS = 60;
/** As soon as so much is ready, the encoder steps back behind everything else that runs. */
const COMFORT_MS = 90_000;
const WINDOW = 6;
/** The playlist waits so many segments for the encoder; then it goes on by the clock, and what is missing is a 404. */
const PATIENCE = 60;

/**
 * The films as live channels. What has been rendered lies in `folder`, by a name that changes with the drawing's source; what
 * is missing is rendered in the background, from the present on, faster than it is shown, one encoder at a time.
 */
export async function startStudio(folder: string, now: () => number, log: Log): Promise<Studio> {
  const place = await loopFolder(folder);
  await mkdir(place, { recursive: true });
  for (const name of await readdir(folder))
    if (name.startsWith("loop-") && join(folder, name) !== place)
      await rm(join(folder, name), { recursive: true, force: true });
  const reels = await Promise.all(films.map((film) => openReel(film, join(place, film.login), now)));
  const closing = new AbortController();
  let child: ChildProcess | null = null;

  const renderNext = async (): Promise<boolean> => {
    const waiting = reels.filter((reel) => reel.missing() !== null);
    const urgent = waiting.toSorted((a, b) => a.readyMs() - b.readyMs())[0];
    if (urgent === undefined) return false;
    const { from, to } = urgent.missing() as { from: number; to: number };
    const hurry = urgent.readyMs() < COMFORT_MS;
    child = fork(
      join(import.meta.dirname, "render.ts"),
      [urgent.film.login, urgent.folder, String(from), String(to)],
      {
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        execArgv: ["--disable-warning=ExperimentalWarning"],
      },
    );
    let complaint = "";
    child.stderr
      ?.setEncoding("utf8")
      .on("data", (text: string) => (complaint = (complaint + text).slice(-1_000)));
    child.on("message", ({ segment }: { segment: number }) => urgent.add(segment));
    if (child.pid !== undefined)
      setPriority(
        child.pid,
        hurry ? constants.priority.PRIORITY_NORMAL : constants.priority.PRIORITY_BELOW_NORMAL,
      );
    const code = await new Promise<number | null>((resolve) => child?.once("close", resolve));
    child = null;
    if (code !== 0 && !closing.signal.aborted) {
      log.warn(
        { film: urgent.film.login, from, to, code, complaint },
        "the picture could not be rendered; again in 5 s",
      );
      await sleep(5_000);
    }
    return true;
  };
  const rendering = (async () => {
    const beganMs = Date.now();
    let any = false;
    while (!closing.signal.aborted && (await renderNext())) any = true;
    if (any && !closing.signal.aborted)
      log.info({ seconds: Math.round((Date.now() - beganMs) / 1000) }, "the whole loop is rendered and kept");
  })();

  return {
    broadcasts: new Map(reels.map((reel) => [reel.film.login, reel.broadcast])),
    finished: (login) => reels.find(({ film }) => film.login === login)?.finished() ?? null,
    state: () => Object.fromEntries(reels.map((reel) => [reel.film.login, reel.state()])),
    close: async () => {
      closing.abort();
      // It ends with its channel to us; its ffmpeg with its pipes.
      child?.kill("SIGKILL");
      await rendering;
    },
  };
}

/** Where the films of this drawing lie: `<login>/<rendition>/<segment>.ts`. */
export const loopFolder = async (folder: string): Promise<string> =>
  join(folder, `loop-${await drawingHash()}`);

/** A hash of the text of everything that draws: an edited drawing is another loop. */
async function drawingHash(): Promise<string> {
  const sources = (await readdir(import.meta.dirname)).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !SERVING.has(name),
  );
  const hash = createHash("sha256");
  for (const path of [...sources.toSorted(), "../world.ts", "../random.ts"])
    hash.update(await readFile(join(import.meta.dirname, path)));
  return hash.digest("hex").slice(0, 12);
}
/** What serves and does not draw. */
const SERVING = new Set([
  "broadcast.ts",
  "faults.ts",
  "footage.ts",
  "hls.ts",
  "livesim.ts",
  "playlists.ts",
  "render.ts",
  "studio.ts",
  "truth.ts",
  "vod-hls.ts",
]);

interface Reel {
  readonly film: Film;
  readonly folder: string;
  readonly broadcast: Broadcast;
  add(segment: number): void;
  /** The next stretch to render, of one run: from the present on, then what lies before it; null: all is there. */
  missing(): { readonly from: number; readonly to: number } | null;
  /** For how long from now the channel can be shown. */
  readyMs(): number;
  finished(): Finished | null;
  state(): object;
}

async function openReel(film: Film, folder: string, now: () => number): Promise<Reel> {
  const segments = segmentsOf(film);
  const count = segments.length;
  const there = new Set<number>();
  for (const { name } of film.renditions) await mkdir(join(folder, name), { recursive: true });
  for (const name of await readdir(folder))
    if (name.startsWith("draft-")) await rm(join(folder, name), { recursive: true, force: true });
  // The last rendition is moved last: what it has, all have.
  for (const name of await readdir(join(folder, film.renditions.at(-1)?.name ?? ""))) {
    const number = Number(/^(\d+)\.ts$/.exec(name)?.[1] ?? -1);
    if (number >= 0 && number < count) there.add(number);
  }
  const has = (number: number): boolean => there.has(number % count);
  /** Number of the segment on the air: of all loops since the anchor. */
  const onAir = (nowMs: number): number => {
    const loop = Math.floor((nowMs - ANCHOR_MS) / film.periodMs);
    const atMs = nowMs - ANCHOR_MS - loop * film.periodMs;
    return loop * count + segments.findLastIndex((segment) => segment.atMs <= atMs);
  };
  const startOf = (number: number): number =>
    ANCHOR_MS + Math.floor(number / count) * film.periodMs + (segments[number % count]?.atMs ?? 0);
  const body = (rendition: string, number: number): Promise<Buffer | null> =>
    has(number)
      ? readFile(join(folder, rendition, `${number % count}.ts`)).catch(() => null)
      : Promise.resolve(null);
  let first = onAir(now());
  for (let i = 0; i < WINDOW && has(first - 1); i++) first--;

  const broadcast: Broadcast = {
    renditions: film.renditions,
    targetS: 2,
    twitch: true,
    get startedMs() {
      const broadcastMs = RUNS_PER_BROADCAST * 30 * 60_000;
      return ANCHOR_MS + Math.floor((now() - ANCHOR_MS) / broadcastMs) * broadcastMs;
    },
    get first() {
      return first;
    },
    lastAt(nowMs) {
      const ended = onAir(nowMs) - 1;
      const from = Math.max(first, ended - PATIENCE);
      for (let number = from; number <= ended; number++)
        if (!has(number)) return number > ended - PATIENCE ? number - 1 : ended;
      return ended;
    },
    slot(number) {
      const segment = segments[number % count];
      if (segment === undefined) return null;
      const isAd = film.ads.some(({ fromMs, toMs }) => segment.atMs >= fromMs && segment.atMs < toMs);
      return {
        startMs: startOf(number),
        durationMs: segment.durationMs,
        discontinuity: segment.place === 0,
        title: isAd ? `Amazon|${segment.atMs}` : "live",
        extension: "ts",
        headers: [],
      };
    },
    // Each loop has one at the begin of each run, also of its first.
    discontinuitiesBefore: (number) =>
      Math.floor(number / count) * film.runs.length +
      segments.slice(0, number % count).filter(({ place }) => place === 0).length,
    body,
    extra: () => Promise.resolve(null),
    adsBetween(fromMs, toMs) {
      const loop = Math.floor((fromMs - ANCHOR_MS) / film.periodMs);
      return [loop, loop + 1].flatMap((loop) =>
        film.ads.flatMap((ad, position): AdSpot[] => {
          const startMs = ANCHOR_MS + loop * film.periodMs + ad.fromMs;
          const durationMs = ad.toMs - ad.fromMs;
          return startMs < toMs && startMs + durationMs > fromMs
            ? [{ id: String(startMs), startMs, durationMs, position, of: film.ads.length }]
            : [];
        }),
      );
    },
  };

  /** Number of the first segment that is not there: of those that the playlist waits for, then of those to come. */
  const nextMissing = (): number | null => {
    const start = Math.max(first, onAir(now()) - PATIENCE);
    for (let number = start; number < start + count; number++) if (!has(number)) return number;
    return null;
  };
  return {
    film,
    folder,
    broadcast,
    add: (segment) => void there.add(segment),
    missing() {
      const next = nextMissing();
      if (next === null) return null;
      // An encode begins where sound and segments meet anyway: what lies from there to the first that is missing is made too.
      let from = next % count;
      while ((segments[from]?.place ?? 0) % MEETING > 1 && !has(from - 1)) from--;
      let to = from + 1;
      while (to < count && to - from < MOST_SEGMENTS && !has(to) && segments[to]?.run === segments[from]?.run)
        to++;
      return { from, to };
    },
    readyMs() {
      const next = nextMissing();
      return next === null ? Number.POSITIVE_INFINITY : (next - onAir(now())) * SEGMENT_MS;
    },
    finished: () => (there.size === count ? { film, segments, body } : null),
    state: () => ({ segments: there.size, of: count }),
  };
}
