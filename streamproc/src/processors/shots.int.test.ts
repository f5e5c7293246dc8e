import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { makeFootage } from "@hypecast/demo/video/footage.ts";
import { beforeAll, expect, test } from "vitest";
import { openFfmpeg } from "../media/ffmpeg.ts";
import { measure } from "../media/measure.ts";
import { audio } from "./audio.ts";
import { runOf } from "./run.ts";
import { shots } from "./shots.ts";
import { CHANNEL, cutsOf, segment } from "./video.fixture.ts";

const SECONDS = 20;
const folder = join(import.meta.dirname, "../../../.tools/footage/shots");

let found: VideoShot[] = [];
let heard: AudioWindow[] = [];
let cuts: readonly number[] = [];

/** Real segments through a real decoder, the measures of a worker and both folds. */
beforeAll(async () => {
  ({ cuts } = await makeFootage(folder, SECONDS, { sizes: [{ width: 284, height: 160 }] }));
  const names = readdirSync(join(folder, "284x160"))
    .filter((name) => name.endsWith(".ts"))
    .toSorted();
  const paths = names.map((name) => join(folder, "284x160", name));
  const source = openFfmpeg()!;
  const run = runOf([shots, audio], CHANNEL);
  found = [];
  heard = [];
  for (const [seq, path] of paths.entries()) {
    const startMs = seq * 2000;
    const before = seq === 0 ? null : { container: "ts" as const, path: paths[seq - 1]!, initPath: null };
    const job = {
      id: String(seq),
      container: "ts" as const,
      path,
      initPath: null,
      startMs,
      durationMs: 2000,
      before,
      allFrames: false,
    };
    const outcome = await measure(source, job);
    if (outcome.failed !== null) throw new Error(outcome.detail);
    const { picture, sound } = outcome.measured;
    for (const said of run.step({
      type: "measured",
      measured: segment(seq, startMs, 2000, { picture, sound }),
    })) {
      if (said.type === "shot") found.push(said.shot);
      if (said.type === "audio") heard.push(said.audio);
    }
  }
});

test("the cuts of encoded segments are found at their frames", () => {
  // The last shot is still open.
  expect(cutsOf(found).map(([frame]) => frame)).toEqual(cuts.slice(0, -1));
  expect(new Set(found.slice(1).map((shot) => shot.cut))).toEqual(new Set(["hard"]));
  expect(found.map((shot) => shot.frames)).toEqual(found.map(() => 135));
  for (const shot of found) expect(shot.sharpness).toBeGreaterThan(0);
});

test("its tone is as loud in each second, also where segments meet", () => {
  expect(heard).toHaveLength(SECONDS);
  const levels = heard.slice(1, -1).map((window) => window.momentary!);
  expect(Math.max(...levels) - Math.min(...levels)).toBeLessThan(1);
  expect(heard.some((window) => window.silence)).toBe(false);
});
