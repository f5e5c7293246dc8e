/** One access unit of video in Annex B form, or one or more frames of sound: what a decoder takes, with its time on the segment's clock. */
export interface Unit {
  ptsTicks: number;
  dtsTicks: number;
  data: Buffer;
}

/** The first track of each kind in a segment. Ticks are 1/90000 s of the container's own clock, which goes on from segment to segment. */
export interface Streams {
  video: { codec: "h264" | "hevc"; units: Unit[] } | null;
  /** `aac`: ADTS frames. `mpeg`: MPEG audio, layers I to III. */
  audio: { codec: "aac" | "mpeg"; units: Unit[] } | null;
  audioTracks: number;
}

export const TICKS_PER_MS = 90;
/** MPEG's clock has 33 bits: it starts over every 26.5 hours. */
const WRAP = 2 ** 33;

/** Milliseconds from one time to another, across the wrap of the clock. */
export function msBetween(fromTicks: number, toTicks: number): number {
  const ticks = (((toTicks - fromTicks) % WRAP) + WRAP) % WRAP;
  return (ticks >= WRAP / 2 ? ticks - WRAP : ticks) / TICKS_PER_MS;
}

/** The first time that is shown: of the video, or of the sound where there is none. Null: nothing in it. */
export function startOf(streams: Streams): number | null {
  const units = streams.video?.units ?? streams.audio?.units ?? [];
  const first = units[0];
  if (first === undefined) return null;
  // B-frames are stored after frames that are shown after them.
  let earliest = first.ptsTicks;
  for (const { ptsTicks } of units) if (msBetween(earliest, ptsTicks) < 0) earliest = ptsTicks;
  return earliest;
}
