import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { videoMeasured, type VideoMeasured } from "@hypecast/contracts/measured.ts";
import { videoSegment, type VideoSegment } from "@hypecast/contracts/video.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { exited, startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { writeBrightnessModel } from "../scorer/test-graph.ts";
import { unpack } from "../signals/signature.ts";
import { CUT_MODEL } from "./model-cuts.ts";
import { openSegmentLog } from "./segment-log.ts";
import { plain } from "./test-footage.ts";

const CHANNELS = ["100", "200", "300"];
const SEGMENTS = 10;
const EPOCH = Date.UTC(2026, 0, 1);
const FOOTAGE = plain(2 * SEGMENTS);
/** Channel 200 has a web page for a segment, channel 300 one that is not kept. */
const WEB_PAGE_AT = 5;
const NOT_KEPT_AT = 8;

const segment = (channelId: string, seq: number): VideoSegment => {
  const key = `video/${channelId}/${EPOCH}/${seq}-160.ts`;
  const file = { key, bytes: 1, width: 284, height: 160, bandwidth: 0, container: "ts" as const, init: null };
  return {
    ...{ id: `${channelId}:${EPOCH}:${seq}`, channelId, epoch: EPOCH, seq },
    ...{ startMs: EPOCH + seq * 2000, durationMs: 2000, discontinuity: seq === 0, ad: seq === 3 },
    ...{ analysis: file, source: file },
  };
};

/** A log and a folder of files on which everything is there to be measured. */
async function world(): Promise<World> {
  const nats = await startNats();
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  const data = temporaryFolder("media");
  const objects = openFolder(join(data, "objects"));
  for (const channelId of CHANNELS)
    for (let seq = 0; seq < SEGMENTS; seq++) {
      const { analysis } = segment(channelId, seq);
      if (channelId === "300" && seq === NOT_KEPT_AT) continue;
      const page = channelId === "200" && seq === WEB_PAGE_AT;
      await objects.put(
        analysis!.key,
        page ? Buffer.from("<!doctype html>") : readFileSync(FOOTAGE.paths[seq]!),
      );
    }
  objects.close();
  return { nats, nc, data };
}
interface World {
  nats: Server;
  nc: NatsConnection;
  data: string;
}

const worlds: World[] = [];
const running = new Set<ChildProcess>();
let undisturbed: World;
let disturbed: World;
beforeAll(async () => {
  worlds.push((undisturbed = await world()), (disturbed = await world()));
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  for (const { nats, nc, data } of worlds) {
    await nc.close();
    await nats.close();
    rmSync(data, { recursive: true, force: true });
  }
});

