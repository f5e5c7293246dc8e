import type { z } from "zod";
import type { modRoutes } from "@hypecast/contracts/api-mod.ts";
import { isBot } from "@hypecast/contracts/bots.ts";
import { DETAIL, OUTCOMES } from "@hypecast/contracts/desk.ts";
import {
  personKey,
  type JournalAct,
  type JournalEntry,
  type OpenEntry,
} from "@hypecast/contracts/journal.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { modLogPage, type LoggedEntry } from "@hypecast/contracts/question-mod.ts";
import type { Ask } from "../ask.ts";
import { FileAnswer } from "../routes/handlers.ts";
import type { Mod } from "./mod.ts";

type Query = z.output<typeof modRoutes.modLog.query>;
export type LogRow = z.output<typeof modRoutes.modLog.result>["rows"][number];

const DAY_MS = 24 * 3_600_000;
/** A log that is asked for without a span reaches so far back. */
const SPAN_MS = 90 * DAY_MS;
/** Twitch tells of an act that we sent within so long. */
const ECHO_MS = 60_000;
/** Rows of a file a page. */
const FILE_PAGE = 1000;
/** Rows of one file; the span says which. */
const MOST_ROWS = 200_000;

/** What follows an entry, or stands beside it, has no row of its own. */
const NO_ROW: ReadonlySet<JournalAct> = new Set<JournalAct>([...OUTCOMES, "comment"]);

/** An entry that was opened, with what became of it and what people said of it. */
export interface LoggedOpen {
  readonly entry: OpenEntry;
  readonly outcome: string;
  readonly why: string;
  readonly outcomeAtMs: number | null;
  readonly undoneBy: string | null;
  readonly comments: OpenEntry[];
  /** Only there so that Twitch's echo of it is known as one. */
  readonly before: boolean;
}

export async function logAnswer(
  { ask, mod }: { ask: Ask; mod: Mod },
  login: string,
  channelId: string,
  query: Query,
): Promise<{ rows: LogRow[]; next: string | null } | FileAnswer> {
  const read = pages({ ask, mod }, channelId, query);
  if (query.format === "json") {
    const first = await read.next();
    return first.done === true ? { rows: [], next: null } : first.value;
  }
  // The first page decides whether there is an answer at all; afterwards only the connection could be ended.
  const first = await read.next();
  const isCsv = query.format === "csv";
  const name = `${login}-moderation-${new Date().toISOString().slice(0, 10)}.${query.format}`;
  return new FileAnswer(name, isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson", {
    async *pieces() {
      if (isCsv) yield csvHead;
      let rows = 0;
      for (let page = first; page.done !== true; page = await read.next()) {
        const text = page.value.rows.map(isCsv ? csvLine : ndjsonLine).join("");
        if (text !== "") yield text;
        rows += page.value.rows.length;
        if (rows >= MOST_ROWS) return;
      }
    },
  });
}

async function* pages(
  { ask, mod }: { ask: Ask; mod: Mod },
  channelId: string,
  { from, to, by, whom, act, source, text, limit, cursor, format }: Query,
): AsyncGenerator<{ rows: LogRow[]; next: string | null }> {
  const toMs = to ?? Date.now() + 1000;
  const fromMs = from ?? toMs - SPAN_MS;
  const target = whom === undefined ? undefined : await targetOf(mod, whom);
  let at = cursor;
  for (;;) {
    const page = JSON.parse(
      await ask(modLogPage, {
        channelId,
        fromMs,
        toMs,
        ...defined({ by, whom, target, act, source, text, cursor: at }),
        limit: format === "json" ? limit : FILE_PAGE,
      }),
    ) as z.infer<typeof modLogPage.answer>;
    const fits = (entry: JournalEntry): boolean =>
      entry.atMs >= fromMs &&
      entry.atMs <= toMs &&
      (by === undefined || entry.by.login === by || personKey(entry.by) === by) &&
      (target === undefined || entry.target === target) &&
      (act === undefined || entry.act === act) &&
      source !== "twitch" &&
      source !== "bot";
    const newer = at === undefined ? newerThan(mod, channelId, page.entries).filter(fits) : [];
    const entries = await opened(mod, channelId, [...newer.map((entry) => bare(entry)), ...page.entries]);
    const wanted = text?.toLowerCase();
    const rows = rowsOf(entries, page.events).filter(
      (row) =>
        wanted === undefined || `${row.text} ${row.reason} ${row.outcome}`.toLowerCase().includes(wanted),
    );
    at = page.next ?? undefined;
    yield { rows, next: page.next };
    if (at === undefined) return;
  }
}

/** What the store does not have yet. */
function newerThan(mod: Mod, channelId: string, known: readonly LoggedEntry[]): JournalEntry[] {
  const newest = Math.max(0, ...known.map(({ entry }) => entry.number));
  return mod.journals
    .of(channelId)
    .entries.filter(
      ({ number, act, atMs }) => number > newest && !NO_ROW.has(act) && atMs > Date.now() - 60_000,
    );
}

const bare = (entry: JournalEntry): LoggedEntry => ({
  entry,
  outcome: "",
  why: "",
  outcomeAtMs: null,
  undoneBy: null,
  comments: [],
  before: false,
});

