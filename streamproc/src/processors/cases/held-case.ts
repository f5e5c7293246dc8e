import { CASE_LINES, type CaseLine, type ModCase, type Severity } from "@hypecast/contracts/mod-case.ts";
import type { Language, LineScore } from "@hypecast/contracts/toxicity.ts";
import { userKey } from "../windows.ts";
import { addTo, countOf, emptySample, removeFrom, type Sample } from "./sample.ts";
import { raised, worse } from "./severity.ts";

/** The same text from so many accounts within so short a time is no coincidence … */
const COORDINATED_ACCOUNTS = 3;
const COORDINATED_MS = 60_000;
/** … if it is as long as a sentence, or half of them have never written here: "lol" is said by many. */
const SENTENCE_LENGTH = 20;
/** People who report a case make it one to look at, and no more than that: they may have agreed to. */
const REPORTS_ALERT = 3;

/** A line as it may begin a case or join one, whatever found it. */
export interface FoundLine extends Omit<CaseLine, "removedAtMs"> {
  readonly removedAtMs: number | null;
  readonly near: number;
  readonly firstMessage: boolean;
  readonly rank: number;
  readonly severity: Severity;
  readonly class: ModCase["class"];
  readonly severityScore: number;
  readonly action: number;
  readonly scores: readonly number[];
  readonly language: Language;
  readonly reasons: Readonly<Record<string, number>>;
  readonly model: string;
  /** 0: not known. */
  readonly receivedAtMs: number;
}

/** The line that the queue shows. */
type Worst = Omit<
  FoundLine,
  "reasons" | "near" | "firstMessage" | "removedAtMs" | "receivedAtMs" | "severity"
>;

/** A case while it may still change. JSON keeps it whole. */
export interface HeldCase {
  readonly id: string;
  readonly firstAtMs: number;
  readonly source: ModCase["source"];
  kind: ModCase["kind"];
  open: boolean;
  /** Of its first line: who may go on with a series, what may be copied. */
  author: string;
  near: number;
  /** Different texts so far, no further than two. */
  texts: number;
  /** By its lines alone. */
  severity: Severity;
  worst: Worst;
  lastAtMs: number;
  count: number;
  users: Sample;
  newcomers: number;
  /** The latest accounts with the same text: `[userKey, atMs]`, no more than it takes. */
  accounts: [number, number][];
  coordinated: boolean;
  reporters: Sample;
  heldId: string;
  spikeId: string | null;
  lines: CaseLine[];
  /** Lines beyond those that a clearing took. */
  clearedBeyond: number;
  reasons: Record<string, number>;
  receivedAtMs: number;
  version: number;
  /** Event time of the newest version. */
  saidAtMs: number;
  /** Copies of its text, and more lines of its author, are looked for. */
  followsText: boolean;
  followsAuthor: boolean;
}

export function newCase(id: string, source: ModCase["source"], line: FoundLine): HeldCase {
  const held: HeldCase = {
    id,
    firstAtMs: line.sentAtMs,
    source,
    kind: "series",
    open: true,
    author: line.userId,
    near: line.near,
    texts: 1,
    severity: line.severity,
    worst: worstOf(line),
    lastAtMs: line.sentAtMs,
    count: 0,
    users: emptySample(),
    newcomers: 0,
    accounts: [],
    coordinated: false,
    reporters: emptySample(),
    heldId: "",
    spikeId: null,
    lines: [],
    clearedBeyond: 0,
    reasons: {},
    receivedAtMs: 0,
    version: 0,
    saidAtMs: 0,
    followsText: false,
    followsAuthor: false,
  };
  addLine(held, line);
  return held;
}

/** One more line of it. */
export function addLine(held: HeldCase, line: FoundLine): void {
  if (line.near !== held.near) held.texts = 2;
  else if (line.userId !== held.author && held.texts === 1) held.kind = "copies";
  held.count++;
  addTo(held.users, userKey(line.userId));
  if (line.firstMessage) held.newcomers++;
  held.lastAtMs = Math.max(held.lastAtMs, line.sentAtMs);
  watchAccounts(held, line);
  if (held.lines.length < CASE_LINES) {
    const { lineId, userId, login, name, text, sentAtMs, toxicity, span, removedAtMs } = line;
    held.lines.push({ lineId, userId, login, name, text, sentAtMs, toxicity, span, removedAtMs });
  } else if (line.removedAtMs !== null) held.clearedBeyond++;
  learn(held, line);
}

/** A line that is held already was scored only now. */
export function scoreLine(held: HeldCase, line: FoundLine): void {
  const known = held.lines.find(({ lineId }) => lineId === line.lineId);
  if (known !== undefined) {
    known.toxicity = line.toxicity;
    known.span = line.span;
  }
  learn(held, line);
}

function learn(held: HeldCase, line: FoundLine): void {
  held.severity = worse(held.severity, line.severity);
  if (line.rank > held.worst.rank) held.worst = worstOf(line);
  for (const [name, value] of Object.entries(line.reasons))
    held.reasons[name] = Math.max(held.reasons[name] ?? value, value);
  held.receivedAtMs = Math.max(held.receivedAtMs, line.receivedAtMs);
}

function watchAccounts(held: HeldCase, { near, userId, sentAtMs, text }: FoundLine): void {
  if (near !== held.near || held.coordinated) return;
  const key = userKey(userId);
  held.accounts = held.accounts.filter(
    ([account, atMs]) => account !== key && atMs > sentAtMs - COORDINATED_MS,
  );
  held.accounts.push([key, sentAtMs]);
  if (held.accounts.length < COORDINATED_ACCOUNTS) return;
  if (text.length >= SENTENCE_LENGTH || held.newcomers * 2 >= held.count) {
    held.coordinated = true;
    held.accounts = [];
  } else held.accounts.shift();
}

