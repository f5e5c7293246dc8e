import { setTimeout as sleep } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Erasure } from "@hypecast/contracts/account.ts";
import { CHANNEL_STATE_BUCKET, channelState } from "@hypecast/contracts/channel.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { modErase, type ModErase } from "@hypecast/contracts/mod-case.ts";
import {
  chatterLines,
  chatterPlaces,
  forgetChatter,
  forgetInChunks,
} from "@hypecast/contracts/question-erase.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { People } from "@hypecast/runtime/people.ts";
import type { ClipRecords } from "../../clips/records.ts";
import type { Positions } from "../../imports/positions.ts";
import type { AskStore } from "../../imports/store.ts";
import { clean } from "../../processors/chunks/clean.ts";
import { eraseFromCache } from "./cache.ts";
import { eraseFromClips } from "./clips.ts";
import { eraseFromLog } from "./log.ts";
import type { Chatter } from "./named.ts";
import { eraseAccount, eraseFromAnswers, eraseFromPolicies } from "./records.ts";

const LINES_A_PAGE = 5000;
/** Of one mutation: its statement stays below what the store parses. */
const TEXTS_AT_ONCE = 400;
const LOOK_EVERY_MS = 300;
/** Folds keep what was said for the windows that are open: the last of them closes within two minutes of the channel's time. */
const OPEN_FOR_MS = 150_000;
/** What comes to rest only when a channel goes on is waited for no longer than this; then the report says what is left. */
const WAIT_MS = 5 * 60_000;

export interface EraseTools {
  readonly nc: NatsConnection;
  readonly ask: AskStore;
  readonly positions: Positions;
  readonly people: People;
  readonly clips: ClipRecords;
  readonly objects: Objects;
  readonly redisUrl: string;
  /** Shorter in tests. */
  readonly openForMs?: number;
  readonly waitMs?: number;
}

type Counts = Erasure["removed"];
export interface Erased {
  readonly removed: Counts;
  readonly left: Counts;
  readonly clips: Erasure["clips"];
}

/**
 * Everything of a chatter, from everywhere. Every step looks for what is there now and removes it, so that a second run after a crash does what the
 * first had not. `said`: what is being done, in words; `removed`: what earlier runs have counted.
 */
export async function eraseChatter(
  chatter: Chatter,
  target: string,
  before: Pick<Erasure, "removed" | "clips">,
  tools: EraseTools,
  signal: AbortSignal,
  told: (doing: string, so: Pick<Erasure, "removed" | "clips">) => Promise<void>,
): Promise<Erased> {
  const { nc, ask, positions, people } = tools;
  const removed: Counts = { ...before.removed };
  const clips = [...before.clips];
  const add = (place: keyof Counts, n: number): void => void (removed[place] = (removed[place] ?? 0) + n);
  const tell = (doing: string): Promise<void> => told(doing, { removed, clips });

  await tell("looking for where they wrote");
  const { places } = await ask(chatterPlaces, chatter, signal);
  const written = new Map<string, number[]>();
  const texts = new Map<string, Set<string>>();
  for (const { channelId } of places) {
    const times: number[] = [];
    const said = new Set<string>();
    for await (const { sentAtMs, text } of linesIn(channelId, chatter, ask, signal)) {
      times.push(sentAtMs);
      const { key } = clean(text, NOBODY);
      if (key !== "") said.add(key);
    }
    written.set(channelId, times);
    texts.set(channelId, said);
  }

  // Before the folds are waited for: they hold the allowed phrases too.
  add("policy", await eraseFromPolicies(nc, chatter));
  await tell("telling the folds");
  const channels = new Set([...places.map(({ channelId }) => channelId), ...(await watchedChannels(nc))]);
  add(
    "folds",
    await tellFolds(
      [...channels].filter((id) => !id.startsWith("vod-")),
      chatter,
      tools,
      signal,
    ),
  );

  // What is open is closed with its words in it, and removed after that.
  const newestMs = Math.max(
    0,
    ...[...written].filter(([id]) => !id.startsWith("vod-")).flatMap(([, times]) => times.at(-1) ?? 0),
  );
  const restMs = newestMs + (tools.openForMs ?? OPEN_FOR_MS) - Date.now();
  if (restMs > 0) {
    await tell("waiting until the windows with their last lines have closed");
    await sleep(restMs, undefined, { signal });
  }

  await tell("removing from the store");
  for (const [channelId, said] of texts)
    add("vectors", await forgetTexts(channelId, [...said], chatter, ask, signal));
  add("store", await forgetRows(chatter, ask, signal));

  await tell("removing from the log");
  const deadline = performance.now() + (tools.waitMs ?? WAIT_MS);
  let log = await eraseFromLog(nc, chatter, positions);
  add("log", log.removed);
  while ((log.waiting > 0 || log.states > 0) && performance.now() < deadline) {
    await sleep(LOOK_EVERY_MS * 5, undefined, { signal });
    // Only from where something was left: the log may hold two days.
    log = await eraseFromLog(nc, chatter, positions, log.fromMs);
    add("log", log.removed);
  }
  // What the sink has stored meanwhile.
  add("store", await forgetRows(chatter, ask, signal));

  await tell("removing from records");
  add("journal", (await people.remove(target)) ? 1 : 0);
  add("answers", await eraseFromAnswers(nc, chatter));
  add("account", await eraseAccount(nc, chatter));
  add("cache", (await eraseFromCache(tools.redisUrl, chatter)) ?? 0);

  await tell("looking at clips");
  for (const one of await eraseFromClips(
    { nc, records: tools.clips, objects: tools.objects },
    chatter,
    target,
    written,
  ))
    clips.push(one);
  add("clips", clips.length - before.clips.length);

  await tell("looking for what is left");
  const { left: rows } = await ask(forgetChatter, chatter, signal);
  log = await eraseFromLog(nc, chatter, positions);
  const left: Counts = {
    store: sumOf(rows),
    log: log.waiting,
    folds: log.states,
    journal: (await people.get(target)) === null ? 0 : 1,
    policy: await eraseFromPolicies(nc, chatter),
    answers: await eraseFromAnswers(nc, chatter),
    account: await eraseAccount(nc, chatter),
  };
  return { removed, left, clips };
}

