import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { videoGap, videoSegment, type VideoGap, type VideoSegment } from "@hypecast/contracts/video.ts";
import { startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { connectBus, ensureStreams } from "./bus.ts";
import { readConfig } from "./config.ts";
import { vodChannelId, vodPictureChannel, vodVideoKey } from "@hypecast/contracts/vod.ts";
import { followVideo, readKeptVideo } from "./kept-video.ts";
import { openFolder } from "./objects-folder.ts";
import type { Objects } from "./objects.ts";

const T0 = Date.now();
let nats: Server;
let nc: NatsConnection;
let objects: Objects;
beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  objects = openFolder(temporaryFolder("kept"));
});
afterAll(async () => {
  objects.close();
  await nc.close();
  await nats.close();
});

const segment = (channelId: string, seq: number): VideoSegment => ({
  ...{
    id: `${channelId}:${T0}:${seq}`,
    channelId,
    epoch: T0,
    seq,
    startMs: T0 + seq * 2000,
    durationMs: 2000,
  },
  ...{ discontinuity: false, ad: false, analysis: null, source: null },
});
const gap = (channelId: string, fromSeq: number, toSeq: number): VideoGap => ({
  ...{ id: `${channelId}:${T0}:${fromSeq}-${toSeq}`, channelId, epoch: T0 },
  ...{ fromMs: T0 + fromSeq * 2000, toMs: T0 + (toSeq + 1) * 2000, toSeq, reason: "missed", detail: "" },
});
const put = async (
  type: typeof videoSegment | typeof videoGap,
  event: VideoSegment | VideoGap,
): Promise<void> => {
  await jetstream(nc).publish(subjectOf(type, event.channelId), JSON.stringify(event));
};

test("a span's segments and gaps are those that overlap it, of this channel alone, each once", async () => {
  for (const seq of [0, 1, 2, 2]) await put(videoSegment, segment("11", seq));
  await put(videoSegment, segment("12", 1));
  await put(videoGap, gap("11", 3, 4));
  for (const seq of [5, 6]) await put(videoSegment, segment("11", seq));
  const found = await readKeptVideo({ nc, objects }, "11", T0 + 3999, T0 + 12_000);
  expect(found.segments.map(({ seq }) => seq)).toEqual([1, 2, 5]);
  expect(found.gaps.map(({ toSeq }) => toSeq)).toEqual([4]);
  expect(await readKeptVideo({ nc, objects }, "11", T0 + 100_000, T0 + 200_000)).toEqual({
    segments: [],
    gaps: [],
  });
  expect(await readKeptVideo({ nc, objects }, "nobody", T0, T0 + 200_000)).toEqual({
    segments: [],
    gaps: [],
  });
});

test("a follower hears what was there and what comes, in order, through a crash of the log", async () => {
  const heard: string[] = [];
  const follower = followVideo(nc, "21", T0, {
    segment: ({ seq }) => heard.push(`segment ${seq}`),
    gap: ({ toSeq }) => heard.push(`gap to ${toSeq}`),
  });
  await put(videoSegment, segment("21", 0));
  await put(videoGap, gap("21", 1, 2));
  await put(videoSegment, segment("21", 3));
  await vi.waitFor(() => expect(heard).toEqual(["segment 0", "gap to 2", "segment 3"]), 5000);
  await nats.crash();
  await vi.waitFor(() => put(videoSegment, segment("21", 4)), { timeout: 20_000, interval: 200 });
  await vi.waitFor(
    () => expect(heard.slice(0, 4)).toEqual(["segment 0", "gap to 2", "segment 3", "segment 4"]),
    20_000,
  );
  follower.close();
});

test("of an imported stream the manifest says what is kept, whichever run asks, and the log is not read", async () => {
  const id = "_0abcdefghijklmnopq";
  const first = vodPictureChannel(id);
  const rows = [0, 1, 4].map((seq) => segment(first, seq));
  await objects.put(vodVideoKey(id), Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join("")));
  await put(videoSegment, segment(first, 9));
  const found = await readKeptVideo({ nc, objects }, vodChannelId(id, 2), T0 + 2500, T0 + 100_000);
  expect(found.segments.map(({ seq }) => seq)).toEqual([1, 4]);
  expect(found.gaps).toMatchObject([{ fromMs: T0 + 4000, toMs: T0 + 8000, toSeq: 3 }]);
});
