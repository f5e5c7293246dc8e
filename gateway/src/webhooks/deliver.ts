import { createHash } from "node:crypto";
import { Queue, UnrecoverableError, Worker, type Job } from "bullmq";
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { clip, CLIPS_BUCKET, type Clip } from "@hypecast/contracts/clip.ts";
import type { Place } from "@hypecast/contracts/api-vods.ts";
import { answer, ANSWERS_BUCKET, type Answer, type Hit } from "@hypecast/contracts/oracle.ts";
import { vod, VODS_BUCKET, type Vod } from "@hypecast/contracts/vod.ts";
import { WEBHOOK_QUEUE, type Webhook } from "@hypecast/contracts/webhook.ts";
import { connectJobs } from "@hypecast/runtime/jobs.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { deliveries } from "../metrics.ts";
import { send } from "./send.ts";
import type { Webhooks } from "./webhooks.ts";

/** With the waits between them this is about ten minutes. */
const TRIES = 8;
const FIRST_RETRY_MS = 5000;
const AT_ONCE = 16;
/** So long a delivery that was made is known, and not made again. */
const KNOWN_S = 24 * 3600;
const KNOWN_MOST = 10_000;
/** What was last told of each record. */
const TOLD = "hypecast:webhooks:told";
const DURABLE = "webhooks";
const RETRY_MS = 1000;

type Event = Webhook["events"][number];
/** What a record says that somebody may be waiting for, and which time it says so. Null: nothing. */
type News = { event: Event; time: string } | null;
type Read = (json: unknown, placesOf: Parts["placesOf"]) => { news: News; data: unknown };

const RECORDS: readonly (readonly [bucket: string, read: Read])[] = [
  [VODS_BUCKET, (json) => withNews(newsOfVod, vod.parse(json))],
  [CLIPS_BUCKET, (json) => withNews(newsOfClip, clip.parse(json))],
  [
    ANSWERS_BUCKET,
    (json, placesOf) => {
      const { hits, nearest, ...rest } = answer.parse(json);
      const data = { ...rest, hits: placesOf(hits), nearest: placesOf(nearest) };
      return { news: newsOfAnswer(rest), data };
    },
  ],
];
const withNews = <Value>(newsOf: (value: Value) => News, data: Value): { news: News; data: Value } => ({
  news: newsOf(data),
  data,
});

const newsOfVod = ({ status, cancelled, readyAtMs, run, attempt, error }: Vod): News => {
  if (status === "ready") return { event: "stream.ready", time: String(readyAtMs) };
  return status === "error" && !cancelled
    ? { event: "stream.error", time: `${run} ${attempt} ${error?.code}` }
    : null;
};
const newsOfClip = ({ state, readyAtMs, attempt }: Clip): News => {
  if (state === "ready") return { event: "clip.ready", time: String(readyAtMs) };
  return state === "failed" ? { event: "clip.failed", time: String(attempt) } : null;
};
const newsOfAnswer = ({ state }: Pick<Answer, "state">): News =>
  state === "done" ? { event: "answer.done", time: "" } : null;

interface Parts {
  readonly nc: NatsConnection;
  readonly webhooks: Webhooks;
  readonly redisUrl: string;
  readonly allowPrivate: boolean;
  readonly log: Logger;
  /** An answer's hits as people read them. */
  readonly placesOf: (hits: readonly Hit[]) => Place[];
  readonly firstRetryMs?: number;
}

interface DeliveryJob {
  readonly webhookId: string;
  readonly body: string;
}

/**
 * Tells webhooks what became of streams, clips and answers. Each change of a record is read from the log by one gateway of all, and acknowledged
 * when its deliveries are in the queue: a gateway or Redis that dies costs a repetition (with the same `webhook-id`), never a delivery.
 */
