import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { Rendition, VideoSegment } from "@hypecast/contracts/video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { framesKey, measuredKey, thumbKey } from "@hypecast/contracts/object-keys.ts";
import { vodIdOf } from "@hypecast/contracts/vod.ts";
import type { CutModel } from "./cut-model.ts";
import { inOrder } from "./in-order.ts";
import { mediaMeters as meters } from "./media-meters.ts";
import type { Failure, Job, Outcome } from "./protocol.ts";
import type { SegmentLog } from "./segment-log.ts";
import type { Workers } from "./workers.ts";

export interface ChannelTools {
  readonly log: SegmentLog;
  readonly objects: Objects;
  readonly workers: Pick<Workers, "measure">;
  readonly cutModel: Pick<CutModel, "isThere" | "chances">;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Segments that are measured at the same time; told are they in their order. */
  readonly atOnce: number;
  /** Whether the channel is left out now. */
  readonly isShed: (channelId: string) => boolean;
}

export interface ChannelWork {
  /** How long its oldest unmeasured segment has been on the log; 0: none waits. */
  behindMs(nowMs: number): number;
  /** Segments that wait, the one under way included. */
  backlog(): number;
  /** Why nothing can be stored or read; null: it can. */
  trouble(): string | null;
  /** Stops; what was under way and is not on the log yet is somebody else's to do. */
  close(): Promise<void>;
}

const pack = promisify(zstdCompress);

const AGAIN_MS = 500;
const PIECES_AGAIN_MS = 1000;

/**
 * Measures one channel's segments in the order of the log, one at a time, each once: a `video.measured` is only taken by the log when
 * nobody else has published one since, so two processes that believe they own a channel cannot both go on.
 */
