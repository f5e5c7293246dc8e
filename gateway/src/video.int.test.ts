import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CHANNELS_BUCKET, CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import { CLIPS_BUCKET, clip as clipShape, type Clip } from "@hypecast/contracts/clip.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { playlistPath, sharePath, thumbAtPath } from "@hypecast/contracts/media.ts";
import { momentMark, moments, reactionLags, type Moment } from "@hypecast/contracts/moment.ts";
import { shotScore } from "@hypecast/contracts/shot.ts";
import {
  VIDEO_STATE_BUCKET,
  videoSegment,
  type VideoSegment,
  type VideoState,
} from "@hypecast/contracts/video.ts";
import {
  vodChannelId,
  vodKey,
  vodPictureChannel,
  VODS_BUCKET,
  vodVideoKey,
  type Vod,
} from "@hypecast/contracts/vod.ts";
import { newVod } from "@hypecast/contracts/vod-steps.ts";
import { segmentKey, thumbKey } from "@hypecast/contracts/object-keys.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { readExposition } from "@hypecast/tests/exposition.ts";
import { startNats, startRedis, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { openPage, startGateway, type Gateway } from "./testing.ts";

const CHANNEL = "4242";
const SEGMENT_MS = 2000;
/** The stream began a minute ago: its five two-second segments are kept, the fourth is an advertisement. */
const BEGAN_MS = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const ENDS_MS = BEGAN_MS + 5 * SEGMENT_MS;
const EPOCH = BEGAN_MS;
const MEGABYTES = 24;

let nats: Server;
let redis: Server;
let bus: NatsConnection;
let gateway: Gateway;
let objects: Objects;
let videoStates: KV;
let clips: KV;
const folder = temporaryFolder("objects");
const footage = temporaryFolder("footage");

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
const get = async <Body>(path: string): Promise<Body> => (await gateway.get(path)).json() as Promise<Body>;
const problemOf = async (answer: Response): Promise<string> => {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await answer.json()) as { type: string; action: string };
  expect(problem.action.length).toBeGreaterThan(5);
  return problem.type.replace("/problems/", "");
};
const segment = (seq: number): VideoSegment => ({
  id: `${CHANNEL}:${EPOCH}:${seq}`,
  channelId: CHANNEL,
  epoch: EPOCH,
  seq,
  startMs: BEGAN_MS + seq * SEGMENT_MS,
  durationMs: SEGMENT_MS,
  discontinuity: false,
  ad: seq === 3,
  analysis: null,
  source: {
    key: `video/${CHANNEL}/${EPOCH}/${seq}-160.ts`,
    bytes: 1000,
    width: 284,
    height: 160,
    bandwidth: 0,
    container: "ts",
    init: null,
  },
});
const videoState = (over: Partial<VideoState> = {}): VideoState => ({
  login: "lamp",
  channelId: CHANNEL,
  state: "live",
  code: null,
  reason: null,
  sinceMs: BEGAN_MS,
  epoch: EPOCH,
  lastSeq: 4,
  newestMs: ENDS_MS,
  oldestMs: BEGAN_MS,
  keptBytes: 5000,
  ad: false,
  renditions: [],
  shed: false,
  ...over,
});
const say = (state: VideoState): Promise<number> => videoStates.put(state.login, JSON.stringify(state));
const moment = (peakMs: number, over: Partial<Moment> = {}): Moment => ({
  id: `${CHANNEL}:m:${peakMs}`,
  channelId: CHANNEL,
  state: "open",
  version: 1,
  kind: "fail",
  origin: "chat",
  startMs: peakMs - 10_000,
  endMs: peakMs + 10_000,
  onsetMs: peakMs - 2000,
  peakMs,
  chatOnsetMs: null,
  lagMs: 5000,
  lagErrorMs: 2000,
  lagLearned: false,
  startSnap: null,
  endSnap: null,
  score: 70,
  subject: "KEKW",
  reasons: {},
  senses: { chat: "ok", picture: "ok", sound: "ok", model: "unknown" },
  marks: [],
  detectedAtMs: peakMs + 5000,
  ...over,
});

beforeAll(async () => {
  [nats, redis] = await Promise.all([startNats(), startRedis()]);
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  objects = openFolder(folder);
  execFileSync("ffmpeg", [
    ...[
      "-v",
      "error",
      "-f",
      "lavfi",
      "-i",
      "testsrc2=s=284x160:r=15",
      "-f",
      "lavfi",
      "-i",
      "sine=440:r=48000",
    ],
    ...["-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-c:a", "aac"],
    ...[
      "-f",
      "hls",
      "-hls_time",
      "2",
      "-hls_list_size",
      "0",
      "-hls_segment_filename",
      join(footage, "%d.ts"),
    ],
    join(footage, "list.m3u8"),
  ]);
  for (const file of readdirSync(footage).filter((name) => name.endsWith(".ts")))
    await objects.put(
      `video/${CHANNEL}/${EPOCH}/${file.replace(".ts", "-160.ts")}`,
      readFileSync(join(footage, file)),
    );
  await objects.put(`thumbs/${CHANNEL}/${EPOCH}/2.jpg`, Buffer.from("a picture"));
  gateway = await startGateway({
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_REDIS_URL: redis.url,
    HYPECAST_OBJECTS: folder,
  });
  const kvm = new Kvm(bus);
  videoStates = await kvm.open(VIDEO_STATE_BUCKET);
  clips = await kvm.open(CLIPS_BUCKET);
  await send("POST", "/api/v1/channels", { channel: "lamp" });
  const states = await kvm.open(CHANNEL_STATE_BUCKET);
  const state = { state: "live", reason: null, sinceMs: 1, attempt: 0, nextAttemptAtMs: null };
  const more = { lastLineAtMs: null, aliveAtMs: null, connection: null, emotes: [], stream: null };
  await states.put(
    "lamp",
    JSON.stringify({ login: "lamp", channelId: CHANNEL, name: "Lamp", ...state, ...more }),
  );
  await say(videoState());
  for (let seq = 0; seq < 5; seq++)
    await jetstream(bus).publish(subjectOf(videoSegment, CHANNEL), JSON.stringify(segment(seq)));
  await vi.waitFor(async () => expect((await gateway.get(playlistPath("lamp"))).status).toBe(200), 5000);
});
afterAll(async () => {
  await gateway?.close();
  objects?.close();
  await bus?.close();
  await redis?.close();
  await nats?.close();
  for (const path of [folder, footage]) rmSync(path, { recursive: true, force: true });
});

