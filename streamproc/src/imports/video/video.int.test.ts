import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf } from "@hypecast/contracts/event.ts";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import { shotScore, videoShots, type VideoShot } from "@hypecast/contracts/shot.ts";
import { uploadPiece } from "@hypecast/contracts/upload.ts";
import { videoGap, videoSegment, type VideoGap, type VideoSegment } from "@hypecast/contracts/video.ts";
import { vodChannelId, vodPictureChannel, vodPrefix, vodVideoKey } from "@hypecast/contracts/vod.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { exited, startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { file, H264, plain } from "../../media/test-footage.ts";
import { shots } from "../../processors/shots.ts";
import { runOf } from "../../processors/run.ts";
import { openFetcher, rulesOf, type Fetcher } from "../../sources/hls/fetch.ts";
import { ImportFailure } from "../chat/failure.ts";
import { openPositions } from "../positions.ts";
import { fetchVodSegment } from "@hypecast/runtime/vod-fetch.ts";
import { measured } from "./measured.ts";
import { interleave, pictureEvents } from "./merge.ts";
import { serveVodSegments } from "./on-demand.ts";
import type { OfVod, VideoTools } from "./tools.ts";
import { lookAtVideo, takeVideo } from "./video.ts";

const START_MS = Date.UTC(2026, 2, 1, 18);
const SECONDS = 24;
const SCENES = [
  ...["-f", "lavfi", "-i", "testsrc2=size=284x160:rate=30:duration=9"],
  ...["-f", "lavfi", "-i", "mandelbrot=size=284x160:rate=30,trim=duration=15"],
  ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`],
  ...["-filter_complex", "[0:v]setsar=1[a];[1:v]setsar=1[b];[a][b]concat=n=2:v=1", "-map", "2:a"],
];
const GOP = ["-g", "60", "-sc_threshold", "0", "-c:a", "aac", "-ac", "2"];
/** Its index at the end, as cameras and recorders write it. */
const WHOLE = file([...SCENES, ...H264, ...GOP], "whole.mp4");

let nats: Server;
let nc: NatsConnection;
let objects: Objects;
let fetcher: Fetcher;
let data: string;
let tools: VideoTools;
let site: HttpServer;
const running: ChildProcess[] = [];
const silent = {
  info: () => undefined,
  warn: () => undefined,
  debug: () => undefined,
} as unknown as VideoTools["log"];
const signal = new AbortController().signal;
const quiet = (): void => undefined;

beforeAll(async () => {
  nats = await startNats();
  data = temporaryFolder("vod-video");
  site = createServer((request, response) => {
    const body = served.get(request.url ?? "");
    asked.push(request.url ?? "");
    if (body === undefined) response.writeHead(404).end();
    else response.end(body);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(site.address() as AddressInfo).port}`;
  const config = readConfig({
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_DATA: data,
    HYPECAST_VIDEO_PRIVATE_HOSTS: host,
    TWITCH_VOD_COMMAND: `/bin/echo http://${host}/{id}/index.m3u8`,
  });
  nc = await connectBus(config, "test");
  await ensureStreams(nc, 1);
  objects = openFolder(join(data, "objects"));
  fetcher = openFetcher(rulesOf(config));
  tools = { nc, objects, config, log: silent, fetch: fetcher.fetch };
  for (const part of ["media", "processors"]) {
    const main = join(import.meta.dirname, "../../main.ts");
    const env = {
      ...{ PATH: process.env["PATH"], HYPECAST_NATS_URL: nats.url, HYPECAST_DATA: data },
      ...{ HYPECAST_MEDIA_WORKERS: "2", HYPECAST_LOG_LEVEL: "error" },
    };
    running.push(
      spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "--only", part], {
        env,
        stdio: "ignore",
      }),
    );
  }
});
afterAll(async () => {
  for (const child of running) {
    child.kill("SIGKILL");
    await exited(child);
  }
  site.closeAllConnections();
  site.close();
  fetcher.close();
  objects.close();
  await nc.close();
  await nats.close();
  rmSync(data, { recursive: true, force: true });
});

