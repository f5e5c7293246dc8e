import { z } from "zod";
import { erasure, grant, ROLES } from "./account.ts";
import type { Route } from "./api.ts";
import { chatLine } from "./chat.ts";
import { login } from "./event.ts";
import { channelPolicy, claim, openEntry, person } from "./journal.ts";
import { modCase, SEVERITIES, thresholds } from "./mod-case.ts";
import { caseDesk, modSpike, queueCase } from "./mod-change.ts";
import { modEvent } from "./mod-event.ts";
import { LANGUAGES, toxicitySpike, toxicityWindow, TOXICITY_CLASSES } from "./toxicity.ts";

const none = z.object({});
const number = z.coerce.number().int();
const ofChannel = z.object({ login });
const caseId = z.string().min(1).max(300);
const ofCase = z.object({ login, id: caseId });
const span = z.object({ from: number.optional(), to: number.optional() });
/** Given by who asks: the same key twice is one act. */
const key = z.string().regex(/^[\w-]{8,100}$/, "8 to 100 letters, digits, _ or -");

/** What a moderator may do to a case. `durationS` of a timeout, `reason` for Twitch and the log, `words` of a note. */
export const caseAct = z.object({
  key,
  act: z.enum([
    "review",
    "unreview",
    "approve",
    "delete",
    "timeout",
    "ban",
    "warn",
    "note",
    "allow_phrase",
    "false_positive",
  ]),
  /** Several for a bulk act. */
  caseIds: z.array(caseId).min(1).max(500),
  durationS: z.int().min(1).max(1_209_600).optional(),
  reason: z.string().max(500).default(""),
  words: z.string().max(2000).default(""),
  /** Entries (`desk.entryId`) that this act is to replace. Without it a case that somebody else has decided stays as it is. */
  over: z.array(z.string().max(200)).max(500).default([]),
});
export type CaseAct = z.infer<typeof caseAct>;
export const FALSE_POSITIVE_REASONS = [
  "game_talk",
  "banter",
  "quote",
  "reclaimed",
  "wrong_language",
  "emote",
  "other",
] as const;

export const channelAct = z.object({
  key,
  act: z.enum(["slow", "followers", "subscribers", "shield", "snooze", "resolve"]),
  /** Of the measure or the snooze; 0 turns it off. */
  durationS: z.int().min(0).max(1_209_600).default(0),
  spikeId: z.string().nullable().default(null),
  words: z.string().max(2000).default(""),
});

const contextLine = chatLine.extend({
  /** Null: it stands. Text of a removed line is empty unless the policy lets moderators see it. */
  removedAtMs: z.int().nullable(),
  removedBy: z.string().nullable(),
  toxicity: z.number().nullable(),
});

/** Figures of how well cases were chosen: of those that people decided, how many were right. */
const precision = z.object({
  class: z.enum([...TOXICITY_CLASSES, "none"]),
  right: z.int(),
  wrong: z.int(),
  /** 80 % interval (Wilson); null: too few to say. */
  low: z.number().nullable(),
  high: z.number().nullable(),
});

export const userCard = z.object({
  userId: z.string(),
  login: z.string(),
  name: z.string(),
  earlierNames: z.array(z.string()),
  /** From Helix; null: not known. */
  accountCreatedAtMs: z.int().nullable(),
  firstSeenMs: z.int().nullable(),
  messages: z.int(),
  /** Of the last 30 days: flagged lines, of so many that were scored. */
  flagged: z.int(),
  scored: z.int(),
  badges: z.string(),
  suspicious: z.string().nullable(),
  entries: z.array(openEntry),
  /** What Twitch told of them, newest first. */
  events: z.array(modEvent.schema),
  lines: z.array(contextLine),
  /** Counting began here. */
  trackedSinceMs: z.int().nullable(),
});
export type UserCard = z.infer<typeof userCard>;

/** A figure of `n` with its 80 % interval; nulls: too few to say (docs/effect.md). */
const measured = z.object({
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.int(),
});

