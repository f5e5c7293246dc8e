import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clip, ClipError } from "@hypecast/contracts/clip.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import type { KeptVideo } from "@hypecast/runtime/kept-video.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { playlistOf, type Input } from "./cut.ts";
import { ClipFailure } from "./failure.ts";
import { firstPictureS } from "./ffmpeg.ts";
import { cutRun, headOf, secondsOf, type CutRun, type SegmentFiles } from "./look.ts";
import { runsOf, type Head, type LeftOut, type Run } from "./runs.ts";

/** Segments last up to ten seconds: so far back is the one before the first. */
export const READ_BEFORE_MS = 20_000;
/** The ends may lie this far outside of what is kept: playlists round. */
const TOLERANCE_MS = 500;
/** A start that is nearer to its segment's begins with the sound decoder's first, broken frames: the segment before warms it up. */
const WARM_UP_MS = 150;

export interface Material {
  readonly inputs: readonly [Input, ...Input[]];
  readonly leftOut: readonly LeftOut[];
  /** Gives the copies of files back. */
  release(): Promise<void>;
}

/** Fetches a clip's segments and looks into them: what can be shown, from which picture to which. Throws ClipFailure where there is nothing to show. */
export async function gather(
  clip: Pick<Clip, "startMs" | "endMs">,
  kept: KeptVideo,
  objects: Objects,
  /** Has the file of a segment fetched that is not kept; false: it cannot be had. */
  fetched: (segment: VideoSegment) => Promise<boolean>,
  folder: string,
  signal: AbortSignal,
): Promise<Material> {
  const files = new Map<string, { media: SegmentFiles; release(): Promise<void> }>();
  const release = async (): Promise<void> => {
    for (const file of files.values()) await file.release();
    files.clear();
  };
  try {
    const heads = new Map<string, Head | null>();
    for (const segment of kept.segments) {
      if (segment.ad || segment.source === null) continue;
      const opened =
        (await openFiles(segment, objects)) ??
        ((await fetched(segment)) ? await openFiles(segment, objects) : null);
      if (opened === null) continue;
      files.set(segment.id, opened);
      heads.set(segment.id, await headOf(segment, opened.media));
    }
    const { runs, leftOut } = runsOf(kept.segments, kept.gaps, clip, ({ id }) => heads.get(id) ?? null);
    const problem = missing(clip, kept.segments, runs, (id) => files.has(id));
    if (problem !== null) throw new ClipFailure(problem.code, problem.detail, problem.action);
    const filesOf = ({ id }: VideoSegment): SegmentFiles => {
      const known = files.get(id);
      if (known === undefined) throw new Error(`segment ${id} was not fetched`);
      return known.media;
    };
    const inputs: Input[] = [];
    for (const [i, run] of runs.entries()) {
      const isWarm = run.before !== null && run.fromMs - run.segments[0].startMs < WARM_UP_MS;
      const first = isWarm && run.before !== null ? run.before : run.segments[0];
      const playlist = await writePlaylist(
        folder,
        i,
        isWarm ? [first, ...run.segments] : run.segments,
        filesOf,
      );
      // Edit lists move fMP4's clock in ways that only its reader knows.
      const headS = secondsOf(heads.get(first.id)?.ticks ?? 0);
      const byS = first.source?.container === "fmp4" ? (await firstPictureS(playlist, signal)) - headS : 0;
      inputs.push({ cut: shifted(await cutRun(run, filesOf), byS), playlist });
    }
    const [first, ...rest] = inputs;
    if (first === undefined) throw new Error("no run, and no reason");
    return { inputs: [first, ...rest], leftOut, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openFiles(
  { source }: VideoSegment,
  objects: Objects,
): Promise<{ media: SegmentFiles; release(): Promise<void> } | null> {
  if (source === null) return null;
  const media = await objects.file(source.key);
  if (media === null) return null;
  const init = source.init === null ? null : await objects.file(source.init.key);
  if (source.init !== null && init === null) {
    await media.release();
    return null;
  }
  return {
    media: { media: media.path, init: init?.path ?? null },
    async release() {
      await media.release();
      await init?.release();
    },
  };
}

/** Links with plain names stand beside the playlist: no name of ours or of a bucket is read as an address. */
async function writePlaylist(
  folder: string,
  index: number,
  segments: readonly VideoSegment[],
  filesOf: (segment: VideoSegment) => SegmentFiles,
): Promise<string> {
  const [first] = segments;
  if (first === undefined) throw new Error("a run without segments");
  const ending = first.source?.container === "fmp4" ? "m4s" : "ts";
  const listed = [];
  for (const [n, segment] of segments.entries()) {
    const name = `${index}-${n}.${ending}`;
    await symlink(filesOf(segment).media, join(folder, name));
    listed.push({ name, durationS: segment.durationMs / 1000 });
  }
  const { init } = filesOf(first);
  const initName = init === null ? null : `${index}-init.mp4`;
  if (init !== null && initName !== null) await symlink(init, join(folder, initName));
  const path = join(folder, `${index}.m3u8`);
  await writeFile(path, playlistOf(listed, initName));
  return path;
}

const shifted = (cut: CutRun, byS: number): CutRun => ({
  ...cut,
  startS: cut.startS + byS,
  endS: cut.endS + byS,
  keyframeS: cut.keyframeS + byS,
});

/** Why a span cannot be cut, or null: what was taken away by retention is another thing than a gap, which is only left out. */
function missing(
  { startMs, endMs }: Pick<Clip, "startMs" | "endMs">,
  segments: readonly VideoSegment[],
  runs: readonly Run[],
  hasFile: (id: string) => boolean,
): ClipError | null {
  const inside = segments.filter(
    (segment) => segment.startMs < endMs && segment.startMs + segment.durationMs > startMs,
  );
  const taken = inside.filter(({ id, ad, source }) => !ad && source !== null && !hasFile(id));
  if (
    taken.length > 0 &&
    (runs.length === 0 || taken.some((segment) => segment.startMs < startMs + TOLERANCE_MS))
  )
    return {
      code: "not_kept",
      detail: "The beginning of this span is not kept any more.",
      action: "Choose a later start; the settings say how much of a channel is kept.",
    };
  if (runs.length > 0) return null;
  if (inside.length > 0)
    return {
      code: "nothing_left",
      detail: "Gaps and advertisements are all of this span.",
      action: "Choose another span.",
    };
  return {
    code: "no_video",
    detail: "There is no picture of this channel at that time.",
    action: "Choose a span that the timeline shows.",
  };
}
