import { readFile, stat } from "node:fs/promises";
import sharp from "sharp";
import { measurePicture, type DetailFrame, type SmallFrame } from "../signals/picture.ts";
import { measureSound } from "../signals/sound.ts";
import { DETAIL_EVERY_MS, NotMedia, TooLarge, type FrameSource, type SegmentBytes } from "./frame-source.ts";
import { FRAME_BYTES, packFrames, type SampledFrame } from "./frames-file.ts";
import type { Job, Outcome } from "./protocol.ts";

/** A segment of 1080p is 1.5 MB for two seconds; an analysis rendition is a tenth of that. */
const MAX_FILE_BYTES = 64_000_000;

// One picture at a time, nothing remembered: a worker's memory is its current segment.
sharp.concurrency(1);
sharp.cache(false);

/** Everything that is measured in one stored segment. Rejects only when the decoder itself is broken. */
export async function measure(source: FrameSource, job: Job): Promise<Outcome> {
  try {
    const bytes = await read(job);
    const before = job.before === null ? null : await read(job.before).catch(() => null);
    const decoded = await source.decode({ ...bytes, durationMs: job.durationMs, before });
    const { frames, detail, sizes, sound } = decoded;
    const size = sizes[0];
    return {
      failed: null,
      measured: {
        picture: size === undefined ? null : measurePicture(frames, detail, size),
        sound: sound === null ? null : measureSound(sound),
        frames: frames.length === 0 ? null : packFrames(sampled(frames, job.startMs)),
        allFrames: job.allFrames && frames.length > 0 ? joined(frames) : null,
        thumb: detail[0] === undefined ? null : await jpegOf(detail[0]),
      },
    };
  } catch (error) {
    if (error instanceof NotMedia) return { failed: "not_media", detail: error.message };
    if (error instanceof TooLarge) return { failed: "too_large", detail: error.message };
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { failed: "no_file", detail: "gone" };
    throw error;
  }
}

async function read({
  container,
  path,
  initPath,
}: Pick<Job, "container" | "path" | "initPath">): Promise<SegmentBytes> {
  for (const file of [path, initPath])
    if (file !== null) {
      const { size } = await stat(file);
      if (size > MAX_FILE_BYTES) throw new TooLarge(`a file of ${size} bytes`);
    }
  return {
    container,
    media: await readFile(path),
    init: initPath === null ? null : await readFile(initPath),
  };
}

/** About three frames a second, the first among them, on the stream's clock. */
function sampled(frames: readonly SmallFrame[], startMs: number): SampledFrame[] {
  const chosen: SampledFrame[] = [];
  let lastMs = -Infinity;
  for (const { atMs, rgb } of frames) {
    if (atMs - lastMs < DETAIL_EVERY_MS) continue;
    lastMs = atMs;
    chosen.push({ atMs: startMs + Math.round(atMs), rgb });
  }
  return chosen;
}

function joined(frames: readonly SmallFrame[]): Uint8Array {
  const all = new Uint8Array(frames.length * FRAME_BYTES);
  for (const [i, { rgb }] of frames.entries()) all.set(rgb, i * FRAME_BYTES);
  return all;
}

const jpegOf = async ({ rgb, width, height }: DetailFrame): Promise<Buffer> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
