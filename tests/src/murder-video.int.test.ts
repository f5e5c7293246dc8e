import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHANNELS_BUCKET } from "@hypecast/contracts/channel.ts";
import type { Clip } from "@hypecast/contracts/clip.ts";
import { clipPath } from "@hypecast/contracts/media.ts";
import { subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { videoMeasured, type VideoMeasured } from "@hypecast/contracts/measured.ts";
import { shotScore, videoShots, type ShotScore, type VideoShot } from "@hypecast/contracts/shot.ts";
import {
  videoGap,
  videoSegment,
  type VideoGap,
  type VideoSegment,
  type VideoState,
} from "@hypecast/contracts/video.ts";
import { makeFootage } from "@hypecast/demo/video/footage.ts";
import { startLivesim, type Livesim } from "@hypecast/demo/video/livesim.ts";
import { checkFinals, murder, readLog, startWorld, type World } from "./murder.ts";
import { until } from "./until.ts";
import { temporaryFolder } from "./servers.ts";

const LOGIN = "murdered";
const CHANNEL = `video-${LOGIN}`;
const FOOTAGE_S = 24;
const PLAY_S = 36;

const folder = temporaryFolder("murder-video");
let live: Livesim;
let world: World;
beforeAll(async () => {
  const footage = join(folder, "footage");
  await makeFootage(footage, FOOTAGE_S);
  live = await startLivesim(footage, { loop: true, twitch: false });
  world = await startWorld({
    store: false,
    processors: 1,
    video: { HYPECAST_VIDEO_PRIVATE_HOSTS: `127.0.0.1:${live.port}` },
  });
});
afterAll(async () => {
  await world?.close();
  await live?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function want(paused: boolean): Promise<void> {
  const bucket = await new Kvm(world.nc).open(CHANNELS_BUCKET);
  await bucket.put(
    LOGIN,
    JSON.stringify({ login: LOGIN, video: live.master, chat: false, paused, addedAtMs: 1 }),
  );
}
async function said<Value>(type: EventType, stream: "INPUT" | "FOLD" = "INPUT"): Promise<Value[]> {
  const messages = await readLog(world, stream, 1, [subjectOf(type, CHANNEL)]);
  return messages.flatMap(({ data }) => {
    const body: Value | Value[] = JSON.parse(Buffer.from(data).toString());
    return body;
  });
}
const api = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${world.env["HYPECAST_PORT"]}${path}`, init);

test("after murders of ingest, workers, renderer, Redis and nats: every segment measured once, the same shots, scores and moments, and the clip", async () => {
  await want(false);
  await until("three segments are measured", async () => (await said(videoMeasured)).length >= 3);

  const [first] = await said<VideoSegment>(videoSegment);
  await until("the gateway knows what is kept", async () => {
    const { video } = (await (await api(`/api/v1/channels/${LOGIN}/video`)).json()) as {
      video: VideoState | null;
    };
    return (video?.newestMs ?? 0) >= first!.startMs + 5000;
  });
  const asked = {
    login: LOGIN,
    startMs: first!.startMs + 1000,
    endMs: first!.startMs + 5000,
    layouts: ["16:9"],
  };
  const answer = await api("/api/v1/clips", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...asked, chat: { on: false } }),
  });
  expect(answer.status, await answer.clone().text()).toBe(202);
  const { id } = (await answer.json()) as Clip;

  const did = await murder(world, new Map(world.victims), { seed: 4, playS: PLAY_S, murders: 9 });
  console.log(did.join("\n"));
  await want(true);
  await until("everything is measured and scored", async () => {
    const [segments, measured] = [await said(videoSegment), await said(videoMeasured)];
    const [shots, scores] = [await said(videoShots, "FOLD"), await said(shotScore)];
    if (segments.length < 8 || measured.length < segments.length || scores.length < shots.length)
      return false;
    const { last_seq: last } = (await world.jsm.streams.info("INPUT")).state;
    await sleep(2500);
    return (await world.jsm.streams.info("INPUT")).state.last_seq === last;
  });

  const segments = await said<VideoSegment>(videoSegment);
  const gaps = await said<VideoGap>(videoGap);
  expect(new Set(segments.map((segment) => segment.id)).size, "segments are on the log once").toBe(
    segments.length,
  );
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1];
    if (next === undefined) continue;
    expect(next.epoch === segment.epoch && next.seq > segment.seq, `${next.id} after ${segment.id}`).toBe(
      true,
    );
    const endMs = segment.startMs + segment.durationMs;
    if (next.seq === segment.seq + 1) expect(Math.abs(next.startMs - endMs), next.id).toBeLessThanOrEqual(1);
    else
      expect(
        gaps.some(({ fromMs, toMs }) => Math.abs(fromMs - endMs) <= 1 && Math.abs(toMs - next.startMs) <= 1),
        `a gap says what is missing before ${next.id}`,
      ).toBe(true);
  }

  const measured = await said<VideoMeasured>(videoMeasured);
  expect(
    measured.map((one) => one.id),
    "measured once, in the order of the segments",
  ).toEqual(segments.map((segment) => segment.id));
  // The footage repeats: the same file has the same figures, whoever measured it and whenever.
  const bySlot = new Map<number, string>();
  for (const { seq, failed, picture } of measured) {
    expect(failed, `segment ${seq}`).toBeNull();
    const slot = seq % (FOOTAGE_S / 2);
    const figures = JSON.stringify(picture);
    expect(figures, `segment ${seq}`).toBe(bySlot.get(slot) ?? figures);
    bySlot.set(slot, figures);
  }

  const { expected } = await checkFinals(world, [CHANNEL], 1, 1);
  expect(expected.shots.size).toBeGreaterThan(5);
  expect(expected.audio_windows.size).toBeGreaterThan(20);

  const shots = await said<VideoShot>(videoShots, "FOLD");
  const scores = await said<ShotScore>(shotScore);
  expect(scores.map((score) => score.id).toSorted(), "one score a shot").toEqual(
    shots.map((shot) => shot.id).toSorted(),
  );

  await until("the clip is ready", async () => {
    const record = (await (await api(`/api/v1/clips/${id}`)).json()) as Clip;
    if (record.state === "failed") throw new Error(JSON.stringify(record.error));
    return record.state === "ready";
  });
  const file = join(folder, "clip.mp4");
  const body = await (await api(clipPath(id, "16:9"))).arrayBuffer();
  writeFileSync(file, Buffer.from(body));
  const counted = spawnSync("ffprobe", [
    ...["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames"],
    ...["-of", "csv=p=0", file],
  ]);
  expect(Number(counted.stdout.toString().trim())).toBe(120);
  expect(world.programs.size).toBeGreaterThan(4);
  const surprises = [...world.programs.values()].flatMap((program) => program.surprises);
  expect(surprises).toEqual([]);
}, 240_000);
