import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { chatAlive, type ChatAlive } from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";

/** `<mark>` of the last message of a channel says how far its import has come, in the words of whoever publishes. */
const MARK_HEADER = "Hypecast-Import";
const PUBLISH_TIMEOUT_MS = 5000;
const RETRY_MS = { first: 50, most: 2000 } as const;

/** Somebody else publishes this channel: two workers have taken the same job, and the other one is ahead. */
export class ChannelTaken extends Error {}

/**
 * One run's channel on the log, written by whoever imports it and by nobody else. A message is accepted only behind the one that we know as the
 * channel's last, so each is there exactly once, in order, whoever dies or wakes up late; after a kill the last message says where to go on.
 */
export interface ChannelWriter {
  readonly partition: number;
  /** The last message's mark, subject and sequence; null: the log has none of this channel. */
  last(): { mark: string; subject: string; seq: number } | null;
  /** Resolves to the sequence when it is on the disk. Waits while the log is away. Throws ChannelTaken. */
  write(
    type: EventType,
    body: Uint8Array | string,
    mark: string,
    extra?: Readonly<Record<string, string>>,
  ): Promise<number>;
  /** The channel was heard until then. Said again it changes nothing, so it is not guarded. */
  alive(atMs: number): Promise<void>;
}

/** Messages of a run's chat and picture; `chat.alive` is the partition's and not among them. */
export const channelFilter = (channelId: string): string => `*.*.${partitionOf(channelId)}.${channelId}`;

export async function openChannel(
  nc: NatsConnection,
  channelId: string,
  signal: AbortSignal,
  /** What the guard looks at: all of the channel's chat. */
  filter = `chat.*.${partitionOf(channelId)}.${channelId}`,
): Promise<ChannelWriter> {
  const js = jetstream(nc, { timeout: PUBLISH_TIMEOUT_MS });
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  let last = await lastOf(nc, jsm, filter);

  const patiently = async <Result>(publish: () => Promise<Result>): Promise<Result> => {
    for (let wait: number = RETRY_MS.first; ; wait = Math.min(wait * 2, RETRY_MS.most)) {
      signal.throwIfAborted();
      try {
        return await publish();
      } catch (error) {
        if (error instanceof ChannelTaken || nc.isClosed()) throw error;
        await sleep(wait);
      }
    }
  };

  return {
    partition: partitionOf(channelId),
    last: () => last,
    async write(type, body, mark, extra = {}) {
      const subject = subjectOf(type, channelId);
      const expected = last?.seq ?? 0;
      const head = headers();
      head.set("Nats-Expected-Last-Subject-Sequence", String(expected));
      head.set("Nats-Expected-Last-Subject-Sequence-Subject", filter);
      head.set(MARK_HEADER, mark);
      for (const [name, value] of Object.entries(extra)) head.set(name, value);
      let tries = 0;
      const seq = await patiently(async () => {
        // Its answer may have been lost: then it is the channel's last by now.
        if (tries++ > 0) {
          const there = await lastOf(nc, jsm, filter);
          if (there?.mark === mark && there.subject === subject && there.seq > expected) return there.seq;
          if ((there?.seq ?? 0) !== expected)
            throw new ChannelTaken(`${channelId} is imported by somebody else`);
        }
        return (await js.publish(subject, body, { headers: head })).seq;
      });
      last = { mark, subject, seq };
      return seq;
    },
    async alive(atMs) {
      const said: ChatAlive = { atMs, channels: [channelId] };
      await patiently(() => js.publish(subjectOf(chatAlive, channelId), JSON.stringify(said)));
    },
  };
}

async function lastOf(
  nc: NatsConnection,
  jsm: JetStreamManager,
  filter: string,
): Promise<{ mark: string; subject: string; seq: number } | null> {
  const found = await whenTheLogAnswers(nc, () => jsm.streams.getMessage("INPUT", { last_by_subj: filter }));
  return found === null
    ? null
    : { mark: found.header.get(MARK_HEADER), subject: found.subject, seq: found.seq };
}
