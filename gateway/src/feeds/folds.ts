import { DeliverPolicy, jetstream, type ConsumerMessages, type JsMsg } from "@nats-io/jetstream";
import { millis, type NatsConnection } from "@nats-io/transport-node";
import type { z } from "zod";
import { audioWindows } from "@hypecast/contracts/audio.ts";
import { chatBursts } from "@hypecast/contracts/burst.ts";
import { chatGap } from "@hypecast/contracts/chat.ts";
import type { EventType } from "@hypecast/contracts/event.ts";
import { forecastOutcomes, hypeForecasts, hypeValues } from "@hypecast/contracts/hype.ts";
import { moments, reactionLags } from "@hypecast/contracts/moment.ts";
import type { LiveEvent, Topic } from "@hypecast/contracts/push.ts";
import { shotScore, videoShots } from "@hypecast/contracts/shot.ts";
import { chatWindows } from "@hypecast/contracts/window.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { dropped } from "../metrics.ts";
import type { Channels } from "../channels.ts";
import { liveSubjects } from "./live-subjects.ts";
import type { Hub } from "../push/hub.ts";
import { RING_MS } from "../push/topic.ts";

/** Bursts and moments are few, and a page that opens shows the latest of them. */
const BURSTS_MS = 10 * 60_000;
export const MOMENTS_MS = 60 * 60_000;
const RETRY_MS = 500;

/** What each output is called on the page. */
const SHOWN = [
  [chatWindows, "window"],
  [chatBursts, "burst"],
  [hypeValues, "hype"],
  [hypeForecasts, "forecast"],
  [forecastOutcomes, "outcome"],
  [videoShots, "shot"],
  [audioWindows, "audio"],
  [moments, "moment"],
  [reactionLags, "lag"],
] as const;
const KINDS = new Map<string, (typeof SHOWN)[number][1]>(SHOWN.map(([event, kind]) => [event.name, kind]));

/** How long each stays to be shown to newcomers, where not RING_MS. */
const KEPT_MS: Partial<Record<string, number>> = { burst: BURSTS_MS, moment: MOMENTS_MS, lag: MOMENTS_MS };
/** Moments whose newest version is remembered, over all channels. */
const MOST_MOMENTS = 5000;

/**
 * Final values, as the folds committed them, to `events:<login>`: everything of the last minute, the bursts of the last ten and the
 * moments of the last hour when the gateway starts, then each as it comes, in the log's order. Of a moment's versions only the newest stays.
 */
