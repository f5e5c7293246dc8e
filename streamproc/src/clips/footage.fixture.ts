import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { videoGap, videoSegment, type VideoGap, type VideoSegment } from "@hypecast/contracts/video.ts";
import { subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Objects } from "@hypecast/runtime/objects.ts";

/**
 * Footage for tests: each frame carries its own number as twelve black or white fields, so that one frame says which it is after any encoding; every
 * `flashS` seconds the middle flashes white and a tone sounds, for as long as one frame.
 */
export interface Footage {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly seconds: number;
  /** Number of its first frame. */
  readonly from?: number;
  readonly tracks?: 0 | 1 | 2;
  readonly container?: "ts" | "fmp4";
  readonly segmentS?: number;
  /** Frames that are left out, so that their distances vary. */
  readonly variable?: boolean;
  /** A steady tone of this amplitude in place of the short ones. */
  readonly hum?: number;
  /** Seconds at which the container's clock begins. */
  readonly clockS?: number;
}

const BITS = 12;
const FLASH_EVERY = 60;

export interface FootageFiles {
  readonly segments: readonly Buffer[];
  readonly init: Buffer | null;
}
const made = new Map<string, FootageFiles>();

/** Files of its segments in order, and the initialisation section of fMP4. Each is made once a test file. */
export function makeFootage(folder: string, footage: Footage): FootageFiles {
  const key = JSON.stringify(footage);
  const known = made.get(key) ?? drawFootage(folder, footage);
  made.set(key, known);
  return known;
}

function drawFootage(folder: string, footage: Footage): FootageFiles {
  const { width, height, fps, seconds, from = 0, tracks = 1, container = "ts", segmentS = 2 } = footage;
  const out = join(folder, "footage");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const cell = Math.floor(width / BITS);
  const fields = Array.from(
    { length: BITS },
    (_, bit) =>
      `drawbox=x=${bit * cell}:y=0:w=${cell}:h=${Math.floor(height / 4)}:t=fill:color=white:enable='gte(mod(floor((n+${from})/${2 ** bit}),2),1)'`,
  );
  const picture = [
    `color=c=black:s=${width}x${height}:r=${fps}:d=${seconds}`,
    `drawbox=x=0:y=ih/2:w=iw:h=ih/2:t=fill:color=gray`,
    ...fields,
    `drawbox=x=iw/3:y=ih/2:w=iw/3:h=ih/3:t=fill:color=white:enable='eq(mod(n+${from},${FLASH_EVERY}),0)'`,
    ...(footage.variable === true ? ["select='not(eq(mod(n,3),1)*gt(mod(n,20),9))'"] : []),
  ].join(",");
  const short = `aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t+${from / fps},${FLASH_EVERY / fps}),${1 / fps})':s=48000:d=${seconds}`;
  const tone =
    footage.hum === undefined ? short : `aevalsrc='${footage.hum}*sin(2*PI*1000*t)':s=48000:d=${seconds}`;
  const sound = Array.from({ length: tracks }, (_, i) =>
    i === 0 ? ["-f", "lavfi", "-i", tone] : ["-f", "lavfi", "-i", `sine=300:d=${seconds}:r=48000`],
  ).flat();
  const gop = Math.round(fps * segmentS);
  const args = [
    ...["-v", "error", "-y", "-f", "lavfi", "-i", picture, ...sound],
    ...["-map", "0:v", ...Array.from({ length: tracks }, (_, i) => ["-map", `${i + 1}:a`]).flat()],
    ...[
      "-fps_mode",
      "vfr",
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-crf",
      "20",
      "-bf",
      "2",
      "-pix_fmt",
      "yuv420p",
    ],
    ...["-force_key_frames", `expr:gte(t,n_forced*${segmentS})`, "-g", String(gop), "-threads", "1"],
    ...["-c:a", "aac", "-b:a", "96k"],
    ...(footage.clockS === undefined ? [] : ["-output_ts_offset", String(footage.clockS)]),
    ...[
      "-f",
      "hls",
      "-hls_time",
      String(segmentS),
      "-hls_list_size",
      "0",
      "-hls_flags",
      "independent_segments",
    ],
    ...(container === "fmp4"
      ? [
          "-hls_segment_type",
          "fmp4",
          "-hls_fmp4_init_filename",
          "init.mp4",
          "-hls_segment_filename",
          join(out, "%04d.m4s"),
        ]
      : ["-hls_segment_filename", join(out, "%04d.ts")]),
    join(out, "list.m3u8"),
  ];
  execFileSync("ffmpeg", args, { stdio: ["ignore", "ignore", "inherit"] });
  const names = readdirSync(out).filter((name) => /^\d+\.(?:ts|m4s)$/.test(name));
  return {
    segments: names.sort().map((name) => readFileSync(join(out, name))),
    init: container === "fmp4" ? readFileSync(join(out, "init.mp4")) : null,
  };
}

