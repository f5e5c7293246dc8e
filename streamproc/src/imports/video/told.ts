import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import { vodPictureChannel, vodVideoKey } from "@hypecast/contracts/vod.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { videoSegment } from "@hypecast/contracts/video.ts";
import { openChannelLog } from "../../sources/hls/log.ts";
import type { VideoTools } from "./tools.ts";

/** The manifest is one object that is written anew: what stands on the log meanwhile is read from there after a kill. */
const WRITE_EVERY_MS = 10_000;

/** Of a segment's files. */
export const bytesOf = ({ source, analysis }: Pick<VideoSegment, "source" | "analysis">): number =>
  (source?.bytes ?? 0) + (analysis?.key === source?.key ? 0 : (analysis?.bytes ?? 0));

export async function writeManifest(
  objects: Pick<VideoTools["objects"], "put">,
  id: string,
  segments: readonly VideoSegment[],
): Promise<void> {
  await objects.put(vodVideoKey(id), Buffer.from(segments.map((one) => `${JSON.stringify(one)}\n`).join("")));
}

/** What is kept of one import's picture, on the log and in the manifest. */
export interface Told {
  readonly channelId: string;
  /** In order. Those of an earlier call are there from the beginning. */
  readonly segments: readonly VideoSegment[];
  /** The last gap, where it stands behind the last segment. */
  readonly gap: VideoGap | null;
  segment(segment: VideoSegment): Promise<void>;
  tellGap(gap: VideoGap): Promise<void>;
  /** The manifest, whole. */
  write(): Promise<void>;
}

/**
 * Each segment is on the log once, behind the one before it, whoever else tries (sources/hls/log.ts). The manifest is the truth for good: the
 * log forgets after two days, and an import that was left for longer goes on from the manifest.
 */
export async function openTold(
  id: string,
  { nc, objects }: Pick<VideoTools, "nc" | "objects">,
  signal: AbortSignal,
  tell: (sum: { segments: number; bytes: number }, segments: readonly VideoSegment[]) => void,
): Promise<Told> {
  const channelId = vodPictureChannel(id);
  const log = await openChannelLog(nc, channelId, signal);
  const segments = await readManifest(objects, id);
  const last = segments.at(-1);
  if (log.last.segment !== null && log.last.segment.id !== last?.id) {
    const known = new Set(segments.map((one) => one.id));
    for await (const message of readSince(nc, "INPUT", [subjectOf(videoSegment, channelId)], 0)) {
      const segment = message.json<VideoSegment>();
      if (!known.has(segment.id)) segments.push(segment);
    }
  }
  const sum = { segments: 0, bytes: 0 };
  const count = ({ source, analysis }: VideoSegment): void => {
    sum.segments++;
    sum.bytes += bytesOf({ source, analysis });
  };
  for (const segment of segments) count(segment);
  let gap = log.last.gap;
  let writtenMs = performance.now();
  const write = async (): Promise<void> => {
    writtenMs = performance.now();
    await writeManifest(objects, id, segments);
  };
  tell(sum, segments);
  return {
    channelId,
    segments,
    get gap() {
      return gap;
    },
    async segment(segment) {
      await log.segment(segment);
      segments.push(segment);
      gap = null;
      count(segment);
      if (segments.length === 1 || performance.now() - writtenMs > WRITE_EVERY_MS) await write();
      tell(sum, segments);
    },
    async tellGap(said) {
      await log.gap(said);
      gap = said;
    },
    write,
  };
}
