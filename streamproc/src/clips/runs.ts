import { msBetween } from "../media/streams.ts";
import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";

/** Segments of one unbroken stretch: one decoder reads them as one stream. */
export interface Run {
  readonly segments: readonly [VideoSegment, ...VideoSegment[]];
  /** The one before them, where they go on from it: its last sound warms the decoder up. */
  readonly before: VideoSegment | null;
  /** What the clip shows of it, in the stream's time. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LeftOut {
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: "gap" | "ad";
}

export interface Runs {
  readonly runs: readonly Run[];
  readonly leftOut: readonly LeftOut[];
}

/** Playlists round their times: a hole that is shorter is none. */
const ROUNDING_MS = 100;
/** A container's clock that moves this much otherwise than the playlist has started anew. */
const CLOCK_JUMP_MS = 1000;
/** Less than this of a stretch shows nothing: about one frame. */
const SHORTEST_RUN_MS = 34;

/** What the beginning of a segment's file says. */
export interface Head {
  /** What a decoder is set up with: another one is another stretch. */
  readonly setUp: string;
  /** Its first time on the container's own clock, 1/90000 s. */
  readonly ticks: number;
}

/**
 * What of a span can be shown, as stretches that each decode by themselves. `headOf`: null where there is no file (any more) or none that
 * is media. Advertisements, gaps and what was not kept are left out, and said.
 */
export function runsOf(
  segments: readonly VideoSegment[],
  gaps: readonly VideoGap[],
  span: { startMs: number; endMs: number },
  headOf: (segment: VideoSegment) => Head | null,
): Runs {
  const shown = segments
    .filter((segment) => !segment.ad && headOf(segment) !== null)
    .sort((a, b) => a.startMs - b.startMs || a.epoch - b.epoch || a.seq - b.seq);
  const groups: [VideoSegment, ...VideoSegment[]][] = [];
  for (const segment of shown) {
    const group = groups.at(-1);
    const before = group?.at(-1);
    if (group !== undefined && before !== undefined && continues(before, segment, headOf))
      group.push(segment);
    else groups.push([segment]);
  }
  const runs: Run[] = [];
  const leftOut: LeftOut[] = [];
  let reachedMs = span.startMs;
  const leave = (fromMs: number, toMs: number): void => {
    if (toMs - fromMs > ROUNDING_MS) leftOut.push(...explained(fromMs, toMs, segments, gaps));
  };
  for (const group of groups) {
    const last = group.at(-1) ?? group[0];
    // A stream that restarted may say that it begins before the old one ended.
    const fromMs = Math.max(group[0].startMs, reachedMs);
    const toMs = Math.min(last.startMs + last.durationMs, span.endMs);
    if (toMs - fromMs < SHORTEST_RUN_MS) continue;
    leave(reachedMs, fromMs);
    const used = group.filter(
      (segment) => segment.startMs < toMs && segment.startMs + segment.durationMs > fromMs,
    );
    const [first, ...rest] = used;
    if (first === undefined) continue;
    const before = group[group.indexOf(first) - 1] ?? null;
    runs.push({ segments: [first, ...rest], before, fromMs, toMs });
    reachedMs = toMs;
  }
  leave(reachedMs, span.endMs);
  return { runs, leftOut };
}

/** Whether the decoder can go on from one segment into the next. The playlist does not always say when it cannot. */
function continues(
  before: VideoSegment,
  after: VideoSegment,
  headOf: (segment: VideoSegment) => Head | null,
): boolean {
  if (after.epoch !== before.epoch || after.seq !== before.seq + 1 || after.discontinuity) return false;
  const [a, b] = [headOf(before), headOf(after)];
  return (
    a !== null &&
    b !== null &&
    a.setUp === b.setUp &&
    Math.abs(msBetween(a.ticks, b.ticks) - before.durationMs) < CLOCK_JUMP_MS
  );
}

function explained(
  fromMs: number,
  toMs: number,
  segments: readonly VideoSegment[],
  gaps: readonly VideoGap[],
): LeftOut[] {
  const ads = segments
    .filter(({ ad, startMs, durationMs }) => ad && startMs < toMs && startMs + durationMs > fromMs)
    .sort((a, b) => a.startMs - b.startMs);
  if (ads.length === 0 || gaps.some((gap) => gap.fromMs <= fromMs && gap.toMs >= toMs))
    return [{ fromMs, toMs, why: "gap" }];
  const parts: LeftOut[] = [];
  let at = fromMs;
  for (const { startMs, durationMs } of ads) {
    const from = Math.max(startMs, at);
    const to = Math.min(startMs + durationMs, toMs);
    if (to <= from) continue;
    if (from - at > ROUNDING_MS) parts.push({ fromMs: at, toMs: from, why: "gap" });
    const last = parts.at(-1);
    if (last?.why === "ad" && from - last.toMs <= ROUNDING_MS)
      parts[parts.length - 1] = { ...last, toMs: to };
    else parts.push({ fromMs: from, toMs: to, why: "ad" });
    at = to;
  }
  if (toMs - at > ROUNDING_MS) parts.push({ fromMs: at, toMs, why: "gap" });
  return parts;
}
