import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { segmentFolder } from "@hypecast/contracts/object-keys.ts";
import type { VodError } from "@hypecast/contracts/vod.ts";
import type { VodErrorCode } from "@hypecast/contracts/vod-words.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { parametersIn, sizeIn, type PictureSize } from "../../clips/h264-size.ts";
import { NotMedia } from "../../media/frame-source.ts";
import { inOrder } from "../../media/in-order.ts";
import { demux } from "../../media/take-apart.ts";
import { askCommand } from "../../sources/hls/address.ts";
import { NotFound } from "../../sources/hls/fetch.ts";
import type { SegmentStep } from "../../sources/hls/plan.ts";
import { Refused, type Listed, type MediaPlaylist } from "../../sources/hls/playlist.ts";
import { openPlaylists, type Playlists } from "../../sources/hls/playlists.ts";
import { openRendition, toldOf } from "../../sources/hls/segment.ts";
import { ImportFailure } from "../chat/failure.ts";
import { vodLink } from "../twitch/vod-link.ts";
import { notAVideo } from "./file.ts";
import type { Told } from "./told.ts";
import type { OfVod, VideoTools } from "./tools.ts";

/** Two days of segments of six seconds. */
const MOST_SEGMENTS = 30_000;
/** Segments that are fetched at once, in two renditions each. */
const AT_ONCE = 4;
const GIVE_UP_MS = 60_000;
/** So many in a row that cannot be had, and it is the server: what is missing is fetched when it is back. */
const FAILED_MOST = 5;
/** Rounded durations make smaller holes than this. */
const HOLE_MS = 500;

type HlsTools = Pick<VideoTools, "objects" | "config" | "log" | "fetch">;

/** A finished stream's playlists. */
export interface FinishedHls {
  readonly lists: Playlists;
  readonly list: MediaPlaylist;
  readonly durationS: number;
  readonly width: number;
  readonly height: number;
  readonly startMs: number | null;
}

/** Reads the playlist that an address or a link to Twitch leads to, with the checks of live ones. Throws ImportFailure. */
export async function openFinishedHls(
  url: string,
  tools: HlsTools,
  signal: AbortSignal,
): Promise<FinishedHls> {
  try {
    const address = await playlistOf(url, tools.config.TWITCH_VOD_COMMAND, signal);
    const { HYPECAST_VIDEO_HEIGHT } = tools.config;
    const lists = await openPlaylists(address, tools.fetch, signal, HYPECAST_VIDEO_HEIGHT, MOST_SEGMENTS);
    const list = await lists.next(signal);
    if (!list.ended)
      throw new ImportFailure(
        "refused",
        "The playlist is that of a stream that goes on: it has no end.",
        "Watch it as a channel, or import it when it has ended.",
      );
    const [analysis, source = analysis] = lists.renditions;
    const durationS = list.segments.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
    const { width, height } = source;
    return { lists, list, durationS, width, height, startMs: list.segments[0]?.pdtMs ?? null };
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error);
  }
}

async function playlistOf(url: string, command: string, signal: AbortSignal): Promise<string> {
  const link = vodLink(url);
  if (link === null) return url;
  if (command.trim() === "")
    throw new ImportFailure(
      "no_way",
      "The settings name no way to the picture of Twitch's videos.",
      "Upload the video file, or set TWITCH_VOD_COMMAND. Without a picture the chat alone is imported.",
    );
  return askCommand("TWITCH_VOD_COMMAND", command, { id: link.id }, signal);
}

const REFUSALS: Readonly<Partial<Record<Refused["code"], VodErrorCode>>> = {
  bad_address: "refused",
  host_refused: "refused",
  protected: "protected",
  no_program: "no_way",
};

const saidBy = (error: Error & { readonly code?: string; readonly hostname?: string }): string =>
  error.code === "ENOTFOUND" && error.hostname !== undefined
    ? `no server has the name ${error.hostname}`
    : error.message;

function failureOf(error: unknown): Error {
  if (error instanceof ImportFailure) return error;
  const said = error instanceof Error ? saidBy(error) : String(error);
  const sentence = `${said.slice(0, 1).toUpperCase()}${said.slice(1, 300)}.`;
  if (error instanceof Refused) {
    const code = REFUSALS[error.code] ?? "not_a_video";
    return code === "not_a_video"
      ? notAVideo(sentence)
      : new ImportFailure(code, sentence, "Give another address, or upload the video file.");
  }
  if (error instanceof NotFound)
    return new ImportFailure("not_found", sentence, "Check the address: the video may be gone.");
  return new ImportFailure("unreachable", sentence, "Try again later: what is here already stays.");
}

/** A segment of the playlist and when it was. */
export interface Placed {
  readonly listed: Listed;
  readonly startMs: number;
  readonly durationMs: number;
}

/**
 * When each segment was: the first at `startMs`, the others by the playlist's clock where it goes forward, and else directly behind one another.
 * Rounded at their beginnings, so that no rounding adds up.
 */
