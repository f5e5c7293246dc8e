import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Route } from "@hypecast/contracts/api.ts";
import { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import { ANSWERS_BUCKET } from "@hypecast/contracts/oracle.ts";
import { UPLOADS_BUCKET } from "@hypecast/contracts/upload.ts";
import { vodKey, VODS_BUCKET } from "@hypecast/contracts/vod.ts";
import { WEBHOOKS_BUCKET } from "@hypecast/contracts/webhook.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { EXAMPLES, RECORDS } from "./examples.ts";
import { startGateway, type Gateway } from "./testing.ts";

let nats: Server;
let bus: NatsConnection;
let gateway: Gateway;

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  const { stream, upload, answer, webhook, searched } = RECORDS;
  for (const [bucket, key, record] of [
    [VODS_BUCKET, vodKey(stream.id), stream],
    [UPLOADS_BUCKET, upload.id, upload],
    [ANSWERS_BUCKET, answer.id, answer],
    [WEBHOOKS_BUCKET, webhook.id, webhook],
  ] as const)
    await (await new Kvm(bus).open(bucket)).put(key, JSON.stringify(record));
  bus.subscribe("ask.search", {
    callback: (_error, message) => void message.respond(JSON.stringify(searched)),
  });
  gateway = await startGateway({ HYPECAST_NATS_URL: nats.url });
  await vi.waitFor(async () => {
    const paths = [`streams/${stream.id}`, `answers/${answer.id}`];
    for (const path of paths) expect((await gateway.get(`/api/v1/${path}`)).status).toBe(200);
  }, 10_000);
});
afterAll(async () => {
  await gateway?.close();
  await bus?.close();
  await nats?.close();
});

/** Names of fields and kinds of values, whatever the values: what a program relies on. `null` stands for any. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, shapeOf(inner)]),
  );
}

test.each(Object.entries(EXAMPLES))(
  "the example of %s is what the gateway answers",
  async (name, example) => {
    const route: Route = vodRoutes[name as keyof typeof vodRoutes];
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, param: string) => example.params?.[param] ?? "");
    const query = new URLSearchParams(
      Object.entries(example.query ?? {}).map(([field, value]) => [field, String(value)]),
    );
    const answer = await fetch(`${gateway.url}${path}?${query.toString()}`, {
      method: route.method,
      headers: { "content-type": "application/json" },
      ...(example.body === undefined ? {} : { body: JSON.stringify(example.body) }),
    });
    expect(answer.status).toBe(route.status);
    if (route.status === 204) return expect(example.answer).toBeUndefined();
    const body: unknown = await answer.json();
    expect(shapeOf(body)).toEqual(shapeOf(example.answer));
    for (const one of [body, example.answer]) route.result.parse(one);
  },
);
