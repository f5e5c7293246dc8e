import type { UserCard } from "@hypecast/contracts/api-mod.ts";
import { keyOf } from "./hold.svelte.ts";

export interface EarlierAct {
  id: string;
  act: string;
  atMs: number;
  by: string;
  mine: boolean;
  source: "us" | "twitch";
  durationS: number;
  reason: string;
}
/** Acts that were done to a person; what became of them, and words about them, is another matter. */
const DONE_TO: ReadonlySet<string> = new Set([
  "delete",
  "timeout",
  "ban",
  "warn",
  "unban",
  "untimeout",
  "undo",
]);
/** The same act, heard from the journal and from Twitch, lies so close together. */
const SAME_MS = 15_000;

/** What was done to a chatter before, newest first, whoever did it and wherever; what both tell is told once. Pure. */
export function earlierActs(user: Pick<UserCard, "entries" | "events">, me: string): EarlierAct[] {
  const ours = user.entries
    .filter(({ act }) => DONE_TO.has(act))
    .map(({ id, act, atMs, by, durationS, reason }): EarlierAct => ({
      id,
      act,
      atMs,
      by: by.login,
      mine: keyOf(by) === me,
      source: "us",
      durationS,
      reason,
    }));
  const theirs = user.events
    .filter(({ action }) => DONE_TO.has(action))
    .filter(
      ({ action, atMs }) => !ours.some((one) => one.act === action && Math.abs(one.atMs - atMs) < SAME_MS),
    )
    .map((event): EarlierAct => ({
      id: event.id,
      act: event.action,
      atMs: event.atMs,
      by: event.moderatorLogin === "" ? "Twitch" : event.moderatorLogin,
      mine: event.moderatorId !== "" && event.moderatorId === me,
      source: "twitch",
      durationS: event.durationS,
      reason: event.reason,
    }));
  return [...ours, ...theirs].toSorted((a, b) => b.atMs - a.atMs);
}

export interface Note {
  id: string;
  by: string;
  mine: boolean;
  atMs: number;
  words: string;
}
/** Notes that nobody took back, newest first. */
export function notesOf(user: Pick<UserCard, "entries">, me: string): Note[] {
  const undone = new Set(user.entries.flatMap(({ act, of }) => (act === "undo" && of !== null ? [of] : [])));
  return user.entries
    .filter(({ id, act }) => act === "note" && !undone.has(id))
    .map((entry) => ({
      id: entry.id,
      by: entry.by.login,
      mine: keyOf(entry.by) === me,
      atMs: entry.atMs,
      words: entry.private?.words ?? "",
    }))
    .toSorted((a, b) => b.atMs - a.atMs);
}
