import type { NatsConnection } from "@nats-io/transport-node";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { exited, startNats, startRedis, type Server } from "@hypecast/tests/servers.ts";
import { startGateway, type Gateway } from "./testing.ts";

/** Two gateways that share a Redis, as behind a proxy. */
let nats: Server;
let redis: Server;
let bus: NatsConnection;
let gateways: [Gateway, Gateway];
let questions = 0;

const WINDOW_MS = 10_000;
const REQUESTS = 300;

beforeAll(async () => {
  [nats, redis] = await Promise.all([startNats(), startRedis()]);
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  const env = { HYPECAST_NATS_URL: nats.url, HYPECAST_REDIS_URL: redis.url };
  gateways = await Promise.all([startGateway(env), startGateway(env)]);
  bus.subscribe("ask.extent", {
    callback: (_error, message) => {
      questions++;
      message.respond(JSON.stringify({ fromMs: 1, toMs: questions }));
    },
  });
  await vi.waitFor(async () => {
    for (const gateway of gateways) expect(await sharing(gateway)).toBe("ok");
  }, 10_000);
});
afterAll(async () => {
  for (const gateway of gateways ?? []) await gateway.close();
  await bus?.close();
  await redis?.close();
  await nats?.close();
});

/** What a gateway says of itself: degraded while Redis is away. */
async function sharing(gateway: Gateway): Promise<string> {
  const { parts } = (await (await gateway.get("/api/v1/system")).json()) as {
    parts: { part: string; instance: string; status: string }[];
  };
  return parts.every(({ part, status }) => part !== "gateway" || status === "ok") ? "ok" : "degraded";
}

/** As a client behind the proxy; each test is another, so that none has used up another's requests. */
const as = (client: string): Record<string, string> => ({ "x-forwarded-for": client });
const list = (gateway: Gateway, client: string): Promise<Response> =>
  gateway.get("/api/v1/channels", as(client));
/** Limits count by the clock's ten seconds: what is counted must not fall into two of them. */
async function inOneWindow(neededMs: number): Promise<void> {
  const leftMs = WINDOW_MS - (Date.now() % WINDOW_MS);
  if (leftMs < neededMs) await new Promise((resolve) => setTimeout(resolve, leftMs + 20));
}

test("with Redis to wait for, a body is still read whole", async () => {
  for (const channel of ["lamp", "fern"]) {
    const added = await fetch(`${gateways[0].url}/api/v1/channels`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ channel }),
      signal: AbortSignal.timeout(5000),
    });
    expect([added.status, await added.json()]).toMatchObject([201, { login: channel }]);
  }
});

test("a client may ask 300 times in ten seconds, however many gateways it asks; then it is told how long to wait", async () => {
  await inOneWindow(6000);
  const answers: Response[] = [];
  for (let block = 0; block < 8; block++)
    answers.push(
      ...(await Promise.all(
        Array.from({ length: 40 }, (_none, i) => list(gateways[i % 2 === 0 ? 0 : 1], "203.0.113.1")),
      )),
    );
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(REQUESTS);
  expect(refused).toHaveLength(20);
  expect(answers[0]?.headers.get("ratelimit-limit")).toBe(String(REQUESTS));
  const last = refused.at(-1);
  expect(last?.headers.get("ratelimit-remaining")).toBe("0");
  expect(Number(last?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(await last?.json()).toMatchObject({ type: "/problems/too_many_requests", status: 429 });
  expect((await list(gateways[0], "203.0.113.2")).status).toBe(200);
  expect((await gateways[0].get("/health/ready", as("203.0.113.1"))).status).toBe(200);
});

test("what one gateway has asked the store, the other knows", async () => {
  const states = await new Kvm(bus).open(CHANNEL_STATE_BUCKET);
  const state = { state: "live", reason: null, sinceMs: 1, attempt: 0, nextAttemptAtMs: null };
  const more = { lastLineAtMs: null, aliveAtMs: null, connection: null, emotes: [], stream: null };
  await states.put(
    "lamp",
    JSON.stringify({ login: "lamp", channelId: "4242", name: "lamp", ...state, ...more }),
  );
  const extent = (gateway: Gateway): Promise<Response> => gateway.get("/api/v1/channels/lamp/extent");
  await vi.waitFor(async () => {
    for (const gateway of gateways)
      expect(await (await gateway.get("/api/v1/channels/lamp")).json()).toMatchObject({
        state: { channelId: "4242" },
      });
  }, 5000);
  // An answer is kept for a second and a half, and nobody waits for a slow Redis: on a busy machine both are asked once more.
  await vi.waitFor(async () => {
    const before = questions;
    const [first, second] = [await extent(gateways[0]), await extent(gateways[1])];
    expect(await second.json()).toEqual(await first.json());
    expect(questions - before).toBe(1);
  }, 10_000);
});

test("when Redis is killed each gateway goes on for itself, and together again when it is back", async () => {
  redis.child().kill("SIGKILL");
  await exited(redis.child());
  await inOneWindow(6000);
  for (const gateway of gateways) {
    const began = performance.now();
    expect((await list(gateway, "203.0.113.3")).status).toBe(200);
    expect((await gateway.get("/api/v1/channels/lamp/extent")).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2000);
  }
  await vi.waitFor(async () => expect(await sharing(gateways[0])).toBe("degraded"), 5000);
  const remaining = async (gateway: Gateway): Promise<number> =>
    Number((await list(gateway, "203.0.113.4")).headers.get("ratelimit-remaining"));
  await inOneWindow(3000);
  expect([await remaining(gateways[0]), await remaining(gateways[1])]).toEqual([299, 299]);
  await redis.crash();
  await vi.waitFor(async () => expect(await sharing(gateways[0])).toBe("ok"), 15_000);
  await inOneWindow(3000);
  const client = "203.0.113.5";
  const left = [];
  for (const gateway of gateways)
    left.push(Number((await list(gateway, client)).headers.get("ratelimit-remaining")));
  expect(left).toEqual([299, 298]);
});

test("a request that is sent again to the other gateway is not done twice", async () => {
  const post = (gateway: Gateway): Promise<Response> =>
    fetch(`${gateway.url}/api/v1/streams`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": "one", ...as("10.9.9.9") },
      body: JSON.stringify({ url: "https://cdn.example/twice/list.m3u8" }),
    });
  const first = (await (await post(gateways[0])).json()) as { task_id: string; existing: boolean };
  await vi.waitFor(async () => {
    const again = await post(gateways[1]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.json()).toEqual(first);
  });
});
