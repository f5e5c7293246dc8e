import { DeliverPolicy, jetstream, type JetStreamManager } from "@nats-io/jetstream";
import { headers, nanos, type NatsConnection } from "@nats-io/transport-node";
import { chatLines, chatModeration } from "@hypecast/contracts/chat.ts";
import { subjectFilter, subjectOf } from "@hypecast/contracts/event.ts";
import { modErase } from "@hypecast/contracts/mod-case.ts";
import { modEvent } from "@hypecast/contracts/mod-event.ts";
import { toxicityScores, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { LogMessage } from "../../partitions/decode.ts";

/** In `toxicity.scores`: every pack of the partition up to this sequence has its scores on the log. */
export const THROUGH_HEADER = "Hypecast-Scored-Through";

/** Messages asked for ahead of the scorer: the bound of what waits in memory for a partition. */
const AHEAD = 64;
const PULL_MS = 2000;
const FORGOTTEN_AFTER_MS = 30_000;
const PUBLISH_WITHIN_MS = 2000;

/** What is read: lines, and what moderators did, which says something about the next lines. */
const READ = [chatLines, chatModeration, modEvent, modErase] as const;

export interface ScoredThrough {
  readonly sequence: number;
  /** When that was said (the log's clock). */
  readonly atMs: number;
}

/** The log as the task needs it; JetStream here, a simulated one in the tests. */
export interface ScoreLog {
  /** Until where a partition is scored; null: nothing is. */
  through(partition: number): Promise<ScoredThrough | null>;
  /** A partition's messages stored from then on, in order, for good; ends when the signal aborts. */
  read(partition: number, fromMs: number, signal: AbortSignal): AsyncIterable<LogMessage>;
  /** Resolves when the log has it. The same id twice is one. */
  publish(scores: ToxicityScores, through: number): Promise<void>;
  readonly maxPayload: number;
}

export function openScoreLog(nc: NatsConnection, jsm: JetStreamManager): ScoreLog {
  const js = jetstream(nc, { timeout: PUBLISH_WITHIN_MS });
  return {
    maxPayload: nc.info?.max_payload ?? 1_000_000,

    async through(partition) {
      const last = await jsm.direct.getMessage("INPUT", {
        last_by_subj: subjectFilter(toxicityScores, partition),
      });
      if (last === null) return null;
      return { sequence: Number(last.header.get(THROUGH_HEADER) || 0), atMs: last.time.getTime() };
    },

    async *read(partition, fromMs, signal) {
      const consumer = await js.consumers.get("INPUT", {
        filter_subjects: READ.map((event) => subjectFilter(event, partition)),
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: new Date(fromMs).toISOString(),
        inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
      });
      const messages = await consumer.consume({ max_messages: AHEAD, expires: PULL_MS });
      const stop = (): void => messages.stop();
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
      try {
        for await (const message of messages)
          yield {
            seq: message.seq,
            subject: message.subject,
            data: message.data,
            header: (name) => message.headers?.get(name) ?? "",
            storedAtMs: message.info.timestampNanos / 1e6,
          };
      } finally {
        signal.removeEventListener("abort", stop);
        stop();
        // After a kill -9 the server forgets it by itself.
        consumer.delete().catch(() => undefined);
      }
    },

    async publish(scores, through) {
      const header = headers();
      header.set(THROUGH_HEADER, String(through));
      await js.publish(subjectOf(toxicityScores, scores.channelId), JSON.stringify(scores), {
        msgID: scores.id,
        headers: header,
      });
    },
  };
}