export function placed({ segments }: MediaPlaylist, startMs: number): Placed[] {
  const firstMs = segments[0]?.pdtMs ?? null;
  let atMs = startMs;
  return segments.map((listed) => {
    const { pdtMs, durationMs } = listed;
    const saidMs = pdtMs === null || firstMs === null ? null : startMs + pdtMs - firstMs;
    if (saidMs !== null && saidMs > atMs + HOLE_MS) atMs = saidMs;
    const from = Math.round(atMs);
    atMs += durationMs;
    return { listed, startMs: from, durationMs: Math.round(atMs) - from };
  });
}

/** The size of the picture in a segment's file; null: it does not say, or there is none. Throws NotMedia. */
export async function pictureIn(
  { source, analysis }: VideoSegment,
  objects: Pick<Objects, "get">,
): Promise<{ readonly hasPicture: boolean; readonly size: PictureSize | null } | null> {
  const file = source ?? analysis;
  const media = file === null ? null : await objects.get(file.key);
  const init = file?.init == null ? null : await objects.get(file.init.key);
  if (file === null || media === null) return null;
  const { video } = demux({ container: file.container, media, init });
  const parameters = video?.codec === "h264" ? parametersIn(video.units[0]?.data ?? Buffer.alloc(0)) : null;
  return { hasPicture: video !== null, size: parameters === null ? null : sizeIn(parameters) };
}

/** Fetches the segments behind the last one that was told, a few at once, and tells them in their order. */
export async function takeHls(
  vod: OfVod,
  { lists, list }: FinishedHls,
  told: Told,
  tools: HlsTools,
  outer: AbortSignal,
): Promise<VodError[]> {
  const { objects, config, fetch } = tools;
  const over = new AbortController();
  const signal = AbortSignal.any([outer, over.signal]);
  const { channelId } = told;
  const last = told.segments.at(-1);
  const epoch = last?.epoch ?? told.gap?.epoch ?? Date.now();
  const doneSeq = Math.max(last?.seq ?? -1, told.gap?.toSeq ?? -1);
  const parts = {
    ...{ fetch, objects, signal, giveUpMs: GIVE_UP_MS },
    mostBytes: config.HYPECAST_VIDEO_SEGMENT_MB * 1024 * 1024,
  };
  const [small, large] = lists.renditions;
  const folder = segmentFolder(channelId);
  const analysis = openRendition(parts, small, folder, String(small.height));
  const source =
    large === undefined
      ? null
      : openRendition(parts, large, folder, `${large.height}${large.height === small.height ? "s" : ""}`);

  const fetched = async ({ listed, startMs, durationMs }: Placed) => {
    const step: SegmentStep = { kind: "segment", listed, epoch, startMs, durationMs, uncertainMs: null };
    const first = analysis(step, listed);
    if (source === null) return toldOf(step, channelId, await first, await first);
    const second = lists
      .sourceOf(listed, signal)
      .then(async (same) =>
        same === null
          ? { why: "not_found" as const, detail: "the best rendition does not list it" }
          : source(step, same),
      );
    const [one, two] = await Promise.all([first, second]);
    return toldOf(step, channelId, one, two);
  };

  let failed = 0;
  let detail = "";
  try {
    const wanted = placed(list, vod.startMs).filter(({ listed }) => listed.seq > doneSeq);
    for await (const { result } of inOrder(asyncly(wanted), AT_ONCE, fetched)) {
      if ("segment" in result) {
        if (told.segments.length === 0) await checkPicture(result.segment);
        failed = 0;
        await told.segment(result.segment);
        continue;
      }
      const { gap } = result;
      ({ detail } = gap);
      if (gap.reason === "disk_full") throw new DiskFull(detail);
      failed = gap.reason === "failed" ? failed + 1 : 0;
      if (failed >= FAILED_MOST) throw failureOf(new Error(`the segments cannot be had (${detail})`));
      await told.tellGap(gap);
    }
  } catch (error) {
    outer.throwIfAborted();
    throw error;
  } finally {
    over.abort(new Error("the import has ended"));
  }
  if (told.segments.length === 0)
    throw notAVideo(
      list.segments.length === 0
        ? "The playlist is empty."
        : `None of its segments is a picture (${detail}).`,
    );
  // Also what an earlier call had missed.
  const missing = list.segments.length - told.segments.length;
  return missing === 0
    ? []
    : [
        {
          code: "truncated",
          detail: `${missing} of ${list.segments.length} segments of the picture could not be had.`,
          action: "The rest can be used; what is missing is shown as gaps.",
        },
      ];

  /** Sound alone is no picture, whatever the playlist says. */
  async function checkPicture(segment: VideoSegment): Promise<void> {
    try {
      const found = await pictureIn(segment, objects);
      if (found === null || found.hasPicture) return;
    } catch (error) {
      if (!(error instanceof NotMedia)) throw error;
      throw notAVideo(`The first segment is no video (${error.message}).`);
    }
    throw notAVideo("There is sound in the stream and no picture.");
  }
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* asyncly<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
