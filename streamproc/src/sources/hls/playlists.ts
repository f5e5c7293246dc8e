import { setTimeout as sleep } from "node:timers/promises";
import type { Fetch } from "./fetch.ts";
import { fetchFailures, fetchSeconds } from "./metrics.ts";
import {
  chooseRenditions,
  PLAYLIST_BYTES,
  readPlaylist,
  Refused,
  type Listed,
  type MediaPlaylist,
  type Variant,
} from "./playlist.ts";

const PLAYLIST_MS = 5000;
/** The playlists of two renditions are written one after the other: the same segment may be listed a little later in one. */
const SOURCE_LATE_MS = 400;
const SOURCE_TRIES = 6;
const SOURCE_REMEMBERED = 100;

export interface Playlists {
  /** Analysis, and the source where that is another. */
  readonly renditions: readonly [analysis: Variant, source?: Variant];
  /** The playlist of the analysis rendition as it is now. */
  next(signal: AbortSignal): Promise<MediaPlaylist>;
  /** The same segment in the source's playlist; null: it is not listed there. */
  sourceOf(listed: Listed, signal: AbortSignal): Promise<Listed | null>;
}

/** Reads the address: a master playlist, of which two renditions are followed, or a media playlist. */
export async function openPlaylists(
  address: string,
  fetch: Fetch,
  signal: AbortSignal,
  mostHeight: number,
  mostSegments?: number,
): Promise<Playlists> {
  const read = async (url: string): Promise<ReturnType<typeof readPlaylist>> => {
    const from = performance.now();
    const limits = { mostBytes: PLAYLIST_BYTES, withinMs: PLAYLIST_MS };
    const found = await fetch(url, limits, signal, null).catch((error: unknown) => {
      fetchFailures.inc({ what: "playlist" });
      throw error;
    });
    fetchSeconds.observe({ what: "playlist" }, (performance.now() - from) / 1000);
    return readPlaylist(found.body.toString("utf8"), found.url, mostSegments);
  };
  const readMedia = async (url: string): Promise<MediaPlaylist> => {
    const list = await read(url);
    if (list.kind === "master") throw new Refused("the master playlist names another master playlist");
    return list;
  };

  const first = await read(address);
  if (first.kind === "media") {
    const only = { url: address, width: 0, height: 0, bandwidth: 0, soundApart: false };
    let unread: MediaPlaylist | null = first;
    return {
      renditions: [only],
      next: async () => {
        const list = unread ?? (await readMedia(address));
        unread = null;
        return list;
      },
      sourceOf: async (listed) => listed,
    };
  }
  const { analysis, source } = chooseRenditions(first.variants, mostHeight);
  if (source === analysis)
    return {
      renditions: [analysis],
      next: () => readMedia(analysis.url),
      sourceOf: async (listed) => listed,
    };

  /** Listed lately, oldest first: a segment may have left the playlist by the time that its turn comes. */
  let sourceListed: Listed[] = [];
  let readAt = -Infinity;
  const readSource = async (): Promise<void> => {
    readAt = performance.now();
    // A source rendition that cannot be read is not kept; measuring goes on.
    const list = await readMedia(source.url).catch(() => null);
    const first = list?.segments[0]?.seq;
    if (list === null || first === undefined) return;
    const before = sourceListed.filter(({ seq }) => seq < first).slice(-SOURCE_REMEMBERED);
    sourceListed = [...before, ...list.segments];
  };
  return {
    renditions: [analysis, source],
    async next() {
      const [list] = await Promise.all([readMedia(analysis.url), readSource()]);
      return list;
    },
    async sourceOf(listed, stop) {
      for (let i = 0; i < SOURCE_TRIES; i++) {
        const same = sameSegment(listed, sourceListed);
        if (same !== "later") return same;
        await sleep(SOURCE_LATE_MS, undefined, { signal: stop });
        if (performance.now() - readAt >= SOURCE_LATE_MS) await readSource();
      }
      return null;
    },
  };
}

/** By time where both playlists tell it, for numbers need not agree between renditions; else by number. */
export function sameSegment(listed: Listed, others: readonly Listed[]): Listed | null | "later" {
  const newest = others.at(-1);
  if (newest === undefined) return "later";
  const { pdtMs, durationMs, seq } = listed;
  if (pdtMs === null || newest.pdtMs === null) {
    if (newest.seq < seq) return "later";
    return others.find((one) => one.seq === seq) ?? null;
  }
  const same = others.find((one) => one.pdtMs !== null && Math.abs(one.pdtMs - pdtMs) < durationMs / 2);
  if (same !== undefined) return same;
  return newest.pdtMs < pdtMs && newest.seq <= seq ? "later" : null;
}