const served = new Map<string, string | Buffer>();
const asked: string[] = [];
let made = 0;
const vodOf = (source: Partial<OfVod["source"]>): OfVod => ({
  id: `_0test${String(++made).padStart(13, "0")}`,
  startMs: START_MS,
  source: { url: null, chatUpload: null, videoUpload: null, ...source },
});
const local = (path: string): OfVod => vodOf({ url: pathToFileURL(path).href });
/** Uploaded in pieces of a size that fits nothing. */
async function uploaded(bytes: Buffer, pieceBytes = 100_003): Promise<OfVod> {
  const id = `upload${String(++made).padStart(8, "0")}`;
  for (let at = 0; at < bytes.length || at === 0; at += pieceBytes)
    await objects.put(uploadPiece(id, at), bytes.subarray(at, at + pieceBytes));
  return vodOf({ videoUpload: id });
}
async function onLog<Event>(subject: string): Promise<Event[]> {
  const events: Event[] = [];
  for await (const message of readSince(nc, "INPUT", [subject], 0)) events.push(message.json<Event>());
  return events;
}
const toldOf = ({ id }: OfVod): Promise<VideoSegment[]> =>
  onLog<VideoSegment>(subjectOf(videoSegment, vodPictureChannel(id)));
const refusal = async (vod: OfVod): Promise<string> => {
  const error: unknown = await takeVideo(vod, tools, signal, quiet).catch((error: unknown) => error);
  if (!(error instanceof ImportFailure)) throw error;
  return `${error.error.code}: ${error.error.detail}`;
};

