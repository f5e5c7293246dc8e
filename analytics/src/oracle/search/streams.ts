import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { vod, vodIdOf, vodKey, VODS_BUCKET } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";

/** What a stream's record says that its rows do not. */
export interface StreamFacts {
  readonly title: string;
  /** Event time of its first second. */
  readonly startMs: number;
  readonly lengthS: number | null;
}

export type Streams = (channelIds: readonly string[]) => Promise<ReadonlyMap<string, StreamFacts>>;

const REMEMBERED_MS = 10_000;
const MOST_REMEMBERED = 2000;

/** Records of imported streams by the channel under which they stand in the store. Live channels, and records that are gone, are not in the answer. */
export async function openStreams(nc: NatsConnection, now: () => number = Date.now): Promise<Streams> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(VODS_BUCKET));
  const remembered = new Map<string, { atMs: number; facts: StreamFacts | null }>();
  async function factsOf(id: string): Promise<StreamFacts | null> {
    const known = remembered.get(id);
    if (known !== undefined && now() - known.atMs < REMEMBERED_MS) return known.facts;
    const entry = await bucket.get(vodKey(id));
    const record = entry?.operation === "PUT" ? vod.safeParse(entry.json()).data : undefined;
    const facts =
      record === undefined
        ? null
        : { title: record.title, startMs: record.startMs, lengthS: record.durationS };
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(id, { atMs: now(), facts });
    return facts;
  }
  return async (channelIds) => {
    const found = new Map<string, StreamFacts>();
    await Promise.all(
      channelIds.map(async (channelId) => {
        const id = vodIdOf(channelId);
        const facts = id === null ? null : await factsOf(id);
        if (facts !== null) found.set(channelId, facts);
      }),
    );
    return found;
  };
}
