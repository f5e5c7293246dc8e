import { join } from "node:path";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import type { Vod, VodError } from "@hypecast/contracts/vod.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import { DiskFull } from "@hypecast/runtime/objects.ts";
import { ImportFailure } from "../chat/failure.ts";
import { vodLink } from "../twitch/vod-link.ts";
import { openLocalFile, openUpload, type FfmpegInput } from "./ffmpeg-input.ts";
import { probeFile, type FileFacts } from "./file.ts";
import { openFinishedHls, pictureIn, takeHls, type FinishedHls } from "./hls.ts";
import { askedSegments, canBeAsked } from "./on-demand.ts";
import { takeFile } from "./take-file.ts";
import { readTaken, settleTaken, sourceOf, writeTaken } from "./taken.ts";
import { bytesOf, openTold, writeManifest } from "./told.ts";
import type { OfVod, Tell, VideoFacts, VideoTools } from "./tools.ts";

export interface TakenVideo {
  readonly video: NonNullable<Vod["video"]>;
  readonly notes: readonly VodError[];
  /** Nothing of it was fetched, and so nothing can be measured: players and clips ask for what they need. */
  readonly asked: boolean;
}

/** Does the record name a picture? Of a link to Twitch only where the settings name a way to it. */
export const namesVideo = (
  { videoUpload, url }: Vod["source"],
  { TWITCH_VOD_COMMAND }: Pick<Config, "TWITCH_VOD_COMMAND">,
): boolean =>
  videoUpload !== null || (url !== null && (vodLink(url) === null || TWITCH_VOD_COMMAND.trim() !== ""));

/**
 * Looks at the picture without taking it, so that the import knows its length and when it began before anything is published. Throws
 * ImportFailure: not_a_video, unreachable, refused, protected, no_way, not_found.
 */
export async function lookAtVideo(
  vod: Pick<OfVod, "id" | "source">,
  tools: VideoTools,
  signal: AbortSignal,
): Promise<VideoFacts> {
  const before = await readTaken(vod, tools.objects);
  if (before?.whole === true) return before.facts;
  return withVideo(vod, tools, signal, async (video) => factsOf(video));
}

/**
 * Takes the picture apart into segments in `objects`, tells each as `video.segment` (or `video.gap`) on `vodPictureChannel`, and keeps the
 * manifest. `vod.startMs` is the event time of the first picture and must not change between calls. What an earlier call did is not done
 * again. Throws ImportFailure. With `hasChat`, and where the settings say so, of a playlist only the manifest is made: `asked`.
 */
export async function takeVideo(
  vod: OfVod,
  tools: VideoTools,
  signal: AbortSignal,
  tell: Tell,
  hasChat = false,
): Promise<TakenVideo> {
  const mayBeAsked = hasChat && tools.config.HYPECAST_IMPORT_PICTURE === "asked";
  const before = await settleTaken(vod, mayBeAsked, tools);
  if (before?.whole === true) {
    const segments = await readManifest(tools.objects, vod.id);
    const video = videoOf(segments, vod, before.facts);
    tell({ ...video, seconds: video.durationS, ofSeconds: video.durationS, video });
    return { video, notes: before.notes, asked: before.asked };
  }
  return withVideo(vod, tools, signal, async (opened) => {
    const facts = factsOf(opened);
    const asked = mayBeAsked && "hls" in opened && canBeAsked(opened.hls);
    const { startMs } = vod;
    const taken = { source: sourceOf(vod.source), startMs, whole: false, asked, facts, notes: [] };
    await writeTaken(vod.id, taken, tools.objects);
    if (asked) {
      const segments = askedSegments(vod.id, startMs, opened.hls, Date.now());
      await writeManifest(tools.objects, vod.id, segments);
      await writeTaken(vod.id, { ...taken, whole: true }, tools.objects);
      return { video: videoOf(segments, vod, facts), notes: [], asked };
    }
    const told = await openTold(vod.id, tools, signal, ({ segments, bytes }, all) => {
      const seconds = untilS(all, vod.startMs);
      const { width, height, durationS } = facts;
      const video =
        segments === 0 ? null : { width, height, durationS: seconds, bytes, segments, thumbKey: null };
      tell({ segments, bytes, seconds, ofSeconds: durationS, video });
    });
    try {
      const notes =
        "hls" in opened
          ? await takeHls(vod, opened.hls, told, tools, signal)
          : await takeFile(vod, opened.input, opened.facts, told, tools, signal);
      await told.write();
      const last = told.segments.at(-1);
      const file = last?.source ?? last?.analysis ?? null;
      // Only a master playlist says it of a stream.
      const found = last === undefined || file?.width !== 0 ? null : await pictureIn(last, tools.objects);
      const { width, height } = found?.size ?? file ?? facts;
      const whole = { ...taken, whole: true, facts: { ...facts, width, height }, notes };
      await writeTaken(vod.id, whole, tools.objects);
      return { video: videoOf(told.segments, vod, whole.facts), notes, asked };
    } catch (error) {
      // What is there can be played and clipped, whatever became of the rest.
      if (told.segments.length > 0) await told.write().catch(() => undefined);
      throw error instanceof DiskFull ? diskFull() : error;
    }
  });
}

