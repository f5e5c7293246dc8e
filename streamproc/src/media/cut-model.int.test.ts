import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { temporaryFolder } from "@hypecast/tests/servers.ts";
import { openScorer } from "../scorer/open.ts";
import { Late, type Scorer } from "../scorer/scorer.ts";
import { writeBrightnessModel } from "../scorer/test-graph.ts";
import { startStandIn } from "../scorer/test-triton.ts";
import { unpack } from "../signals/signature.ts";
import { startChannel } from "./channel-work.ts";
import { openCutModel } from "./cut-model.ts";
import { FRAME_BYTES } from "./frames-file.ts";
import { mediaMeters } from "./media-meters.ts";
import { CUT_MODEL } from "./model-cuts.ts";
import { scoreShots, SHOT_MODEL } from "./score-shots.ts";
import type { SegmentLog } from "./segment-log.ts";
import { plain } from "./test-footage.ts";
import { openWorkers } from "./workers.ts";

const log = { info: () => undefined, warn: () => undefined };
/** However slow the machine that this runs on: the model is not late. */
const PATIENT_MS = 30_000;
const grey = (value: number): Uint8Array => new Uint8Array(FRAME_BYTES).fill(value);

let folder: string;
let models: string;
beforeEach(() => {
  folder = temporaryFolder("cut-model");
  models = join(folder, "models");
  writeBrightnessModel(models, CUT_MODEL, {
    input: "windows",
    dims: [100, 27, 48, 3],
    axes: [2, 3, 4],
    outputs: { cut: [100, 1] },
  });
  mediaMeters.cutModel.reset();
});
afterEach(() => rmSync(folder, { recursive: true }));

async function counted(): Promise<Record<string, number>> {
  const { values } = await mediaMeters.cutModel.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
}

/** What is published of one segment of real footage, with workers and files as they are and a log in memory. */
async function measuredWith(scorer: Scorer): Promise<VideoMeasured> {
  const objects = openFolder(join(folder, "objects"));
  const key = "video/7/1/0-160.ts";
  await objects.put(key, readFileSync(plain(2).paths[0]!));
  const file = { key, bytes: 1, width: 284, height: 160, bandwidth: 0, container: "ts" as const, init: null };
  const segment: VideoSegment = {
    ...{ id: "7:1:0", channelId: "7", epoch: 1, seq: 0, startMs: 1_700_000_000_000, durationMs: 2000 },
    ...{ discontinuity: false, ad: false, analysis: file, source: file },
  };
  const workers = openWorkers({ count: 1, frames: "auto", log });
  const cutModel = await openCutModel(scorer, log, PATIENT_MS);
  let told: (measured: VideoMeasured) => void = () => undefined;
  const telling = new Promise<VideoMeasured>((resolve) => (told = resolve));
  const memory: SegmentLog = {
    position: async () => ({ segmentSeq: 0, measuredSeq: 0 }),
    segmentAt: async () => null,
    async *read() {
      yield { segment, seq: 1, storedAtMs: Date.now(), pending: 0 };
    },
    async *channels() {},
    publish: async (measured) => {
      told(measured);
      return null;
    },
  };
  const work = startChannel("7", {
    atOnce: 1,
    log: memory,
    objects,
    workers,
    cutModel,
    logger: log,
    isShed: () => false,
  });
  const measured = await telling;
  await work.close();
  cutModel.close();
  await workers.close();
  objects.close();
  await scorer.close();
  return measured;
}

test("with a model in the operator's folder each frame of what is published has its chance; without, nothing changes", async () => {
  const ours = await measuredWith(await openScorer(readConfig({}), [SHOT_MODEL, CUT_MODEL]));
  expect(ours.picture).not.toHaveProperty("cutChance");
  expect(await counted()).toEqual({});

  const config = readConfig({ HYPECAST_MODELS: models });
  const { picture, ...rest } = await measuredWith(await openScorer(config, [SHOT_MODEL, CUT_MODEL]));
  expect(await counted()).toEqual({ answered: 1 });
  const { cutChance, ...same } = picture!;
  expect({ picture: same, ...rest }).toEqual({ ...ours });
  const chances = unpack(cutChance!);
  expect(chances).toHaveLength(same.atMs.length);
  expect(Math.min(...chances)).toBeGreaterThan(0);
});

