import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { EventType } from "@hypecast/contracts/event.ts";
import { videoMeasured, type VideoMeasured } from "@hypecast/contracts/measured.ts";
import { measuredKey } from "@hypecast/contracts/object-keys.ts";
import { shotScore, type ShotScore } from "@hypecast/contracts/shot.ts";
import { videoGap, videoSegment, type VideoSegment } from "@hypecast/contracts/video.ts";
import { vodPictureChannel } from "@hypecast/contracts/vod.ts";
import { holesIn, readManifest } from "@hypecast/runtime/kept-video.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { endOf, scoresKey } from "./measured.ts";
import type { OfVod } from "./tools.ts";

const unpack = promisify(zstdDecompress);
/** A measurement of a minute of picture has less. */
const MEASURED_BYTES = 16_000_000;
/** A shot's end becomes known with frames that are shown so much later. */
const SHOT_LOOKAHEAD_MS = 2000;

/** One event of a merged run. */
export interface PictureEvent {
  /** Event time by which it stands among the others. */
  readonly atMs: number;
  /** Counts from 0: what goes on after a kill begins with the next. */
  readonly index: number;
  readonly type: EventType;
  readonly body: string;
}

/**
 * A stream's picture as a run hears it: each segment when it has ended, what was measured of it directly behind, each score as soon as its shot
 * is known, and at the end the gap that ends the last shot. Ids are those of `channelId`. The same at every call; nothing is held but one
 * segment's measurement.
 */
export async function* pictureEvents(
  { id }: OfVod,
  channelId: string,
  { objects }: { readonly objects: Pick<Objects, "get"> },
  from = 0,
): AsyncGenerator<PictureEvent> {
  const segments = await readManifest(objects, id);
  const scores = await readScores(objects, id);
  const holes = holesIn(segments);
  const mine = <Event extends { id: string; channelId: string }>(event: Event): Event => ({
    ...event,
    channelId,
    id: event.id.replace(vodPictureChannel(id), channelId),
  });
  let index = 0;
  let atMs = 0;
  let scored = 0;
  let hole = 0;
  const isNew = (): boolean => index++ >= from;
  for (const segment of segments) {
    const gap = holes[hole];
    if (gap !== undefined && gap.toMs <= segment.startMs) {
      hole++;
      if (isNew())
        yield { atMs: gap.toMs, index: index - 1, type: videoGap, body: JSON.stringify(mine(gap)) };
    }
    const told = mine(segment);
    atMs = Math.max(atMs, segment.startMs + segment.durationMs);
    if (isNew()) yield { atMs, index: index - 1, type: videoSegment, body: JSON.stringify(told) };
    if (isNew()) {
      const kept = await readMeasured(objects, segment);
      // The stream may have been moved in time since.
      const measured = kept === null ? unmeasured(segment) : { ...kept, startMs: segment.startMs };
      yield { atMs, index: index - 1, type: videoMeasured, body: JSON.stringify(mine(measured)) };
    }
    for (let next = scores[scored]; next !== undefined && next.endMs <= atMs - SHOT_LOOKAHEAD_MS;) {
      if (isNew()) yield { atMs, index: index - 1, type: shotScore, body: JSON.stringify(mine(next)) };
      next = scores[++scored];
    }
  }
  const last = segments.at(-1);
  if (last === undefined) return;
  if (isNew()) yield { atMs, index: index - 1, type: videoGap, body: JSON.stringify(mine(endOf(last))) };
  for (const score of scores.slice(scored))
    if (isNew()) yield { atMs, index: index - 1, type: shotScore, body: JSON.stringify(mine(score)) };
}

/** Two sources in the order of their times; of the same time the first source's comes first. */
export async function* interleave<A, B>(
  first: AsyncIterable<A>,
  second: AsyncIterable<B>,
  timeOfFirst: (item: A) => number,
  timeOfSecond: (item: B) => number,
): AsyncGenerator<{ readonly first: A } | { readonly second: B }> {
  const one = first[Symbol.asyncIterator]();
  const two = second[Symbol.asyncIterator]();
  try {
    let [a, b] = await Promise.all([one.next(), two.next()]);
    while (a.done !== true || b.done !== true)
      if (b.done === true || (a.done !== true && timeOfFirst(a.value) <= timeOfSecond(b.value))) {
        if (a.done !== true) yield { first: a.value };
        a = await one.next();
      } else {
        yield { second: b.value };
        b = await two.next();
      }
  } finally {
    await one.return?.();
    await two.return?.();
  }
}

async function readMeasured(
  objects: Pick<Objects, "get">,
  { channelId, epoch, seq }: VideoSegment,
): Promise<VideoMeasured | null> {
  const packed = await objects.get(measuredKey(channelId, epoch, seq));
  if (packed === null) return null;
  const text = (await unpack(packed, { maxOutputLength: MEASURED_BYTES })).toString();
  return videoMeasured.schema.parse(JSON.parse(text));
}

/** Of a segment that could not be measured nothing is kept. */
const unmeasured = ({ analysis: _a, source: _s, uncertainMs: _u, ...head }: VideoSegment): VideoMeasured => ({
  ...head,
  failed: "not_media",
  picture: null,
  sound: null,
  framesKey: null,
  thumbKey: null,
});

async function readScores(objects: Pick<Objects, "get">, id: string): Promise<ShotScore[]> {
  const rows = (await objects.get(scoresKey(id)))?.toString().split("\n") ?? [];
  return rows.filter((row) => row !== "").map((row) => shotScore.schema.parse(JSON.parse(row)));
}
