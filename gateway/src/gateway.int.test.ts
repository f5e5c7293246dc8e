import { createServer, type Server as HttpServer } from "node:http";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { headers as natsHeaders, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatBursts, type ChatBurst } from "@hypecast/contracts/burst.ts";
import { CHANNEL_STATE_BUCKET, type ChannelState } from "@hypecast/contracts/channel.ts";
import {
  chatLines,
  chatModeration,
  LINES_HEADER,
  packLines,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { liveSubject, type LiveTick } from "@hypecast/contracts/live.ts";
import type { ChatColumn } from "@hypecast/contracts/push.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readExposition } from "@hypecast/tests/exposition.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { openPage, startGateway, type Gateway } from "./testing.ts";

const CHANNEL = "4242";
const TOKEN = "test-token-of-thirty-characters";
const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex");

let nats: Server;
let bus: NatsConnection;
let gateway: Gateway;
let provider: HttpServer;
let asked: string[] = [];

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  provider = createServer((req, res) => {
    const url = req.url ?? "";
    asked.push(url);
    const id = url.split("/")[2] ?? "";
    if (id === "1") return void res.writeHead(200, { "content-type": "image/png" }).end(PNG);
    if (id === "2")
      return void res.writeHead(200, { "content-type": "text/html" }).end("<html><script>alert(1)</script>");
    if (id === "3")
      return void res.writeHead(200, { "content-type": "image/png" }).end("<html><script>alert(1)</script>");
    if (id === "4")
      return void res.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end();
    if (id === "5") {
      // 50 MB that do not say so beforehand.
      res.writeHead(200, { "content-type": "image/png" });
      res.write(PNG);
      const block = Buffer.alloc(1 << 20);
      let sent = 0;
      const more = (): void => {
        while (sent++ < 50) if (!res.write(block)) return void res.once("drain", more);
        res.end();
      };
      return more();
    }
    res.writeHead(404).end();
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const address = provider.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  gateway = await startGateway({
    HYPECAST_NATS_URL: nats.url,
    FFZ_CDN_URL: `http://127.0.0.1:${port}/e`,
    HYPECAST_ALLOW_PRIVATE_EMOTES: "1",
  });
  await send("POST", "/api/v1/channels", { channel: "https://www.twitch.tv/Lamp" });
  const states = await new Kvm(bus).open(CHANNEL_STATE_BUCKET);
  await states.put("lamp", JSON.stringify(stateOf("lamp", CHANNEL)));
});
afterAll(async () => {
  await gateway?.close();
  provider?.close();
  await bus?.close();
  await nats?.close();
});

const stateOf = (login: string, channelId: string): ChannelState => ({
  login,
  channelId,
  name: login,
  state: "live",
  reason: null,
  sinceMs: 1,
  attempt: 0,
  nextAttemptAtMs: null,
  lastLineAtMs: null,
  aliveAtMs: null,
  connection: null,
  emotes: [],
  stream: null,
});
const send = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(gateway.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
const problemOf = async (answer: Response): Promise<string> => {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await answer.json()) as { type: string; status: number; action: string; detail: string };
  expect(problem.status).toBe(answer.status);
  expect(problem.action.length).toBeGreaterThan(5);
  return problem.type.replace("/problems/", "");
};
const has = (d: unknown, text: string): boolean => d !== undefined && JSON.stringify(d).includes(text);
const line = (n: number, text: string, userId = "u1"): ChatLine => ({
  id: `m${n}`,
  channelId: CHANNEL,
  sentAtMs: 1000 + n,
  userId,
  login: userId,
  text,
});
const sayInChat = (lines: ChatLine[]): void => {
  const head = natsHeaders();
  head.set(LINES_HEADER, String(lines.length));
  bus.publish(subjectOf(chatLines, CHANNEL), packLines(lines), { headers: head });
};
const tick = (lines: number): LiveTick => ({
  channelId: CHANNEL,
  atMs: Date.now(),
  run: "r",
  lines,
  newestSentAtMs: null,
  newestReceivedAtMs: null,
  state: "ok",
  value: 61,
  warm: 1,
  trend: null,
  usualLow: null,
  usualHigh: null,
  peak: null,
  messagesPerMin: 120,
  messagesPerS: 2,
  messagesTimes: null,
  chattersPerMin: 10,
  chattersTimes: null,
  moods: {},
  moodTimes: {},
  emotes: [],
  parts: {},
  forecast: null,
  gap: false,
});
const burst = (n: number): ChatBurst => ({
  id: `${CHANNEL}:emote:KEKW:${n}`,
  channelId: CHANNEL,
  kind: "emote",
  subject: "KEKW",
  emoteRef: "",
  mood: "laugh",
  startMs: n,
  peakMs: n,
  endMs: n,
  detectedAtMs: n,
  open: false,
  count: 10,
  chatters: 5,
  peakRate: 1,
  baselineRate: 0.1,
  times: 10,
  z: 5,
  reasons: {},
});

test("the app is served from memory: one page for every address, no page for a missing file, frames forbidden", async () => {
  const page = await gateway.get("/live/lamp", { "accept-encoding": "br" });
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toContain("text/html");
  expect(page.headers.get("content-encoding")).toBe("br");
  expect(page.headers.get("cache-control")).toBe("no-cache");
  expect(page.headers.get("content-security-policy")).toBe("frame-ancestors 'none'");
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  const html = await page.text();
  const script = /\/_app\/immutable\/[\w./-]+\.js/.exec(html)?.[0] ?? "";
  const loaded = await gateway.get(script, { "accept-encoding": "identity" });
  expect(loaded.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  expect(loaded.headers.get("content-encoding")).toBeNull();
  const again = await gateway.get(script, { "if-none-match": loaded.headers.get("etag") ?? "" });
  expect(again.status).toBe(304);
  for (const missing of ["/_app/immutable/gone.js", "/nope.css", "/../package.json", "/%2e%2e/package.json"])
    expect((await gateway.get(missing)).status, missing).toBe(404);
  expect(await problemOf(await gateway.get("/api/v1/nope"))).toBe("not_found");
});

test.each([
  ["POST", "/api/v1/channels", "{", {}, 400, "not_json"],
  ["POST", "/api/v1/channels", { channel: "not a name!" }, {}, 400, "invalid_parameters"],
  ["POST", "/api/v1/channels", { channel: "a", extra: 1 }, {}, 400, "invalid_parameters"],
  ["POST", "/api/v1/channels", { channel: "x".repeat(70_000) }, {}, 413, "body_too_large"],
  ["POST", "/api/v1/channels", "channel=a", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
  ["PUT", "/api/v1/channels", {}, {}, 405, "method_not_allowed"],
  ["POST", "/api/v1/channels", { channel: "a" }, { origin: "https://evil.example" }, 403, "wrong_origin"],
  ["GET", "/api/v1/channels/nobody", undefined, {}, 404, "channel_not_watched"],
  ["PATCH", "/api/v1/channels/nobody", { paused: true }, {}, 404, "channel_not_watched"],
  ["PATCH", "/api/v1/channels/lamp", { paused: "yes" }, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/NO%2FBODY", undefined, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/lamp/windows?size=abc", undefined, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/lamp/windows?limit=999999", undefined, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/lamp/heatmap?from=5&to=2", undefined, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/lamp/heatmap?form=5", undefined, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/lamp/moment", undefined, {}, 400, "invalid_parameters"],
  ["GET", "/api/v1/channels/lamp/bursts", undefined, {}, 503, "store_down"],
] as const)("%s %s is refused: case %#", async (method, path, body, headers, status, code) => {
  const answer = await send(method, path, body, headers);
  expect(answer.status).toBe(status);
  expect(await problemOf(answer)).toBe(code);
  if (status === 503) expect(answer.headers.get("retry-after")).toBe("3");
});

test("channels are added by name or link, paused, resumed and removed, each as often as one likes", async () => {
  const added = await send("POST", "/api/v1/channels", { channel: "@Second_One" });
  expect([added.status, added.headers.get("location")]).toEqual([201, "/api/v1/channels/second_one"]);
  const first = (await added.json()) as { addedAtMs: number };
  const again = (await (
    await send("POST", "/api/v1/channels", { channel: "twitch.tv/second_one" })
  ).json()) as object;
  expect(again).toMatchObject({ login: "second_one", addedAtMs: first.addedAtMs });
  for (const paused of [true, true, false])
    expect(await (await send("PATCH", "/api/v1/channels/second_one", { paused })).json()).toMatchObject({
      paused,
    });
  expect(await problemOf(await gateway.get("/api/v1/channels/second_one/extent"))).toBe("channel_not_heard");
  for (let i = 0; i < 2; i++) expect((await send("DELETE", "/api/v1/channels/second_one")).status).toBe(204);
  const { channels } = (await (await gateway.get("/api/v1/channels")).json()) as {
    channels: { login: string }[];
  };
  expect(channels.map(({ login }) => login)).toEqual(["lamp"]);
});

test("a question is asked once for all who ask it at the same time, with the span that was meant", async () => {
  const heard: unknown[] = [];
  const answering = bus.subscribe("ask.bursts", {
    callback: (_error, message) => {
      heard.push(message.json());
      setTimeout(() => message.respond(JSON.stringify({ bursts: [burst(1)] })), 50);
    },
  });
  await bus.flush();
  const path = "/api/v1/channels/lamp/bursts?from=1000&to=2000&limit=5";
  const answers = await Promise.all([gateway.get(path), gateway.get(path), gateway.get(path)]);
  for (const answer of answers) expect(await answer.json()).toMatchObject({ bursts: [{ subject: "KEKW" }] });
  expect(heard).toEqual([{ channelId: CHANNEL, fromMs: 1000, toMs: 2000, limit: 5 }]);
  answering.unsubscribe();
  const slow = bus.subscribe("ask.extent", {
    callback: (_error, message) =>
      void message.respond(JSON.stringify({ error: "too_slow", detail: "over 5 s" })),
  });
  await bus.flush();
  const answer = await gateway.get("/api/v1/channels/lamp/extent");
  expect([answer.status, await problemOf(answer)]).toEqual([504, "too_slow"]);
  slow.unsubscribe();
});

test("the OpenAPI page names every route with its parameters", async () => {
  const page = (await (await gateway.get("/api/v1/openapi.json")).json()) as {
    openapi: string;
    paths: Record<
      string,
      Record<string, { parameters?: { name: string; in: string; required: boolean }[]; responses: object }>
    >;
  };
  expect(page.openapi).toBe("3.1.0");
  const heat = page.paths["/api/v1/channels/{login}/heatmap"]?.["get"];
  expect(heat?.parameters?.map(({ name, in: place, required }) => [name, place, required])).toEqual([
    ["login", "path", true],
    ["from", "query", false],
    ["to", "query", false],
    ["columns", "query", false],
  ]);
  expect(Object.keys(heat?.responses ?? {})).toEqual(["200", "default"]);
});

test("a page opens full: the last tick, the last lines, the past minute of events", async () => {
  bus.publish(liveSubject(CHANNEL), JSON.stringify(tick(7)));
  sayInChat([line(1, "hello"), line(2, "again")]);
  await jetstream(bus).publish(subjectOf(chatBursts, CHANNEL), JSON.stringify([burst(1)]));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const page = await openPage(gateway.port);
  expect(await page.until(({ op }) => op === "hello")).toMatchObject({ heartbeatMs: 5000, topics: 64 });
  for (const ch of ["live:lamp", "chat:lamp", "events:lamp", "channels", "sys"]) page.say({ op: "sub", ch });
  expect(await page.until(({ ch, d }) => ch === "live:lamp" && d !== undefined)).toMatchObject({
    snap: true,
    d: { lines: 7 },
  });
  const chat = await page.until(({ ch, d }) => ch === "chat:lamp" && d !== undefined);
  expect((chat["d"] as ChatColumn).lines.map(({ text }) => text)).toEqual(["hello", "again"]);
  expect(await page.until(({ ch, d }) => ch === "events:lamp" && d !== undefined)).toMatchObject({
    snap: true,
    d: { kind: "burst", burst: { subject: "KEKW" } },
  });
  expect(await page.until(({ ch, d }) => ch === "channels" && Array.isArray(d))).toMatchObject({
    d: [{ login: "lamp", state: { channelId: CHANNEL }, now: { messagesPerMin: 120, value: 61 } }],
  });
  await page.until(({ ch, d }) => ch === "sys" && has(d, "gateway"));
  page.socket.terminate();
});

test("chat comes four times a second; a deleted line's text leaves the ring and the snapshot too", async () => {
  const page = await openPage(gateway.port);
  page.say({ op: "sub", ch: "chat:lamp" });
  await page.until(({ op }) => op === "subbed");
  sayInChat([
    line(10, "keep me"),
    line(11, "secret address"),
    line(12, "also gone", "u2"),
    line(13, "keep me", "u3"),
  ]);
  const column = await page.until(({ ch, d }) => ch === "chat:lamp" && has(d, "secret address"));
  expect((column["d"] as ChatColumn).lines[0]).toMatchObject({ text: "keep me", repeats: 2 });
  const said = (over: object): void =>
    bus.publish(
      subjectOf(chatModeration, CHANNEL),
      JSON.stringify({ id: "x", channelId: CHANNEL, sentAtMs: 2000, ...over }),
    );
  said({ action: "delete", targetMessageId: "m11", text: "secret address" });
  said({ action: "timeout", targetUserId: "u2", durationS: 60 });
  const told = await page.until(({ ch, d }) => ch === "chat:lamp" && has(d, "targetMessageId"), 1000);
  expect(JSON.stringify(told)).not.toContain("secret address");
  const { epoch } = (await page.until(({ op }) => op === "hello")) as { epoch: string };
  for (const since of [undefined, Number(column["id"]) - 1]) {
    const later = await openPage(gateway.port);
    later.say({ op: "sub", ch: "chat:lamp", ...(since === undefined ? {} : { since, epoch }) });
    expect(await later.until(({ op }) => op === "subbed")).toMatchObject({ resumed: since !== undefined });
    await later.until(({ ch, d }) => ch === "chat:lamp" && has(d, "keep me"));
    expect(JSON.stringify(later.messages)).not.toMatch(/secret address|also gone/);
    later.socket.terminate();
  }
  page.socket.terminate();
});

test("a ban wave of 200 in a second is on every page, and in no ring or snapshot, within a second; one of 2000 clears all", async () => {
  const page = await openPage(gateway.port);
  page.say({ op: "sub", ch: "chat:lamp" });
  await page.until(({ op }) => op === "subbed");
  const { epoch } = (await page.until(({ op }) => op === "hello")) as { epoch: string };
  const wave = async (first: number, count: number): Promise<void> => {
    const lines = Array.from({ length: count }, (_none, i) =>
      line(first + i, `buy followers ${first + i}`, `spam${first + i}`),
    );
    sayInChat(lines);
    await page.until(
      ({ ch, d }) => ch === "chat:lamp" && has(d, `buy followers ${String(first).slice(0, 1)}`),
    );
    for (const { userId, sentAtMs } of lines)
      bus.publish(
        subjectOf(chatModeration, CHANNEL),
        JSON.stringify({
          id: `ban-${userId}`,
          channelId: CHANNEL,
          sentAtMs: sentAtMs + count,
          action: "ban",
          targetUserId: userId,
        }),
      );
    await bus.flush();
  };
  const bannedOnPage = (): Set<string> =>
    new Set(
      page.messages.flatMap(({ ch, d }) =>
        ch === "chat:lamp" && d !== undefined
          ? (d as ChatColumn).moderation.flatMap(({ targetUserId }) => targetUserId ?? [])
          : [],
      ),
    );
  await wave(20_000, 200);
  await expect
    .poll(() => [...bannedOnPage()].filter((id) => id.startsWith("spam")).length, {
      interval: 20,
    })
    .toBe(200);
  for (const since of [undefined, 1]) {
    const later = await openPage(gateway.port);
    later.say({ op: "sub", ch: "chat:lamp", ...(since === undefined ? {} : { since, epoch }) });
    await later.until(({ op }) => op === "subbed");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(JSON.stringify(later.messages)).not.toContain("buy followers");
    later.socket.terminate();
  }
  await wave(30_000, 2000);
  await page.until(
    ({ ch, d }) =>
      ch === "chat:lamp" &&
      (d as ChatColumn | undefined)?.moderation.some(({ action }) => action === "clear") === true,
    1000,
  );
  page.socket.terminate();
});

test.each([
  ["a megabyte", "x".repeat(1 << 20), 1006],
  ["no JSON", "{{{", 4400],
  ["a topic that is none", { op: "sub", ch: "everything" }, 4400],
])("a client that sends %s is closed", async (_name, message, code) => {
  const page = await openPage(gateway.port);
  page.say(message);
  expect((await page.closed).code).toBe(code);
});

test("a client that asks for more than 64 topics is told so and closed, ten thousand of them do not hurt", async () => {
  const page = await openPage(gateway.port);
  for (let i = 0; i < 65; i++) page.say({ op: "sub", ch: `live:c${i}` });
  expect(await page.closed).toEqual({ code: 4429, reason: "a socket may hold 64 topics" });
  const flood = await openPage(gateway.port);
  for (let i = 0; i < 10_000; i++) flood.say({ op: "sub", ch: `live:c${i}` });
  expect([4400, 4429]).toContain((await flood.closed).code);
  expect((await gateway.get("/health/ready")).status).toBe(200);
});

test("a page of another site cannot open the websocket, nor one under another Host", async () => {
  await expect(openPage(gateway.port, { origin: "https://evil.example" })).rejects.toThrow("HTTP 403");
  await expect(openPage(gateway.port, { host: "evil.example" })).rejects.toThrow("HTTP 403");
  const own = await openPage(gateway.port, { origin: gateway.url });
  own.socket.terminate();
});

test("a client that never reads is dropped, and another page gets every value meanwhile", async () => {
  const deaf = connect(gateway.port, "127.0.0.1");
  deaf.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  await new Promise((resolve) => deaf.once("data", resolve));
  const ask = Buffer.from(JSON.stringify({ op: "sub", ch: "events:lamp" }));
  deaf.write(Buffer.concat([Buffer.from([0x81, 0x80 | ask.length, 0, 0, 0, 0]), ask]));
  deaf.pause();
  deaf.on("error", () => undefined);
  const page = await openPage(gateway.port);
  page.say({ op: "sub", ch: "events:lamp" });
  await page.until(({ op }) => op === "subbed");
  const before = page.messages.length;
  const fat = {
    ...burst(2),
    reasons: Object.fromEntries(Array.from({ length: 20_000 }, (_none, i) => [`reason${i}`, i])),
  };
  const log = jetstream(bus);
  for (let i = 0; i < 60; i++)
    await log.publish(subjectOf(chatBursts, CHANNEL), JSON.stringify([{ ...fat, count: i }]));
  await expect
    .poll(() => page.messages.slice(before).filter(({ ch }) => ch === "events:lamp").length)
    .toBeGreaterThanOrEqual(60);
  await expect
    .poll(
      async () =>
        /gateway_push_closed_slow_total\{[^}]*\} (\d+)/.exec(
          await (await gateway.get("/metrics")).text(),
        )?.[1],
      { interval: 500 },
    )
    .toBe("1");
  // Its socket is let go of, whether it ever reads the close frame or not.
  await expect
    .poll(
      async () => /gateway_sockets\{[^}]*\} (\d+)/.exec(await (await gateway.get("/metrics")).text())?.[1],
      { interval: 500 },
    )
    .toBe("1");
  deaf.destroy();
  page.socket.terminate();
});

test("emote images come through the gateway: once from the provider, never HTML, never 50 MB, never from inside", async () => {
  asked = [];
  const [first] = await Promise.all([gateway.get("/emotes/ffz/1/1x"), gateway.get("/emotes/ffz/1/1x")]);
  expect([first.status, first.headers.get("content-type")]).toEqual([200, "image/png"]);
  expect(Buffer.from(await first.arrayBuffer())).toEqual(PNG);
  expect((await gateway.get("/emotes/ffz/1/1x")).status).toBe(200);
  expect(asked).toEqual(["/e/1/1"]);
  for (const id of ["2", "3", "4", "5", "6"]) {
    const refused = await gateway.get(`/emotes/ffz/${id}/1x`);
    expect([id, refused.status, await problemOf(refused)]).toEqual([id, 502, "emote_unavailable"]);
  }
  const before = asked.length;
  expect((await gateway.get("/emotes/ffz/6/1x")).status).toBe(502);
  expect(asked.length).toBe(before);
  for (const path of ["/emotes/evil/1/1x", "/emotes/ffz/1%2f..%2f2/1x"])
    expect((await gateway.get(path)).status, path).toBe(404);
});

test("metrics are a valid exposition, each sample with its process", async () => {
  const families = readExposition(await (await gateway.get("/metrics")).text());
  expect(families.has("hypecast_gateway_sockets")).toBe(true);
  for (const [name, { samples }] of families)
    for (const { labels } of samples) expect([name, labels.get("part")]).toEqual([name, "gateway"]);
});

test("behind a token everything but health needs it", async () => {
  const locked = await startGateway({
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_HOST: "0.0.0.0",
    HYPECAST_TOKEN: TOKEN,
  });
  try {
    for (const [path, status] of [
      ["/health/live", 200],
      ["/health/ready", 200],
      ["/", 401],
      ["/api/v1/channels", 401],
      ["/metrics", 401],
      ["/emotes/ffz/1/1x", 401],
      ["/theme.js", 401],
      ["/s/_000000000000000000", 401],
      ["/api/v1/jobs/_000000000000000000/events", 401],
    ] as const)
      expect([path, (await locked.get(path)).status]).toEqual([path, status]);
    const page = await locked.get("/", { accept: "text/html" });
    expect([page.status, await page.text()]).toEqual([
      401,
      expect.stringContaining('action="/api/v1/session"'),
    ]);
    const bearer = { authorization: `Bearer ${TOKEN}` };
    expect((await locked.get("/api/v1/channels", bearer)).status).toBe(200);
    await expect(openPage(locked.port)).rejects.toThrow("HTTP 401");
    (await openPage(locked.port, bearer)).socket.terminate();
    const logIn = (token: string): Promise<Response> =>
      fetch(`${locked.url}/api/v1/session`, {
        method: "POST",
        body: new URLSearchParams({ token }),
        redirect: "manual",
      });
    expect((await logIn("wrong")).status).toBe(401);
    const entered = await logIn(TOKEN);
    expect([entered.status, entered.headers.get("location")]).toEqual([303, "/"]);
    const cookie = (entered.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    expect((await locked.get("/", { cookie, accept: "text/html" })).status).toBe(200);
    (await openPage(locked.port, { cookie })).socket.terminate();
  } finally {
    await locked.close();
  }
});

test("bound beyond loopback without a token, or to a taken port, it says so and does not start", async () => {
  await expect(startGateway({ HYPECAST_NATS_URL: nats.url, HYPECAST_HOST: "0.0.0.0" })).rejects.toThrow(
    /HYPECAST_HOST=0\.0\.0\.0 is reachable from other machines: set HYPECAST_TOKEN/,
  );
  await expect(
    startGateway({ HYPECAST_NATS_URL: nats.url, HYPECAST_PORT: String(gateway.port) }),
  ).rejects.toThrow(/cannot listen on 127\.0\.0\.1:\d+: the port is taken/);
});

test("stopped, it closes its pages with 1012; killed and started again it has another epoch and an old since gets a snapshot", async () => {
  const page = await openPage(gateway.port);
  const { epoch } = (await page.until(({ op }) => op === "hello")) as { epoch: string };
  gateway.child.kill("SIGTERM");
  expect((await page.closed).code).toBe(1012);
  await gateway.restart();
  const back = await openPage(gateway.port);
  expect((await back.until(({ op }) => op === "hello"))["epoch"]).not.toBe(epoch);
  back.say({ op: "sub", ch: "events:lamp", since: 3, epoch });
  expect(await back.until(({ op }) => op === "subbed")).toMatchObject({ resumed: false });
  // From the log: what the gateway had said before it was killed.
  await back.until(({ ch, d }) => ch === "events:lamp" && has(d, "KEKW"));
  back.socket.terminate();
});

test("while NATS is killed and comes back, pages stay open and ticks go on", async () => {
  const page = await openPage(gateway.port);
  page.say({ op: "sub", ch: "live:lamp" });
  page.say({ op: "sub", ch: "events:lamp" });
  await page.until(({ op }) => op === "subbed");
  await nats.crash();
  await expect.poll(() => bus.isClosed()).toBe(false);
  await expect
    .poll(
      async () => {
        bus.publish(liveSubject(CHANNEL), JSON.stringify(tick(99)));
        await bus.flush().catch(() => undefined);
        return page.messages.some(
          ({ ch, d }) => ch === "live:lamp" && (d as LiveTick | undefined)?.lines === 99,
        );
      },
      { interval: 200 },
    )
    .toBe(true);
  await jetstream(bus).publish(
    subjectOf(chatBursts, CHANNEL),
    JSON.stringify([{ ...burst(3), subject: "AFTER" }]),
  );
  await page.until(({ ch, d }) => ch === "events:lamp" && has(d, "AFTER"), 20_000);
  page.socket.terminate();
});

test("a HEAD request is answered without a body", async () => {
  const answer = await new Promise<{ status: number | undefined; length: string | undefined }>(
    (resolve, reject) => {
      const request = httpRequest(`${gateway.url}/api/v1/channels`, { method: "HEAD" }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, length: response.headers["content-length"] });
      });
      request.once("error", reject);
      request.end();
    },
  );
  expect(answer.status).toBe(200);
  expect(Number(answer.length)).toBeGreaterThan(10);
});
