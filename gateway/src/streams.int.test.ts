import { createServer as createTcp, connect, type Socket } from "node:net";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { Upload as TusUpload } from "tus-js-client";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Clip } from "@hypecast/contracts/clip.ts";
import { ANSWERS_BUCKET, hit, searchQuestion, type Answer, type Hit } from "@hypecast/contracts/oracle.ts";
import { upload, UPLOADS_BUCKET, uploadPiece, uploadPrefix } from "@hypecast/contracts/upload.ts";
import { vod, vodChannelId, vodKey, VODS_BUCKET, type Vod } from "@hypecast/contracts/vod.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { openPage, startGateway, type Gateway } from "./testing.ts";

let nats: Server;
let bus: NatsConnection;
let gateway: Gateway;
let other: Gateway;
let vods: KV;
const folder = temporaryFolder("gateway-objects");
const objects = openFolder(folder);

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  const env = { HYPECAST_NATS_URL: nats.url, HYPECAST_OBJECTS: folder, HYPECAST_UPLOAD_GB: "0.1" };
  [gateway, other] = await Promise.all([startGateway(env), startGateway(env)]);
  vods = await new Kvm(bus).open(VODS_BUCKET);
});
afterAll(async () => {
  await gateway?.close();
  await other?.close();
  await bus?.close();
  await nats?.close();
  objects.close();
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
  const { type, status } = (await answer.json()) as { type: string; status: number };
  expect(status).toBe(answer.status);
  return type.replace("/problems/", "");
};
const add = async (url: string, more: object = {}): Promise<Vod> => {
  const answer = await send("POST", "/api/v1/streams", { url, ...more });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { stream: Vod }).stream;
};
/** As the import process writes it. */
async function become(id: string, change: Partial<Vod>): Promise<Vod> {
  const entry = await vods.get(vodKey(id));
  const before = vod.parse(entry?.json());
  const after = { ...before, ...change, revision: before.revision + 1 };
  await vods.put(vodKey(id), JSON.stringify(after));
  return after;
}
/** Until the gateway has heard of it. */
const heard = (id: string, revision: number): Promise<void> =>
  vi.waitFor(async () => {
    const stream = (await (await gateway.get(`/api/v1/streams/${id}`)).json()) as Vod;
    expect(stream.revision).toBeGreaterThanOrEqual(revision);
  }, 5000);

/** A stream that nothing happens to, followed from the beginning of these tests to their end. */
let silent: { id: string; atMs: number; events: Awaited<ReturnType<typeof eventsOf>> };
test("events of a stream begin with its record", async () => {
  const { id } = await add("https://cdn.example/silent/list.m3u8");
  silent = { id, atMs: Date.now(), events: await eventsOf(`/api/v1/jobs/${id}/events`) };
  expect(await silent.events.read()).toMatchObject({ id: "1" });
});

test("a stream is added, found again by its link, renamed, cancelled, tried again and deleted", async () => {
  const answer = await send("POST", "/api/v1/streams", { url: "twitch.tv/videos/1234567890", title: "Lava" });
  expect(answer.status).toBe(202);
  const { task_id, stream, existing } = (await answer.json()) as {
    task_id: string;
    stream: Vod;
    existing: boolean;
  };
  expect(existing).toBe(false);
  expect(answer.headers.get("location")).toBe(`/api/v1/streams/${task_id}`);
  expect(stream).toMatchObject({ id: task_id, status: "processing", title: "Lava", revision: 1 });
  expect(vod.parse((await vods.get(vodKey(task_id)))?.json())).toEqual(stream);

  const again = await send("POST", "/api/v1/streams", {
    url: "https://www.twitch.tv/videos/1234567890?t=5s",
  });
  expect(await again.json()).toMatchObject({ task_id, existing: true });

  const status = async (): Promise<unknown> => (await gateway.get(`/api/v1/status/${task_id}`)).json();
  expect(await status()).toMatchObject({
    task_id,
    kind: "import",
    status: "processing",
    percent: 0,
    error: null,
  });
  const { revision } = await become(task_id, { progress: 0.25, etaS: 30 });
  await heard(task_id, revision);
  expect(await status()).toMatchObject({ percent: 25, eta_s: 30 });

  const change = (body: unknown): Promise<Response> => send("PATCH", `/api/v1/streams/${task_id}`, body);
  expect(await (await change({ title: "Пепел" })).json()).toMatchObject({
    title: "Пепел",
    status: "processing",
  });
  expect(await (await change({ job: "cancel" })).json()).toMatchObject({ status: "error", cancelled: true });
  expect((await change({ job: "cancel" })).status).toBe(200);
  expect(await status()).toMatchObject({ status: "error", error: "cancelled" });
  expect(await (await change({ job: "retry" })).json()).toMatchObject({
    status: "processing",
    cancelled: false,
  });
  await become(task_id, { status: "ready" });
  await vi.waitFor(async () => expect(await status()).toMatchObject({ status: "ready", percent: 100 }));
  expect(await problemOf(await change({ job: "cancel" }))).toBe("stream_state");

  expect((await send("DELETE", `/api/v1/streams/${task_id}`)).status).toBe(204);
  expect(await problemOf(await gateway.get(`/api/v1/streams/${task_id}`))).toBe("stream_not_found");
  expect(await problemOf(await gateway.get(`/api/v1/status/${task_id}`))).toBe("task_not_found");
  // The import process removes it, and the record last.
  expect(vod.parse((await vods.get(vodKey(task_id)))?.json()).deleting).toBe(true);
  expect((await send("DELETE", `/api/v1/streams/${task_id}`)).status).toBe(204);
});