const NOBODY: ReadonlySet<string> = new Set();

async function* linesIn(
  channelId: string,
  chatter: Chatter,
  ask: AskStore,
  signal: AbortSignal,
): AsyncGenerator<{ sentAtMs: number; text: string }> {
  let after = { afterMs: 0, afterId: "" };
  for (;;) {
    const { lines } = await ask(
      chatterLines,
      { ...chatter, channelId, ...after, limit: LINES_A_PAGE },
      signal,
    );
    yield* lines;
    const last = lines.at(-1);
    if (last === undefined || lines.length < LINES_A_PAGE) return;
    after = { afterMs: last.sentAtMs, afterId: last.id };
  }
}

/** Their words out of the pieces that searches read. Resolves to the pieces that were changed. */
async function forgetTexts(
  channelId: string,
  texts: readonly string[],
  chatter: Chatter,
  ask: AskStore,
  signal: AbortSignal,
): Promise<number> {
  const about = { ...chatter, channelId };
  let pieces = 0;
  for (let at = 0; at < texts.length; at += TEXTS_AT_ONCE) {
    const { left } = await ask(
      forgetInChunks,
      { ...about, texts: texts.slice(at, at + TEXTS_AT_ONCE), last: false },
      signal,
    );
    pieces = Math.max(pieces, left);
    if (left === 0) return pieces;
  }
  while ((await ask(forgetInChunks, { ...about, texts: [], last: true }, signal)).left > 0)
    signal.throwIfAborted();
  return pieces;
}

const sumOf = (rows: Readonly<Record<string, number>>): number =>
  Object.values(rows).reduce((sum, n) => sum + n, 0);

/** Resolves to the rows that were there. */
async function forgetRows(chatter: Chatter, ask: AskStore, signal: AbortSignal): Promise<number> {
  let most = 0;
  for (;;) {
    signal.throwIfAborted();
    const { found, left } = await ask(forgetChatter, chatter, signal);
    most = Math.max(most, sumOf(found));
    if (sumOf(left) === 0) return most;
  }
}

/** Every live channel's folds hear that they have to drop what they hold. Resolves when those that are read by somebody have, to how many channels. */
async function tellFolds(
  channels: readonly string[],
  chatter: Chatter,
  { nc, positions, waitMs = WAIT_MS }: EraseTools,
  signal: AbortSignal,
): Promise<number> {
  const last = new Map<number, number>();
  for (const channelId of channels) {
    const atMs = Date.now();
    const said: ModErase = {
      id: `${channelId}:erase:${chatter.userId}:${atMs}`,
      channelId,
      atMs,
      ...chatter,
    };
    const { seq } = await whenTheLogAnswers(nc, () =>
      jetstream(nc).publish(subjectOf(modErase, channelId), JSON.stringify(said), { msgID: said.id }),
    );
    last.set(partitionOf(channelId), seq);
  }
  const until = performance.now() + waitMs;
  for (const [partition, seq] of last)
    while ((await positions.folded(partition)).position < seq && performance.now() < until)
      await sleep(LOOK_EVERY_MS, undefined, { signal });
  return channels.length;
}

async function watchedChannels(nc: NatsConnection): Promise<string[]> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(CHANNEL_STATE_BUCKET));
  if ((await whenTheLogAnswers(nc, () => bucket.status())).values === 0) return [];
  const ids: string[] = [];
  for await (const key of await whenTheLogAnswers(nc, () => bucket.keys())) {
    const entry = await whenTheLogAnswers(nc, () => bucket.get(key));
    const read = entry?.operation === "PUT" ? channelState.safeParse(entry.json()) : null;
    if (read?.success === true && read.data.channelId !== null) ids.push(read.data.channelId);
  }
  return ids;
}
