import { spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, type JsMsg } from "@nats-io/jetstream";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CHANNELS_BUCKET, CHANNEL_STATE_BUCKET, type ChannelState } from "@hypecast/contracts/channel.ts";
import {
  chatAlive,
  chatGap,
  chatLines,
  LINES_HEADER,
  unpackLines,
  type ChatAlive,
  type ChatGap,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import { partitionOf } from "@hypecast/contracts/event.ts";
import { startDemo, type Demo } from "@hypecast/demo/demo.ts";
import { linesBetween } from "@hypecast/demo/schedule.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { exited, startNats, startRedis, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { until } from "@hypecast/tests/until.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromAnotherRoom } from "./twitch-chat/chat.ts";
import { parseIrc } from "./twitch-chat/irc.ts";

const ROOM = "pepel_lamp";
const main = join(import.meta.dirname, "../main.ts");

/** A log, a Redis and a stand-in for Twitch, and source processes that can be killed. */
interface World {
  nats: Server;
  redis: Server;
  demo: Demo;
  folder: string;
  env: NodeJS.ProcessEnv;
  nc: NatsConnection;
  wanted: KV;
  states: KV;
}

async function newWorld(settings: NodeJS.ProcessEnv = {}): Promise<World> {
  const [nats, redis, demo] = await Promise.all([
    startNats(),
    startRedis(),
    startDemo({ http: 0, ircWs: 0, ircTcp: 0 }),
  ]);
  const folder = temporaryFolder("sources");
  const http = `http://127.0.0.1:${demo.ports.http}`;
  const env = {
    ...process.env,
    HYPECAST_DATA: folder,
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_REDIS_URL: redis.url,
    HYPECAST_LOG_LEVEL: "error",
    TWITCH_IRC_URL: `ws://127.0.0.1:${demo.ports.ircWs}`,
    TWITCH_CLIENT_ID: "hypecast-demo",
    TWITCH_CLIENT_SECRET: "hypecast-demo-secret",
    TWITCH_HELIX_URL: `${http}/helix`,
    TWITCH_ID_URL: `${http}/oauth2`,
    BTTV_API_URL: `${http}/bttv/3`,
    FFZ_API_URL: `${http}/ffz/v1`,
    SEVENTV_API_URL: `${http}/7tv/v3`,
    SEVENTV_EVENTS_URL: `ws://127.0.0.1:${demo.ports.http}/7tv/events`,
    ...settings,
  };
  const nc = await connectBus(readConfig(env), "test");
  await ensureStreams(nc, 1);
  const kvm = new Kvm(nc);
  return {
    nats,
    redis,
    demo,
    folder,
    env,
    nc,
    wanted: await kvm.open(CHANNELS_BUCKET),
    states: await kvm.open(CHANNEL_STATE_BUCKET),
  };
}

async function endWorld(world: World, ...children: ChildProcess[]): Promise<void> {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => exited(child)));
  await world.nc.close();
  await Promise.all([world.demo.close(), world.nats.close(), world.redis.close()]);
  rmSync(world.folder, { recursive: true, force: true });
}

const startSource = (world: World, settings: NodeJS.ProcessEnv = {}): ChildProcess =>
  spawn(process.execPath, [main, "--only", "sources"], {
    stdio: "inherit",
    env: { ...world.env, ...settings },
  });

const want = (world: World, login: string, paused = false): Promise<number> =>
  world.wanted.put(login, JSON.stringify({ login, addedAtMs: 1, paused }));

async function stateOf(world: World, login: string): Promise<ChannelState | null> {
  const entry = await world.states.get(login);
  return entry?.operation === "PUT" ? entry.json<ChannelState>() : null;
}

const untilState = (world: World, login: string, state: ChannelState["state"]): Promise<ChannelState> =>
  until(`${login} is ${state}`, async () => {
    const now = await stateOf(world, login);
    return now?.state === state ? now : null;
  });

