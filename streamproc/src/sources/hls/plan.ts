import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import { CLOCK_TOLERANCE_MS } from "@hypecast/runtime/kept-video.ts";
import type { Listed, MediaPlaylist } from "./playlist.ts";

/** What is done next, in the playlist's order: a segment to fetch, or a stretch that will never be there. */
export type Step = SegmentStep | GapStep;
export interface SegmentStep {
  readonly kind: "segment";
  readonly listed: Listed;
  readonly epoch: number;
  readonly startMs: number;
  readonly durationMs: number;
  /** Null: the playlist's own time. */
  readonly uncertainMs: number | null;
}
export interface GapStep {
  readonly kind: "gap";
  readonly gap: Omit<VideoGap, "channelId">;
}

/** How far a channel's playlist has been read. */
export interface Position {
  readonly epoch: number;
  readonly seq: number;
  /** Until when the picture is kept or known to be missing. */
  readonly endMs: number;
  /** Segments that were seen lately: whether the playlist still means the same by a number. */
  readonly recent: ReadonlyMap<number, { readonly pdtMs: number | null; readonly path: string | null }>;
  /** Why a hole before the next segment is there. */
  readonly holeReason: VideoGap["reason"] | null;
  /** Playlists in a row whose newest number is behind ours. */
  readonly backwards: number;
  /** The stream had ended: until the next one there was nothing to miss. */
  readonly ended: boolean;
}

export interface PlanInput {
  /** Null: the channel was never seen. */
  readonly position: Position | null;
  readonly list: MediaPlaylist;
  /** Our clock. */
  readonly nowMs: number;
  /** The playlist had stood still. */
  readonly stalled: boolean;
  /** What ended before was not wanted (the channel was paused); our clock. */
  readonly notBeforeMs: number;
}

/** On joining, so much of what is listed already is taken along. */
const JOIN_BACK_MS = 60_000;
/** Rounded durations make smaller holes than this. */
export const HOLE_MS = 500;
/** Streams that begin again after longer were not missed by us. */
const ANOTHER_STREAM_MS = 12 * 3600_000;
const RECENT = 40;
/** A playlist that is behind may be an old copy of a cache; so many in a row are a stream that has begun again. */
const BACKWARDS_MOST = 3;
/** Local times that have drifted away from our clock by more begin anew. */
const DRIFT_MS = 15_000;
/** From the camera to the end of the playlist, where nothing tells: what streams take at most as a rule. */
const DELAY_MS = 15_000;

/**
 * Which segments are new, when each of them was, and what is missing between: a function of what was read before, the playlist and the
 * clock. Time is the playlist's where it is believable, else ours with its uncertainty.
 */
export function plan(input: PlanInput): { position: Position | null; steps: Step[] } {
  const { list, nowMs } = input;
  const newest = list.segments.at(-1);
  if (newest === undefined) return { position: input.position, steps: [] };
  const edges = edgesOf(list, nowMs);
  const timeOf = (listed: Listed): number | null =>
    believed(listed, edges.get(listed.seq) ?? nowMs, list.ended);

  let { position } = input;
  const again = position === null ? false : beganAgain(position, list, timeOf);
  if (again === "unsure" && position !== null)
    return { position: { ...position, backwards: position.backwards + 1 }, steps: [] };
  const fresh = position === null || again === true;
  const wanted = list.segments.filter((listed) => {
    const startMs = edges.get(listed.seq) ?? nowMs;
    if (startMs + listed.durationMs <= input.notBeforeMs) return false;
    if (position === null) return startMs + listed.durationMs > nowMs - JOIN_BACK_MS;
    return again === true || listed.seq > position.seq;
  });
  // An ended playlist that was never followed is a recording, not a stream.
  if (position === null && list.ended) return { position, steps: [] };

  const steps: Step[] = [];
  let hole = position?.holeReason ?? (input.stalled ? "frozen" : null);
  for (const [i, listed] of wanted.entries()) {
    const time = startOf(listed, timeOf(listed), edges.get(listed.seq) ?? nowMs, position, list.targetMs);
    const { startMs } = time;
    const epoch =
      fresh && i === 0 ? Math.max(startMs, (position?.epoch ?? -1) + 1) : (position?.epoch ?? startMs);
    if (position !== null) {
      const gap = gapBefore(position, epoch, listed.seq, startMs, hole);
      if (gap !== null) steps.push({ kind: "gap", gap });
    }
    hole = null;
    const durationMs = Math.round(listed.durationMs);
    steps.push({ kind: "segment", listed, epoch, startMs, durationMs, uncertainMs: time.uncertainMs });
    const recent = new Map(epoch === position?.epoch ? position.recent : []);
    recent.set(listed.seq, { pdtMs: listed.pdtMs, path: pathOf(listed.url) });
    for (const seq of recent.keys()) if (seq <= listed.seq - RECENT) recent.delete(seq);
    position = {
      ...{ epoch, seq: listed.seq, endMs: startMs + durationMs, recent },
      ...{ holeReason: null, backwards: 0, ended: false },
    };
  }
  if (position !== null && position.backwards > 0) position = { ...position, backwards: 0 };
  return { position, steps };
}

