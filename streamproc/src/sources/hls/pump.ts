import { setTimeout as sleep } from "node:timers/promises";
import { segmentFolder } from "@hypecast/contracts/object-keys.ts";
import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Fetch } from "./fetch.ts";
import type { ChannelLog } from "./log.ts";
import { gapsSaid, segmentsKept } from "./metrics.ts";
import type { SegmentStep, Step } from "./plan.ts";
import type { Playlists } from "./playlists.ts";
import { openRendition, toldOf } from "./segment.ts";

export interface PumpParts {
  readonly channelId: string;
  readonly channelLog: ChannelLog;
  readonly lists: Playlists;
  readonly fetch: Fetch;
  readonly objects: Pick<Objects, "put">;
  readonly settings: { readonly mostBytes: number; readonly giveUpMs: number };
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly sure: () => boolean;
  /** What the log has now. */
  readonly told: { segment(segment: VideoSegment): void; gap(gap: VideoGap): void };
}

/** Segments that are fetched at once: the next two in order. */
const AHEAD = 2;

export interface Pump {
  add(steps: readonly Step[]): void;
  /** When everything that was added is on the log. */
  idle(): Promise<void>;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
}

/** Fetches what is planned, a few at once, and tells the log in the playlist's order. As much waits here as a playlist can list. */
export function openPump(parts: PumpParts): Pump {
  const { channelId, channelLog, lists, signal, log } = parts;
  const { mostBytes, giveUpMs } = parts.settings;
  const common = { fetch: parts.fetch, objects: parts.objects, mostBytes, giveUpMs, signal };
  const folder = segmentFolder(channelId);
  const [analysisVariant, sourceVariant] = lists.renditions;
  const analysis = openRendition(common, analysisVariant, folder, String(analysisVariant.height));
  const sameHeight = sourceVariant?.height === analysisVariant.height;
  const source =
    sourceVariant === undefined
      ? null
      : openRendition(common, sourceVariant, folder, `${sourceVariant.height}${sameHeight ? "s" : ""}`);

  const fetchStep = async (step: SegmentStep): Promise<ReturnType<typeof toldOf>> => {
    const first = analysis(step, step.listed);
    if (source === null) return toldOf(step, channelId, await first, await first);
    const second = lists
      .sourceOf(step.listed, signal)
      .then(async (listed) =>
        listed === null
          ? { why: "not_found" as const, detail: "the best rendition does not list it" }
          : source(step, listed),
      );
    const [one, two] = await Promise.all([first, second]);
    return toldOf(step, channelId, one, two);
  };

  const jobs: { step: Step; told: Promise<{ segment: VideoSegment } | { gap: VideoGap }> | null }[] = [];
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  let draining: Promise<void> = Promise.resolve();
  let busy = false;

  const start = (): void => {
    for (const job of jobs.slice(0, AHEAD)) {
      if (job.told !== null) continue;
      const { step } = job;
      job.told =
        step.kind === "gap"
          ? Promise.resolve({ gap: { ...step.gap, id: `${channelId}:${step.gap.id}`, channelId } })
          : fetchStep(step);
      // It is awaited in its turn.
      job.told.catch(() => {});
    }
  };
  const drain = async (): Promise<void> => {
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      const told = await job.told;
      if (told === null) throw new Error("a job was not started");
      while (!parts.sure()) await sleep(100, undefined, { signal });
      if ("gap" in told) await tellGap(told.gap);
      else await tellSegment(told.segment);
      jobs.shift();
      start();
    }
  };
  const tellGap = async (gap: VideoGap): Promise<void> => {
    await channelLog.gap(gap);
    gapsSaid.inc({ reason: gap.reason });
    log.info(
      { reason: gap.reason, seconds: (gap.toMs - gap.fromMs) / 1000, detail: gap.detail },
      "video gap",
    );
    parts.told.gap(gap);
  };
  const tellSegment = async (segment: VideoSegment): Promise<void> => {
    await channelLog.segment(segment);
    segmentsKept.inc();
    parts.told.segment(segment);
  };
  return {
    add(steps) {
      for (const step of steps) jobs.push({ step, told: null });
      start();
      if (busy) return;
      busy = true;
      draining = drain()
        .catch(fail)
        .finally(() => (busy = false));
    },
    idle: () => draining,
    failed,
  };
}