export const modEffect = z.object({
  fromMs: z.int(),
  toMs: z.int(),
  stepMs: z.int(),
  columns: z.array(
    z.object({
      startMs: z.int(),
      toxicPerMin: z.number().nullable(),
      usualPerMin: z.number().nullable(),
      unknown: z.int(),
    }),
  ),
  spikes: z.array(toxicitySpike),
  actions: z.array(
    z.object({
      atMs: z.int(),
      act: z.string(),
      by: z.string(),
      source: z.enum(["us", "twitch", "bot"]),
      count: z.int(),
    }),
  ),
  /** Seconds from a case's first line to the first act against it: median; share of cases with such an act, of those that nobody dismissed. */
  timeToActionS: z.record(z.enum(SEVERITIES), measured),
  acted: z.record(z.enum(SEVERITIES), measured),
  /** Share of people who were acted on and were flagged again within 7 days. */
  repeat7d: measured,
  /**
   * Seconds until half of a spike's excess was gone after a measure (`slow`, `followers`, `subscribers`, `shield`, `timeouts`, `bans`, `deletions`), and as
   * long after its start in matched spikes without one; and which share of the excess was gone after two minutes.
   */
  measures: z.array(
    z.object({
      measure: z.string(),
      withS: measured,
      withoutS: measured,
      fellWith: measured,
      fellWithout: measured,
    }),
  ),
  /** Messages that AutoMod held; of those that then came to chat, how many we flagged; of our critical cases, how many it had held. */
  autoMod: z.object({ held: z.int(), weFlagged: measured, ofCriticalHeld: measured }),
  precision: z.array(precision.extend({ weekStartMs: z.int() })),
  /** For the broadcaster alone; null for others. */
  load: z
    .array(
      z.object({
        by: person,
        acts: z.int(),
        reviewed: z.int(),
        /** Time with no pause of ten minutes. */
        shiftS: z.int(),
        /** Acts and reviews of the fullest hour. */
        hardestHour: z.int(),
      }),
    )
    .nullable(),
});
export type ModEffect = z.infer<typeof modEffect>;

