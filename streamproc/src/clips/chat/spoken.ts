import type { NatsConnection } from "@nats-io/transport-node";
import {
  chatLines,
  chatModeration,
  unpackLines,
  type ChatLine,
  type ChatModeration,
} from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { chatSpan } from "@hypecast/contracts/question.ts";
import { vodIdOf } from "@hypecast/contracts/vod.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import { askStore } from "../../imports/store.ts";

/** Packs lie on the log a little after their lines were sent, seldom before. */
const CLOCKS_APART_MS = 5000;
/** Lines that are read for one clip at most: ten minutes of a very fast chat. */
const MOST_LINES = 60_000;
/** The store is asked for so much at once: its answer has to fit into a message. */
const ASKED_MS = 60_000;
const MOST_ASKED = 10_000;

export interface Spoken {
  readonly lines: ChatLine[];
  /** Everything that was taken away since, up to now: also what a moderator removed after the clip's end. */
  readonly moderation: ChatModeration[];
}

/**
 * What was said in a channel between two times of Twitch's clock: of a live channel from the log (48 h), so that a clip needs no store, of an
 * imported stream from the store, since the log forgets. Lines that cannot be read are left out, as by the folds.
 */
export async function readSpoken(
  nc: NatsConnection,
  channelId: string,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Spoken> {
  if (vodIdOf(channelId) !== null) return readStored(nc, channelId, fromMs, toMs, signal);
  const sinceMs = fromMs - CLOCKS_APART_MS;
  const lines: ChatLine[] = [];
  for await (const message of readSince(nc, "INPUT", [subjectOf(chatLines, channelId)], sinceMs)) {
    let pack: ChatLine[] = [];
    try {
      pack = unpackLines(message.data);
    } catch {
      continue;
    }
    for (const line of pack) if (line.sentAtMs >= fromMs && line.sentAtMs < toMs) lines.push(line);
    const first = pack[0];
    if (lines.length >= MOST_LINES || (first !== undefined && first.sentAtMs >= toMs + CLOCKS_APART_MS))
      break;
  }
  const moderation: ChatModeration[] = [];
  for await (const message of readSince(nc, "INPUT", [subjectOf(chatModeration, channelId)], sinceMs))
    try {
      moderation.push(chatModeration.schema.parse(message.json()));
    } catch {
      // Dead-lettered by the folds already.
    }
  return { lines, moderation };
}

/** The store leaves out what moderators removed. */
async function readStored(
  nc: NatsConnection,
  channelId: string,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Spoken> {
  const lines: ChatLine[] = [];
  const ask = askStore(nc);
  for (let atMs = fromMs; atMs < toMs; atMs += ASKED_MS) {
    const span = { channelId, fromMs: atMs, toMs: Math.min(toMs, atMs + ASKED_MS), limit: MOST_ASKED };
    lines.push(...(await ask(chatSpan, span, signal)).lines);
  }
  return { lines, moderation: [] };
}
