import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf, type EventType } from "@hypecast/contracts/event.ts";
import { moments, reactionLags, type Moment, type ReactionLag } from "@hypecast/contracts/moment.ts";
import { momentList } from "@hypecast/contracts/question.ts";
import { vodIdOf } from "@hypecast/contracts/vod.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { askStore } from "../imports/store.ts";

/** What chat needs to react where nothing was learned yet: the middle of what is usual. */
const USUAL_LAG_MS = 5000;
/** A lag is said again while the stream runs; an older one is of another stream. */
const LAG_KEPT_MS = 6 * 3_600_000;

/** The latest version of a moment; null: there is none any more. */
export async function momentOf(
  nc: NatsConnection,
  channelId: string,
  id: string,
  startMs: number,
): Promise<Moment | null> {
  if (vodIdOf(channelId) !== null)
    return (await stored(nc, channelId, startMs)).moments.find((moment) => moment.id === id) ?? null;
  let found: Moment | null = null;
  for await (const batch of told<Moment>(nc, moments, channelId, startMs))
    for (const moment of batch)
      if (moment.id === id && (found === null || moment.version >= found.version)) found = moment;
  return found;
}

/** How much later than the picture chat speaks, as it was known at a time of the stream. */
export async function lagAt(nc: NatsConnection, channelId: string, atMs: number): Promise<number> {
  if (vodIdOf(channelId) !== null) return (await stored(nc, channelId, atMs)).lag?.lagMs ?? USUAL_LAG_MS;
  let found: ReactionLag | null = null;
  for await (const batch of told<ReactionLag>(nc, reactionLags, channelId, atMs - LAG_KEPT_MS))
    for (const lag of batch)
      if (lag.channelId === channelId && (found === null || lag.atMs <= atMs)) found = lag;
  return found?.lagMs ?? USUAL_LAG_MS;
}

/** Of an imported stream the log has forgotten; a clip is made all the same when the store does not answer. */
const stored = (
  nc: NatsConnection,
  channelId: string,
  aroundMs: number,
): Promise<{ moments: Moment[]; lag: ReactionLag | null }> =>
  askStore(nc)(
    momentList,
    { channelId, fromMs: aroundMs - AROUND_MS, toMs: aroundMs + AROUND_MS, limit: 1000 },
    AbortSignal.timeout(WITHIN_MS),
  ).catch(() => ({ moments: [], lag: null }));
/** A moment begins before what it is about, and a clip may begin long before it. */
const AROUND_MS = 3_600_000;
const WITHIN_MS = 10_000;

/** What the folds said of a channel's partition since then, message by message. */
async function* told<Row>(
  nc: NatsConnection,
  type: EventType,
  channelId: string,
  sinceMs: number,
): AsyncGenerator<Row[]> {
  for await (const message of readSince(nc, "FOLD", [subjectOf(type, channelId)], sinceMs))
    yield message.json<Row[]>();
}
