import { spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CHANNELS_BUCKET, CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import { liveSubject, type LiveTick } from "@hypecast/contracts/live.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { exited, freePort, listening, startNats, startRedis, temporaryFolder } from "./servers.ts";
import { vodAnswer } from "./web-vods.ts";
import * as video from "../../web/src/routes/dev/parts/sample-video.ts";
import * as sample from "../../web/src/routes/dev/parts/sample.ts";

const root = join(import.meta.dirname, "../..");

/** Moves every time of the sample evening so that it ends now. */
export function untilNow<Value>(value: Value, nowMs = Date.now()): Value {
  return JSON.parse(JSON.stringify(value), (_key, found: unknown) =>
    typeof found === "number" && found > 1e12 ? found + nowMs - sample.NOW_MS : found,
  ) as Value;
}

/** A real gateway before a real nats-server; this test is the source, the folds and the store. */
export interface WebGateway {
  readonly url: string;
  readonly nc: NatsConnection;
  /** Where the gateway looks for segments, pictures and clips. */
  readonly objects: string;
  /** What the store answers as moments; a test changes it. */
  moments: Moment[];
  /** Ticks of the sample channel, each with `more`; `null` stops them. */
  tick(more: Partial<LiveTick> | null): void;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** `jobs`: with a Redis, so that clips can be asked for. */
export async function startWebGateway(ticksPerS = 10, jobs = false): Promise<WebGateway> {
  const nats = await startNats();
  const redis = jobs ? await startRedis() : null;
  const objects = temporaryFolder("web-objects");
  const port = await freePort();
  const env = {
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_PORT: String(port),
    HYPECAST_REDIS_URL: redis?.url ?? "redis://127.0.0.1:1",
    HYPECAST_OBJECTS: objects,
    HYPECAST_LOG_LEVEL: "error",
  };
  const nc = await connectBus(readConfig(env), "web-test");
  await ensureStreams(nc, 1);
  const kvm = new Kvm(nc);
  const wanted = await kvm.open(CHANNELS_BUCKET);
  const states = await kvm.open(CHANNEL_STATE_BUCKET);
  await wanted.put(
    sample.LOGIN,
    JSON.stringify({ login: sample.LOGIN, addedAtMs: Date.now(), paused: false }),
  );
  await states.put(sample.LOGIN, JSON.stringify(untilNow(sample.sampleState(sample.LOGIN, "live"))));
  const told = {
    moments: untilNow(video.sampleMoments()).map(({ decision: _none, ...moment }): Moment => moment),
  };
  answerQuestions(nc, told);

  let gateway: ChildProcess;
  const start = async (): Promise<void> => {
    gateway = spawn(process.execPath, [join(root, "gateway/src/main.ts")], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await listening(port);
  };
  const kill = async (): Promise<void> => {
    gateway.kill("SIGKILL");
    await exited(gateway);
  };
  await start();

  let more: Partial<LiveTick> | null = {};
  let lines = 1000;
  const ticking = setInterval(() => {
    if (more === null) return;
    lines += 1;
    nc.publish(liveSubject("1001"), JSON.stringify({ ...untilNow(sample.sampleTick()), lines, ...more }));
  }, 1000 / ticksPerS);
  return {
    url: `http://127.0.0.1:${port}`,
    nc,
    objects,
    get moments() {
      return told.moments;
    },
    set moments(moments) {
      told.moments = moments;
    },
    tick: (next) => {
      more = next;
    },
    kill,
    start,
    async close() {
      clearInterval(ticking);
      await kill();
      await nc.close();
      await redis?.close();
      await nats.close();
      rmSync(objects, { recursive: true, force: true });
    },
  };
}

/** Stands for analytics/: answers with the sample evening, moved to end now. */
function answerQuestions(nc: NatsConnection, told: { moments: Moment[] }): void {
  const answers: Record<
    string,
    (ask: { fromMs: number; toMs: number; columns: number; atMs: number }) => unknown
  > = {
    extent: () => ({ firstMs: sample.START_MS, lastMs: sample.NOW_MS, messages: 41_208 }),
    heatmap: (ask) => (ask.toMs - ask.fromMs < 500_000 ? sample.sampleMinutes() : sample.sampleStream()),
    bursts: () => ({ bursts: sample.sampleBursts() }),
    forecasts: () => ({ forecasts: sample.sampleForecasts() }),
    forecast_record: () => sample.sampleRecord(),
    moment_at: () => sample.sampleMoment(sample.NOW_MS - 600_000),
    top_emotes: () => ({ emotes: [], trackedSinceMs: null }),
    windows: () => ({ windows: [] }),
    shots: () => ({ shots: video.sampleShots().map((shot) => ({ ...shot, score: null })) }),
    audio: () => video.sampleAudio(),
    chat_span: ({ fromMs }) => ({
      lines: sample.sampleChat().lines.map((line, i) => ({
        ...line,
        id: `${line.id} ${fromMs} ${i}`,
        sentAtMs: fromMs - (Date.now() - sample.NOW_MS) + i * 5000,
      })),
      complete: true,
    }),
    sparklines: () => {
      const { columns, stepMs } = sample.sampleHeatmap(4330, 6130, 20);
      return {
        sparklines: [
          {
            channelId: "1001",
            stepMs,
            startMs: columns[0]?.startMs ?? 0,
            messagesPerMin: columns.map(({ messagesPerMin }) => messagesPerMin),
            hype: columns.map(({ hype }) => hype),
          },
        ],
      };
    },
  };
  nc.subscribe("ask.*", {
    callback: (_error, message) => {
      const answer = answers[message.subject.slice(4)];
      const ofVod = vodAnswer(message.subject.slice(4), message.json());
      if (ofVod !== null) {
        message.respond(JSON.stringify(ofVod));
        return;
      }
      message.respond(
        JSON.stringify(
          // A test's own moments stand where it has put them.
          message.subject === "ask.moments"
            ? { moments: told.moments, lag: untilNow(video.sampleLag()) }
            : answer === undefined
              ? { error: "bad_question", detail: message.subject }
              : untilNow(answer(message.json())),
        ),
      );
    },
  });
}