function startMedia({ nats, data }: World, more: Record<string, string> = {}): ChildProcess {
  const main = join(import.meta.dirname, "../main.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "--only", "media"], {
    env: {
      PATH: process.env["PATH"],
      HYPECAST_NATS_URL: nats.url,
      HYPECAST_DATA: data,
      HYPECAST_MEDIA_WORKERS: "2",
      HYPECAST_LOG_LEVEL: "error",
      // However slow the machine that this runs on: nothing is left out.
      HYPECAST_MEDIA_BEHIND_S: "0",
      ...more,
    },
    stdio: "ignore",
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

const publish = async ({ nc }: World, channelId: string, seq: number): Promise<unknown> => {
  const event = segment(channelId, seq);
  const publishing = async (): Promise<unknown> =>
    jetstream(nc).publish(subjectOf(videoSegment, channelId), JSON.stringify(event), {
      msgID: `segment:${event.id}`,
    });
  return publishing().catch(publishing);
};

/** Everything measured of a channel, in the order of the log. */
async function measuredOf({ nc }: World, channelId: string): Promise<VideoMeasured[]> {
  const consumer = await jetstream(nc).consumers.get("INPUT", {
    filter_subjects: [subjectOf(videoMeasured, channelId)],
    deliver_policy: DeliverPolicy.All,
  });
  const { num_pending: count } = await consumer.info();
  const found: VideoMeasured[] = [];
  if (count > 0)
    for await (const message of await consumer.fetch({ max_messages: count, expires: 5000 }))
      found.push(message.json<VideoMeasured>());
  await consumer.delete();
  return found;
}

async function measured(where: World, count: number): Promise<number> {
  const jsm = await jetstreamManager(where.nc, { checkAPI: false });
  // While the log server is away there is nothing to count.
  const info = await jsm.streams
    .info("INPUT", { subjects_filter: `${videoMeasured.name}.>` })
    .catch(() => null);
  const now = Object.values(info?.state.subjects ?? {}).reduce((sum, messages) => sum + messages, 0);
  if (now >= count) return now;
  await sleep(20);
  return measured(where, count);
}

/** Children of a process, as the kernel knows them. */
function workersOf({ pid }: ChildProcess): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  return existsSync(list) ? readFileSync(list, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

let expected: Map<string, VideoMeasured[]>;

test("every segment is measured once, in order; what is no media or not kept says so", async () => {
  const media = startMedia(undisturbed);
  for (let seq = 0; seq < SEGMENTS; seq++) for (const id of CHANNELS) await publish(undisturbed, id, seq);
  await measured(undisturbed, CHANNELS.length * SEGMENTS);
  media.kill("SIGTERM");
  await exited(media);
  expect(media.exitCode).toBe(0);
  // A word to the others a second and at each change: not one for each word that is heard.
  const words = await (await jetstreamManager(undisturbed.nc)).streams.info("KV_media");
  expect(words.state.last_seq).toBeLessThan(200);

  expected = new Map();
  for (const id of CHANNELS) expected.set(id, await measuredOf(undisturbed, id));
  for (const [id, events] of expected) {
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: SEGMENTS }, (_, seq) => seq));
    expect(events.map(({ failed }) => failed)).toEqual(
      events.map(({ seq }) =>
        id === "200" && seq === WEB_PAGE_AT
          ? "not_media"
          : id === "300" && seq === NOT_KEPT_AT
            ? "no_file"
            : null,
      ),
    );
    for (const event of events) expect(videoMeasured.schema.safeParse(event).error).toBeUndefined();
    const good = events.filter(({ failed }) => failed === null);
    for (const { picture, sound } of good) {
      expect(picture?.atMs).toHaveLength(60);
      expect(sound?.loudness).toHaveLength(20);
    }
    expect(events[3]).toMatchObject({ ad: true, epoch: EPOCH, startMs: EPOCH + 6000, durationMs: 2000 });
  }
  // The footage is the same: so is what is seen in it.
  expect(expected.get("100")![1]!.picture).toEqual(expected.get("300")![1]!.picture);

  const objects = openFolder(join(undisturbed.data, "objects"));
  const first = expected.get("100")![0]!;
  expect(await objects.size(first.framesKey!)).toBe(6 * (8 + 64 * 36 * 3));
  expect((await objects.get(first.thumbKey!))?.subarray(0, 3).toString("hex")).toBe("ffd8ff");
  objects.close();
});

