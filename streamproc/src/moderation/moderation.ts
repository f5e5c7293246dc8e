import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { reportHealth, type Health } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { startActs } from "./acts/part.ts";
import { startErasing } from "./erase/part.ts";
import { startToxicity } from "./toxicity/part.ts";

/** The process `moderation`: scores chat, carries out what moderators decide, erases who asks for it. */
export async function startModeration(
  part: Process,
  nc: NatsConnection,
  jsm: JetStreamManager,
): Promise<void> {
  const tasks = [await startToxicity(part, nc, jsm), await startActs(part, nc), await startErasing(part, nc)];
  part.own(reportHealth(nc, "moderation", part.instance, () => together(tasks.map((task) => task.health()))));
}

const WORSE = ["ok", "degraded", "down"] as const;

/** As bad as the worst of its tasks, in the words of each that is not well. */
function together(all: readonly Health[]): Health {
  const status = WORSE[Math.max(...all.map((one) => WORSE.indexOf(one.status)))] ?? "ok";
  const reasons = all.flatMap(({ reason }) => reason ?? []);
  return {
    status,
    reason: reasons.length === 0 ? null : reasons.join("; "),
    figures: Object.assign({}, ...all.map(({ figures }) => figures)) as Health["figures"],
  };
}
