import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { openOnnx } from "../scorer/onnx.ts";
import { Late, type Scorer } from "../scorer/scorer.ts";
import { writeBrightnessModel } from "../scorer/test-graph.ts";
import { FRAME_BYTES, packFrames } from "./frames-file.ts";
import { scoreShots, SHOT_MODEL } from "./score-shots.ts";

const log = pino({ level: "silent" });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypecast-score-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shot = (startMs: number, keys: string[]): VideoShot => ({
  id: `1:0:${startMs}`,
  channelId: "1",
  epoch: 0,
  startMs,
  endMs: startMs + 4000,
  cut: "hard",
  frames: 120,
  ad: false,
  scene: "game",
  sharpness: 0.5,
  exposure: 0.5,
  colourfulness: 0.5,
  noise: 0,
  cameraMotion: 0,
  objectMotion: 0,
  blackShare: 0,
  frozenShare: 0,
  cutsPerMin: 2,
  text: 0,
  novelty: 1,
  framesKeys: keys,
});
const grey = (level: number): Uint8Array => new Uint8Array(FRAME_BYTES).fill(level);

test("an operator's model of our size sees the frames of the shot, and scores carry its name and version", async () => {
  const heads = { action: [1], quality: [1], novelty: [1] };
  writeBrightnessModel(join(folder, "models"), SHOT_MODEL, {
    input: "frames",
    dims: [8, 36, 64, 3],
    axes: [1, 2, 3, 4],
    outputs: heads,
  });
  const objects = openFolder(join(folder, "objects"));
  await objects.put(
    "frames/1/0/1.rgb",
    packFrames([0, 1000, 2000, 3000].map((atMs) => ({ atMs, rgb: grey(51) }))),
  );
  await objects.put(
    "frames/1/0/2.rgb",
    packFrames([4000, 5000, 6000].map((atMs) => ({ atMs, rgb: grey(204) }))),
  );
  const scorer = await openOnnx(join(folder, "models"), [SHOT_MODEL]);
  const keys = ["frames/1/0/1.rgb", "frames/1/0/2.rgb"];
  const scores = await scoreShots([shot(0, keys), shot(4000, keys), shot(9000, keys), shot(4000, [])], {
    scorer,
    objects,
    log,
  });
  expect(
    scores.map(({ model, action, unknown }) => [
      model,
      action === null ? null : Math.round(action * 100),
      unknown,
    ]),
  ).toEqual([
    ["shot_score@1", 20, null],
    ["shot_score@1", 80, null],
    ["none", null, "no_frames"],
    ["none", null, "no_frames"],
  ]);
  await scorer.close();
});

test("a CLIP-class model of 224 × 224 sees the thumbnails", async () => {
  writeBrightnessModel(join(folder, "models"), SHOT_MODEL, {
    input: "frames",
    dims: [2, 224, 224, 3],
    axes: [1, 2, 3, 4],
    outputs: { action: [1] },
  });
  const objects = openFolder(join(folder, "objects"));
  const jpeg = await sharp({ create: { width: 284, height: 160, channels: 3, background: "#cccccc" } })
    .jpeg()
    .toBuffer();
  await objects.put("thumbs/1/0/1.jpg", jpeg);
  const scorer = await openOnnx(join(folder, "models"), [SHOT_MODEL]);
  const [kept, lost] = await scoreShots([shot(0, ["frames/1/0/1.rgb"]), shot(4000, ["frames/1/0/9.rgb"])], {
    scorer,
    objects,
    log,
  });
  expect(kept).toMatchObject({ quality: null, novelty: null, unknown: null });
  expect(kept!.action).toBeCloseTo(0.8, 2);
  expect(lost).toMatchObject({ action: null, unknown: "no_frames" });
  await scorer.close();
});

test.each([
  ["down", async () => Promise.reject(new Error("connect ECONNREFUSED")), "scorer_down"],
  ["late", async () => Promise.reject(new Late(SHOT_MODEL, 2000)), "late"],
  [
    "wanting another kind of picture",
    async () => [{ name: "frames", type: "FP32", dims: [3] }],
    "bad_answer",
  ],
] as const)(
  "with a scorer that is %s every shot is unknown, by its reason",
  async (_what, inputs, unknown) => {
    const scorer: Scorer = {
      inputs: inputs as Scorer["inputs"],
      score: async () => ({}),
      version: () => "none",
      close: async () => undefined,
    };
    const objects = openFolder(join(folder, "objects"));
    const scores = await scoreShots([shot(0, ["frames/1/0/1.rgb"]), shot(4000, [])], {
      scorer,
      objects,
      log,
    });
    for (const score of scores)
      expect(score).toMatchObject({ action: null, quality: null, novelty: null, model: "none", unknown });
  },
);