test("the list is filtered, sorted, counted and read on page by page", async () => {
  const made: Vod[] = [];
  for (const [i, title] of ["Первый стрим", "lava run", "Chess", "LAVA again"].entries()) {
    const { id } = await add(`https://cdn.example/${i}/list.m3u8`, { title });
    made.push(
      await become(id, {
        status: i === 2 ? "error" : "ready",
        durationS: 1000 * (i + 1),
        lines: 4000 - 1000 * i,
        createdAtMs: 1_000_000 + i,
        broadcaster: { id: null, login: i < 2 ? "pepel_lamp" : "other", name: "Пепел" },
      }),
    );
  }
  for (const { id, revision } of made) await heard(id, revision);
  interface List {
    streams: Vod[];
    counts: Record<string, number>;
    next: string | null;
  }
  const list = async (query: string): Promise<List> =>
    (await (await gateway.get(`/api/v1/streams?before=1000004&${query}`)).json()) as List;
  const titles = ({ streams }: List): string[] => streams.map(({ title }) => title);

  expect(titles(await list(""))).toEqual(["LAVA again", "Chess", "lava run", "Первый стрим"]);
  expect((await list("status=ready")).counts).toEqual({ processing: 0, ready: 3, error: 1 });
  expect(titles(await list("sort=oldest&limit=1"))).toEqual(["Первый стрим"]);
  expect(titles(await list("sort=longest"))[0]).toBe("LAVA again");
  expect(titles(await list("sort=liveliest"))[0]).toBe("Первый стрим");
  expect(titles(await list("text=lava"))).toEqual(["LAVA again", "lava run"]);
  expect(titles(await list(`text=${encodeURIComponent("ПЕРВЫЙ")}`))).toEqual(["Первый стрим"]);
  expect(titles(await list("channel=pepel_lamp"))).toEqual(["lava run", "Первый стрим"]);

  const read: string[] = [];
  let page = await list("limit=1&sort=longest");
  for (read.push(...titles(page)); page.next !== null; read.push(...titles(page)))
    page = await list(`limit=1&sort=longest&cursor=${page.next}`);
  expect(read).toEqual(["LAVA again", "Chess", "lava run", "Первый стрим"]);

  const { next } = await list("limit=1");
  for (const [query, why] of [
    [`limit=1&sort=longest&cursor=${next}`, "invalid_parameters"],
    ["cursor=bm9uc2Vuc2U", "invalid_parameters"],
    [
      `cursor=${Buffer.from('{"of":"12345678901","at":[1,"x"],"untilMs":9999999999999}').toString("base64url")}`,
      "invalid_parameters",
    ],
    ["limit=0", "invalid_parameters"],
    [`text=${"x".repeat(201)}`, "invalid_parameters"],
    [`cursor=${"x".repeat(201)}`, "invalid_parameters"],
  ])
    expect(await problemOf(await gateway.get(`/api/v1/streams?before=1000004&${query}`)), query).toBe(why);
});

test.each([
  [{}, 400, "invalid_parameters"],
  [{ url: "javascript:alert(1)" }, 400, "invalid_parameters"],
  [{ url: "file:///etc/passwd" }, 400, "invalid_parameters"],
  [{ url: "https://name:word@example.org/x.m3u8" }, 400, "invalid_parameters"],
  [{ url: "x".repeat(2001) }, 400, "invalid_parameters"],
  [{ url: "https://a.example/x.m3u8", title: "x".repeat(201) }, 400, "invalid_parameters"],
  [{ url: "https://a.example/x.m3u8", startMs: -5 }, 400, "invalid_parameters"],
  [{ chatUpload: "../../etc" }, 404, "upload_not_found"],
  [{ chatUpload: "0123456789ab" }, 404, "upload_not_found"],
  [{ url: "https://a.example/x.m3u8", replaces: "_0000000000000000000000" }, 400, "invalid_parameters"],
  [{ url: "https://a.example/x.m3u8", replaces: "_000000000000000000" }, 404, "stream_not_found"],
])("POST /api/v1/streams %j is refused", async (body, status, code) => {
  const answer = await send("POST", "/api/v1/streams", body);
  expect(answer.status).toBe(status);
  expect(await problemOf(answer)).toBe(code);
});

