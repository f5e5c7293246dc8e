import { DeliverPolicy, jetstream, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import type { StreamName } from "@hypecast/contracts/streams.ts";

const PULL_MS = 2000;
const AHEAD = 256;
/** The server forgets a reader that was cut off. */
const FORGOTTEN_MS = 30_000;

/** What is on some subjects of a stream since a time of the log's clock, in its order, up to what was there at the call. Whoever has enough leaves. */
export async function* readSince(
  nc: NatsConnection,
  stream: StreamName,
  subjects: string[],
  sinceMs: number,
): AsyncGenerator<JsMsg> {
  const consumer = await jetstream(nc).consumers.get(stream, {
    filter_subjects: subjects,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(Math.max(0, sinceMs)).toISOString(),
    inactive_threshold: nanos(FORGOTTEN_MS),
  });
  try {
    let left = (await consumer.info()).num_pending;
    while (left > 0) {
      const before = left;
      for await (const message of await consumer.fetch({
        max_messages: Math.min(left, AHEAD),
        expires: PULL_MS,
      })) {
        left--;
        yield message;
      }
      // What was there has aged out meanwhile.
      if (left === before && (await consumer.info()).num_pending === 0) return;
    }
  } finally {
    consumer.delete().catch(() => undefined);
  }
}
