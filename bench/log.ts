// How many chat lines a second the log takes, each acknowledged after it is on the disk. Publishing only; reading is bench/chat.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { createClient } from "redis";
import { chatLines, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { openLog } from "@hypecast/streamproc/sources/publish.ts";
import { exited, freePort, listening, startNats, temporaryFolder } from "@hypecast/tests/servers.ts";

/** Channels at once; the log keeps the order of each. */
const CHANNELS = 64;
const SECONDS = 4;
/** Lines of real size: 40 to 160 characters of text and the fields that most lines have. */
const WORDS = "KEKW no way he did that again LULW what a run catJAM hello from Riga Кто это придумал".split(
  " ",
);

const ids = Array.from({ length: CHANNELS }, (_, i) => String(10_000 + i));
const lines: ChatLine[] = Array.from({ length: 5000 }, (_, i) => ({
  id: "",
  channelId: "",
  sentAtMs: 1_760_000_000_000 + i,
  receivedAtMs: 1_760_000_000_050 + i,
  userId: String(1000 + (i % 800)),
  login: `viewer_${i % 800}`,
  text: Array.from({ length: 6 + (i % 18) }, (_word, n) => WORDS[(i * 7 + n * 3) % WORDS.length]).join(" "),
  color: "#1E90FF",
}));
/** A new line every time: the log throws away what it has seen. */
const lineFor = (i: number): ChatLine => ({
  ...(lines[i % lines.length] as ChatLine),
  id: `b34ccfc7-4977-403a-8a94-${String(i).padStart(12, "0")}`,
  channelId: ids[i % CHANNELS] as string,
});

/** Packs made ahead, as long as the sources' writer made them under the same pressure, one on its way for each channel: what the log takes. */
async function packed(linesPerPack: number): Promise<number> {
  const nats = await startNats();
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "bench");
  await ensureStreams(nc, 1);
  const js = jetstream(nc);
  const bodies = ids.map((channelId, c) =>
    packLines(Array.from({ length: linesPerPack }, (_, i) => ({ ...lineFor(c + i * CHANNELS), channelId }))),
  );
  const began = performance.now();
  let sent = 0;
  const lane = async (channelId: string, c: number): Promise<void> => {
    const body = bodies[c] as Uint8Array;
    for (let n = 0; performance.now() - began < SECONDS * 1000; n++) {
      await js.publish(subjectOf(chatLines, channelId), body, { msgID: `${channelId}:${n}` });
      sent += linesPerPack;
    }
  };
  await Promise.all(ids.map(lane));
  const perS = (sent / (performance.now() - began)) * 1000;
  await nc.close();
  await nats.close();
  return perS;
}

/** Lines as objects through what the sources use: packing, encoding and publishing in one process. */
async function throughWriter(): Promise<{ perS: number; linesPerMessage: number }> {
  const nats = await startNats();
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "bench");
  const jsm = await ensureStreams(nc, 1);
  const writer = await openLog(nc, createLog("bench", "error"));
  const began = performance.now();
  let sent = 0;
  while (performance.now() - began < SECONDS * 1000) {
    for (let i = 0; i < 20_000; i++) writer.line(lineFor(sent++), "");
    await writer.below(30_000_000);
  }
  await writer.below(1);
  const perS = (sent / (performance.now() - began)) * 1000;
  const { messages } = (await jsm.streams.info("INPUT")).state;
  await nc.close();
  await nats.close();
  return { perS, linesPerMessage: sent / messages };
}

/** One publish a line, 1,000 on their way at a time. */
async function oneEach(): Promise<number> {
  const nats = await startNats();
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "bench");
  await ensureStreams(nc, 1);
  const js = jetstream(nc);
  const began = performance.now();
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - began < SECONDS * 1000) {
      const line = lineFor(sent++);
      await js.publish(subjectOf(chatLines, line.channelId), packLines([line]), {
        msgID: line.id + String(sent),
      });
    }
  };
  await Promise.all(Array.from({ length: 1000 }, lane));
  const perS = (sent / (performance.now() - began)) * 1000;
  await nc.close();
  await nats.close();
  return perS;
}

/** Redis Streams with AOF, fsync always: XADD of one line, 1,000 on their way at a time, one stream a channel. */
async function redisStreams(): Promise<number> {
  const folder = temporaryFolder("bench-redis");
  const port = await freePort();
  const server = spawn(
    join(import.meta.dirname, "../.tools/bin/redis-server"),
    [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder,
      "--save",
      "",
      "--appendonly",
      "yes",
      "--appendfsync",
      "always",
    ],
    { stdio: "ignore" },
  );
  await listening(port);
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  const began = performance.now();
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - began < SECONDS * 1000) {
      const line = lineFor(sent++);
      await client.xAdd(`chat:${line.channelId}`, "*", { line: JSON.stringify(line) });
    }
  };
  await Promise.all(Array.from({ length: 1000 }, lane));
  const perS = (sent / (performance.now() - began)) * 1000;
  client.destroy();
  server.kill("SIGKILL");
  await exited(server);
  rmSync(folder, { recursive: true, force: true });
  return perS;
}

const writer = await throughWriter();
const ours = await packed(Math.round(writer.linesPerMessage));
const single = await oneEach();
const redis = await redisStreams();
const round = (value: number): number => Math.round(value);
console.error(
  `packs of ${writer.linesPerMessage.toFixed(0)} made ahead ${round(ours)} lines/s, from objects ${round(writer.perS)}, one publish a line ${round(single)}, Redis Streams ${round(redis)}`,
);
console.log(
  JSON.stringify({
    bench: "log",
    figures: {
      packedLinesPerS: round(ours),
      packAndPublishLinesPerS: round(writer.perS),
      linesPerMessage: round(writer.linesPerMessage),
      onePublishALinePerS: round(single),
      redisStreamsAofAlwaysPerS: round(redis),
    },
    ratios: { overOnePublishALine: ours / single, overRedisStreams: ours / redis },
    meets: { "1 M lines/s at sync always": ours >= 1_000_000 },
  }),
);
process.exit(0);