test("killed again and again, process and single workers, it measures the same: each once, in order", async () => {
  const random = randomFrom(20_260_101);
  let media = startMedia(disturbed);
  let second = startMedia(disturbed);
  const publishing = (async () => {
    for (let seq = 0; seq < SEGMENTS; seq++) {
      for (const id of CHANNELS) await publish(disturbed, id, seq);
      await sleep(150);
    }
  })();
  const total = CHANNELS.length * SEGMENTS;
  for (let kills = 0; kills < 10; kills++) {
    // Somewhere in what comes next: at most a few segments on, so that the kills spread over the whole run.
    const before = Math.floor((total * kills) / 12);
    await measured(disturbed, before);
    await sleep(random() * 200);
    const which = random();
    const workers = [media, second].flatMap(workersOf);
    if (which < 0.5 && workers.length > 0) {
      try {
        process.kill(workers[Math.floor(random() * workers.length)]!, "SIGKILL");
      } catch {
        // It was quicker.
      }
    } else if (which < 0.75) {
      media.kill("SIGKILL");
      await exited(media);
      media = startMedia(disturbed);
    } else {
      second.kill("SIGKILL");
      await exited(second);
      second = startMedia(disturbed);
    }
  }
  await publishing;
  await measured(disturbed, total);
  const pids = [media, second].flatMap(workersOf);
  for (const child of [media, second]) {
    child.kill("SIGKILL");
    await exited(child);
  }
  for (const id of CHANNELS) expect(await measuredOf(disturbed, id)).toEqual(expected.get(id));

  // What dies takes its workers along, and leaves nothing half-written where frames and thumbnails are.
  for (let i = 0; i < 100 && pids.some((pid) => existsSync(`/proc/${pid}`)); i++) await sleep(20);
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  const objects = openFolder(join(disturbed.data, "objects"));
  for (const { framesKey, thumbKey } of [...expected.values()].flat())
    for (const key of [framesKey, thumbKey])
      if (key !== null) expect(await objects.size(key)).toBeGreaterThan(0);
  await objects.sweep();
  objects.close();
});

test("a log server that crashes is waited for; what comes then is measured", async () => {
  const media = startMedia(disturbed);
  await disturbed.nats.crash();
  // Their files are not kept: that is told as well.
  for (const id of CHANNELS) await publish(disturbed, id, SEGMENTS);
  await measured(disturbed, CHANNELS.length * (SEGMENTS + 1));
  for (const id of CHANNELS) {
    const events = await measuredOf(disturbed, id);
    expect(events).toHaveLength(SEGMENTS + 1);
    expect(events.at(-1)).toMatchObject({ seq: SEGMENTS, failed: "no_file" });
  }
  media.kill("SIGTERM");
  await exited(media);
});

test("a model for cuts in the operator's folder has its say about each frame", async () => {
  const where = await world();
  worlds.push(where);
  const folder = join(where.data, "models");
  writeBrightnessModel(folder, CUT_MODEL, {
    input: "windows",
    dims: [100, 27, 48, 3],
    axes: [2, 3, 4],
    outputs: { cut: [100, 1] },
  });
  const media = startMedia(where, { HYPECAST_MODELS: folder });
  for (let seq = 0; seq < 4; seq++) await publish(where, "100", seq);
  await measured(where, 4);
  media.kill("SIGTERM");
  await exited(media);
  const events = await measuredOf(where, "100");
  expect(events.some(({ picture }) => picture?.cutChance !== undefined)).toBe(true);
  for (const [i, event] of events.entries()) {
    expect(videoMeasured.schema.safeParse(event).error).toBeUndefined();
    // A machine that is so slow that the model is late leaves it out, and nothing else.
    const { cutChance, ...picture } = event.picture!;
    if (cutChance !== undefined) expect(unpack(cutChance)).toHaveLength(60);
    expect(picture).toEqual(expected.get("100")![i]!.picture);
  }
});

test("two that believe they own a channel cannot both go on: the log takes one", async () => {
  const { nc } = undisturbed;
  const log = openSegmentLog(nc, await jetstreamManager(nc));
  const position = await log.position("100");
  expect(position.segmentSeq).toBeGreaterThan(0);
  const stale = { ...position };
  const next = { ...expected.get("100")![1]!, id: `100:${EPOCH}:900`, seq: 900 };
  const stored = await log.publish(next, position.segmentSeq + 1, position);
  expect(stored).toBeGreaterThan(position.measuredSeq);
  // From a stale place neither the same again nor another one is taken.
  expect(await log.publish(next, position.segmentSeq + 1, stale)).toBeNull();
  expect(await log.publish({ ...next, id: `100:${EPOCH}:901` }, position.segmentSeq + 2, stale)).toBeNull();
  expect(await log.position("100")).toEqual({ segmentSeq: position.segmentSeq + 1, measuredSeq: stored });
});
