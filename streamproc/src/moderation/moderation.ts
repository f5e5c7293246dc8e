import type { NatsConnection } from "@nats-io/transport-node";
import { reportHealth } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";

/** The process `moderation`: scores chat, carries out what moderators decide, erases who asks for it. */
export async function startModeration({ instance, own }: Process, nc: NatsConnection): Promise<void> {
  own(reportHealth(nc, "moderation", instance, () => ({ status: "ok", reason: null, figures: {} })));
}
