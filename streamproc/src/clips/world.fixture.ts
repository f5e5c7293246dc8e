import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  chatLines,
  chatModeration,
  packLines,
  type ChatLine,
  type ChatModeration,
} from "@hypecast/contracts/chat.ts";
import { CLIPS_BUCKET, clip, clipRequest, type Clip, type ClipRequest } from "@hypecast/contracts/clip.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";

export type Asked = Partial<ClipRequest> &
  Partial<Pick<Clip, "channelId" | "parts" | "titles" | "batch">> & { startMs: number; endMs: number };

/** A log and a store for tests, with what a gateway would put there. */
export interface World {
  readonly nats: Server;
  readonly nc: NatsConnection;
  readonly objects: Objects;
  readonly folder: string;
  ask(request: Asked): Promise<Clip>;
  change(id: string, change: Partial<Clip>): Promise<void>;
  record(id: string): Promise<Clip | null>;
  say(lines: readonly ChatLine[], moderation?: readonly ChatModeration[]): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const nats = await startNats();
  const folder = temporaryFolder("clips");
  mkdirSync(join(folder, "objects"));
  const objects = openFolder(join(folder, "objects"));
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "clips-test");
  await ensureStreams(nc, 1);
  const bucket = await new Kvm(nc).open(CLIPS_BUCKET);
  const record = async (id: string): Promise<Clip | null> => {
    const entry = await bucket.get(id);
    return entry?.operation === "PUT" ? clip.parse(entry.json()) : null;
  };
  return {
    nats,
    nc,
    objects,
    folder,
    record,
    async ask({ channelId = "c1", parts = [], titles = true, batch = null, ...request }) {
      const asked: Clip = {
        ...clipRequest.parse({ login: "runner", ...request }),
        id: randomUUID(),
        channelId,
        createdAtMs: Date.now(),
        revision: 1,
        state: "queued",
        stage: null,
        progress: 0,
        etaS: null,
        attempt: 0,
        error: null,
        parts,
        titles,
        batch,
        leftOut: [],
        files: [],
        thumbKey: null,
        readyAtMs: null,
        shareToken: null,
        twitchUrl: null,
      };
      await bucket.put(asked.id, JSON.stringify(asked));
      return asked;
    },
    async change(id, change) {
      for (;;) {
        const entry = await bucket.get(id);
        if (entry === null) return;
        const before = clip.parse(entry.json());
        try {
          const after = { ...before, ...change, revision: before.revision + 1 };
          await bucket.update(id, JSON.stringify(after), entry.revision);
          return;
        } catch (error) {
          if (!(error instanceof Error && /wrong last sequence/i.test(error.message))) throw error;
        }
      }
    },
    async say(lines, moderation = []) {
      const js = jetstream(nc);
      for (const line of lines) await js.publish(subjectOf(chatLines, line.channelId), packLines([line]));
      for (const one of moderation)
        await js.publish(subjectOf(chatModeration, one.channelId), JSON.stringify(one));
    },
    async close() {
      await nc.close();
      await nats.close();
    },
  };
}

/** Asks until it is so; the runner's own time limit ends it. */
export async function until<Value>(ask: () => Promise<Value | null | undefined | false>): Promise<Value> {
  for (;;) {
    const value = await ask();
    if (value !== null && value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
