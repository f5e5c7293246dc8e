import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { vod, vodKey, VODS_BUCKET, type Vod } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";

/** Others may write the same record at the same time: so often a change is tried on what they wrote. */
const CHANGE_TRIES = 20;

/** The records of imported streams, which are the truth about them. The gateway writes what people ask for, this what becomes of it. */
export interface VodRecords {
  /** Null: it was deleted, or there never was one. */
  get(id: string): Promise<Vod | null>;
  /** Writes what `change` makes of the record as it is now; null from it leaves the record. Null: there is none. */
  change(id: string, change: (vod: Vod) => Partial<Vod> | null): Promise<Vod | null>;
  all(): Promise<Vod[]>;
  /** Tells of every change of one record until closed; null: deleted. */
  watch(id: string, tell: (vod: Vod | null) => void): { close(): void };
  /** The end of a deletion. */
  remove(id: string): Promise<void>;
}

/** Every call waits while the log is away. */
export async function openVodRecords(nc: NatsConnection, log: Logger): Promise<VodRecords> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(VODS_BUCKET));
  return {
    get: async (id) => (await read(nc, bucket, id))?.vod ?? null,
    async change(id, change) {
      for (let tries = 0; tries < CHANGE_TRIES; tries++) {
        const known = await read(nc, bucket, id);
        if (known === null) return null;
        const changed = change(known.vod);
        if (changed === null) return known.vod;
        const after: Vod = { ...known.vod, ...changed, revision: known.vod.revision + 1 };
        try {
          await whenTheLogAnswers(nc, () => bucket.update(vodKey(id), JSON.stringify(after), known.revision));
          return after;
        } catch (error) {
          // Also when our own first try was written and its answer was lost: then it is read again and changed to the same.
          if (!(error instanceof Error && /wrong last sequence/i.test(error.message))) throw error;
        }
      }
      throw new Error(`the record of stream ${id} is written by too many at once`);
    },
    async all() {
      const vods: Vod[] = [];
      const keys = await whenTheLogAnswers(nc, () => bucket.keys());
      for await (const key of keys) {
        const known = await read(nc, bucket, `_${key}`);
        if (known !== null) vods.push(known.vod);
      }
      return vods;
    },
    watch(id, tell) {
      return watchBucket(bucket, log, (_key, entry) => tell(entry && parsed(entry.value)), vodKey(id));
    },
    async remove(id) {
      await whenTheLogAnswers(nc, () => bucket.purge(vodKey(id)));
    },
  };
}

async function read(
  nc: NatsConnection,
  bucket: KV,
  id: string,
): Promise<{ vod: Vod; revision: number } | null> {
  const entry = await whenTheLogAnswers(nc, () => bucket.get(vodKey(id)));
  if (entry?.operation !== "PUT") return null;
  const known = parsed(entry.value);
  return known === null ? null : { vod: known, revision: entry.revision };
}

function parsed(body: Uint8Array): Vod | null {
  try {
    return vod.safeParse(JSON.parse(new TextDecoder().decode(body))).data ?? null;
  } catch {
    return null;
  }
}
