import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf, type EventType, type Payload } from "@hypecast/contracts/event.ts";
import { videoGap, videoSegment, type VideoGap, type VideoSegment } from "@hypecast/contracts/video.ts";

/** Somebody else has written for this channel: begin again from what the log has. */
export class Overtaken extends Error {}

export interface LastOnLog {
  readonly segment: VideoSegment | null;
  /** Only when it stands behind the segment. */
  readonly gap: VideoGap | null;
}

/** One channel's way into the log. */
export interface ChannelLog {
  readonly last: LastOnLog;
  /** Resolves to its place on the log when it is on the disk. Throws `Overtaken`. */
  segment(segment: VideoSegment): Promise<number>;
  gap(gap: VideoGap): Promise<number>;
}

const PUBLISH_MS = 2000;
const RETRY_MS = { first: 50, most: 2000 };
const WRONG_LAST_SEQUENCE = 10071;

/**
 * Every message names the one that must stand before it on its subject, so of two processes that both believe that a channel is theirs
 * only one gets on, and one that wakes up late writes nothing. A message that was sent again after a lost answer is known by its id.
 */
export async function openChannelLog(
  nc: NatsConnection,
  channelId: string,
  signal: AbortSignal,
): Promise<ChannelLog> {
  const js = jetstream(nc, { timeout: PUBLISH_MS });
  const jsm = await jetstreamManager(nc, { checkAPI: false });

  const lastOf = async <Type extends EventType>(
    type: Type,
  ): Promise<{ event: Payload<Type> | null; seq: number }> => {
    const found = await jsm.streams.getMessage("INPUT", { last_by_subj: subjectOf(type, channelId) });
    return found === null ? { event: null, seq: 0 } : { event: found.json<Payload<Type>>(), seq: found.seq };
  };
  const segment = await lastOf(videoSegment);
  const gap = await lastOf(videoGap);
  const before = new Map([
    [videoSegment.name, segment.seq],
    [videoGap.name, gap.seq],
  ]);

  const publish = async (type: EventType, event: { id: string }): Promise<number> => {
    const body = JSON.stringify(event);
    let wait = RETRY_MS.first;
    for (;;) {
      signal.throwIfAborted();
      try {
        const { seq } = await js.publish(subjectOf(type, channelId), body, {
          msgID: `${type.name}:${event.id}`,
          expect: { lastSubjectSequence: before.get(type.name) ?? 0 },
        });
        before.set(type.name, seq);
        return seq;
      } catch (error) {
        if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) {
          // Ours, when the answer to it was lost for longer than the server remembers ids.
          const last = await lastOf(type);
          if ((last.event as { id: string } | null)?.id !== event.id)
            throw new Overtaken(`${event.id} is not next`, { cause: error });
          before.set(type.name, last.seq);
          return last.seq;
        }
        if (nc.isClosed()) throw error;
        await sleep(wait, undefined, { signal });
        wait = Math.min(wait * 2, RETRY_MS.most);
      }
    }
  };
  return {
    last: { segment: segment.event, gap: gap.seq > segment.seq ? gap.event : null },
    segment: (event) => publish(videoSegment, event),
    gap: (event) => publish(videoGap, event),
  };
}
