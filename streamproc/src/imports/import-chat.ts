import { setTimeout as sleep } from "node:timers/promises";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { chatGap, chatLines, chatModeration, chatNotice } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { searchQuestion } from "@hypecast/contracts/oracle.ts";
import { questionSubject, vodFacts } from "@hypecast/contracts/question.ts";
import { vodPrefix, type Vod, type VodError } from "@hypecast/contracts/vod.ts";
import type { VodStageName } from "@hypecast/contracts/vod-words.ts";
import { aheadOf, type Ahead } from "./ahead.ts";
import { openChannel } from "./channel-writer.ts";
import { ImportFailure } from "./chat/failure.ts";
import { surveyChat, type ChatSurvey, type KnownOfStream } from "./chat/read-chat.ts";
import type { ByteSource } from "./chat/source.ts";
import { publishChat } from "./publish-chat.ts";
import { lastSequence, untilStored } from "./stored.ts";
import type { Told } from "./told.ts";
import type { ImportTools } from "./tools.ts";

const LOOK_EVERY_MS = 500;
/** Columns of the card's sparkline. */
const COLUMNS = 120;
/** Vectors that nobody has made any of for so long are not waited for: words are found without them. */
const NO_VECTORS_MS = 60_000;
/** … and not at all where nobody is there to make them, for so long. */
const NO_ORACLE_MS = 3000;

/** What outlives the process beside the record: what the first reading of the file has found, and for which run. */
interface Kept {
  readonly channelId: string;
  readonly survey: ChatSurvey;
}
const keptKey = (id: string): string => `${vodPrefix(id)}survey.json`;

/** Reads the file once: what it is, whether it can be imported, whether it is here already. */
export async function survey(
  vod: Vod,
  channelId: string,
  source: ByteSource,
  known: KnownOfStream,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<ChatSurvey> {
  const { objects, records } = tools;
  const kept = await readKept(tools, vod.id);
  const found =
    kept?.channelId === channelId
      ? kept.survey
      : await surveyChat(source, known, {
          signal,
          progress: (bytes) => told.run("parse", bytes, source.bytes),
        });
  await records.change(vod.id, () => ({ contentHash: found.contentHash }));
  const same = (await records.all()).find(
    (other) =>
      other.id !== vod.id &&
      other.contentHash === found.contentHash &&
      !other.deleting &&
      other.error === null &&
      (other.createdAtMs < vod.createdAtMs || (other.createdAtMs === vod.createdAtMs && other.id < vod.id)),
  );
  // A stream that answers already keeps what it has been given to replace.
  if (same !== undefined && vod.channelId === null) throw new KnownAlready(same);
  const body = JSON.stringify({ channelId, survey: found } satisfies Kept);
  if (kept?.channelId !== channelId) await objects.put(keptKey(vod.id), Buffer.from(body));
  return found;
}

/** The same chat is here already: that stream is named, and nothing begins. */
export class KnownAlready extends ImportFailure {
  readonly sameAs: string;
  constructor({ id, title }: Vod) {
    super(
      "known",
      `The same chat is here already${title === "" ? "" : `, as "${title}"`}.`,
      "Open that stream, or import this file in its place.",
    );
    this.sameAs = id;
  }
}

async function readKept({ objects }: ImportTools, id: string): Promise<Kept | null> {
  const body = await objects.get(keptKey(id));
  return body === null ? null : (JSON.parse(body.toString()) as Kept);
}

/** What the file says of the stream, where the record knows nothing better. */
export function factsOf(vod: Vod, found: ChatSurvey, name: string, videoS: number | null): Partial<Vod> {
  const { facts } = found;
  const durationS = videoS ?? vod.durationS ?? facts.durationS ?? (found.lastMs - found.startMs) / 1000;
  return {
    title: vod.title !== "" ? vod.title : (facts.title ?? name),
    twitchId: vod.twitchId ?? facts.twitchId,
    broadcaster: vod.broadcaster ?? facts.broadcaster,
    game: vod.game ?? facts.game,
    chapters: vod.chapters.length > 0 ? vod.chapters : facts.chapters,
    durationS,
    startMs: found.startMs,
    startKnown: found.startKnown,
    dialect: found.dialect,
    lines: found.lines,
    chatters: found.chatters,
    badLines: found.badLines,
    completeness: found.completeness,
    notes: withNotes(vod.notes, found.notes),
  };
}
export const withNotes = (known: readonly VodError[], more: readonly VodError[]): VodError[] => [
  ...known.filter((one) => more.every(({ code, detail }) => one.code !== code || one.detail !== detail)),
  ...more,
];

/** The chat of a run onto the log, through the folds, into the store. Resolves when all of it can be asked about. */
export async function importChat(
  channelId: string,
  source: ByteSource,
  found: ChatSurvey,
  durationS: number,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  const { nc, positions } = tools;
  const channel = await openChannel(nc, channelId, signal);
  const ahead = aheadOf(positions, channel.partition);
  const { startMs } = found;
  const endMs = Math.max(startMs + Math.round(durationS * 1000), found.lastMs + 1);
  const seconds = Math.max(1, (endMs - startMs) / 1000);

  const over = new AbortController();
  const following = follow(
    channelId,
    startMs,
    endMs,
    ahead,
    tools,
    told,
    AbortSignal.any([signal, over.signal]),
  );
  try {
    const lastSeq = await publishChat(channel, ahead, source, found, channelId, endMs, signal);
    const revision = await ahead.folded(lastSeq, signal);
    told.run("windows", seconds, seconds);
    await untilStored(tools.positions, channel.partition, revision, await lastRow(tools, channelId), signal);
  } finally {
    over.abort();
    await following;
  }
  for (const name of ["windows", "chunks", "moments"] as const) {
    told.run(name, seconds, seconds);
    await told.end(name, "done");
  }
  told.note({ searchableS: durationS });
}

/** Tells how far folds and store have come, until it is aborted. */
async function follow(
  channelId: string,
  startMs: number,
  endMs: number,
  ahead: Ahead,
  { ask, log }: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  const seconds = Math.max(1, (endMs - startMs) / 1000);
  const sinceStart = (atMs: number | null): number =>
    Math.min(seconds, Math.max(0, ((atMs ?? startMs) - startMs) / 1000));
  while (!signal.aborted)
    try {
      await ahead.look();
      const folded = sinceStart(ahead.foldedUntilMs());
      if (folded > 0) {
        told.run("windows", folded, seconds);
        told.run("moments", folded, seconds);
      }
      const facts = await ask(
        vodFacts,
        { channelId, fromMs: startMs, toMs: endMs, columns: COLUMNS },
        signal,
      );
      const searchable = sinceStart(facts.chunksUpToMs);
      if (searchable > 0) told.run("chunks", searchable, seconds);
      if (facts.linesUpToMs !== null) told.note({ ...shown(facts, startMs), searchableS: searchable });
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ err: error, channelId }, "how far it is cannot be seen now");
      await sleep(LOOK_EVERY_MS);
    }
}

