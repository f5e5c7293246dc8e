import { z } from "zod";

/** `broadcaster` it is their channel · `moderator` acts · `analyst` looks. A higher one may what a lower one may. */
export const ROLES = ["broadcaster", "moderator", "analyst"] as const;
export type Role = (typeof ROLES)[number];

/** KV bucket of people who signed in with Twitch; key: Twitch user id. Tokens are sealed with the installation's key. */
export const ACCOUNTS_BUCKET = "accounts";
export const account = z.object({
  userId: z.string(),
  login: z.string(),
  name: z.string(),
  /** Sealed `{ access, refresh }`; null: signed out everywhere, or Twitch took them back. */
  tokens: z.string().nullable(),
  scopes: z.array(z.string()),
  expiresAtMs: z.int(),
  /** Logins' channel ids in which Twitch says that they moderate, as of `rolesAtMs`. */
  moderates: z.array(z.object({ channelId: z.string(), login: z.string() })),
  rolesAtMs: z.int(),
  /** Why the tokens do not work; null: they do. */
  problem: z.string().nullable(),
  signedInAtMs: z.int(),
  /** Some process is getting new tokens until then; the others wait (runtime/src/twitch/tokens.ts). */
  refreshingUntilMs: z.int().optional(),
});
export type Account = z.infer<typeof account>;

/** KV bucket of roles that were granted here; key: `<channelId>.<userId>`. */
export const GRANTS_BUCKET = "grants";
export const grant = z.object({
  channelId: z.string(),
  userId: z.string(),
  login: z.string(),
  role: z.enum(ROLES),
  by: z.string(),
  atMs: z.int(),
});
export type Grant = z.infer<typeof grant>;

/** KV bucket of sessions; key: SHA-256 of the cookie's value, hex. */
export const SESSIONS_BUCKET = "sessions";
export const session = z.object({
  /** Twitch user id; empty: the operator, who came by the token. */
  userId: z.string(),
  /** When they signed in: the session ends a fixed time later, however often its id was changed. */
  createdAtMs: z.int(),
  /** When this id was given out, and when it was last used. */
  issuedAtMs: z.int(),
  seenAtMs: z.int(),
  untilMs: z.int(),
  /** Of the operator: keyed hash of the token. Of a person: what they could do when this id was given out. Another one asks for a new id. */
  mark: z.string(),
  /** Key of the newer id that stands in its place; this one lives on for a moment, for requests that are under way. Null: there is none. */
  replacedBy: z.string().nullable(),
});
export type Session = z.infer<typeof session>;

/** KV bucket of chatters who opted out; key: `optOutKey`. No name is kept, only the keyed hash. */
export const OPT_OUTS_BUCKET = "opt_outs";
export const optOut = z.object({
  /** Keyed hash of the user id; the lines of such a chatter are dropped wherever they enter. */
  target: z.string(),
  /** Keyed hash of the login, for files that know no user ids. */
  loginTarget: z.string(),
  /** Channel id, or `*`: everywhere. */
  channelId: z.string(),
  atMs: z.int(),
  by: z.enum(["self", "operator"]),
});
export type OptOut = z.infer<typeof optOut>;
export const optOutKey = ({ target, channelId }: Pick<OptOut, "target" | "channelId">): string =>
  `${target}.${channelId === "*" ? "all" : channelId}`;

/** KV bucket of erasures; key: its id. The record is the truth; its report is signed when it is done. */
export const ERASURES_BUCKET = "erasures";
/** What `sealed` of an erasure is sealed for. */
export const ERASURE_PURPOSE = "erasure";
export const ERASURE_PLACES = [
  "store",
  "log",
  "folds",
  "journal",
  "policy",
  "account",
  "reports",
  "vectors",
  "answers",
  "clips",
  "cache",
  "dead_letters",
] as const;
export const erasure = z.object({
  id: z.string(),
  target: z.string(),
  /** Sealed `{ userId, login }` while it runs; null when it is done. */
  sealed: z.string().nullable(),
  channelId: z.string(),
  askedAtMs: z.int(),
  by: z.enum(["self", "operator"]),
  state: z.enum(["asked", "running", "done", "failed"]),
  revision: z.int(),
  /** When whoever carries it out last wrote it: one that nobody touches is taken up again. */
  touchedAtMs: z.int(),
  /** What it waits for or does now, in words. */
  doing: z.string(),
  error: z.string().nullable(),
  /** What was removed where: rows, messages, records, files. */
  removed: z.partialRecord(z.enum(ERASURE_PLACES), z.int()),
  /** Clips whose picture showed the chatter's lines: rendered again or withdrawn. */
  clips: z.array(z.object({ id: z.string(), did: z.enum(["rendered_again", "withdrawn"]) })),
  /** What was looked through afterwards, and what was found: must be 0. */
  left: z.partialRecord(z.enum(ERASURE_PLACES), z.int()),
  doneAtMs: z.int().nullable(),
  /** Ed25519 over the record without this field, base64, and the public key. */
  signature: z.string().nullable(),
  publicKey: z.string().nullable(),
});
export type Erasure = z.infer<typeof erasure>;