export function deliverWebhooks(parts: Parts): { close(): Promise<void> } {
  const { nc, webhooks, allowPrivate, log, placesOf } = parts;
  const connection = connectJobs(parts.redisUrl, log);
  const queue = new Queue<DeliveryJob>(WEBHOOK_QUEUE, {
    connection: connection.client,
    defaultJobOptions: {
      attempts: TRIES,
      backoff: { type: "exponential", delay: parts.firstRetryMs ?? FIRST_RETRY_MS, jitter: 0.2 },
      removeOnComplete: { age: KNOWN_S, count: KNOWN_MOST },
      removeOnFail: { age: KNOWN_S, count: KNOWN_MOST },
    },
  });
  queue.on("error", () => undefined);

  const tell = async (bucket: string, message: JsMsg, readRecord: Read): Promise<void> => {
    // Deleted, or nothing that is known here.
    if (message.headers?.get("KV-Operation") !== undefined && message.headers.get("KV-Operation") !== "")
      return;
    let read: ReturnType<Read>;
    try {
      read = readRecord(message.json(), placesOf);
    } catch {
      return;
    }
    const { news, data } = read;
    const field = message.subject;
    const value = news === null ? "" : `${news.event} ${news.time}`;
    const before = (await connection.client.hget(TOLD, field)) ?? "";
    if (before === value) return;
    if (news !== null) {
      const { event } = news;
      const wanting = webhooks.list().filter(({ events }) => events.includes(event));
      const timestamp = new Date(message.time).toISOString();
      const body = JSON.stringify({ type: event, timestamp, data });
      for (const { id: webhookId } of wanting) {
        const jobId = `msg_${digest([webhookId, bucket, field, value, message.seq])}`;
        await queue.add(event, { webhookId, body }, { jobId });
      }
    }
    await connection.client.hset(TOLD, { [field]: value });
  };

  const closing = new AbortController();
  const stops = new Set<() => void>();
  for (const [bucket, readRecord] of RECORDS)
    void (async () => {
      while (!closing.signal.aborted) {
        try {
          const stream = `KV_${bucket}`;
          await (
            await jetstreamManager(nc)
          ).consumers.add(stream, {
            durable_name: DURABLE,
            ack_policy: AckPolicy.Explicit,
            deliver_policy: DeliverPolicy.New,
            ack_wait: nanos(30_000),
            max_ack_pending: 64,
          });
          const consumer = await jetstream(nc).consumers.get(stream, DURABLE);
          const messages = await consumer.consume({ max_messages: 16, expires: 5000, idle_heartbeat: 1000 });
          const stop = (): void => messages.stop();
          stops.add(stop);
          for await (const message of messages) {
            if (!webhooks.ready() || !connection.isReady()) {
              message.nak(RETRY_MS);
              continue;
            }
            try {
              await tell(bucket, message, readRecord);
              message.ack();
            } catch (error) {
              log.debug({ err: error }, "webhooks are told later");
              message.nak(RETRY_MS);
            }
          }
          stops.delete(stop);
        } catch (error) {
          if (!closing.signal.aborted)
            log.warn({ err: error, bucket }, "reading what webhooks are told ended; beginning again");
        }
        if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    })();

  const worker = new Worker<DeliveryJob>(
    WEBHOOK_QUEUE,
    async ({ id = "", data: { webhookId, body }, attemptsMade }: Job<DeliveryJob>) => {
      const webhook = webhooks.get(webhookId);
      // It was removed: nobody is to be told any more.
      if (webhook === null) return;
      const tries = attemptsMade + 1;
      const [status, detail] = await send(webhook, { id, body }, allowPrivate).then(
        (answered) =>
          [answered, answered >= 200 && answered < 300 ? "delivered" : `answered ${answered}`] as const,
        (error: unknown) => [null, error instanceof Error ? error.message : String(error)] as const,
      );
      const ok = detail === "delivered";
      const gaveUp = !ok && (tries >= TRIES || status === 410);
      await webhooks
        .told(webhookId, {
          atMs: Date.now(),
          status,
          detail: gaveUp ? `${detail}; given up after ${tries} tries` : detail,
          tries,
        })
        .catch(() => undefined);
      deliveries.inc({ result: ok ? "delivered" : gaveUp ? "given_up" : "failed" });
      if (ok) return;
      // "Gone" says that it wants no more of it.
      if (status === 410) throw new UnrecoverableError(detail);
      throw new Error(detail);
    },
    { connection: connection.client, concurrency: AT_ONCE },
  );
  worker.on("error", (error) => log.debug({ err: error }, "the queue of webhooks"));

  return {
    async close() {
      closing.abort();
      for (const stop of stops) stop();
      connection.close();
      await Promise.allSettled([worker.close(true), queue.close()]);
    },
  };
}

const digest = (parts: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
