import { join } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";
import type { PartPlan } from "./part.ts";

const root = join(import.meta.dirname, "../..");
const tool = (name: string): string => join(root, ".tools/bin", name);
const portOf = (address: string): number => Number(new URL(address.split(",")[0] ?? "").port);

/** A process of ours: ready when it says so. */
const ours = (
  name: string,
  file: string,
  args: string[] = [],
  env: Record<string, string> = {},
): PartPlan => ({
  name,
  program: process.execPath,
  args: ["--disable-warning=ExperimentalWarning", join(root, file), ...args],
  env,
  ready: "message",
});

/** Everything that one machine runs, in start order; it is stopped from the end. */
export function everyPart(config: Config, dataFolder: string, demo: DemoPorts | null): PartPlan[] {
  const embedded = new Set(config.HYPECAST_EMBEDDED.split(","));
  const natsPort = portOf(config.HYPECAST_NATS_URL);
  const parts: (PartPlan | null)[] = [
    embedded.has("nats")
      ? {
          name: "nats-server",
          program: tool("nats-server"),
          args: ["-c", join(root, "nats/server.conf")],
          env: {
            HYPECAST_NATS_LISTEN: `127.0.0.1:${natsPort}`,
            HYPECAST_NATS_STORE: join(dataFolder, "nats"),
          },
          ready: natsPort,
        }
      : null,
    embedded.has("redis")
      ? {
          name: "redis-server",
          program: tool("redis-server"),
          args: [
            ...["--bind", "127.0.0.1", "--port", String(portOf(config.HYPECAST_REDIS_URL))],
            // noeviction: jobs live here too. Rate limits and cached answers all carry a time to live.
            ...["--dir", dataFolder, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"],
          ],
          env: {},
          ready: portOf(config.HYPECAST_REDIS_URL),
        }
      : null,
    embedded.has("clickhouse")
      ? // Long queries hold a thread each: with the default of four, file reads of the process would wait behind them.
        ours("clickhouse", "clickhouse/src/main.ts", [], { UV_THREADPOOL_SIZE: "16" })
      : null,
    ours("analytics", "analytics/src/main.ts"),
    demo === null ? null : ours("demo", "demo/src/main.ts", demoArgs(demo, join(dataFolder, "demo-video"))),
    ours("processors", "streamproc/src/main.ts", ["--only", "processors"]),
    ours("media", "streamproc/src/main.ts", ["--only", "media"]),
    ours("clips", "streamproc/src/main.ts", ["--only", "clips"]),
    ours("imports", "streamproc/src/main.ts", ["--only", "imports"]),
    ours("oracle", "analytics/src/oracle/main.ts"),
    ours("moderation", "streamproc/src/main.ts", ["--only", "moderation"]),
    // Files of many channels are brought to the disk at once, each of which holds a thread meanwhile.
    ours("sources", "streamproc/src/main.ts", ["--only", "sources"], { UV_THREADPOOL_SIZE: "16" }),
    ours("gateway", "gateway/src/main.ts"),
  ];
  return parts.filter((part) => part !== null);
}

export interface DemoPorts {
  readonly http: number;
  readonly ircWs: number;
  readonly ircTcp: number;
}

const demoArgs = (ports: DemoPorts, videoFolder: string): string[] => [
  ...["--http", String(ports.http), "--irc-ws", String(ports.ircWs), "--irc-tcp", String(ports.ircTcp)],
  ...["--video", videoFolder],
];

/** The same settings as for Twitch itself, pointed at our stand-in. */
export function demoSettings(ports: DemoPorts): Record<string, string> {
  const http = `http://127.0.0.1:${ports.http}`;
  return {
    TWITCH_IRC_URL: `ws://127.0.0.1:${ports.ircWs}`,
    TWITCH_CLIENT_ID: "hypecast-demo",
    TWITCH_CLIENT_SECRET: "hypecast-demo-secret",
    TWITCH_HELIX_URL: `${http}/helix`,
    TWITCH_ID_URL: `${http}/oauth2`,
    TWITCH_EVENTSUB_URL: `ws://127.0.0.1:${ports.http}/eventsub/ws`,
    TWITCH_EMOTE_URL: `${http}/emoticons/v2`,
    BTTV_API_URL: `${http}/bttv/3`,
    BTTV_CDN_URL: `${http}/bttv/emote`,
    FFZ_API_URL: `${http}/ffz/v1`,
    FFZ_CDN_URL: `${http}/ffz/emote`,
    SEVENTV_API_URL: `${http}/7tv/v3`,
    SEVENTV_EVENTS_URL: `ws://127.0.0.1:${ports.http}/7tv/events`,
    SEVENTV_CDN_URL: `${http}/7tv/emote`,
    HYPECAST_ALLOW_PRIVATE_EMOTES: "1",
    TWITCH_VIDEO_COMMAND: `/bin/echo ${http}/hls/{login}/master.m3u8`,
    TWITCH_VOD_COMMAND: `/bin/echo ${http}/vod/{id}/master.m3u8`,
    TWITCH_UNOFFICIAL_CHAT_URL: `${http}/gql`,
    TWITCH_UNOFFICIAL_CHAT_CLIENT: "hypecast-demo",
    HYPECAST_VIDEO_PRIVATE_HOSTS: `127.0.0.1:${ports.http}`,
  };
}

/** Each port that is about to be taken, with the setting or option that moves it. */
export function portsOf(
  config: Config,
  demo: DemoPorts | null,
): { port: number; what: string; change: string }[] {
  const embedded = new Set(config.HYPECAST_EMBEDDED.split(","));
  const ports = [{ port: config.HYPECAST_PORT, what: "the web app", change: "--port N or HYPECAST_PORT" }];
  if (embedded.has("nats"))
    ports.push({
      port: portOf(config.HYPECAST_NATS_URL),
      what: "nats-server",
      change: "--ports N or HYPECAST_NATS_URL",
    });
  if (embedded.has("redis"))
    ports.push({
      port: portOf(config.HYPECAST_REDIS_URL),
      what: "redis-server",
      change: "--ports N or HYPECAST_REDIS_URL",
    });
  if (embedded.has("clickhouse"))
    ports.push({
      port: portOf(config.HYPECAST_CLICKHOUSE_URL),
      what: "ClickHouse",
      change: "--ports N or HYPECAST_CLICKHOUSE_URL",
    });
  if (demo !== null)
    for (const [name, port] of Object.entries(demo))
      ports.push({ port, what: `the demo's ${name}`, change: "--ports N" });
  return ports;
}
