import { DeliverPolicy, jetstream, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import {
  chatLines,
  chatModeration,
  unpackLines,
  type ChatLine,
  type ChatModeration,
} from "@hypecast/contracts/chat.ts";
import { subjectOf, type EventType } from "@hypecast/contracts/event.ts";

/** Packs lie on the log a little after their lines were sent, seldom before. */
const CLOCKS_APART_MS = 5000;
const PULL_MS = 2000;
const AHEAD = 256;
const FORGOTTEN_MS = 30_000;
/** Lines that are read for one clip at most: ten minutes of a very fast chat. */
const MOST_LINES = 60_000;

export interface Spoken {
  readonly lines: ChatLine[];
  /** Everything that was taken away since, up to now: also what a moderator removed after the clip's end. */
  readonly moderation: ChatModeration[];
}

/**
 * What was said in a channel between two times of Twitch's clock, from the log (48 h), so that a clip needs no store. Lines that cannot be read
 * are left out, as by the folds.
 */
export async function readSpoken(
  nc: NatsConnection,
  channelId: string,
  fromMs: number,
  toMs: number,
): Promise<Spoken> {
  const sinceMs = fromMs - CLOCKS_APART_MS;
  const lines: ChatLine[] = [];
  await readLog(nc, chatLines, channelId, sinceMs, (message) => {
    let pack: ChatLine[] = [];
    try {
      pack = unpackLines(message.data);
    } catch {
      return true;
    }
    for (const line of pack) if (line.sentAtMs >= fromMs && line.sentAtMs < toMs) lines.push(line);
    const first = pack[0];
    return lines.length < MOST_LINES && (first === undefined || first.sentAtMs < toMs + CLOCKS_APART_MS);
  });
  const moderation: ChatModeration[] = [];
  await readLog(nc, chatModeration, channelId, sinceMs, (message) => {
    try {
      moderation.push(chatModeration.schema.parse(message.json()));
    } catch {
      // Dead-lettered by the folds already.
    }
    return true;
  });
  return { lines, moderation };
}

/** Everything of one event and channel that is on the log since then; `take` returns false when it has enough. */
async function readLog(
  nc: NatsConnection,
  type: EventType,
  channelId: string,
  sinceMs: number,
  take: (message: JsMsg) => boolean,
): Promise<void> {
  const consumer = await jetstream(nc).consumers.get("INPUT", {
    filter_subjects: [subjectOf(type, channelId)],
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(Math.max(0, sinceMs)).toISOString(),
    inactive_threshold: nanos(FORGOTTEN_MS),
  });
  try {
    let left = (await consumer.info()).num_pending;
    while (left > 0) {
      const messages = await consumer.fetch({ max_messages: Math.min(left, AHEAD), expires: PULL_MS });
      for await (const message of messages) {
        left--;
        if (!take(message)) return;
      }
    }
  } finally {
    consumer.delete().catch(() => undefined);
  }
}
