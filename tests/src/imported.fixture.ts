import { join } from "node:path";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { uploadPiece, UPLOADS_BUCKET, type Upload } from "@hypecast/contracts/upload.ts";
import { partitionOf } from "@hypecast/contracts/event.ts";
import { newVod } from "@hypecast/contracts/vod-steps.ts";
import {
  newVodId,
  vod,
  vodChannelId,
  vodKey,
  vodRequest,
  VODS_BUCKET,
  type Vod,
  type VodRequest,
} from "@hypecast/contracts/vod.ts";
import { openVodJobs, type RecordJobs } from "@hypecast/runtime/jobs.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";

/** What a gateway does for imports, for tests of the process that imports. */
export interface Desk {
  readonly objects: Objects;
  /** A file, or its pieces one after the other, as it was uploaded. Resolves to its id. */
  upload(name: string, body: Buffer | Iterable<Buffer>): Promise<string>;
  /** `besides`: its first run gets the partition of that stream's. */
  ask(request: Partial<VodRequest>, besides?: Vod): Promise<Vod>;
  record(id: string): Promise<Vod | null>;
  change(id: string, change: (vod: Vod) => Partial<Vod> | null): Promise<void>;
  /** Asks until the record is so. */
  until(id: string, is: (vod: Vod) => boolean): Promise<Vod>;
  gone(id: string): Promise<void>;
  close(): Promise<void>;
}

export async function openDesk(nc: NatsConnection, redisUrl: string, folder: string): Promise<Desk> {
  const objects = openFolder(join(folder, "objects"));
  const kvm = new Kvm(nc);
  const vods = await kvm.open(VODS_BUCKET);
  const uploads = await kvm.open(UPLOADS_BUCKET);
  const jobs: RecordJobs = openVodJobs(redisUrl, createLog("test", "error"));
  let count = 0;
  const random = (): string => `${++count}`.padStart(10, "t");
  const record = async (id: string): Promise<Vod | null> => readRecord(vods, id);
  return {
    objects,
    record,
    async upload(name, body) {
      const id = `u${random()}`;
      let bytes = 0;
      for (const piece of Buffer.isBuffer(body) ? cut(body, 100_000) : body) {
        await objects.put(uploadPiece(id, bytes), piece);
        bytes += piece.length;
      }
      const nowMs = Date.now();
      const whole: Upload = {
        id,
        name,
        bytes,
        offset: bytes,
        createdAtMs: nowMs,
        touchedAtMs: nowMs,
        done: true,
        writer: null,
      };
      await uploads.put(id, JSON.stringify(whole));
      return id;
    },
    async ask(request, besides) {
      const nowMs = Date.now();
      const place = (id: string): number => partitionOf(vodChannelId(id, 1));
      let id = newVodId(nowMs, random());
      if (besides !== undefined) while (place(id) !== place(besides.id)) id = newVodId(nowMs, random());
      const asked = newVod(id, vodRequest.parse(request), nowMs);
      await vods.put(vodKey(asked.id), JSON.stringify(asked));
      await jobs.add(asked.id);
      return asked;
    },
    async change(id, change) {
      for (;;) {
        const entry = await vods.get(vodKey(id));
        if (entry?.operation !== "PUT") return;
        const before = vod.parse(entry.json());
        const changed = change(before);
        if (changed === null) return;
        try {
          const after = { ...before, ...changed, revision: before.revision + 1 };
          await vods.update(vodKey(id), JSON.stringify(after), entry.revision);
          await jobs.add(id);
          return;
        } catch (error) {
          if (!(error instanceof Error && /wrong last sequence/i.test(error.message))) throw error;
        }
      }
    },
    async until(id, is) {
      for (;;) {
        const known = await record(id).catch(() => null);
        if (known !== null && is(known)) return known;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async gone(id) {
      while ((await record(id).catch(() => ({}))) !== null)
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async close() {
      await jobs.close();
      objects.close();
    },
  };
}

function* cut(body: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
}

async function readRecord(bucket: KV, id: string): Promise<Vod | null> {
  const entry = await bucket.get(vodKey(id));
  return entry?.operation === "PUT" ? vod.parse(entry.json()) : null;
}

/** A chat as Twitch's GQL gives it, flat. Lines: `[offset in s, viewer, text]`. */
export const gqlChat = (videoId: string, lines: readonly (readonly [number, string, string])[]): Buffer =>
  Buffer.from(
    JSON.stringify(
      lines.map(([offset, who, text], i) => ({
        id: `m-${videoId}-${i}`,
        createdAt: new Date(START_MS + offset * 1000).toISOString(),
        channelId: "4711",
        contentType: "video",
        contentId: videoId,
        contentOffsetSeconds: offset,
        commenter: { id: who.replace(/\D/g, "9"), login: who, displayName: who },
        message: { body: text, fragments: [{ text, emote: {} }], userBadges: [], userColor: "#FF0000" },
      })),
    ),
  );
const START_MS = Date.UTC(2026, 3, 5, 18, 0, 0);

/** `perS` lines a second, and every four minutes twelve seconds in which everybody laughs in words of their own. */
export function livelyChat(seconds: number, perS: number, seed: number): [number, string, string][] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)]!;
  const said: [number, string, string][] = [];
  for (let s = 0; s < seconds; s++) {
    const laughs = s % 240 >= 200 && s % 240 < 212;
    const count = laughs ? perS * 8 : perS;
    for (let i = 0; i < count; i++) {
      const text = `${word()} ${word()} ${word()}`;
      said.push([
        s + Math.round((i / count) * 900) / 1000,
        `viewer${Math.floor(random() * 300)}`,
        laughs ? `LUL ${random() < 0.5 ? "LUL" : text}` : text,
      ]);
    }
  }
  return said;
}
const WORDS = [
  ..."the lava boss run again please what does this key open music is loud today hello from finland who".split(
    " ",
  ),
  ..."nice jump almost there new record soon chat thinks left door was better how old is that dog wow".split(
    " ",
  ),
];
