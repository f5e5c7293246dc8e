import { open, readFile } from "node:fs/promises";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { demuxFmp4 } from "../media/fmp4.ts";
import { NotMedia } from "../media/frame-source.ts";
import { demuxTs } from "../media/mpegts.ts";
import { msBetween, startOf, type Streams } from "../media/streams.ts";
import { ClipFailure } from "./failure.ts";
import { parametersIn, sizeIn, type PictureSize } from "./h264-size.ts";
import type { Head, Run } from "./runs.ts";

/** A segment's files, as programs can open them. */
export interface SegmentFiles {
  readonly media: string;
  readonly init: string | null;
}

/** The first picture's parameters and time lie within this. */
const HEAD_BYTES = 96 * 1024;
const TICKS_PER_S = 90_000;
export const secondsOf = (ticks: number): number => ticks / TICKS_PER_S;

/** The beginning of a segment's file; null: it is no media. */
export async function headOf(segment: VideoSegment, files: SegmentFiles): Promise<Head | null> {
  try {
    const { source } = segment;
    const fragmented = source?.container === "fmp4";
    const streams = fragmented
      ? demuxFmp4(files.init === null ? null : await readFile(files.init), await readFile(files.media))
      : demuxTs(await beginning(files.media));
    const ticks = startOf(streams);
    const { video } = streams;
    if (ticks === null || video === null) return null;
    const parameters = parametersIn(video.units[0]?.data ?? Buffer.alloc(0))?.toString("base64") ?? "";
    // Not the sound: in a large file its first packet lies behind what is read here.
    const setUp = [source?.container, source?.init?.key, video.codec, parameters].join();
    return { setUp, ticks };
  } catch (error) {
    if (error instanceof NotMedia) return null;
    throw error;
  }
}

async function beginning(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(bytes, 0, HEAD_BYTES, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A run with the times of its ends on the container's clock, in seconds, as the demuxer tells them. */
export interface CutRun {
  readonly run: Run;
  /** Of the first picture that is shown, and of the first that is not any more. */
  readonly startS: number;
  readonly endS: number;
  /** When the first picture is shown, in the stream's time. */
  readonly startMs: number;
  /** When the last keyframe at or before the first picture is decoded, which is where a copy begins: up to a few frames before it is shown. */
  readonly keyframeS: number;
  readonly keyframeMs: number;
  readonly size: PictureSize;
  readonly codec: "h264" | "hevc";
  readonly hasSound: boolean;
}

/** Looks for the pictures that are on the screen at both ends of a run. */
export async function cutRun(run: Run, filesOf: (segment: VideoSegment) => SegmentFiles): Promise<CutRun> {
  const first = run.segments[0];
  const last = run.segments.at(-1) ?? first;
  const opened = await openSegment(first, filesOf(first));
  const closed = last === first ? opened : await openSegment(last, filesOf(last));
  const shown = opened.pictures.findLast(({ atMs }) => atMs <= run.fromMs + HALF_MS) ?? opened.pictures[0];
  const keyframe =
    opened.pictures.findLast(({ isKey, atMs }) => isKey && atMs <= (shown?.atMs ?? 0)) ?? opened.pictures[0];
  const after = closed.pictures.find(({ atMs }) => atMs >= run.toMs - HALF_MS);
  if (shown === undefined || keyframe === undefined)
    throw new ClipFailure("bad_media", "A segment has no picture.", "Choose another span.");
  // Later segments count on from the first one's clock, also where its 33 bits start over.
  const baseS = secondsOf(opened.startTicks);
  const offsetS = msBetween(opened.startTicks, closed.startTicks) / 1000;
  const endInLastS = after === undefined ? closed.lengthS : (after.atMs - last.startMs) / 1000;
  return {
    run,
    startS: baseS + (shown.atMs - first.startMs) / 1000,
    endS: baseS + offsetS + endInLastS,
    startMs: Math.round(shown.atMs),
    keyframeS: baseS + (keyframe.decodedMs - first.startMs) / 1000,
    keyframeMs: Math.round(keyframe.decodedMs),
    size: opened.size ?? sizeSaid(first),
    codec: opened.codec,
    hasSound: opened.hasSound,
  };
}
/** Times of the stream are whole milliseconds, times of pictures are not. */
const HALF_MS = 0.5;

interface Opened {
  readonly startTicks: number;
  /** In the order that they are shown; the stream's time. */
  readonly pictures: { readonly atMs: number; readonly decodedMs: number; readonly isKey: boolean }[];
  readonly lengthS: number;
  readonly size: PictureSize | null;
  readonly codec: "h264" | "hevc";
  readonly hasSound: boolean;
}

async function openSegment(segment: VideoSegment, files: SegmentFiles): Promise<Opened> {
  const media = await readFile(files.media);
  let streams: Streams;
  try {
    streams =
      segment.source?.container === "fmp4"
        ? demuxFmp4(files.init === null ? null : await readFile(files.init), media)
        : demuxTs(media);
  } catch (error) {
    if (!(error instanceof NotMedia)) throw error;
    throw new ClipFailure(
      "bad_media",
      `A stored segment is no video: ${error.message}.`,
      "Choose another span.",
    );
  }
  const { video } = streams;
  const startTicks = startOf(streams);
  if (video === null || startTicks === null)
    throw new ClipFailure("bad_media", "A stored segment has no picture in it.", "Choose another span.");
  const pictures = video.units
    .map(({ ptsTicks, dtsTicks, data }) => ({
      atMs: segment.startMs + msBetween(startTicks, ptsTicks),
      decodedMs: segment.startMs + msBetween(startTicks, dtsTicks),
      isKey: isKeyframe(video.codec, data),
    }))
    .sort((a, b) => a.atMs - b.atMs);
  const steps = pictures.slice(1).map(({ atMs }, i) => atMs - (pictures[i]?.atMs ?? 0));
  const usualMs = steps.sort((a, b) => a - b)[steps.length >> 1] ?? 1000 / 30;
  const lastMs = (pictures.at(-1)?.atMs ?? segment.startMs) - segment.startMs;
  const parameters = parametersIn(video.units[0]?.data ?? Buffer.alloc(0));
  return {
    startTicks,
    pictures,
    lengthS: (lastMs + usualMs) / 1000,
    size: video.codec === "h264" && parameters !== null ? sizeIn(parameters) : null,
    codec: video.codec,
    hasSound: streams.audio !== null || streams.audioTracks > 0,
  };
}

function sizeSaid({ source }: VideoSegment): PictureSize {
  if (source !== null && source.width > 0 && source.height > 0)
    return { width: source.width, height: source.height };
  throw new ClipFailure(
    "bad_media",
    "The size of the picture is not known.",
    "The playlist should say the resolution of its renditions.",
  );
}

/** An access unit that a decoder can begin with: IDR, or for HEVC any random access point. */
function isKeyframe(codec: "h264" | "hevc", unit: Buffer): boolean {
  for (let at = unit.indexOf(START); at >= 0; at = unit.indexOf(START, at + 3)) {
    const byte = unit[at + 3] ?? 0;
    const kind = codec === "h264" ? byte & 0x1f : (byte >> 1) & 0x3f;
    if (codec === "h264" ? kind === 5 : kind >= 16 && kind <= 21) return true;
    // The first slice says what the picture is.
    if (codec === "h264" ? kind >= 1 && kind <= 4 : kind < 16) return false;
  }
  return false;
}
const START = Buffer.from([0, 0, 1]);
