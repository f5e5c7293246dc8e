import type { NatsConnection } from "@nats-io/transport-node";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** One registry a process. Names begin with `hypecast_`, end with the unit; labels have few values (never a channel or a user). */
export const registry = new Registry();

export const counter = <Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
) => new Counter({ name: `hypecast_${name}`, help, labelNames: [...labelNames], registers: [registry] });
export const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
  new Gauge({ name: `hypecast_${name}`, help, labelNames: [...labelNames], registers: [registry] });
/** Buckets fit seconds from 1 ms to 30 s. */
export const histogram = <Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
) =>
  new Histogram({
    name: `hypecast_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });

/** Each process answers here with its metrics; the gateway's /metrics asks all and joins them, so there is one address to scrape. */
export const METRICS_SUBJECT = "metrics.collect";

export function serveMetrics(nc: NatsConnection, part: string, instance: string): { close(): void } {
  registry.setDefaultLabels({ part, instance });
  collectDefaultMetrics({ register: registry, prefix: "hypecast_" });
  const subscription = nc.subscribe(METRICS_SUBJECT, {
    callback: (_error, message) => {
      void registry.metrics().then((text) => message.respond(text));
    },
  });
  return { close: () => subscription.unsubscribe() };
}
