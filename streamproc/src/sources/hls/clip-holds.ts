import { setTimeout as sleep } from "node:timers/promises";
import { Kvm, type KvEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { clip, CLIPS_BUCKET } from "@hypecast/contracts/clip.ts";
import type { Held } from "./keep.ts";

/** Around a clip's span: the set-up before it, sound that begins earlier, a person who moves its ends. */
const MARGIN_MS = 90_000;
const AGAIN_MS = 1000;

/** Which spans clips need that are asked for and not made yet. */
export async function watchClipHolds(nc: NatsConnection): Promise<{ held: Held; close(): void }> {
  const bucket = await new Kvm(nc).open(CLIPS_BUCKET);
  const holds = new Map<string, { channelId: string; fromMs: number; toMs: number }>();
  const closing = new AbortController();
  let stop = (): void => undefined;
  const take = (entry: KvEntry): void => {
    holds.delete(entry.key);
    const read = clip.safeParse(entry.operation === "PUT" ? parsed(entry) : null);
    if (!read.success) return;
    const { channelId, startMs, endMs, state } = read.data;
    if (state === "queued" || state === "running")
      holds.set(entry.key, { channelId, fromMs: startMs - MARGIN_MS, toMs: endMs + MARGIN_MS });
  };
  // Before anything is let go, all that is wanted is known.
  const keys: string[] = [];
  for await (const key of await bucket.keys()) keys.push(key);
  for (const key of keys) {
    const entry = await bucket.get(key);
    if (entry !== null) take(entry);
  }
  void (async () => {
    while (!closing.signal.aborted) {
      try {
        const entries = await bucket.watch();
        stop = () => entries.stop();
        for await (const entry of entries) take(entry);
      } catch {
        // The log is away: what was held stays held.
      }
      await sleep(AGAIN_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
  })();
  return {
    held(channelId, fromMs, toMs) {
      for (const hold of holds.values())
        if (hold.channelId === channelId && hold.fromMs < toMs && hold.toMs > fromMs) return true;
      return false;
    },
    close() {
      closing.abort();
      stop();
    },
  };
}

function parsed(entry: KvEntry): unknown {
  try {
    return entry.json();
  } catch {
    return null;
  }
}
