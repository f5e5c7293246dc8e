import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatAlive } from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { cancelVod, replaceVod, retryVod } from "@hypecast/contracts/vod-steps.ts";
import { vodChannelId, vodPrefix, vodRequest, type Vod } from "@hypecast/contracts/vod.ts";
import { surveyChat } from "@hypecast/streamproc/imports/chat/read-chat.ts";
import { bytesSource } from "@hypecast/streamproc/imports/chat/source.ts";
import { messagesOfRun } from "@hypecast/streamproc/imports/publish-run.ts";
import { gqlChat, livelyChat, openDesk, type Desk } from "./imported.fixture.ts";
import { batch, canonical, type Finals, type Logged } from "./murder-oracle.ts";
import { startWorld, type World } from "./murder.ts";

let world: World;
let desk: Desk;

beforeAll(async () => {
  world = await startWorld({ store: true, imports: true, processors: 1 });
  desk = await openDesk(world.nc, world.env["HYPECAST_REDIS_URL"]!, world.folder);
});
afterAll(async () => {
  await desk?.close();
  await world?.close();
});

const over = (vod: Vod): boolean => vod.status !== "processing";
const rows = async <Row>(query: string, channelId: string): Promise<Row[]> =>
  (await world.store!.query({ query, query_params: { channelId }, format: "JSONEachRow" })).json<Row>();
const OF = "channelId = {channelId:String}";

async function count(table: string, channelId: string): Promise<number> {
  const [row] = await rows<{ n: number }>(`SELECT count() AS n FROM ${table} WHERE ${OF}`, channelId);
  return row!.n;
}
async function onLog(stream: string, channelId: string): Promise<number> {
  const subjects_filter = `*.*.${partitionOf(channelId)}.${channelId}`;
  return Object.keys((await world.jsm.streams.info(stream, { subjects_filter })).state.subjects ?? {}).length;
}

/** What the folds make of a chat file in one go, without a log. */
async function foldedAtOnce(body: Buffer, channelId: string): Promise<Finals> {
  const source = bytesSource(body);
  const survey = await surveyChat(source, { startMs: null, durationS: null });
  const log: Logged[] = [];
  const run = { channelId, chat: { source, survey }, picture: null, endMs: survey.lastMs + 1 };
  for await (const out of messagesOfRun(run, "", new AbortController().signal))
    if (out.alive === undefined)
      log.push({ subject: subjectOf(out.type, channelId), data: Buffer.from(out.body), header: () => "" });
    else
      log.push({
        subject: subjectOf(chatAlive, channelId),
        data: Buffer.from(JSON.stringify({ atMs: out.alive, channels: [channelId] })),
        header: () => "",
      });
  return batch(log, new Set([channelId]));
}

test("a stream that is cancelled stops, goes on where it was, and is deleted while it is indexed", async () => {
  const said = livelyChat(600, 2, 5);
  const asked = await desk.ask({ chatUpload: await desk.upload("a.json", gqlChat("2001", said)) });
  const channelId = vodChannelId(asked.id, 1);
  await desk.until(asked.id, (vod) => windowsOf(vod) > 0);
  await desk.change(asked.id, cancelVod);
  expect(await desk.record(asked.id)).toMatchObject({ status: "error", cancelled: true, error: null });
  await desk.change(asked.id, retryVod);
  const ready = await desk.until(asked.id, over);
  expect(ready).toMatchObject({ status: "ready", run: 1, lines: said.length });
  expect(await count("vod_lines", channelId)).toBe(said.length);

  // Another one takes its place; it answers until then.
  const longer = livelyChat(700, 2, 6);
  const chatUpload = await desk.upload("b.json", gqlChat("2002", longer));
  await desk.change(asked.id, (vod) => replaceVod(vod, vodRequest.parse({ chatUpload })));
  const making = await desk.until(asked.id, (vod) => windowsOf(vod) > 0);
  expect(making).toMatchObject({ channelId, making: vodChannelId(asked.id, 2) });
  const replaced = await desk.until(asked.id, over);
  expect(replaced).toMatchObject({ status: "ready", channelId: making.making, lines: longer.length });
  expect(await count("vod_lines", channelId)).toBe(0);
  expect(await count("vod_lines", making.making!)).toBe(longer.length);

  const again = await desk.upload("c.json", gqlChat("2003", livelyChat(600, 2, 8)));
  await desk.change(asked.id, (vod) => replaceVod(vod, vodRequest.parse({ chatUpload: again })));
  await desk.until(asked.id, (vod) => windowsOf(vod) > 0);
  await desk.change(asked.id, () => ({ deleting: true }));
  await desk.gone(asked.id);
  for (const run of [1, 2, 3]) {
    const gone = vodChannelId(asked.id, run);
    for (const table of ["vod_lines", "chat_windows", "chat_chunks", "moments", "chat_gaps"])
      expect(await count(table, gone), table).toBe(0);
    for (const stream of ["INPUT", "FOLD"]) expect(await onLog(stream, gone), `${stream} ${gone}`).toBe(0);
  }
  const files = [];
  for await (const { key } of desk.objects.list(vodPrefix(asked.id))) files.push(key);
  for await (const { key } of desk.objects.list("uploads/")) files.push(key);
  expect(files).toEqual([]);
});

