import { DeliverPolicy, jetstream, type JetStreamManager } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { deadLetterSubject, type DeadLetter } from "@hypecast/contracts/dead-letter.ts";
import { subjectFilter } from "@hypecast/contracts/event.ts";
import { CHECKPOINT_SUBJECT, inputEvents, STATE_SUBJECT } from "@hypecast/contracts/streams.ts";
import { serverInfo, whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { commit, POSITION_HEADER } from "./commit.ts";
import type { PartitionLog } from "./worker.ts";

/** Messages asked for ahead of a partition's folds: the bound of what waits in memory. */
const AHEAD = 64;
/** A pull is renewed this often; a server that is gone is noticed within it. */
const PULL_MS = 2000;
const FORGOTTEN_AFTER_MS = 30_000;
const DEAD_LETTER_BODY_BYTES = 4096;

/** The real log. `jsm` comes from `ensureStreams`: the streams exist. */
export async function openPartitionLog(nc: NatsConnection, jsm: JetStreamManager): Promise<PartitionLog> {
  const js = jetstream(nc);
  const { max_payload: maxPayload } = await serverInfo(nc);
  if (maxPayload < 1_000_000)
    throw new Error(`nats-server's max_payload is ${maxPayload} bytes: Hypecast needs at least 1MB`);
  const chat = await whenTheLogAnswers(nc, async () => jsm.streams.info("INPUT"));
  return {
    id: chat.created,
    maxPayload,
    commit: (work, expected) => commit(nc, work, expected),

    async load(partition) {
      let revision = 0;
      let checkpoint: Uint8Array | null = null;
      const states = [];
      const found = await jsm.direct.getLastMessagesFor("FOLD", {
        multi_last: [`${CHECKPOINT_SUBJECT}.${partition}`, `${STATE_SUBJECT}.${partition}.>`],
        batch: 1024,
      });
      for await (const { subject, seq, data, header } of found)
        if (subject.startsWith(CHECKPOINT_SUBJECT)) {
          revision = seq;
          checkpoint = data;
        } else states.push({ subject, data, position: Number(header.get(POSITION_HEADER)) });
      // Each commit replaces them: while somebody commits, some are gone already.
      if (checkpoint === null && states.length > 0)
        throw new Error("somebody has committed while the checkpoint was read");
      return checkpoint === null ? null : { revision, checkpoint, states };
    },

    async *read(partition, after, signal) {
      const consumer = await js.consumers.get("INPUT", {
        filter_subjects: inputEvents.map((event) => subjectFilter(event, partition)),
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: after + 1,
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
            pending: message.info.pending,
          };
      } finally {
        signal.removeEventListener("abort", stop);
        stop();
        // After a kill -9 the server forgets it by itself.
        consumer.delete().catch(() => undefined);
      }
    },

    async setAside(message, rows) {
      for (const { row, reason, detail, body } of rows) {
        const letter: DeadLetter = {
          id: `INPUT:${message.seq}:${row}`,
          stream: "INPUT",
          seq: message.seq,
          subject: message.subject,
          reason,
          detail,
          body: Buffer.from(body.subarray(0, DEAD_LETTER_BODY_BYTES)).toString("base64"),
          atMs: Math.round(message.storedAtMs),
        };
        await js.publish(deadLetterSubject("INPUT"), JSON.stringify(letter), { msgID: letter.id });
      }
    },
  };
}
