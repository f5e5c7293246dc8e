import { join } from "node:path";
import { rmSync } from "node:fs";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { pino } from "pino";
import { expect, test } from "vitest";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { videoShots, type ShotScore, type VideoShot } from "@hypecast/contracts/shot.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { startNats, temporaryFolder } from "@hypecast/tests/servers.ts";
import { openOnnx } from "../scorer/onnx.ts";
import { MODELS_FOLDER } from "../scorer/open.ts";
import { FRAME_BYTES, packFrames } from "./frames-file.ts";
import { SHOT_MODEL, startScoreShots } from "./score-shots.ts";

const shot = (startMs: number, key: string): VideoShot => ({
  ...{ id: `7:0:${startMs}`, channelId: "7", epoch: 0, startMs, endMs: startMs + 2000, cut: "hard" },
  ...{ frames: 60, ad: false, scene: "game", sharpness: 0.4, exposure: 0.5, colourfulness: 0.5, noise: 0.1 },
  ...{
    cameraMotion: 0.1,
    objectMotion: 0.2,
    blackShare: 0,
    frozenShare: 0,
    cutsPerMin: 4,
    text: 0,
    novelty: 1,
  },
  framesKeys: [key],
});

test("every shot gets one score by our model, also when two processes share the work and shots come twice", async () => {
  const folder = temporaryFolder("score");
  const nats = await startNats();
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  const objects = openFolder(join(folder, "objects"));
  const scorer = await openOnnx(MODELS_FOLDER, [SHOT_MODEL]);
  const tools = { scorer, objects, log: pino({ level: "silent" }) };
  const both = [startScoreShots(nc, tools), startScoreShots(nc, tools)];
  const jsm = await jetstreamManager(nc);
  await expect.poll(async () => jsm.consumers.info("FOLD", "score-shots").catch(() => null)).not.toBeNull();

  const shots = Array.from({ length: 50 }, (_, i) => shot(i * 2000, `frames/7/0/${i}.rgb`));
  for (const [i, { startMs }] of shots.entries())
    // The last one's frames were not kept.
    if (i < 49)
      await objects.put(
        `frames/7/0/${i}.rgb`,
        packFrames(
          [0, 700, 1400].map((ms) => ({ atMs: startMs + ms, rgb: new Uint8Array(FRAME_BYTES).fill(i * 5) })),
        ),
      );
  const js = jetstream(nc);
  for (let round = 0; round < 2; round++)
    for (let from = 0; from < 50; from += 10)
      await js.publish(subjectOf(videoShots, "7"), JSON.stringify(shots.slice(from, from + 10)));

  const read = async (): Promise<ShotScore[]> => {
    const { messages } = (await jsm.streams.info("INPUT")).state;
    const scores: ShotScore[] = [];
    for (let seq = 1; seq <= messages; seq++)
      scores.push((await jsm.streams.getMessage("INPUT", { seq }))!.json<ShotScore>());
    return scores;
  };
  await expect
    .poll(
      async () =>
        (await jsm.consumers.info("FOLD", "score-shots")).num_ack_pending +
        (await jsm.consumers.info("FOLD", "score-shots")).num_pending,
      { timeout: 20_000 },
    )
    .toBe(0);
  const scores = await read();
  expect(scores.map(({ id }) => id).toSorted()).toEqual(shots.map(({ id }) => id).toSorted());
  for (const score of scores) {
    const known = score.id !== shots[49]!.id;
    expect(score.unknown).toBe(known ? null : "no_frames");
    expect(score.model).toBe(known ? "shot_score@1" : "none");
    for (const value of [score.action, score.quality, score.novelty])
      expect(known ? value! >= 0 && value! <= 1 : value === null).toBe(true);
  }
  for (const one of both) await one.close();
  await scorer.close();
  await nc.close();
  await nats.close();
  rmSync(folder, { recursive: true });
});
