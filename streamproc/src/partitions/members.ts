import { Kvm, type KV } from "@nats-io/kv";
import { StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Logger } from "@hypecast/runtime/log.ts";

/** A member that was not heard for this long is gone. */
export const MEMBER_TTL_MS = 3000;
const BEAT_MS = 1000;
const BEAT_WITHIN_MS = 2000;
const WATCH_AGAIN_MS = 200;

export interface Members {
  /** Ids of all that are alive, our own included. Null: we cannot be sure that the others still hear us; own nothing. */
  alive(): readonly string[] | null;
  /** What a member says that it holds. */
  holds(id: string): readonly string[];
  /** Says what we hold now, to everybody, at once. */
  say(holds: readonly string[]): void;
  /** Says goodbye, so that our share moves at once. */
  close(): Promise<void>;
}

export interface MembersOptions {
  /** KV bucket; on file, because a bucket in memory is gone after a server restart. */
  readonly bucket: string;
  readonly id: string;
  readonly replicas: number;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Called whenever one of the answers above may have changed. */
  readonly changed: () => void;
}

/**
 * Joins a group of processes that share work. Each writes its key once a second; each times the others by its own clock since
 * their last word, so no clocks are compared between machines. Knowing who owns what is an optimisation and never the
 * fence: two members may disagree for a moment, and the guarded commit decides.
 */
export async function joinMembers(nc: NatsConnection, options: MembersOptions): Promise<Members> {
  const { id, log, changed } = options;
  const kv = await whenTheLogAnswers(nc, async () =>
    new Kvm(nc).create(options.bucket, {
      history: 1,
      ttl: MEMBER_TTL_MS,
      storage: StorageType.File,
      replicas: options.replicas,
    }),
  );
  const heard = new Map<string, { at: number; holds: string[] }>();
  let ownBeatAt = -Infinity;
  let saying: string[] = [];
  let lost = false;
  let closed = false;

  const sure = (): boolean => !lost && performance.now() - ownBeatAt < MEMBER_TTL_MS;

  const beat = async (): Promise<void> => {
    const began = performance.now();
    await within(BEAT_WITHIN_MS, kv.put(id, JSON.stringify(saying)));
    const wasSure = sure();
    ownBeatAt = began;
    lost = false;
    if (!wasSure) {
      log.info({ member: id }, "the others hear us");
      changed();
    }
  };
  // One at a time; a word that comes while one is on its way is said right after it.
  let beating: Promise<void> | null = null;
  let again = false;
  const beatNow = (): void => {
    if (closed) return;
    if (beating !== null) {
      again = true;
      return;
    }
    beating = beat()
      .catch((error: unknown) => log.warn({ member: id, err: error }, "the others may not hear us"))
      .finally(() => {
        beating = null;
        if (again) beatNow();
        again = false;
      });
  };

  const listening = await whenTheLogAnswers(nc, async () => listen(kv, heard, changed));
  void (async () => {
    for await (const { type } of nc.status()) {
      if (closed) return;
      if (type !== "disconnect" && type !== "reconnect") continue;
      // The others may have taken over meanwhile, and readers stall after a server restart: start afresh.
      lost = true;
      changed();
      if (type === "disconnect") continue;
      listening.again();
      beatNow();
    }
  })();
  let known = "";
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [member, { at }] of heard) if (now - at > MEMBER_TTL_MS) heard.delete(member);
    const state = `${String(sure())} ${[...heard.keys()].toSorted().join()}`;
    if (state !== known) changed();
    known = state;
  }, 100);
  const beats = setInterval(beatNow, BEAT_MS);
  beatNow();

  return {
    alive: () => (sure() ? [...new Set([id, ...heard.keys()])].toSorted() : null),
    holds: (member) => heard.get(member)?.holds ?? [],
    say(holds) {
      saying = [...holds];
      beatNow();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      clearInterval(beats);
      listening.close();
      await beating;
      await within(BEAT_WITHIN_MS, kv.delete(id)).catch(() => undefined);
    },
  };
}

/** Keeps `heard` up to date. `again`: starts over, since a watch stalls after a server restart. */
async function listen(
  kv: KV,
  heard: Map<string, { at: number; holds: string[] }>,
  changed: () => void,
): Promise<{ again(): void; close(): void }> {
  const closed = new AbortController();
  let current = await kv.watch();
  const hear = async (): Promise<void> => {
    for await (const { key, operation, value } of current) {
      if (operation === "PUT")
        heard.set(key, {
          at: performance.now(),
          holds: JSON.parse(Buffer.from(value).toString()) as string[],
        });
      else heard.delete(key);
      changed();
    }
  };
  void (async () => {
    while (!closed.signal.aborted) {
      await hear();
      // A watch that has ended never speaks again: it takes a new one. While the server is away everybody is on their own.
      let next: typeof current | null = null;
      while (next === null && !closed.signal.aborted) {
        next = await kv.watch().catch(() => null);
        if (next === null) await new Promise((resolve) => setTimeout(resolve, WATCH_AGAIN_MS));
      }
      current = next ?? current;
    }
    current.stop();
  })();
  return {
    again: () => current.stop(),
    close() {
      closed.abort();
      current.stop();
    },
  };
}

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
