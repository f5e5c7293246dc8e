import { DeliverPolicy, jetstream, type ConsumerMessages, type JsMsg } from "@nats-io/jetstream";
import { millis, type NatsConnection } from "@nats-io/transport-node";
import { chatBursts } from "@hypecast/contracts/burst.ts";
import { chatGap } from "@hypecast/contracts/chat.ts";
import { subjectFilter } from "@hypecast/contracts/event.ts";
import { forecastOutcomes, hypeForecasts, hypeValues } from "@hypecast/contracts/hype.ts";
import type { LiveEvent } from "@hypecast/contracts/push.ts";
import { foldEvents } from "@hypecast/contracts/streams.ts";
import { chatWindows } from "@hypecast/contracts/window.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { dropped } from "../metrics.ts";
import type { Channels } from "../channels.ts";
import type { Hub } from "../push/hub.ts";
import { RING_MS } from "../push/topic.ts";

/** Bursts are few and a page that opens shows the latest of them. */
const BURSTS_MS = 10 * 60_000;
const RETRY_MS = 500;

/** What each output is called on the page. */
const KINDS = {
  [chatWindows.name]: "window",
  [chatBursts.name]: "burst",
  [hypeValues.name]: "hype",
  [hypeForecasts.name]: "forecast",
  [forecastOutcomes.name]: "outcome",
} as const;

/**
 * Final values, as the folds committed them, to `events:<login>`: everything of the last minute and the bursts of the last ten
 * when the gateway starts, then each as it comes, in the log's order.
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

  const take = (message: JsMsg): void => {
    const name = message.subject.split(".", 2).join(".");
    const kind = KINDS[name];
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
      const keepMs = (kind === "burst" ? BURSTS_MS : RING_MS) - Math.max(0, nowMs - saidAtMs);
      hub.publish(`events:${login}`, JSON.stringify(event), nowMs, Math.max(1000, keepMs));
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
    await pastBursts(nc, startedAtMs - BURSTS_MS, startedAtMs - RING_MS, take).catch((error: unknown) =>
      log.warn({ err: error }, "past bursts could not be read"),
    );
    while (!closing.signal.aborted) {
      try {
        await read(
          startedAtMs - RING_MS,
          foldEvents.map((event) => subjectFilter(event, "*")),
        );
      } catch (error) {
        if (!closing.signal.aborted)
          log.warn({ err: error }, "reading the fold outputs ended; beginning again");
      }
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();

  const gaps = nc.subscribe(subjectFilter(chatGap, "*"), {
    callback: (_error, message) => {
      try {
        const gap = chatGap.schema.parse(message.json());
        const login = channels.loginOf(gap.channelId);
        if (login === null) return;
        const { fromMs, toMs, reason } = gap;
        hub.publish(
          `events:${login}`,
          JSON.stringify({ kind: "gap", fromMs, toMs, reason } satisfies LiveEvent),
          Date.now(),
        );
      } catch {
        dropped.inc({ reason: "unreadable_gap" });
      }
    },
  });
  return {
    close() {
      closing.abort();
      reading.messages?.stop();
      gaps.unsubscribe();
    },
  };
}

/** The bursts from `fromMs` to `toMs`, oldest first. */
async function pastBursts(
  nc: NatsConnection,
  fromMs: number,
  toMs: number,
  take: (message: JsMsg) => void,
): Promise<void> {
  const consumer = await jetstream(nc).consumers.get("FOLD", {
    filter_subjects: [subjectFilter(chatBursts, "*")],
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(fromMs).toISOString(),
  });
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