/** Puts a stretch of footage on the log and into the store, as the source would. */
export async function keepFootage(
  nc: NatsConnection,
  objects: Objects,
  stretch: {
    channelId: string;
    epoch: number;
    firstSeq: number;
    startMs: number;
    footage: Footage;
    files: FootageFiles;
    ad?: boolean;
    discontinuity?: boolean;
    /** Segments of it that were missed. */
    without?: readonly number[];
  },
): Promise<VideoSegment[]> {
  const { channelId, epoch, firstSeq, startMs, footage, files } = stretch;
  const segmentMs = (footage.segmentS ?? 2) * 1000;
  const initKey = `video/${channelId}/${epoch}/init-${firstSeq}.mp4`;
  if (files.init !== null) await objects.put(initKey, files.init);
  const kept: VideoSegment[] = [];
  for (const [i, bytes] of files.segments.entries()) {
    const seq = firstSeq + i;
    const at = { channelId, epoch, startMs: startMs + i * segmentMs };
    const durationMs = Math.min(segmentMs, footage.seconds * 1000 - i * segmentMs);
    if (stretch.without?.includes(i) === true) {
      const gap: VideoGap = {
        id: `${channelId}:${epoch}:gap:${seq}`,
        channelId,
        epoch,
        fromMs: at.startMs,
        toMs: at.startMs + durationMs,
        reason: "not_found",
        detail: "",
      };
      await say(nc, videoGap, channelId, gap);
      continue;
    }
    const key = `video/${channelId}/${epoch}/${seq}-${footage.height}.${files.init === null ? "ts" : "m4s"}`;
    await objects.put(key, bytes);
    const segment: VideoSegment = {
      ...at,
      id: `${channelId}:${epoch}:${seq}`,
      seq,
      durationMs,
      discontinuity: i === 0 && stretch.discontinuity === true,
      ad: stretch.ad === true,
      analysis: null,
      source: {
        key,
        bytes: bytes.byteLength,
        width: footage.width,
        height: footage.height,
        bandwidth: 0,
        container: files.init === null ? "ts" : "fmp4",
        init: files.init === null ? null : { key: initKey, bytes: files.init.byteLength },
      },
    };
    await say(nc, videoSegment, channelId, segment);
    kept.push(segment);
  }
  return kept;
}

const say = async (nc: NatsConnection, type: EventType, channelId: string, event: unknown): Promise<void> => {
  await jetstream(nc).publish(subjectOf(type, channelId), JSON.stringify(event));
};

/** What a finished file shows: the number of every frame, its time, and where it flashes. */
export function readFrames(path: string): { number: number; atS: number; flash: boolean }[] {
  const [width, height] = [BITS * 8, 64];
  // One decoding gives both: pictures on stdout, their times on stderr.
  const { stdout: raw, stderr } = spawnSync(
    "ffmpeg",
    [
      ...[
        "-hide_banner",
        "-nostats",
        "-nostdin",
        "-copyts",
        "-i",
        path,
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
      ],
      ...[
        "-vf",
        `scale=${width}:${height}:flags=area,format=gray,showinfo=checksum=0`,
        "-f",
        "rawvideo",
        "-",
      ],
    ],
    { maxBuffer: 1 << 30 },
  );
  const seconds = [...stderr.toString().matchAll(/Parsed_showinfo.* pts_time:\s*(-?[\d.]+)/g)].map(([, at]) =>
    Number(at),
  );
  return Array.from({ length: raw.byteLength / (width * height) }, (_, i) => {
    const at = i * width * height;
    let number = 0;
    for (let bit = 0; bit < BITS; bit++)
      if ((raw[at + 6 * width + bit * 8 + 4] ?? 0) > 128) number += 2 ** bit;
    return { number, atS: seconds[i] ?? Number.NaN, flash: (raw[at + 42 * width + width / 2] ?? 0) > 200 };
  });
}

/** Seconds at which tones begin, by the file's clock. */
export function readTones(path: string): number[] {
  const raw = execFileSync(
    "ffmpeg",
    [
      "-v",
      "error",
      "-i",
      path,
      "-map",
      "0:a:0",
      "-af",
      "aresample=async=1:min_hard_comp=0.01:first_pts=0",
      "-ac",
      "1",
      "-ar",
      "48000",
      "-f",
      "s16le",
      "-",
    ],
    { maxBuffer: 1 << 30 },
  );
  const starts: number[] = [];
  let quietSince = -4800;
  for (let i = 0; i < raw.byteLength / 2; i++) {
    if (Math.abs(raw.readInt16LE(i * 2)) < 2500) continue;
    if (i - quietSince > 4800) starts.push(i / 48_000);
    quietSince = i;
  }
  return starts;
}
