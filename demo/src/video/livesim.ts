import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Broadcast, Slot } from "./broadcast.ts";
import type { VideoFault } from "./faults.ts";
import { hls } from "./hls.ts";
import type { AdSpot, Rendition } from "./playlists.ts";

export interface LivesimOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Default `test`. */
  readonly login?: string;
  /** The clock that publishes: a segment is out when it has ended. Default: the wall clock. A test may own it. */
  readonly now?: () => number;
  /** Wall clock of the first frame; default: so that six segments are out at once. */
  readonly startMs?: number;
  /** After the last segment the first comes again, behind a DISCONTINUITY. Default: the playlist ends. */
  readonly loop?: boolean;
  /** Twitch's tags; default true. */
  readonly twitch?: boolean;
  /** Stitched ads, by time from the first frame. */
  readonly ads?: readonly { readonly atMs: number; readonly durationMs: number }[];
}

export interface Livesim {
  readonly port: number;
  readonly startMs: number;
  readonly master: string;
  /** Address of the media playlist of a rendition (`160`, `480`). */
  readonly media: (rendition: string) => string;
  readonly fault: (fault: VideoFault) => void;
  /** Paths that were asked for, oldest first (the latest 2,000). */
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * A folder of footage as a live channel on 127.0.0.1. The folder has one folder for each rendition, named by its size
 * (`284x160`), each with an `index.m3u8` as ffmpeg's `-f hls` writes it (EXTINF, DISCONTINUITY, EXT-X-MAP and EXT-X-KEY
 * are taken over; the segments of all renditions cover the same times).
 */
export async function startLivesim(folder: string, options: LivesimOptions = {}): Promise<Livesim> {
  const { login = "test", now = Date.now } = options;
  const footage = await footageBroadcast(folder, options);
  const served = hls("/hls", new Map([[login, footage]]), now);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "127.0.0.1"}`);
    served
      .serve(url, response)
      .then((ours) => (ours ? undefined : response.writeHead(404).end()))
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}/hls/${login}`;
  return {
    port,
    startMs: footage.startedMs,
    master: `${base}/master.m3u8`,
    media: (rendition) => `${base}/${rendition}/index.m3u8`,
    fault: (fault) => served.fault(login, fault),
    requests: served.requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface FileSegment extends Omit<Slot, "startMs"> {
  readonly atMs: number;
  readonly file: string;
}

/** What an `index.m3u8` of a finished recording lists. */
function segmentsOf(text: string): FileSegment[] {
  const segments: FileSegment[] = [];
  let [atMs, durationMs, title, discontinuity] = [0, 0, "", false];
  let map: string[] = [];
  let key: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, seconds, name = ""] = /^#EXTINF:([\d.]+),?(.*)$/.exec(line) ?? [];
    if (seconds !== undefined) {
      durationMs = Math.round(Number(seconds) * 1000);
      title = name;
    } else if (line === "#EXT-X-DISCONTINUITY") discontinuity = true;
    else if (line.startsWith("#EXT-X-MAP:")) map = [line];
    else if (line.startsWith("#EXT-X-KEY:")) key = [line];
    else if (line !== "" && !line.startsWith("#")) {
      const extension = line.split(".").at(-1) ?? "ts";
      segments.push({
        atMs,
        durationMs,
        discontinuity,
        title: title || "live",
        extension,
        headers: [...map, ...key],
        file: line,
      });
      atMs += durationMs;
      discontinuity = false;
    }
  }
  return segments;
}

async function footageBroadcast(folder: string, options: LivesimOptions): Promise<Broadcast> {
  const sizes = (await readdir(folder)).flatMap((name) => {
    const [, width, height] = /^(\d+)x(\d+)$/.exec(name) ?? [];
    return width === undefined || height === undefined
      ? []
      : [{ folder: join(folder, name), width: Number(width), height: Number(height) }];
  });
  if (sizes.length === 0) throw new Error(`${folder} has no folder of a rendition, as 284x160`);
  sizes.sort((a, b) => b.height - a.height);
  const folders = new Map(sizes.map((size) => [String(size.height), size.folder]));
  const segments = segmentsOf(await readFile(join(sizes[0]?.folder ?? folder, "index.m3u8"), "utf8"));
  const lengthMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const inOneLoop = segments.filter(({ discontinuity }, i) => discontinuity && i > 0).length;
  const ends = (number: number): number => {
    const slot = slotOf(number);
    return slot === null ? Number.POSITIVE_INFINITY : slot.startMs + slot.durationMs;
  };
  const { now = Date.now, loop = false } = options;
  const startMs =
    options.startMs ?? now() - segments.slice(0, 6).reduce((sum, { durationMs }) => sum + durationMs, 0);
  const fileOf = async (rendition: string, name: string): Promise<Buffer | null> => {
    const place = folders.get(rendition);
    if (place === undefined || !/^[\w-][\w.-]*$/.test(name)) return null;
    return readFile(join(place, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
  };
  const slotOf = (number: number): Slot | null => {
    const round = Math.floor(number / segments.length);
    const segment = segments[number % segments.length];
    if (segment === undefined || (round > 0 && !loop)) return null;
    const { atMs, durationMs, title, extension, headers } = segment;
    return {
      startMs: startMs + round * lengthMs + atMs,
      durationMs,
      title,
      extension,
      headers,
      discontinuity: segment.discontinuity || (number > 0 && number % segments.length === 0),
    };
  };
  return {
    renditions: sizes.map(({ width, height }): Rendition => ({
      name: String(height),
      width,
      height,
      fps: 30,
      bandwidth: Math.round(width * height * 3),
      codecs: "avc1.42C01F,mp4a.40.2",
    })),
    targetS: Math.ceil(Math.max(...segments.map(({ durationMs }) => durationMs)) / 1000),
    startedMs: startMs,
    twitch: options.twitch ?? true,
    first: 0,
    lastAt(nowMs) {
      let last = Math.floor((nowMs - startMs) / lengthMs) * segments.length - 1;
      last = loop ? Math.max(-1, last) : Math.max(-1, Math.min(last, segments.length - 1));
      while (ends(last + 1) <= nowMs) last++;
      return last;
    },
    slot: slotOf,
    discontinuitiesBefore(number) {
      const round = Math.floor(number / segments.length);
      const within = number % segments.length;
      const inside = segments
        .slice(0, within)
        .filter(({ discontinuity }, i) => discontinuity && i > 0).length;
      // The border of a loop is one too, before its first segment.
      return round * (inOneLoop + 1) - (within === 0 && round > 0 ? 1 : 0) + inside;
    },
    async body(rendition, number) {
      const file = segments[number % segments.length]?.file;
      return file === undefined ? null : fileOf(rendition, file);
    },
    extra: fileOf,
    adsBetween(fromMs, toMs) {
      const spots = (options.ads ?? []).map(({ atMs, durationMs }, position, all): AdSpot => ({
        id: `${startMs + atMs}`,
        startMs: startMs + atMs,
        durationMs,
        position,
        of: all.length,
      }));
      return spots.filter((spot) => spot.startMs < toMs && spot.startMs + spot.durationMs > fromMs);
    },
  };
}
