import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clip } from "@hypecast/contracts/clip.ts";
import { channelLayout } from "@hypecast/contracts/clip.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import type { EmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { ClipFailure } from "./failure.ts";
import { headOf } from "./look.ts";
import { keepFootage, makeFootage, readFrames, readTones, type Footage } from "./footage.fixture.ts";
import { render, type Rendered } from "./render.ts";
import { openWorld, type Asked, type World } from "./world.fixture.ts";

let world: World;
const noEmotes: EmoteCache = {
  image: () => Promise.reject(new Error("no provider in this test")),
  keyOf: () => "",
};
/** Small, because what is tested is which frames there are. */
const plain: Footage = { width: 320, height: 180, fps: 30, seconds: 10 };
const START = Math.floor(Date.now() / 1000) * 1000 - 600_000;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

let made = 0;
async function cut(
  request: Asked,
  objects: Objects = world.objects,
): Promise<Rendered & { frames: ReturnType<typeof readFrames>; tones: number[]; path: string }> {
  const asked: Clip = await world.ask({
    layouts: ["16:9"],
    chat: { on: false } as Clip["chat"],
    normalise: false,
    ...request,
  });
  const folder = join(world.folder, `work-${++made}`);
  mkdirSync(folder);
  const said = {
    layoutOf: () => Promise.resolve(channelLayout.parse({})),
    nameOf: (login: string) => Promise.resolve(login),
    chatterHash: (userId: string) => `hash-${userId}`,
  };
  const tools = { nc: world.nc, objects, emotes: noEmotes, threads: 1, ...said };
  const rendered = await render(asked, folder, tools, new AbortController().signal, () => {});
  const key = rendered.files[0]?.key ?? "";
  const file = await world.objects.file(key);
  const path = file?.path ?? "";
  return { ...rendered, path, frames: readFrames(path), tones: hasTones(path) ? readTones(path) : [] };
}
const hasTones = (path: string): boolean =>
  execFileSync(
    "ffprobe",
    ["-v", "error", "-select_streams", "a", "-show_entries", "stream=index", "-of", "csv=p=0", path],
    {
      encoding: "utf8",
    },
  ).trim() !== "";

/** Numbers of frames without those in between. */
const ends = (frames: { number: number }[]): [number | undefined, number | undefined, number] => [
  frames[0]?.number,
  frames.at(-1)?.number,
  frames.length,
];
/** The flash and the tone of the same frame, seconds apart. */
function apart(frames: { atS: number; flash: boolean }[], tones: number[]): number {
  const flashes = frames.filter(({ flash }) => flash).map(({ atS }) => atS);
  expect(flashes.length).toBeGreaterThan(0);
  return Math.max(...flashes.map((at) => Math.min(...tones.map((tone) => Math.abs(tone - at)))));
}

describe.each(["ts", "fmp4"] as const)("from segments of %s", (container) => {
  const channelId = `plain-${container}`;
  beforeAll(async () => {
    const footage = { ...plain, container };
    const files = makeFootage(world.folder, footage);
    await keepFootage(world.nc, world.objects, {
      channelId,
      epoch: START,
      firstSeq: 7,
      startMs: START,
      footage,
      files,
    });
  });

  test.each([
    // On a frame, between frames, on a segment's border, over the end of a segment.
    [2200, 7000, 66, 209],
    [3_210, 5_190, 96, 155],
    [4000, 6000, 120, 179],
    [3990, 4990, 119, 149],
  ])("an exact cut from %d ms to %d ms is frames %d to %d", async (fromMs, toMs, first, last) => {
    const { frames, tones, files } = await cut({ channelId, startMs: START + fromMs, endMs: START + toMs });
    expect(ends(frames)).toEqual([first, last, last - first + 1]);
    expect(frames.map(({ number }) => number)).toEqual(frames.map((_, i) => first + i));
    if (frames.some(({ flash }) => flash)) expect(apart(frames, tones)).toBeLessThan(0.025);
    expect(files[0]).toMatchObject({
      width: 320,
      height: 180,
      startMs: START + Math.round((first * 1000) / 30),
    });
  });

  test("an instant cut begins at the keyframe before the start and is a copy", async () => {
    const { frames, tones, files } = await cut({
      channelId,
      startMs: START + 3200,
      endMs: START + 8000,
      cut: "instant",
    });
    expect(ends(frames)).toEqual([60, 239, 180]);
    expect(apart(frames, tones)).toBeLessThan(0.025);
    // The file's time leads back to the stream's.
    const flash = frames.find(({ flash }) => flash);
    expect((files[0]?.startMs ?? 0) + Math.round((flash?.atS ?? 0) * 1000)).toBeCloseTo(START + 2000, -1);
  });
});

