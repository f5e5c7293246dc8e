import { demuxFmp4 } from "./fmp4.ts";
import { NotMedia, PREROLL_MS, WARM_UP_MS, type DecodeRequest, type SegmentBytes } from "./frame-source.ts";
import { demuxTs } from "./mpegts.ts";
import { msBetween, startOf, type Streams, type Unit } from "./streams.ts";

/** A unit with its times on the segment's clock: 0 is its first video timestamp. */
export interface TimedUnit {
  atMs: number;
  decodeAtMs: number;
  data: Buffer;
}

/** What both decoders are given of a segment. */
export interface Parts {
  startTicks: number;
  video: { codec: "h264" | "hevc"; units: TimedUnit[] } | null;
  /** Begins up to PREROLL_MS + WARM_UP_MS before the segment, where the one before it continues in this one. */
  audio: { codec: "aac" | "mpeg"; units: TimedUnit[] } | null;
  audioTracks: number;
}

export function takeApart(request: DecodeRequest): Parts {
  const streams = demux(request);
  const startTicks = startOf(streams);
  if (startTicks === null) throw new NotMedia("no picture and no sound in it");
  const timed = ({ ptsTicks, dtsTicks, data }: Unit): TimedUnit => ({
    atMs: msBetween(startTicks, ptsTicks),
    decodeAtMs: msBetween(startTicks, dtsTicks),
    data,
  });
  const video = streams.video && { codec: streams.video.codec, units: streams.video.units.map(timed) };
  const audio = streams.audio && { codec: streams.audio.codec, units: streams.audio.units.map(timed) };
  const first = audio?.units[0];
  if (audio !== null && first !== undefined && request.before !== null)
    audio.units.unshift(...soundBefore(request.before, audio.codec, first.atMs, timed));
  return { startTicks, video, audio, audioTracks: streams.audioTracks };
}

/** Throws NotMedia. */
export const demux = (bytes: SegmentBytes): Streams =>
  bytes.container === "ts" ? demuxTs(bytes.media) : demuxFmp4(bytes.init, bytes.media);

/** Beginnings of packets of sound further apart than this: the sound does not go on. */
const JOINT_MS = 600;

function soundBefore(
  before: SegmentBytes,
  codec: string,
  untilMs: number,
  timed: (unit: Unit) => TimedUnit,
): TimedUnit[] {
  let streams: Streams;
  try {
    streams = demux(before);
  } catch (error) {
    // Broken as it may be, this segment stands on its own.
    if (error instanceof NotMedia) return [];
    throw error;
  }
  if (streams.audio?.codec !== codec) return [];
  const units = streams.audio.units.map(timed).filter(({ atMs }) => atMs < untilMs);
  const last = units.at(-1);
  // A packet holds up to half a second of sound; how long it is is not known here.
  if (last === undefined || untilMs - last.atMs > JOINT_MS) return [];
  const first = units.findLastIndex(({ atMs }) => atMs <= -(PREROLL_MS + WARM_UP_MS));
  return units.slice(Math.max(0, first));
}
