import { createHash } from "node:crypto";
import type { ModAction, ModEvent } from "@hypecast/contracts/mod-event.ts";

/** Two tellings of one act lie this far apart at most: each subscription has a clock of its own. */
const APART_MS = 2_000;
/** The same target timed out anew, to another end, is another act. */
const END_APART_MS = 1_500;
/** So long a poor telling waits for a rich one, which is told with the same act a moment later. */
export const WAIT_MS = 400;
/** What was told is remembered so long, and no more than so many acts. */
const REMEMBERED_MS = 10 * 60_000;
const REMEMBERED = 20_000;
/** Poor tellings that wait; of more the oldest go at once. */
const WAITING = 1_000;

/** Acts that are told under two names. */
const ALIAS: Partial<Record<ModAction, ModAction>> = { untimeout: "unban" };
/** Acts of which there is one a target, whenever they are told. */
const ONCE: ReadonlySet<ModAction> = new Set([
  "delete",
  "automod_hold",
  "automod_update",
  "suspicious_message",
]);

type Untold = Omit<ModEvent, "id">;

/** Acts heard several times (by several subscriptions, twice by one, before and after a reconnect) go on once, with whatever was told of them first that says by whom. */
export interface SameActs {
  /** The act with its id if it is to be told now; null: told before, or waiting. */
  take(act: Untold, poor: boolean, nowMs: number): ModEvent | null;
  /** Poor tellings that nobody made richer. Call it often. */
  due(nowMs: number): ModEvent[];
  readonly waiting: () => number;
}

interface Known {
  readonly atMs: number;
  readonly endMs: number | null;
  readonly heardAtMs: number;
}

export function sameActs(): SameActs {
  const known = new Map<string, Known[]>();
  const waiting: { act: Untold; key: string; untilMs: number }[] = [];

  const isKnown = (key: string, act: Untold): boolean =>
    (known.get(key) ?? []).some(
      (before) =>
        ONCE.has(act.action) ||
        (Math.abs(before.atMs - act.atMs) <= APART_MS &&
          (before.endMs === null ||
            endOf(act) === null ||
            Math.abs(before.endMs - (endOf(act) ?? 0)) <= END_APART_MS)),
    );
  const remember = (key: string, act: Untold, nowMs: number): ModEvent => {
    const before = (known.get(key) ?? []).filter((one) => nowMs - one.heardAtMs < REMEMBERED_MS);
    known.delete(key);
    known.set(key, [...before.slice(-20), { atMs: act.atMs, endMs: endOf(act), heardAtMs: nowMs }]);
    for (const [oldest, [first]] of known) {
      if (known.size <= REMEMBERED && first !== undefined && nowMs - first.heardAtMs < REMEMBERED_MS) break;
      known.delete(oldest);
    }
    return { id: idOf(key, act), ...act };
  };

  return {
    take(act, poor, nowMs) {
      const key = keyOf(act);
      if (isKnown(key, act)) return null;
      const same = waiting.findIndex(
        (one) => one.key === key && Math.abs(one.act.atMs - act.atMs) <= APART_MS,
      );
      if (poor) {
        if (same >= 0) return null;
        waiting.push({ act, key, untilMs: nowMs + WAIT_MS });
        if (waiting.length <= WAITING) return null;
        const first = waiting.shift();
        return first === undefined ? null : remember(first.key, first.act, nowMs);
      }
      if (same >= 0) waiting.splice(same, 1);
      // A ban told as "messages of this user were cleared" waits under a timeout's name.
      const untold = waiting.findIndex(
        (one) =>
          (act.action === "ban" || act.action === "timeout") &&
          one.act.detail["untold"] !== undefined &&
          one.act.channelId === act.channelId &&
          one.act.targetUserId === act.targetUserId,
      );
      if (untold >= 0) waiting.splice(untold, 1);
      return remember(key, act, nowMs);
    },
    due(nowMs) {
      const told: ModEvent[] = [];
      while ((waiting[0]?.untilMs ?? Infinity) <= nowMs) {
        const one = waiting.shift();
        if (one === undefined || isKnown(one.key, one.act) || isCleared(known, one.act)) continue;
        told.push(remember(one.key, one.act, nowMs));
      }
      return told;
    },
    waiting: () => waiting.length,
  };
}

/** A cleared user whose ban or timeout was told before. */
function isCleared(known: ReadonlyMap<string, readonly Known[]>, act: Untold): boolean {
  if (act.detail["untold"] === undefined) return false;
  return (["ban", "timeout"] as const).some((action) =>
    (known.get(keyOf({ ...act, action })) ?? []).some(
      (before) => Math.abs(before.atMs - act.atMs) <= APART_MS,
    ),
  );
}

const endOf = (act: Untold): number | null =>
  act.action === "timeout" && act.durationS > 0 ? act.atMs + act.durationS * 1000 : null;

/** What makes an act this one and no other, but for its time. */
function keyOf(act: Untold): string {
  const { channelId, sourceChannelId, targetUserId, targetMessageId, detail } = act;
  const action = ALIAS[act.action] ?? act.action;
  const more =
    action === "automod_update"
      ? detail["status"]
      : action === "suspicious_update"
        ? detail["status"]
        : action === "settings" || action === "automod_settings"
          ? JSON.stringify(detail)
          : (detail["terms"] ?? "");
  return [channelId, sourceChannelId, action, targetUserId, targetMessageId, more].join("\n");
}

/** The same wherever and whenever the same second of the same act is heard: two processes that hear one channel write one event. */
function idOf(key: string, act: Untold): string {
  const second = ONCE.has(act.action) ? "" : `${Math.floor(act.atMs / 1000)} ${act.durationS}`;
  return `${act.channelId}:mod:${createHash("sha256").update(`${key}\n${second}`).digest("hex").slice(0, 24)}`;
}
