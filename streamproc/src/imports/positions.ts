import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { subjectFilter } from "@hypecast/contracts/event.ts";
import { CHECKPOINT_SUBJECT, foldEvents, type StreamName } from "@hypecast/contracts/streams.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";

/** How far folds and sink have come. Read only: both keep it for their own recovery (partitions/partition.ts, analytics/src/sink/plan.ts). */
export interface Positions {
  /** `position`: the last message of INPUT that the partition's folds have committed; `revision`: the commit's place on FOLD. 0: none yet. */
  folded(partition: number): Promise<{ position: number; revision: number }>;
  /** Everything of the stream before this sequence is stored. */
  storedBefore(stream: StreamName): Promise<number>;
  /** The newest output of a partition that is not newer than a commit; 0: there is none. */
  lastOutput(partition: number, revision: number): Promise<number>;
}

const checkpoint = z.object({ position: z.int() });
const plan = z.object({ first: z.int() });
const SINK_BUCKET = "sink";

export async function openPositions(nc: NatsConnection, replicas: number): Promise<Positions> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const sinks = await whenTheLogAnswers(nc, () => new Kvm(nc).create(SINK_BUCKET, { history: 1, replicas }));
  return {
    async folded(partition) {
      const found = await whenTheLogAnswers(nc, () =>
        jsm.streams.getMessage("FOLD", { last_by_subj: `${CHECKPOINT_SUBJECT}.${partition}` }),
      );
      if (found === null) return { position: 0, revision: 0 };
      return { position: checkpoint.parse(found.json()).position, revision: found.seq };
    },
    async storedBefore(stream) {
      const entry = await whenTheLogAnswers(nc, () => sinks.get(stream));
      return entry === null || entry.length === 0 ? 0 : plan.parse(entry.json()).first;
    },
    async lastOutput(partition, revision) {
      return whenTheLogAnswers(nc, async () => {
        let newest = 0;
        const found = await jsm.direct.getLastMessagesFor("FOLD", {
          multi_last: foldEvents.map((event) => subjectFilter(event, partition)),
          up_to_seq: revision,
        });
        for await (const { seq } of found) newest = Math.max(newest, seq);
        return newest;
      });
    },
  };
}