test("an uploaded file becomes segments that follow one another, told once, and is measured and scored to its end", async () => {
  const vod = await uploaded(readFileSync(WHOLE));
  expect(await lookAtVideo(vod, tools, signal)).toMatchObject({
    ...{ kind: "file", width: 284, height: 160, startMs: null, encodes: null },
    durationS: expect.closeTo(SECONDS, 1),
  });
  const taken = await takeVideo(vod, tools, signal, quiet);
  expect(taken.notes).toEqual([]);
  expect(taken.video).toMatchObject({ width: 284, height: 160, segments: 6 });
  expect(taken.video.durationS).toBeCloseTo(SECONDS, 1);
  const segments = await readManifest(objects, vod.id);
  expect(await toldOf(vod)).toEqual(segments);
  let atMs = START_MS;
  for (const { startMs, durationMs, source, channelId } of segments) {
    expect(startMs).toBe(atMs);
    atMs += durationMs;
    expect(channelId).toBe(vodPictureChannel(vod.id));
    expect(await objects.size(source?.key ?? "")).toBe(source?.bytes);
  }

  const positions = await openPositions(nc, 1);
  const { thumbKey } = await measured(vod, { ...tools, positions }, signal, quiet);
  expect(thumbKey).toMatch(/^vods\/0test\d+\/thumbs\/\d+\/\d+\.jpg$/);
  expect(await objects.size(thumbKey ?? "")).toBeGreaterThan(500);
  const own = (shot: VideoShot): boolean => shot.channelId === vodPictureChannel(vod.id);
  const found: VideoShot[] = [];
  for await (const message of readSince(nc, "FOLD", [subjectOf(videoShots, vodPictureChannel(vod.id))], 0))
    found.push(...message.json<VideoShot[]>().filter(own));
  expect(found.map(({ cut, startMs }) => [cut, startMs - START_MS])).toContainEqual(["hard", 9000]);
  expect(found.at(-1)?.endMs).toBe(atMs);
  // What models looked at has served.
  for await (const { key } of objects.list(vodPrefix(vod.id))) expect(key).not.toContain("/frames/");

  // A run hears all of it under its own name, in the order of event time, and goes on wherever it was stopped.
  const run = vodChannelId(vod.id, 2);
  const events = await all(pictureEvents(vod, run, tools));
  expect(events.map(({ index }) => index)).toEqual(events.map((_, i) => i));
  expect(events.map(({ atMs }) => atMs)).toEqual(events.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
  expect(await all(pictureEvents(vod, run, tools, 7))).toEqual(events.slice(7));
  const scores = events.filter(({ type }) => type === shotScore);
  expect(scores).toHaveLength(found.length);
  const fold = runOf([shots], run);
  const again: VideoShot[] = [];
  for (const { type, body } of events) {
    const event: unknown = JSON.parse(body);
    expect(event).toMatchObject({ channelId: run });
    // A score comes when its shot is known.
    if (type === shotScore) expect(again.map(({ id }) => id)).toContain((event as VideoShot).id);
    const input =
      type === videoSegment
        ? { type: "segment" as const, segment: event as VideoSegment }
        : type === videoGap
          ? { type: "videoGap" as const, gap: event as VideoGap }
          : { type: "measured" as const, measured: event as VideoMeasured };
    if (type !== shotScore)
      for (const said of fold.step(input)) if (said.type === "shot") again.push(said.shot);
  }
  const mine = ({ id, channelId, ...rest }: VideoShot): unknown => ({
    ...rest,
    id: id.slice(channelId.length),
  });
  expect(again.map(mine)).toEqual(found.map(mine));
  expect(JSON.stringify(await toldOf({ ...vod, id: vod.id }))).not.toContain(run);
});

test("an upload in many pieces is one file all the same", async () => {
  const bytes = readFileSync(WHOLE);
  const vod = await uploaded(bytes, Math.floor(bytes.length / 300));
  expect(await lookAtVideo(vod, tools, signal)).toMatchObject({ durationS: expect.closeTo(SECONDS, 1) });
});

test("an import that was killed goes on behind what was told, with and without its manifest", async () => {
  const vod = local(WHOLE);
  for (const leave of [2, 4]) {
    const stop = new AbortController();
    const taking = takeVideo(vod, tools, stop.signal, ({ segments }) => {
      if (segments >= leave) stop.abort(new Error("killed"));
    });
    await expect(taking).rejects.toThrow();
    expect((await toldOf(vod)).length).toBeGreaterThanOrEqual(leave);
  }
  // It is written now and then: what is missing in it stands on the log.
  await objects.remove(vodVideoKey(vod.id));
  const { video } = await takeVideo(vod, tools, signal, quiet);
  expect(video.segments).toBe(6);
  const told = await toldOf(vod);
  expect(told.map(({ seq, startMs }) => [seq, startMs - START_MS])).toEqual(
    [0, 1, 2, 3, 4, 5].map((seq) => [seq, seq * 4000]),
  );
  expect(new Set(told.map(({ epoch }) => epoch)).size).toBe(1);
  expect(await readManifest(objects, vod.id)).toEqual(told);
  // Whatever is asked for again is there, also when a chat has said since when it began.
  const again = { ...vod, startMs: START_MS + 3_600_000 };
  expect((await takeVideo(again, tools, signal, quiet)).video).toEqual({ ...video });
  expect((await readManifest(objects, vod.id)).map(({ startMs }) => startMs - again.startMs)).toEqual(
    told.map(({ startMs }) => startMs - START_MS),
  );
  expect(await toldOf(vod)).toHaveLength(6);
  // Another picture takes its place, and nothing of it stays.
  const other = { ...vod, source: (await uploaded(readFileSync(WHOLE))).source };
  await takeVideo(other, tools, signal, quiet);
  const keys = new Set((await readManifest(objects, vod.id)).map(({ source }) => source?.key));
  for await (const { key } of objects.list(`${vodPrefix(vod.id)}video/`)) expect(keys).toContain(key);
});

test("what is no video is refused, and says what it is", async () => {
  const bytes = readFileSync(WHOLE);
  const sound = readFileSync(file(["-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac"], "sound.m4a"));
  const table: [Buffer, RegExp][] = [
    [
      Buffer.from("<!doctype html><html><body>Not found</body></html>"),
      /^not_a_video: The file is a web page/,
    ],
    [Buffer.from("just words\n".repeat(200)), /^not_a_video: It is none of the kinds/],
    [Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 251)), /^not_a_video: It is none/],
    [bytes.subarray(0, Math.floor(bytes.length / 2)), /^not_a_video: The MP4 file has no index/],
    [sound, /^not_a_video: There is sound in the file and no picture/],
    [Buffer.from("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n"), /^not_a_video: It is none/],
    [Buffer.alloc(0), /^not_found: The uploaded video is not here/],
  ];
  for (const [body, said] of table) expect(await refusal(await uploaded(body, 30_000))).toMatch(said);
  const elsewhere = { ...tools, config: { ...tools.config, HYPECAST_HOST: "0.0.0.0" } };
  await expect(lookAtVideo(local(WHOLE), elsewhere, signal)).rejects.toThrow(/^refused/);
});