/** Opened, with what has become of each until now: the journal in memory is ahead of the store. */
async function opened(mod: Mod, channelId: string, entries: readonly LoggedEntry[]): Promise<LoggedOpen[]> {
  const { desk, entries: held } = mod.journals.of(channelId);
  const comments = new Map<string | null, JournalEntry[]>();
  for (const entry of held)
    if (entry.act === "comment") comments.set(entry.of, [...(comments.get(entry.of) ?? []), entry]);
  const pending = new Set(desk.pending().map((act) => act.entry.id));
  return Promise.all(
    entries.map(async ({ entry, ...rest }) => {
      const now = desk.act(entry.id);
      const said = new Map(
        [...rest.comments, ...(comments.get(entry.id) ?? [])].map((comment) => [comment.id, comment]),
      );
      return {
        entry: await mod.journal.open(entry),
        outcome: now?.outcome ?? (pending.has(entry.id) ? "asked" : rest.outcome),
        why: now?.why ?? rest.why,
        outcomeAtMs: now?.sentAtMs ?? rest.outcomeAtMs,
        undoneBy: now?.undoneBy ?? rest.undoneBy,
        comments: await Promise.all([...said.values()].map((comment) => mod.journal.open(comment))),
        before: rest.before,
      };
    }),
  );
}

/** Our entries and what Twitch told, newest first, each act once: what Twitch tells of an act of ours is that act. */
export function rowsOf(entries: readonly LoggedOpen[], events: readonly ModEvent[]): LogRow[] {
  const echoes = new Set<ModEvent>();
  for (const logged of entries) {
    const echo = events.find((event) => !echoes.has(event) && isEchoOf(event, logged));
    if (echo !== undefined) echoes.add(echo);
  }
  const ours = entries
    .filter(({ before, entry }) => !before && !NO_ROW.has(entry.act))
    .map(({ entry, outcome, why, undoneBy, comments }): LogRow => ({
      id: entry.id,
      atMs: entry.atMs,
      source: "us",
      by: entry.by.login,
      act: entry.act,
      whom: entry.private?.login ?? "",
      whomId: entry.private?.userId ?? "",
      text: entry.private?.words || entry.private?.text || entry.detail[DETAIL.words] || "",
      reason: entry.reason,
      durationS: entry.durationS,
      outcome: undoneBy === null ? (why === "" ? outcome : `${outcome}: ${why}`) : "undone",
      caseId: entry.caseId,
      lineId: entry.private?.lineIds[0] ?? "",
      erased: entry.erased,
      comments,
    }));
  const theirs = events
    .filter((event) => !echoes.has(event))
    .map((event): LogRow => ({
      id: event.id,
      atMs: event.atMs,
      source: isBot({ login: event.moderatorLogin }) ? "bot" : "twitch",
      by: event.moderatorLogin,
      act: event.action,
      whom: event.targetLogin,
      whomId: event.targetUserId,
      text: event.text,
      reason: event.reason,
      durationS: event.durationS,
      outcome: "",
      caseId: null,
      lineId: event.targetMessageId,
      erased: false,
      comments: [],
    }));
  return [...ours, ...theirs].sort((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1));
}

/** By which names Twitch tells of what we asked for. */
const ECHOED: Partial<Record<JournalAct, readonly string[]>> = {
  delete: ["delete"],
  timeout: ["timeout"],
  ban: ["ban"],
  warn: ["warn"],
  unban: ["unban"],
  untimeout: ["untimeout"],
  undo: ["unban", "untimeout"],
  approve: ["automod_update"],
  slow: ["slow", "slowoff"],
  followers: ["followers", "followersoff"],
  subscribers: ["subscribers", "subscribersoff"],
  shield: ["shield_begin", "shield_end"],
};

function isEchoOf(event: ModEvent, { entry, outcome, outcomeAtMs }: LoggedOpen): boolean {
  if (!(ECHOED[entry.act]?.includes(event.action) ?? false)) return false;
  if (outcome !== "done" && outcome !== "doubtful" && outcome !== "sending") return false;
  const fromMs = entry.atMs - 2000;
  if (event.atMs < fromMs || event.atMs > Math.max(entry.atMs, outcomeAtMs ?? 0) + ECHO_MS) return false;
  const about = entry.private;
  if (event.action === "delete" || event.action === "automod_update")
    return about !== null && about.lineIds.includes(event.targetMessageId);
  return event.targetUserId === "" || event.targetUserId === about?.userId;
}

/** The keyed hash under which entries about somebody stand; of a name that nobody has, one that fits no entry. */
async function targetOf(mod: Mod, whom: string): Promise<string> {
  const { people } = mod.journal;
  if (/^\d+$/.test(whom)) return people.targetOf(whom);
  const login = whom.toLowerCase();
  const found = await people.find(login, 50);
  const exact =
    found.find(({ record }) => record.login === login) ??
    found.find(({ record }) => record.earlier.includes(login));
  return exact?.target ?? people.targetOf(`login ${login}`);
}

const defined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const COLUMNS = [
  "atMs",
  "at",
  "source",
  "by",
  "act",
  "whom",
  "whomId",
  "text",
  "reason",
  "durationS",
  "outcome",
  "caseId",
  "lineId",
  "erased",
  "comments",
  "id",
] as const;
const csvHead = `${COLUMNS.join(",")}\r\n`;

export const ndjsonLine = (row: LogRow): string => `${JSON.stringify(row)}\n`;

export function csvLine(row: LogRow): string {
  const said = row.comments.map(
    ({ by, private: about, detail }) => `${by.login}: ${about?.words ?? detail[DETAIL.words] ?? ""}`,
  );
  const fields = { ...row, at: new Date(row.atMs).toISOString(), comments: said.join(" | ") };
  return `${COLUMNS.map((column) => csvField(fields[column])).join(",")}\r\n`;
}

/** RFC 4180. A text that a spreadsheet would run as a formula begins with an apostrophe there, after whatever space stands before it. */
function csvField(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value ?? "");
  const harmless = /^[\s\p{Cf}]*[=+\-@|%＝＋－＠\t\r]/u.test(value) ? `'${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}