test.each(["_x", "..%2f..%2fetc", "%00", "_" + "a".repeat(200), "lamp", "vod-abc-1"])(
  "%s is no stream's id",
  async (id) => {
    const answer = await gateway.get(`/api/v1/streams/${id}`);
    expect([400, 404]).toContain(answer.status);
    expect(["invalid_parameters", "stream_not_found", "not_found"]).toContain(await problemOf(answer));
  },
);

/** Events as they come, until the server ends them or `until` says so. */
async function eventsOf(
  path: string,
  headers: Record<string, string> = {},
): Promise<{
  status: number;
  read(): Promise<{ id: string | null; event: string | null; data: unknown } | null>;
  /** Comments that came. */
  beats(): number;
  stop(): void;
}> {
  const stopping = new AbortController();
  const answer = await fetch(gateway.url + path, { headers, signal: stopping.signal });
  const reader = (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let beats = 0;
  return {
    status: answer.status,
    async read() {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end >= 0) {
          const fields = new Map(
            text
              .slice(0, end)
              .split("\n")
              .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
          );
          text = text.slice(end + 2);
          const data = fields.get("data");
          if (data === undefined) {
            beats++;
            continue;
          }
          return { id: fields.get("id") ?? null, event: fields.get("event") ?? null, data: JSON.parse(data) };
        }
        const { done, value } = await reader.read();
        if (done) return null;
        text += value;
      }
    },
    beats: () => beats,
    stop: () => stopping.abort(),
  };
}

test("events tell a stream's record at each change, go on where a client stood, and end with the import", async () => {
  const { id } = await add("https://cdn.example/events/list.m3u8");
  const path = `/api/v1/jobs/${id}/events`;
  const events = await eventsOf(path);
  expect(await events.read()).toMatchObject({ id: "1", data: { id, status: "processing", progress: 0 } });
  await become(id, { progress: 0.5 });
  expect(await events.read()).toMatchObject({ id: "2", data: { progress: 0.5 } });

  // One that has seen it waits for the next; one that has seen what never was is told all.
  const later = await eventsOf(path, { "last-event-id": "2" });
  for (const garbage of ["999999", "-1", "null", "1; drop table", "x".repeat(3000), "1e3"]) {
    const confused = await eventsOf(path, { "last-event-id": garbage });
    expect(await confused.read(), garbage).toMatchObject({ id: "2" });
    confused.stop();
  }
  await become(id, { status: "ready", progress: 1 });
  for (const one of [events, later]) {
    expect(await one.read()).toMatchObject({ id: "3", data: { status: "ready" } });
    expect(await one.read()).toBeNull();
  }
  // A browser that comes back by itself is told that there is no more.
  expect((await eventsOf(path, { "last-event-id": "3" })).status).toBe(204);
  expect((await eventsOf("/api/v1/jobs/_000000000000000000/events")).status).toBe(404);
  expect((await eventsOf("/api/v1/jobs/..%2f..%2f/events")).status).toBe(404);
});

test("whoever follows a stream that is deleted is told so; the topic tells every page", async () => {
  const page = await openPage(gateway.port);
  const changeIn = ({ ch, d }: Record<string, unknown>): { id: string; removed?: true } | undefined =>
    ch === "streams" && d !== undefined ? (d as { id: string; removed?: true }) : undefined;
  page.say({ op: "sub", ch: "streams" });
  await page.until(({ op }) => op === "subbed");
  const { id } = await add("https://cdn.example/deleted/list.m3u8");
  await page.until((message) => changeIn(message)?.id === id);
  const events = await eventsOf(`/api/v1/jobs/${id}/events`);
  await events.read();
  await send("DELETE", `/api/v1/streams/${id}`);
  expect(await events.read()).toMatchObject({ event: "removed" });
  expect(await events.read()).toBeNull();
  await page.until((message) => changeIn(message)?.removed === true);
  page.socket.close();
});

