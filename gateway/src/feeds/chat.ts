import type { Msg, NatsConnection } from "@nats-io/transport-node";
import {
  chatLines,
  chatModeration,
  chatNotice,
  LINES_HEADER,
  type ChatLine,
  type ChatModeration,
  type ChatNotice,
} from "@hypecast/contracts/chat.ts";
import type { EventType } from "@hypecast/contracts/event.ts";
import type { Topic } from "@hypecast/contracts/push.ts";
import type { z } from "zod";
import { dropped } from "../metrics.ts";
import type { Hub } from "../push/hub.ts";
import { RING_MS } from "../push/topic.ts";
import { liveSubjects } from "./live-subjects.ts";
import { columnOf, tailOf, type ChatColumn, type Pack } from "./column.ts";

const COLUMN_MS = 250;
/** What a newcomer is shown of the past. */
const TAIL_LINES = 40;
const TAIL_NOTICES = 5;
/** Bytes of one quarter second that are held to choose from; the rest is counted only. */
const HELD_BYTES = 16_000_000;
const HELD_NOTICES = 50;
/** Removals that a quarter second passes on one by one; of more it is said that all has been cleared. */
const HELD_REMOVALS = 500;
/** Removals that are remembered, so that what they removed is not shown from the tail: more than a ban wave has. */
const REMOVALS = 10_000;

interface Chat {
  readonly login: string;
  packs: Pack[];
  heldBytes: number;
  /** Lines beyond HELD_BYTES. */
  uncounted: number;
  notices: ChatNotice[];
  moderation: ChatModeration[];
  tail: Pack[];
  lastNotices: ChatNotice[];
  readonly removedIds: Map<string, true>;
  /** User id to the time up to which their lines are gone. */
  readonly removedUsers: Map<string, number>;
  clearedUntilMs: number;
  watchedUntilMs: number;
}

export interface ChatFeed {
  watched(channelId: string, login: string): void;
  /** The last lines as one column, for a newcomer to `chat:<login>`. */
  column(channelId: string): string | null;
  forget(login: string): void;
  close(): void;
}

/**
 * Chat to `chat:<login>`, four columns a second. Lines are decoded only for channels that someone looks at, and only those that
 * may be shown; of the others the last few stay as they came.
 */
