import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CHANNELS_BUCKET, CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import {
  VIDEO_STATE_BUCKET,
  type VideoGap,
  type VideoSegment,
  type VideoState,
} from "@hypecast/contracts/video.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readKeptVideo } from "@hypecast/runtime/kept-video.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { exited, startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { sweepScratch } from "./file.ts";
import { openChannelLog, Overtaken } from "./log.ts";
import { SEGMENT_MS, startHls, type TestHls } from "./test-hls.ts";

const main = join(import.meta.dirname, "../../main.ts");
const folder = temporaryFolder("hls-process");
const movie = join(folder, "a movie.mp4");
let nats: Server;
let nc: NatsConnection;
let hls: TestHls;
let env: NodeJS.ProcessEnv;
let child: ChildProcess;

beforeAll(async () => {
  spawnSync("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=5", "-f", "lavfi", "-i", "sine=d=5"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-c:a", "aac", movie],
  ]);
  [nats, hls] = await Promise.all([startNats(), startHls()]);
  env = {
    ...process.env,
    ...{ HYPECAST_DATA: folder, HYPECAST_NATS_URL: nats.url, HYPECAST_REDIS_URL: "redis://127.0.0.1:1" },
    ...{
      HYPECAST_LOG_LEVEL: "error",
      HYPECAST_VIDEO_PRIVATE_HOSTS: hls.host,
      TWITCH_IRC_URL: "ws://127.0.0.1:1",
    },
    TWITCH_VIDEO_COMMAND: `/bin/echo ${hls.url}/{login}/master.m3u8`,
  };
  nc = await connectBus(readConfig(env), "test");
  await ensureStreams(nc, 1);
  child = await startSource();
});
afterAll(async () => {
  child.kill("SIGKILL");
  await exited(child);
  await nc.close();
  await hls.close();
  await nats.close();
  rmSync(folder, { recursive: true });
});

async function startSource(): Promise<ChildProcess> {
  const args = ["--disable-warning=ExperimentalWarning", main, "--only", "sources"];
  const started = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await new Promise((resolve) => started.once("message", resolve));
  return started;
}
const crash = async (): Promise<void> => {
  child.kill("SIGKILL");
  await exited(child);
};
async function want(login: string, video: string | null, chat = false): Promise<void> {
  const bucket = await new Kvm(nc).open(CHANNELS_BUCKET);
  await bucket.put(login, JSON.stringify({ login, video, chat, paused: false, addedAtMs: 0 }));
}
const kept = (channelId: string): Promise<{ segments: VideoSegment[]; gaps: VideoGap[] }> =>
  // A live channel: only the log is read.
  readKeptVideo({ nc, objects: { get: async () => null } }, channelId, 0, Date.now() + 100_000);
const state = async (login: string): Promise<VideoState | undefined> =>
  (await (await new Kvm(nc).open(VIDEO_STATE_BUCKET)).get(login))?.json<VideoState>();
/** Waits for so many segments more. */
async function more(channelId: string, count: number): Promise<VideoSegment[]> {
  const before = (await kept(channelId)).segments.length;
  await vi.waitFor(
    async () => expect((await kept(channelId)).segments.length).toBeGreaterThanOrEqual(before + count),
    {
      ...{ timeout: 20_000, interval: 100 },
    },
  );
  return (await kept(channelId)).segments;
}

test("kill -9 of the source in mid-stream doubles and loses nothing that is still listed; what is not is a gap", async () => {
  let window = 60;
  await want("killed", hls.add("killed", { window: () => window }));
  await more("video-killed", 3);
  for (const pauseMs of [0, 270]) {
    await sleep(pauseMs);
    await crash();
    child = await startSource();
    await more("video-killed", 2);
  }
  const quick = await kept("video-killed");
  const first = quick.segments[0]?.seq ?? 0;
  expect(quick.segments.map(({ seq }) => seq)).toEqual(quick.segments.map((_, i) => first + i));
  expect(quick.gaps).toEqual([]);

  window = 4;
  await crash();
  await sleep(6 * SEGMENT_MS);
  child = await startSource();
  await more("video-killed", 2);
  const { segments, gaps } = await kept("video-killed");
  expect(new Set(segments.map(({ id }) => id)).size).toBe(segments.length);
  expect(new Set(segments.map(({ epoch }) => epoch)).size).toBe(1);
  for (const { seq, startMs } of segments) expect(startMs).toBe(hls.startMs + seq * SEGMENT_MS);
  const [before, after] = segments.flatMap((segment, i) => {
    const next = segments[i + 1];
    return next === undefined || next.seq === segment.seq + 1 ? [] : [segment, next];
  });
  expect(gaps).toMatchObject([
    {
      ...{ reason: "source_restarted", fromMs: (before?.startMs ?? 0) + SEGMENT_MS, toMs: after?.startMs },
      toSeq: (after?.seq ?? 0) - 1,
    },
  ]);
  const objects = openFolder(join(folder, "objects"));
  for (const { source } of segments) expect(await objects.size(source?.key ?? "none")).toBe(source?.bytes);
  objects.close();
});

