import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Health } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { joinMembers, type Members } from "../../partitions/members.ts";
import { openScorer } from "../../scorer/open.ts";
import { createToxicity, TOXICITY_MODEL } from "../../toxicity/classify.ts";
import { openScoreLog } from "./score-log.ts";
import { startToxicityTask } from "./task.ts";

/** Scores live chat, shared with every other process `moderation`. */
export async function startToxicity(
  { config, instance, log: logger, own }: Process,
  nc: NatsConnection,
  jsm: JetStreamManager,
): Promise<{ health(): Health }> {
  const scorer = own(await openScorer(config, [TOXICITY_MODEL]));
  const task = startToxicityTask({
    ...{ log: openScoreLog(nc, jsm), toxicity: createToxicity(scorer) },
    ...{ instance, logger },
  });
  let members: Members | null = null;
  members = own(
    await joinMembers(nc, {
      bucket: "toxicity",
      id: instance,
      replicas: config.HYPECAST_NATS_REPLICAS,
      log: logger,
      changed: () => members !== null && task.settle(members),
    }),
  );
  own(task);
  task.settle(members);
  return task;
}
