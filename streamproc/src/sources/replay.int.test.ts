import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { jetstream, type JsMsg } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CHANNEL_STATE_BUCKET, type ChannelState } from "@hypecast/contracts/channel.ts";
import { chatAlive, chatGap, chatLines, unpackLines, type ChatAlive } from "@hypecast/contracts/chat.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { exited, startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { EVERYBODY } from "@hypecast/runtime/opt-outs.ts";
import { replay } from "./replay.ts";

const T0 = 1_760_000_000_000;
const CHANNELS = ["501", "502", "503"];
const log = createLog("test", "error");

/** Line `i` of a made recording: three channels, ten lines a second each, times that wobble as real ones do. */
const lineAt = (i: number): string => {
  const channelId = CHANNELS[i % 3] ?? "";
  const sentAtMs = T0 + Math.floor(i / 3) * 100 - (i % 7) * 9 + 60;
  const user = 1 + (i % 50);
  if (i % 400 === 13)
    return `@room-id=${channelId};target-user-id=${user};ban-duration=10;tmi-sent-ts=${sentAtMs} :tmi.twitch.tv CLEARCHAT #c${channelId} :viewer${user}`;
  return `@id=line-${i};room-id=${channelId};user-id=${user};tmi-sent-ts=${sentAtMs};emotes= :viewer${user}!v@v PRIVMSG #c${channelId} :line ${i} 😂`;
};
const LINES = 12_000;
const recording = Array.from({ length: LINES }, (_, i) => lineAt(i));
const chat = (channelId: string): string[] =>
  recording.flatMap((line, i) =>
    line.includes("PRIVMSG") && CHANNELS[i % 3] === channelId ? [`line-${i}`] : [],
  );

let nats: Server;
let nc: NatsConnection;
const folder = temporaryFolder("replay");

beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
});
beforeEach(async () => {
  const jsm = await ensureStreams(nc, 1);
  await jsm.streams.purge("INPUT");
});
afterAll(async () => {
  await nc.close();
  await nats.close();
  rmSync(folder, { recursive: true, force: true });
});

async function all(filter: string): Promise<JsMsg[]> {
  const consumer = await jetstream(nc).consumers.get("INPUT", { filter_subjects: [filter] });
  const found: JsMsg[] = [];
  let left = (await consumer.info()).num_pending;
  while (left > 0)
    for await (const message of await consumer.fetch({ max_messages: left, expires: 1000 })) {
      found.push(message);
      left--;
    }
  return found;
}
const idsOf = async (channelId: string): Promise<string[]> =>
  (await all(`${chatLines.name}.*.${channelId}`)).flatMap((message) =>
    unpackLines(message.data).map((line) => line.id),
  );

const expectWhole = async (): Promise<void> => {
  for (const channelId of CHANNELS) expect(await idsOf(channelId)).toEqual(chat(channelId));
  expect(await all("chat.moderation.*.*")).toHaveLength(recording.length / 400);
};

test("a recording is on the log whole and in order, with its own times, and closed by an alive marker", async () => {
  const result = await replay({
    nc,
    log,
    optOuts: EVERYBODY,
    id: "whole",
    lines: recording,
    untilMs: T0 + 500_000,
  });
  expect(result).toEqual({
    lines: LINES - 30,
    events: 30,
    known: 0,
    sharedChat: 0,
    malformed: 0,
    optedOut: 0,
    done: true,
  });
  await expectWhole();
  const [first] = await all(`${chatLines.name}.*.501`);
  expect(unpackLines(first?.data ?? new Uint8Array())[0]).toEqual({
    id: "line-0",
    channelId: "501",
    sentAtMs: T0 + 60,
    userId: "1",
    login: "viewer1",
    text: "line 0 😂",
  });
  const alive = (await all(`${chatAlive.name}.*`)).map((message) => message.json<ChatAlive>());
  for (const channelId of CHANNELS) {
    const times = alive.filter((one) => one.channels.includes(channelId)).map((one) => one.atMs);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(times.at(-1)).toBe(T0 + 500_000);
  }
  // The live source begins its gap here.
  const state = (await (await new Kvm(nc).open(CHANNEL_STATE_BUCKET)).get("c501"))?.json<ChannelState>();
  expect(state).toMatchObject({ channelId: "501", aliveAtMs: T0 + 500_000 });

  expect(await replay({ nc, log, optOuts: EVERYBODY, id: "whole", lines: recording })).toMatchObject({
    lines: 0,
    done: true,
  });
  await expectWhole();
});

test("what had been heard before is left out, and the time between is a gap", async () => {
  const later = recording.map((line) =>
    line
      .replace(/tmi-sent-ts=(\d+)/, (_all, ms: string) => `tmi-sent-ts=${Number(ms) + 300_000}`)
      .replace("id=line", "id=later"),
  );
  const overlap = await replay({ nc, log, optOuts: EVERYBODY, id: "overlap", lines: later.slice(0, 9000) });
  // The first recording ended at +500 s; these begin at +300 s.
  expect(overlap.known).toBeGreaterThan(5000);
  expect(overlap.lines + overlap.events + overlap.known).toBe(9000);
  const far = recording
    .slice(0, 30)
    .map((line) =>
      line.replace(/tmi-sent-ts=(\d+)/, (_all, ms: string) => `tmi-sent-ts=${Number(ms) + 9_000_000}`),
    );
  await replay({ nc, log, optOuts: EVERYBODY, id: "far", lines: far });
  const gaps = (await all(`${chatGap.name}.*.*`)).map((message) =>
    message.json<{ reason: string; fromMs: number; toMs: number }>(),
  );
  expect(gaps).toHaveLength(3);
  for (const gap of gaps) {
    expect(gap.reason).toBe("replay");
    expect(gap.toMs).toBeGreaterThan(T0 + 8_999_000);
    expect(gap.fromMs).toBeLessThan(T0 + 700_000);
  }
});

test("killed with -9 at any moment and started again, it neither loses nor doubles a line", async () => {
  await (await new Kvm(nc).open(CHANNEL_STATE_BUCKET)).destroy();
  await ensureStreams(nc, 1);
  const file = join(folder, "recording.irc.gz");
  writeFileSync(file, gzipSync(recording.join("\r\n")));
  const dead = "http://127.0.0.1:9";
  const env = {
    ...process.env,
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_DATA: folder,
    HYPECAST_LOG_LEVEL: "fatal",
    BTTV_API_URL: dead,
    FFZ_API_URL: dead,
    SEVENTV_API_URL: dead,
    SEVENTV_EVENTS_URL: "ws://127.0.0.1:9",
  };
  let kills = 0;
  for (let run = 0; ; run++) {
    // 400 s of recording in about 4 s; each run is killed a little later.
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "replay.ts"), "--file", file, "--speed", "100"],
      {
        env: { ...env, HYPECAST_LOG_LEVEL: "error" },
        stdio: "inherit",
      },
    );
    const ended = exited(child);
    if (run < 5) {
      await Promise.race([ended, sleep(700 + 170 * run)]);
      if (child.exitCode === null) kills++;
      child.kill("SIGKILL");
    }
    await ended;
    if (run >= 5) {
      expect(child.exitCode).toBe(0);
      break;
    }
  }
  expect(kills).toBeGreaterThanOrEqual(4);
  await expectWhole();
});