describe("the playlist", () => {
  test("what is kept plays from its beginning, and a span of it as a finished video", async () => {
    expect(await get("/api/v1/channels/lamp/video")).toMatchObject({
      video: { state: "live", oldestMs: BEGAN_MS },
      playlist: "/media/live/lamp/playlist.m3u8",
    });
    const live = await gateway.get(playlistPath("lamp"), { "accept-encoding": "gzip" });
    expect(live.headers.get("content-encoding")).toBe("gzip");
    expect(live.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
    const text = await live.text();
    expect(text).toContain(`#EXT-X-PROGRAM-DATE-TIME:${new Date(BEGAN_MS).toISOString()}`);
    expect(text.match(/#EXTINF/g)).toHaveLength(5);
    expect(text).not.toContain("ENDLIST");
    const address = gateway.url + playlistPath("lamp", { fromMs: BEGAN_MS + 2500, toMs: BEGAN_MS + 5500 });
    const played = execFileSync("ffprobe", [
      ...["-v", "error", "-show_entries", "format=duration:stream=codec_type", "-of", "json", address],
    ]);
    const probed = JSON.parse(played.toString()) as {
      streams: { codec_type: string }[];
      format: { duration: string };
    };
    expect(Number(probed.format.duration)).toBeCloseTo(4, 0);
    expect(probed.streams.map((one) => one.codec_type).toSorted()).toEqual(["audio", "video"]);
  });

  test("it grows as segments come, loses what is no longer kept, and ends with the stream", async () => {
    const page = await openPage(gateway.port);
    page.say({ op: "sub", ch: "video:lamp" });
    expect(await page.until(({ ch, d }) => ch === "video:lamp" && d !== undefined)).toMatchObject({
      snap: true,
      d: { state: "live", newestMs: ENDS_MS },
    });
    const next = { ...segment(5), source: { ...segment(4).source, key: segment(4).source?.key } };
    await jetstream(bus).publish(subjectOf(videoSegment, CHANNEL), JSON.stringify(next));
    await say(
      videoState({ state: "ended", oldestMs: BEGAN_MS + 2 * SEGMENT_MS, newestMs: ENDS_MS + SEGMENT_MS }),
    );
    await page.until(({ ch, d }) => ch === "video:lamp" && (d as VideoState | undefined)?.state === "ended");
    await vi.waitFor(async () => {
      const text = await (await gateway.get(playlistPath("lamp"))).text();
      expect(text).toMatch(/#EXT-X-MEDIA-SEQUENCE:2\n/);
      expect(text.match(/#EXTINF/g)).toHaveLength(4);
      expect(text).toContain("#EXT-X-ENDLIST");
    }, 3000);
    await say(videoState());
    await page.until(({ ch, d }) => ch === "video:lamp" && (d as VideoState | undefined)?.state === "live");
    page.socket.terminate();
  });

  test("a picture of a time, and of a segment", async () => {
    for (const path of [thumbAtPath("lamp", BEGAN_MS + 5000), `/media/thumb/${CHANNEL}/${EPOCH}/2.jpg`]) {
      const picture = await gateway.get(path);
      expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
      expect(await picture.text()).toBe("a picture");
    }
    expect((await gateway.get(thumbAtPath("lamp", BEGAN_MS - 1))).status).toBe(404);
  });

  test.each([
    ["/media/live/nobody/playlist.m3u8", "no_video"],
    ["/media/live/lamp/playlist.m3u8?from=5", "invalid_parameters"],
    ["/media/live/lamp/playlist.m3u8?from=9&to=5", "invalid_parameters"],
    ["/media/live/lamp/playlist.m3u8?from=1e3&to=5000", "invalid_parameters"],
    ["/media/live/lamp/playlist.m3u8?from=1&to=2", "not_found"],
    ["/media/live/lamp/thumb.jpg", "invalid_parameters"],
    ["/media/live/LA%2e%2e/playlist.m3u8", "not_found"],
    ["/media/live/../playlist.m3u8", "not_found"],
    [`/media/segment/${CHANNEL}/${EPOCH}/..%2f..%2fsecret`, "not_found"],
    [`/media/segment/${CHANNEL}/${EPOCH}/%2e%2e/7-160.ts`, "not_found"],
    [`/media/segment/${CHANNEL}/${EPOCH}/.unfinished.ts`, "not_found"],
    [`/media/segment/${CHANNEL}/${EPOCH}/0-160.exe`, "not_found"],
    [`/media/segment/${CHANNEL}/${EPOCH}/0-160.ts/x`, "not_found"],
    [`/media/segment/${CHANNEL}/${EPOCH}`, "not_found"],
    [`/media/segment/%2e%2e/${EPOCH}/0-160.ts`, "not_found"],
    [`/media/segment/${CHANNEL}/1x/0-160.ts`, "not_found"],
    [`/media/thumb/${CHANNEL}/${EPOCH}/2.jpg.jpg`, "not_found"],
    ["/media/clip/ffffffff-ffffffffffff/16x9.mp4", "clip_not_found"],
    ["/media/clip/../16x9.mp4", "clip_not_found"],
    ["/media/", "not_found"],
  ])("%s is %s", async (path, code) => {
    // Not through fetch, which would resolve the dots itself.
    const { status, body } = await bare(path);
    expect([path, status < 500, (JSON.parse(body) as { type: string }).type]).toEqual([
      path,
      true,
      `/problems/${code}`,
    ]);
  });
});

/** A request exactly as it is written. */
function bare(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const request = httpRequest(gateway.url, { path, headers, method, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      request.once("error", reject);
      request.end();
    },
  );
}

describe("ranges of a file", () => {
  const path = `/media/segment/${CHANNEL}/${EPOCH}/ten-160.ts`;
  const TEN = "0123456789";
  beforeAll(async () => {
    await objects.put(`video/${CHANNEL}/${EPOCH}/ten-160.ts`, Buffer.from(TEN));
    await objects.put(`video/${CHANNEL}/${EPOCH}/none-160.ts`, Buffer.alloc(0));
  });

  test.each([
    [{}, 200, TEN, undefined],
    [{ range: "bytes=2-4" }, 206, "234", "bytes 2-4/10"],
    [{ range: "bytes=7-" }, 206, "789", "bytes 7-9/10"],
    [{ range: "bytes=-2" }, 206, "89", "bytes 8-9/10"],
    [{ range: "bytes=0-0,5-6" }, 200, TEN, undefined],
    [{ range: "lines=1-2" }, 200, TEN, undefined],
    [{ range: "bytes=2-4", "if-range": '"another"' }, 200, TEN, undefined],
    [{ range: "bytes=2-4", "if-range": "Wed, 21 Oct 2015 07:28:00 GMT" }, 200, TEN, undefined],
  ] as const)("%o", async (headers, status, body, range) => {
    const answer = await bare(path, headers);
    expect([answer.status, answer.body, answer.headers["content-range"]]).toEqual([status, body, range]);
    expect(answer.headers).toMatchObject({
      "content-length": String(body.length),
      "accept-ranges": "bytes",
      "content-type": "video/mp2t",
      "cache-control": "private, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
    });
  });

  test("the tag of what a client has makes a range of it, or nothing at all", async () => {
    const etag = String((await bare(path)).headers["etag"]);
    expect((await bare(path, { range: "bytes=2-4", "if-range": etag })).body).toBe("234");
    expect(await bare(path, { "if-none-match": etag })).toMatchObject({ status: 304, body: "" });
  });

  test("a range outside of the file is refused with its size", async () => {
    const answer = await bare(path, { range: "bytes=10-" });
    expect([answer.status, answer.headers["content-range"]]).toEqual([416, "bytes */10"]);
    expect(JSON.parse(answer.body)).toMatchObject({ type: "/problems/range_not_satisfiable" });
  });

  test("HEAD says what GET would, without the bytes; an empty file is empty; nothing may be written", async () => {
    const head = await bare(path, { range: "bytes=2-4" }, "HEAD");
    expect([head.status, head.headers["content-length"], head.body]).toEqual([206, "3", ""]);
    const empty = await bare(path.replace("ten", "none"));
    expect([empty.status, empty.headers["content-length"], empty.body]).toEqual([200, "0", ""]);
    expect((await bare(path, {}, "DELETE")).status).toBe(405);
  });
});

describe("a large file", () => {
  const path = `/media/segment/${CHANNEL}/${EPOCH}/large-160.ts`;
  const part = Buffer.alloc(1 << 20, "hypecast");
  beforeAll(() =>
    objects.put(
      `video/${CHANNEL}/${EPOCH}/large-160.ts`,
      (async function* () {
        for (let i = 0; i < MEGABYTES; i++) yield part;
      })(),
    ),
  );
  const rssMb = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.child.pid}/status`, "utf8"))?.[1]) / 1024;
  const streams = async (): Promise<number | undefined> =>
    readExposition(await (await gateway.get("/metrics")).text()).get("hypecast_gateway_media_streams")
      ?.samples[0]?.value;

  test("comes whole to one who reads slowly", async () => {
    const answer = await fetch(gateway.url + path);
    let bytes = 0;
    for await (const chunk of answer.body ?? []) {
      bytes += (chunk as Uint8Array).byteLength;
      if (bytes % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(bytes).toBe(MEGABYTES << 20);
  });

  test("does not pile up for forty who do not read, and is let go of when they leave", async () => {
    const before = rssMb();
    const deaf = Array.from({ length: 40 }, () => {
      const socket = connect(gateway.port, "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`);
      socket.on("error", () => undefined);
      socket.once("data", () => socket.pause());
      return socket;
    });
    await vi.waitFor(async () => expect(await streams()).toBe(40), 5000);
    // Forty times 24 MB would be a gigabyte.
    expect(rssMb() - before).toBeLessThan(150);
    for (const socket of deaf) socket.destroy();
    await vi.waitFor(async () => expect(await streams()).toBe(0), 5000);
  });
});

