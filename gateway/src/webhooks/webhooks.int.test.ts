import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server as HttpServer } from "node:http";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { vodKey, VODS_BUCKET, type Vod } from "@hypecast/contracts/vod.ts";
import { newVod } from "@hypecast/contracts/vod-steps.ts";
import type { Webhook } from "@hypecast/contracts/webhook.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { startNats, startRedis, type Server } from "@hypecast/tests/servers.ts";
import { deliverWebhooks } from "./deliver.ts";
import { watchWebhooks, type Webhooks } from "./webhooks.ts";

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let nats: Server;
let redis: Server;
let bus: NatsConnection;
let vods: KV;
let webhooks: Webhooks;
let delivering: ReturnType<typeof deliverWebhooks>;
let receiver: HttpServer;
let port = 0;
/** What came, by path; and how each path answers. */
const got = new Map<string, Got[]>();
const answers = new Map<string, (nth: number) => number | "hang">();
const log = createLog("test", "error");

const deliver = (): ReturnType<typeof deliverWebhooks> =>
  deliverWebhooks({
    nc: bus,
    webhooks,
    redisUrl: redis.url,
    allowPrivate: true,
    placesOf: () => [],
    log,
    firstRetryMs: 20,
  });

beforeAll(async () => {
  [nats, redis] = await Promise.all([startNats(), startRedis()]);
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  vods = await new Kvm(bus).open(VODS_BUCKET);
  receiver = createServer((request, response) => {
    const path = request.url ?? "";
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      const all = got.get(path) ?? [];
      got.set(path, [...all, { headers: request.headers, body }]);
      const answer = answers.get(path)?.(all.length + 1) ?? 200;
      if (answer !== "hang")
        response.writeHead(answer, answer === 302 ? { location: "/stolen" } : {}).end("x".repeat(200_000));
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const address = receiver.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  webhooks = await watchWebhooks(bus, true, log);
  delivering = deliver();
  await vi.waitFor(() => expect(webhooks.ready()).toBe(true));
});
afterAll(async () => {
  await delivering?.close();
  webhooks?.close();
  receiver?.closeAllConnections();
  receiver?.close();
  await bus?.close();
  await redis?.close();
  await nats?.close();
});

let made = 0;
const stream = async (change: Partial<Vod>, before?: Vod): Promise<Vod> => {
  const record: Vod = {
    ...(before ??
      newVod(
        `_${String(++made).padStart(18, "0")}`,
        { url: null, chatUpload: "u", videoUpload: null, title: "Лава", startMs: null, replaces: null },
        1,
      )),
    ...change,
    revision: (before?.revision ?? 0) + 1,
  };
  await vods.put(vodKey(record.id), JSON.stringify(record));
  return record;
};
const add = (path: string, events: Webhook["events"] = ["stream.ready", "stream.error"]): Promise<Webhook> =>
  webhooks.add(`http://127.0.0.1:${port}${path}`, events);
const deliveries = (path: string, count: number): Promise<Got[]> =>
  vi.waitFor(() => {
    const all = got.get(path) ?? [];
    expect(all.length).toBeGreaterThanOrEqual(count);
    return all;
  }, 10_000);
const lastOf = (id: string): Webhook["last"] | undefined => webhooks.get(id)?.last;

test("a receiver is told once, and can tell by the signature that it was us", async () => {
  const hook = await add("/once");
  expect(hook.secret).toMatch(/^whsec_[\w+/]{32}$/);
  const first = await stream({});
  const ready = await stream({ status: "ready", readyAtMs: 5 }, first);
  const [one] = await deliveries("/once", 1);
  const {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signature,
  } = one?.headers ?? {};
  // As a receiver would: with nothing but the secret, the headers and the raw body.
  const key = Buffer.from(hook.secret.slice("whsec_".length), "base64");
  expect(signature).toBe(
    `v1,${createHmac("sha256", key)
      .update(`${String(id)}.${String(timestamp)}.${one?.body}`)
      .digest("base64")}`,
  );
  expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(60);
  expect(JSON.parse(one?.body ?? "")).toMatchObject({
    type: "stream.ready",
    data: { id: ready.id, title: "Лава" },
  });

  // Another title is no news; the same stream made again is.
  const renamed = await stream({ title: "Пепел" }, ready);
  const processing = await stream({ status: "processing" }, renamed);
  await stream({ status: "ready", readyAtMs: 9 }, processing);
  const all = await deliveries("/once", 2);
  await vi.waitFor(() =>
    expect(lastOf(hook.id)).toMatchObject({ status: 200, detail: "delivered", tries: 1 }),
  );
  expect(all).toHaveLength(2);
  expect(new Set(all.map(({ headers }) => headers["webhook-id"])).size).toBe(2);
  await webhooks.remove(hook.id);
});

test("what fails first is tried again under the same id; who asked for another event is left alone", async () => {
  answers.set("/flaky", (nth) => (nth <= 2 ? 500 : 204));
  const hook = await add("/flaky", ["stream.error"]);
  const other = await add("/quiet", ["clip.ready"]);
  await stream({ status: "error", error: { code: "empty", detail: "d", action: "a" } });
  const tries = await deliveries("/flaky", 3);
  expect(new Set(tries.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
  await vi.waitFor(() => expect(lastOf(hook.id)).toMatchObject({ status: 204, tries: 3 }));
  // What a person has stopped is no failure.
  await stream({ status: "error", cancelled: true });
  expect(got.get("/quiet")).toBeUndefined();
  for (const { id } of [hook, other]) await webhooks.remove(id);
});

test("a receiver that refuses for good is given up, and its list says so", async () => {
  answers.set("/gone", () => 410);
  answers.set("/redirect", () => 302);
  const gone = await add("/gone");
  const redirecting = await add("/redirect");
  await stream({ status: "ready", readyAtMs: 1 });
  await vi.waitFor(() => expect(lastOf(gone.id)?.detail).toBe("answered 410; given up after 1 tries"));
  await vi.waitFor(
    () => expect(lastOf(redirecting.id)?.detail).toBe("answered 302; given up after 8 tries"),
    20_000,
  );
  expect(got.get("/stolen")).toBeUndefined();
  for (const { id } of [gone, redirecting]) await webhooks.remove(id);
});

test("one that does not answer holds up nobody else", async () => {
  answers.set("/slow", () => "hang");
  const slow = await add("/slow");
  const quick = await add("/quick");
  await stream({ status: "ready", readyAtMs: 1 });
  await deliveries("/slow", 1);
  await deliveries("/quick", 1);
  for (const { id } of [slow, quick]) await webhooks.remove(id);
});

test("what happens while nobody delivers is told afterwards", async () => {
  const hook = await add("/later");
  await delivering.close();
  await stream({ status: "ready", readyAtMs: 1 });
  expect(got.get("/later")).toBeUndefined();
  delivering = deliver();
  expect(await deliveries("/later", 1)).toHaveLength(1);
  await webhooks.remove(hook.id);
});
