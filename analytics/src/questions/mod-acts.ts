import { isBot } from "@hypecast/contracts/bots.ts";
import type { ModAction, ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modEvent } from "@hypecast/contracts/mod-event.ts";
import { columnsOf } from "./answer.ts";

export const EVENT_COLUMNS = columnsOf(modEvent.schema);

/** Two tellings of one act lie no further apart. */
export const SAME_ACT_MS = 3000;
/** Twitch's word on an act of ours comes so long after it at most (an act may wait for Twitch's limits), and this much before it by Twitch's clock. */
export const ECHO_AFTER_MS = 60_000;
export const ECHO_BEFORE_MS = 3_000;

/** AutoMod's own, and what chat bots did. */
export const isBotsAct = ({ action, moderatorLogin }: Pick<ModEvent, "action" | "moderatorLogin">): boolean =>
  action === "automod_hold" || (moderatorLogin !== "" && isBot({ login: moderatorLogin }));

/** What chat tells too. */
const TOLD_BY_CHAT: ReadonlySet<ModAction> = new Set(["delete", "timeout", "ban", "clear"]);
/** Changes of chat's settings by their own name; `settings` then tells the same once more. */
const SETTINGS: ReadonlySet<ModAction> = new Set([
  ...(["emoteonly", "emoteonlyoff", "followers", "followersoff", "slow", "slowoff"] as const),
  ...(["subscribers", "subscribersoff", "uniquechat", "uniquechatoff"] as const),
]);

/** Each act once: what chat told of an act that EventSub told too goes, and so does a settings message about an act. Keeps the order. */
export function actsOnce<
  Event extends Pick<ModEvent, "action" | "atMs" | "heardBy" | "targetUserId" | "targetMessageId">,
>(events: readonly Event[]): Event[] {
  const told = new Map<string, number[]>();
  const add = (key: string, atMs: number): void => {
    const times = told.get(key);
    if (times === undefined) told.set(key, [atMs]);
    else times.push(atMs);
  };
  for (const event of events) {
    if (SETTINGS.has(event.action)) add("settings", event.atMs);
    if (event.heardBy === "eventsub" && TOLD_BY_CHAT.has(event.action)) add(keyOf(event), event.atMs);
  }
  for (const times of told.values()) times.sort((a, b) => a - b);
  return events.filter((event) => {
    if (event.action === "settings") return !hasNear(told.get("settings"), event.atMs);
    if (event.heardBy === "eventsub" || !TOLD_BY_CHAT.has(event.action)) return true;
    return !hasNear(told.get(keyOf(event)), event.atMs);
  });
}

/** Chat calls a ban what EventSub may call a time-out that it knows no end of. */
const keyOf = ({
  action,
  targetUserId,
  targetMessageId,
}: Pick<ModEvent, "action" | "targetUserId" | "targetMessageId">): string =>
  action === "delete" ? `delete ${targetMessageId}` : action === "clear" ? "clear" : `user ${targetUserId}`;

function hasNear(times: readonly number[] | undefined, atMs: number): boolean {
  if (times === undefined) return false;
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < atMs - SAME_ACT_MS) low = middle + 1;
    else high = middle;
  }
  return low < times.length && times[low]! <= atMs + SAME_ACT_MS;
}
