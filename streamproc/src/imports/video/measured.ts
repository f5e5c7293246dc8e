import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { videoMeasured } from "@hypecast/contracts/measured.ts";
import { thumbKey } from "@hypecast/contracts/object-keys.ts";
import { shotScore, videoShots, type ShotScore, type VideoShot } from "@hypecast/contracts/shot.ts";
import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import { vodPictureChannel, vodPrefix } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { openChannelLog } from "../../sources/hls/log.ts";
import type { Positions } from "../positions.ts";
import type { OfVod, Tell, VideoTools } from "./tools.ts";

const LOOK_EVERY_MS = 500;
/** Scores that do not come for so long will not: the moments go without. */
const SCORES_MS = 60_000;
/** Pictures that are looked at for the stream's card. */
const CARD_PICTURES = 12;

/** There is no picture any more: what ends the last shot. */
export const endOf = ({ channelId, epoch, startMs, durationMs }: VideoSegment): VideoGap => ({
  ...{ id: `${channelId}:${epoch}:end`, channelId, epoch },
  ...{ fromMs: startMs + durationMs, toMs: startMs + durationMs + 1 },
  ...{ reason: "not_found", detail: "the picture ends here" },
});

/** The scores of a picture's shots, NDJSON; that it is there means that all of it is measured. */
export const scoresKey = (id: string): string => `${vodPrefix(id)}scores.ndjson`;

/**
 * Waits until the process `media` has measured every segment and scored every shot, and keeps the scores beside the manifest: the log forgets.
 * Resolves to the picture for the stream's card.
 */
export async function measured(
  { id }: OfVod,
  tools: Pick<VideoTools, "nc" | "objects" | "log"> & { readonly positions: Pick<Positions, "folded"> },
  signal: AbortSignal,
  tell: Tell,
): Promise<{ readonly thumbKey: string | null }> {
  const { nc, objects } = tools;
  const channelId = vodPictureChannel(id);
  const segments = await readManifest(objects, id);
  const last = segments.at(-1);
  if (last === undefined) return { thumbKey: null };
  if ((await objects.size(scoresKey(id))) === null) {
    await untilMeasured();
    // Said twice it changes nothing.
    const log = await openChannelLog(nc, channelId, signal);
    const seq = await log.gap(endOf(last));
    while ((await tools.positions.folded(partitionOf(channelId))).position < seq)
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    const scores = await scored();
    await objects.put(scoresKey(id), Buffer.from(scores.map((one) => `${JSON.stringify(one)}\n`).join("")));
    // What models looked at: nobody looks again.
    for await (const { key } of objects.list(`${vodPrefix(id)}frames/`)) await objects.remove(key);
  }
  return { thumbKey: await cardPicture(objects, segments) };

  async function untilMeasured(): Promise<void> {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const places = new Map(segments.map((segment, i) => [segment.id, i + 1]));
    const ofSeconds = segments.reduce((sum, { durationMs }) => sum + durationMs / 1000, 0);
    for (;;) {
      signal.throwIfAborted();
      const message = await whenTheLogAnswers(nc, () =>
        jsm.direct.getMessage("INPUT", { last_by_subj: subjectOf(videoMeasured, channelId) }),
      );
      const done = message === null ? 0 : (places.get(message.json<{ id: string }>().id) ?? 0);
      const seconds = segments.slice(0, done).reduce((sum, { durationMs }) => sum + durationMs / 1000, 0);
      tell({ segments: done, bytes: 0, seconds, ofSeconds });
      if (done === segments.length) return;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  async function scored(): Promise<ShotScore[]> {
    const shots = new Set<string>();
    for await (const message of readSince(nc, "FOLD", [subjectOf(videoShots, channelId)], 0))
      for (const shot of message.json<VideoShot[]>()) if (shot.channelId === channelId) shots.add(shot.id);
    const scores = new Map<string, ShotScore>();
    let newMs = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const before = scores.size;
      for await (const message of readSince(nc, "INPUT", [subjectOf(shotScore, channelId)], 0)) {
        const score = message.json<ShotScore>();
        scores.set(score.id, score);
      }
      if (scores.size > before) newMs = performance.now();
      if ([...shots].every((shot) => scores.has(shot))) break;
      if (performance.now() - newMs > SCORES_MS) {
        tools.log.warn({ vod: id, shots: shots.size, scores: scores.size }, "some shots are not scored");
        break;
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    return [...scores.values()].toSorted((a, b) => a.endMs - b.endMs);
  }
}

/** The one with most in it of some pictures from the whole stream: a black or empty one is small. */
async function cardPicture(
  objects: Pick<Objects, "size">,
  segments: readonly VideoSegment[],
): Promise<string | null> {
  let best: { key: string; bytes: number } | null = null;
  for (let i = 0; i < CARD_PICTURES; i++) {
    const segment = segments[Math.floor(((i + 0.5) / CARD_PICTURES) * segments.length)];
    if (segment === undefined || segment.ad) continue;
    const key = thumbKey(segment.channelId, segment.epoch, segment.seq);
    const bytes = await objects.size(key);
    if (bytes !== null && bytes > (best?.bytes ?? 0)) best = { key, bytes };
  }
  return best?.key ?? null;
}
