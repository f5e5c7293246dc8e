import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";
import { LANGUAGES, TOXICITY_CLASSES } from "./toxicity.ts";

export const SEVERITIES = ["critical", "alert", "watch"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Lines that a case holds whole; beyond them it only counts. */
export const CASE_LINES = 50;

export const caseLine = z.object({
  lineId: z.string(),
  userId: z.string(),
  login: z.string(),
  name: z.string(),
  text: z.string(),
  sentAtMs: z.int(),
  toxicity: z.number(),
  span: z.tuple([z.int(), z.int()]).nullable(),
  /** When Twitch removed it (by deletion, timeout, ban or clear); null: it stands. */
  removedAtMs: z.int().nullable(),
});
export type CaseLine = z.infer<typeof caseLine>;

/**
 * One thing for a moderator to decide: near-copies of one text, or one author's series of lines. Columns of `mod_cases`; a later version of
 * the same id replaces the earlier. Its first line names it, so that it is the same case whoever folds it.
 */
export const modCase = z.object({
  /** `<channelId>:case:<id of its first line>`; with `:report` behind it where a report began it. */
  id: z.string(),
  channelId,
  /** Counts up; of several rows the highest stands. */
  version: z.int(),
  /** `open` may still grow · `closed` no longer grows. What people decided is in the journal, not here. */
  state: z.enum(["open", "closed"]),
  kind: z.enum(["copies", "series"]),
  /** What found it. */
  source: z.enum(["model", "automod", "suspicious", "report"]),
  severity: z.enum(SEVERITIES),
  class: z.enum([...TOXICITY_CLASSES, "none"]),
  /** Of its worst line, 0–1, and what thresholds are compared with: its toxicity, the odds weighed by how bad it would be. 0: not scored. */
  score: z.number(),
  severityScore: z.number(),
  action: z.number(),
  scores: z.array(z.number()),
  /** The worst line, which the queue shows. */
  lineId: z.string(),
  userId: z.string(),
  login: z.string(),
  name: z.string(),
  text: z.string(),
  span: z.tuple([z.int(), z.int()]).nullable(),
  language: z.enum(LANGUAGES),
  /** Of its first line (no version changes it), and of its newest. */
  firstAtMs: z.int(),
  lastAtMs: z.int(),
  /** Lines and different authors in all, and lines that Twitch has removed since (of those beyond CASE_LINES only by a clearing). */
  count: z.int(),
  users: z.int(),
  removed: z.int(),
  /** Near-copies over several accounts in a short time. */
  coordinated: z.boolean(),
  newcomers: z.int(),
  /** People who reported a line of it; one person counts once. */
  reports: z.int(),
  /** AutoMod holds the message and waits for a decision: its id at Twitch; empty: it does not. */
  heldId: z.string(),
  spikeId: z.string().nullable(),
  /** The first CASE_LINES lines. */
  lines: z.array(caseLine),
  /** Numbers behind it by name: `copies`, `authorLines`, `gameTerm`, `reply`, `mention`, `firstMessage` … */
  reasons: z.record(z.string(), z.number()),
  model: z.string(),
  /** Our clock, when the newest line left the socket (0: not known), and event time when this version was said. */
  receivedAtMs: z.int(),
  detectedAtMs: z.int(),
});
export type ModCase = z.infer<typeof modCase>;
export const modCases = defineEvent("mod.case", "partition", z.array(modCase));

/** From which `score` on a line makes a case of which severity. Measured (docs/toxicity.md); a person may move them per channel. */
export const thresholds = z.object({
  critical: z.number().min(0).max(1).default(0.9),
  alert: z.number().min(0).max(1).default(0.75),
  watch: z.number().min(0).max(1).default(0.5),
});
export type Thresholds = z.infer<typeof thresholds>;

/**
 * How a channel is moderated, on the input log: each event replaces the one before. The folds know it from here alone, so that what they
 * say is a function of the log. Its truth is the bucket `mod_policy`.
 */
export const modPolicy = defineEvent(
  "mod.policy",
  "channel",
  z.object({
    id: z.string(),
    channelId,
    atMs: z.int(),
    thresholds,
    /** Lines that contain one of these phrases (compared as `phrase.ts` does) make no case. */
    allow: z.array(z.string().min(1).max(200)).max(500),
  }),
);
export type ModPolicy = z.infer<typeof modPolicy.schema>;

/** Somebody reported a line. */
export const modReport = defineEvent(
  "mod.report",
  "channel",
  z.object({
    /** Derived from line and reporter: the same report twice is one. */
    id: z.string(),
    channelId,
    atMs: z.int(),
    lineId: z.string(),
    userId: z.string(),
    login: z.string(),
    name: z.string(),
    text: z.string(),
    sentAtMs: z.int(),
    /** Who reported, as a keyed hash. */
    reporter: z.string(),
  }),
);
export type ModReport = z.infer<typeof modReport.schema>;

/** A chatter is to be forgotten in this channel: folds drop what they hold of them. */
export const modErase = defineEvent(
  "mod.erase",
  "channel",
  z.object({ id: z.string(), channelId, atMs: z.int(), userId: z.string(), login: z.string() }),
);
export type ModErase = z.infer<typeof modErase.schema>;
