import type { NatsConnection } from "@nats-io/transport-node";
import { LIVE_FILTER, liveTick, type LiveTick } from "@hypecast/contracts/live.ts";
import type { ChannelSummary, Topic } from "@hypecast/contracts/push.ts";
import type { Hub } from "../push/hub.ts";
import { dropped, liveAge } from "../metrics.ts";

/** A tick older than this no longer says what is now. */
const NOW_MS = 10_000;

interface Kept {
  readonly atMs: number;
  readonly body: Uint8Array;
  tick: LiveTick | null;
}

export interface LiveFeed {
  /** The latest numbers of a channel, for the list. */
  readonly now: (channelId: string) => ChannelSummary["now"];
  /** The first watcher of a channel came: it is shown the newest tick at once. */
  watched(channelId: string, login: string): void;
  close(): void;
}

/** Provisional ticks from the processors to `live:<login>`. Only watched channels are read; of the others the newest is kept as it came. */
export function feedLive(
  nc: NatsConnection,
  hub: Hub,
  loginOf: (channelId: string) => string | null,
): LiveFeed {
  const newest = new Map<string, Kept>();
  const publish = (topic: Topic, kept: Kept): void => {
    const tick = read(kept);
    if (tick === null) return;
    const nowMs = Date.now();
    if (tick.newestReceivedAtMs !== null)
      liveAge.observe(Math.max(0, nowMs - tick.newestReceivedAtMs) / 1000);
    hub.publish(topic, Buffer.from(kept.body).toString(), nowMs);
  };
  const subscription = nc.subscribe(LIVE_FILTER, {
    callback: (_error, message) => {
      const channelId = message.subject.slice(LIVE_FILTER.length - 1);
      const login = loginOf(channelId);
      // A channel that nobody wants any more, or one that its source has not named yet.
      if (login === null) return void newest.delete(channelId);
      // A copy: the body is a window into a larger buffer.
      const kept = { atMs: Date.now(), body: message.data.slice(), tick: null };
      newest.set(channelId, kept);
      const topic: Topic = `live:${login}`;
      if (hub.isWatched(topic)) publish(topic, kept);
    },
  });
  return {
    now: (channelId) => {
      const kept = newest.get(channelId);
      if (kept === undefined || kept.atMs < Date.now() - NOW_MS) return null;
      const tick = read(kept);
      return tick === null
        ? null
        : { atMs: tick.atMs, messagesPerMin: tick.messagesPerMin, value: tick.value, state: tick.state };
    },
    watched(channelId, login) {
      const kept = newest.get(channelId);
      if (kept !== undefined) publish(`live:${login}`, kept);
    },
    close: () => subscription.unsubscribe(),
  };
}

function read(kept: Kept): LiveTick | null {
  if (kept.tick !== null) return kept.tick;
  try {
    const tick = liveTick.safeParse(JSON.parse(Buffer.from(kept.body).toString()));
    if (tick.success) return (kept.tick = tick.data);
  } catch {
    // Counted below, with those of the wrong shape.
  }
  dropped.inc({ reason: "unreadable_tick" });
  return null;
}