describe("moments", () => {
  test("come to the page as they are found: the newest version of each, kept for an hour; with the lag, scores and decisions", async () => {
    const log = jetstream(bus);
    const peakMs = BEGAN_MS + 5000;
    await log.publish(
      subjectOf(moments, CHANNEL),
      JSON.stringify([moment(peakMs), moment(peakMs, { version: 2 })]),
    );
    await log.publish(
      subjectOf(moments, CHANNEL),
      JSON.stringify([moment(peakMs, { version: 3, state: "final" })]),
    );
    const lag = {
      id: `${CHANNEL}:1`,
      channelId: CHANNEL,
      atMs: 1,
      lagMs: 5000,
      errorMs: 900,
      learned: true,
      pairs: 9,
    };
    await log.publish(subjectOf(reactionLags, CHANNEL), JSON.stringify([lag]));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const page = await openPage(gateway.port);
    page.say({ op: "sub", ch: "events:lamp" });
    await page.until(({ d }) => (d as { kind?: string } | undefined)?.kind === "lag");
    const told = page.messages.flatMap(({ d }) => (d === undefined ? [] : (d as { moment?: Moment })));
    expect(told.flatMap((event) => event.moment?.version ?? [])).toEqual([3]);
    const score = {
      id: `${CHANNEL}:1:1`,
      channelId: CHANNEL,
      startMs: 1,
      endMs: 2,
      model: "m@1",
      action: null,
      quality: null,
      novelty: null,
      unknown: "late",
    };
    await log.publish(subjectOf(shotScore, CHANNEL), JSON.stringify(score));
    expect(await page.until(({ d }) => (d as { kind?: string } | undefined)?.kind === "score")).toMatchObject(
      {
        d: { score: { unknown: "late" } },
      },
    );
    const id = `${CHANNEL}:m:${peakMs}`;
    const decided = await send("PATCH", `/api/v1/channels/lamp/moments/${id}`, {
      verdict: "kept",
      startMs: BEGAN_MS,
      endMs: BEGAN_MS + 15_000,
    });
    expect([decided.status, await decided.json()]).toMatchObject([200, { verdict: "kept", login: "lamp" }]);
    await page.until(({ d }) => (d as { kind?: string } | undefined)?.kind === "decision");
    await send("PATCH", `/api/v1/channels/lamp/moments/${id}`, { verdict: null });
    const back = await page.until(
      ({ d }) => (d as { decision?: { verdict: unknown } } | undefined)?.decision?.verdict === null,
    );
    expect(back).toMatchObject({ d: { decision: { momentId: id, startMs: BEGAN_MS } } });
    page.socket.terminate();
  });

  test("are listed with what people decided; as a file without the discarded, with people's ends", async () => {
    const found = [moment(BEGAN_MS + 40_000), moment(BEGAN_MS + 20_000)];
    const answering = bus.subscribe("ask.moments", {
      callback: (_error, message) => void message.respond(JSON.stringify({ moments: found, lag: null })),
    });
    await bus.flush();
    const [first, second] = found as [Moment, Moment];
    await send("PATCH", `/api/v1/channels/lamp/moments/${first.id}`, { verdict: "discarded" });
    await send("PATCH", `/api/v1/channels/lamp/moments/${second.id}`, {
      startMs: BEGAN_MS + 12_500,
      endMs: second.endMs,
    });
    const list = await get<{ moments: { id: string; decision: unknown }[] }>("/api/v1/channels/lamp/moments");
    expect(list.moments).toMatchObject([
      { id: first.id, decision: { verdict: "discarded" } },
      { id: second.id, decision: { verdict: null, startMs: BEGAN_MS + 12_500 } },
    ]);
    const csv = await gateway.get(`/api/v1/channels/lamp/markers?format=csv&fps=29.97&from=${BEGAN_MS}`);
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(csv.headers.get("content-disposition")).toMatch(/^attachment; filename="lamp\.csv"/);
    expect((await csv.text()).split("\r\n").slice(1)).toEqual([
      expect.stringMatching(/,12\.500,30\.000,70$/),
      "",
    ]);
    const chapters = await gateway.get("/api/v1/channels/lamp/markers?format=youtube");
    expect([chapters.status, await problemOf(chapters)]).toEqual([409, "too_few_moments"]);
    // One end alone is measured against the machine's other.
    const alone = await send("PATCH", `/api/v1/channels/lamp/moments/${first.id}`, {
      endMs: first.startMs + 500,
    });
    expect([alone.status, await problemOf(alone)]).toEqual([400, "invalid_parameters"]);
    answering.unsubscribe();
  });

  test.each([
    ["too short", `${CHANNEL}:m:1`, { startMs: 5000, endMs: 5999 }, "invalid_parameters"],
    ["too long", `${CHANNEL}:m:1`, { startMs: 0, endMs: 600_001 }, "invalid_parameters"],
    ["turned around", `${CHANNEL}:m:1`, { startMs: 9000, endMs: 5000 }, "invalid_parameters"],
    ["a half millisecond", `${CHANNEL}:m:1`, { startMs: 0.5 }, "invalid_parameters"],
    ["no verdict", `${CHANNEL}:m:1`, { verdict: "maybe" }, "invalid_parameters"],
    ["another channel's", "9:m:1", { verdict: "kept" }, "not_found"],
    ["no moment", "$KV.clips", { verdict: "kept" }, "not_found"],
    ["a megabyte", `${CHANNEL}:m:1`, `"${"x".repeat(1 << 20)}"`, "body_too_large"],
  ])("a decision that is %s is refused", async (_what, id, body, code) => {
    const answer = await send("PATCH", `/api/v1/channels/lamp/moments/${encodeURIComponent(id)}`, body);
    expect(await problemOf(answer)).toBe(code);
  });

  test("a mark is on the log once, however often the same key is pressed in the same millisecond", async () => {
    const jsm = await jetstreamManager(bus);
    const count = async (): Promise<number> => {
      const { state } = await jsm.streams.info("INPUT", { subjects_filter: subjectOf(momentMark, CHANNEL) });
      return Object.values(state.subjects ?? {}).reduce((sum, n) => sum + n, 0);
    };
    const before = await count();
    const mark = { atMs: BEGAN_MS + 1000, label: "lava", via: "key" };
    const marked = await Promise.all([1, 2, 3].map(() => send("POST", "/api/v1/channels/lamp/marks", mark)));
    const ids = await Promise.all(marked.map(async (one) => ((await one.json()) as { id: string }).id));
    expect(new Set(ids).size).toBe(1);
    await send("POST", "/api/v1/channels/lamp/marks", { ...mark, atMs: mark.atMs + 1 });
    expect((await count()) - before).toBe(2);
    expect((await send("POST", "/api/v1/channels/lamp/marks", {})).status).toBe(201);
    const late = await send("POST", "/api/v1/channels/lamp/marks", { atMs: Date.now() + 3_600_000 });
    expect(await problemOf(late)).toBe("invalid_parameters");
  });
});

