import { z } from "zod";
import { modEffect, userCard } from "./api-mod.ts";
import { channelId } from "./event.ts";
import { journalEntry } from "./journal.ts";
import { modCase, modReport, SEVERITIES, thresholds } from "./mod-case.ts";
import { modEvent } from "./mod-event.ts";
import type { Question } from "./question.ts";
import { lineScore, LANGUAGES, TOXICITY_CLASSES, toxicitySpike, toxicityWindow } from "./toxicity.ts";

/**
 * Questions of moderators. The store is some 50–200 ms behind the log: what has just been decided stands in the journal on the log, not here.
 * What names chatters in the journal is sealed, and the store opens nothing.
 *
 * `showRemovedFromMs` in an ask: text of lines that were removed before it comes back empty (policy `deletedHours`); 0 shows all that is
 * still kept. Text that went with raw chat is empty too.
 */
const ofChannel = z.object({ channelId });
const span = ofChannel.extend({ fromMs: z.int(), toMs: z.int() });
const caseId = z.string().min(1).max(300);
const line = userCard.shape.lines.element;

/** A case as a list shows it; `kept` false: its text went with raw chat. */
const listedCase = modCase.omit({ lines: true, reasons: true, scores: true }).extend({ kept: z.boolean() });

/**
 * The queue: newest versions, critical before alert before watch, in each the newest line first. What people decided is not looked at here:
 * `except` leaves out cases (those decided), `only` asks for no others; both empty or absent: all. `counts` are of all pages, after the filters
 * except `severity`. A case that grows while somebody pages may come twice, never be missed.
 */
export const modQueue = {
  name: "mod_queue",
  ask: ofChannel.extend({
    /** Cases whose newest line is not older. */
    sinceMs: z.int(),
    severity: z.enum(SEVERITIES).optional(),
    class: z.enum([...TOXICITY_CLASSES, "none"]).optional(),
    language: z.enum(LANGUAGES).optional(),
    /** Login or user id of an author of any of its lines. */
    user: z.string().max(60).optional(),
    spikeId: z.string().max(200).optional(),
    except: z.array(caseId).max(10_000).optional(),
    only: z.array(caseId).max(10_000).optional(),
    cursor: z.string().max(400).optional(),
    limit: z.int().min(1).max(2000),
  }),
  answer: z.object({
    cases: z.array(listedCase),
    next: z.string().nullable(),
    counts: z.object({ critical: z.int(), alert: z.int(), watch: z.int() }),
  }),
} as const satisfies Question;

/** Cases whole, with their lines, in the order of `ids`; unknown ones are left out. */
export const modCasesById = {
  name: "mod_cases_by_id",
  ask: ofChannel.extend({ ids: z.array(caseId).min(1).max(100) }),
  answer: z.object({ cases: z.array(modCase) }),
} as const satisfies Question;

/**
 * Lines around a line (as `modContext` of api-mod.ts answers them): `earlier` and `later` are how many more lines there are within ten
 * minutes on either side of those that are shown; `laterRemoved` of the latter were removed. `thread`: the line's reply thread, oldest
 * first, at most 50. `kept` false: the line itself is no longer kept, and nothing else is said.
 */
export const modContextLines = {
  name: "mod_context",
  ask: ofChannel.extend({
    lineId: z.string().max(100),
    /** Its time, or near it (one minute): lines are found by time. */
    atMs: z.int(),
    before: z.int().min(0).max(200),
    after: z.int().min(0).max(200),
    showRemovedFromMs: z.int(),
  }),
  answer: z.object({
    lines: z.array(line),
    thread: z.array(line),
    earlier: z.int(),
    later: z.int(),
    laterRemoved: z.int(),
    kept: z.boolean(),
  }),
} as const satisfies Question;

/**
 * What the store knows of a chatter in this channel: a user card without the journal's entries and what only Helix knows. `messages` and
 * `firstSeenMs` are since `trackedSinceMs`. `scored`: their lines of these 30 days that could have been flagged.
 */
export const modUserCard = {
  name: "mod_user",
  ask: ofChannel.extend({
    userId: z.string().min(1).max(64),
    /** Newest lines to send along. */
    lines: z.int().min(0).max(200),
    showRemovedFromMs: z.int(),
  }),
  answer: userCard.omit({ accountCreatedAtMs: true, entries: true }),
} as const satisfies Question;

/** Entries of the journal as they stand (sealed), newest first: of a case, of a chatter (`target`), about entries (`of`), or by id. */
export const modEntries = {
  name: "mod_entries",
  ask: ofChannel.extend({
    caseIds: z.array(caseId).max(500).optional(),
    target: z.string().max(200).optional(),
    of: z.array(z.string().max(200)).max(500).optional(),
    ids: z.array(z.string().max(200)).max(500).optional(),
    limit: z.int().min(1).max(2000),
  }),
  answer: z.object({ entries: z.array(journalEntry) }),
} as const satisfies Question;

