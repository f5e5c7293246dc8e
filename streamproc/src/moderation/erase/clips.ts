import type { Clip } from "@hypecast/contracts/clip.ts";
import { videoState, VIDEO_STATE_BUCKET } from "@hypecast/contracts/video.ts";
import { vodIdOf } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { ClipRecords } from "../../clips/records.ts";
import { clipChattersKey, clipKey } from "../../clips/render.ts";
import { namedIn, type Chatter } from "./named.ts";

/** When the chatter wrote in each channel, in event time. */
export type Written = ReadonlyMap<string, readonly number[]>;

/** Chat is drawn a little after it was written, and the clip may be shifted by the channel's lag. */
const AROUND_MS = 60_000;

interface Stretch {
  readonly channelId: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Does the clip's picture show lines of the chatter? `drawn`: keyed hashes of those whose it shows; null: nobody has written them down. */
export function shows(
  clip: Clip,
  target: string,
  drawn: readonly string[] | null,
  written: Written,
): boolean {
  if (clip.files.length === 0) return false;
  if (drawn !== null) return drawn.includes(target);
  const stretches: readonly (Stretch & { picture: Clip["picture"] })[] =
    clip.parts.length > 0 ? clip.parts : [clip];
  return stretches.some(
    ({ channelId, startMs, endMs, picture }) =>
      (picture === "chat" || (clip.chat.on && clip.cut === "exact")) &&
      (written.get(channelId) ?? []).some((atMs) => atMs >= startMs - AROUND_MS && atMs < endMs + AROUND_MS),
  );
}

async function drawnIn(objects: Objects, id: string): Promise<string[] | null> {
  const body = await objects.get(clipChattersKey(id));
  return body === null ? null : (JSON.parse(body.toString()) as string[]);
}

/**
 * Clips that show the chatter: their files go at once, and what can still be made without the chatter is made again by the process `clips`, which finds
 * the record by itself; the rest is withdrawn. Titles lose the name.
 */
export async function eraseFromClips(
  parts: { readonly nc: NatsConnection; readonly records: ClipRecords; readonly objects: Objects },
  chatter: Chatter,
  target: string,
  written: Written,
): Promise<{ id: string; did: "rendered_again" | "withdrawn" }[]> {
  const { nc, records, objects } = parts;
  const isNamed = namedIn(chatter);
  const oldest = await oldestKept(nc);
  const did: { id: string; did: "rendered_again" | "withdrawn" }[] = [];
  for (const clip of await records.all()) {
    if (isNamed(clip.title)) await records.change(clip.id, () => ({ title: "" }));
    if (!shows(clip, target, await drawnIn(objects, clip.id), written)) continue;
    for await (const { key } of objects.list(clipKey(clip.id, ""))) await objects.remove(key);
    const stretches: readonly Stretch[] = clip.parts.length > 0 ? clip.parts : [clip];
    const canAgain = stretches.every(
      ({ channelId, startMs }) =>
        vodIdOf(channelId) !== null ||
        clip.picture === "chat" ||
        startMs >= (oldest.get(channelId) ?? Infinity),
    );
    await records.change(clip.id, () => ({
      state: canAgain ? "queued" : "cancelled",
      stage: null,
      progress: 0,
      etaS: null,
      attempt: 0,
      error: null,
      files: [],
      thumbKey: null,
      readyAtMs: null,
      ...(canAgain ? {} : { shareToken: null }),
    }));
    did.push({ id: clip.id, did: canAgain ? "rendered_again" : "withdrawn" });
  }
  return did;
}

/** Since when each channel's picture is kept. */
async function oldestKept(nc: NatsConnection): Promise<Map<string, number>> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(VIDEO_STATE_BUCKET));
  const oldest = new Map<string, number>();
  if ((await whenTheLogAnswers(nc, () => bucket.status())).values === 0) return oldest;
  for await (const key of await whenTheLogAnswers(nc, () => bucket.keys())) {
    const entry = await whenTheLogAnswers(nc, () => bucket.get(key));
    const read = entry?.operation === "PUT" ? videoState.safeParse(entry.json()) : null;
    if (read?.success !== true || read.data.channelId === null || read.data.oldestMs === null) continue;
    oldest.set(read.data.channelId, read.data.oldestMs);
  }
  return oldest;
}