/** Routes of moderators. Each needs the role that `role` names in the channel that the address names. */
export const modRoutes = {
  modDesk: {
    method: "GET",
    path: "/api/v1/mod/{login}",
    summary: "A channel's moderation now: spikes, queue counts, who is on shift, what may be done",
    params: ofChannel,
    query: none,
    body: none,
    result: z.object({
      me: z.object({ person, role: z.enum(ROLES), key: z.string() }),
      /** Null: acts reach Twitch; else why they are only recommended. */
      recommends: z.string().nullable(),
      spikes: z.array(modSpike),
      windows: z.array(toxicityWindow),
      events: z.array(modEvent.schema),
      counts: z.object({ critical: z.int(), alert: z.int(), watch: z.int(), done: z.int() }),
      policy: channelPolicy,
      shift: z.array(z.object({ key: z.string(), login: z.string(), sinceMs: z.int() })),
      /** Scoring is behind or away: seconds, and lines not scored in the last ten minutes. */
      scoring: z.object({
        behindS: z.number().nullable(),
        unknown: z.int(),
        scored: z.int(),
        model: z.string().nullable(),
      }),
    }),
    status: 200,
  },
  modCases: {
    method: "GET",
    path: "/api/v1/mod/{login}/cases",
    summary: "The queue, worst and newest first, a page at a time",
    params: ofChannel,
    query: z.object({
      severity: z.enum(SEVERITIES).optional(),
      state: z.enum(["open", "done"]).default("open"),
      language: z.enum(LANGUAGES).optional(),
      class: z.enum(TOXICITY_CLASSES).optional(),
      user: z.string().max(60).optional(),
      limit: number.min(1).max(2000).default(500),
      cursor: z.string().max(300).optional(),
    }),
    body: none,
    result: z.object({
      cases: z.array(queueCase),
      next: z.string().nullable(),
      counts: z.object({ critical: z.int(), alert: z.int(), watch: z.int(), done: z.int() }),
    }),
    status: 200,
  },
  modCase: {
    method: "GET",
    path: "/api/v1/mod/{login}/cases/{id}",
    summary: "One case with its lines, what was decided, and how right its class was here",
    params: ofCase,
    query: none,
    body: none,
    result: z.object({
      case: modCase,
      desk: caseDesk,
      claim: claim.nullable(),
      entries: z.array(openEntry),
      precision: precision.nullable(),
    }),
    status: 200,
  },
  modContext: {
    method: "GET",
    path: "/api/v1/mod/{login}/context",
    summary: "Lines around a line: so many before and after, and its reply thread",
    params: ofChannel,
    query: z.object({
      lineId: z.string().max(100),
      atMs: number,
      before: number.min(0).max(200).default(20),
      after: number.min(0).max(200).default(20),
    }),
    body: none,
    result: z.object({
      lines: z.array(contextLine),
      thread: z.array(contextLine),
      earlier: z.int(),
      later: z.int(),
      laterRemoved: z.int(),
      kept: z.boolean(),
      hasVideo: z.boolean(),
    }),
    status: 200,
  },
  modUser: {
    method: "GET",
    path: "/api/v1/mod/{login}/users/{userId}",
    summary: "What is known here of a chatter",
    params: z.object({ login, userId: z.string().regex(/^[\w-]{1,64}$/) }),
    query: none,
    body: none,
    result: userCard,
    status: 200,
  },
  modClaim: {
    method: "POST",
    path: "/api/v1/mod/{login}/cases/{id}/claim",
    summary: "Hold a case, or say that one is still at it; `steal` takes it over",
    params: ofCase,
    query: none,
    body: z.object({ release: z.boolean().default(false), steal: z.boolean().default(false) }),
    result: z.object({ claim: claim.nullable() }),
    status: 200,
  },
  modAct: {
    method: "POST",
    path: "/api/v1/mod/{login}/acts",
    summary: "Decide one case or several",
    params: ofChannel,
    query: none,
    body: caseAct,
    result: z.object({
      entries: z.array(openEntry),
      /** Cases that somebody else has decided meanwhile: left as they are. With nothing else to do it is a problem, `case_decided`. */
      decided: z.array(z.object({ caseId: z.string(), desk: caseDesk })),
    }),
    status: 202,
  },
  modChannelAct: {
    method: "POST",
    path: "/api/v1/mod/{login}/measures",
    summary: "Slow mode, followers-only, shield; snooze or resolve a spike",
    params: ofChannel,
    query: none,
    body: channelAct,
    result: z.object({ entries: z.array(openEntry) }),
    status: 202,
  },
  modUndo: {
    method: "POST",
    path: "/api/v1/mod/{login}/undo",
    summary: "Take an act back",
    params: ofChannel,
    query: none,
    body: z.object({
      key,
      entryIds: z.array(z.string()).min(1).max(500),
      reason: z.string().max(500).default(""),
    }),
    result: z.object({ entries: z.array(openEntry) }),
    status: 202,
  },
  modComment: {
    method: "POST",
    path: "/api/v1/mod/{login}/log/{id}/comments",
    summary: "Comment an entry of the log",
    params: z.object({ login, id: z.string().max(200) }),
    query: none,
    body: z.object({ key, words: z.string().min(1).max(2000) }),
    result: z.object({ entry: openEntry }),
    status: 201,
  },
  modLog: {
    method: "GET",
    path: "/api/v1/mod/{login}/log",
    summary: "Who did what to whom and why, newest first; `format` gives a file",
    params: ofChannel,
    query: span.extend({
      by: z.string().max(60).optional(),
      whom: z.string().max(60).optional(),
      act: z.string().max(40).optional(),
      source: z.enum(["us", "twitch", "bot"]).optional(),
      text: z.string().max(200).optional(),
      limit: number.min(1).max(1000).default(100),
      cursor: z.string().max(200).optional(),
      format: z.enum(["json", "csv", "ndjson"]).default("json"),
    }),
    body: none,
    result: z.object({
      rows: z.array(
        z.object({
          id: z.string(),
          atMs: z.int(),
          source: z.enum(["us", "twitch", "bot"]),
          by: z.string(),
          act: z.string(),
          whom: z.string(),
          whomId: z.string(),
          text: z.string(),
          reason: z.string(),
          durationS: z.int(),
          outcome: z.string(),
          caseId: z.string().nullable(),
          lineId: z.string(),
          erased: z.boolean(),
          comments: z.array(openEntry),
        }),
      ),
      next: z.string().nullable(),
    }),
    status: 200,
    types: ["application/json", "text/csv", "application/x-ndjson"],
  },
  modVerify: {
    method: "GET",
    path: "/api/v1/mod/{login}/log/verify",
    summary: "Checks the chain of the channel's journal from its first entry",
    params: ofChannel,
    query: none,
    body: none,
    result: z.object({
      entries: z.int(),
      head: z.string(),
      broken: z.object({ number: z.int(), why: z.string() }).nullable(),
    }),
    status: 200,
  },
  modEffect: {
    method: "GET",
    path: "/api/v1/mod/{login}/effect",
    summary: "What moderation achieved: times, shares, repeats, half-lives with and without",
    params: ofChannel,
    query: span,
    body: none,
    result: modEffect,
    status: 200,
  },
  modPolicy: {
    method: "GET",
    path: "/api/v1/mod/{login}/policy",
    summary: "Thresholds, allowed phrases, what is kept; thresholds that decisions suggest",
    params: ofChannel,
    query: none,
    body: none,
    result: z.object({ policy: channelPolicy, suggested: thresholds.nullable(), why: z.string().nullable() }),
    status: 200,
  },
  changeModPolicy: {
    method: "PATCH",
    path: "/api/v1/mod/{login}/policy",
    summary: "Change it. Keeping raw text longer than 24 hours is the broadcaster's consent to give",
    params: ofChannel,
    query: none,
    body: z.object({
      key,
      thresholds: thresholds.optional(),
      allow: z.array(z.string().min(1).max(200)).max(500).optional(),
      rawHours: z
        .int()
        .min(1)
        .max(24 * 365)
        .optional(),
      deletedHours: z
        .int()
        .min(0)
        .max(24 * 365)
        .optional(),
    }),
    result: z.object({ policy: channelPolicy }),
    status: 200,
  },
  previewAllow: {
    method: "GET",
    path: "/api/v1/mod/{login}/policy/allow",
    summary: "What allowing a phrase would have done to the last 24 hours",
    params: ofChannel,
    query: z.object({ phrase: z.string().min(1).max(200) }),
    body: none,
    result: z.object({ cases: z.int(), decidedRight: z.int(), examples: z.array(queueCase) }),
    status: 200,
  },
  modReport: {
    method: "POST",
    path: "/api/v1/mod/{login}/reports",
    summary: "Report a line; the same person's second report of it changes nothing",
    params: ofChannel,
    query: none,
    body: z.object({ lineId: z.string().max(100), atMs: z.int() }),
    result: none,
    status: 202,
  },
  modGrants: {
    method: "GET",
    path: "/api/v1/mod/{login}/roles",
    summary: "Who has which role here, by Twitch or by grant",
    params: ofChannel,
    query: none,
    body: none,
    result: z.object({ roles: z.array(grant.extend({ from: z.enum(["twitch", "grant"]) })) }),
    status: 200,
  },
  grantRole: {
    method: "POST",
    path: "/api/v1/mod/{login}/roles",
    summary: "Grant a role (broadcaster or operator only); `role` null takes it back",
    params: ofChannel,
    query: none,
    body: z.object({ user: login, role: z.enum(ROLES).nullable() }),
    result: none,
    status: 204,
  },
} as const satisfies Record<string, Route>;