export function feedChat(
  nc: NatsConnection,
  hub: Hub,
  loginOf: (channelId: string) => string | null,
): ChatFeed {
  const chats = new Map<string, Chat>();
  const chatOf = (subject: string): Chat | null => {
    const channelId = subject.slice(subject.lastIndexOf(".") + 1);
    const known = chats.get(channelId);
    if (known !== undefined) return known;
    const login = loginOf(channelId);
    if (login === null) return null;
    const chat = emptyChat(login);
    chats.set(channelId, chat);
    return chat;
  };
  const isShown = (chat: Chat): boolean => {
    if (hub.isWatched(`chat:${chat.login}`)) chat.watchedUntilMs = Date.now() + RING_MS;
    return chat.watchedUntilMs > Date.now();
  };
  const takeLines = (_error: Error | null, message: Msg): void => {
    const chat = chatOf(message.subject);
    if (chat === null) return;
    const pack = { body: message.data, lines: linesIn(message.data, message.headers?.get(LINES_HEADER)) };
    keepTail(chat, pack);
    if (!isShown(chat)) return;
    if (chat.heldBytes + pack.body.byteLength > HELD_BYTES) return void (chat.uncounted += pack.lines);
    chat.heldBytes += pack.body.byteLength;
    chat.packs.push(pack);
  };
  const subscriptions = [
    ...liveSubjects(chatLines).map((subject) => nc.subscribe(subject, { callback: takeLines })),
    ...subscribeParsed(nc, chatNotice, (subject, notice) => {
      const chat = chatOf(subject);
      if (chat === null) return;
      // Twitch lists many parameters; the sentence and the count are what is shown.
      const { params: _params, ...shown } = notice;
      chat.lastNotices = [...chat.lastNotices, shown].slice(-TAIL_NOTICES);
      if (isShown(chat) && chat.notices.length < HELD_NOTICES) chat.notices.push(shown);
    }),
    ...subscribeParsed(nc, chatModeration, (subject, moderation) => {
      const chat = chatOf(subject);
      if (chat === null) return;
      remove(chat, moderation);
      // CLEARMSG repeats the deleted text: it goes no further.
      const { text: _text, ...shown } = moderation;
      if (isShown(chat)) hold(chat, shown);
      chat.lastNotices = chat.lastNotices.map((notice) => withoutRemoved(chat, notice));
    }),
  ];
  const timer = setInterval(() => {
    for (const chat of chats.values()) flush(chat, hub);
  }, COLUMN_MS);

  return {
    watched(channelId, login) {
      const chat = chats.get(channelId);
      // Nobody has looked for longer than the ring: what came meanwhile was never published.
      if (chat === undefined || chat.watchedUntilMs < Date.now()) hub.interrupt(`chat:${login}`);
      if (chat !== undefined) chat.watchedUntilMs = Date.now() + RING_MS;
    },
    column(channelId) {
      const chat = chats.get(channelId);
      if (chat === undefined) return null;
      const { lines } = columnOf(chat.tail, (line) => isRemoved(chat, line), TAIL_LINES);
      if (lines.length === 0 && chat.lastNotices.length === 0) return null;
      const hidden = { tooFast: 0, repeats: 0, bots: 0 };
      return JSON.stringify({
        lines,
        notices: chat.lastNotices,
        moderation: [],
        hidden,
      } satisfies ChatColumn);
    },
    forget(login) {
      for (const [channelId, chat] of chats) if (chat.login === login) chats.delete(channelId);
    },
    close() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

const emptyChat = (login: string): Chat => ({
  login,
  packs: [],
  heldBytes: 0,
  uncounted: 0,
  notices: [],
  moderation: [],
  tail: [],
  lastNotices: [],
  removedIds: new Map(),
  removedUsers: new Map(),
  clearedUntilMs: 0,
  watchedUntilMs: 0,
});

function flush(chat: Chat, hub: Hub): void {
  const { packs, notices, moderation, uncounted } = chat;
  if (packs.length + notices.length + moderation.length === 0) return;
  const topic: Topic = `chat:${chat.login}`;
  if (moderation.length > 0) forgetRemoved(chat, hub, topic);
  const { lines, hidden } = columnOf(packs, (line) => isRemoved(chat, line));
  hidden.tooFast += uncounted;
  const shown = notices.map((notice) => withoutRemoved(chat, notice));
  hub.publish(
    topic,
    JSON.stringify({ lines, notices: shown, moderation, hidden } satisfies ChatColumn),
    Date.now(),
  );
  chat.packs = [];
  chat.heldBytes = 0;
  chat.uncounted = 0;
  chat.notices = [];
  chat.moderation = [];
}

/** What was removed goes out of the ring too: whoever comes later, or comes back, must not be shown it. */
function forgetRemoved(chat: Chat, hub: Hub, topic: Topic): void {
  hub.rewrite(topic, (d) => {
    const column = JSON.parse(d) as ChatColumn;
    const lines = column.lines.filter((line) => !isRemoved(chat, line));
    const notices = column.notices.map((notice) => withoutRemoved(chat, notice));
    return JSON.stringify({ ...column, lines, notices });
  });
}

function remove(chat: Chat, moderation: ChatModeration): void {
  const { action, targetMessageId, targetUserId, sentAtMs } = moderation;
  if (action === "clear") chat.clearedUntilMs = Math.max(chat.clearedUntilMs, sentAtMs);
  if (action === "delete" && targetMessageId !== undefined)
    keepNewest(chat.removedIds, targetMessageId, true);
  if ((action === "timeout" || action === "ban") && targetUserId !== undefined)
    keepNewest(chat.removedUsers, targetUserId, sentAtMs);
}

/** To be passed on with the next column. A page must never keep a line because too many were removed at once. */
function hold(chat: Chat, moderation: ChatModeration): void {
  if (chat.moderation.length < HELD_REMOVALS) return void chat.moderation.push(moderation);
  const { id, channelId, sentAtMs } = moderation;
  const clear: ChatModeration = { id, channelId, sentAtMs, action: "clear" };
  remove(chat, clear);
  chat.moderation = [clear];
}

function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > REMOVALS && oldest !== undefined) map.delete(oldest);
}

function isRemoved(
  chat: Chat,
  { id, userId, sentAtMs }: Pick<ChatLine, "id" | "userId" | "sentAtMs">,
): boolean {
  return (
    sentAtMs <= chat.clearedUntilMs ||
    chat.removedIds.has(id) ||
    sentAtMs <= (chat.removedUsers.get(userId) ?? Number.NEGATIVE_INFINITY)
  );
}

function withoutRemoved(chat: Chat, notice: ChatNotice): ChatNotice {
  if (notice.text === undefined || !isRemoved(chat, notice)) return notice;
  const { text: _text, ...rest } = notice;
  return rest;
}

function keepTail(chat: Chat, pack: Pack): void {
  chat.tail.push(tailOf(pack, TAIL_LINES));
  let lines = chat.tail.reduce((sum, block) => sum + block.lines, 0);
  while (lines - (chat.tail[0]?.lines ?? 0) >= TAIL_LINES) lines -= chat.tail.shift()?.lines ?? 0;
}

function linesIn(body: Uint8Array, header: string | undefined): number {
  const said = Number(header);
  if (Number.isInteger(said) && said > 0) return said;
  let lines = 0;
  for (const byte of body) if (byte === 10) lines++;
  return lines;
}

function subscribeParsed<Schema extends z.ZodType>(
  nc: NatsConnection,
  event: EventType<Schema>,
  take: (subject: string, value: z.infer<Schema>) => void,
): { unsubscribe(): void }[] {
  const callback = (_error: Error | null, message: Msg): void => {
    try {
      const read = event.schema.safeParse(message.json());
      if (read.success) return take(message.subject, read.data);
    } catch {
      // Counted below, with those of the wrong shape.
    }
    dropped.inc({ reason: `unreadable_${event.name}` });
  };
  return liveSubjects(event).map((subject) => nc.subscribe(subject, { callback }));
}
