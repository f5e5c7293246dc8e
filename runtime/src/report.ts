import type { NatsConnection } from "@nats-io/transport-node";
import { reportSubject, type PartReport } from "@hypecast/contracts/system.ts";

/** What a part says of itself when asked, about once a second. */
export type Health = Pick<PartReport, "status" | "reason" | "figures">;

/** Publishes a part's health once a second until closed. */
export function reportHealth(
  nc: NatsConnection,
  part: PartReport["part"],
  instance: string,
  health: () => Health,
): { close(): void } {
  const startedAtMs = Date.now();
  const say = (): void => {
    const report: PartReport = { part, instance, startedAtMs, atMs: Date.now(), ...health() };
    nc.publish(reportSubject(part, instance), JSON.stringify(report));
  };
  say();
  const timer = setInterval(say, 1000);
  return { close: () => clearInterval(timer) };
}