test("a gap is left out and said, and sound stays in step behind it", async () => {
  const channelId = "gap";
  const files = makeFootage(world.folder, plain);
  await keepFootage(world.nc, world.objects, {
    ...{ channelId, epoch: START, firstSeq: 1, startMs: START, footage: plain, files, without: [2] },
  });
  for (const kind of ["exact", "instant"] as const) {
    const { frames, tones, leftOut } = await cut({
      channelId,
      startMs: START + 2000,
      endMs: START + 8000,
      cut: kind,
    });
    expect(leftOut).toEqual([{ fromMs: START + 4000, toMs: START + 6000, why: "gap" }]);
    expect(frames.map(({ number }) => number)).toEqual([...range(60, 120), ...range(180, 240)]);
    expect(apart(frames, tones)).toBeLessThan(0.05);
  }
});

test("a clip goes on across a restart with another clock and another size, and over an advertisement", async () => {
  const channelId = "restart";
  const larger: Footage = { ...plain, width: 640, height: 360, seconds: 4, from: 1000, clockS: 500 };
  const ad: Footage = { ...plain, seconds: 4, from: 2000, clockS: 900 };
  const after: Footage = { ...plain, seconds: 4, from: 3000, clockS: 20 };
  const at = { channelId, discontinuity: true };
  await keepFootage(world.nc, world.objects, {
    ...{ ...at, epoch: START, firstSeq: 1, startMs: START, footage: { ...plain, seconds: 4 } },
    files: makeFootage(world.folder, { ...plain, seconds: 4 }),
  });
  await keepFootage(world.nc, world.objects, {
    ...{ ...at, epoch: START, firstSeq: 3, startMs: START + 4000, footage: larger },
    files: makeFootage(world.folder, larger),
  });
  await keepFootage(world.nc, world.objects, {
    ...{ ...at, epoch: START, firstSeq: 5, startMs: START + 8000, footage: ad, ad: true },
    files: makeFootage(world.folder, ad),
  });
  await keepFootage(world.nc, world.objects, {
    ...{ ...at, epoch: START + 12_000, firstSeq: 0, startMs: START + 12_000, footage: after },
    files: makeFootage(world.folder, after),
  });
  for (const kind of ["exact", "instant"] as const) {
    const { frames, tones, leftOut, files } = await cut({
      channelId,
      startMs: START + 3000,
      endMs: START + 13_000,
      cut: kind,
    });
    expect(leftOut).toEqual([{ fromMs: START + 8000, toMs: START + 12_000, why: "ad" }]);
    // One decoder cannot play both sizes, so the instant cut is made like an exact one.
    expect(frames.map(({ number }) => number)).toEqual([
      ...range(90, 120),
      ...range(1000, 1120),
      ...range(3000, 3030),
    ]);
    expect(files[0]).toMatchObject({ width: 640, height: 360 });
    expect(apart(frames, tones)).toBeLessThan(0.05);
  }
});

test.each([
  ["no sound", { tracks: 0 }, 0],
  ["two tracks of sound, of which the first is taken", { tracks: 2 }, 1],
  ["frames at varying distances", { variable: true }, 1],
] as const)("video with %s", async (_name, change, sounds) => {
  const channelId = `odd-${Object.keys(change).join("")}-${String(Object.values(change)[0])}`;
  const footage: Footage = { ...plain, seconds: 6, ...change };
  const files = makeFootage(world.folder, footage);
  await keepFootage(world.nc, world.objects, {
    channelId,
    epoch: START,
    firstSeq: 0,
    startMs: START,
    footage,
    files,
  });
  for (const kind of ["exact", "instant"] as const) {
    const { frames, tones, path } = await cut({
      channelId,
      startMs: START + 1000,
      endMs: START + 5000,
      cut: kind,
    });
    const [first, last] = ends(frames);
    expect(first).toBe(kind === "exact" ? 30 : 0);
    // A copy ends with whole packets: up to a few frames late.
    expect(last).toBeGreaterThanOrEqual(149);
    expect(last).toBeLessThanOrEqual(kind === "exact" ? 149 : 154);
    expect(hasTones(path)).toBe(sounds > 0);
    if (sounds > 0) expect(apart(frames, tones)).toBeLessThan(0.05);
    // Each frame keeps its own time.
    const zero = frames[0] ?? { number: 0, atS: 0 };
    for (const { number, atS } of frames) expect(atS - zero.atS).toBeCloseTo((number - zero.number) / 30, 2);
  }
});

test("segments whose first picture is larger than what is read of them stay one stretch", async () => {
  const { folder } = world;
  mkdirSync(join(folder, "noise"));
  execFileSync("ffmpeg", [
    ...[
      "-v",
      "error",
      "-f",
      "lavfi",
      "-i",
      "color=gray:s=640x360:r=30,noise=alls=100:allf=t",
      "-f",
      "lavfi",
      "-i",
      "sine",
    ],
    ...[
      "-t",
      "6",
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-crf",
      "2",
      "-g",
      "60",
      "-threads",
      "1",
      "-c:a",
      "aac",
    ],
    ...["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", join(folder, "noise", "list.m3u8")],
  ]);
  const segments = [0, 1, 2].map((i) => readFileSync(join(folder, "noise", `list${i}.ts`)));
  expect(segments[0]?.byteLength).toBeGreaterThan(1_000_000);
  const heads = await Promise.all(
    segments.map((bytes, i) => {
      const media = join(folder, `head-${i}.ts`);
      writeFileSync(media, bytes);
      return headOf({ source: { container: "ts", init: null } } as VideoSegment, { media, init: null });
    }),
  );
  expect(new Set(heads.map((head) => head?.setUp)).size).toBe(1);
});

