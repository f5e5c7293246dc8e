import { z } from "zod";

/**
 * The journal: everything that people and the program decided about a channel, one entry after the other, never changed. It is the truth about
 * cases and actions (`desk.ts` folds it) and the audit log at once, so that no decision can be without its entry. One JetStream
 * subject a channel; an entry is appended behind the one it names by hash (expected last sequence of the subject), or not at all.
 */
export const JOURNAL_STREAM = "JOURNAL";
export const journalSubject = (channelId: string): string => `journal.${channelId}`;
/** Entries that belong to no channel: sign-ins, grants of the operator, opt-outs everywhere. */
export const HOUSE = "_house";

export const JOURNAL_ACTS = [
  // about a case
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
  "comment",
  // about a person, without a case
  "unban",
  "untimeout",
  // about the channel
  "slow",
  "followers",
  "subscribers",
  "shield",
  "snooze",
  "resolve",
  "policy",
  "consent",
  // takes an earlier entry back
  "undo",
  // what became of an act that goes to Twitch
  "sending",
  "done",
  "refused",
  "doubtful",
  "recommended",
  // accounts
  "sign_in",
  "sign_in_refused",
  "sign_out",
  "connect",
  "disconnect",
  "grant",
  "revoke",
  // rights
  "opt_out",
  "opt_in",
  "erase_asked",
  "erase_done",
  "export",
] as const;
export type JournalAct = (typeof JOURNAL_ACTS)[number];
/** Acts that Twitch has to carry out. */
export const TWITCH_ACTS = [
  "approve",
  "delete",
  "timeout",
  "ban",
  "warn",
  "unban",
  "untimeout",
  "slow",
  "followers",
  "subscribers",
  "shield",
  "undo",
] as const satisfies readonly JournalAct[];

export const person = z.object({
  kind: z.enum(["operator", "twitch", "system"]),
  /** Twitch's user id; empty for the operator and the program. */
  userId: z.string(),
  login: z.string(),
});
export type Person = z.infer<typeof person>;
export const OPERATOR: Person = { kind: "operator", userId: "", login: "operator" };
export const SYSTEM: Person = { kind: "system", userId: "", login: "hypecast" };
/** The same person everywhere. */
export const personKey = ({ kind, userId }: Person): string => (kind === "twitch" ? userId : kind);

/** What an entry says without naming a chatter: enough for a chain that outlives an erasure. */
export const journalEntry = z.object({
  form: z.literal(1),
  /** Counts up from 1 in its subject. */
  number: z.int(),
  channelId: z.string(),
  /** Given by who asks (an idempotency key): the same id twice is one entry. */
  id: z.string().min(1).max(200),
  atMs: z.int(),
  by: person,
  act: z.enum(JOURNAL_ACTS),
  caseId: z.string().nullable(),
  /** The entry that this one is about: what is undone, what was sent, what is commented. */
  of: z.string().nullable(),
  /** Keyed hash of the chatter's user id: finds entries of one person, and says nothing once the key record is gone. */
  target: z.string().nullable(),
  /** AES-256-GCM under the chatter's own key (bucket `mod_people`) of `journalPrivate` as JSON, base64; null: names nobody. Erasure removes the key. */
  sealed: z.string().nullable(),
  /** Seconds of a timeout, of slow mode, of how long one must have followed, of a snooze; 0: none, or the measure ends. */
  durationS: z.int(),
  reason: z.string().max(500),
  /** The model's score and class of the case when it was decided; −1 and empty: none. */
  score: z.number(),
  class: z.string(),
  /** Lines that it was about (copies). */
  count: z.int(),
  /** Anything else by name: Twitch's status and words, before and after of a setting, attempt … */
  detail: z.record(z.string(), z.string()),
  /** Of the entry before it in the subject, 64 hex digits; of the first: 64 zeroes. */
  prev: z.string().regex(/^[0-9a-f]{64}$/),
  /** SHA-256 of the entry as JSON without `hash`, keys in the order of this schema. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type JournalEntry = z.infer<typeof journalEntry>;

/** What of an entry names a chatter. */
export const journalPrivate = z.object({
  userId: z.string(),
  login: z.string(),
  lineIds: z.array(z.string()),
  text: z.string(),
  /** Of a note, a comment. */
  words: z.string(),
});
export type JournalPrivate = z.infer<typeof journalPrivate>;

/** An entry as a moderator sees it: `private` null when it names nobody or the chatter was erased (`erased` then says so). */
export const openEntry = journalEntry.omit({ sealed: true, prev: true }).extend({
  private: journalPrivate.nullable(),
  erased: z.boolean(),
});
export type OpenEntry = z.infer<typeof openEntry>;

/** KV bucket of chatters that the journal names; key: `target`. Removing a record is what erases a chatter from the journal. */
export const PEOPLE_BUCKET = "mod_people";
export const personRecord = z.object({
  /** 32 bytes, base64, themselves sealed with the installation's key. */
  key: z.string(),
  userId: z.string(),
  login: z.string(),
  /** Names that they had before, newest first. */
  earlier: z.array(z.string()),
});
export type PersonRecord = z.infer<typeof personRecord>;

/** KV bucket of who holds which case now; key: `claimKey`. Released after CLAIM_MS without a sign of life. */
export const CLAIMS_BUCKET = "mod_claims";
export const CLAIM_MS = 120_000;
export const claim = z.object({
  caseId: z.string(),
  channelId: z.string(),
  by: person,
  sinceMs: z.int(),
  seenMs: z.int(),
});
export type Claim = z.infer<typeof claim>;
/** KV keys may hold neither ':' nor what a chat line's id might. */
export const claimKey = (caseId: string): string => caseId.replaceAll(/[^\w-]/g, ".");

/** KV bucket of how channels are moderated and what their broadcasters have consented to; key: channel id. */
export const POLICY_BUCKET = "mod_policy";
export const channelPolicy = z.object({
  channelId: z.string(),
  thresholds: z.object({ critical: z.number(), alert: z.number(), watch: z.number() }),
  allow: z.array(z.string()),
  /** Hours that raw text is kept; above 24 only with consent. */
  rawHours: z
    .int()
    .min(1)
    .max(24 * 365),
  consent: z.object({ by: person, atMs: z.int() }).nullable(),
  /** Show moderators what was deleted, and for how long. */
  deletedHours: z
    .int()
    .min(0)
    .max(24 * 365),
  revision: z.int(),
  atMs: z.int(),
});
export type ChannelPolicy = z.infer<typeof channelPolicy>;