interface Facts {
  moments: number;
  rate: (number | null)[];
  hype: (number | null)[];
  best: { atMs: number; kind: string; subject: string; quote: string } | null;
}
const shown = ({ moments, rate, hype, best }: Facts, startMs: number): Partial<Vod> => ({
  moments,
  spark: { rate, hype },
  best:
    best === null
      ? null
      : { atS: (best.atMs - startMs) / 1000, kind: best.kind, subject: best.subject, quote: best.quote },
});

/** Its last message that becomes a row. */
async function lastRow({ nc }: ImportTools, channelId: string): Promise<number> {
  return lastSequence(
    nc,
    [chatLines, chatNotice, chatModeration, chatGap].map((type) => subjectOf(type, channelId)),
  );
}

/** Waits until every chunk has its vector, as long as some are made. Resolves to what to say when they are not. */
export async function untilEmbedded(
  channelId: string,
  span: { fromMs: number; toMs: number },
  { nc, ask }: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<VodError | null> {
  let most = 0;
  let movedAt = performance.now();
  for (;;) {
    const { chunks, embedded } = await ask(vodFacts, { channelId, ...span, columns: 1 }, signal);
    if (embedded >= chunks) return null;
    told.run("embed", embedded, chunks);
    if (embedded > most) {
      most = embedded;
      movedAt = performance.now();
    }
    const stillMs = performance.now() - movedAt;
    if (stillMs > NO_VECTORS_MS || (stillMs > NO_ORACLE_MS && !(await hasOracle(nc))))
      return {
        code: "failed",
        detail: "Nobody makes vectors now: the stream is found by its words, not yet by meaning.",
        action: "They are made as soon as the process oracle runs.",
      };
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Whoever makes vectors also answers searches: a question that nobody hears comes back at once. */
async function hasOracle(nc: NatsConnection): Promise<boolean> {
  try {
    await nc.request(questionSubject(searchQuestion), "", { timeout: 2000 });
    return true;
  } catch (error) {
    return !(
      error instanceof errors.NoRespondersError ||
      (error instanceof errors.RequestError && error.isNoResponders())
    );
  }
}

/** What the card shows, once all is stored. */
export async function cardOf(
  channelId: string,
  startMs: number,
  endMs: number,
  { ask }: ImportTools,
  signal: AbortSignal,
): Promise<Partial<Vod>> {
  return shown(
    await ask(vodFacts, { channelId, fromMs: startMs, toMs: endMs, columns: COLUMNS }, signal),
    startMs,
  );
}

export const CHAT_STAGES: readonly VodStageName[] = [
  "download",
  "parse",
  "windows",
  "chunks",
  "embed",
  "moments",
];
