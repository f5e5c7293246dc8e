import type { NatsConnection } from "@nats-io/transport-node";
import type { Health } from "@hypecast/runtime/report.ts";
import * as measured from "./metrics.ts";
import type { Hub } from "./push/hub.ts";

/** Whether the bus is connected at this moment. */
export function watchBus(nc: NatsConnection): { connected(): boolean } {
  let connected = true;
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === "disconnect" || status.type === "staleConnection") connected = false;
      if (status.type === "reconnect") connected = true;
    }
  })();
  return { connected: () => connected };
}

/** The gateway's word on itself, and its gauges brought up to date. */
export function gatewayHealth(hub: Hub, shared: () => boolean): () => Health {
  const before = { ...hub.counts };
  return () => {
    const { counts } = hub;
    const frames = counts.frames - before.frames;
    for (const [name, metric] of [
      ["frames", measured.push.frames],
      ["values", measured.push.values],
      ["slow", measured.push.slow],
      ["closedSlow", measured.push.closedSlow],
    ] as const)
      metric.inc(counts[name] - before[name]);
    Object.assign(before, counts);
    measured.push.sockets.set(hub.sockets);
    measured.push.behind.set(hub.behind);
    measured.push.groups.set(hub.groups);
    measured.push.topics.set(hub.topics);
    return {
      status: shared() ? "ok" : "degraded",
      reason: shared()
        ? null
        : "Redis is away: limits and cached answers are each gateway's own; everything else works",
      figures: { sockets: hub.sockets, socketsBehind: hub.behind, framesPerS: frames },
    };
  };
}