/** Signing in, and a chatter's own rights. */
export const accountRoutes = {
  me: {
    method: "GET",
    path: "/api/v1/me",
    summary: "Who is signed in, and their roles",
    params: none,
    query: none,
    body: none,
    result: z.object({
      person: person.nullable(),
      signIn: z.enum(["none", "token", "twitch"]),
      roles: z.array(z.object({ login, channelId: z.string(), role: z.enum(ROLES) })),
      /** Connected to Twitch with these scopes; null: not. */
      twitch: z.object({ scopes: z.array(z.string()), problem: z.string().nullable() }).nullable(),
    }),
    status: 200,
  },
  disconnect: {
    method: "POST",
    path: "/api/v1/me/disconnect",
    summary: "Take back at Twitch what was allowed, forget the tokens, and sign out everywhere",
    params: none,
    query: none,
    body: none,
    result: none,
    status: 204,
  },
  privacy: {
    method: "GET",
    path: "/api/v1/privacy",
    summary: "What is kept of the person who is signed in, opt-outs and erasures; the operator names a login",
    params: none,
    query: z.object({ user: login.optional() }),
    body: none,
    result: z.object({
      login: z.string().nullable(),
      optOuts: z.array(z.object({ channelId: z.string(), atMs: z.int(), by: z.enum(["self", "operator"]) })),
      erasures: z.array(erasure.omit({ sealed: true })),
      /** How long things are kept, per channel. */
      kept: z.array(z.object({ login: z.string(), rawHours: z.int(), consent: z.boolean() })),
    }),
    status: 200,
  },
  optOut: {
    method: "POST",
    path: "/api/v1/privacy/opt-out",
    summary: "Read me no longer (`on` false: read me again); the operator names a login",
    params: none,
    query: none,
    body: z.object({ on: z.boolean(), user: login.optional(), channel: login.nullable().default(null) }),
    result: none,
    status: 204,
  },
  erase: {
    method: "POST",
    path: "/api/v1/privacy/erase",
    summary: "Forget me: everything of me that is kept, with a signed report",
    params: none,
    query: none,
    body: z.object({ key, user: login.optional(), optOut: z.boolean().default(true) }),
    result: erasure.omit({ sealed: true }),
    status: 202,
  },
  erasure: {
    method: "GET",
    path: "/api/v1/privacy/erasures/{id}",
    summary: "How far an erasure is, and its signed report",
    params: z.object({ id: z.string().max(100) }),
    query: none,
    body: none,
    result: erasure.omit({ sealed: true }),
    status: 200,
  },
} as const satisfies Record<string, Route>;