function worstOf(line: FoundLine): Worst {
  const { lineId, userId, login, name, text, sentAtMs, toxicity, span } = line;
  const { rank, severityScore, action, scores, language, model } = line;
  return {
    ...{ lineId, userId, login, name, text, sentAtMs, toxicity, span },
    ...{ rank, class: line.class, severityScore, action, scores, language, model },
  };
}

/** A person reports it. True when that was news. */
export const reportCase = (held: HeldCase, reporter: number): boolean => addTo(held.reporters, reporter);

/** Marks lines of it as removed. True when some were not yet. */
export function markRemoved(held: HeldCase, atMs: number, which: (line: CaseLine) => boolean): boolean {
  let found = false;
  for (const line of held.lines)
    if (line.removedAtMs === null && line.sentAtMs <= atMs && which(line)) {
      line.removedAtMs = atMs;
      found = true;
    }
  return found;
}

/** The chat was cleared. True when lines of it were still there. */
export function markCleared(held: HeldCase, atMs: number): boolean {
  const found = markRemoved(held, atMs, () => true);
  const beyond = held.lastAtMs <= atMs ? held.count - held.lines.length : 0;
  if (beyond <= held.clearedBeyond) return found;
  held.clearedBeyond = beyond;
  return true;
}

/** Somebody is forgotten: their lines go, and their words as the worst. True when nothing is left of the case. */
export function eraseFrom(held: HeldCase, userId: string): boolean {
  const theirs = held.lines.filter((line) => line.userId === userId);
  held.lines = held.lines.filter((line) => line.userId !== userId);
  held.count = Math.max(held.lines.length, held.count - theirs.length);
  removeFrom(held.users, userKey(userId));
  held.accounts = held.accounts.filter(([account]) => account !== userKey(userId));
  if (held.author === userId) held.author = "";
  if (held.worst.userId === userId) {
    let next: CaseLine | undefined;
    for (const line of held.lines) if (next === undefined || line.toxicity > next.toxicity) next = line;
    const { lineId, userId: of, login, name, text, sentAtMs, toxicity, span } = next ?? NOBODY;
    held.worst = { ...held.worst, lineId, userId: of, login, name, text, sentAtMs, toxicity, span };
  }
  return held.lines.length === 0;
}
const NOBODY: CaseLine = {
  ...{ lineId: "", userId: "", login: "", name: "", text: "", sentAtMs: 0 },
  ...{ toxicity: 0, span: null, removedAtMs: null },
};

/** Takes a name out of what others wrote; what a span marked is then elsewhere. True when it stood there. */
export function maskName(held: HeldCase, name: RegExp): boolean {
  let found = false;
  const masked = <Line extends Pick<CaseLine, "text" | "span">>(line: Line): Line => {
    const text = line.text.replaceAll(name, "@…");
    if (text === line.text) return line;
    found = true;
    return { ...line, text, span: null };
  };
  held.lines = held.lines.map(masked);
  held.worst = masked(held.worst);
  return found;
}

/** The next version of it, as it is said at `nowMs`. */
export function versionOf(held: HeldCase, channelId: string, nowMs: number): ModCase {
  // Rises with the log's time, so that a fold that lost its memory does not stand behind what it said before.
  held.version = Math.max(held.version + 1, Math.floor(nowMs / 1000));
  held.saidAtMs = nowMs;
  const { worst } = held;
  const reports = countOf(held.reporters);
  let { severity } = held;
  if (held.coordinated) severity = raised(severity);
  if (reports >= REPORTS_ALERT) severity = worse(severity, "alert");
  return {
    id: held.id,
    channelId,
    version: held.version,
    state: held.open ? "open" : "closed",
    kind: held.kind,
    source: held.source,
    severity,
    class: worst.class,
    score: worst.rank,
    severityScore: worst.severityScore,
    action: worst.action,
    scores: [...worst.scores],
    lineId: worst.lineId,
    userId: worst.userId,
    login: worst.login,
    name: worst.name,
    text: worst.text,
    span: worst.span,
    language: worst.language,
    firstAtMs: held.firstAtMs,
    lastAtMs: held.lastAtMs,
    count: held.count,
    users: Math.min(held.count, countOf(held.users)),
    removed: held.lines.filter(({ removedAtMs }) => removedAtMs !== null).length + held.clearedBeyond,
    coordinated: held.coordinated,
    newcomers: held.newcomers,
    reports,
    heldId: held.heldId,
    spikeId: held.spikeId,
    lines: held.lines.map((line) => ({ ...line })),
    reasons: { ...held.reasons, toxicity: worst.toxicity },
    model: worst.model,
    receivedAtMs: held.receivedAtMs,
    detectedAtMs: nowMs,
  };
}

/** A scored line, as a case takes it. */
export function foundOf(
  line: LineScore,
  rank: number,
  severity: Severity,
  removedAtMs: number | null,
  receivedAtMs: number,
): FoundLine {
  const { lineId, userId, login, name, text, sentAtMs, toxicity, span, near, firstMessage } = line;
  return {
    ...{ lineId, userId, login, name, text, sentAtMs, toxicity, span, near, firstMessage },
    ...{ removedAtMs, receivedAtMs, rank, severity },
    class: line.class,
    severityScore: line.severity,
    action: line.action,
    scores: line.scores,
    language: line.language,
    model: line.model,
    reasons: {
      confidence: line.confidence,
      copies: line.copies,
      authorLines: line.authorLines,
      gameTerm: line.gameTerm ? 1 : 0,
      reply: line.replyTo === "" ? 0 : 1,
      mention: /(?:^|\s)@\w/.test(text) ? 1 : 0,
      firstMessage: firstMessage ? 1 : 0,
    },
  };
}
