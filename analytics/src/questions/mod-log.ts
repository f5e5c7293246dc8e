import type { z } from "zod";
import { OUTCOMES } from "@hypecast/contracts/desk.ts";
import { TWITCH_ACTS, type JournalAct, type JournalEntry } from "@hypecast/contracts/journal.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modLogPage, type LoggedEntry } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { actsOnce, ECHO_AFTER_MS, EVENT_COLUMNS, isBotsAct, SAME_ACT_MS } from "./mod-acts.ts";
import { entriesWhere } from "./mod-entries.ts";
import { listOf } from "./mod-text.ts";

type Asked = z.infer<(typeof modLogPage)["ask"]>;

/** What became of other entries, and what was said of them: no rows of their own. */
const ABOUT_OTHERS: readonly JournalAct[] = [...OUTCOMES, "comment"];
/** Who has looked at a case is in the journal, and in the log for whoever asks for it. */
const LOOKS: readonly JournalAct[] = ["review", "unreview"];

/** A place in the log, newest first. */
interface Place {
  readonly atMs: number;
  readonly id: string;
}
const isBefore = (a: Place, b: Place): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.id < b.id);
const placeOf = (cursor: string): Place => {
  const space = cursor.indexOf(" ");
  return { atMs: Number(cursor.slice(0, space)) || 0, id: cursor.slice(space + 1) };
};

export const answerModLog = defineAnswer(modLogPage, async (asked, ask) => {
  const { channelId, source, limit } = asked;
  const upTo: Place = asked.cursor === undefined ? { atMs: asked.toMs, id: "" } : placeOf(asked.cursor);
  const [entries, { events, floor }] = await Promise.all([
    source === undefined || source === "us" ? ownEntries(asked, ask, upTo) : [],
    source === "us" ? { events: [], floor: null } : told(asked, ask, upTo),
  ]);
  const places: Place[] = [...entries, ...events]
    .filter((place) => floor === null || !isBefore(place, floor))
    .toSorted((a, b) => (isBefore(a, b) ? 1 : -1));
  const end = places.length > limit ? places[limit - 1] : (floor ?? undefined);
  const last = end ?? places.at(-1);
  const isHere = (place: Place): boolean => last !== undefined && !isBefore(place, last);
  const shown = entries.filter(isHere);
  const before = await echoed(ask, channelId, last, upTo, source !== undefined && source !== "us");
  return {
    entries: await logged(
      ask,
      channelId,
      shown,
      before.filter(({ id }) => !shown.some((one) => one.id === id)),
    ),
    events: events.filter(isHere),
    next: end === undefined ? null : `${end.atMs} ${end.id}`,
  };
});

async function ownEntries(asked: Asked, ask: Ask, upTo: Place): Promise<JournalEntry[]> {
  const { channelId, fromMs, by, target, whom, act, text, limit } = asked;
  // A chatter that nobody here has a key for is in no entry.
  if (whom !== undefined && target === undefined) return [];
  const hidden = act === undefined ? [...ABOUT_OTHERS, ...LOOKS] : ABOUT_OTHERS;
  const where = [
    "atMs >= {fromMs:Int64} AND (atMs, id) < ({upToMs:Int64}, {upToId:String})",
    `act NOT IN ${listOf(hidden)}`,
    ...(act === undefined ? [] : ["act = {act:String}"]),
    ...(by === undefined
      ? []
      : ["(by.login = lower({by:String}) OR by.userId = {by:String} OR by.kind = {by:String})"]),
    ...(target === undefined ? [] : ["target = {target:String}"]),
    ...(text === undefined
      ? []
      : [
          "(sealed IS NOT NULL OR positionCaseInsensitiveUTF8(reason, {text:String}) > 0 OR arrayExists(value -> positionCaseInsensitiveUTF8(value, {text:String}) > 0, mapValues(detail)))",
        ]),
  ];
  return entriesWhere(
    ask,
    channelId,
    where.join(" AND "),
    "ORDER BY atMs DESC, id DESC LIMIT {most:UInt32}",
    {
      ...{ fromMs, by, target, act, text, most: limit + 1, upToMs: upTo.atMs, upToId: upTo.id },
    },
  );
}

/**
 * What Twitch told, each act once. A telling of the page before, or of the next, still stands for one of this page. `floor`: so far was
 * looked, and there is more behind it; null: that is all.
 */
