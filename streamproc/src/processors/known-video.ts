import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { SENSE_STATES } from "@hypecast/contracts/moment.ts";
import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

export interface Span {
  fromMs: number;
  toMs: number;
}
export type SenseState = (typeof SENSE_STATES)[number];

/** What is remembered; a moment and its reaction are shorter. */
const KEPT_MS = 5 * 60_000;
const SPANS_BOUND = 32;
/** A channel whose last segment is older has no video (any more). */
const NO_VIDEO_MS = 120_000;
const LISTS = ["ads", "holes", "pictures", "sounds"] as const;
const ENDS = ["segmentsUntilMs", "measuredUntilMs"] as const;

/** What is known of a channel's picture and sound, where it is an advertisement, and where it should be and is not. */
export class KnownVideo {
  segmentsUntilMs = 0;
  measuredUntilMs = 0;
  ads: Span[] = [];
  /** Not kept, or not measured. */
  holes: Span[] = [];
  /** Measured. */
  pictures: Span[] = [];
  sounds: Span[] = [];

  segment(segment: VideoSegment): void {
    const span = { fromMs: segment.startMs, toMs: segment.startMs + segment.durationMs };
    this.segmentsUntilMs = Math.max(this.segmentsUntilMs, span.toMs);
    if (segment.ad) this.ads = joined(this.ads, span);
  }
  gap({ fromMs, toMs }: VideoGap): void {
    this.holes = joined(this.holes, { fromMs, toMs });
  }
  measured(measured: VideoMeasured): void {
    const span = { fromMs: measured.startMs, toMs: measured.startMs + measured.durationMs };
    this.measuredUntilMs = Math.max(this.measuredUntilMs, span.toMs);
    if (measured.failed !== null) this.holes = joined(this.holes, span);
    if (measured.picture !== null) this.pictures = joined(this.pictures, span);
    if (measured.sound !== null) this.sounds = joined(this.sounds, span);
  }

  /** Was there video at that time at all, as far as is known? */
  hasVideo(atMs: number): boolean {
    return this.segmentsUntilMs > 0 && atMs - this.segmentsUntilMs < NO_VIDEO_MS;
  }
  touchesAd(fromMs: number, toMs: number): boolean {
    return this.ads.some((ad) => ad.fromMs < toMs && ad.toMs > fromMs);
  }
  touchesHole(fromMs: number, toMs: number): boolean {
    return this.holes.some((hole) => hole.fromMs < toMs && hole.toMs > fromMs);
  }
  /** Nothing begins or ends here but the stream's own parts: no cut in the picture. */
  isSeam(atMs: number): boolean {
    const near = (ms: number): boolean => Math.abs(ms - atMs) < 500;
    return [...this.ads, ...this.holes].some((span) => near(span.fromMs) || near(span.toMs));
  }

  /** What a sense can say of all of fromMs … toMs: a missing one is unknown, never quiet. */
  sense(sense: "picture" | "sound", fromMs: number, toMs: number): SenseState {
    if (!this.hasVideo(fromMs)) return "none";
    const spans = sense === "picture" ? this.pictures : this.sounds;
    if (spans.some((span) => span.fromMs <= fromMs && span.toMs >= toMs)) return "ok";
    const measuredAll =
      this.measuredUntilMs >= toMs && !this.touchesHole(fromMs, toMs) && !this.touchesAd(fromMs, toMs);
    return measuredAll && !spans.some((span) => span.fromMs < toMs && span.toMs > fromMs)
      ? "none"
      : "unknown";
  }

  forget(nowMs: number): void {
    for (const list of LISTS)
      if ((this[list][0]?.toMs ?? Infinity) < nowMs - KEPT_MS)
        this[list] = this[list].filter((span) => span.toMs >= nowMs - KEPT_MS);
  }

  save(out: ByteWriter): void {
    for (const end of ENDS) out.number(this[end]);
    for (const list of LISTS) {
      out.uint(this[list].length);
      for (const { fromMs, toMs } of this[list]) {
        out.number(fromMs);
        out.number(toMs);
      }
    }
  }
  load(bytes: ByteReader): void {
    for (const end of ENDS) this[end] = bytes.number();
    for (const list of LISTS)
      for (let left = bytes.uint(); left > 0; left--)
        this[list].push({ fromMs: bytes.number(), toMs: bytes.number() });
  }
}

/** Clocks of segments are rounded: what is this close touches. */
const TOUCH_MS = 60;

/** Adds a span to a sorted list of spans that do not touch; the oldest make place. */
function joined(spans: readonly Span[], added: Span): Span[] {
  const span = { ...added };
  const apart: Span[] = [];
  for (const other of spans) {
    if (other.toMs < span.fromMs - TOUCH_MS || other.fromMs > span.toMs + TOUCH_MS) apart.push(other);
    else {
      span.fromMs = Math.min(span.fromMs, other.fromMs);
      span.toMs = Math.max(span.toMs, other.toMs);
    }
  }
  apart.push(span);
  return apart.toSorted((a, b) => a.fromMs - b.fromMs).slice(-SPANS_BOUND);
}