test("a chat that goes on for minutes after its video is of another one, and nothing of it is imported", async () => {
  const picture = join(world.folder, "two-seconds.mp4");
  execFileSync("ffmpeg", ["-f", "lavfi", "-i", "color=s=64x36:d=2", "-loglevel", "error", picture]);
  const asked = await desk.ask({
    chatUpload: await desk.upload("chat.json", gqlChat("4001", livelyChat(400, 1, 3))),
    videoUpload: await desk.upload("video.mp4", readFileSync(picture)),
  });
  expect(await desk.until(asked.id, over)).toMatchObject({
    status: "error",
    channelId: null,
    error: { code: "wrong_chat" },
  });
  expect(await onLog("INPUT", vodChannelId(asked.id, 1))).toBe(0);
});

test("what is no chat says so", async () => {
  const page = Buffer.from("<!doctype html><html><body>Not found</body></html>");
  for (const [file, code] of [
    [page, "not_a_chat"],
    [gqlChat("3002", []), "empty"],
  ] as const) {
    const asked = await desk.ask({ chatUpload: await desk.upload("chat.json", file) });
    const failed = await desk.until(asked.id, over);
    expect(failed).toMatchObject({ status: "error", channelId: null, error: { code } });
    expect(failed.stages.find(({ name }) => name === "parse")?.state).toBe("failed");
  }
});

test("whatever dies twice in mid-import, every line of two streams on one partition is there once, and windows are those of one pass over each file", async () => {
  const chats = [livelyChat(1500, 4, 11), livelyChat(900, 4, 12)];
  const files = chats.map((said, i) => gqlChat(`100${i}`, said));
  const first = await desk.ask({
    chatUpload: await desk.upload("stream.json", files[0]!),
    title: "The first",
  });
  const second = await desk.ask({ chatUpload: await desk.upload("other.json", files[1]!) }, first);
  const rounds = [
    ["imports", "processors-1"],
    ["nats", "redis", "imports", "processors-1"],
  ];
  for (const [i, victims] of rounds.entries()) {
    const reached = await desk.until(first.id, (vod) => over(vod) || windowsOf(vod) > 0.3 * i);
    expect(reached.status).toBe("processing");
    await Promise.all(victims.map(async (name) => world.victims.get(name)!.crash()));
  }
  for (const [i, { id }] of [first, second].entries()) {
    const vod = await desk.until(id, over);
    const channelId = vodChannelId(id, 1);
    const lines = chats[i]!.length;
    expect(vod).toMatchObject({ status: "ready", channelId, making: null, error: null, lines });
    const [counted] = await rows<{ lines: number; ids: number }>(
      `SELECT count() AS lines, uniqExact(id) AS ids FROM vod_lines WHERE ${OF}`,
      channelId,
    );
    expect(counted).toEqual({ lines, ids: lines });
    await expectStored(files[i]!, channelId);
    for (const table of ["chat_windows", "chat_bursts", "moments"])
      expect(await count(table, channelId), table).toBeGreaterThan(0);
    // It is in the store: the log need not keep it.
    expect(await onLog("INPUT", channelId)).toBe(0);
  }

  const renamed = await desk.ask({ chatUpload: await desk.upload("other name.bin", gzipSync(files[0]!)) });
  expect(await desk.until(renamed.id, over)).toMatchObject({
    status: "error",
    sameAs: first.id,
    run: 1,
    channelId: null,
    error: { code: "known", detail: 'The same chat is here already, as "The first".' },
  });
});

async function expectStored(body: Buffer, channelId: string): Promise<void> {
  const expected = await foldedAtOnce(body, channelId);
  for (const table of ["chat_windows", "chat_bursts", "hype", "moments"] as const) {
    const stored = await rows<{ id: string }>(
      `SELECT * FROM ${table} FINAL WHERE ${OF} ORDER BY id`,
      channelId,
    );
    expect(stored.map(canonical), table).toEqual(latest([...expected[table].values()]).map(canonical));
  }
}
/** The last version of each. */
const latest = (finals: readonly object[]): object[] =>
  [...new Map(finals.map((row) => [(row as { id: string }).id, row])).values()].toSorted((a, b) =>
    (a as { id: string }).id < (b as { id: string }).id ? -1 : 1,
  );
const windowsOf = ({ stages }: Vod): number => stages.find(({ name }) => name === "windows")!.progress;