/** All that the log says of a channel, in order. */
async function heardOf(
  { nc }: World,
  channelId: string,
): Promise<{
  lines: ChatLine[];
  gaps: ChatGap[];
  alive: number[];
  order: ("line" | "gap" | "alive")[];
  sets: string[];
  headers: number;
}> {
  const partition = partitionOf(channelId);
  const consumer = await jetstream(nc).consumers.get("INPUT", {
    filter_subjects: [
      `${chatLines.name}.${partition}.${channelId}`,
      `${chatGap.name}.${partition}.${channelId}`,
      `${chatAlive.name}.${partition}`,
    ],
  });
  const found: JsMsg[] = [];
  let left = (await consumer.info()).num_pending;
  while (left > 0)
    for await (const message of await consumer.fetch({ max_messages: left, expires: 1000 })) {
      found.push(message);
      left--;
    }
  const heard = {
    lines: [] as ChatLine[],
    gaps: [] as ChatGap[],
    alive: [] as number[],
    order: [] as ("line" | "gap" | "alive")[],
    sets: [] as string[],
    headers: 0,
  };
  for (const message of found) {
    if (message.subject.startsWith(chatLines.name)) {
      const lines = unpackLines(message.data);
      heard.headers += Number(message.headers?.get(LINES_HEADER));
      heard.sets.push(message.headers?.get("Hypecast-Emote-Set") ?? "");
      heard.lines.push(...lines);
      heard.order.push(...lines.map(() => "line" as const));
    } else if (message.subject.startsWith(chatGap.name)) {
      heard.gaps.push(message.json<ChatGap>());
      heard.order.push("gap");
    } else if (message.json<ChatAlive>().channels.includes(channelId)) {
      heard.alive.push(message.json<ChatAlive>().atMs);
      heard.order.push("alive");
    }
  }
  return heard;
}

/** The stand-in's script says which lines there were: those outside of the gaps must be on the log, once, and no shared one. */
async function expectComplete(
  world: World,
  channelId: string,
  fromMs: number,
): Promise<{ lines: ChatLine[]; gaps: ChatGap[] }> {
  const untilMs = Date.now();
  await sleep(300);
  const heard = await heardOf(world, channelId);
  const ids = heard.lines.map((line) => line.id);
  expect(new Set(ids).size, "no line twice").toBe(ids.length);
  expect(heard.headers, "the header says how many").toBe(ids.length);
  const there = new Set(ids);
  const missing = linesBetween(ROOM, fromMs, untilMs).flatMap(({ line }) => {
    const message = parseIrc(line);
    if (message?.command !== "PRIVMSG" || fromAnotherRoom(message) || there.has(message.id)) return [];
    const at = message.sentAtMs;
    return heard.gaps.some((gap) => at >= gap.fromMs && at <= gap.toMs) ? [] : [at - fromMs];
  });
  expect(missing, `lines that are missing without a gap; gaps ${JSON.stringify(heard.gaps)}`).toEqual([]);
  for (const line of heard.lines) expect(line.sourceChannelId ?? channelId).toBe(channelId);
  return heard;
}

