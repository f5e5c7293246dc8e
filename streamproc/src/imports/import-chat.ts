import { setTimeout as sleep } from "node:timers/promises";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { searchQuestion } from "@hypecast/contracts/oracle.ts";
import { questionSubject, vodFacts } from "@hypecast/contracts/question.ts";
import { vodPrefix, type Vod, type VodError } from "@hypecast/contracts/vod.ts";
import { ImportFailure } from "./chat/failure.ts";
import { surveyChat, type ChatSurvey, type KnownOfStream } from "./chat/read-chat.ts";
import type { ByteSource } from "./chat/source.ts";
import { makeRun } from "./make-run.ts";
import type { Told } from "./told.ts";
import type { ImportTools } from "./tools.ts";

const LOOK_EVERY_MS = 500;
/** What the store is asked counts all rows of the stream: it has so many times as long for its work as for the answer. */
const REST = 5;
/** Columns of the card's sparkline. */
const COLUMNS = 120;
/** Vectors that nobody has made any of for so long are not waited for: words are found without them. */
const NO_VECTORS_MS = 60_000;
/** … and not at all where nobody is there to make them, for so long. */
const NO_ORACLE_MS = 1500;

/** What the first reading of the file has found outlives the process beside the record, and for which run. */
interface Kept {
  readonly channelId: string;
  readonly survey: ChatSurvey;
}
const keptKey = (id: string): string => `${vodPrefix(id)}survey.json`;

/** Reads the file once: what it is, whether it can be imported, whether it is here already. What was read before for this run is not read again. */
export async function survey(
  vod: Vod,
  channelId: string,
  source: ByteSource,
  known: KnownOfStream,
  { objects, records }: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<ChatSurvey> {
  const body = await objects.get(keptKey(vod.id));
  const kept = body === null ? null : (JSON.parse(body.toString()) as Kept);
  const isKept = kept?.channelId === channelId;
  const found = isKept
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
  if (!isKept)
    await objects.put(
      keptKey(vod.id),
      Buffer.from(JSON.stringify({ channelId, survey: found } satisfies Kept)),
    );
  return found;
}

/** What an earlier run of the stream has read; null: it has no chat. */
export async function keptSurvey(id: string, { objects }: ImportTools): Promise<ChatSurvey | null> {
  const body = await objects.get(keptKey(id));
  return body === null ? null : (JSON.parse(body.toString()) as Kept).survey;
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

/** What the file says of the stream, where the record knows nothing better. */
export function factsOf(vod: Vod, found: ChatSurvey, name: string): Partial<Vod> {
  const { facts } = found;
  const durationS = vod.durationS ?? facts.durationS;
  const cutOff = found.notes.some(({ code }) => code === "truncated");
  return {
    title: vod.title !== "" ? vod.title : (facts.title ?? name),
    twitchId: vod.twitchId ?? facts.twitchId,
    broadcaster: vod.broadcaster ?? facts.broadcaster,
    game: vod.game ?? facts.game,
    chapters: vod.chapters.length > 0 ? vod.chapters : facts.chapters,
    durationS: durationS ?? (found.lastMs - found.startMs) / 1000,
    startMs: found.startMs,
    startKnown: found.startKnown,
    dialect: found.dialect,
    lines: found.lines,
    chatters: found.chatters,
    badLines: found.badLines,
    // How much a file lacks that was cut off, nobody knows who does not know the stream's length.
    completeness: cutOff && durationS === null ? null : found.completeness,
    notes: withNotes(vod.notes, found.notes),
  };
}
export const withNotes = (known: readonly VodError[], more: readonly VodError[]): VodError[] => [
  ...known.filter((one) => more.every(({ code, detail }) => one.code !== code || one.detail !== detail)),
  ...more,
];

/** The chat of a run into the store. Resolves when all of it can be asked about. */
export async function importChat(
  channelId: string,
  chat: { readonly source: ByteSource; readonly survey: ChatSurvey },
  endMs: number,
  tools: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  const { startMs } = chat.survey;
  const seconds = Math.max(1, (endMs - startMs) / 1000);
  const sinceStart = (atMs: number): number => Math.min(seconds, Math.max(0, (atMs - startMs) / 1000));
  const over = new AbortController();
  const looking = lookAtStore(
    { channelId, fromMs: startMs, toMs: endMs, columns: COLUMNS },
    (upToMs) => told.run("chunks", sinceStart(upToMs), seconds),
    tools,
    told,
    AbortSignal.any([signal, over.signal]),
  );
  try {
    const folded = (untilMs: number): void => {
      told.run("windows", sinceStart(untilMs), seconds);
      told.run("moments", sinceStart(untilMs), seconds);
    };
    await makeRun({ channelId, chat, picture: null, endMs }, tools, folded, signal);
  } finally {
    over.abort();
    await looking;
  }
  for (const name of ["windows", "chunks", "moments"] as const) {
    told.run(name, seconds, seconds);
    await told.end(name, "done");
  }
  told.note({ searchableS: seconds });
}

interface Asked {
  readonly channelId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly columns: number;
}

/** Tells what of the stream can be used already, until it is aborted. */
async function lookAtStore(
  asked: Asked,
  chunksUpTo: (upToMs: number) => void,
  { ask, log }: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted)
    try {
      const askedAt = performance.now();
      const facts = await ask(vodFacts, asked, signal);
      const tookMs = performance.now() - askedAt;
      if (facts.chunksUpToMs !== null) chunksUpTo(facts.chunksUpToMs);
      if (facts.linesUpToMs !== null) told.note(shown(facts, asked.fromMs));
      if (facts.chunksUpToMs !== null)
        told.note({ searchableS: Math.max(0, (facts.chunksUpToMs - asked.fromMs) / 1000) });
      await sleep(Math.max(LOOK_EVERY_MS, REST * tookMs), undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ err: error, channelId: asked.channelId }, "what is stored cannot be seen now");
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

/** Waits until every chunk has its vector, as long as some are made. Resolves to what to say when they are not. */
export async function untilEmbedded(
  span: Omit<Asked, "columns">,
  { nc, ask }: ImportTools,
  told: Told,
  signal: AbortSignal,
): Promise<VodError | null> {
  let most = 0;
  let movedAt = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const { chunks, embedded } = await ask(vodFacts, { ...span, columns: 1 }, signal);
    const tookMs = performance.now() - askedAt;
    told.run("embed", embedded, chunks);
    if (embedded >= chunks) return null;
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
    await sleep(Math.max(LOOK_EVERY_MS, REST * tookMs), undefined, { signal });
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
export const cardOf = async (
  span: Omit<Asked, "columns">,
  { ask }: ImportTools,
  signal: AbortSignal,
): Promise<Partial<Vod>> => shown(await ask(vodFacts, { ...span, columns: COLUMNS }, signal), span.fromMs);