test.each([
  // Short tones between silence: to be as loud as asked they would have to be cut off.
  ["short tones, which the limiter holds", undefined, null],
  ["a quiet hum", 0.05, -14],
  ["a loud hum", 0.7, -14],
])("loudness comes to −14 LUFS, and peaks stay under −1 dB: %s", async (_name, hum, lufs) => {
  const channelId = `loud-${(hum ?? 0) * 100}`;
  const footage: Footage = { ...plain, seconds: 4, tracks: 1, ...(hum === undefined ? {} : { hum }) };
  const files = makeFootage(world.folder, footage);
  await keepFootage(world.nc, world.objects, {
    ...{ channelId, epoch: START, firstSeq: 0, startMs: START, footage, files },
  });
  const { path } = await cut({ channelId, startMs: START, endMs: START + 4000, normalise: true });
  const said = spawnSync(
    "ffmpeg",
    ["-nostats", "-hide_banner", "-i", path, "-vn", "-af", "ebur128=peak=true", "-f", "null", "-"],
    { encoding: "utf8" },
  ).stderr;
  expect(Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(said)?.[1])).toBeLessThanOrEqual(-1);
  const integrated = Number([...said.matchAll(/^\s*I:\s*(-?[\d.]+) LUFS/gm)].at(-1)?.[1]);
  if (lufs !== null) expect(Math.abs(integrated - lufs)).toBeLessThanOrEqual(1);
});

test.each([
  ["bad_span", 5000, 3000],
  ["too_short", 5000, 5000],
  ["too_long", 0, 3 * 3_600_000],
  ["no_video", -500_000, -490_000],
])("a span that is %s gives no clip, and says why and what to do", async (code, fromMs, toMs) => {
  const failure = await cut({ channelId: "plain-ts", startMs: START + fromMs, endMs: START + toMs }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ClipFailure);
  const { error } = failure as ClipFailure;
  expect(error.code).toBe(code);
  expect(error.detail).toMatch(/\.$/);
  expect(error.action).toMatch(/\.$/);
});

test("a span whose beginning retention has taken is not kept any more", async () => {
  const channelId = "taken";
  const files = makeFootage(world.folder, plain);
  const segments = await keepFootage(world.nc, world.objects, {
    channelId,
    epoch: START,
    firstSeq: 0,
    startMs: START,
    footage: plain,
    files,
  });
  await world.objects.remove(segments[0]?.source?.key ?? "");
  const failure = await cut({ channelId, startMs: START + 500, endMs: START + 5000 }).catch(
    (error: unknown) => error,
  );
  expect((failure as ClipFailure).error.code).toBe("not_kept");
});

test("a segment that is no media is a gap, and all of them are an error", async () => {
  const channelId = "html";
  const files = { init: null, segments: [...makeFootage(world.folder, plain).segments] };
  files.segments[1] = Buffer.from("<!doctype html><title>502</title>".repeat(50));
  files.segments[2] = Buffer.from("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n");
  await keepFootage(world.nc, world.objects, {
    channelId,
    epoch: START,
    firstSeq: 0,
    startMs: START,
    footage: plain,
    files,
  });
  const { frames, leftOut } = await cut({ channelId, startMs: START, endMs: START + 8000 });
  expect(frames.map(({ number }) => number)).toEqual([...range(0, 60), ...range(180, 240)]);
  expect(leftOut).toEqual([{ fromMs: START + 2000, toMs: START + 6000, why: "gap" }]);
  const failure = await cut({ channelId, startMs: START + 2100, endMs: START + 5900 }).catch(
    (error: unknown) => error,
  );
  expect((failure as ClipFailure).error.code).toBe("nothing_left");
});

test("a full disk in mid-clip is an error in words, and nothing is left behind", async () => {
  const full: Objects = {
    ...world.objects,
    async put(key, body) {
      if (key.endsWith("thumb.jpg")) throw new DiskFull("no room");
      return world.objects.put(key, body);
    },
  };
  const before = await keysOf("clips/");
  const failure = await cut({ channelId: "plain-ts", startMs: START, endMs: START + 3000 }, full).catch(
    (error: unknown) => error,
  );
  expect((failure as ClipFailure).error).toMatchObject({
    code: "disk_full",
    action: expect.stringContaining("space"),
  });
  expect(await keysOf("clips/")).toEqual(before);
});

async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of world.objects.list(prefix)) keys.push(key);
  return keys.sort();
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
