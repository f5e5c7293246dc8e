import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "@hypecast/contracts/event.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { vodChannelId, vodPictureChannel, vodPrefix, type Vod } from "@hypecast/contracts/vod.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import { file, H264 } from "@hypecast/streamproc/media/test-footage.ts";
import { gqlChat, livelyChat, openDesk, type Desk } from "./imported.fixture.ts";
import { startWorld, type World } from "./murder.ts";

const SECONDS = 240;
/** Chat laughs from second 200 on: just before, the picture changes and a tone begins. */
const CUT_S = 198;
const PICTURE = file(
  [
    ...["-f", "lavfi", "-i", `testsrc2=size=160x90:rate=5:duration=${CUT_S}`],
    ...["-f", "lavfi", "-i", `life=size=160x90:rate=5:mold=10:life_color=#C0C040:death_color=#101060:seed=3`],
    ...[
      "-f",
      "lavfi",
      "-i",
      `aevalsrc=0.02*sin(440*t)+0.5*sin(2000*t)*between(t\\,${CUT_S}\\,${CUT_S + 6}):d=${SECONDS}`,
    ],
    ...["-filter_complex", "[1:v]setsar=1[b];[0:v]setsar=1[a];[a][b]concat=n=2:v=1", "-map", "2:a"],
    ...[...H264, "-g", "10", "-c:a", "aac", "-t", String(SECONDS)],
  ],
  "stream.mp4",
);

let world: World;
let desk: Desk;
beforeAll(async () => {
  world = await startWorld({ store: true, imports: true, media: true, processors: 1 });
  desk = await openDesk(world.nc, world.env["HYPECAST_REDIS_URL"]!, world.folder);
});
afterAll(async () => {
  await desk?.close();
  await world?.close();
});

const rows = async <Row>(query: string, channelId: string): Promise<Row[]> =>
  (await world.store!.query({ query, query_params: { channelId }, format: "JSONEachRow" })).json<Row>();
const OF = "channelId = {channelId:String}";
const shotsOf = async (channelId: string): Promise<number> =>
  (await rows<{ n: number }>(`SELECT count() AS n FROM shots FINAL WHERE ${OF}`, channelId))[0]!.n;
const over = ({ status }: Vod): boolean => status !== "processing";

test("chat and picture become one stream whose moments have all senses, whoever is killed meanwhile; deleted, nothing is left", async () => {
  const chat = gqlChat("3001", livelyChat(SECONDS - 10, 2, 9));
  const asked = await desk.ask({
    chatUpload: await desk.upload("chat.json", chat),
    videoUpload: await desk.upload("stream.mp4", readFileSync(PICTURE)),
  });
  const stage = (vod: Vod, name: string): Vod["stages"][number] =>
    vod.stages.find((one) => one.name === name)!;
  await desk.until(asked.id, (vod) => stage(vod, "video").state === "done");
  await Promise.all(["imports", "media"].map((name) => world.victims.get(name)!.crash()));
  const measuring = await desk.until(asked.id, (vod) => stage(vod, "measure").progress > 0.3);
  // Chat answers already, and the picture can be played.
  expect(measuring).toMatchObject({
    channelId: vodChannelId(asked.id, 1),
    video: { width: 160, height: 90 },
  });
  await world.victims.get("imports")!.crash();

  const ready = await desk.until(asked.id, over);
  const run = vodChannelId(asked.id, 2);
  expect(ready).toMatchObject({ status: "ready", error: null, run: 2, channelId: run, durationS: SECONDS });
  expect(ready.stages.map(({ state }) => state).filter((state) => state !== "skipped")).toEqual(
    ready.stages.filter(({ state }) => state !== "skipped").map(() => "done"),
  );
  expect(await desk.objects.size(ready.video?.thumbKey ?? "")).toBeGreaterThan(0);
  const manifest = await readManifest(desk.objects, asked.id);
  expect(manifest.map(({ startMs }) => startMs)).toEqual(manifest.map((_, i) => ready.startMs + i * 4000));
  const found = await rows<Moment>(`SELECT * FROM moments FINAL WHERE ${OF} AND state = 'final'`, run);
  expect(found.map(({ origin }) => origin)).toContain("chat");
  for (const { onsetMs } of found) expect(onsetMs).toBeGreaterThan(ready.startMs);
  const laugh = found.find(({ origin }) => origin === "chat");
  expect(JSON.stringify(laugh)).toMatch(/"picture":"ok"/);
  expect(await shotsOf(run)).toBeGreaterThan(20);
  // What was only made on the way is gone.
  for (const other of [vodPictureChannel(asked.id), vodChannelId(asked.id, 1)]) {
    expect(await shotsOf(other)).toBe(0);
    const filter = `*.*.${partitionOf(other)}.${other}`;
    const { state } = await world.jsm.streams.info("INPUT", { subjects_filter: filter });
    expect(state.subjects ?? {}).toEqual({});
  }

  await desk.change(asked.id, () => ({ deleting: true }));
  await desk.gone(asked.id);
  for await (const { key } of desk.objects.list(vodPrefix(asked.id))) expect(key).toBe("nothing");
  expect(await shotsOf(run)).toBe(0);
});

test("a video without chat is a stream, and a web page in its place is refused in words", async () => {
  const bytes = readFileSync(
    file([...["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=5:duration=9"], ...H264], "silent.mp4"),
  );
  const asked = await desk.ask({ videoUpload: await desk.upload("silent.mp4", bytes) });
  const page = await desk.ask({
    videoUpload: await desk.upload("page.mp4", Buffer.from("<!doctype html><title>Sign in</title>")),
  });
  const ready = await desk.until(asked.id, over);
  expect(ready).toMatchObject({ status: "ready", error: null, lines: 0, durationS: 9, startKnown: false });
  expect(await shotsOf(ready.channelId!)).toBeGreaterThan(0);
  expect((await desk.until(page.id, over)).error).toMatchObject({
    code: "not_a_video",
    detail: "The file is a web page.",
  });
});
