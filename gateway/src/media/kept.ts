import { DeliverPolicy, jetstream, type ConsumerMessages } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { videoSegment, type VideoState } from "@hypecast/contracts/video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { dropped } from "../metrics.ts";
import { ProblemError } from "../problems.ts";
import { append, emptyTimeline, trim, type Timeline } from "./playlist.ts";

/** A channel is read on so long after somebody has last asked for it. */
const IDLE_MS = 5 * 60_000;
/** The past may take so long to be read before who asks is told to come back. */
const READ_MS = 5000;
const RETRY_MS = 500;
/** The log's clock and the stream's may differ. */
const CLOCKS_MS = 10 * 60_000;

/** What is kept of each channel's picture, as playlists list it. Only channels that somebody looks at are read. */
export interface KeptVideo {
  /** Null: nothing is kept. */
  of(state: VideoState | null): Promise<Timeline | null>;
  close(): void;
}

interface Followed {
  readonly timeline: Timeline;
  readonly whole: Promise<void>;
  askedAtMs: number;
  readonly stop: () => void;
}

export function followKeptVideo(nc: NatsConnection, log: Logger): KeptVideo {
  const followed = new Map<string, Followed>();
  const timer = setInterval(() => {
    for (const [channelId, { askedAtMs, stop }] of followed)
      if (askedAtMs < Date.now() - IDLE_MS) {
        stop();
        followed.delete(channelId);
      }
  }, IDLE_MS / 10);
  return {
    async of(state) {
      if (state === null || state.channelId === null || state.oldestMs === null) return null;
      const { channelId, oldestMs } = state;
      let one = followed.get(channelId);
      if (one === undefined) {
        const keptMs = (state.newestMs ?? oldestMs) - oldestMs;
        one = follow(nc, channelId, Math.min(oldestMs, Date.now() - keptMs) - CLOCKS_MS, log);
        followed.set(channelId, one);
      }
      one.askedAtMs = Date.now();
      await inTime(one.whole);
      trim(one.timeline, oldestMs);
      return one.timeline.listed.length === 0 ? null : one.timeline;
    },
    close() {
      clearInterval(timer);
      for (const { stop } of followed.values()) stop();
    },
  };
}

async function inTime(whole: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(new ProblemError("bus_down", "the log has not said yet what is kept", { "Retry-After": "2" })),
      READ_MS,
    );
  });
  await Promise.race([whole, late]).finally(() => clearTimeout(timer));
}

/** Reads a channel's segments from the log, those since `sinceMs` first, then each as it comes. */
function follow(nc: NatsConnection, channelId: string, sinceMs: number, log: Logger): Followed {
  const timeline = emptyTimeline();
  const closing = new AbortController();
  let messages: ConsumerMessages | null = null;
  let newestSeq = 0;
  let done = (): void => undefined;
  const whole = new Promise<void>((resolve) => {
    done = resolve;
  });
  const take = (json: () => unknown): void => {
    try {
      const read = videoSegment.schema.safeParse(json());
      if (read.success) return void append(timeline, read.data);
    } catch {
      // Counted below, with those of the wrong shape.
    }
    dropped.inc({ reason: "unreadable_segment" });
  };
  const read = async (): Promise<void> => {
    const consumer = await jetstream(nc).consumers.get("INPUT", {
      filter_subjects: [subjectOf(videoSegment, channelId)],
      ...(newestSeq > 0
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: newestSeq + 1 }
        : {
            deliver_policy: DeliverPolicy.StartTime,
            opt_start_time: new Date(Math.max(0, sinceMs)).toISOString(),
          }),
    });
    if ((await consumer.info()).num_pending === 0) done();
    messages = await consumer.consume({ expires: 5000, idle_heartbeat: 1000 });
    if (closing.signal.aborted) messages.stop();
    for await (const message of messages) {
      if (message.seq > newestSeq) take(() => message.json());
      newestSeq = Math.max(newestSeq, message.seq);
      if (message.info.pending === 0) done();
    }
  };
  void (async () => {
    while (!closing.signal.aborted) {
      try {
        await read();
      } catch (error) {
        if (!closing.signal.aborted)
          log.warn({ err: error, channelId }, "reading segments ended; beginning again");
      }
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();
  return {
    timeline,
    whole,
    askedAtMs: Date.now(),
    stop() {
      closing.abort();
      messages?.stop();
    },
  };
}
