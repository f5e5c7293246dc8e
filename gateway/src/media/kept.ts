import { vodIdOf } from "@hypecast/contracts/vod.ts";
import type { VideoSegment, VideoState } from "@hypecast/contracts/video.ts";
import { followVideo, readKeptVideo, type KeptIn } from "@hypecast/runtime/kept-video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { ProblemError } from "../problems.ts";
import { append, emptyTimeline, trim, type Timeline } from "./playlist.ts";

/** A channel is read on so long after somebody has last asked for it. */
const IDLE_MS = 5 * 60_000;
/** The log may take so long to say what there is before who asks is told to come back. */
const READ_MS = 5000;
/** What came while the past was being read is told again: a segment that is there already changes nothing. */
const AGAIN_MS = 10_000;

/** What is kept of each channel's picture. Only channels that somebody looks at are read. */
export interface KeptVideo {
  /** As playlists list it, and growing. Null: nothing is kept. */
  of(state: VideoState | null): Promise<Timeline | null>;
  /** The segments that overlap a span, of what is kept. */
  within(state: VideoState | null, fromMs: number, toMs: number): Promise<VideoSegment[]>;
  close(): void;
}

/** What is kept of an imported stream grows while it is imported, and then no more: it is read again when more is there. */
const hasGrown = ({ newestMs }: Followed, state: VideoState): boolean => newestMs !== state.newestMs;

interface Followed {
  /** Of an imported stream, how far it went when it was read. */
  readonly newestMs: number | null;
  readonly timeline: Promise<Timeline>;
  askedAtMs: number;
  readonly stop: () => void;
}

export function followKeptVideo(keptIn: KeptIn, log: Logger): KeptVideo {
  const followed = new Map<string, Followed>();
  const timer = setInterval(() => {
    for (const [channelId, { askedAtMs }] of followed)
      if (askedAtMs < Date.now() - IDLE_MS) forget(channelId);
  }, IDLE_MS / 10);
  const forget = (channelId: string): void => {
    followed.get(channelId)?.stop();
    followed.delete(channelId);
  };
  return {
    async of(state) {
      const kept = keptOf(state);
      if (kept === null || state === null) return null;
      const { channelId, oldestMs } = kept;
      const isVod = vodIdOf(channelId) !== null;
      let one = followed.get(channelId);
      if (isVod && one !== undefined && hasGrown(one, state)) one = undefined;
      if (one === undefined) {
        one = isVod ? readVod(keptIn, state, kept) : follow(keptIn, channelId, oldestMs);
        followed.set(channelId, one);
        one.timeline.catch((error: unknown) => {
          log.warn({ err: error, channelId }, "what is kept could not be read");
          forget(channelId);
        });
      }
      one.askedAtMs = Date.now();
      const timeline = await inTime(one.timeline);
      trim(timeline, oldestMs);
      return timeline.listed.length === 0 ? null : timeline;
    },
    async within(state, fromMs, toMs) {
      const kept = keptOf(state);
      if (kept === null) return [];
      const { segments } = await inTime(readKeptVideo(keptIn, kept.channelId, fromMs, toMs));
      return segments.filter(({ startMs }) => startMs >= kept.oldestMs);
    },
    close() {
      clearInterval(timer);
      for (const { stop } of followed.values()) stop();
    },
  };
}

const keptOf = (state: VideoState | null): { channelId: string; oldestMs: number } | null =>
  state === null || state.channelId === null || state.oldestMs === null
    ? null
    : { channelId: state.channelId, oldestMs: state.oldestMs };

/** The past first, then each segment as it comes. */
function follow(keptIn: KeptIn, channelId: string, oldestMs: number): Followed {
  const beganAtMs = Date.now();
  const following: { close(): void }[] = [];
  let stopped = false;
  const timeline = (async () => {
    const read = emptyTimeline();
    const { segments } = await readKeptVideo(keptIn, channelId, oldestMs, Number.MAX_SAFE_INTEGER);
    for (const segment of segments) append(read, segment);
    if (!stopped)
      following.push(
        followVideo(keptIn.nc, channelId, beganAtMs - AGAIN_MS, {
          segment: (segment) => void append(read, segment),
          gap: () => undefined,
        }),
      );
    return read;
  })();
  return {
    newestMs: null,
    timeline,
    askedAtMs: beganAtMs,
    stop() {
      stopped = true;
      for (const one of following) one.close();
    },
  };
}

/** All of an imported stream's picture, from its manifest. */
function readVod(
  keptIn: KeptIn,
  { newestMs }: VideoState,
  { channelId, oldestMs }: { channelId: string; oldestMs: number },
): Followed {
  const timeline = (async () => {
    const read = emptyTimeline();
    const { segments } = await readKeptVideo(keptIn, channelId, oldestMs, Number.MAX_SAFE_INTEGER);
    for (const segment of segments) append(read, segment);
    return read;
  })();
  return { newestMs, timeline, askedAtMs: Date.now(), stop: () => undefined };
}

async function inTime<Result>(reading: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), READ_MS);
  });
  try {
    return await Promise.race([reading, late]);
  } catch {
    throw new ProblemError("bus_down", "the log has not said what is kept", { "Retry-After": "2" });
  } finally {
    clearTimeout(timer);
  }
}