const bytesOf = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255));
const tus = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<Response> =>
  fetch(gateway.url + path, {
    method,
    headers: { "tus-resumable": "1.0.0", ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
async function stored(id: string): Promise<Buffer> {
  const keys: string[] = [];
  for await (const { key } of objects.list(uploadPrefix(id))) keys.push(key);
  const pieces: Buffer[] = [];
  for (const key of keys.toSorted()) pieces.push((await objects.get(key)) ?? Buffer.alloc(0));
  return Buffer.concat(pieces);
}

test("a file whose connection is cut goes on at another gateway, byte for byte", async () => {
  const file = bytesOf(24 << 20);
  // A proxy that cuts its first connection in the middle, and leads to the other gateway afterwards.
  let cuts = 0;
  const proxy = createTcp((near: Socket) => {
    const far = connect(cuts === 0 ? gateway.port : other.port, "127.0.0.1");
    let passed = 0;
    near.on("data", (chunk: Buffer) => {
      passed += chunk.byteLength;
      if (cuts === 0 && passed > 10 << 20) {
        cuts++;
        near.destroy();
        far.destroy();
      } else if (!far.write(chunk)) {
        near.pause();
        far.once("drain", () => near.resume());
      }
    });
    far.on("data", (chunk: Buffer) => near.write(chunk));
    for (const socket of [near, far])
      socket.on("error", () => undefined).on("close", () => (near.destroy(), far.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const offsets: number[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const sent = new TusUpload(file, {
      endpoint: `http://127.0.0.1:${port}/api/v1/uploads`,
      metadata: { filename: "../../чат.json" },
      retryDelays: [50, 200, 500, 1000, 2000, 3000, 3000],
      onAfterResponse: (request, response) => {
        if (request.getMethod() === "HEAD") offsets.push(Number(response.getHeader("Upload-Offset")));
      },
      onSuccess: () => resolve(sent.url ?? ""),
      onError: reject,
    });
    sent.start();
  });
  proxy.close();
  expect(cuts).toBe(1);
  // Some of what came before the cut was kept.
  expect(Math.max(...offsets)).toBeGreaterThan(0);
  const id = url.split("/").at(-1) ?? "";
  expect((await stored(id)).equals(file)).toBe(true);
  const record = upload.parse((await (await new Kvm(bus).open(UPLOADS_BUCKET)).get(id))?.json());
  expect(record).toMatchObject({
    name: "чат.json",
    bytes: file.length,
    offset: file.length,
    done: true,
    writer: null,
  });

  // The stream that is made from it keeps it; the same upload again is the same stream.
  const stream = (await (await send("POST", "/api/v1/streams", { chatUpload: id })).json()) as {
    task_id: string;
  };
  expect(await (await send("POST", "/api/v1/streams", { chatUpload: id })).json()).toMatchObject({
    task_id: stream.task_id,
    existing: true,
  });
  expect(await problemOf(await tus("DELETE", `/api/v1/uploads/${id}`))).toBe("upload_used");
  await send("DELETE", `/api/v1/streams/${stream.task_id}`);
  expect((await tus("DELETE", `/api/v1/uploads/${id}`)).status).toBe(204);
  expect((await stored(id)).length).toBe(0);
});

test("an upload says what it takes, keeps to its length and its offset, and goes when it is told to", async () => {
  const options = await tus("OPTIONS", "/api/v1/uploads");
  expect(options.status).toBe(204);
  expect(options.headers.get("tus-version")).toBe("1.0.0");
  expect(options.headers.get("tus-max-size")).toBe("100000000");

  const BODY = { "content-type": "application/offset+octet-stream" };
  const begun = await tus("POST", "/api/v1/uploads", { "upload-length": "10", ...BODY }, Buffer.from("abcd"));
  expect(begun.status).toBe(201);
  expect(begun.headers.get("upload-offset")).toBe("4");
  expect(Date.parse(begun.headers.get("upload-expires") ?? "")).toBeGreaterThan(Date.now());
  const path = begun.headers.get("location") ?? "";
  const id = path.split("/").at(-1) ?? "";
  expect(await problemOf(await send("POST", "/api/v1/streams", { chatUpload: id }))).toBe(
    "upload_unfinished",
  );
  const patch = (offset: string, body: string, more: Record<string, string> = {}): Promise<Response> =>
    tus("PATCH", path, { "upload-offset": offset, ...BODY, ...more }, Buffer.from(body));

  for (const [answer, status, code] of [
    [await patch("3", "x"), 409, "upload_offset"],
    [await patch("-4", "x"), 400, "invalid_parameters"],
    [await patch("4", "0123456789"), 413, "upload_too_long"],
    [await patch("4", "x", { "content-type": "text/plain" }), 415, "unsupported_media_type"],
    [await patch("4", "x", { "tus-resumable": "0.2.2" }), 412, "tus_version"],
    [
      await tus("PATCH", "/api/v1/uploads/..%2f..%2fx", { "upload-offset": "0", ...BODY }, Buffer.from("x")),
      404,
      "upload_not_found",
    ],
    [await tus("HEAD", "/api/v1/uploads/zzzzzzzzzzzz"), 404, null],
    [await tus("GET", path), 405, "method_not_allowed"],
    [await tus("POST", "/api/v1/uploads", { "upload-length": "-1" }), 400, "invalid_parameters"],
    [await tus("POST", "/api/v1/uploads", { "upload-length": "100000001" }), 413, "upload_too_large"],
    [await tus("POST", "/api/v1/uploads"), 400, "invalid_parameters"],
  ] as const) {
    expect(answer.status).toBe(status);
    expect(answer.headers.get("tus-resumable")).toBe("1.0.0");
    if (code !== null) expect(await problemOf(answer)).toBe(code);
  }
  const head = await tus("HEAD", path);
  expect([head.headers.get("upload-offset"), head.headers.get("upload-length")]).toEqual(["4", "10"]);

  // Without Content-Length more can come than was announced: what fits is kept.
  const endless = await fetch(gateway.url + path, {
    method: "PATCH",
    headers: { "tus-resumable": "1.0.0", "upload-offset": "4", ...BODY },
    body: new Blob(["efghijKLM"]).stream(),
    duplex: "half",
  } as RequestInit).catch(() => null);
  if (endless !== null) expect(endless.status).toBe(413);
  await vi.waitFor(async () => expect((await stored(id)).toString()).toBe("abcdefghij"));
  expect((await tus("DELETE", path)).status).toBe(204);
  expect((await tus("HEAD", path)).status).toBe(404);

  // Chunks whose lengths come one by one, and that are exactly as many as was announced.
  const exact =
    (await tus("POST", "/api/v1/uploads", { "upload-length": "10" })).headers.get("location") ?? "";
  const sent = await fetch(gateway.url + exact, {
    method: "PATCH",
    headers: { "tus-resumable": "1.0.0", "upload-offset": "0", ...BODY },
    body: new Blob(["0123456789"]).stream(),
    duplex: "half",
  } as RequestInit);
  expect([sent.status, sent.headers.get("upload-offset")]).toEqual([204, "10"]);
});

test("two that write one upload at once do not mix: the second is told to wait", async () => {
  const file = bytesOf(1 << 20);
  const path =
    (await tus("POST", "/api/v1/uploads", { "upload-length": String(file.length) })).headers.get(
      "location",
    ) ?? "";
  const id = path.split("/").at(-1) ?? "";
  const raw = connect(gateway.port, "127.0.0.1");
  raw.write(
    `PATCH ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: ${file.length}\r\n\r\n`,
  );
  raw.write(file.subarray(0, 500_000));
  const records = await new Kvm(bus).open(UPLOADS_BUCKET);
  await vi.waitFor(
    async () => expect(upload.parse((await records.get(id))?.json()).writer).not.toBeNull(),
    5000,
  );
  const headers = { "upload-offset": "0", "content-type": "application/offset+octet-stream" };
  for (const { url } of [gateway, other]) {
    const answer = await fetch(url + path, {
      method: "PATCH",
      headers: { "tus-resumable": "1.0.0", ...headers },
      body: "x",
    });
    expect(answer.status).toBe(423);
  }
  raw.write(file.subarray(500_000));
  const answered = await new Promise<string>((resolve) =>
    raw.once("data", (data: Buffer) => resolve(data.toString())),
  );
  expect(answered).toMatch(/^HTTP\/1.1 204/);
  raw.destroy();
  expect((await stored(id)).equals(file)).toBe(true);
  expect(await objects.size(uploadPiece(id, 0))).toBe(file.length);
});

test("the same key gets the same answer, with another body a refusal, and after a refusal another chance", async () => {
  const post = (body: object, key: string): Promise<Response> =>
    send("POST", "/api/v1/streams", body, { "idempotency-key": key });
  const body = { url: "https://cdn.example/once/list.m3u8" };
  const first = await post(body, "k-1");
  const second = await post(body, "k-1");
  expect(second.status).toBe(202);
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(second.headers.get("location")).toBe(first.headers.get("location"));
  expect(await second.text()).toBe(await first.text());
  const other = await post({ ...body, title: "x" }, "k-1");
  expect(other.status).toBe(422);
  expect(await problemOf(other)).toBe("idempotency_key_used");
  expect(await problemOf(await post({ url: "nonsense" }, "k-2"))).toBe("invalid_parameters");
  expect((await post(body, "k-2")).status).toBe(202);
  expect(await problemOf(await post(body, "ключ".repeat(80)).catch(() => post(body, "k ".repeat(2))))).toBe(
    "invalid_parameters",
  );
  // Two at once: one is made, and whoever comes while it is made is told so.
  const statuses = await Promise.all(
    [1, 2, 3].map(async () => (await post({ url: "https://cdn.example/both/l.m3u8" }, "k-3")).status),
  );
  expect(statuses.filter((status) => status === 202).length).toBeGreaterThan(0);
  expect(statuses.every((status) => status === 202 || status === 409)).toBe(true);
});

const aHit = (channelId: string, atMs: number): Hit =>
  hit.parse({
    rank: 1,
    channelId,
    atMs,
    errorMs: 2000,
    chatAtMs: atMs + 6000,
    startMs: atMs - 10_000,
    endMs: atMs + 15_000,
    score: 0.9,
    certainty: "sure",
    parts: { keyword: 0.9 },
    chunkIds: [],
    momentId: null,
    lines: [],
    why: "said so",
    screen: "",
  });

test("a search looks where it is told to and says where each hit is in its stream", async () => {
  const { id } = await add("https://cdn.example/search/list.m3u8", { title: "Лава" });
  const scope = { kind: "stream", stream: id };
  expect(
    await problemOf(
      await send("POST", "/api/v1/search", {
        query: "lava",
        scope: { kind: "stream", stream: "_000000000000000000" },
      }),
    ),
  ).toBe("stream_not_found");
  expect(await problemOf(await send("POST", "/api/v1/search", { query: "lava", scope }))).toBe(
    "stream_not_ready",
  );
  const channelId = vodChannelId(id, 1);
  const { revision, startMs } = await become(id, { channelId, status: "ready", durationS: 4000 });
  await heard(id, revision);
  expect(await problemOf(await send("POST", "/api/v1/search", { query: "lava", scope }))).toBe("store_down");

  const asked: unknown[] = [];
  const answering = bus.subscribe(`ask.${searchQuestion.name}`, {
    callback: (_error, message) => {
      asked.push(message.json());
      message.respond(
        JSON.stringify({
          understood: null,
          hits: [aHit(channelId, startMs + 3_725_500), aHit("vod-gone00000000000000-1", 5)],
          found: true,
          best: 0.9,
          needed: 0.4,
          chunks: 10,
          channels: 1,
          withoutVector: 0,
          model: "m",
          tookMs: 3,
        }),
      );
    },
  });
  // The server has to know of it before the gateway asks.
  await bus.flush();
  const answer = (await (
    await send("POST", "/api/v1/search", { query: "упал в лаву", scope, language: "ru" })
  ).json()) as {
    hits: unknown[];
  };
  expect(asked).toEqual([
    {
      query: "упал в лаву",
      within: [{ channelId, fromMs: null, toMs: null }],
      mode: "hybrid",
      limit: 10,
      language: "ru",
    },
  ]);
  expect(answer.hits).toHaveLength(1);
  expect(answer.hits[0]).toMatchObject({
    stream: id,
    title: "Лава",
    atS: 3725.5,
    timecode: "1:02:05",
    link: `/vod/${id}?t=3715`,
  });
  for (const [body, code] of [
    [{ query: "  " }, "invalid_parameters"],
    [{ query: "x".repeat(10_001) }, "invalid_parameters"],
    [{ query: "x", limit: 51 }, "invalid_parameters"],
    [{ query: "x", scope: { kind: "stream" } }, "invalid_parameters"],
    [{ query: "x", scope: { kind: "everything" } }, "invalid_parameters"],
  ] as const)
    expect(await problemOf(await send("POST", "/api/v1/search", body))).toBe(code);
  expect((await send("POST", "/api/v1/search", { query: "ж".repeat(10_000) })).status).toBe(200);
  answering.unsubscribe();
});

/** The store, as far as these tests ask it: what was asked, and an answer for each question. */
async function store(
  answers: Record<string, unknown>,
): Promise<{ asked: [string, Record<string, unknown>][]; close: () => void }> {
  const asked: [string, Record<string, unknown>][] = [];
  const subscriptions = Object.entries(answers).map(([name, answer]) =>
    bus.subscribe(`ask.${name}`, {
      callback: (_error, message) => {
        asked.push([name, message.json()]);
        message.respond(JSON.stringify(answer));
      },
    }),
  );
  await bus.flush();
  return { asked, close: () => subscriptions.forEach((one) => one.unsubscribe()) };
}
const ready = async (path: string, change: Partial<Vod> = {}): Promise<Vod> => {
  const { id } = await add(`https://cdn.example/${path}/list.m3u8`, { title: path });
  const stream = await become(id, {
    channelId: vodChannelId(id, 1),
    status: "ready",
    durationS: 4000,
    lines: 5000,
    ...change,
  });
  await heard(id, stream.revision);
  return stream;
};

test("whatever takes a channel's login takes a stream's id, and means all of the stream", async () => {
  const { id, channelId, startMs } = await ready("routes");
  const answers = {
    heatmap: { channelId, fromMs: 1, toMs: 2, stepMs: 1, columns: [] },
    windows: { windows: [] },
    bursts: { bursts: [] },
    top_emotes: { emotes: [], trackedSinceMs: null },
    shots: { shots: [] },
    audio: { stepMs: 1, columns: [] },
    moments: { moments: [], lag: null },
    chat_span: { lines: [], complete: true },
    extent: { firstMs: null, lastMs: null, messages: 0 },
  };
  const { asked, close } = await store(answers);
  for (const route of [
    "heatmap",
    "windows",
    "bursts",
    "emotes",
    "shots",
    "audio",
    "moments",
    "chat",
    "extent",
  ])
    expect((await gateway.get(`/api/v1/channels/${id}/${route}`)).status, route).toBe(200);
  for (const [name, ask] of asked)
    expect(ask, name).toMatchObject(
      name === "extent" ? { channelId } : { channelId, fromMs: startMs, toMs: startMs + 4_000_000 },
    );
  expect(asked.map(([name]) => name).toSorted()).toEqual(Object.keys(answers).toSorted());
  expect((await gateway.get(`/api/v1/channels/${id}/layout`)).status).toBe(200);
  expect(await (await gateway.get(`/api/v1/channels/${id}/video`)).json()).toEqual({
    video: null,
    playlist: null,
  });
  expect(await problemOf(await gateway.get(`/api/v1/channels/${id}`))).toBe("channel_not_watched");
  expect(await problemOf(await gateway.get("/api/v1/channels/_000000000000000000/heatmap"))).toBe(
    "stream_not_found",
  );
  close();
});

test("a stream has a report, in two languages, and after its deletion a page that says so", async () => {
  const { id, channelId, startMs } = await ready("report");
  const { asked, close } = await store({
    heatmap: { channelId, fromMs: startMs, toMs: startMs + 1, stepMs: 1, columns: [] },
    top_emotes: { emotes: [{ ref: "x", name: "KEKW", uses: 7, lastUsedMs: 1 }], trackedSinceMs: null },
    moments: { moments: [], lag: null },
  });
  const page = await gateway.get(`/s/${id}?lang=ru`);
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(await page.text()).toContain("KEKW");
  expect((await gateway.get(`/s/${id}?download=1`)).headers.get("content-disposition")).toMatch(
    /^attachment/,
  );
  expect(asked.length).toBeGreaterThan(0);
  await send("DELETE", `/api/v1/streams/${id}`);
  for (const path of [id, "..%2f..%2fetc%2fpasswd", "_zz", ""]) {
    const gone = await gateway.get(`/s/${path}`);
    expect([gone.status, gone.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
  }
  close();
});

test("a place becomes a clip, several a numbered batch or one film; where there is no picture, of chat alone", async () => {
  const { id, startMs } = await ready("render");
  const part = (fromS: number, toS: number): object => ({ stream: id, fromS, toS, title: `at ${fromS}` });
  const render = (body: object): Promise<Response> => send("POST", "/api/v1/render", body);
  const made = async (body: object): Promise<Clip[]> => {
    const { task_ids } = (await (await render(body)).json()) as { task_ids: string[] };
    return Promise.all(
      task_ids.map(async (task) => (await (await gateway.get(`/api/v1/clips/${task}`)).json()) as Clip),
    );
  };
  const [one] = await made({ parts: [part(10, 40)], layouts: ["9:16"] });
  expect(one).toMatchObject({
    login: id,
    state: "queued",
    picture: "chat",
    startMs: startMs + 10_000,
    endMs: startMs + 40_000,
    layouts: ["9:16"],
    title: "at 10",
    batch: null,
    parts: [],
  });
  expect(await (await gateway.get(`/api/v1/status/${one?.id}`)).json()).toMatchObject({
    kind: "render",
    status: "processing",
  });

  const batch = await made({ parts: [part(10, 40), part(100, 130)] });
  expect(batch.map((clip) => [clip.batch?.number, clip.batch?.of])).toEqual([
    [1, 2],
    [2, 2],
  ]);
  expect(batch[0]?.batch?.id).toBe(batch[1]?.batch?.id);

  // The card of the stream says so.
  expect(((await (await gateway.get(`/api/v1/streams/${id}`)).json()) as Vod).clips).toBe(3);
  const [film, ...more] = await made({ parts: [part(10, 40), part(100, 130)], as: "film", title: "Best of" });
  expect(more).toEqual([]);
  expect(film).toMatchObject({
    title: "Best of",
    parts: [{ login: id, title: "at 10" }, { startMs: startMs + 100_000 }],
  });

  for (const [body, code] of [
    [{ parts: [part(10, 40)], picture: "video" }, "no_video"],
    [{ parts: [part(40, 10)] }, "invalid_parameters"],
    [{ parts: [part(10, 10.2)] }, "invalid_parameters"],
    [{ parts: [part(10, 4000)] }, "invalid_parameters"],
    [{ parts: [part(10, 40), part(4001, 4010)] }, "invalid_parameters"],
    [{ parts: [part(-10, 40)] }, "invalid_parameters"],
    [{ parts: [part(9e6, 9e6 + 5)] }, "invalid_parameters"],
    [{ parts: [part(1e300, 1e300)] }, "invalid_parameters"],
    [{ parts: [] }, "invalid_parameters"],
    [{ parts: Array.from({ length: 31 }, () => part(10, 40)) }, "invalid_parameters"],
    [{ parts: Array.from({ length: 3 }, () => part(0, 500)), as: "film" }, "invalid_parameters"],
    [{ parts: [{ stream: "../x", fromS: 1, toS: 9 }] }, "invalid_parameters"],
    [{ parts: [{ stream: "_000000000000000000", fromS: 1, toS: 9 }] }, "stream_not_found"],
    [{ parts: [{ stream: "nobody", fromS: 1, toS: 9 }] }, "channel_not_watched"],
  ] as const)
    expect(await problemOf(await render(body)), JSON.stringify(body).slice(0, 100)).toBe(code);
});

test("an answer is written down, followed while it is written, judged, and forgotten", async () => {
  const { id, channelId, startMs } = await ready("answers");
  const ask = (body: object): Promise<Response> => send("POST", "/api/v1/answers", body);
  const begun = await ask({
    question: "где он упал?",
    scope: { kind: "stream", stream: id },
    language: "ru",
  });
  expect(begun.status).toBe(202);
  const asked = (await begun.json()) as Answer;
  expect(begun.headers.get("location")).toBe(`/api/v1/answers/${asked.id}`);
  expect(asked).toMatchObject({
    state: "asked",
    within: [{ channelId }],
    hits: [],
    question: "где он упал?",
  });

  const path = `/api/v1/answers/${asked.id}`;
  const events = await eventsOf(`${path}/events`);
  expect(await events.read()).toMatchObject({ id: "1", data: { state: "asked" } });
  const answers = await new Kvm(bus).open(ANSWERS_BUCKET);
  // As the process `oracle` writes it.
  const write = (change: Partial<Answer>): Promise<number> =>
    answers.put(asked.id, JSON.stringify({ ...asked, ...change }));
  await write({ revision: 2, state: "reading", text: "Он упал" });
  expect(await events.read()).toMatchObject({ id: "2", data: { text: "Он упал" } });
  await write({
    revision: 3,
    state: "done",
    text: "Он упал в лаву.",
    found: true,
    hits: [aHit(channelId ?? "", startMs + 61_000)],
  });
  expect(await events.read()).toMatchObject({
    data: { state: "done", hits: [{ stream: id, timecode: "0:01:01" }] },
  });
  expect(await events.read()).toBeNull();
  expect(await (await gateway.get(path)).json()).toMatchObject({ hits: [{ atS: 61 }] });

  const judge = (body: object): Promise<Response> => send("POST", `${path}/feedback`, body);
  await judge({ rank: 1, verdict: "wrong" });
  expect(((await (await judge({ rank: 1, verdict: "right" })).json()) as Answer).feedback).toMatchObject([
    { rank: 1, verdict: "right" },
  ]);
  expect(await problemOf(await judge({ rank: 51, verdict: "right" }))).toBe("invalid_parameters");
  expect(await problemOf(await ask({ question: " " }))).toBe("invalid_parameters");
  expect(await problemOf(await ask({ question: "x".repeat(10_001) }))).toBe("invalid_parameters");
  expect(await problemOf(await ask({ question: "and then?", after: "0123456789" }))).toBe("answer_not_found");
  const next = (await (await ask({ question: "а потом?", after: asked.id })).json()) as Answer;
  const stopped = await eventsOf(`/api/v1/answers/${next.id}/events`);
  await stopped.read();
  expect((await send("DELETE", `/api/v1/answers/${next.id}`)).status).toBe(204);
  expect(await stopped.read()).toMatchObject({ id: "2", data: { state: "stopped" } });
  expect(await problemOf(await gateway.get(`/api/v1/answers/${next.id}`))).toBe("answer_not_found");
  expect((await eventsOf("/api/v1/answers/%00/events")).status).toBe(404);
});

test("a connection on which nothing happens is kept by a word now and then", async () => {
  const beats = silent.events.beats();
  const next = silent.events.read();
  await vi.waitFor(() => expect(silent.events.beats()).toBeGreaterThan(beats), 15_000);
  await become(silent.id, { status: "ready" });
  expect(await next).toMatchObject({ id: "2", data: { status: "ready" } });
  expect(await silent.events.read()).toBeNull();
});
