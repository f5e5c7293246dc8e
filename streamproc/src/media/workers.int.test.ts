import { existsSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { FRAME_BYTES } from "./frames-file.ts";
import { fences } from "./isolation.ts";
import type { Job, Outcome } from "./protocol.ts";
import { plain } from "./test-footage.ts";
import { openWorkers, type Workers, type WorkersOptions } from "./workers.ts";

const silent = { info: () => undefined, warn: () => undefined };
let workers: Workers | null = null;
afterEach(async () => {
  await workers?.close();
  workers = null;
});

let jobs = 0;
const job = (path: string): Job => ({
  ...{ id: String(jobs++), startMs: 1_000_000, durationMs: 2000 },
  ...{ container: "ts", path, initPath: null, before: null, allFrames: false },
});
const bad = (options: Partial<WorkersOptions> = {}): Workers =>
  (workers = openWorkers({
    count: 1,
    frames: "auto",
    log: silent,
    file: join(import.meta.dirname, "test-worker.ts"),
    ...options,
  }));
const detail = (outcome: Outcome): string => (outcome.failed === null ? "" : outcome.detail);
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

for (const frames of ["gstreamer", "ffmpeg"] as const)
  test(`${frames} in a cut-off process measures a segment, and says the same every time`, async () => {
    workers = openWorkers({ count: 1, frames, log: silent });
    const [first, second] = plain(6).paths as [string, string];
    const asked: Job = { ...job(second), before: { container: "ts", path: first, initPath: null } };
    const outcome = await workers.measure(asked);
    expect(workers.decoder()?.decoder).toBe(frames);
    if (outcome.failed !== null) throw new Error(outcome.detail);
    const { picture, sound, frames: sampled, thumb } = outcome.measured;
    expect(picture).toMatchObject({ width: 284, height: 160 });
    expect(picture?.atMs).toHaveLength(60);
    expect(sound).toMatchObject({ channels: 2, tracks: 1 });
    expect(sound?.loudness).toHaveLength(20);
    expect(sampled).toHaveLength(6 * (8 + 64 * 36 * 3));
    expect(Buffer.from(thumb!.subarray(0, 3)).toString("hex")).toBe("ffd8ff");
    expect(await workers.measure({ ...asked, id: "again" })).toEqual(outcome);
    expect(outcome.measured.allFrames).toBeNull();
    const all = await workers.measure({ ...asked, allFrames: true });
    if (all.failed !== null) throw new Error(all.detail);
    expect(all.measured).toEqual({ ...outcome.measured, allFrames: all.measured.allFrames });
    expect(all.measured.allFrames).toHaveLength(60 * 64 * 36 * 3);
    expect(all.measured.allFrames!.subarray(0, FRAME_BYTES)).toEqual(
      new Uint8Array(sampled!.subarray(8, 8 + FRAME_BYTES)),
    );
  });

test("a file that is gone and a web page are outcomes, and the worker goes on", async () => {
  workers = openWorkers({ count: 1, frames: "auto", log: silent });
  expect(await workers.measure(job("/nowhere/segment.ts"))).toMatchObject({ failed: "no_file" });
  expect(await workers.measure(job(import.meta.filename))).toMatchObject({ failed: "not_media" });
  expect(workers.figures()).toMatchObject({ restarts: 0 });
});

test("a segment that kills its decoder is one failed segment; the next is measured by a new worker", async () => {
  const pool = bad();
  const [crash, fine] = await Promise.all([pool.measure(job("crash")), pool.measure(job("fine"))]);
  expect(crash).toMatchObject({ failed: "decoder_died" });
  expect(fine).toMatchObject({ failed: "not_media" });
  expect(pool.figures().restarts).toBe(2);
});

test("a segment that takes too long is given up and its worker killed", async () => {
  const pool = bad({ deadlineMs: 300 });
  const [hang, fine] = await Promise.all([pool.measure(job("hang")), pool.measure(job("fine"))]);
  expect(hang).toMatchObject({ failed: "timeout" });
  expect(fine).toMatchObject({ failed: "not_media" });
});

test("a worker that leaks is recycled: its memory is gone with it and no segment is lost", async () => {
  const pool = bad({ recycleAboveBytes: 200_000_000 });
  const pids = new Set<string>();
  for (let i = 0; i < 10; i++) pids.add(detail(await pool.measure(job("leak"))));
  expect(pids.size).toBeGreaterThan(2);
  expect(pool.figures()).toMatchObject({ restarts: 0 });
  expect(pool.figures().recycled).toBeGreaterThanOrEqual(2);
});

test("a worker is recycled after so many segments", async () => {
  const pool = bad({ recycleAfter: 3 });
  const pids: string[] = [];
  for (let i = 0; i < 7; i++) pids.push(detail(await pool.measure(job("fine"))));
  expect(pids.map((pid) => pids.indexOf(pid))).toEqual([0, 0, 0, 3, 3, 3, 6]);
});

test("a worker killed from outside costs nothing: the segment is measured again", async () => {
  const pool = bad({ count: 2 });
  await pool.measure(job("fine"));
  const outcomes = Array.from({ length: 20 }, async () => pool.measure(job("fine")));
  for (const pid of pool.pids()) process.kill(pid, "SIGKILL");
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toMatchObject({ failed: "not_media" });
});

test("a worker has no network", async () => {
  if (!fences().network) return expect(fences().network).toBe(false);
  const server = createServer((socket) => void socket.end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const pool = bad({ frames: `:${port}` as "auto" });
  expect(detail(await pool.measure(job("network")))).toMatch(/^E[A-Z]+ \[\]$/);
  server.close();
});

test("a worker is told nothing of our settings", async () => {
  process.env["TWITCH_TOKEN"] = "secret";
  process.env["HYPECAST_S3_SECRET"] = "secret";
  const names = detail(await bad().measure(job("environment"))).split(",");
  delete process.env["TWITCH_TOKEN"];
  delete process.env["HYPECAST_S3_SECRET"];
  expect(names.filter((name) => /TWITCH|HYPECAST|SECRET|TOKEN|KEY/.test(name))).toEqual([]);
});

test("a worker can write no file", async () => {
  if (!fences().memory) return expect(fences().memory).toBe(false);
  const outcome = await bad().measure(job("write"));
  expect(detail(outcome) === "EFBIG" || outcome.failed === "decoder_died").toBe(true);
});

test("a worker that wants all memory dies of it alone", async () => {
  if (!fences().memory) return expect(fences().memory).toBe(false);
  const pool = bad();
  expect(await pool.measure(job("devour"))).toMatchObject({ failed: "decoder_died" });
  expect(await pool.measure(job("fine"))).toMatchObject({ failed: "not_media" });
});

test("closed, it leaves no process behind", async () => {
  const pool = bad({ count: 3 });
  await pool.measure(job("fine"));
  const pids = pool.pids();
  expect(pids).toHaveLength(3);
  await pool.close();
  workers = null;
  expect(
    pids.filter(isAlive).filter((pid) => !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")),
  ).toEqual([]);
});
