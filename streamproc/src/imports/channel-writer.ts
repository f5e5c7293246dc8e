import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { headers, nuid, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { partitionOf, subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";

/** `<mark>` of the last message of a channel says how far its import has come, in the words of whoever publishes. */
const MARK_HEADER = "Hypecast-Import";
const PUBLISH_TIMEOUT_MS = 5000;
const RETRY_MS = { first: 50, most: 2000 } as const;

/** Somebody else publishes this channel: two workers have taken the same job, and the other one is ahead. */
export class ChannelTaken extends Error {}

export interface ChannelMessage {
  readonly type: EventType;
  readonly body: Uint8Array | string;
  /** Null: the partition's `chat.alive`, which is not the channel's alone; never the last of a batch. */
  readonly mark: string | null;
  readonly extra?: Readonly<Record<string, string>>;
}

/**
 * One run's channel on the log, written by whoever imports it and by nobody else. A batch is stored as a whole or not at all, and only behind the
 * message that we know as the channel's last: so each message is there exactly once, in order, whoever dies or wakes up late, and after a kill
 * the last one says where to go on.
 */
export interface ChannelWriter {
  readonly partition: number;
  /** The last message's mark, subject and sequence; null: the log has none of this channel. */
  last(): { mark: string; subject: string; seq: number } | null;
  /** At most BATCH.messages. Resolves to the last one's sequence when all are on the disk. Waits while the log is away. Throws ChannelTaken. */
  write(messages: readonly ChannelMessage[]): Promise<number>;
}

/** One round trip for so much: a machine with other work answers each in tens of milliseconds. The server takes up to 1000 messages. */
export const BATCH = { messages: 64, bytes: 4_000_000 } as const;

/** Messages of a run's chat and picture; `chat.alive` is the partition's and not among them. */
export const channelFilter = (channelId: string): string => `*.*.${partitionOf(channelId)}.${channelId}`;

export async function openChannel(
  nc: NatsConnection,
  channelId: string,
  signal: AbortSignal,
  /** What the guard looks at: all of the channel's chat. */
  filter = `chat.*.${partitionOf(channelId)}.${channelId}`,
): Promise<ChannelWriter> {
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
    async write(messages) {
      const end = messages.at(-1);
      if (end === undefined || end.mark === null) throw new Error(`${channelId}: a batch without an end`);
      const subject = subjectOf(end.type, channelId);
      const { mark } = end;
      const expected = last?.seq ?? 0;
      let tries = 0;
      const seq = await patiently(async () => {
        // Its answer may have been lost: then its end is the channel's last by now.
        if (tries++ > 0) {
          const there = await lastOf(nc, jsm, filter);
          if (there?.mark === mark && there.subject === subject && there.seq > expected) return there.seq;
          if ((there?.seq ?? 0) !== expected)
            throw new ChannelTaken(`${channelId} is imported by somebody else`);
        }
        return publishBatch(nc, channelId, messages, filter, expected);
      });
      last = { mark, subject, seq };
      return seq;
    },
  };
}

const answer = z.object({ seq: z.int().optional(), error: z.object({ description: z.string() }).optional() });

/** A JetStream atomic batch; the first message carries the expectation. Headers by hand: the client's own batch drops it (partitions/commit.ts). */
async function publishBatch(
  nc: NatsConnection,
  channelId: string,
  messages: readonly ChannelMessage[],
  filter: string,
  expected: number,
): Promise<number> {
  const batch = nuid.next();
  let told: Promise<Msg> | null = null;
  for (const [i, { type, body, mark, extra = {} }] of messages.entries()) {
    const head = headers();
    head.set("Nats-Batch-Id", batch);
    head.set("Nats-Batch-Sequence", String(i + 1));
    if (i === 0) {
      head.set("Nats-Expected-Last-Subject-Sequence", String(expected));
      head.set("Nats-Expected-Last-Subject-Sequence-Subject", filter);
    }
    if (mark !== null) head.set(MARK_HEADER, mark);
    for (const [name, value] of Object.entries(extra)) head.set(name, value);
    const subject = subjectOf(type, channelId);
    if (i < messages.length - 1) nc.publish(subject, body, { headers: head });
    else {
      head.set("Nats-Batch-Commit", "1");
      told = nc.request(subject, body, { headers: head, timeout: PUBLISH_TIMEOUT_MS });
    }
  }
  const { seq, error } = answer.parse((await told!).json());
  if (seq === undefined || seq === 0 || error !== undefined)
    throw new Error(`the log did not take a batch: ${error?.description ?? "no reason given"}`);
  return seq;
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