export function feedFolds(
  nc: NatsConnection,
  hub: Hub,
  channels: Pick<Channels, "loginOf" | "ready">,
  log: Logger,
): { close(): void } {
  const closing = new AbortController();
  const reading: { messages: ConsumerMessages | null } = { messages: null };
  /** The newest message that was published, so that a consumer made anew goes on behind it. */
  let newestSeq = 0;
  const newestVersions = new Map<string, string>();

  const take = (message: JsMsg): void => {
    const name = message.subject.split(".", 2).join(".");
    const kind = KINDS.get(name);
    if (kind === undefined) return;
    const saidAtMs = millis(message.info.timestampNanos);
    let outputs: { channelId: string }[];
    try {
      outputs = message.json();
    } catch {
      return dropped.inc({ reason: "unreadable_output" });
    }
    const nowMs = Date.now();
    for (const output of outputs) {
      const login = channels.loginOf(output.channelId);
      if (login === null) continue;
      const event = { kind, [kind]: output } as unknown as LiveEvent;
      const topic: Topic = `events:${login}`;
      const d = JSON.stringify(event);
      if (event.kind === "moment") {
        const before = newestVersions.get(event.moment.id);
        if (before !== undefined) hub.rewrite(topic, (other) => (other === before ? null : other));
        keepNewest(newestVersions, event.moment.id, d);
      }
      const keepMs = (KEPT_MS[kind] ?? RING_MS) - Math.max(0, nowMs - saidAtMs);
      hub.publish(topic, d, nowMs, Math.max(1000, keepMs));
    }
  };

  const read = async (startMs: number, subjects: string[]): Promise<void> => {
    const consumer = await jetstream(nc).consumers.get("FOLD", {
      filter_subjects: subjects,
      ...(newestSeq > 0
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: newestSeq + 1 }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(startMs).toISOString() }),
    });
    const messages = await consumer.consume({ expires: 5000, idle_heartbeat: 1000 });
    reading.messages = messages;
    for await (const message of messages) {
      if (message.seq > newestSeq) take(message);
      newestSeq = Math.max(newestSeq, message.seq);
    }
  };

  void (async () => {
    for await (const status of nc.status())
      // A consumer lives in the server's memory: after a restart of the server it would take heartbeats to notice.
      if (status.type === "reconnect") reading.messages?.stop();
  })();
  void (async () => {
    // Outputs name channels by id: whose they are must be known first.
    while (!channels.ready() && !closing.signal.aborted)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const startedAtMs = Date.now();
    for (const [event, keptMs] of [
      [moments, MOMENTS_MS],
      [reactionLags, MOMENTS_MS],
      [chatBursts, BURSTS_MS],
    ] as const)
      await past(nc, event, startedAtMs - keptMs, startedAtMs - RING_MS, take).catch((error: unknown) =>
        log.warn({ err: error, event: event.name }, "the past could not be read"),
      );
    while (!closing.signal.aborted) {
      try {
        await read(
          startedAtMs - RING_MS,
          SHOWN.flatMap(([event]) => liveSubjects(event)),
        );
      } catch (error) {
        if (!closing.signal.aborted)
          log.warn({ err: error }, "reading the fold outputs ended; beginning again");
      }
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();

  /** What sources and tasks say on the input log, as it comes. */
  const heard = <Schema extends z.ZodType<{ channelId: string }>>(
    type: EventType<Schema>,
    reason: string,
    eventOf: (value: z.output<Schema>) => LiveEvent,
  ): { unsubscribe(): void }[] =>
    liveSubjects(type).map((subject) =>
      nc.subscribe(subject, {
        callback: (_error, message) => {
          try {
            const value = type.schema.parse(message.json());
            const login = channels.loginOf(value.channelId);
            if (login === null) return;
            hub.publish(`events:${login}`, JSON.stringify(eventOf(value)), Date.now());
          } catch {
            dropped.inc({ reason });
          }
        },
      }),
    );
  const inputs = [
    ...heard(chatGap, "unreadable_gap", ({ fromMs, toMs, reason }) => ({
      kind: "gap",
      fromMs,
      toMs,
      reason,
    })),
    ...heard(shotScore, "unreadable_score", (score) => ({ kind: "score", score })),
  ];
  return {
    close() {
      closing.abort();
      reading.messages?.stop();
      for (const input of inputs) input.unsubscribe();
    },
  };
}

function keepNewest(versions: Map<string, string>, id: string, d: string): void {
  versions.delete(id);
  versions.set(id, d);
  const oldest = versions.keys().next().value;
  if (versions.size > MOST_MOMENTS && oldest !== undefined) versions.delete(oldest);
}

/** An event's messages from `fromMs` to `toMs`, oldest first. */
async function past(
  nc: NatsConnection,
  event: EventType,
  fromMs: number,
  toMs: number,
  take: (message: JsMsg) => void,
): Promise<void> {
  const consumer = await jetstream(nc).consumers.get("FOLD", {
    filter_subjects: liveSubjects(event),
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(fromMs).toISOString(),
  });
  // Asking for what is not there would wait for it.
  if ((await consumer.info()).num_pending === 0) return;
  for (;;) {
    const batch = await consumer.fetch({ max_messages: 500, expires: 1000 });
    let pending = 0;
    for await (const message of batch) {
      if (millis(message.info.timestampNanos) >= toMs) return batch.stop();
      take(message);
      pending = message.info.pending;
      if (pending === 0) return batch.stop();
    }
    if (pending === 0) return;
  }
}
