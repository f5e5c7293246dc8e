import { DeliverPolicy, jetstream, type ConsumerMessages, type JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { z } from "zod";
import type { EventType } from "@hypecast/contracts/event.ts";
import { modCases, modErase, type ModCase, type ModErase } from "@hypecast/contracts/mod-case.ts";
import { modEvent, type ModEvent } from "@hypecast/contracts/mod-event.ts";
import {
  toxicityScores,
  toxicitySpikes,
  toxicityWindows,
  type ToxicityScores,
  type ToxicitySpike,
  type ToxicityWindow,
} from "@hypecast/contracts/toxicity.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { liveSubjects } from "../feeds/live-subjects.ts";
import { dropped } from "../metrics.ts";

/** So much of the past is read when the gateway starts: the store has what is older. */
const PAST_MS = 15 * 60_000;
const RETRY_MS = 500;

export interface ModFeed {
  readonly case: (one: ModCase) => void;
  readonly spike: (spike: ToxicitySpike) => void;
  readonly window: (window: ToxicityWindow) => void;
  readonly event: (event: ModEvent) => void;
  readonly scores: (scores: ToxicityScores) => void;
  readonly erase: (erase: ModErase) => void;
}

/** What folds and sources say of moderation: outputs of the last quarter of an hour and each that comes, in the log's order; events as they come. */
export function feedModeration(nc: NatsConnection, tell: ModFeed, log: Logger): { close(): void } {
  const closing = new AbortController();
  const reading: { messages: ConsumerMessages | null } = { messages: null };
  let newestSeq = 0;

  const outputs = new Map<string, (message: JsMsg) => void>([
    [modCases.name, each(modCases, tell.case)],
    [toxicitySpikes.name, each(toxicitySpikes, tell.spike)],
    [toxicityWindows.name, each(toxicityWindows, tell.window)],
  ]);
  const read = async (startMs: number): Promise<void> => {
    const consumer = await jetstream(nc).consumers.get("FOLD", {
      filter_subjects: [modCases, toxicitySpikes, toxicityWindows].flatMap(liveSubjects),
      ...(newestSeq > 0
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: newestSeq + 1 }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(startMs).toISOString() }),
    });
    const messages = await consumer.consume({ expires: 5000, idle_heartbeat: 1000 });
    reading.messages = messages;
    for await (const message of messages) {
      if (message.seq > newestSeq) outputs.get(message.subject.split(".", 2).join("."))?.(message);
      newestSeq = Math.max(newestSeq, message.seq);
    }
  };
  void (async () => {
    for await (const status of nc.status())
      // A consumer lives in the server's memory: after a restart of the server it would take heartbeats to notice.
      if (status.type === "reconnect") reading.messages?.stop();
  })();
  void (async () => {
    const startMs = Date.now() - PAST_MS;
    while (!closing.signal.aborted) {
      try {
        await read(startMs);
      } catch (error) {
        if (!closing.signal.aborted)
          log.warn({ err: error }, "reading the folds of moderation ended; beginning again");
      }
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();

  const heard = <Schema extends z.ZodType>(
    type: EventType<Schema>,
    take: (value: z.output<Schema>) => void,
  ): { unsubscribe(): void }[] =>
    liveSubjects(type).map((subject) =>
      nc.subscribe(subject, {
        callback: (_error, message) => {
          try {
            take(type.schema.parse(message.json()));
          } catch {
            dropped.inc({ reason: `unreadable_${type.name}` });
          }
        },
      }),
    );
  const inputs = [
    ...heard(modEvent, tell.event),
    ...heard(toxicityScores, tell.scores),
    ...heard(modErase, tell.erase),
  ];
  return {
    close() {
      closing.abort();
      reading.messages?.stop();
      for (const input of inputs) input.unsubscribe();
    },
  };
}

/** Outputs are packed: many channels in one message. */
function each<Item>(
  type: EventType<z.ZodType<Item[]>>,
  take: (item: Item) => void,
): (message: JsMsg) => void {
  return (message) => {
    let items: Item[];
    try {
      items = type.schema.parse(message.json());
    } catch {
      return dropped.inc({ reason: `unreadable_${type.name}` });
    }
    for (const item of items) take(item);
  };
}
