import { createReadStream } from "node:fs";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createGunzip } from "node:zlib";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import {
  CHANNEL_STATE_BUCKET,
  channelState,
  loginFrom,
  type ChannelState,
} from "@hypecast/contracts/channel.ts";
import {
  chatAlive,
  chatGap,
  chatLines,
  chatModeration,
  chatNotice,
  type ChatAlive,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { connectBus, ensureStreams, whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { leftOut, watchOptOuts, type OptOuts } from "@hypecast/runtime/opt-outs.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { run } from "@hypecast/runtime/run.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { openEmotes, type ChannelEmotes } from "./emotes/sets.ts";
import { gapId, openLog, PACK_LINES } from "./publish.ts";
import {
  chatLineOf,
  chatModerationOf,
  chatNoticeOf,
  fromAnotherRoom,
  isOptedOut,
  validId,
  type Heard,
} from "./twitch-chat/chat.ts";
import { parseIrc } from "./twitch-chat/irc.ts";
import { splitLines } from "./twitch-chat/lines.ts";

/** Where each replay stands: key is its id. */
const POSITION_BUCKET = "replay_position";
/** `<id>:<block>:<n>` on every message that a replay has written: what the log says of how far it came. */
const REPLAY_HEADER = "Hypecast-Replay";
/**
 * The input is cut into blocks by what is in it, never by when it is read: after a kill the same lines make the same messages. A
 * block ends at so many lines or so much time of the recording; as fast as possible, longer blocks cost fewer messages.
 */
const BLOCK = { lines: 4 * PACK_LINES, ms: { timed: 1000, full: 10_000 } };
/** What may wait for the log before the reading pauses. */
const AHEAD_CHARS = 8 * 1024 * 1024;
const POSITION_EVERY_MS = 1000;

const position = z.object({
  /** Every block before this one is on the log. */
  block: z.int(),
  done: z.boolean(),
  /** Kept, so that a replay that goes on at another speed cuts as it did before. */
  blockMs: z.int(),
  /** Until when each channel had been heard when the replay first began: lines before that are left out. */
  heardUntilMs: z.record(z.string(), z.number()),
});

export interface ReplayOptions {
  nc: NatsConnection;
  log: Logger;
  /** Names this recording for good: the same id goes on where it stood. Letters, digits, `_` and `-`. */
  id: string;
  /** Raw IRC lines with tags, oldest first. */
  lines: AsyncIterable<string> | Iterable<string>;
  /** 1: as fast as it was; 10: ten times; absent: as fast as the log takes it. */
  speed?: number | undefined;
  /** The recording goes on in silence until then (ms); it ends with its last line where absent. */
  untilMs?: number | undefined;
  emotes?: ChannelEmotes | undefined;
  optOuts: Pick<OptOuts, "leavesOut">;
  /** Copies of the record of where it stands; 1 where absent. */
  replicas?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Replayed {
  /** Of this run; what an earlier run had written already is not among them. */
  lines: number;
  /** Notices and moderation. */
  events: number;
  /** Left out: the channel had been heard at that time before. */
  known: number;
  sharedChat: number;
  optedOut: number;
  malformed: number;
  done: boolean;
}

/**
 * Plays recorded chat into the log as the live source would have, with the recording's own times. May be killed at any time and
 * started again with the same id: nothing is lost or doubled. Resolves at the end or when `signal` aborts.
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { nc, log, id, emotes } = options;
  // A log that is away is waited for: each of these may be asked again.
  const patient = <Result>(ask: () => Promise<Result>): Promise<Result> => whenTheLogAnswers(nc, ask);
  const kvm = new Kvm(nc);
  const { replicas = 1 } = options;
  const positions = await patient(async () => kvm.create(POSITION_BUCKET, { history: 1, replicas }));
  const states = await patient(async () => kvm.open(CHANNEL_STATE_BUCKET));
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const writer = await openLog(nc, log);
  const result: Replayed = {
    lines: 0,
    events: 0,
    known: 0,
    sharedChat: 0,
    optedOut: 0,
    malformed: 0,
    done: false,
  };
  const aborted = (): boolean => options.signal?.aborted === true;

  const stored = await patient(async () => positions.get(id));
  const start: z.infer<typeof position> =
    stored?.operation === "PUT"
      ? position.parse(stored.json())
      : {
          block: 0,
          done: false,
          blockMs: options.speed === undefined ? BLOCK.ms.full : BLOCK.ms.timed,
          heardUntilMs: {},
        };
  if (start.done) {
    log.info({ id }, "this recording is on the log already");
    return { ...result, done: true };
  }
  const { heardUntilMs, blockMs } = start;

  // ── where the log stands ─────────────────────────────────────────────────────────────────────────────────────────

  /** The last message that this replay has written on a subject, as `[block, n]`; asked once a subject and run. */
  const reached = new Map<string, [number, number]>();
  const reachedOn = async (subject: string): Promise<[number, number]> => {
    let at = reached.get(subject);
    if (at === undefined) {
      const last = await patient(async () => jsm.streams.getMessage("INPUT", { last_by_subj: subject }));
      const [whose, block, n] = (last?.header.get(REPLAY_HEADER) ?? "").split(":");
      at = whose === id ? [Number(block), Number(n)] : [-1, -1];
      reached.set(subject, at);
    }
    return at;
  };

  const logins = new Map<string, { channelId: string; name: string | null }>();
  const channels = new Map<number, string[]>();
  /** A channel that this recording brings: until when it has been heard before decides what is new of it. */
  const meet = async (channelId: string, login: string, firstMs: number): Promise<void> => {
    logins.set(login, { channelId, name: null });
    const partition = partitionOf(channelId);
    channels.set(partition, [...(channels.get(partition) ?? []), channelId]);
    emotes?.use(channelId);
    await emotes?.settled(channelId);
    if (heardUntilMs[channelId] !== undefined) return;
    const state = await stateOf(login);
    const last = await patient(async () =>
      jsm.streams.getMessage("INPUT", { last_by_subj: `${chatAlive.name}.${partition}` }),
    );
    const alive = last?.json<ChatAlive>();
    const heard = Math.max(
      state?.channelId === channelId ? (state.aliveAtMs ?? 0) : 0,
      alive?.channels.includes(channelId) === true ? alive.atMs : 0,
    );
    heardUntilMs[channelId] = heard;
    await patient(async () => positions.put(id, JSON.stringify({ ...start, heardUntilMs })));
    if (heard === 0 || heard >= firstMs) return;
    const gap = { channelId, fromMs: heard, toMs: firstMs, reason: "replay" as const };
    writer.event(chatGap, { ...gap, id: gapId(gap) });
  };
  const stateOf = async (login: string): Promise<ChannelState | null> => {
    const entry = await patient(async () => states.get(login));
    const read = entry?.operation === "PUT" ? channelState.safeParse(entry.json()) : null;
    return read?.success === true ? read.data : null;
  };

  // ── one block ────────────────────────────────────────────────────────────────────────────────────────────────────

  interface Out {
    channelId: string;
    type: EventType;
    lines: ChatLine[];
    event: { id: string; channelId: string } | null;
  }
  let block = 0;
  let outs: Out[] = [];
  let open = new Map<string, Out>();
  let inBlock = 0;
  let blockFromMs = 0;
  let timeMs = 0;
  let firstMs = 0;
  let aliveMs = 0;
  let savedAt = performance.now();
  const began = performance.now();

  const closeBlock = async (): Promise<void> => {
    const mine = outs;
    const number = block++;
    outs = [];
    open = new Map();
    inBlock = 0;
    if (number < start.block) return;
    if (options.speed !== undefined) {
      const due = began + (blockFromMs - firstMs) / options.speed;
      while (performance.now() < due && !aborted()) await sleep(Math.min(200, due - performance.now()));
    }
    for (const [n, out] of mine.entries()) {
      const [lastBlock, lastN] = await reachedOn(subjectOf(out.type, out.channelId));
      if (number < lastBlock || (number === lastBlock && n <= lastN)) continue;
      const mark = `${id}:${number}:${n}`;
      const extra = { [REPLAY_HEADER]: mark };
      if (out.event === null) {
        writer.pack(out.lines, emotes?.of(out.channelId).hash ?? "", mark, extra);
        result.lines += out.lines.length;
      } else {
        writer.event(out.type, out.event, { id: mark, extra });
        result.events++;
      }
    }
    // Never behind what was said before: recordings are in order only roughly.
    if (timeMs - aliveMs >= 1000) {
      aliveMs = timeMs;
      sayAlive(timeMs);
    }
    await writer.below(AHEAD_CHARS);
    if (performance.now() - savedAt > POSITION_EVERY_MS) await save(false);
  };

  const sayAlive = (atMs: number): void => {
    for (const [partition, ids] of channels) writer.alive(partition, atMs, ids);
  };

  const save = async (done: boolean): Promise<void> => {
    await writer.below(1);
    savedAt = performance.now();
    if (nc.isClosed()) return;
    await patient(async () => positions.put(id, JSON.stringify({ block, done, blockMs, heardUntilMs })));
  };

  const add = (type: EventType, channelId: string, event: Out["event"]): void => {
    outs.push({ channelId, type, lines: [], event });
    open.delete(channelId);
  };

  for await (const text of options.lines) {
    if (aborted()) break;
    const message = parseIrc(text);
    if (message === null || !validId(message.roomId)) {
      result.malformed++;
      continue;
    }
    const { command, roomId: channelId, channel } = message;
    const believable = message.sentAtMs > 1e12 && message.sentAtMs < 1e13;
    const atMs = believable ? message.sentAtMs : timeMs;
    if (firstMs === 0) firstMs = blockFromMs = atMs;
    if (inBlock >= BLOCK.lines || atMs - blockFromMs >= blockMs) {
      await closeBlock();
      blockFromMs = Math.max(blockFromMs, atMs);
    }
    inBlock++;
    timeMs = Math.max(timeMs, atMs);
    if (heardUntilMs[channelId] === undefined || !channels.get(partitionOf(channelId))?.includes(channelId))
      await meet(channelId, loginFrom(channel) ?? channelId, atMs);
    if (atMs <= (heardUntilMs[channelId] ?? 0)) {
      result.known++;
      continue;
    }
    const heard: Heard = {
      channelId,
      sentAtMs: atMs,
      receivedAtMs: null,
      emotes: emotes?.of(channelId).names ?? NO_EMOTES,
    };
    if (isOptedOut(message, channelId, options.optOuts)) {
      leftOut.inc({ where: "replay" });
      result.optedOut++;
      continue;
    }
    if (command === "PRIVMSG") {
      if (fromAnotherRoom(message)) {
        result.sharedChat++;
        continue;
      }
      const line = chatLineOf(message, heard);
      if (line === null) {
        result.malformed++;
        continue;
      }
      let pack = open.get(channelId);
      if (pack === undefined || pack.lines.length >= PACK_LINES) {
        pack = { channelId, type: chatLines, lines: [], event: null };
        open.set(channelId, pack);
        outs.push(pack);
      }
      pack.lines.push(line);
    } else if (command === "USERNOTICE") add(chatNotice, channelId, chatNoticeOf(message, heard));
    else {
      const moderation = chatModerationOf(message, heard);
      if (moderation === null) result.malformed++;
      else add(chatModeration, channelId, moderation);
    }
  }
  if (!aborted()) {
    await closeBlock();
    const endMs = Math.max(timeMs, options.untilMs ?? 0);
    sayAlive(endMs);
    await save(true);
    await sayHeard(endMs);
    result.done = true;
  }
  await writer.close();
  return result;

  /** Tells the live source until when these channels are known, so that its gap begins there and not earlier. */
  async function sayHeard(endMs: number): Promise<void> {
    for (const [login, { channelId, name }] of logins) {
      const before = await stateOf(login);
      if ((before?.aliveAtMs ?? 0) >= endMs) continue;
      const state: ChannelState = {
        ...(before ?? {
          login,
          name,
          state: "joining",
          reason: null,
          sinceMs: endMs,
          attempt: 0,
          nextAttemptAtMs: null,
          connection: null,
          emotes: [],
          stream: null,
        }),
        channelId,
        lastLineAtMs: timeMs,
        aliveAtMs: endMs,
      };
      await patient(async () => states.put(login, JSON.stringify(state)));
    }
  }
}

const NO_EMOTES: ReadonlyMap<string, string> = new Map();

/** The lines of a file, gzipped or plain, and an id from its content. */
export async function readRecording(path: string): Promise<{ id: string; lines: AsyncIterable<string> }> {
  const digest = createHash("sha1");
  let head: Buffer | null = null;
  for await (const chunk of createReadStream(path)) {
    head ??= chunk as Buffer;
    digest.update(chunk as Buffer);
  }
  const zipped = head !== null && head[0] === 0x1f && head[1] === 0x8b;
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
  return {
    id: digest.digest("hex").slice(0, 16),
    lines: linesOf(zipped ? bytes.pipe(createGunzip()) : bytes),
  };
}

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const splitter = splitLines();
  let found: string[] = [];
  const keep = (text: string, from: number, to: number): void => {
    found.push(text.slice(from, to));
  };
  for await (const chunk of bytes) {
    splitter.push(chunk, keep);
    yield* found;
    found = [];
  }
  splitter.push(Buffer.from("\n"), keep);
  yield* found;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { file: { type: "string" }, speed: { type: "string" }, until: { type: "string" } },
  });
  const usage =
    "node streamproc/src/sources/replay.ts --file <raw IRC lines, plain or .gz> [--speed <times>] [--until <ms>]";
  const number = (name: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    console.error(`--${name} ${text}: a number above 0 is needed\n${usage}`);
    return process.exit(2);
  };
  const { file } = values;
  if (file === undefined) {
    console.error(usage);
    process.exit(2);
  }
  const speed = number("speed", values.speed);
  const untilMs = number("until", values.until);
  await run("replay", async (part) => {
    const nc = await connectBus(part.config, "replay");
    part.own({ close: () => nc.close() });
    const replicas = part.config.HYPECAST_NATS_REPLICAS;
    await ensureStreams(nc, replicas);
    const optOuts = part.own(await watchOptOuts(nc, openSecret(part.config), part.log));
    const emotes = part.own(await openEmotes(part.config, part.log, () => {}));
    const { id, lines } = await readRecording(file);
    const { log, signal } = part;
    const playing = replay({ nc, log, id, lines, speed, untilMs, emotes, optOuts, replicas, signal });
    const thenStop = async (): Promise<void> => {
      log.info({ file, ...(await playing) }, "replayed");
      // The shell waits for a signal; at the end of the recording it is ours.
      process.kill(process.pid, "SIGTERM");
    };
    void thenStop();
    part.own({ close: () => playing });
  });
}