async function told(
  asked: Asked,
  ask: Ask,
  upTo: Place,
): Promise<{ events: ModEvent[]; floor: Place | null }> {
  const { channelId, fromMs, by, whom, target, act, source, text, limit } = asked;
  if (target !== undefined && whom === undefined) return { events: [], floor: null };
  const where = [
    "atMs >= {fromMs:Int64} AND atMs <= {upToMs:Int64}",
    ...(act === undefined ? [] : ["action = {act:String}"]),
    ...(by === undefined ? [] : ["(moderatorLogin = lower({by:String}) OR moderatorId = {by:String})"]),
    ...(whom === undefined ? [] : ["(targetLogin = lower({whom:String}) OR targetUserId = {whom:String})"]),
    ...(text === undefined
      ? []
      : [
          "arrayExists(value -> positionCaseInsensitiveUTF8(value, {text:String}) > 0, arrayConcat([text, reason, targetLogin, moderatorLogin], mapValues(detail)))",
        ]),
  ];
  const most = 2 * limit + 500;
  const rows = await ask<ModEvent>(
    `SELECT ${EVENT_COLUMNS} FROM (SELECT * FROM mod_events FINAL WHERE channelId = {channelId:String})
     WHERE ${where.join(" AND ")} ORDER BY atMs DESC, id DESC LIMIT {most:UInt32}`,
    {
      ...{ channelId, by, whom, act, text },
      ...{ fromMs: fromMs - SAME_ACT_MS, upToMs: upTo.atMs + SAME_ACT_MS, most },
    },
  );
  const events = actsOnce(rows).filter(
    (event) =>
      event.atMs >= fromMs &&
      isBefore(event, upTo) &&
      (source === undefined || (source === "bot") === isBotsAct(event)),
  );
  const last = rows.length < most ? undefined : rows.at(-1);
  // Short of the last row, so that what stands for it is seen with it.
  return { events, floor: last === undefined ? null : { atMs: last.atMs + SAME_ACT_MS, id: "" } };
}

/** Acts of ours whose echo may be in the page: those shortly before it, or all of its time when our own are not asked for. */
async function echoed(
  ask: Ask,
  channelId: string,
  last: Place | undefined,
  upTo: Place,
  wholePage: boolean,
): Promise<JournalEntry[]> {
  if (last === undefined) return [];
  return entriesWhere(
    ask,
    channelId,
    `atMs >= {sinceMs:Int64} AND atMs <= {untilMs:Int64} AND act IN ${listOf(TWITCH_ACTS)}`,
    "ORDER BY atMs DESC LIMIT 2000",
    { sinceMs: last.atMs - ECHO_AFTER_MS, untilMs: wholePage ? upTo.atMs : last.atMs },
  );
}

/** Entries with what became of them. */
async function logged(
  ask: Ask,
  channelId: string,
  shown: readonly JournalEntry[],
  before: readonly JournalEntry[],
): Promise<LoggedEntry[]> {
  const all = [...shown, ...before];
  if (all.length === 0) return [];
  const about = await entriesWhere(
    ask,
    channelId,
    `of IN ${listOf(all.map(({ id }) => id))} AND act IN ${listOf([...ABOUT_OTHERS, "undo"])}`,
    "ORDER BY number",
  );
  const undone = about.filter(({ act }) => act === "undo");
  const refused = new Set(
    undone.length === 0
      ? []
      : (
          await entriesWhere(
            ask,
            channelId,
            `of IN ${listOf(undone.map(({ id }) => id))} AND act = 'refused'`,
            "",
          )
        ).map(({ of }) => of),
  );
  const byEntry = new Map<string, JournalEntry[]>();
  for (const one of about) byEntry.set(one.of ?? "", [...(byEntry.get(one.of ?? "") ?? []), one]);
  return all.map((entry) => {
    const said = byEntry.get(entry.id) ?? [];
    const outcomes = said.filter(({ act }) => (OUTCOMES as readonly JournalAct[]).includes(act));
    // What has ended stays ended.
    const ended = outcomes.findLast(({ act }) => act !== "sending") ?? outcomes.at(-1);
    return {
      entry,
      outcome: ended?.act ?? (goesToTwitch(entry) ? "asked" : ""),
      why: ended?.detail["said"] ?? "",
      outcomeAtMs: ended?.atMs ?? null,
      undoneBy: said.find(({ act, id }) => act === "undo" && !refused.has(id))?.id ?? null,
      comments: said.filter(({ act }) => act === "comment"),
      before: !shown.includes(entry),
    };
  });
}

/** What only this program keeps is done when it is written. */
const goesToTwitch = ({ act, detail }: JournalEntry): boolean =>
  (TWITCH_ACTS as readonly JournalAct[]).includes(act) &&
  (act !== "approve" || (detail["held"] ?? "") !== "");
