import type { z } from "zod";
import type { modRoutes } from "./api-mod.ts";
import { isBot } from "./bots.ts";
import type { OpenEntry } from "./journal.ts";
import type { ModAction, ModEvent } from "./mod-event.ts";
import type { LoggedEntry } from "./question-mod.ts";

/** A row of the log, as people read it. */
export type LogRow = z.infer<(typeof modRoutes)["modLog"]["result"]>["rows"][number];

/** An entry of a page of the log (`modLogPage`), opened, with its comments opened. */
export interface OpenedEntry extends Omit<LoggedEntry, "entry" | "comments"> {
  readonly entry: OpenEntry;
  readonly comments: readonly OpenEntry[];
}

/** Twitch's word on an act of ours comes so long after it at most: an act may wait for Twitch's limits. */
export const ECHO_AFTER_MS = 60_000;
/** … and this much before, by Twitch's clock. */
const ECHO_BEFORE_MS = 3_000;

/** As which act of Twitch's ours comes back. */
const ECHOES: Partial<Record<OpenEntry["act"], readonly ModAction[]>> = {
  approve: ["automod_update"],
  delete: ["delete", "automod_update"],
  timeout: ["timeout"],
  ban: ["ban"],
  warn: ["warn"],
  unban: ["unban", "untimeout"],
  untimeout: ["untimeout", "unban"],
  slow: ["slow", "slowoff", "settings"],
  followers: ["followers", "followersoff", "settings"],
  subscribers: ["subscribers", "subscribersoff", "settings"],
  shield: ["shield_begin", "shield_end"],
  undo: [
    ...(["unban", "untimeout", "slow", "slowoff", "followers", "followersoff", "subscribers"] as const),
    ...(["subscribersoff", "shield_begin", "shield_end", "settings"] as const),
  ],
};

/** AutoMod's own, and what chat bots did. */
export const isBotsAct = ({ action, moderatorLogin }: Pick<ModEvent, "action" | "moderatorLogin">): boolean =>
  action === "automod_hold" || (moderatorLogin !== "" && isBot({ login: moderatorLogin }));

/**
 * Rows of one page, newest first: an act of ours and Twitch's word on it are one row, ours. Of an act that named somebody who was erased since only
 * time and kind say that an event is its echo.
 */
export function logRows(entries: readonly OpenedEntry[], events: readonly ModEvent[]): LogRow[] {
  const rows: LogRow[] = entries.filter(({ before }) => !before).map(rowOfEntry);
  const free = [...entries];
  for (const event of events) {
    const at = free.findIndex((one) => isEcho(one, event));
    if (at < 0) rows.push(rowOfEvent(event));
    // One act has one echo; a deletion of many lines has one a line.
    else if (free[at]!.entry.act !== "delete") free.splice(at, 1);
  }
  return rows.toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1));
}

function isEcho({ entry, outcome, outcomeAtMs }: OpenedEntry, event: ModEvent): boolean {
  if (outcome === "refused" || outcome === "recommended" || outcome === "") return false;
  if (ECHOES[entry.act]?.includes(event.action) !== true) return false;
  const isInTime =
    event.atMs >= entry.atMs - ECHO_BEFORE_MS && event.atMs <= (outcomeAtMs ?? entry.atMs) + ECHO_AFTER_MS;
  if (entry.act === "delete" || entry.act === "approve") {
    const held = entry.detail["held"] ?? "";
    if (held !== "") return event.targetMessageId === held;
    if (entry.private !== null) return isInTime && entry.private.lineIds.includes(event.targetMessageId);
  }
  if (!isInTime) return false;
  if (entry.act === "timeout" && event.durationS > 0 && Math.abs(event.durationS - entry.durationS) > 2)
    return false;
  return entry.private === null || event.targetUserId === "" || event.targetUserId === entry.private.userId;
}

function rowOfEntry({ entry, outcome, why, undoneBy, comments }: OpenedEntry): LogRow {
  const { private: about } = entry;
  return {
    id: entry.id,
    atMs: entry.atMs,
    source: "us",
    by: entry.by.login,
    act: entry.act,
    whom: about?.login ?? "",
    whomId: about?.userId ?? "",
    text: about === null ? "" : about.words === "" ? about.text : about.words,
    reason: entry.reason,
    durationS: entry.durationS,
    outcome: [outcome, ...(undoneBy === null ? [] : ["undone"]), ...(why === "" ? [] : [`(${why})`])]
      .filter((word) => word !== "")
      .join(" "),
    caseId: entry.caseId,
    lineId: about?.lineIds[0] ?? "",
    erased: entry.erased,
    comments: [...comments],
  };
}

function rowOfEvent(event: ModEvent): LogRow {
  return {
    id: event.id,
    atMs: event.atMs,
    source: isBotsAct(event) ? "bot" : "twitch",
    by: event.moderatorLogin === "" && event.action === "automod_hold" ? "AutoMod" : event.moderatorLogin,
    act: event.action,
    whom: event.targetLogin,
    whomId: event.targetUserId,
    text: event.text === "" ? (event.detail["terms"] ?? "") : event.text,
    reason: event.reason,
    durationS: event.durationS,
    outcome: event.detail["status"] ?? "",
    caseId: null,
    lineId: event.targetMessageId,
    erased: false,
    comments: [],
  };
}
