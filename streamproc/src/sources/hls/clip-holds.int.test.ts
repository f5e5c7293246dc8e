import { spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import { clip as clipShape } from "@hypecast/contracts/clip.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import {
  VIDEO_STATE_BUCKET,
  videoSegment,
  type VideoSegment,
  type VideoState,
} from "@hypecast/contracts/video.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { exited, freePort, startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { openRecords } from "../../clips/records.ts";
import { watchClipHolds } from "./clip-holds.ts";
import { openKeep, type Keep } from "./keep.ts";

/** Eight minutes in segments of 20 s, long ago: all of it is over the hours that are kept. */
const SEGMENT_MS = 20_000;
const COUNT = 24;
const BEGAN_MS = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
const NEVER_MS = 1;
/** What is let go leaves its files for some seconds. */
const LATER_MS = 10_000;

let nats: Server;
let bus: NatsConnection;
let gateway: ChildProcess;
let objects: Objects;
let address = "";
const folder = temporaryFolder("holds");
const segments = Array.from({ length: COUNT }, (_, seq): VideoSegment => {
  const key = `video/4242/${BEGAN_MS}/${seq}-160.ts`;
  return {
    ...{ id: `4242:${BEGAN_MS}:${seq}`, channelId: "4242", epoch: BEGAN_MS, seq },
    ...{ startMs: BEGAN_MS + seq * SEGMENT_MS, durationMs: SEGMENT_MS, discontinuity: false, ad: false },
    analysis: null,
    source: { key, bytes: 4, width: 284, height: 160, bandwidth: 0, container: "ts", init: null },
  };
});

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  objects = openFolder(join(folder, "objects"));
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  gateway = spawn(process.execPath, [join(import.meta.dirname, "../../../../gateway/src/main.ts")], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: {
      ...process.env,
      HYPECAST_PORT: String(port),
      HYPECAST_DATA: folder,
      HYPECAST_NATS_URL: nats.url,
      // Nobody makes the clip: Redis is not there, and no process `clips`.
      HYPECAST_REDIS_URL: "redis://127.0.0.1:1",
    },
  });
  await new Promise((resolve) => gateway.once("message", resolve));
  const kvm = new Kvm(bus);
  await ask("/channels", { channel: "lamp" });
  const heard = {
    ...{ login: "lamp", channelId: "4242", name: "Lamp", state: "live", reason: null, sinceMs: 1 },
    ...{ attempt: 0, nextAttemptAtMs: null, lastLineAtMs: null, aliveAtMs: null, connection: null },
    ...{ emotes: [], stream: null },
  };
  await (await kvm.open(CHANNEL_STATE_BUCKET)).put("lamp", JSON.stringify(heard));
  const state: VideoState = {
    ...{ login: "lamp", channelId: "4242", state: "live", code: null, reason: null, sinceMs: BEGAN_MS },
    ...{ epoch: BEGAN_MS, lastSeq: COUNT - 1, newestMs: BEGAN_MS + COUNT * SEGMENT_MS, oldestMs: BEGAN_MS },
    ...{ keptBytes: 4 * COUNT, ad: false, renditions: [], shed: false },
  };
  await (await kvm.open(VIDEO_STATE_BUCKET)).put("lamp", JSON.stringify(state));
  for (const segment of segments) {
    await objects.put(segment.source?.key ?? "", Buffer.from("film"));
    await jetstream(bus).publish(subjectOf(videoSegment, "4242"), JSON.stringify(segment));
  }
});
afterAll(async () => {
  gateway?.kill("SIGKILL");
  if (gateway !== undefined) await exited(gateway);
  objects?.close();
  await bus?.close();
  await nats?.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (path: string, body: object): Promise<Response> =>
  fetch(`${address}/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
async function left(): Promise<number[]> {
  const kept: number[] = [];
  for await (const { key } of objects.list("video/")) kept.push(Number(/(\d+)-160\.ts$/.exec(key)?.[1]));
  return kept.sort((a, b) => a - b);
}
/** The segments that a span touches. */
const touched = (fromMs: number, toMs: number): number[] =>
  segments.flatMap(({ seq, startMs }) => (startMs < toMs && startMs + SEGMENT_MS > fromMs ? [seq] : []));

test("what somebody asks the gateway to clip stays while it waits and while it is made, and goes when it is done", async () => {
  const wish = { login: "lamp", startMs: BEGAN_MS + 200_000, endMs: BEGAN_MS + 230_000 };
  const asked = await vi.waitFor(async () => {
    const answer = await ask("/clips", wish);
    expect(answer.status, await answer.clone().text()).toBe(202);
    return clipShape.parse(await answer.json());
  }, 5000);
  expect(asked.state).toBe("queued");

  // As the source does at its start: what is asked for already is known before anything is let go.
  const watching = await watchClipHolds(bus, createLog("test", "error"));
  let monotonicMs = 0;
  const keep: Keep = openKeep(
    "4242",
    { keepMs: NEVER_MS, keepBytes: 1 },
    { objects, held: watching.held, log: createLog("test", "fatal"), monotonicMs: () => monotonicMs },
  );
  const trim = async (): Promise<number[]> => {
    for (let i = 0; i < 2; i++) {
      await keep.trim(Date.now());
      monotonicMs += LATER_MS;
    }
    await keep.trim(Date.now());
    return left();
  };
  try {
    for (const segment of segments) keep.add(segment);
    const needed = touched(wish.startMs, wish.endMs);
    const queued = await trim();
    expect(queued).toEqual(expect.arrayContaining(needed));
    // Far from it nothing stays.
    expect(queued).not.toContain(0);
    expect(queued).not.toContain(COUNT - 1);

    const records = await openRecords(bus, createLog("test", "error"));
    await records.change(asked.id, () => ({ state: "running", stage: "render", attempt: 1 }));
    await vi.waitFor(async () => expect((await records.get(asked.id))?.state).toBe("running"));
    expect(await trim()).toEqual(queued);

    await records.change(asked.id, () => ({ state: "ready", stage: null, progress: 1 }));
    await vi.waitFor(() => expect(watching.held("4242", wish.startMs, wish.endMs)).toBe(false), {
      timeout: 5000,
      interval: 20,
    });
    expect(await trim()).toEqual([]);
  } finally {
    watching.close();
  }
});