export function startChannel(channelId: string, tools: ChannelTools): ChannelWork {
  const { log, logger } = tools;
  const closing = new AbortController();
  const { signal } = closing;
  /** The oldest that is not on the log yet, and how many are behind it. */
  let current: { storedAtMs: number; pending: number } | null = null;
  const isVod = vodIdOf(channelId) !== null;
  let trouble: string | null = null;

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await fromTheLog();
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ channel: channelId, err: error }, "measuring is interrupted; it goes on by itself");
      }
      current = null;
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  };

  /** From the last measured segment until somebody else publishes one, the log breaks, or it is over. */
  async function fromTheLog(): Promise<void> {
    const position = await log.position(channelId);
    let before = position.segmentSeq === 0 ? null : await log.segmentAt(position.segmentSeq);
    const under: { storedAtMs: number; pending: number }[] = [];
    const reading = new AbortController();
    const measuring = inOrder(
      log.read(channelId, position.segmentSeq, AbortSignal.any([signal, reading.signal])),
      tools.atOnce,
      async ({ segment, storedAtMs, pending }) => {
        if (segment === null) return null;
        under.push({ storedAtMs, pending });
        current = under[0] ?? null;
        const earlier = before;
        before = segment;
        return eventOf(segment, earlier);
      },
    );
    try {
      for await (const { item, result: measured } of measuring) {
        const { segment, seq, pending } = item;
        if (segment === null) {
          meters.segments.inc({ outcome: "malformed" });
          continue;
        }
        if (measured === null || signal.aborted) return;
        const stored = await log.publish(measured, seq, position);
        if (stored === null) return;
        position.measuredSeq = stored;
        position.segmentSeq = seq;
        under.shift();
        current = under[0] ?? (pending === 0 ? null : { storedAtMs: Date.now(), pending: pending - 1 });
        meters.segments.inc({ outcome: measured.failed ?? "measured" });
      }
    } finally {
      reading.abort();
    }
  }
  const done = run();

  async function eventOf(segment: VideoSegment, before: VideoSegment | null): Promise<VideoMeasured | null> {
    const endTimer = meters.measureSeconds.startTimer();
    if (tools.isShed(channelId)) return failedAs(segment, "shed");
    const outcome = await outcomeOf(segment, before);
    if (outcome === null) return null;
    endTimer();
    if (outcome.failed !== null) {
      logger.info({ segment: segment.id, outcome: outcome.failed, detail: outcome.detail }, "not measured");
      return failedAs(segment, outcome.failed);
    }
    const { picture, sound, frames, allFrames, thumb } = outcome.measured;
    const cutChance = allFrames === null ? null : await tools.cutModel.chances(allFrames);
    const { epoch, seq } = segment;
    const event: VideoMeasured = {
      ...failedAs(segment, null),
      picture: picture === null || cutChance === null ? picture : { ...picture, cutChance },
      sound,
      framesKey: await stored(framesKey(channelId, epoch, seq), frames),
      thumbKey: await stored(thumbKey(channelId, epoch, seq), thumb),
    };
    if (isVod) await stored(measuredKey(channelId, epoch, seq), await pack(JSON.stringify(event)));
    return event;
  }

  /** Null: closed meanwhile. */
  async function outcomeOf(segment: VideoSegment, before: VideoSegment | null): Promise<Outcome | null> {
    const rendition = segment.analysis ?? segment.source;
    const earlier = before !== null && continues(before, segment) ? (before.analysis ?? before.source) : null;
    const files: { release(): Promise<void> }[] = [];
    const fetched = async (
      wanted: Rendition | null,
    ): Promise<Pick<Job, "container" | "path" | "initPath"> | null> => {
      if (wanted === null) return null;
      const media = await tools.objects.file(wanted.key);
      if (media === null) return null;
      files.push(media);
      const init = wanted.init === null ? null : await tools.objects.file(wanted.init.key);
      if (wanted.init !== null && init === null) return null;
      if (init !== null) files.push(init);
      return { container: wanted.container, path: media.path, initPath: init?.path ?? null };
    };
    try {
      const file = await persistently(async () => fetched(rendition));
      if (signal.aborted || file === undefined) return null;
      if (file === null) return { failed: "no_file", detail: "its file is not kept" };
      const earlierFile = await persistently(async () => fetched(earlier));
      if (earlierFile === undefined) return null;
      return await tools.workers.measure({
        id: segment.id,
        startMs: segment.startMs,
        durationMs: segment.durationMs,
        ...file,
        before: earlierFile,
        allFrames: tools.cutModel.isThere(),
      });
    } finally {
      for (const file of files) await file.release().catch(() => undefined);
    }
  }

  /** Objects that cannot be reached are waited for, as the log is. Undefined: closed meanwhile. */
  async function persistently<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    while (!signal.aborted)
      try {
        const result = await work();
        trouble = null;
        return result;
      } catch (error) {
        if (error instanceof DiskFull) throw error;
        trouble = error instanceof Error ? error.message : String(error);
        await sleep(PIECES_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    return undefined;
  }

  /** A full disk costs models and pages their pictures; shots and sound are measured all the same. */
  async function stored(key: string, bytes: Uint8Array | null): Promise<string | null> {
    if (bytes === null) return null;
    try {
      await persistently(async () => tools.objects.put(key, bytes));
      return key;
    } catch (error) {
      if (!(error instanceof DiskFull)) throw error;
      trouble = "no room for frames and thumbnails";
      return null;
    }
  }

  return {
    behindMs: (nowMs) => (current === null ? 0 : Math.max(0, nowMs - current.storedAtMs)),
    backlog: () => (current === null ? 0 : current.pending + 1),
    trouble: () => trouble,
    async close() {
      closing.abort();
      await done;
    },
  };
}

/** One segment's sound goes on in the next one when they stand side by side in the same rendition. */
function continues(before: VideoSegment, segment: VideoSegment): boolean {
  const [a, b] = [before.analysis ?? before.source, segment.analysis ?? segment.source];
  return (
    before.epoch === segment.epoch &&
    before.seq + 1 === segment.seq &&
    !segment.discontinuity &&
    a?.container === b?.container &&
    a?.height === b?.height
  );
}

const failedAs = (
  { id, channelId, epoch, seq, startMs, durationMs, discontinuity, ad }: VideoSegment,
  failed: Failure | null,
): VideoMeasured => ({
  ...{ id, channelId, epoch, seq, startMs, durationMs, discontinuity, ad, failed },
  picture: null,
  sound: null,
  framesKey: null,
  thumbKey: null,
});
