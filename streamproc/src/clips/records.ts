import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  channelLayout,
  clip,
  CLIPS_BUCKET,
  LAYOUT_BUCKET,
  type ChannelLayout,
  type Clip,
} from "@hypecast/contracts/clip.ts";
import { isVodId, vod, vodKey, VODS_BUCKET } from "@hypecast/contracts/vod.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";

/** Others may write the same record at the same time: so often a change is tried on what they wrote. */
const CHANGE_TRIES = 20;

/** The records of clips, which are the truth about them. The gateway writes what people ask for, this what becomes of it. */
export interface ClipRecords {
  /** Null: it was deleted, or there never was one. */
  get(id: string): Promise<Clip | null>;
  /** Writes what `change` makes of the record as it is now; null from it leaves the record. Null: there is none. */
  change(id: string, change: (clip: Clip) => Partial<Clip> | null): Promise<Clip | null>;
  all(): Promise<Clip[]>;
  /** Tells of every change of one record until closed; null: deleted. */
  watch(id: string, tell: (clip: Clip | null) => void): { close(): void };
  layoutOf(login: string): Promise<ChannelLayout>;
  /** How people call a stream: a channel by its login, an imported one by whose it was, or its title. Empty: nobody knows. */
  nameOf(login: string): Promise<string>;
}

/** Every call waits while the log is away. */
export async function openRecords(nc: NatsConnection, log: Logger): Promise<ClipRecords> {
  const kvm = new Kvm(nc);
  const bucket = await whenTheLogAnswers(nc, () => kvm.open(CLIPS_BUCKET));
  const layouts = await whenTheLogAnswers(nc, () => kvm.open(LAYOUT_BUCKET));
  const vods = await whenTheLogAnswers(nc, () => kvm.open(VODS_BUCKET));
  return {
    get: async (id) => (await read(nc, bucket, id))?.clip ?? null,
    async change(id, change) {
      for (let tries = 0; tries < CHANGE_TRIES; tries++) {
        const known = await read(nc, bucket, id);
        if (known === null) return null;
        const changed = change(known.clip);
        if (changed === null) return known.clip;
        const after: Clip = { ...known.clip, ...changed, revision: known.clip.revision + 1 };
        try {
          await whenTheLogAnswers(nc, () => bucket.update(id, JSON.stringify(after), known.revision));
          return after;
        } catch (error) {
          // Also when our own first try was written and its answer was lost: then it is read again and changed to the same.
          if (!(error instanceof Error && /wrong last sequence/i.test(error.message))) throw error;
        }
      }
      throw new Error(`the record of clip ${id} is written by too many at once`);
    },
    async all() {
      const clips: Clip[] = [];
      const keys = await whenTheLogAnswers(nc, () => bucket.keys());
      for await (const key of keys) {
        const known = await read(nc, bucket, key);
        if (known !== null) clips.push(known.clip);
      }
      return clips;
    },
    watch(id, tell) {
      return watchBucket(bucket, log, (_id, entry) => tell(entry && parsed(entry.value)), id);
    },
    async nameOf(login) {
      if (!isVodId(login)) return login;
      const entry = await whenTheLogAnswers(nc, () => vods.get(vodKey(login)));
      const known = entry?.operation === "PUT" ? vod.safeParse(entry.json()) : null;
      return known?.data?.broadcaster?.name ?? known?.data?.title ?? "";
    },
    async layoutOf(login) {
      const entry = await whenTheLogAnswers(nc, () => layouts.get(login));
      const read = channelLayout.safeParse(entry?.operation === "PUT" ? entry.json() : {});
      return read.success ? read.data : channelLayout.parse({});
    },
  };
}

async function read(
  nc: NatsConnection,
  bucket: KV,
  id: string,
): Promise<{ clip: Clip; revision: number } | null> {
  const entry = await whenTheLogAnswers(nc, () => bucket.get(id));
  if (entry?.operation !== "PUT") return null;
  const known = parsed(entry.value);
  return known === null ? null : { clip: known, revision: entry.revision };
}

function parsed(body: Uint8Array): Clip | null {
  try {
    return clip.safeParse(JSON.parse(new TextDecoder().decode(body))).data ?? null;
  } catch {
    return null;
  }
}
