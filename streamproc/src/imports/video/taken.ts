import { jetstreamManager } from "@nats-io/jetstream";
import { z } from "zod";
import { partitionOf } from "@hypecast/contracts/event.ts";
import { shotScore } from "@hypecast/contracts/shot.ts";
import { vodError, vodPictureChannel, vodPrefix, vodVideoKey, type Vod } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { scoresKey } from "./measured.ts";
import type { OfVod, VideoTools } from "./tools.ts";

/** What a picture was taken from. An upload is gone when it is taken: whoever asks again is answered from here. */
const taken = z.object({
  source: z.string(),
  /** Event time of its first picture, as the manifest has it. */
  startMs: z.int(),
  /** All of it was taken. */
  whole: z.boolean(),
  /** Nothing of it was: its segments are fetched when somebody needs them. */
  asked: z.boolean(),
  facts: z.object({
    kind: z.enum(["file", "hls"]),
    durationS: z.number().nullable(),
    bytes: z.number().nullable(),
    width: z.int(),
    height: z.int(),
    startMs: z.number().nullable(),
    encodes: z.string().nullable(),
  }),
  notes: z.array(vodError),
});
export type Taken = z.infer<typeof taken>;

const takenKey = (id: string): string => `${vodPrefix(id)}video.json`;
export const sourceOf = ({ videoUpload, url }: Vod["source"]): string =>
  videoUpload === null ? (url ?? "") : `upload ${videoUpload}`;

/** Null: nothing was taken yet, or from somewhere else. */
export async function readTaken(
  { id, source }: Pick<OfVod, "id" | "source">,
  objects: Pick<Objects, "get">,
): Promise<Taken | null> {
  const body = await objects.get(takenKey(id));
  const read = body === null ? null : taken.parse(JSON.parse(body.toString()));
  return read?.source === sourceOf(source) ? read : null;
}

export async function writeTaken(id: string, now: Taken, objects: Pick<Objects, "put">): Promise<void> {
  await objects.put(takenKey(id), Buffer.from(JSON.stringify(now)));
}

/**
 * Makes room for what the record asks for now: another picture is removed, and one that has begun at another time, as a chat has said since, is
 * moved there. Resolves to what is taken of this picture already.
 */
export async function settleTaken(
  vod: OfVod,
  mayBeAsked: boolean,
  tools: Pick<VideoTools, "nc" | "objects">,
): Promise<Taken | null> {
  const { id, startMs } = vod;
  const before = await readTaken(vod, tools.objects);
  if (before === null || (before.asked && !mayBeAsked) || (before.startMs !== startMs && !before.whole)) {
    await removePicture(id, tools);
    return null;
  }
  if (before.startMs === startMs) return before;
  await move(id, startMs - before.startMs, tools.objects);
  const moved = { ...before, startMs };
  await writeTaken(id, moved, tools.objects);
  return moved;
}

async function removePicture(id: string, { nc, objects }: Pick<VideoTools, "nc" | "objects">): Promise<void> {
  const channelId = vodPictureChannel(id);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const filter = `*.*.${partitionOf(channelId)}.${channelId}`;
  await whenTheLogAnswers(nc, () => jsm.streams.purge("INPUT", { filter }));
  // What says that it was taken goes last.
  for (const key of [vodVideoKey(id), scoresKey(id)]) await objects.remove(key);
  for (const kind of ["video", "measured", "thumbs", "frames"])
    for await (const { key } of objects.list(`${vodPrefix(id)}${kind}/`)) await objects.remove(key);
  await objects.remove(takenKey(id));
}

async function move(id: string, byMs: number, objects: Pick<Objects, "get" | "put">): Promise<void> {
  const segments = (await readManifest(objects, id)).map((segment) => ({
    ...segment,
    startMs: segment.startMs + byMs,
  }));
  const scores = ((await objects.get(scoresKey(id)))?.toString() ?? "")
    .split("\n")
    .filter((row) => row !== "")
    .map((row) => shotScore.schema.parse(JSON.parse(row)))
    .map((score) => {
      const startMs = score.startMs + byMs;
      // A shot's id ends with its start.
      return { ...score, startMs, endMs: score.endMs + byMs, id: score.id.replace(/\d+$/, String(startMs)) };
    });
  const rows = (list: readonly object[]): Buffer =>
    Buffer.from(list.map((one) => `${JSON.stringify(one)}\n`).join(""));
  if (scores.length > 0) await objects.put(scoresKey(id), rows(scores));
  await objects.put(vodVideoKey(id), rows(segments));
}