/** When each segment began if the newest one ended just now. */
function edgesOf(list: MediaPlaylist, nowMs: number): Map<number, number> {
  const edges = new Map<number, number>();
  let atMs = nowMs;
  for (const { seq, durationMs } of list.segments.toReversed()) {
    atMs -= durationMs;
    edges.set(seq, atMs);
  }
  return edges;
}

/** The playlist's time, when it can be that of a live stream; a stream that has ended may have ended long ago. */
function believed({ pdtMs }: Listed, edgeMs: number, ended: boolean): number | null {
  if (pdtMs === null || pdtMs > edgeMs + CLOCK_TOLERANCE_MS) return null;
  return ended || pdtMs >= edgeMs - CLOCK_TOLERANCE_MS ? pdtMs : null;
}

function startOf(
  listed: Listed,
  pdtMs: number | null,
  edgeMs: number,
  position: Position | null,
  targetMs: number,
): { startMs: number; uncertainMs: number | null } {
  if (pdtMs !== null) return { startMs: Math.round(pdtMs), uncertainMs: null };
  const uncertainMs = DELAY_MS + targetMs;
  if (position === null) return { startMs: Math.round(edgeMs), uncertainMs };
  const follows = position.seq + 1 === listed.seq && Math.abs(position.endMs - edgeMs) <= DRIFT_MS;
  return { startMs: follows ? position.endMs : Math.max(position.endMs, Math.round(edgeMs)), uncertainMs };
}

/** The stream was begun again: its numbers mean other segments than before. "unsure": this playlist may be an old copy. */
function beganAgain(
  position: Position,
  list: MediaPlaylist,
  timeOf: (listed: Listed) => number | null,
): boolean | "unsure" {
  for (const listed of list.segments) {
    const known = position.recent.get(listed.seq);
    if (known?.pdtMs == null || listed.pdtMs === null) continue;
    const sameTime = Math.abs(known.pdtMs - listed.pdtMs) <= 1000;
    if (!sameTime && (known.path === null || known.path !== pathOf(listed.url))) return true;
    return false;
  }
  const newest = list.segments.at(-1);
  if (newest === undefined) return false;
  if (newest.seq < position.seq) {
    const atMs = timeOf(newest);
    if (atMs !== null && atMs >= position.endMs) return true;
    return position.backwards + 1 >= BACKWARDS_MOST ? true : "unsure";
  }
  // None of what was seen is listed any more. Numbers that went on by minutes while the clock went on by hours are other numbers.
  const next = list.segments.find(({ seq }) => seq > position.seq);
  const atMs = next === undefined ? null : timeOf(next);
  if (next === undefined || atMs === null) return false;
  const missedMs = (next.seq - position.seq - 1) * next.durationMs;
  return atMs - position.endMs > 2 * missedMs + CLOCK_TOLERANCE_MS;
}

function gapBefore(
  position: Position,
  epoch: number,
  seq: number,
  startMs: number,
  hole: VideoGap["reason"] | null,
): GapStep["gap"] | null {
  const lengthMs = startMs - position.endMs;
  const between = { epoch, fromMs: position.endMs, toMs: Math.max(startMs, position.endMs) };
  if (epoch !== position.epoch) {
    if (position.ended || lengthMs <= HOLE_MS || lengthMs > ANOTHER_STREAM_MS) return null;
    return {
      ...between,
      id: `${epoch}:before-${seq}`,
      reason: hole ?? "missed",
      detail: "the stream began again",
    };
  }
  const from = position.seq + 1;
  if (seq > from)
    return {
      ...between,
      id: `${epoch}:${from}-${seq - 1}`,
      toSeq: seq - 1,
      reason: hole ?? "missed",
      detail: `segments ${from} to ${seq - 1} were not listed any more`,
    };
  if (lengthMs <= HOLE_MS) return null;
  return {
    ...between,
    id: `${epoch}:before-${seq}`,
    reason: hole ?? "missed",
    detail: `the stream's clock went on by ${(lengthMs / 1000).toFixed(1)} s between segments ${seq - 1} and ${seq}`,
  };
}

/** Of an address, what stays the same when its token does not. */
const pathOf = (url: string): string => new URL(url).pathname;

/**
 * Where a channel goes on after a restart: behind the last segment that the log has of it, and behind the gap, if one stands after that.
 * `reason`: why what is missing now was missed.
 */
export function positionOf(
  segment: VideoSegment,
  laterGap: VideoGap | null,
  reason: VideoGap["reason"],
): Position {
  const { epoch, seq, startMs, durationMs } = segment;
  return {
    epoch,
    seq: laterGap?.epoch === epoch ? Math.max(seq, laterGap.toSeq ?? seq) : seq,
    endMs: Math.max(startMs + durationMs, laterGap?.toMs ?? 0),
    recent: new Map(segment.uncertainMs === undefined ? [[seq, { pdtMs: startMs, path: null }]] : []),
    holeReason: reason,
    backwards: 0,
    ended: false,
  };
}
