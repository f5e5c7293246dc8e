import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { chatEnded, type ChatEnded } from "@hypecast/contracts/chat.ts";
import { chatChunks } from "@hypecast/contracts/chunk.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { ANSWERS_BUCKET } from "@hypecast/contracts/oracle.ts";
import { forgetChannel } from "@hypecast/contracts/question.ts";
import { vodChannelId, vodPictureChannel, vodPrefix, type Vod } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { aheadOf } from "./ahead.ts";
import { channelFilter, openChannel } from "./channel-writer.ts";
import { ROWS } from "./make-run.ts";
import { lastSequence, untilStored } from "./stored.ts";
import type { ImportTools } from "./tools.ts";
import { removeUpload } from "./upload-source.ts";

/** Whoever measured or embedded it in this moment may still have said something: it is looked at again after this. */
const SETTLED_MS = 1000;

/**
 * One run's channel out of the log and the store. What was written is folded and stored first, since what is on its way can be removed by
 * nobody; then subjects and rows go, until counting finds none.
 */
export async function forgetRun(channelId: string, tools: ImportTools, signal: AbortSignal): Promise<void> {
  const { nc, positions, ask } = tools;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const filter = channelFilter(channelId);
  const partition = partitionOf(channelId);
  for (;;) {
    if ((await lastSequence(nc, [filter])) > 0) {
      const endedSeq = await sayEnded(channelId, tools, signal);
      const revision = await aheadOf(positions, partition).folded(endedSeq, signal);
      const rows = ROWS.map((type) => subjectOf(type, channelId));
      await untilStored(positions, partition, revision, await lastSequence(nc, rows), signal);
    }
    await whenTheLogAnswers(nc, () => jsm.streams.purge("INPUT", { filter }));
    await whenTheLogAnswers(nc, () =>
      jsm.streams.purge("FOLD", { filter: subjectOf(chatChunks, channelId) }),
    );
    while (Object.keys((await ask(forgetChannel, { channelId }, signal)).left).length > 0)
      signal.throwIfAborted();
    await sleep(SETTLED_MS, undefined, { signal });
    const { left } = await ask(forgetChannel, { channelId }, signal);
    if (Object.keys(left).length === 0 && (await lastSequence(nc, [filter])) === 0) return;
  }
}

/** The folds forget a channel that was left in mid-import. Resolves to where that was said. */
async function sayEnded(channelId: string, { nc }: ImportTools, signal: AbortSignal): Promise<number> {
  const channel = await openChannel(nc, channelId, signal, channelFilter(channelId));
  const last = channel.last();
  if (last?.subject.startsWith(chatEnded.name) === true) return last.seq;
  const ended: ChatEnded = { id: `${channelId}:ended`, channelId, atMs: Date.now() };
  return channel.write([{ type: chatEnded, body: JSON.stringify(ended), mark: "forgotten" }]);
}

/** Everything of a stream: its runs, its files, what was uploaded for it, answers that cite it. */
export async function forgetStream(vod: Vod, tools: ImportTools, signal: AbortSignal): Promise<void> {
  const { nc, objects } = tools;
  const runs = Array.from({ length: vod.run }, (_, i) => vodChannelId(vod.id, i + 1));
  const channels = [vodPictureChannel(vod.id), ...runs];
  await Promise.all(channels.map((channelId) => forgetRun(channelId, tools, signal)));
  await removeAll(tools, vodPrefix(vod.id));
  for (const uploaded of [vod.source.chatUpload, vod.source.videoUpload])
    if (uploaded !== null) await removeUpload(nc, objects, uploaded);
  await forgetAnswers(nc, channels);
}

async function removeAll({ objects }: ImportTools, prefix: string): Promise<void> {
  for await (const { key } of objects.list(prefix)) await objects.remove(key);
}

const cited = z.looseObject({ channelId: z.string() });
const citing = z.looseObject({ hits: z.array(cited), nearest: z.array(cited) });

/** An answer that leads with a place of these channels, or has no other, goes; in others those places are left out. */
async function forgetAnswers(nc: NatsConnection, channels: readonly string[]): Promise<void> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(ANSWERS_BUCKET));
  const isOf = ({ channelId }: { channelId: string }): boolean => channels.includes(channelId);
  const keys = await whenTheLogAnswers(nc, () => bucket.keys());
  for await (const key of keys) {
    const entry = await whenTheLogAnswers(nc, () => bucket.get(key));
    const known = entry?.operation === "PUT" ? citing.safeParse(entry.json()).data : undefined;
    if (entry === null || known === undefined) continue;
    const places = [...known.hits, ...known.nearest];
    if (!places.some(isOf)) continue;
    if (places.every(isOf) || isOf(known.hits[0] ?? places[0]!)) {
      await whenTheLogAnswers(nc, () => bucket.purge(key));
      continue;
    }
    const rest = {
      ...known,
      hits: known.hits.filter((place) => !isOf(place)),
      nearest: known.nearest.filter((place) => !isOf(place)),
    };
    // Somebody who writes it now writes what was found without this stream.
    await whenTheLogAnswers(nc, () => bucket.update(key, JSON.stringify(rest), entry.revision)).catch(
      () => undefined,
    );
  }
}
