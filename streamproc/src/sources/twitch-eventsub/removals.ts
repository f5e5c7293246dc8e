import type { ChatModeration } from "@hypecast/contracts/chat.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";

/** Chat itself tells a removal first, as a rule; so long is waited for it. */
export const WAIT_FOR_CHAT_MS = 300;
const APART_MS = 3_000;
const REMEMBERED_MS = 60_000;
const REMEMBERED = 20_000;
const WAITING = 1_000;

/**
 * What was removed from chat, told by chat (IRC) and by EventSub: it goes on once. Where chat was not heard, or does not tell, EventSub's word
 * removes the line from every copy as chat's would have.
 */
export interface Removals {
  /** False: EventSub has told it already. */
  byChat(removal: ChatModeration, nowMs: number): boolean;
  byEventSub(event: ModEvent, nowMs: number): void;
  /** Removals of EventSub that chat did not tell. Call it often. */
  due(nowMs: number): ChatModeration[];
}

export function openRemovals(): Removals {
  const told = new Map<string, { atMs: number; heardAtMs: number }[]>();
  const waiting: { removal: ChatModeration; key: string; untilMs: number }[] = [];

  const isTold = (key: string, atMs: number): boolean =>
    (told.get(key) ?? []).some((before) => Math.abs(before.atMs - atMs) <= APART_MS);
  const remember = (key: string, atMs: number, nowMs: number): void => {
    const before = (told.get(key) ?? []).filter((one) => nowMs - one.heardAtMs < REMEMBERED_MS);
    told.delete(key);
    told.set(key, [...before.slice(-20), { atMs, heardAtMs: nowMs }]);
    for (const [oldest, times] of told) {
      if (told.size <= REMEMBERED && nowMs - (times.at(-1)?.heardAtMs ?? 0) < REMEMBERED_MS) break;
      told.delete(oldest);
    }
  };
  /** What EventSub alone has told, and chat tells late. */
  const byUs = new Map<string, number>();

  return {
    byChat(removal, nowMs) {
      const key = keyOf(removal);
      if (key === null) return true;
      const ours = byUs.get(key);
      remember(key, removal.sentAtMs, nowMs);
      return ours === undefined || Math.abs(ours - removal.sentAtMs) > APART_MS;
    },
    byEventSub(event, nowMs) {
      const removal = removalOf(event);
      if (removal === null) return;
      const key = keyOf(removal);
      if (key === null || isTold(key, removal.sentAtMs)) return;
      if (waiting.length < WAITING) waiting.push({ removal, key, untilMs: nowMs + WAIT_FOR_CHAT_MS });
    },
    due(nowMs) {
      const found: ChatModeration[] = [];
      while ((waiting[0]?.untilMs ?? Infinity) <= nowMs) {
        const one = waiting.shift();
        if (one === undefined || isTold(one.key, one.removal.sentAtMs)) continue;
        remember(one.key, one.removal.sentAtMs, nowMs);
        byUs.delete(one.key);
        byUs.set(one.key, one.removal.sentAtMs);
        const oldest = byUs.keys().next().value;
        if (byUs.size > REMEMBERED && oldest !== undefined) byUs.delete(oldest);
        found.push(one.removal);
      }
      return found;
    },
  };
}

function keyOf({ channelId, action, targetUserId, targetMessageId }: ChatModeration): string | null {
  switch (action) {
    case "clear":
      return `${channelId} clear`;
    case "delete":
      return targetMessageId === undefined ? null : `${channelId} line ${targetMessageId}`;
    case "ban":
    case "timeout":
      return targetUserId === undefined ? null : `${channelId} user ${targetUserId}`;
    case "room_state":
      return null;
  }
}

/** Null: nothing is removed here by it. What is done in another channel of a shared chat, chat tells where it concerns this one. */
function removalOf(event: ModEvent): ChatModeration | null {
  const { id, channelId, atMs, action, targetUserId, targetLogin, targetMessageId } = event;
  if (event.sourceChannelId !== "") return null;
  const base = { id, channelId, sentAtMs: atMs, ...(targetLogin === "" ? {} : { targetLogin }) };
  switch (action) {
    case "clear":
      return { id, channelId, sentAtMs: atMs, action };
    case "delete":
      return { ...base, action, targetMessageId, ...(event.text === "" ? {} : { text: event.text }) };
    case "ban":
      return { ...base, action, targetUserId };
    case "timeout":
      return {
        ...base,
        action,
        targetUserId,
        ...(event.durationS > 0 ? { durationS: event.durationS } : {}),
      };
    default:
      return null;
  }
}
