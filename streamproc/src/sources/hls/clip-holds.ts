import { Kvm, type KvEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { clip, CLIPS_BUCKET } from "@hypecast/contracts/clip.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";
import type { Held } from "./keep.ts";

/** Around a clip's span: the set-up before it, sound that begins earlier, a person who moves its ends. */
const MARGIN_MS = 90_000;

/** Which spans clips need that are asked for and not made yet. */
export async function watchClipHolds(
  nc: NatsConnection,
  log: Logger,
): Promise<{ held: Held; close(): void }> {
  const bucket = await new Kvm(nc).open(CLIPS_BUCKET);
  const holds = new Map<string, { channelId: string; fromMs: number; toMs: number }>();
  const watch = watchBucket(bucket, log, (key, entry) => {
    holds.delete(key);
    const read = clip.safeParse(entry && parsed(entry));
    if (!read.success) return;
    const { channelId, startMs, endMs, state } = read.data;
    if (state === "queued" || state === "running")
      holds.set(key, { channelId, fromMs: startMs - MARGIN_MS, toMs: endMs + MARGIN_MS });
  });
  // Before anything is let go, all that is wanted is known.
  await watch.whole;
  return {
    held(channelId, fromMs, toMs) {
      for (const hold of holds.values())
        if (hold.channelId === channelId && hold.fromMs < toMs && hold.toMs > fromMs) return true;
      return false;
    },
    close: watch.close,
  };
}

function parsed(entry: KvEntry): unknown {
  try {
    return entry.json();
  } catch {
    return null;
  }
}
