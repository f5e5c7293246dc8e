import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { channelLayout, filmProblem, type ClipPart } from "@hypecast/contracts/clip.ts";
import type { EmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import { ClipFailure } from "./failure.ts";
import { keepFootage, makeFootage, type Footage } from "./footage.fixture.ts";
import { render, type Rendered } from "./render.ts";
import { openWorld, type Asked, type World } from "./world.fixture.ts";

let world: World;
const noEmotes: EmoteCache = {
  image: () => Promise.reject(new Error("no provider in this test")),
  keyOf: () => "",
};
const START = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const footage: Footage = { width: 320, height: 180, fps: 25, seconds: 6, hum: 0.4 };

const line = (n: number, atMs: number, text: string): ChatLine => ({
  id: `l${n}`,
  channelId: "talk",
  sentAtMs: START + atMs,
  userId: `${n % 7}`,
  login: `viewer${n % 7}`,
  text,
});

beforeAll(async () => {
  world = await openWorld();
  await world.say(
    [
      line(0, 300, "hello there"),
      ...Array.from({ length: 30 }, (_, i) =>
        line(1 + i, 1500 + i * 40, i % 2 === 0 ? "LUL" : "he fell into the lava"),
      ),
      line(40, 2500, "removed by a moderator"),
    ],
    [{ id: "m", channelId: "talk", sentAtMs: START + 9000, action: "delete", targetMessageId: "l40" }],
  );
  await keepFootage(world.nc, world.objects, {
    ...{ channelId: "seen", epoch: START, firstSeq: 1, startMs: START, footage },
    files: makeFootage(world.folder, footage),
  });
});
afterAll(() => world?.close());

let made = 0;
async function cut(request: Asked): Promise<Rendered & { paths: string[] }> {
  const asked = await world.ask({ normalise: false, ...request });
  const folder = join(world.folder, `work-${++made}`);
  mkdirSync(folder);
  const said = {
    layoutOf: () => Promise.resolve(channelLayout.parse({})),
    nameOf: (login: string) => Promise.resolve(login),
    chatterHash: (userId: string) => `hash-${userId}`,
  };
  const tools = { nc: world.nc, objects: world.objects, emotes: noEmotes, threads: 1, ...said };
  const rendered = await render(asked, folder, tools, new AbortController().signal, () => {});
  const files = await Promise.all(rendered.files.map(({ key }) => world.objects.file(key)));
  return { ...rendered, paths: files.map((file) => file?.path ?? "") };
}

/** Mean brightness 0–255 of a part of the picture at a time. */
function light(path: string, atS: number, crop = "iw:ih:0:0"): number {
  const args = ["-v", "error", "-ss", String(atS), "-i", path, "-frames:v", "1"];
  const filter = `crop=${crop},scale=1:1:flags=area,format=gray`;
  return execFileSync("ffmpeg", [...args, "-vf", filter, "-f", "rawvideo", "-"])[0] ?? 0;
}
const streamsOf = (path: string): string[] =>
  execFileSync("ffprobe", ["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", path], {
    encoding: "utf8",
  })
    .trim()
    .split("\n");
const said = (path: string, filter: string): string =>
  spawnSync("ffmpeg", ["-hide_banner", "-nostats", "-i", path, "-af", filter, "-f", "null", "-"], {
    encoding: "utf8",
  }).stderr;

describe("a clip of chat alone", () => {
  test("needs no picture: chat comes in, the curve stands below it, and it says what it is", async () => {
    const { files, paths, thumbKey } = await cut({
      ...{ channelId: "talk", picture: "chat", startMs: START, endMs: START + 3000 },
      ...{ layouts: ["16:9", "9:16"], title: "The lava" },
    });
    expect(files.map(({ layout, width, height, durationMs }) => [layout, width, height, durationMs])).toEqual(
      [
        ["16:9", 1280, 720, 3000],
        ["9:16", 720, 1280, 3000],
      ],
    );
    const [wide = "", upright = ""] = paths;
    expect(streamsOf(wide)).toEqual(["video"]);
    expect(
      execFileSync("ffprobe", ["-v", "error", "-show_entries", "format_tags=title", "-of", "csv=p=0", wide], {
        encoding: "utf8",
      }).trim(),
    ).toBe("The lava (chat only)");
    // Where chat stands it becomes brighter, also on the upright one.
    expect(light(wide, 2.8, "600:300:50:200")).toBeGreaterThan(light(wide, 0.1, "600:300:50:200") + 3);
    expect(light(upright, 2.8, "500:500:40:400")).toBeGreaterThan(light(upright, 0.1, "500:500:40:400") + 3);
    // The hand uncovers the curve: its middle is covered at first.
    expect(light(wide, 2.8, "200:100:640:590")).toBeGreaterThan(light(wide, 0.3, "200:100:640:590") + 10);
    // The label, bright, at the upper right.
    expect(light(wide, 1, "60:20:1140:70")).toBeGreaterThan(60);
    expect((await world.objects.get(thumbKey ?? ""))?.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  });

  test.each([
    ["nothing_left", 20_000, 30_000],
    ["not_yet", 500_000, 601_500 + 60_000],
    ["not_kept", -3 * 86_400_000, -3 * 86_400_000 + 5000],
    ["too_long", 0, 3_600_000],
  ])("of a span where there is nothing to show says so: %s", async (code, fromMs, toMs) => {
    const request = {
      channelId: "talk",
      picture: "chat" as const,
      startMs: START + fromMs,
      endMs: START + toMs,
    };
    const failure = await cut(request).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClipFailure);
    expect((failure as ClipFailure).error.code).toBe(code);
  });
});

describe("a film", () => {
  const part = (over: Partial<ClipPart>): ClipPart => ({
    ...{ login: "runner", channelId: "seen", startMs: START + 1000, endMs: START + 3000 },
    ...{ picture: "video", title: "", ...over },
  });
  const parts = [
    part({ title: "First" }),
    part({ channelId: "talk", login: "talker", picture: "chat", startMs: START + 1000, endMs: START + 3000 }),
    part({ startMs: START + 3000, endMs: START + 5000 }),
  ];
  const whole = { channelId: "seen", startMs: START + 1000, endMs: START + 3000, parts };

  test("joins stretches of several streams, with and without a picture, dark and silent between them", async () => {
    const { files, paths, leftOut } = await cut({ ...whole, layouts: ["16:9", "9:16"] });
    expect(leftOut).toEqual([]);
    expect(files.map(({ layout }) => layout)).toEqual(["16:9", "9:16"]);
    for (const { durationMs } of files) expect(Math.abs(durationMs - 6000)).toBeLessThan(250);
    const [path = ""] = paths;
    expect(files[0]).toMatchObject({ width: 320, height: 180, startMs: START + 1000 });
    expect(streamsOf(path).sort()).toEqual(["audio", "video"]);
    // Every picture can be decoded, and none goes back in time.
    const times = execFileSync(
      "ffprobe",
      ["-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path],
      { encoding: "utf8" },
    )
      .trim()
      .split("\n")
      .map(Number);
    expect(times.length).toBeGreaterThanOrEqual(6 * 30 - 2);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // The lower half of the footage is grey; where parts meet it is dark.
    const lower = "160:60:80:110";
    expect(light(path, 1, lower)).toBeGreaterThan(90);
    expect(light(path, 1.98, lower)).toBeLessThan(30);
    expect(light(path, 5, lower)).toBeGreaterThan(90);
    // It hums, is silent for the part without sound, and hums again.
    const silence = /silence_start: ([\d.]+)[\s\S]*silence_end: ([\d.]+)/.exec(
      said(path, "silencedetect=n=-40dB:d=1"),
    );
    expect(Number(silence?.[1])).toBeCloseTo(2, 0);
    expect(Number(silence?.[2])).toBeCloseTo(4, 0);
    // Its number stands over the beginning of a part, and goes.
    const corner = "40:10:14:10";
    const untitled = (await cut({ ...whole, parts: [parts[0]!], titles: false })).paths[0] ?? "";
    expect(Math.abs(light(path, 1, corner) - light(untitled, 1, corner))).toBeGreaterThan(5);
  });

  test("fails with the number of the part that cannot be made, and leaves nothing", async () => {
    const failure = await cut({ ...whole, parts: [parts[0]!, part({ channelId: "nobody" })] }).catch(
      (error: unknown) => error,
    );
    expect((failure as ClipFailure).error).toMatchObject({
      code: "no_video",
      detail: expect.stringMatching(/^Part 2: /),
    });
    expect(filmProblem(Array.from({ length: 30 }, () => ({ startMs: 0, endMs: 600_000 })))?.code).toBe(
      "too_long",
    );
    expect(filmProblem(parts)).toBeNull();
  });
});
