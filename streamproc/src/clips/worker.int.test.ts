import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLog } from "@hypecast/runtime/log.ts";
import { openClipJobs, type RecordJobs } from "@hypecast/runtime/jobs.ts";
import { exited, startRedis, type Server } from "@hypecast/tests/servers.ts";
import { keepFootage, makeFootage, readFrames, type Footage } from "./footage.fixture.ts";
import { openWorld, until, type World } from "./world.fixture.ts";

/** Long enough to be killed in the middle of it. */
const footage: Footage = { width: 960, height: 540, fps: 30, seconds: 8 };
const START = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const SPAN = { startMs: START + 1000, endMs: START + 7000, layouts: ["16:9" as const], channelId: "c1" };
const FRAMES = 6 * 30;

let world: World;
let redis: Server;
let jobs: RecordJobs;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  [world, redis] = await Promise.all([openWorld(), startRedis()]);
  jobs = openClipJobs(redis.url, createLog("test", "error"));
  const files = makeFootage(world.folder, footage);
  await keepFootage(world.nc, world.objects, {
    channelId: "c1",
    epoch: START,
    firstSeq: 0,
    startMs: START,
    footage,
    files,
  });
});
afterAll(async () => {
  await killWorkers();
  await jobs?.close();
  await world?.close();
  await redis?.close();
});

async function killWorkers(): Promise<void> {
  for (const child of processes.splice(0)) {
    child.kill("SIGKILL");
    await exited(child);
  }
}
/** The one that the test before has left, as it would live on. */
const haveWorker = (): ChildProcess => processes[0] ?? startWorker();
function startWorker(): ChildProcess {
  const main = join(import.meta.dirname, "../main.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "--only", "clips"], {
    stdio: "ignore",
    env: {
      ...process.env,
      HYPECAST_NATS_URL: world.nats.url,
      HYPECAST_REDIS_URL: redis.url,
      HYPECAST_DATA: world.folder,
      HYPECAST_OBJECTS: join(world.folder, "objects"),
      HYPECAST_CLIP_THREADS: "1",
    },
  });
  processes.push(child);
  return child;
}

const rendering = (id: string) =>
  until(async () => {
    const clip = await world.record(id);
    return clip?.state === "running" && clip.stage === "render" && clip;
  });
const over = (id: string) =>
  until(async () => {
    const clip = await world.record(id);
    return clip !== null && clip.state !== "queued" && clip.state !== "running" && clip;
  });
const workshops = (): string[] => readdirSync(join(world.folder, "tmp", "clips"));
async function framesOf(key: string | undefined): Promise<number[]> {
  const file = await world.objects.file(key ?? "");
  return readFrames(file?.path ?? "").map(({ number }) => number);
}
/** Programs of this machine that read or write in our folder. */
const encoders = (): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return [];
      }
    })
    .filter((line) => line.startsWith("ffmpeg") && line.includes(world.folder));

test("a worker that is killed in mid-render leaves no encoder, and the next one makes the clip", async () => {
  const first = startWorker();
  const { id } = await world.ask(SPAN);
  await jobs.add(id);
  await rendering(id);
  expect(first.exitCode).toBeNull();
  await killWorkers();
  await until(async () => encoders().length === 0);
  startWorker();
  const clip = await over(id);
  expect(clip).toMatchObject({ state: "ready", attempt: 2, error: null, progress: 1, stage: null });
  expect(await framesOf(clip.files[0]?.key)).toHaveLength(FRAMES);
  // What the dead one left is gone as well.
  expect(workshops()).toEqual([]);
});

test("Redis that is killed in mid-render costs nothing, and one that has forgotten everything is told again", async () => {
  haveWorker();
  const { id } = await world.ask(SPAN);
  await jobs.add(id);
  await rendering(id);
  await redis.crash();
  expect(await over(id)).toMatchObject({ state: "ready" });

  await killWorkers();
  const lost = await world.ask(SPAN);
  await until(() => jobs.add(lost.id));
  const client = await createClient({ url: redis.url }).connect();
  await client.flushAll();
  client.destroy();
  startWorker();
  expect(await over(lost.id)).toMatchObject({ state: "ready", attempt: 1 });
});

test("a film that is cancelled stops at once, leaves nothing, and may be asked for again", async () => {
  haveWorker();
  const half = (fromMs: number) => ({
    ...{ login: "runner", channelId: "c1", picture: "video" as const, title: "" },
    ...{ startMs: START + fromMs, endMs: START + fromMs + 3000 },
  });
  const { id } = await world.ask({ ...SPAN, parts: [half(1000), half(4000)] });
  await until(() => jobs.add(id));
  await rendering(id);
  await world.change(id, { state: "cancelled", stage: null });
  await until(async () => encoders().length === 0 && workshops().length === 0);
  expect(await world.record(id)).toMatchObject({ state: "cancelled", files: [] });
  const keys = [];
  for await (const { key } of world.objects.list(`clips/${id}/`)) keys.push(key);
  expect(keys).toEqual([]);

  await world.change(id, { state: "queued", progress: 0 });
  await jobs.add(id);
  expect(await over(id)).toMatchObject({ state: "ready" });
});

test("nats that is killed in mid-render is waited for", async () => {
  haveWorker();
  const { id } = await world.ask(SPAN);
  await until(() => jobs.add(id));
  await rendering(id);
  await world.nats.crash();
  const clip = await until(async () => {
    const known = await world.record(id).catch(() => null);
    return known?.state === "ready" && known;
  });
  expect(clip.attempt).toBe(1);
});

test("what cannot be made fails in words", async () => {
  haveWorker();
  const { id } = await world.ask({ ...SPAN, startMs: START - 5_000_000, endMs: START - 4_990_000 });
  await until(() => jobs.add(id));
  const clip = await over(id);
  expect(clip).toMatchObject({ state: "failed", files: [], error: { code: "no_video" } });
});