test("a channel's layout is changed in part, and the rest stays", async () => {
  const untouched = await get<object>("/api/v1/channels/lamp/layout");
  expect(untouched).toMatchObject({ facecam: null, cropX: 0.5, chat: { on: true, position: "right" } });
  const facecam = { x: 0.7, y: 0, width: 0.3, height: 0.3 };
  await send("PATCH", "/api/v1/channels/lamp/layout", { facecam });
  await send("PATCH", "/api/v1/channels/lamp/layout", { cropX: 0.25 });
  expect(await get("/api/v1/channels/lamp/layout")).toEqual({ ...untouched, facecam, cropX: 0.25 });
  const outside = await send("PATCH", "/api/v1/channels/lamp/layout", { facecam: { ...facecam, x: 0.9 } });
  expect(await outside.text()).toContain("the box leaves the picture");
  const wide = await send("PATCH", "/api/v1/channels/lamp/layout", { facecam: { ...facecam, width: 2 } });
  expect(await problemOf(wide)).toBe("invalid_parameters");
});

test("a channel of video alone has its own id and is heard without chat; a file only by who sits at the machine", async () => {
  const secret = await send("POST", "/api/v1/channels", {
    channel: "guarded",
    video: "https://me:secret@a.example/live.m3u8",
  });
  expect(secret.status).toBe(400);
  expect(await secret.text()).toContain("a name or a password in it");
  const added = await send("POST", "/api/v1/channels", {
    channel: "https://cdn.example/match/final/index.m3u8",
  });
  const channel = (await added.json()) as { login: string };
  expect([added.status, channel]).toMatchObject([201, { chat: false, state: null }]);
  expect((await gateway.get(`/api/v1/channels/${channel.login}/layout`)).status).toBe(200);
  const mark = await send("POST", `/api/v1/channels/${channel.login}/marks`, {});
  expect(((await mark.json()) as { id: string }).id).toMatch(new RegExp(`^video-${channel.login}:mark:`));
  const named = await send("POST", "/api/v1/channels", { channel: "fern=https://cdn.example/fern.m3u8" });
  expect(await named.json()).toMatchObject({
    login: "fern",
    chat: true,
    video: "https://cdn.example/fern.m3u8",
  });
  const changed = await send("PATCH", "/api/v1/channels/fern", { video: "" });
  expect(await changed.json()).toMatchObject({ video: "", paused: false });
  for (const video of ["javascript:alert(1)", "ftp://a/b", "//evil/x", "http://a b"])
    expect(await problemOf(await send("PATCH", "/api/v1/channels/fern", { video })), video).toBe(
      "invalid_parameters",
    );
  const silent = await send("POST", "/api/v1/channels", { channel: "moss", chat: false });
  expect(await problemOf(silent)).toBe("invalid_parameters");
  for (const login of [channel.login, "fern"]) await send("DELETE", `/api/v1/channels/${login}`);
  const buckets = await new Kvm(bus).open(CHANNELS_BUCKET);
  expect((await buckets.get("fern"))?.operation).toBe("DEL");
});

