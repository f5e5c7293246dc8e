import type { NatsConnection } from "@nats-io/transport-node";
import { segmentFolder } from "@hypecast/contracts/object-keys.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { vodPictureChannel, type Vod } from "@hypecast/contracts/vod.ts";
import { VOD_FETCH_SUBJECT, VOD_FETCH_WITHIN_MS, vodFetch } from "@hypecast/contracts/vod-fetch.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import type { SegmentStep } from "../../sources/hls/plan.ts";
import { openRendition } from "../../sources/hls/segment.ts";
import { openFinishedHls, placed, type FinishedHls } from "./hls.ts";
import { readTaken } from "./taken.ts";
import type { VideoTools } from "./tools.ts";

/** Segments that are being fetched; who asks for more is told to come back. */
const MOST_AT_ONCE = 16;
/** A playlist is read again after this: its addresses have tokens in them that grow old. */
const PLAYLIST_MS = 120_000;
const MOST_PLAYLISTS = 20;

/** Only where a file a segment says all: with an initialisation section the manifest could not name it before it was fetched. */
export const canBeAsked = ({ list }: FinishedHls): boolean =>
  list.segments.every(({ init }) => init === null);

/** All segments of a playlist as the manifest has them, of which none is fetched: the best rendition, and nothing to measure. */
export function askedSegments(id: string, startMs: number, hls: FinishedHls, epoch: number): VideoSegment[] {
  const channelId = vodPictureChannel(id);
  const [small, large = small] = hls.lists.renditions;
  const { width, height, bandwidth } = large;
  return placed(hls.list, startMs)
    .filter(({ listed }) => !listed.absent)
    .map(({ listed: { seq, ad, discontinuity }, startMs, durationMs }) => ({
      ...{
        id: `${channelId}:${epoch}:${seq}`,
        channelId,
        epoch,
        seq,
        startMs,
        durationMs,
        discontinuity,
        ad,
      },
      analysis: null,
      source: {
        key: `${segmentFolder(channelId)}/${epoch}/${seq}-${height}.ts`,
        ...{ bytes: 0, width, height, bandwidth, container: "ts", init: null },
      },
    }));
}

/**
 * Answers whoever needs a segment that is not fetched (runtime/src/vod-fetch.ts). Any number of processes may; each segment is fetched once at a
 * time by one of them, through the checks of all video.
 */
export function serveVodSegments(
  nc: NatsConnection,
  tools: Pick<VideoTools, "objects" | "config" | "log" | "fetch"> & {
    sourceOf(id: string): Promise<Pick<Vod, "source"> | null>;
  },
): { close(): void } {
  const { objects, config, log } = tools;
  const closing = new AbortController();
  const { signal } = closing;
  const playlists = new Map<string, { readMs: number; hls: Promise<FinishedHls> }>();
  const fetching = new Map<string, Promise<string | null>>();

  const playlistOf = (url: string): Promise<FinishedHls> => {
    const known = playlists.get(url);
    if (known !== undefined && performance.now() - known.readMs < PLAYLIST_MS) return known.hls;
    const hls = openFinishedHls(url, tools, signal);
    playlists.delete(url);
    playlists.set(url, { readMs: performance.now(), hls });
    for (const old of playlists.keys()) if (playlists.size > MOST_PLAYLISTS) playlists.delete(old);
    hls.catch(() => playlists.delete(url));
    return hls;
  };

  /** Null: it is there. */
  async function have(id: string, seq: number): Promise<string | null> {
    const segment = (await readManifest(objects, id)).find((one) => one.seq === seq);
    const file = segment?.source ?? null;
    if (segment === undefined || file === null) return "the stream has no such segment";
    if ((await objects.size(file.key)) !== null) return null;
    const vod = await tools.sourceOf(id);
    const taken = vod === null ? null : await readTaken({ id, source: vod.source }, objects);
    if (taken?.asked !== true || vod?.source.url == null) return "it is not kept";
    const { lists, list } = await playlistOf(vod.source.url);
    const listed = list.segments.find((one) => one.seq === seq);
    const own = listed === undefined ? null : await lists.sourceOf(listed, signal);
    if (listed === undefined || own === null) return "the playlist does not list it any more";
    const [small, large = small] = lists.renditions;
    const parts = {
      ...{ fetch: tools.fetch, objects, signal, giveUpMs: VOD_FETCH_WITHIN_MS / 2 },
      mostBytes: config.HYPECAST_VIDEO_SEGMENT_MB * 1024 * 1024,
    };
    const { epoch, startMs, durationMs, channelId } = segment;
    const step: SegmentStep = { kind: "segment", listed, epoch, startMs, durationMs, uncertainMs: null };
    const kept = await openRendition(parts, large, segmentFolder(channelId), String(large.height))(step, own);
    return "why" in kept ? kept.detail : null;
  }

  const subscription = nc.subscribe(VOD_FETCH_SUBJECT, {
    queue: "imports",
    callback: (_error, message) => {
      const say = (problem: string | null): void => void message.respond(JSON.stringify({ problem }));
      let asked;
      try {
        asked = vodFetch.parse(message.json());
      } catch {
        return say("that is no segment");
      }
      const { id, seq } = asked;
      const name = `${id} ${seq}`;
      if (!fetching.has(name)) {
        if (fetching.size >= MOST_AT_ONCE) return say("too many segments are being fetched");
        const work = have(id, seq).catch((error: unknown) => {
          log.warn({ err: error, vod: id, seq }, "a segment cannot be had");
          return error instanceof Error ? error.message : String(error);
        });
        fetching.set(
          name,
          work.finally(() => fetching.delete(name)),
        );
      }
      void fetching.get(name)?.then(say);
    },
  });
  return {
    close() {
      subscription.unsubscribe();
      closing.abort(new Error("the process stops"));
    },
  };
}