test("through Triton it is the same, also for a shot model of the operator's", async () => {
  writeBrightnessModel(models, SHOT_MODEL, {
    input: "frames",
    dims: [8, 36, 64, 3],
    axes: [1, 2, 3, 4],
    outputs: { action: [1] },
  });
  const onnx = readConfig({ HYPECAST_MODELS: models });
  const inProcess = await measuredWith(await openScorer(onnx, [SHOT_MODEL, CUT_MODEL]));
  const server = await startStandIn(models);
  const triton = readConfig({ HYPECAST_SCORER: "triton", HYPECAST_TRITON_URL: server.url });
  expect(await measuredWith(await openScorer(triton, []))).toEqual(inProcess);
  expect(await counted()).toEqual({ answered: 2 });
  expect(server.seen.map(({ rows }) => rows)).toEqual([2]);

  const scorer = await openScorer(triton, []);
  const objects = openFolder(join(folder, "objects"));
  // Kept when the segment was measured.
  const [score] = await scoreShots([SHOT], { scorer, objects, log: log as never });
  expect(score).toMatchObject({ model: "shot_score@1", quality: null, unknown: null });
  expect(score!.action).toBeGreaterThan(0);
  objects.close();
  await scorer.close();
  await server.close();
});

test("what a failing server costs is the model's word, and each failure is counted by its reason", async () => {
  const server = await startStandIn(models);
  const triton = readConfig({ HYPECAST_SCORER: "triton", HYPECAST_TRITON_URL: server.url });
  const scorer = await openScorer(triton, []);
  const cutModel = await openCutModel(scorer, log, PATIENT_MS);
  expect(cutModel.isThere()).toBe(true);
  const hurried = await openCutModel(scorer, log, 200);
  for (const [what, outcome, asked] of [
    ["500", "down", cutModel],
    ["nan", "bad_answer", cutModel],
    ["silent", "late", hurried],
  ] as const) {
    server.script.push(what);
    expect(await asked.chances(grey(100)), what).toBeNull();
    expect((await counted())[outcome]).toBe(1);
  }
  hurried.close();
  expect(unpack((await cutModel.chances(grey(100)))!)).toEqual(Uint8Array.of(100));
  const many = await Promise.all(Array.from({ length: 6 }, async () => cutModel.chances(grey(100))));
  expect(many.filter((one) => one === null)).toHaveLength(2);
  expect(await counted()).toEqual({ answered: 5, down: 1, bad_answer: 1, late: 1, busy: 2 });
  cutModel.close();

  server.script.push("500");
  const failed = await measuredWith(await openScorer(triton, []));
  expect(failed.failed).toBeNull();
  expect(failed.picture).not.toHaveProperty("cutChance");
  expect((await counted())["down"]).toBe(2);
  await scorer.close();
  await server.close();
});

test("a model that says of itself what we do not send is a bad answer; one that does not answer at the start is not there yet", async () => {
  writeBrightnessModel(models, CUT_MODEL, {
    input: "windows",
    dims: [50, 27, 48, 3],
    axes: [2, 3, 4],
    outputs: { cut: [50, 1] },
  });
  const scorer = await openScorer(readConfig({ HYPECAST_MODELS: models }), [CUT_MODEL]);
  const cutModel = await openCutModel(scorer, log, PATIENT_MS);
  expect(await cutModel.chances(grey(9))).toBeNull();
  expect(await counted()).toEqual({ bad_answer: 1 });
  cutModel.close();
  await scorer.close();

  const late = { ...scorer, inputs: async () => Promise.reject(new Late(CUT_MODEL, 1)) };
  const notYet = await openCutModel(late, log);
  expect(notYet.isThere()).toBe(false);
  notYet.close();
});

const SHOT: VideoShot = {
  ...{ id: "7:1:0", channelId: "7", epoch: 1, startMs: 1_700_000_000_000, endMs: 1_700_000_002_000 },
  ...{ cut: "hard", frames: 60, ad: false, scene: "game", sharpness: 0.4, exposure: 0.5 },
  ...{ colourfulness: 0.5, noise: 0.1, cameraMotion: 0.1, objectMotion: 0.2, blackShare: 0 },
  ...{ frozenShare: 0, cutsPerMin: 4, text: 0, novelty: 1 },
  framesKeys: ["frames/7/1/0.rgb"],
};