describe("clips", () => {
  const wish = { login: "lamp", startMs: BEGAN_MS + 500, endMs: BEGAN_MS + 5500, title: "Into the lava" };
  const make = (over: object = {}): Promise<Response> => send("POST", "/api/v1/clips", { ...wish, ...over });
  const finish = async (clip: Clip, over: Partial<Clip> = {}): Promise<Clip> => {
    const key = `clips/${clip.id}/16x9.mp4`;
    const bytes = await objects.put(key, Buffer.from("a film"));
    await objects.put(`clips/${clip.id}/thumb.jpg`, Buffer.from("a still"));
    const ready: Clip = {
      ...clip,
      state: "ready",
      progress: 1,
      revision: clip.revision + 1,
      files: [
        { layout: "16:9", key, bytes, width: 1920, height: 1080, durationMs: 5000, startMs: clip.startMs },
      ],
      thumbKey: `clips/${clip.id}/thumb.jpg`,
      readyAtMs: Date.now(),
      ...over,
    };
    await clips.put(clip.id, JSON.stringify(ready));
    await vi.waitFor(async () =>
      expect(await get(`/api/v1/clips/${clip.id}`)).toMatchObject({ revision: ready.revision }),
    );
    return ready;
  };

  test("are queued at once, once for a key that is pressed twice, told on the topic, and listed newest first", async () => {
    const page = await openPage(gateway.port);
    page.say({ op: "sub", ch: "clips" });
    await page.until(({ op }) => op === "subbed");
    const answers = await Promise.all([make(), make(), make()]);
    const made = await Promise.all(answers.map(async (answer) => clipShape.parse(await answer.json())));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const [first] = made as [Clip, ...Clip[]];
    expect(answers[0]?.headers.get("location")).toBe(`/api/v1/clips/${first.id}`);
    expect(first).toMatchObject({
      state: "queued",
      channelId: CHANNEL,
      layouts: ["16:9", "9:16"],
      revision: 1,
    });
    expect(await page.until(({ ch, d }) => ch === "clips" && d !== undefined)).toMatchObject({
      d: { id: first.id },
    });
    const other = clipShape.parse(await (await make({ cut: "instant" })).json());
    expect([other.id === first.id, other.layouts]).toEqual([false, ["16:9"]]);
    const all = await get<{ clips: Clip[]; more: boolean }>("/api/v1/clips?login=lamp&state=queued&limit=1");
    expect([all.clips.map(({ id }) => id), all.more]).toEqual([[other.id], true]);
    const older = await get<{ clips: Clip[] }>(`/api/v1/clips?before=${other.createdAtMs}`);
    expect(older.clips.map(({ id }) => id)).toEqual([first.id]);
    for (const { id } of [first, other])
      expect((await send("DELETE", `/api/v1/clips/${id}`)).status).toBe(204);
    await page.until(({ d }) => (d as { removed?: true; id: string } | undefined)?.removed === true);
    page.socket.terminate();
  });

  test.each([
    ["of 0 s", { endMs: wish.startMs }, 400, "invalid_parameters"],
    ["with its end before its start", { endMs: wish.startMs - 5000 }, 400, "invalid_parameters"],
    ["of 3 h", { endMs: wish.startMs + 3 * 3_600_000 }, 400, "invalid_parameters"],
    ["of what is no longer kept", { startMs: BEGAN_MS - 5000 }, 409, "clip_not_kept"],
    ["of what has not happened yet", { endMs: ENDS_MS + 5000 }, 409, "clip_not_yet"],
    [
      "of an advertisement alone",
      { startMs: BEGAN_MS + 6100, endMs: BEGAN_MS + 7900 },
      409,
      "clip_nothing_left",
    ],
    ["of a channel without picture", { login: "stone" }, 404, "no_video"],
    ["of a channel that nobody watches", { login: "nobody" }, 404, "channel_not_watched"],
    ["without layouts", { layouts: [] }, 400, "invalid_parameters"],
    ["with a layout that is none", { layouts: ["4:3"] }, 400, "invalid_parameters"],
    ["at an endless time", { startMs: 1e300 }, 400, "invalid_parameters"],
    ["with a long title", { title: "x".repeat(141) }, 400, "invalid_parameters"],
    ["with what it does not have", { volume: 11 }, 400, "invalid_parameters"],
  ])("a clip %s is refused", async (_what, over, status, code) => {
    if ("login" in over && over.login === "stone") {
      await send("POST", "/api/v1/channels", {
        channel: "stone",
        video: "http://cdn.example/s.m3u8",
        chat: false,
      });
    }
    const answer = await make(over);
    expect([answer.status, await problemOf(answer)]).toEqual([status, code]);
    if (code === "clip_not_yet") expect(answer.headers.get("retry-after")).toBe("5");
  });

  test("a body of a megabyte, and one that is no JSON, are refused", async () => {
    const large = await send(
      "POST",
      "/api/v1/clips",
      JSON.stringify({ ...wish, title: "x".repeat(1 << 20) }),
    );
    expect([large.status, await problemOf(large)]).toEqual([413, "body_too_large"]);
    expect(await problemOf(await send("POST", "/api/v1/clips", "{"))).toBe("not_json");
  });

  test("are cancelled, tried again, renamed; what does not fit their state is refused", async () => {
    const { id } = clipShape.parse(await (await make({ title: "again" })).json());
    const change = async (body: object): Promise<unknown> =>
      (await send("PATCH", `/api/v1/clips/${id}`, body)).json();
    expect(await change({ job: "cancel" })).toMatchObject({ state: "cancelled" });
    expect(await change({ job: "cancel" })).toMatchObject({ state: "cancelled" });
    // Asked for anew at once, it is made after all.
    expect(await (await make({ title: "again" })).json()).toMatchObject({ id, state: "queued", error: null });
    expect(await change({ title: "renamed" })).toMatchObject({ title: "renamed", state: "queued" });
    await finish(clipShape.parse(await get(`/api/v1/clips/${id}`)));
    for (const job of ["cancel", "retry"])
      expect(await problemOf(await send("PATCH", `/api/v1/clips/${id}`, { job }))).toBe("clip_state");
    expect(await problemOf(await send("PATCH", "/api/v1/clips/0-0", { job: "retry" }))).toBe(
      "clip_not_found",
    );
    expect(await problemOf(await gateway.get("/api/v1/clips/..%2f..%2fx"))).toBe("invalid_parameters");
    await send("DELETE", `/api/v1/clips/${id}`);
    expect(await objects.size(`clips/${id}/16x9.mp4`)).toBeNull();
    expect((await send("DELETE", `/api/v1/clips/${id}`)).status).toBe(204);
  });

  test("play with ranges, and are downloaded under their title", async () => {
    const made = clipShape.parse(await (await make({ title: 'Лава: "ой"/..\\' })).json());
    const pending = await gateway.get(`/media/clip/${made.id}/16x9.mp4`);
    expect([pending.status, await problemOf(pending)]).toEqual([404, "not_found"]);
    await finish(made);
    for (const name of ["16x9.mp4", "16:9.mp4", "16%3A9.mp4"]) {
      const film = await bare(`/media/clip/${made.id}/${name}`, { range: "bytes=2-" });
      expect([name, film.status, film.body]).toEqual([name, 206, "film"]);
      expect(film.headers["content-disposition"]).toBeUndefined();
    }
    const kept = await gateway.get(`/media/clip/${made.id}/16x9.mp4?download=1`);
    expect(kept.headers.get("content-disposition")).toBe(
      `attachment; filename="____ __ .. 16x9.mp4"; filename*=UTF-8''${encodeURIComponent("Лава ой .. 16x9.mp4")}`,
    );
    expect(await (await gateway.get(`/media/clip/${made.id}/thumb.jpg`)).text()).toBe("a still");
    expect((await gateway.get(`/media/clip/${made.id}/9x16.mp4`)).status).toBe(404);
    await send("DELETE", `/api/v1/clips/${made.id}`);
  });

  test("are shared with everybody who has the link, until it is taken back", async () => {
    const locked = await startGateway({
      HYPECAST_NATS_URL: nats.url,
      HYPECAST_OBJECTS: folder,
      HYPECAST_TOKEN: "test-token-of-thirty-characters",
      HYPECAST_HOST: "0.0.0.0",
    });
    try {
      const title = `<script>alert("1")</script> & 'lava' \u202Eevil`;
      const made = await finish(clipShape.parse(await (await make({ title })).json()));
      const share = async (shared: boolean): Promise<Clip> =>
        (await send("PATCH", `/api/v1/clips/${made.id}`, { shared })).json() as Promise<Clip>;
      const token = (await share(true)).shareToken ?? "";
      expect(token).toMatch(/^[\w-]{22}$/);
      expect((await share(true)).shareToken).toBe(token);
      await vi.waitFor(async () => expect((await locked.get(sharePath(token))).status).toBe(200));
      const page = await locked.get(sharePath(token));
      expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; media-src 'self'/);
      expect(page.headers.get("referrer-policy")).toBe("no-referrer");
      const html = await page.text();
      expect(html).not.toMatch(/<script|alert\("/);
      expect(html).toContain(`<meta property="og:video" content="${locked.url}/c/${token}/16x9.mp4">`);
      expect(html).toContain("&#60;script&#62;");
      expect(html).toContain('<meta name="twitter:card" content="summary_large_image">');
      const film = await locked.get(`/c/${token}/16x9.mp4`, { range: "bytes=0-0" });
      expect([film.status, await film.text()]).toEqual([206, "a"]);
      expect(await (await locked.get(`/c/${token}/thumb.jpg`)).text()).toBe("a still");
      for (const path of [
        `/media/clip/${made.id}/16x9.mp4`,
        `/api/v1/clips/${made.id}`,
        playlistPath("lamp"),
      ])
        expect([path, (await locked.get(path)).status]).toEqual([path, 401]);
      const forged = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
      for (const path of [
        `/c/${forged}`,
        `/c/${forged}/16x9.mp4`,
        "/c/",
        "/c/null",
        "/c/..%2f..%2fetc",
        `/c/${token}/a/b`,
      ]) {
        const nothing = await locked.get(path);
        expect([path, nothing.status, nothing.headers.get("content-type")]).toEqual([
          path,
          404,
          "text/html; charset=utf-8",
        ]);
      }
      expect(await (await locked.get(`/c/${forged}`, { "accept-language": "ru" })).text()).toContain(
        "Такого клипа нет",
      );
      await share(false);
      await vi.waitFor(async () => expect((await locked.get(sharePath(token))).status).toBe(404));
      expect((await locked.get(`/c/${token}/16x9.mp4`)).status).toBe(404);
      expect((await share(true)).shareToken).not.toBe(token);
      await send("DELETE", `/api/v1/clips/${made.id}`);
    } finally {
      await locked.close();
    }
  });

  test("while Redis is away a clip is queued all the same, and answered at once", async () => {
    redis.child().kill("SIGKILL");
    const began = performance.now();
    const made = await make({ title: "without Redis" });
    expect([made.status, performance.now() - began < 2000]).toEqual([202, true]);
    const { id } = clipShape.parse(await made.json());
    expect((await clips.get(id))?.json()).toMatchObject({ state: "queued" });
    await redis.crash();
    await send("DELETE", `/api/v1/clips/${id}`);
  });
});

test("after NATS was killed, decisions, clips and what is kept go on", async () => {
  await nats.crash();
  const newestMs = ENDS_MS + 2 * SEGMENT_MS;
  const next = segment(6);
  await vi.waitFor(
    async () => {
      await say(videoState({ newestMs }));
      await jetstream(bus).publish(subjectOf(videoSegment, CHANNEL), JSON.stringify(next));
    },
    { timeout: 10_000, interval: 200 },
  );
  await vi.waitFor(
    async () => {
      expect(await get("/api/v1/channels/lamp/video")).toMatchObject({
        video: { newestMs },
      });
      expect(await (await gateway.get(playlistPath("lamp"))).text()).toContain("/6-160.ts");
      const clip = { login: "lamp", startMs: ENDS_MS - 1000, endMs: ENDS_MS + 1000 };
      expect((await send("POST", "/api/v1/clips", clip)).status).toBe(202);
      const verdict = await send("PATCH", `/api/v1/channels/lamp/moments/${CHANNEL}:m:9`, {
        verdict: "kept",
      });
      expect(verdict.status).toBe(200);
    },
    { timeout: 20_000, interval: 300 },
  );
});

test("the overlay may stand in another program's page, the gallery and the rest may not", async () => {
  const policy = async (path: string): Promise<string | null> =>
    (await gateway.get(path)).headers.get("content-security-policy");
  expect(await policy("/overlay/lamp")).toBe("frame-ancestors *");
  for (const path of ["/clips", "/live/lamp", "/overlays", "/"])
    expect([path, await policy(path)]).toEqual([path, "frame-ancestors 'none'"]);
});

describe("an imported stream", () => {
  const id = "_0vod00000000000001";
  const startMs = Date.UTC(2020, 0, 1);
  const picture = vodPictureChannel(id);
  const kept = (seq: number): VideoSegment => ({
    ...segment(seq),
    ...{ id: `${picture}:1:${seq}`, channelId: picture, epoch: 1, ad: false },
    startMs: startMs + seq * SEGMENT_MS,
    source: { ...segment(seq).source!, key: segmentKey(picture, 1, `${seq}-160.ts`) },
  });
  const record = (segments: number, state: "running" | "done"): Vod => ({
    ...newVod(
      id,
      { url: null, chatUpload: "chat", videoUpload: "video", title: "", startMs, replaces: null },
      1,
    ),
    ...{ channelId: vodChannelId(id, 2), run: 2, startMs },
    stages: newVod(
      id,
      { url: null, chatUpload: null, videoUpload: null, title: "", startMs, replaces: null },
      1,
    ).stages.map((stage) => (stage.name === "video" ? { ...stage, state } : stage)),
    video: { ...{ width: 284, height: 160, durationS: segments * 2, bytes: 1 }, segments, thumbKey: null },
  });
  const put = async (vod: Vod): Promise<void> => {
    await (await new Kvm(bus).open(VODS_BUCKET)).put(vodKey(vod.id), JSON.stringify(vod));
  };
  const write = async (count: number): Promise<void> => {
    const rows = Array.from({ length: count }, (_, seq) => `${JSON.stringify(kept(seq))}\n`);
    await objects.put(vodVideoKey(id), Buffer.from(rows.join("")));
  };
  const text = async (path: string): Promise<string> => (await gateway.get(path)).text();

  test("its playlist grows while its picture is taken, and then is that of a finished video", async () => {
    for (let seq = 0; seq < 5; seq++)
      await objects.put(kept(seq).source!.key, readFileSync(join(footage, `${seq}.ts`)));
    await write(2);
    await put(record(2, "running"));
    await vi.waitFor(async () => expect((await gateway.get(playlistPath(id))).status).toBe(200), 5000);
    const early = await text(playlistPath(id));
    expect(early).toContain("#EXT-X-PLAYLIST-TYPE:EVENT");
    expect(early).not.toContain("#EXT-X-ENDLIST");
    await write(5);
    await put(record(5, "done"));
    await vi.waitFor(async () => expect(await text(playlistPath(id))).toContain("#EXT-X-ENDLIST"), 5000);
    const whole = await text(playlistPath(id));
    expect(whole).toContain("#EXT-X-PLAYLIST-TYPE:VOD");
    expect(whole).toContain(`#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs).toISOString()}`);
    expect(whole.match(/^#EXTINF/gm)).toHaveLength(5);
    expect(await get(`/api/v1/channels/${id}/video`)).toMatchObject({
      playlist: playlistPath(id),
      video: { state: "ended", oldestMs: startMs, newestMs: startMs + 10_000 },
    });
  });

  test("its segments come whole and in ranges, its thumbnails by time, and a span of it as a video", async () => {
    const address = /^\/media\/segment\S+/m.exec(await text(playlistPath(id)))?.[0] ?? "";
    const bytes = readFileSync(join(footage, "0.ts"));
    expect(Buffer.from(await (await gateway.get(address)).arrayBuffer()).equals(bytes)).toBe(true);
    const part = await send("GET", address, undefined, { range: "bytes=188-375" });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(188, 376))).toBe(true);
    await objects.put(thumbKey(picture, 1, 3), Buffer.from("a small picture"));
    expect(await text(thumbAtPath(id, startMs + 7000))).toBe("a small picture");
    const span = await text(playlistPath(id, { fromMs: startMs + 3000, toMs: startMs + 5000 }));
    expect(span.match(/^#EXTINF/gm)).toHaveLength(2);
  });

  test("one of chat alone has no picture, and says so", async () => {
    const chatOnly = { ...record(0, "done"), id: "_0vod00000000000002", video: null };
    await put(chatOnly);
    await vi.waitFor(async () => {
      const answer = await gateway.get(playlistPath(chatOnly.id));
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({
        detail: expect.stringMatching(/imported without a picture/),
      });
    }, 5000);
  });

  test("a clip of it is queued for its span", async () => {
    const answer = await send("POST", "/api/v1/clips", {
      ...{ login: id, startMs: startMs + 1000, endMs: startMs + 9000 },
    });
    expect(answer.status).toBeLessThan(300);
    expect(await answer.json()).toMatchObject({ login: id, channelId: vodChannelId(id, 2), state: "queued" });
  });
});
