import { RATE } from "../signals/loudness.ts";
import type { Pcm } from "../signals/sound.ts";
import { PREROLL_MS } from "./frame-source.ts";

/** Decoded sound as it comes: interleaved samples at 48 kHz, with their time on the segment's clock. */
export interface SoundPiece {
  atMs: number;
  samples: Float32Array;
}

/** Timestamps are rounded: pieces this close are one behind the other. */
const JITTER_SAMPLES = RATE / 100;
/** The bound of what a line takes: 46 MB in stereo. */
const MAX_MS = 120_000;
/** Pre-roll in whole hops of the analysis (10 ms), so that its grid begins where the segment does. */
const HOP_SAMPLES = RATE / 100;

/**
 * Lays pieces on one line from the pre-roll to the segment's end: silence where there is a hole, what overlaps once, what lies outside
 * not at all. The line ends with the last sound, so a segment whose sound is short gives less.
 */
export function soundLine(
  pieces: readonly SoundPiece[],
  channels: number,
  durationMs: number,
  tracks: number,
): Pcm | null {
  if (pieces.length === 0 || channels < 1) return null;
  const from = Math.round((-PREROLL_MS * RATE) / 1000);
  const to = Math.round((Math.min(durationMs, MAX_MS) * RATE) / 1000);
  const line = new Float32Array(Math.max(0, to - from) * channels);
  let cursor: number | null = null;
  let first = to;
  let last = from;
  for (const { atMs, samples } of pieces) {
    const said = Math.round((atMs * RATE) / 1000);
    const length = Math.floor(samples.length / channels);
    let at: number = cursor !== null && Math.abs(said - cursor) <= JITTER_SAMPLES ? cursor : said;
    const end: number = at + length;
    // What overlaps what is there already is left out.
    let skip = cursor !== null && at < cursor ? cursor - at : 0;
    if (at + skip < from) skip = from - at;
    const take = Math.min(length, to - at) - skip;
    cursor = Math.max(cursor ?? end, end);
    if (take <= 0) continue;
    at += skip;
    line.set(samples.subarray(skip * channels, (skip + take) * channels), (at - from) * channels);
    first = Math.min(first, at);
    last = Math.max(last, at + take);
  }
  if (last <= first) return null;
  const begin = first >= 0 ? 0 : -Math.floor(-first / HOP_SAMPLES) * HOP_SAMPLES;
  return {
    samples: line.subarray((begin - from) * channels, (last - from) * channels),
    channels,
    preroll: -begin,
    tracks,
  };
}
