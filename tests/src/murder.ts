import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { expect } from "vitest";
import { audioWindows } from "@hypecast/contracts/audio.ts";
import { chatBursts, type ChatBurst } from "@hypecast/contracts/burst.ts";
import { partitionOf, subjectFilter, type EventType } from "@hypecast/contracts/event.ts";
import { hypeValues } from "@hypecast/contracts/hype.ts";
import { modCases } from "@hypecast/contracts/mod-case.ts";
import { moments, reactionLags, type Moment } from "@hypecast/contracts/moment.ts";
import { videoShots } from "@hypecast/contracts/shot.ts";
import { CHECKPOINT_SUBJECT, inputEvents, STATE_SUBJECT } from "@hypecast/contracts/streams.ts";
import { toxicitySpikes, toxicityWindows } from "@hypecast/contracts/toxicity.ts";
import { chatWindows, type ChatWindow } from "@hypecast/contracts/window.ts";
import { openStore, type Store } from "@hypecast/analytics/store.ts";
import { connectBus, ensureStreams, whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import {
  batch,
  canonical,
  checkLog,
  checkScores,
  checkWindows,
  finalTables,
  storedTables,
  keyOf,
  type Finals,
  type FinalTable,
  type Logged,
} from "./murder-oracle.ts";
import { until } from "./until.ts";
import { makeRecording, seeded, type Recording } from "./murder-recording.ts";
import {
  exited,
  freePort,
  startClickHouse,
  startNats,
  startRedis,
  STORE_PASSWORD,
  temporaryFolder,
  type Server,
} from "./servers.ts";

const root = join(import.meta.dirname, "../..");

/** One of our own processes: ended only by us, and started again by us, as the supervisor would. */
class Program {
  readonly name: string;
  /** Ends that nobody here had asked for. */
  readonly surprises: string[] = [];
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;
  readonly #logFile: string;
  #child: ChildProcess | null = null;
  #ending = false;

  constructor(name: string, args: readonly string[], env: Record<string, string>, folder: string) {
    this.name = name;
    this.#args = args;
    this.#env = env;
    this.#logFile = join(folder, `${name}.log`);
  }

  start(): ChildProcess {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...this.#args], {
      cwd: root,
      env: { ...process.env, ...this.#env },
      // The channel tells us that it is ready, and it that we are gone.
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child.stderr?.pipe(createWriteStream(this.#logFile, { flags: "a" }));
    this.#child = child;
    let lastWords = "";
    child.stderr?.on("data", (said: Buffer) => (lastWords = (lastWords + said.toString()).slice(-8000)));
    child.once("exit", (code, signal) => {
      if (this.#ending || child !== this.#child || code === 0 || signal !== null) return;
      // What it said last is why it ended, and is heard only after its end.
      child.once("close", () => {
        const why = lastWords.trim().split("\n").slice(-2).join("\n");
        this.surprises.push(`${this.name} ended with ${code}: ${why}`);
        console.error(`${this.name} ended by itself with ${code}:\n${why}`);
      });
      this.start();
    });
    return child;
  }

  /** Resolves when it says that it is ready. */
  async ready(): Promise<void> {
    await Promise.race([
      new Promise((resolve) => this.child().once("message", resolve)),
      sleep(120_000).then(() => {
        throw new Error(`${this.name} is not ready after 120 s\n${this.log()}`);
      }),
    ]);
  }
  child(): ChildProcess {
    return this.#child!;
  }
  log(): string {
    return readFileSync(this.#logFile, { encoding: "utf8", flag: "a+" });
  }
  async crash(): Promise<void> {
    const child = this.child();
    this.#child = null;
    child.kill("SIGKILL");
    await exited(child);
    this.start();
  }
  async close(): Promise<void> {
    this.#ending = true;
    this.child().kill("SIGKILL");
    await exited(this.child());
  }
}

type Victim = Pick<Server, "child" | "crash">;

export interface World {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly env: Record<string, string>;
  readonly folder: string;
  readonly programs: Map<string, Program>;
  readonly victims: Map<string, Victim>;
  /** Of several nats-servers the one that leads now; the victim called "leader". */
  readonly leader: (() => Victim) | null;
  readonly store: Store | null;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** The log, when it is not one server of this world's own. */
  readonly nats?: { url: string; replicas: number; leader: () => Victim };
  /** With sink, store, gateway and Redis; without, only the log is looked at. */
  readonly store: boolean;
  /** With the process that imports streams, and without the gateway, which has no part in that. */
  readonly imports?: boolean;
  /** With the process that measures pictures, and nothing else of video. */
  readonly media?: boolean;
  /** With the process that makes vectors and searches. */
  readonly oracle?: boolean;
  /** With so many processes that score chat. */
  readonly moderation?: number;
  /** With everything that video needs, and these settings. */
  readonly video?: Record<string, string>;
  readonly processors: number;
}

/** Every process of Hypecast, each on its own, as `up` starts them. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const folder = temporaryFolder("murder");
  const nats = options.nats === undefined ? await startNats() : null;
  const redis = options.store || options.video !== undefined ? await startRedis() : null;
  const clickhouse = options.store ? await startClickHouse() : null;
  const env: Record<string, string> = {
    HYPECAST_NATS_URL: options.nats?.url ?? nats!.url,
    HYPECAST_NATS_REPLICAS: String(options.nats?.replicas ?? 1),
    HYPECAST_DATA: folder,
    HYPECAST_PORT: String(await freePort()),
    HYPECAST_LOG_LEVEL: "info",
    ...(redis === null ? {} : { HYPECAST_REDIS_URL: redis.url }),
    ...(clickhouse === null
      ? {}
      : { HYPECAST_CLICKHOUSE_URL: clickhouse.url, HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD }),
    // No emote provider is asked: nothing of this leaves the machine.
    ...Object.fromEntries(
      ["BTTV", "FFZ", "SEVENTV"].map((name) => [`${name}_API_URL`, "http://127.0.0.1:9/"]),
    ),
    SEVENTV_EVENTS_URL: "ws://127.0.0.1:9/",
    TWITCH_IRC_URL: "ws://127.0.0.1:9/",
    ...options.video,
  };
  const config = readConfig(env);
  const nc = await connectBus(config, "murder");
  await ensureStreams(nc, options.nats?.replicas ?? 1);
  const jsm = await jetstreamManager(nc);

  const programs = new Map<string, Program>();
  const add = (name: string, ...args: string[]): void => {
    const program = new Program(name, args, env, folder);
    programs.set(name, program);
    program.start();
  };
  for (let i = 1; i <= options.processors; i++)
    add(`processors-${i}`, "streamproc/src/main.ts", "--only", "processors");
  if (options.video !== undefined)
    for (const part of ["sources", "media", "clips"]) add(part, "streamproc/src/main.ts", "--only", part);
  if (options.media === true) add("media", "streamproc/src/main.ts", "--only", "media");
  if (options.imports === true) add("imports", "streamproc/src/main.ts", "--only", "imports");
  if (options.store) add("analytics", "analytics/src/main.ts");
  for (let i = 1; i <= (options.moderation ?? 0); i++)
    add(`moderation-${i}`, "streamproc/src/main.ts", "--only", "moderation");
  if (options.oracle === true) add("oracle", "analytics/src/oracle/main.ts");
  if ((options.store && options.imports !== true) || options.video !== undefined)
    add("gateway", "gateway/src/main.ts");
  await Promise.all([...programs.values()].map(async (program) => program.ready()));
  const victims = new Map<string, Victim>(programs);
  if (nats !== null) victims.set("nats", nats);
  if (redis !== null) victims.set("redis", redis);
  if (clickhouse !== null) victims.set("clickhouse", clickhouse);
  return {
    nc,
    jsm,
    env,
    folder,
    programs,
    victims,
    leader: options.nats?.leader ?? null,
    store: options.store ? openStore(config) : null,
    async close() {
      for (const program of programs.values()) await program.close();
      await nc.close();
      for (const server of [clickhouse, redis, nats]) await server?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Episode {
  readonly seed: number;
  /** Wall-clock time in which the recording is played. */
  readonly playS: number;
  readonly murders: number;
  /** Seconds of chat that are played in that time. */
  readonly chatS?: number;
  readonly victims?: readonly string[];
}

export interface EpisodeResult {
  readonly seed: number;
  readonly did: string[];
  readonly lines: number;
  readonly finals: number;
  readonly settledS: number;
}

/** Plays a recording into the world, murders while it plays, waits until everything has arrived and holds it to the oracle. */
export async function playEpisode(world: World, episode: Episode): Promise<EpisodeResult> {
  const { seed, playS } = episode;
  const chatS = episode.chatS ?? 150;
  const recording = makeRecording(seed, chatS);
  const file = join(world.folder, `recording-${seed}.txt`);
  writeFileSync(file, recording.text);
  const firstChat = (await world.jsm.streams.info("INPUT")).state.last_seq + 1;
  const firstFold = (await world.jsm.streams.info("FOLD")).state.last_seq + 1;

  const source = new Program(
    `source-${seed}`,
    [
      "streamproc/src/sources/replay.ts",
      ...["--file", file, "--speed", String(chatS / playS), "--until", String(recording.endMs + 70_000)],
    ],
    world.env,
    world.folder,
  );
  source.start();
  const victims = new Map<string, Victim>([...world.victims, ["source", source]]);
  const did = await murder(world, victims, episode);
  await Promise.race([
    untilPlayed(source),
    sleep(120_000).then(() => {
      throw new Error(`seed ${seed}: the recording was not played within two minutes\n${source.log()}`);
    }),
  ]);
  await until("the log answers", async () => (await world.jsm.streams.info("FOLD")).state.messages >= 0);
  const began = performance.now();
  let finals = 0;
  const scored = world.programs.has("moderation-1");
  const told = (): string => `seed ${seed} after ${did.join(", ")}`;
  try {
    if (scored)
      await until("every pack is scored", async () =>
        checkScores(await logOf(world, recording.channels, firstChat), recording.channels),
      );
    const { log, expected } = await checkFinals(world, recording.channels, firstChat, firstFold);
    if (scored) {
      checkScores(log, recording.channels);
      expect(expected.mod_cases.size).toBeGreaterThan(10);
      expect([...expected.toxicity_spikes.values()]).toContainEqual(
        expect.objectContaining({ kind: "hate_raid" }),
      );
    }
    checkLog(log, recording);
    checkWindows([...expected.chat_windows.values()] as ChatWindow[], recording);
    if (world.store !== null) await checkStore(world.store, recording, expected);
    finals = expected.chat_windows.size + expected.chat_bursts.size + expected.hype.size;
  } catch (error) {
    const why = `${told()}: ${error instanceof Error ? error.message : String(error)}`;
    console.error(why);
    throw new Error(why, { cause: error });
  }
  const surprises = [...world.programs.values(), source].flatMap((program) => program.surprises.splice(0));
  expect(surprises, told()).toEqual([]);
  for (const program of world.programs.values())
    expect(program.log(), told()).not.toContain("a saved state could not be read");
  const settledS = (performance.now() - began) / 1000;
  return { seed, did, lines: recording.said.length, finals, settledS };
}

async function untilPlayed(source: Program): Promise<void> {
  for (;;) {
    const child = source.child();
    await exited(child);
    if (child === source.child() && child.exitCode === 0) return;
    await sleep(50);
  }
}

const WAYS = ["kill", "kill", "kill", "pause", "pause", "restart", "in-commit", "in-commit"] as const;

export async function murder(
  world: World,
  victims: Map<string, Victim>,
  episode: Pick<Episode, "seed" | "playS" | "murders" | "victims">,
): Promise<string[]> {
  const random = seeded(episode.seed * 7919 + 1);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const names = episode.victims ?? [...victims.keys()];
  const plan = Array.from({ length: episode.murders }, () => ({
    atMs: (0.1 + 0.85 * random()) * episode.playS * 1000,
    name: pick(names),
    way: pick(WAYS),
    forMs: 300 + random() * 4000,
  })).toSorted((a, b) => a.atMs - b.atMs);
  const began = performance.now();
  const did: string[] = [];
  for (const { atMs, name, way, forMs } of plan) {
    await sleep(Math.max(0, atMs - (performance.now() - began)));
    // Looked up once: when the leader dies another takes its place, and it is the dead one that must be started again.
    const victim = name === "leader" ? world.leader!() : victims.get(name)!;
    const child = victim.child();
    if (child.exitCode !== null || child.signalCode !== null) continue; // the recording is over
    if (way === "pause") {
      did.push(`${name} paused for ${forMs.toFixed(0)} ms at ${(atMs / 1000).toFixed(1)} s`);
      child.kill("SIGSTOP");
      await sleep(forMs);
      child.kill("SIGCONT");
      continue;
    }
    did.push(`${name} ${way} at ${(atMs / 1000).toFixed(1)} s`);
    if (way === "restart") {
      child.kill("SIGTERM");
      await Promise.race([exited(child), sleep(9000)]);
    }
    if (way === "in-commit") await inCommit(world, child);
    await victim.crash();
  }
  return did;
}

/** Kills the process when the first states of a commit have passed the server and its checkpoint may or may not have. */
async function inCommit(world: World, child: ChildProcess): Promise<void> {
  let seen = 0;
  await new Promise<void>((resolve) => {
    const watching = world.nc.subscribe(`${STATE_SUBJECT}.>`, {
      callback: () => {
        if (++seen === 2) done();
      },
    });
    const done = (): void => {
      child.kill("SIGKILL");
      watching.unsubscribe();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, 2500);
  });
}

/** Waits until the folds have done all that is on the log of these channels, and holds what they committed to the batch computation. */
export async function checkFinals(
  world: Pick<World, "nc" | "jsm">,
  channels: readonly string[],
  firstChat: number,
  firstFold: number,
): Promise<{ log: Awaited<ReturnType<typeof readLog>>; expected: Finals }> {
  const log = await logOf(world, channels, firstChat);
  const expected = batch(log, new Set(channels));
  const last = new Map(log.map(({ partition, seq }) => [partition, seq]));
  await until("every partition has folded the log to its end", async () => {
    for (const [partition, seq] of last)
      if ((await checkpointOf(world, partition)).position < seq) return false;
    return true;
  });
  const committed = await finalsOnLog(world, channels, firstFold);
  const times = new Map<string, number>();
  for (const { table, id } of committed) times.set(`${table} ${id}`, (times.get(`${table} ${id}`) ?? 0) + 1);
  // A burst comes twice: when it opens and when it closes.
  const repeated = [...times].filter(([what, n]) => n > (what.startsWith("chat_bursts") ? 2 : 1));
  expect(repeated, "final values that were committed twice").toEqual([]);
  for (const table of finalTables) {
    const found = new Map(committed.filter((one) => one.table === table).map((one) => [one.id, one.value]));
    compare(`${table} on the log`, found, expected[table]);
  }
  return { log, expected };
}

const logOf = async (
  world: Pick<World, "nc" | "jsm">,
  channels: readonly string[],
  first: number,
): Promise<Awaited<ReturnType<typeof readLog>>> =>
  readLog(
    world,
    "INPUT",
    first,
    [...new Set(channels.map(partitionOf))].flatMap((p) =>
      inputEvents.map((event) => subjectFilter(event, p)),
    ),
  );

async function checkStore(store: Store, recording: Recording, expected: Finals): Promise<void> {
  const among = recording.channels.map((id) => `'${id}'`).join();
  const rows = async <Row>(query: string): Promise<Row[]> =>
    (await store.query({ query, format: "JSONEachRow" })).json<Row>();
  const read = async (table: FinalTable): Promise<Map<string, object>> => {
    const found = await rows<{ id: string }>(`SELECT * FROM ${table} FINAL WHERE channelId IN (${among})`);
    return new Map(found.map((row) => [keyOf(table, row), row]));
  };
  for (const table of storedTables) {
    const kept = table === "moments" ? newest(expected.moments) : expected[table];
    await until(`${table} has ${kept.size} rows`, async () => {
      const found = await read(table).catch(() => null);
      return (
        found !== null &&
        [...kept.keys()].every((key) => found.has(key)) &&
        (table !== "chat_bursts" || allClosed(found, kept))
      );
    });
    compare(`${table} in the store`, await read(table), kept);
  }
  const lines = (): Promise<{ n: number; ids: number }[]> =>
    rows(`SELECT count() AS n, uniqExact(id) AS ids FROM chat_lines WHERE channelId IN (${among})`);
  await until("every line is in the store", async () => (await lines())[0]!.ids >= recording.said.length);
  expect((await lines())[0], "lines in the store").toEqual({
    n: recording.said.length,
    ids: recording.said.length,
  });
}

/** The store keeps the latest version of a moment. */
function newest(versions: Map<string, object>): Map<string, object> {
  const latest = new Map<string, Moment>();
  for (const moment of versions.values() as Iterable<Moment>) {
    const before = latest.get(moment.id);
    if (before === undefined || moment.version > before.version) latest.set(moment.id, moment);
  }
  return new Map([...latest.values()].map((moment) => [keyOf("moments", moment), moment]));
}

const allClosed = (found: Map<string, object>, expected: Map<string, object>): boolean =>
  [...expected].every(
    ([id, burst]) => (found.get(id) as ChatBurst | undefined)?.open === (burst as ChatBurst).open,
  );

/** The store has columns of its own beside those of the contract, and no undefined. */
function compare(what: string, found: Map<string, object>, expected: Map<string, object>): void {
  const missing = [...expected.keys()].filter((id) => !found.has(id));
  const extra = [...found.keys()].filter((id) => !expected.has(id));
  expect({ missing, extra }, what).toEqual({ missing: [], extra: [] });
  const other: string[] = [];
  for (const [id, value] of expected) {
    const row = found.get(id) as Record<string, unknown>;
    const same = Object.fromEntries(Object.keys(value).map((key) => [key, row[key]]));
    if (canonical(same) !== canonical(value)) other.push(`${canonical(same)} instead of ${canonical(value)}`);
  }
  expect(other, `${what} that differ`).toEqual([]);
}

const EVENT_OF: Record<FinalTable, EventType> = {
  chat_windows: chatWindows,
  chat_bursts: chatBursts,
  hype: hypeValues,
  shots: videoShots,
  audio_windows: audioWindows,
  moments,
  reaction_lags: reactionLags,
  toxicity_windows: toxicityWindows,
  toxicity_spikes: toxicitySpikes,
  mod_cases: modCases,
};

async function finalsOnLog(
  world: Pick<World, "nc" | "jsm">,
  channels: readonly string[],
  first: number,
): Promise<{ table: FinalTable; id: string; value: object }[]> {
  const partitions = [...new Set(channels.map(partitionOf))];
  const finals: { table: FinalTable; id: string; value: object }[] = [];
  for (const table of finalTables) {
    const messages = await readLog(
      world,
      "FOLD",
      first,
      partitions.map((p) => subjectFilter(EVENT_OF[table], p)),
    );
    for (const { data } of messages)
      for (const value of JSON.parse(Buffer.from(data).toString()) as { channelId: string }[])
        if (channels.includes(value.channelId)) finals.push({ table, id: keyOf(table, value), value });
  }
  return finals;
}

/** The position record of a partition: how far it has come, and by whom. */
export async function checkpointOf(
  world: Pick<World, "jsm">,
  partition: number,
): Promise<{ position: number; by: string }> {
  const message = await world.jsm.streams
    .getMessage("FOLD", { last_by_subj: `${CHECKPOINT_SUBJECT}.${partition}` })
    .catch(() => null);
  return message?.json<{ position: number; by: string }>() ?? { position: 0, by: "" };
}

/**
 * The messages of a stream from `first` on. How far it goes is asked of the stream's leader: the server that delivers may be one that
 * was murdered a moment ago and does not have the last ones yet.
 */
export async function readLog(
  world: Pick<World, "nc" | "jsm">,
  stream: string,
  first: number,
  filters: string[],
): Promise<(Logged & { seq: number; partition: number })[]> {
  let end = 0;
  for (const filter of filters) {
    const last = await whenTheLogAnswers(world.nc, () =>
      world.jsm.streams.getMessage(stream, { last_by_subj: filter }),
    );
    end = Math.max(end, last?.seq ?? 0);
  }
  const read: (Logged & { seq: number; partition: number })[] = [];
  if (end < first) return read;
  const consumer = await whenTheLogAnswers(world.nc, () =>
    jetstream(world.nc).consumers.get(stream, { filter_subjects: filters, opt_start_seq: first }),
  );
  for await (const message of await consumer.consume({ max_messages: 500 })) {
    if (message.seq > end) break;
    read.push({
      seq: message.seq,
      partition: Number(message.subject.split(".")[2]),
      subject: message.subject,
      data: message.data,
      header: (name) => message.headers?.get(name) ?? "",
    });
    if (message.seq === end) break;
  }
  return read;
}