function factsOf(video: Opened): VideoFacts {
  if ("hls" in video) {
    const { durationS, width, height, startMs } = video.hls;
    return { kind: "hls", durationS, bytes: null, width, height, startMs, encodes: null };
  }
  const { durationS, width, height, encodes } = video.facts;
  return { kind: "file", durationS, bytes: video.input.bytes, width, height, startMs: null, encodes };
}

type Opened = { readonly hls: FinishedHls } | { readonly input: FfmpegInput; readonly facts: FileFacts };

async function withVideo<Result>(
  { source }: Pick<OfVod, "source">,
  tools: VideoTools,
  signal: AbortSignal,
  work: (video: Opened) => Promise<Result>,
): Promise<Result> {
  const { videoUpload, url } = source;
  if (videoUpload === null && url?.startsWith("file:") !== true) {
    if (url === null)
      throw new ImportFailure("no_way", "Nothing says where the picture is.", "Upload a video file.");
    return work({ hls: await openFinishedHls(url, tools, signal) });
  }
  const input = await openInput(videoUpload, url, tools);
  try {
    return await work({ input, facts: await probeFile(input, signal) });
  } finally {
    await input.release();
  }
}

async function openInput(
  upload: string | null,
  url: string | null,
  { objects, config }: VideoTools,
): Promise<FfmpegInput> {
  if (upload !== null) return openUpload(upload, objects, join(config.HYPECAST_DATA, "tmp", "imports"));
  if (!/^(?:127\.[\d.]+|::1|localhost)$/.test(config.HYPECAST_HOST))
    throw new ImportFailure(
      "refused",
      "Files of this machine are imported only while HYPECAST_HOST is a loopback address: nobody else can name them then.",
      "Upload the file instead.",
    );
  return openLocalFile(url ?? "");
}

/** Seconds of the stream from its start to the end of what is there. */
const untilS = (segments: readonly VideoSegment[], startMs: number): number => {
  const last = segments.at(-1);
  return last === undefined ? 0 : (last.startMs + last.durationMs - startMs) / 1000;
};

const diskFull = (): ImportFailure =>
  new ImportFailure(
    "disk_full",
    "There is no room for the picture.",
    "Make room and try again: what is here already is not taken twice.",
  );

function videoOf(
  segments: readonly VideoSegment[],
  { startMs }: OfVod,
  { width, height }: { width: number; height: number },
): NonNullable<Vod["video"]> {
  return {
    ...{ width, height, durationS: untilS(segments, startMs) },
    bytes: segments.reduce((sum, segment) => sum + bytesOf(segment), 0),
    segments: segments.length,
    thumbKey: null,
  };
}