test("what browsers do not play, and what has too few keyframes, is encoded, and the notes say so", async () => {
  const webm = file(
    [...SCENES.slice(0, 4), "-t", "5", "-c:v", "libvpx", "-b:v", "300k", "-deadline", "realtime"],
    "short.webm",
  );
  const encoded = await takeVideo(local(webm), tools, signal, quiet);
  expect(encoded.video.durationS).toBeCloseTo(5, 1);
  expect(encoded.notes[0]?.detail).toMatch(/browsers do not play VP8/);

  const rare = file([...SCENES, ...H264, "-g", "9999", "-sc_threshold", "0", "-an"], "rare.mp4");
  const vod = local(rare);
  const { video, notes } = await takeVideo(vod, tools, signal, quiet);
  expect(notes[0]?.detail).toMatch(/keyframes lie too far apart/);
  expect(video.segments).toBe(6);
  expect(video.durationS).toBeCloseTo(SECONDS, 1);

  const tall = file([...SCENES.slice(0, 4), ...H264, "-t", "2"], "tall.mp4");
  const turned = file(["-i", tall, "-c", "copy", "-metadata:s:v:0", "rotate=90"], "turned.mp4");
  expect((await takeVideo(local(turned), tools, signal, quiet)).video).toMatchObject({
    width: 160,
    height: 284,
  });
});

test("a finished HLS stream is fetched once, in order, with its gap and its clock; after an outage it goes on", async () => {
  const { paths } = plain(12);
  const at = (i: number): string => new Date(START_MS + i * 2000).toISOString();
  const lines = paths.map(
    (_, i) => `${i === 0 ? `#EXT-X-PROGRAM-DATE-TIME:${at(0)}\n` : ""}#EXTINF:2.000,\n${i}.ts`,
  );
  const list = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${lines.join("\n")}\n`;
  served.set("/1234/index.m3u8", `${list}#EXT-X-ENDLIST\n`);
  served.set("/open/index.m3u8", list);
  served.set("/page/index.m3u8", "<html>");
  for (const [i, path] of paths.entries()) if (i !== 2) served.set(`/1234/${i}.ts`, readFileSync(path));
  const vod = vodOf({ url: "https://www.twitch.tv/videos/1234" });
  expect(await lookAtVideo(vod, tools, signal)).toMatchObject({
    kind: "hls",
    durationS: 12,
    startMs: START_MS,
  });
  const stop = new AbortController();
  await expect(
    takeVideo(vod, tools, stop.signal, ({ segments }) => {
      if (segments === 3) stop.abort(new Error("killed"));
    }),
  ).rejects.toThrow();
  const before = await toldOf(vod);
  asked.length = 0;
  const { video, notes } = await takeVideo(vod, tools, signal, quiet);
  for (const { seq } of before) expect(asked).not.toContain(`/1234/${seq}.ts`);
  expect(video).toMatchObject({ segments: 5, durationS: 12, width: 284, height: 160 });
  expect(notes[0]?.detail).toMatch(/^1 of 6 segments/);
  expect((await toldOf(vod)).map(({ seq, startMs }) => [seq, startMs - START_MS])).toEqual(
    [0, 1, 3, 4, 5].map((seq) => [seq, seq * 2000]),
  );
  const gaps = await onLog<VideoGap>(subjectOf(videoGap, vodPictureChannel(vod.id)));
  expect(gaps).toMatchObject([{ reason: "not_found", fromMs: START_MS + 4000, toSeq: 2 }]);

  const host = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  expect(await refusal(vodOf({ url: `${host}/open/index.m3u8` }))).toMatch(/^refused: .*goes on/);
  expect(await refusal(vodOf({ url: `${host}/page/index.m3u8` }))).toMatch(/^not_a_video: .*no HLS playlist/);
  expect(await refusal(vodOf({ url: `${host}/none.m3u8` }))).toMatch(/^not_found/);
  expect(await refusal(vodOf({ url: "http://169.254.169.254/latest.m3u8" }))).toMatch(
    /^refused: .*no public/,
  );
  const without = { ...tools, config: { ...tools.config, TWITCH_VOD_COMMAND: "" } };
  const unasked = vodOf({ url: "https://www.twitch.tv/videos/1234" });
  await expect(lookAtVideo(unasked, without, signal)).rejects.toThrow(/^no_way/);
});