test("a Twitch channel's picture comes from the operator's command, under the number that chat has told", async () => {
  hls.add("nightfern");
  const states = await new Kvm(nc).open(CHANNEL_STATE_BUCKET);
  await states.put(
    "nightfern",
    JSON.stringify({
      ...{
        login: "nightfern",
        channelId: "123",
        name: null,
        state: "live",
        reason: null,
        sinceMs: 0,
        attempt: 0,
      },
      ...{
        nextAttemptAtMs: null,
        lastLineAtMs: null,
        aliveAtMs: null,
        connection: null,
        emotes: [],
        stream: null,
      },
    }),
  );
  await want("nightfern", null, true);
  const segments = await more("123", 2);
  expect(segments[0]).toMatchObject({ channelId: "123", source: { height: 1080 } });
});

test("a file is played as if it were live, to its end, and leaves nothing beside the objects", async () => {
  await want("movie", `file://${encodeURI(movie)}`);
  await vi.waitFor(async () => expect((await state("movie"))?.state).toBe("ended"), {
    timeout: 30_000,
    interval: 200,
  });
  const { segments, gaps } = await kept("video-movie");
  expect(segments.map(({ seq }) => seq)).toEqual([0, 1, 2]);
  expect(segments.map(({ durationMs }) => durationMs)).toEqual([2000, 2000, 1000]);
  expect(gaps).toEqual([]);
  expect(segments.every(({ analysis, source }) => analysis?.key === source?.key)).toBe(true);
  expect(readdirSync(join(folder, "scratch"))).toEqual([]);
});

test("what a crash has left of a file that was played is gone after half an hour", async () => {
  const scratch = join(folder, "left");
  for (const name of ["old", "young"]) mkdirSync(join(scratch, name), { recursive: true });
  utimesSync(join(scratch, "old"), new Date(), new Date(Date.now() - 31 * 60_000));
  await sweepScratch(scratch, Date.now());
  expect(readdirSync(scratch)).toEqual(["young"]);
});

test.each([
  ["nothing", /there is no file/],
  ["playlist.mp4", /cannot play|no picture/],
])("a file that is %s is refused", async (name, reason) => {
  if (name !== "nothing")
    writeFileSync(join(folder, name), "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n");
  const login = name.replace(".", "_");
  await want(login, `file://${join(folder, name)}`);
  await vi.waitFor(async () => expect((await state(login))?.reason).toMatch(reason), {
    timeout: 10_000,
    interval: 100,
  });
  expect((await state(login))?.state).toBe("refused");
});

test("of two that write for one channel only one gets on", async () => {
  const segment = (seq: number): VideoSegment => ({
    ...{ id: `77:1:${seq}`, channelId: "77", epoch: 1, seq, startMs: seq, durationMs: 1 },
    ...{ discontinuity: false, ad: false, analysis: null, source: null },
  });
  const { signal } = new AbortController();
  const one = await openChannelLog(nc, "77", signal);
  await one.segment(segment(0));
  const two = await openChannelLog(nc, "77", signal);
  expect(two.last.segment?.seq).toBe(0);
  await two.segment(segment(1));
  // The same again, as after a lost answer, changes nothing; another is not next.
  await one.segment(segment(1));
  await two.segment(segment(2));
  await expect(one.segment(segment(5))).rejects.toBeInstanceOf(Overtaken);
});
