import type { Rendition } from "./playlists.ts";
import type { Raster, Veil } from "./raster.ts";

export const SEGMENT_MS = 2_000;

/**
 * AAC frames (1024 samples) and segments (2 s) meet every 8 s, four segments. An encode begins at such a place before its
 * first segment and goes on one segment behind its last; what is outside is thrown away. So the sound of two encodes lies
 * on one grid of frames and each frame's overlap with the one before is what the other encode had there too: no click.
 */
export const MEETING = 4;

/** What is encoded without a break in its timestamps; each run begins behind a DISCONTINUITY. */
export interface Run {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FilmRendition extends Rendition {
  /** x264's preset and constant rate factor, and how the raster becomes this size. */
  readonly preset: string;
  readonly crf: number;
  readonly scale: string;
}

/** A channel's picture and sound as pure functions of the frame and the sample; it plays again and again. */
export interface Film {
  readonly login: string;
  readonly periodMs: number;
  readonly runs: readonly Run[];
  /** The source first. */
  readonly renditions: readonly FilmRendition[];
  readonly draw: (raster: Raster, frame: number) => Veil | null;
  /** Samples of both channels by turns, at 48 kHz. */
  readonly sound: (from: number, count: number) => Float32Array;
  readonly ads: readonly { readonly fromMs: number; readonly toMs: number }[];
}

export interface FilmSegment {
  readonly run: number;
  /** Its number within the run. */
  readonly place: number;
  readonly atMs: number;
  readonly durationMs: number;
}
/** All segments of a film; the last of a run may be shorter than two seconds. */
export const segmentsOf = ({ runs }: Film): FilmSegment[] =>
  runs.flatMap(({ fromMs, toMs }, run) =>
    Array.from({ length: Math.ceil((toMs - fromMs) / SEGMENT_MS) }, (_, place) => {
      const atMs = fromMs + place * SEGMENT_MS;
      return { run, place, atMs, durationMs: Math.min(SEGMENT_MS, toMs - atMs) };
    }),
  );