/** An entry that somebody made, with what became of it. */
const loggedEntry = z.object({
  entry: journalEntry,
  /** `done`, `refused`, `doubtful`, `recommended`, `sending` from what followed; `asked` when nothing did; empty for what goes nowhere. */
  outcome: z.string(),
  /** Of the entry that said so: Twitch's words. */
  why: z.string(),
  /** When that was said; null: nothing was. */
  outcomeAtMs: z.int().nullable(),
  /** The entry that took it back; null: it stands. */
  undoneBy: z.string().nullable(),
  comments: z.array(journalEntry),
  /** Older than this page: only there so that Twitch's echo of it is known as one. No row of its own. */
  before: z.boolean(),
});
export type LoggedEntry = z.infer<typeof loggedEntry>;

/**
 * A page of the log, newest first: our entries, and what Twitch told, each act once even when EventSub and IRC both told it. Twitch's echo of our own act is
 * still among `events`, because only an opened entry says whom it was about: whoever opens them makes rows of both.
 * `text` is looked for in reasons and in what Twitch told; entries that are sealed come whatever they say, and whoever opens them looks
 * there. So a page may hold fewer rows than `limit`, and `next` alone says whether there is more.
 */
export const modLogPage = {
  name: "mod_log",
  ask: span.extend({
    /** Login or person key of who did it. */
    by: z.string().max(60).optional(),
    /** Chatter: the keyed hash for entries, login or user id for events. */
    target: z.string().max(200).optional(),
    whom: z.string().max(60).optional(),
    act: z.string().max(40).optional(),
    source: z.enum(["us", "twitch", "bot"]).optional(),
    text: z.string().max(200).optional(),
    cursor: z.string().max(200).optional(),
    limit: z.int().min(1).max(1000),
  }),
  answer: z.object({
    entries: z.array(loggedEntry),
    events: z.array(modEvent.schema),
    next: z.string().nullable(),
  }),
} as const satisfies Question;

/**
 * What allowing a phrase would have done to cases since `sinceMs`: `ids` of those of which nothing would be left (at most 10,000, newest first), how
 * many would have lost some lines, of the first kind how many people had decided to act on (`decidedRight`), and the newest five.
 */
export const modAllowPreview = {
  name: "mod_allow_preview",
  ask: ofChannel.extend({ phrase: z.string().min(1).max(200), sinceMs: z.int() }),
  answer: z.object({
    cases: z.int(),
    fewer: z.int(),
    decidedRight: z.int(),
    ids: z.array(z.string()),
    examples: z.array(listedCase),
  }),
} as const satisfies Question;

/**
 * Of the model's cases that people decided, how many were right, by class: a week at a time, and over the whole span. Right: delete, timeout, ban,
 * warn. Wrong: approve, false positive, allowed phrase. What was undone does not count; of several decisions the last does. `low`, `high`: 80 %
 * (Wilson); null below PRECISION_N decisions.
 */
export const PRECISION_N = 10;
const precision = modEffect.shape.precision.element;
export const modPrecision = {
  name: "mod_precision",
  ask: span,
  answer: z.object({ weeks: z.array(precision), classes: z.array(precision.omit({ weekStartMs: true })) }),
} as const satisfies Question;

/**
 * Thresholds that people's decisions speak for; `suggested` null: too few decisions (`n` of `needed`), or the present ones fit. `why` in a sentence for a
 * person. Suggested, never set.
 */
export const modThresholds = {
  name: "mod_thresholds",
  ask: span.extend({ current: thresholds }),
  answer: z.object({
    suggested: thresholds.nullable(),
    why: z.string(),
    n: z.int(),
    needed: z.int(),
    /** Decisions and how many were right from each present threshold on. */
    at: z.record(z.enum(SEVERITIES), z.object({ n: z.int(), right: z.int() })),
  }),
} as const satisfies Question;

/** What moderation achieved in a span (docs/effect.md). `load` is always there: whoever asks shows it to the broadcaster alone. */
export const modEffectOf = {
  name: "mod_effect",
  ask: span,
  answer: modEffect,
} as const satisfies Question;

/** For a desk that opens: spikes that were open since `sinceMs`, windows since then, newest events and reports, and how scoring goes. */
export const modRecent = {
  name: "mod_recent",
  ask: ofChannel.extend({ sinceMs: z.int(), events: z.int().min(0).max(500) }),
  answer: z.object({
    spikes: z.array(toxicitySpike),
    windows: z.array(toxicityWindow),
    events: z.array(modEvent.schema),
    reports: z.array(modReport.schema),
    scored: z.int(),
    unknown: z.int(),
    /** Of the newest pack; null: none since then. */
    model: z.string().nullable(),
    scoredUpToMs: z.int().nullable(),
  }),
} as const satisfies Question;

/** Flagged lines, newest first: of the channel, or of one chatter. */
export const modFlagged = {
  name: "mod_flagged",
  ask: span.extend({ userId: z.string().max(64).optional(), limit: z.int().min(1).max(2000) }),
  answer: z.object({ lines: z.array(lineScore) }),
} as const satisfies Question;

export const modQuestions = [
  modQueue,
  modCasesById,
  modContextLines,
  modUserCard,
  modEntries,
  modLogPage,
  modAllowPreview,
  modPrecision,
  modThresholds,
  modEffectOf,
  modRecent,
  modFlagged,
] as const;
