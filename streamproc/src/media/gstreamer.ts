import { FRAME_HEIGHT, FRAME_WIDTH } from "../signals/signature.ts";
import { loadAppsink, type Appsink, type Sample } from "./appsink.ts";
import {
  checkSize,
  DETAIL_EVERY_MS,
  DETAIL_HEIGHT,
  DETAIL_WIDTH,
  MAX_FRAMES,
  NotMedia,
  PREROLL_MS,
  TooLarge,
  WARM_UP_MS,
  type Decoded,
  type DecodeRequest,
  type FrameSource,
} from "./frame-source.ts";
import { soundLine, type SoundPiece } from "./sound-line.ts";
import { takeApart, type Parts, type TimedUnit } from "./take-apart.ts";

/** GStreamer has no time before zero: the segment begins here. */
const ORIGIN_MS = PREROLL_MS + WARM_UP_MS + 10_000;
const QUEUE = 16;

const VIDEO_DECODERS = {
  h264: "caps=video/x-h264,stream-format=byte-stream ! h264parse ! avdec_h264 name=decoder max-threads=1",
  hevc: "caps=video/x-h265,stream-format=byte-stream ! h265parse ! avdec_h265 name=decoder max-threads=1",
};
const AUDIO_DECODERS = {
  aac: "caps=audio/mpeg,mpegversion=4,stream-format=adts ! aacparse ! avdec_aac",
  mpeg: "caps=audio/mpeg,mpegversion=1 ! mpegaudioparse ! avdec_mp3",
};
/** `async=false`: no sink waits for another at the start, so a tee needs no queues and the picture one thread. */
const SINK = "sync=false async=false max-buffers=8";

function launchOf({ video, audio }: Parts): string {
  const lines: string[] = [];
  if (video !== null)
    lines.push(
      `appsrc name=video format=time max-bytes=0 ${VIDEO_DECODERS[video.codec]} ! tee name=picture`,
      `picture. ! videoconvertscale n-threads=1 ! video/x-raw,format=I420 ! appsink name=small ${SINK}`,
      `picture. ! identity name=gate ! videoconvertscale n-threads=1 ! video/x-raw,format=RGB,width=[1,${DETAIL_WIDTH}],height=[1,${DETAIL_HEIGHT}],pixel-aspect-ratio=1/1 ! appsink name=detail ${SINK}`,
    );
  if (audio !== null)
    lines.push(
      `appsrc name=audio format=time max-bytes=0 ${AUDIO_DECODERS[audio.codec]} ! audioconvert ! audioresample ! audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=[1,2] ! appsink name=sound ${SINK}`,
    );
  return lines.join("  ");
}

/** GStreamer in this process. */
export function openGstreamer(): FrameSource {
  const appsink = loadAppsink();
  return {
    name: "gstreamer",
    version: appsink.version,
    decode: async (request) => decode(appsink, request),
  };
}

async function decode(appsink: Appsink, request: DecodeRequest): Promise<Decoded> {
  const parts = takeApart(request);
  const decoded: Decoded = { frames: [], detail: [], sizes: [], sound: null };
  const pieces: SoundPiece[] = [];
  let channels = 0;

  const take = (sink: string, sample: Sample): void => {
    const atMs = sample.ptsNs / 1e6 - ORIGIN_MS;
    if (sink === "small") {
      if (decoded.frames.length >= MAX_FRAMES) throw new TooLarge(`more than ${MAX_FRAMES} frames`);
      const { sourceWidth: width, sourceHeight: height } = sample;
      checkSize(width, height);
      const last = decoded.sizes.at(-1);
      if (last?.width !== width || last.height !== height) decoded.sizes.push({ atMs, width, height });
      decoded.frames.push({ atMs, rgb: sample.data });
    } else if (sink === "detail")
      decoded.detail.push({ atMs, width: sample.width, height: sample.height, rgb: sample.data });
    else {
      channels ||= sample.channels;
      if (sample.channels === channels) pieces.push({ atMs, samples: floats(sample.data) });
    }
  };

  const failure = await play(appsink, parts, take);
  decoded.sound = soundLine(pieces, channels, request.durationMs, parts.audioTracks);
  if (decoded.frames.length === 0 && decoded.sound === null)
    throw new NotMedia(failure ?? "nothing in it could be decoded");
  return decoded;
}

/** Copied: a slice of a Buffer need not begin where four bytes do. */
function floats(data: Buffer): Float32Array {
  const copy = new Uint8Array(data.length - (data.length % 4));
  copy.set(data.subarray(0, copy.length));
  return new Float32Array(copy.buffer);
}

/** Runs to the end of every sink. Resolves to GStreamer's complaint when it stopped before that: what was decoded until then stands. */
async function play(
  appsink: Appsink,
  parts: Parts,
  take: (sink: string, sample: Sample) => void,
): Promise<string | null> {
  const sinks = [
    ...(parts.video === null ? [] : ["small", "detail"]),
    ...(parts.audio === null ? [] : ["sound"]),
  ];
  if (sinks.length === 0) throw new NotMedia("no picture and no sound that we decode");
  return new Promise((resolve, reject) => {
    let open = sinks.length;
    const over = (settle: () => void): void => {
      pipeline.stop();
      settle();
    };
    const pipeline = new appsink.Pipeline(
      launchOf(parts),
      {
        sinks,
        queue: QUEUE,
        ...(parts.video === null
          ? {}
          : {
              gate: { element: "gate", everyNs: DETAIL_EVERY_MS * 1e6 },
              small: { sink: "small", width: FRAME_WIDTH, height: FRAME_HEIGHT },
              sizeOf: "decoder",
            }),
      },
      (sink, sample) => {
        if (sample === null) {
          if (--open === 0) over(() => resolve(null));
          return;
        }
        try {
          take(sinks[sink]!, sample);
        } catch (error) {
          over(() => reject(error));
        }
      },
      (text) => over(() => resolve(text)),
    );
    if (!pipeline.play()) return over(() => reject(new Error("the pipeline does not start")));
    const feed = (source: string, units: readonly TimedUnit[]): void => {
      for (const { atMs, decodeAtMs, data } of units)
        pipeline.push(source, data, nanoseconds(atMs), nanoseconds(decodeAtMs));
      pipeline.end(source);
    };
    if (parts.video !== null) feed("video", parts.video.units);
    if (parts.audio !== null) feed("audio", parts.audio.units);
  });
}

const nanoseconds = (atMs: number): number => Math.max(0, Math.round((ORIGIN_MS + atMs) * 1e6));