const control = async (world: World, action: string, body: object = {}): Promise<void> => {
  const answer = await fetch(`http://127.0.0.1:${world.demo.ports.http}/control/${action}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
};

describe("one source", () => {
  let world: World;
  let source: ChildProcess;
  let channelId: string;
  let joinedMs: number;

  beforeAll(async () => {
    world = await newWorld();
    await want(world, ROOM);
    await want(world, "zakrytaya_dver");
    await want(world, "no_such_channel_here");
    await control(world, "channel", { channel: "offline_mila", mode: "silent" });
    await want(world, "offline_mila");
    source = startSource(world);
  });
  afterAll(() => endWorld(world, source));

  const lineCount = async (): Promise<number> => (await heardOf(world, channelId)).lines.length;
  const moreLines = async (by: number): Promise<void> => {
    const before = await until("the log answers", async () => (await lineCount()) + 1);
    await until(`${by} more lines`, async () => (await lineCount()) + 1 >= before + by);
  };

  test("a wanted channel is joined, named, and heard", async () => {
    const state = await untilState(world, ROOM, "live");
    channelId = state.channelId ?? "";
    joinedMs = Date.now() + 200;
    expect(channelId).toMatch(/^\d+$/);
    await until("name, stream and emotes are known", async () => {
      const now = await stateOf(world, ROOM);
      return (
        now?.name !== null &&
        now?.stream !== null &&
        now?.emotes.every((one) => one.fetchedAtMs !== null && one.emotes > 0)
      );
    });
    await moreLines(20);
    // About one line in ten of calm chat holds one: a matter of chance how soon.
    await until("a line with a third-party emote", async () =>
      (await heardOf(world, channelId)).lines.some((line) =>
        line.emotes?.some(([ref]) => !ref.startsWith("twitch:")),
      ),
    );
    const { alive, sets } = await heardOf(world, channelId);
    expect(sets.at(-1)).toMatch(/^[0-9a-f]{16}$/);
    expect(alive.length).toBeGreaterThan(0);
    expect(alive.toSorted((a, b) => a - b)).toEqual(alive);
    expect(Math.abs((alive.at(-1) ?? 0) - Date.now())).toBeLessThan(3500);
  });

  test("channels that are suspended or do not exist say so", async () => {
    const suspended = await untilState(world, "zakrytaya_dver", "suspended");
    expect(suspended.reason).toMatch(/suspended/);
    expect((await untilState(world, "no_such_channel_here", "suspended")).reason).toMatch(/does not exist/);
  });

  test("lines that are broken, forged, too long or unknown cost themselves only", async () => {
    world.demo.irc.inject(ROOM);
    const sharedId = "11111111-2222-4333-8444-555555555555";
    world.demo.irc.inject(ROOM, [
      `@id=${sharedId};room-id=${channelId};source-room-id=1;source-id=s1;user-id=5;tmi-sent-ts=${Date.now()} :a!a@a PRIVMSG #${ROOM} :of another room`,
      `@id=wrong-room;room-id=1;user-id=5;tmi-sent-ts=${Date.now()} :a!a@a PRIVMSG #${ROOM} :of no room of ours`,
      `@id=jump-ahead;room-id=${channelId};user-id=5;tmi-sent-ts=${Date.now() + 3_600_000} :a!a@a PRIVMSG #${ROOM} :in an hour`,
      `@id=jump-back;room-id=${channelId};user-id=5;tmi-sent-ts=${Date.now() - 3_600_000} :a!a@a PRIVMSG #${ROOM} :an hour ago`,
    ]);
    await moreLines(5);
    const { lines } = await heardOf(world, channelId);
    expect(lines.filter((line) => [sharedId, "wrong-room"].includes(line.id))).toEqual([]);
    const jumped = lines.filter((line) => line.id.startsWith("jump-"));
    expect(jumped).toHaveLength(2);
    for (const line of jumped) expect(Math.abs(line.sentAtMs - Date.now())).toBeLessThan(15_000);
    expect(source.exitCode).toBeNull();
    expect((await stateOf(world, ROOM))?.state).toBe("live");
  });

  test("a channel is added and removed while it runs", async () => {
    await want(world, "nightfern");
    await untilState(world, "nightfern", "live");
    expect(world.demo.irc.state().rooms["nightfern"]).toBe(1);
    await world.wanted.delete("nightfern");
    await until("left", async () => world.demo.irc.state().rooms["nightfern"] === undefined);
  });

  test("a pause leaves the room, and its end leaves a gap from leaving to joining", async () => {
    const leftMs = Date.now();
    await want(world, ROOM, true);
    await untilState(world, ROOM, "paused");
    await sleep(700);
    await want(world, ROOM);
    await untilState(world, ROOM, "live");
    const { gaps } = await expectComplete(world, channelId, joinedMs);
    const gap = gaps.find((one) => one.reason === "paused");
    expect(gap?.fromMs).toBeGreaterThan(leftMs - 1200);
    expect((gap?.toMs ?? 0) - (gap?.fromMs ?? 0)).toBeGreaterThan(700);
  });

  test("a cut connection and a RECONNECT leave a gap each, exactly from the last heard to joined again", async () => {
    for (const cut of [() => world.demo.irc.drop(), () => world.demo.irc.reconnect(500)]) {
      const before = (await heardOf(world, channelId)).gaps.length;
      await moreLines(3);
      const cutMs = Date.now();
      cut();
      await until("a gap", async () => (await heardOf(world, channelId)).gaps.length > before);
      await moreLines(3);
      const { gaps } = await expectComplete(world, channelId, joinedMs);
      const gap = gaps.at(-1);
      expect(gap?.reason).toBe("connection_lost");
      expect(gap?.fromMs).toBeGreaterThan(cutMs - 2500);
      expect(gap?.toMs).toBeLessThanOrEqual(Date.now());
    }
  });

  test("a crashed log server costs nothing: what waited arrives, once and in order", async () => {
    const gapsBefore = (await heardOf(world, channelId)).gaps.length;
    await world.nats.crash();
    await moreLines(10);
    const { gaps, lines } = await expectComplete(world, channelId, joinedMs);
    expect(gaps).toHaveLength(gapsBefore);
    const scripted = lines.filter((line) => !line.id.startsWith("jump-"));
    const times = scripted.map((line) => line.sentAtMs);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });

  test("7TV's changes are in force at once, a provider that is down keeps its set and says why", async () => {
    const used = async (name: string): Promise<boolean> => {
      const text = `${name} ${String(Math.random())}`;
      world.demo.irc.inject(ROOM, [
        `@id=${crypto.randomUUID()};room-id=${channelId};user-id=5;tmi-sent-ts=${Date.now()} :a!a@a PRIVMSG #${ROOM} :${text}`,
      ]);
      const line = await until(
        "the line",
        async () => (await heardOf(world, channelId)).lines.find((one) => one.text === text) ?? null,
      );
      return line.emotes?.[0]?.[0] === "7tv:64f0a1b2c3d4e5f6071829ff";
    };
    await control(world, "seventv", { mode: "add", name: "brandNew" });
    await until("the new emote is known", () => used("brandNew"));
    await control(world, "seventv", { mode: "remove", name: "brandNew" });
    await until("the emote is gone", async () => !(await used("brandNew")));
  });

  test("a JOIN that nobody answers is a state, not a silence", async () => {
    expect((await untilState(world, "offline_mila", "join_refused")).reason).toMatch(/not confirmed/);
  });

  test("kill -9: after the restart a gap from the last word to joined, nothing twice, nothing missing", async () => {
    const killedMs = Date.now();
    source.kill("SIGKILL");
    await exited(source);
    // The providers are down at the restart: the sets on disk serve.
    for (const provider of ["bttv", "ffz", "7tv"])
      await control(world, "provider", { provider, mode: "error" });
    source = startSource(world);
    const gap = await until(
      "a gap",
      async () =>
        (await heardOf(world, channelId)).gaps.find((one) => one.reason === "source_restarted") ?? null,
    );
    expect(gap.fromMs).toBeGreaterThan(killedMs - 3500);
    expect(gap.fromMs).toBeLessThan(killedMs);
    await moreLines(5);
    await expectComplete(world, channelId, joinedMs);
    const { order, sets } = await heardOf(world, channelId);
    expect(order.indexOf("gap")).toBeGreaterThan(0);
    expect(sets.at(-1)).toMatch(/^[0-9a-f]{16}$/);
    const state = await until("the failure is told", async () => {
      const now = await stateOf(world, ROOM);
      return now?.emotes.every((one) => one.error !== null) === true ? now : null;
    });
    for (const one of state.emotes) expect(one.fetchedAtMs).toBeLessThan(killedMs + 1000);
    await control(world, "reset");
  });

  test("a connection that freezes is given up after 10 s, and the silence is a gap", async () => {
    const before = (await heardOf(world, channelId)).gaps.length;
    const frozeMs = Date.now();
    await control(world, "freeze", { forMs: 11_000 });
    await until("a gap", async () => (await heardOf(world, channelId)).gaps.length > before);
    await moreLines(3);
    const { gaps } = await expectComplete(world, channelId, joinedMs);
    const gap = gaps.at(-1);
    expect(gap?.reason).toBe("connection_lost");
    expect(Math.abs((gap?.fromMs ?? 0) - frozeMs)).toBeLessThan(1500);
    expect((gap?.toMs ?? 0) - frozeMs).toBeGreaterThan(9_500);
  });
});