test("where the settings say so a segment is fetched when somebody needs it, and not before", async () => {
  const { paths } = plain(12);
  const lines = paths.map((_, i) => `#EXTINF:2.000,\n${i}.ts`);
  served.set("/5678/index.m3u8", `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${lines.join("\n")}\n#EXT-X-ENDLIST\n`);
  for (const [i, path] of paths.entries()) if (i !== 5) served.set(`/5678/${i}.ts`, readFileSync(path));
  const vod = vodOf({ url: "https://www.twitch.tv/videos/5678" });
  const lazy = { ...tools, config: { ...tools.config, HYPECAST_IMPORT_PICTURE: "asked" as const } };
  asked.length = 0;
  const { video, asked: isAsked } = await takeVideo(vod, lazy, signal, quiet, true);
  expect(isAsked).toBe(true);
  expect(video).toMatchObject({ segments: 6, durationS: 12, bytes: 0 });
  const serving = serveVodSegments(nc, { ...lazy, sourceOf: async () => vod });
  await nc.flush();
  const run = vodChannelId(vod.id, 1);
  const answers = await Promise.all([2, 2, 5, 9].map((seq) => fetchVodSegment(nc, run, seq)));
  expect(answers).toEqual([true, true, false, false]);
  expect(asked.filter((path) => path.endsWith(".ts")).toSorted()).toEqual([
    "/5678/2.ts",
    "/5678/5.ts",
    "/5678/5.ts",
  ]);
  const [, , third] = await readManifest(objects, vod.id);
  expect(await objects.get(third?.source?.key ?? "")).toEqual(readFileSync(paths[2]!));
  expect(await toldOf(vod)).toEqual([]);
  // Kept after all, once somebody decides so.
  expect((await takeVideo(vod, tools, signal, quiet, true)).asked).toBe(false);
  expect(await toldOf(vod)).toHaveLength(5);
  expect(await fetchVodSegment(nc, run, 5)).toBe(false);
  serving.close();
});

test("chat and picture are told in the order of their times, chat first where they are the same", async () => {
  const both = interleave(
    each([1, 5, 5, 9]),
    each([2, 5, 20, 21]),
    (a) => a,
    (b) => b,
  );
  const order = (await all(both)).map((one) => ("first" in one ? `c${one.first}` : `p${one.second}`));
  expect(order).toEqual(["c1", "p2", "c5", "c5", "p5", "c9", "p20", "p21"]);
});

// eslint-disable-next-line @typescript-eslint/require-await
async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}