test("more channels than one burst of joins over two processes keep to Twitch's limits, share them out, and a dead one's are taken over", async () => {
  const world = await newWorld({ TWITCH_CLIENT_ID: "" });
  const sources: ChildProcess[] = [];
  try {
    const logins = Array.from({ length: 24 }, (_, i) => `flood_${i + 1}`);
    for (const login of logins) await want(world, login);
    sources.push(
      startSource(world),
      startSource(world, { TWITCH_IRC_URL: `irc://127.0.0.1:${world.demo.ports.ircTcp}` }),
    );
    await until("all are joined", async () => Object.keys(world.demo.irc.state().rooms).length === 24);
    const { rooms, sessions } = world.demo.irc.state();
    expect(sessions).toBe(2);
    expect(Object.values(rooms).every((listeners) => listeners === 1)).toBe(true);
    expect(world.demo.irc.counts).toMatchObject({ joinsOverLimit: 0, loginsOverLimit: 0 });
    sources[0]?.kill("SIGKILL");
    await until("the other has all", async () => {
      const now = world.demo.irc.state();
      return now.sessions === 1 && Object.keys(now.rooms).length === 24;
    });
    expect(world.demo.irc.counts).toMatchObject({ joinsOverLimit: 0, loginsOverLimit: 0 });
    await untilState(world, "flood_24", "live");
  } finally {
    await endWorld(world, ...sources);
  }
});

test("a token that Twitch refuses is a state, and no storm of log-ins; the right one is let in", async () => {
  const world = await newWorld({ TWITCH_LOGIN: ROOM, TWITCH_TOKEN: "wrong" });
  const sources: ChildProcess[] = [];
  try {
    await want(world, ROOM);
    sources.push(startSource(world));
    expect((await untilState(world, ROOM, "token_refused")).reason).toMatch(/Login authentication failed/);
    await sleep(1500);
    expect(world.demo.irc.counts.loginsRefused).toBe(1);
    expect(sources[0]?.exitCode).toBeNull();
    sources[0]?.kill("SIGKILL");
    sources.push(startSource(world, { TWITCH_TOKEN: "hypecast-demo-token" }));
    await untilState(world, ROOM, "live");
  } finally {
    await endWorld(world, ...sources);
  }
});
