import type { ChatModeration } from "@hypecast/contracts/chat.ts";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import {
  thresholds as thresholdsOf,
  type ModErase,
  type ModPolicy,
  type ModReport,
  type Severity,
  type Thresholds,
} from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { phraseFinder } from "@hypecast/contracts/phrase.ts";
import type { LineScore, SpikeKind, ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import { nearOf } from "../toxicity/features.ts";
import { tokensOf } from "../toxicity/normalise.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import {
  addLine,
  eraseFrom,
  foundOf,
  markCleared,
  markRemoved,
  maskName,
  newCase,
  reportCase,
  scoreLine,
  versionOf,
  type FoundLine,
  type HeldCase,
} from "./cases/held-case.ts";
import { Removals } from "./cases/removals.ts";
import { rankOf, severityOf } from "./cases/severity.ts";
import { SeenPacks } from "./toxicity-spikes/seen-packs.ts";

/** The next copy, or the same author's next line, joins a case so long after its newest line … */
const JOIN_MS = 120_000;
/** … unless it has gone on for so long: then it is another case. */
const LONGEST_MS = 10 * 60_000;
/** What happens to its lines after that is told for so long: deleted, reported, forgotten. */
const KEEP_MS = 10 * 60_000;
/** Cases and lines that a channel holds; beyond them the one that has been quiet longest is let go as it stands. */
const MOST_CASES = 200;
const MOST_LINES = 1000;
/** Scores come so long after their lines at most, as far as closing a case waits for them. */
const SCORED_MS = 60_000;
/** A case says no more than one new version in so long. */
const VERSION_MS = 1000;
/** New cases of one second, by severity: of a flood of different lines the worst get through. What is left out is counted in the next case. */
const MOST_NEW: Record<Severity, number> = { watch: 20, alert: 50, critical: 200 };
/** Packs of lines whose arrival is remembered until their scores come. */
const HEARD_PACKS = 64;
/** Lines of somebody who was forgotten may still be scored for so long. */
const ERASED_MS = 10 * 60_000;
const ERASED_BOUND = 1000;
const SPIKES_BOUND = 8;
/** A clock of Twitch's that is so far ahead of the source's is not believed. */
const AHEAD_MS = 60_000;
/** AutoMod's levels are 1 to 4: from here on what it holds is looked at first. */
const AUTOMOD_ALERT = 3;
const TEXT_LENGTH = 1000;

/** Of several spikes at once a case belongs to the one that says most; those without lines of their own to none. */
const SPIKE_RANK: Record<SpikeKind, number> = { hate_raid: 3, flood: 2, toxicity: 1, follow_bots: 0 };

interface Heard {
  /** Event time of a pack's last line, and our clock at its first: a latency is rather told too long. */
  readonly lastMs: number;
  readonly receivedAtMs: number;
}
type Spike = Pick<ToxicitySpike, "id" | "kind" | "startMs" | "endMs">;

export interface CasesState {
  readonly channelId: string;
  /** Event time of what the source has heard, and of what the model has scored. 0: not known. */
  clockMs: number;
  scoredMs: number;
  sweptS: number;
  thresholds: Thresholds;
  allow: readonly string[];
  isAllowed: (text: string) => boolean;
  seen: SeenPacks;
  heard: Heard[];
  removals: Removals;
  /** By hash of the user id, which is not kept: lines up to then are dropped. */
  erased: Map<number, number>;
  spikes: Spike[];
  /** New cases of the second `openedS`, and what was left out since a case could last be told of it. */
  openedS: number;
  opened: number;
  leftOut: number;
  /** The highest version of a case that was let go of: one that begins again under its id goes on behind it. */
  lastVersion: number;
  /** In the order in which they began. */
  cases: Map<string, HeldCase>;
  lines: number;
  // Made from the cases.
  byLine: Map<string, HeldCase>;
  byUser: Map<string, Set<HeldCase>>;
  /** Cases that may grow: by text, and by who writes a series. */
  byNear: Map<number, HeldCase>;
  byAuthor: Map<string, HeldCase>;
  changed: Set<HeldCase>;
  /** Bytes of cases that have not changed since. */
  saved: Map<HeldCase, Uint8Array>;
}

function initial(channelId: string): CasesState {
  return {
    channelId,
    clockMs: 0,
    scoredMs: 0,
    sweptS: 0,
    thresholds: thresholdsOf.parse({}),
    allow: [],
    isAllowed: () => false,
    seen: new SeenPacks(),
    heard: [],
    removals: new Removals(),
    erased: new Map(),
    spikes: [],
    openedS: 0,
    opened: 0,
    leftOut: 0,
    lastVersion: 0,
    cases: new Map(),
    lines: 0,
    byLine: new Map(),
    byUser: new Map(),
    byNear: new Map(),
    byAuthor: new Map(),
    changed: new Set(),
    saved: new Map(),
  };
}

export const cases = defineFold<CasesState>({
  name: "cases",
  says: "What a moderator decides at once: near-copies of one text or one author's series, by severity, with what became of their lines",
  version: 1,
  initial,
  step(state, input, emit) {
    switch (input.type) {
      case "lines": {
        const last = input.lines.at(-1);
        if (last === undefined) return;
        state.heard.push({ lastMs: last.sentAtMs, receivedAtMs: input.lines[0]?.receivedAtMs ?? 0 });
        if (state.heard.length > HEARD_PACKS) state.heard.shift();
        return moveOn(state, last.sentAtMs, emit);
      }
      case "alive":
        return moveOn(state, input.atMs, emit);
      case "toxicity":
        if (!state.seen.add(input.scores.id)) return;
        state.scoredMs = Math.max(state.scoredMs, input.scores.toMs);
        moveOn(state, input.scores.toMs, emit);
        for (const line of input.scores.flagged) takeScored(state, line, emit);
        return;
      case "modEvent":
        return takeEvent(state, input.event, emit);
      case "moderation":
        return takeModeration(state, input.moderation);
      case "report":
        return takeReport(state, input.report, emit);
      case "spike":
        return takeSpike(state, input.spike);
      case "policy":
        return takePolicy(state, input.policy);
      case "erase":
        return takeErase(state, input.erase, emit);
    }
  },
  save,
  load: (channelId, version, bytes) => (version === 1 ? load(channelId, bytes) : null),
});

// ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

function moveOn(state: CasesState, atMs: number, emit: Emit): void {
  if (atMs > state.clockMs) state.clockMs = atMs;
  const second = Math.floor(state.clockMs / 1000);
  if (second > state.sweptS) {
    state.sweptS = second;
    sweep(state);
  }
  if (state.changed.size === 0) return;
  for (const held of state.changed) if (state.clockMs - held.saidAtMs >= VERSION_MS) say(state, held, emit);
}

/** Closes what no longer grows, and lets go of what has been quiet for long. */
function sweep(state: CasesState): void {
  const scoredMs = Math.max(state.scoredMs, state.clockMs - SCORED_MS);
  for (const held of state.cases.values())
    if (held.open) {
      if (!mayGrow(held, scoredMs)) close(state, held);
    } else if (!state.changed.has(held) && held.lastAtMs < state.clockMs - JOIN_MS - KEEP_MS)
      letGo(state, held);
  state.removals.drop(state.clockMs);
  for (const [hash, atMs] of state.erased)
    if (atMs < state.clockMs - ERASED_MS) state.erased.delete(hash);
    else break;
}

const mayGrow = (held: HeldCase, atMs: number): boolean =>
  atMs - held.lastAtMs <= JOIN_MS && atMs - held.firstAtMs <= LONGEST_MS;

function close(state: CasesState, held: HeldCase): void {
  held.open = false;
  followText(state, held, false);
  followAuthor(state, held, false);
  touch(state, held);
}

function followText(state: CasesState, held: HeldCase, follows: boolean): void {
  const other = state.byNear.get(held.near);
  if (other !== undefined && (follows || other === held)) {
    other.followsText = false;
    state.saved.delete(other);
    state.byNear.delete(held.near);
  }
  held.followsText = follows;
  if (follows) state.byNear.set(held.near, held);
}

function followAuthor(state: CasesState, held: HeldCase, follows: boolean): void {
  const other = state.byAuthor.get(held.author);
  if (other !== undefined && (follows || other === held)) {
    other.followsAuthor = false;
    state.saved.delete(other);
    state.byAuthor.delete(held.author);
  }
  held.followsAuthor = follows;
  if (follows) state.byAuthor.set(held.author, held);
}

function letGo(state: CasesState, held: HeldCase): void {
  followText(state, held, false);
  followAuthor(state, held, false);
  for (const { lineId, userId } of held.lines) {
    if (state.byLine.get(lineId) === held) state.byLine.delete(lineId);
    dropUser(state, userId, held);
  }
  state.lines -= held.lines.length;
  state.lastVersion = Math.max(state.lastVersion, held.version);
  state.cases.delete(held.id);
  state.changed.delete(held);
  state.saved.delete(held);
}

function dropUser(state: CasesState, userId: string, held: HeldCase): void {
  const theirs = state.byUser.get(userId);
  theirs?.delete(held);
  if (theirs?.size === 0) state.byUser.delete(userId);
}

// ── what is said ──────────────────────────────────────────────────────────────────────────────────────────────────────

function say(state: CasesState, held: HeldCase, emit: Emit): void {
  state.changed.delete(held);
  state.saved.delete(held);
  held.spikeId = spikeOf(state, held) ?? held.spikeId;
  emit({ type: "modCase", modCase: versionOf(held, state.channelId, state.clockMs) });
}

function touch(state: CasesState, held: HeldCase): void {
  state.changed.add(held);
  state.saved.delete(held);
}

// ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function takeScored(state: CasesState, line: LineScore, emit: Emit): void {
  const { lineId, userId, sentAtMs, text } = line;
  if ((state.erased.get(fnv1a(userId)) ?? 0) >= sentAtMs) return;
  const rank = rankOf(line.toxicity, line.severity);
  const severity = severityOf(rank, state.thresholds);
  const found = foundOf(
    line,
    rank,
    severity ?? "watch",
    state.removals.of(lineId, userId, sentAtMs),
    receivedAt(state, sentAtMs),
  );
  const known = state.byLine.get(lineId);
  if (known !== undefined) {
    scoreLine(known, found);
    return touch(state, known);
  }
  if (state.isAllowed(text)) return;
  const copied = growing(state.byNear.get(line.near), line.sentAtMs);
  if (copied !== undefined) return join(state, copied, found);
  if (severity === null) return;
  const series = growing(state.byAuthor.get(userId), sentAtMs);
  if (series !== undefined) return join(state, series, found);
  begin(state, caseId(state, lineId), "model", found, emit);
}

const caseId = (state: CasesState, lineId: string): string => `${state.channelId}:case:${lineId}`;
const growing = (held: HeldCase | undefined, atMs: number): HeldCase | undefined =>
  held !== undefined && mayGrow(held, atMs) ? held : undefined;

/** Our clock when the pack with a line of that time came; 0: not known. */
const receivedAt = (state: CasesState, sentAtMs: number): number =>
  state.heard.find(({ lastMs }) => lastMs >= sentAtMs)?.receivedAtMs ?? 0;

function begin(
  state: CasesState,
  id: string,
  source: HeldCase["source"],
  line: FoundLine,
  emit: Emit,
  heldId = "",
): void {
  const second = Math.floor(state.clockMs / 1000);
  if (second !== state.openedS) {
    state.openedS = second;
    state.opened = 0;
  }
  // What waits for a decision, and what somebody asked to be looked at, is never left out.
  if (source === "model" && state.opened >= MOST_NEW[line.severity]) {
    state.leftOut++;
    return;
  }
  state.opened++;
  const held = newCase(id, source, line);
  held.heldId = heldId;
  held.version = state.lastVersion;
  if (state.leftOut > 0) held.reasons["leftOut"] = state.leftOut;
  state.leftOut = 0;
  state.cases.set(id, held);
  index(state, held, line);
  // A message that AutoMod holds is decided by itself.
  if (heldId === "") {
    followText(state, held, true);
    followAuthor(state, held, true);
  }
  say(state, held, emit);
  makeRoom(state, held, emit);
}

function join(state: CasesState, held: HeldCase, line: FoundLine): void {
  const before = held.lines.length;
  addLine(held, line);
  if (held.lines.length > before) index(state, held, line);
  // Copies no longer belong to one author; a series of several texts is nobody's copy.
  if (held.kind === "copies") followAuthor(state, held, false);
  else if (held.texts > 1) followText(state, held, false);
  touch(state, held);
}

/** A line that a case holds. */
function index(
  state: CasesState,
  held: HeldCase,
  { lineId, userId }: Pick<FoundLine, "lineId" | "userId">,
): void {
  state.lines++;
  state.byLine.set(lineId, held);
  const theirs = state.byUser.get(userId);
  if (theirs === undefined) state.byUser.set(userId, new Set([held]));
  else theirs.add(held);
}

function makeRoom(state: CasesState, newest: HeldCase, emit: Emit): void {
  while (state.cases.size > MOST_CASES || state.lines > MOST_LINES) {
    let oldest: HeldCase | undefined;
    for (const held of state.cases.values())
      if (held !== newest && (oldest === undefined || held.lastAtMs < oldest.lastAtMs)) oldest = held;
    if (oldest === undefined) return;
    if (oldest.open || state.changed.has(oldest)) {
      oldest.open = false;
      say(state, oldest, emit);
    }
    letGo(state, oldest);
  }
}

// ── what Twitch tells ─────────────────────────────────────────────────────────────────────────────────────────────────

function takeEvent(state: CasesState, event: ModEvent, emit: Emit): void {
  // What another channel of a shared chat did is no news of our lines.
  if (event.sourceChannelId !== "" && event.sourceChannelId !== state.channelId) return;
  const { action, atMs, targetUserId, targetMessageId } = event;
  if (state.clockMs === 0 || atMs < state.clockMs + AHEAD_MS) moveOn(state, atMs, emit);
  switch (action) {
    case "delete":
      return removeLine(state, targetMessageId, atMs);
    case "timeout":
    case "ban":
      return removeChatter(state, targetUserId, atMs);
    case "clear":
      return removeAll(state, atMs);
    case "automod_hold":
      return takeHeld(state, event, emit);
    case "automod_update":
      return takeDecided(state, event);
    case "suspicious_message":
      return takeSuspicious(state, event, emit);
  }
}

/** The same, as IRC tells it: whichever comes second changes nothing. */
function takeModeration(state: CasesState, moderation: ChatModeration): void {
  const { action, sentAtMs, targetMessageId, targetUserId } = moderation;
  if (action === "delete") removeLine(state, targetMessageId ?? "", sentAtMs);
  else if (action === "clear") removeAll(state, sentAtMs);
  else if (action !== "room_state") removeChatter(state, targetUserId ?? "", sentAtMs);
}

function removeLine(state: CasesState, lineId: string, atMs: number): void {
  if (lineId === "") return;
  state.removals.line(lineId, atMs);
  const held = state.byLine.get(lineId);
  if (held !== undefined && markRemoved(held, atMs, (line) => line.lineId === lineId)) touch(state, held);
}

function removeChatter(state: CasesState, userId: string, atMs: number): void {
  if (userId === "") return;
  state.removals.chatter(userId, atMs);
  for (const held of casesOf(state, userId))
    if (markRemoved(held, atMs, (line) => line.userId === userId)) touch(state, held);
}

/** Cases that hold lines of somebody, in the order in which they began: what is said must not depend on how the index was made. */
function casesOf(state: CasesState, userId: string): HeldCase[] {
  const theirs = state.byUser.get(userId);
  if (theirs === undefined) return [];
  return theirs.size === 1 ? [...theirs] : [...state.cases.values()].filter((held) => theirs.has(held));
}

function removeAll(state: CasesState, atMs: number): void {
  state.removals.all(atMs);
  for (const held of state.cases.values()) if (markCleared(held, atMs)) touch(state, held);
}

/** AutoMod holds a message that nobody in chat has seen. */
function takeHeld(state: CasesState, event: ModEvent, emit: Emit): void {
  const { targetMessageId, detail } = event;
  if (targetMessageId === "" || isErased(state, event.targetUserId, event.atMs)) return;
  const known = state.byLine.get(targetMessageId);
  if (known !== undefined) return;
  const level = Number(detail["level"] ?? 0) || 0;
  const severity = level >= AUTOMOD_ALERT ? "alert" : "watch";
  begin(
    state,
    caseId(state, targetMessageId),
    "automod",
    toldLine(event, severity, firstSpan(detail["spans"] ?? ""), { autoModLevel: level }),
    emit,
    targetMessageId,
  );
}

/** Somebody decided what AutoMod held, or nobody did in time. */
function takeDecided(state: CasesState, { targetMessageId, atMs, detail }: ModEvent): void {
  const held = state.byLine.get(targetMessageId);
  if (held === undefined || held.heldId !== targetMessageId) return;
  held.heldId = "";
  const isApproved = detail["status"] === "approved";
  held.reasons[isApproved ? "autoModApproved" : "autoModDenied"] = 1;
  if (!isApproved)
    markRemoved(held, Math.max(atMs, held.lastAtMs), ({ lineId }) => lineId === targetMessageId);
  touch(state, held);
}

/** A message of somebody whom Twitch or a moderator suspects. It is in chat too, and may have been scored before or be scored later. */
function takeSuspicious(state: CasesState, event: ModEvent, emit: Emit): void {
  const { targetMessageId: lineId, targetUserId } = event;
  if (lineId === "" || isErased(state, targetUserId, event.atMs)) return;
  const known = state.byLine.get(lineId);
  if (known !== undefined) {
    known.reasons["suspicious"] = 1;
    return touch(state, known);
  }
  const line = toldLine(event, "watch", null, { suspicious: 1 });
  const series = growing(state.byAuthor.get(targetUserId), event.atMs);
  if (series === undefined) begin(state, caseId(state, lineId), "suspicious", line, emit);
  else join(state, series, line);
}

const isErased = (state: CasesState, userId: string, atMs: number): boolean =>
  (state.erased.get(fnv1a(userId)) ?? 0) >= atMs;

/** A line that Twitch or a person names and no model has scored. */
function toldLine(
  event: Pick<ModEvent, "targetMessageId" | "targetUserId" | "targetLogin" | "text" | "atMs">,
  severity: Severity,
  span: [number, number] | null,
  reasons: Record<string, number>,
): FoundLine {
  const text = event.text.slice(0, TEXT_LENGTH);
  return {
    lineId: event.targetMessageId,
    userId: event.targetUserId,
    login: event.targetLogin,
    name: event.targetLogin,
    text,
    sentAtMs: event.atMs,
    toxicity: 0,
    span,
    removedAtMs: null,
    near: nearOf(tokensOf(text)),
    firstMessage: false,
    rank: 0,
    severity,
    class: "none",
    severityScore: 0,
    action: 0,
    scores: [],
    language: "other",
    reasons,
    model: "",
    receivedAtMs: 0,
  };
}

/** Of `0-2,5-9`, as the source writes AutoMod's boundaries. */
function firstSpan(spans: string): [number, number] | null {
  const found = /^(\d+)-(\d+)/.exec(spans);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

// ── what people say and set ───────────────────────────────────────────────────────────────────────────────────────────

function takeReport(state: CasesState, report: ModReport, emit: Emit): void {
  const { lineId, userId, sentAtMs, reporter } = report;
  if (isErased(state, userId, sentAtMs)) return;
  const key = fnv1a(reporter);
  const known = state.byLine.get(lineId);
  if (known !== undefined) {
    if (reportCase(known, key)) touch(state, known);
    return;
  }
  const line: FoundLine = {
    ...toldLine(
      {
        targetMessageId: lineId,
        targetUserId: userId,
        targetLogin: report.login,
        text: report.text,
        atMs: sentAtMs,
      },
      "watch",
      null,
      {},
    ),
    name: report.name,
    removedAtMs: state.removals.of(lineId, userId, sentAtMs),
  };
  // One of the copies that a case counts without holding it.
  const copied = growing(state.byNear.get(line.near), line.sentAtMs);
  if (copied !== undefined) {
    if (reportCase(copied, key)) touch(state, copied);
    return;
  }
  // Its own id: a case of that line may have been let go of long ago, and would have had later versions than a new one.
  begin(state, `${caseId(state, lineId)}:report`, "report", line, emit);
  const held = state.byLine.get(lineId);
  if (held !== undefined && reportCase(held, key)) touch(state, held);
}

function takePolicy(state: CasesState, policy: ModPolicy): void {
  state.thresholds = policy.thresholds;
  state.allow = policy.allow;
  state.isAllowed = phraseFinder(policy.allow);
}

function takeErase(state: CasesState, { userId, login, atMs }: ModErase, emit: Emit): void {
  state.removals.forget(userId);
  state.erased.delete(fnv1a(userId));
  state.erased.set(fnv1a(userId), Math.max(atMs, state.clockMs));
  const oldest = state.erased.keys().next();
  if (state.erased.size > ERASED_BOUND && oldest.done === false) state.erased.delete(oldest.value);
  for (const held of casesOf(state, userId)) {
    for (const line of held.lines)
      if (line.userId === userId) {
        state.byLine.delete(line.lineId);
        state.lines--;
      }
    if (held.author === userId) followAuthor(state, held, false);
    const isEmpty = eraseFrom(held, userId);
    if (isEmpty) held.open = false;
    say(state, held, emit);
    if (isEmpty) letGo(state, held);
  }
  state.byUser.delete(userId);
  const name = nameOf(login);
  if (name !== null)
    for (const held of state.cases.values()) if (maskName(held, name)) say(state, held, emit);
}

/** `@login`, and the bare word where it cannot well mean something else; null: a login that is none. */
function nameOf(login: string): RegExp | null {
  const word = login.replaceAll(/\W/g, "");
  if (word === "") return null;
  return new RegExp(`${/[\d_]|.{8}/.test(word) ? "@?" : "@"}\\b${word}\\b`, "giu");
}

// ── spikes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function takeSpike(state: CasesState, { id, kind, startMs, endMs }: ToxicitySpike): void {
  if (SPIKE_RANK[kind] === 0) return;
  const at = state.spikes.findIndex((spike) => spike.id === id);
  const spike: Spike = { id, kind, startMs, endMs };
  if (at >= 0) {
    // What belongs to it was told when it opened, or is told with the next line.
    state.spikes[at] = spike;
    return;
  }
  state.spikes.push(spike);
  if (state.spikes.length > SPIKES_BOUND) state.spikes.shift();
  for (const held of state.cases.values()) {
    const best = spikeOf(state, held);
    if (best === held.spikeId || best === null) continue;
    held.spikeId = best;
    touch(state, held);
  }
}

/** The spike in which the case's lines fall; of several the one that says most, then the newest. */
function spikeOf(state: CasesState, held: HeldCase): string | null {
  let best: Spike | null = null;
  for (const spike of state.spikes) {
    if (held.lastAtMs < spike.startMs || held.firstAtMs > (spike.endMs ?? Infinity)) continue;
    if (spike.kind !== "toxicity" && held.kind !== "copies") continue;
    if (best === null || SPIKE_RANK[spike.kind] >= SPIKE_RANK[best.kind]) best = spike;
  }
  return best?.id ?? null;
}

// ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function save(state: CasesState): Uint8Array {
  const out = new ByteWriter();
  out.number(state.clockMs);
  out.number(state.scoredMs);
  out.number(state.sweptS);
  out.text(JSON.stringify({ thresholds: state.thresholds, allow: state.allow, spikes: state.spikes }));
  state.seen.save(out);
  out.uint(state.heard.length);
  for (const { lastMs, receivedAtMs } of state.heard) {
    out.number(lastMs);
    out.number(receivedAtMs);
  }
  state.removals.save(out);
  out.uint(state.erased.size);
  for (const [hash, atMs] of state.erased) {
    out.uint(hash);
    out.number(atMs);
  }
  out.number(state.openedS);
  out.uint(state.opened);
  out.uint(state.leftOut);
  out.number(state.lastVersion);
  out.uint(state.cases.size);
  for (const held of state.cases.values()) {
    let bytes = state.saved.get(held);
    if (bytes === undefined) state.saved.set(held, (bytes = encoder.encode(JSON.stringify(held))));
    out.raw(bytes);
  }
  out.uint(state.changed.size);
  for (const held of state.changed) out.text(held.id);
  return out.done();
}
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function load(channelId: string, saved: Uint8Array): CasesState {
  const bytes = new ByteReader(saved);
  const state = initial(channelId);
  state.clockMs = bytes.number();
  state.scoredMs = bytes.number();
  state.sweptS = bytes.number();
  const { thresholds, allow, spikes } = JSON.parse(bytes.text()) as Pick<
    CasesState,
    "thresholds" | "allow" | "spikes"
  >;
  Object.assign(state, { thresholds, allow, spikes, isAllowed: phraseFinder(allow) });
  state.seen = SeenPacks.load(bytes);
  for (let left = bytes.uint(); left > 0; left--)
    state.heard.push({ lastMs: bytes.number(), receivedAtMs: bytes.number() });
  state.removals = Removals.load(bytes);
  for (let left = bytes.uint(); left > 0; left--) state.erased.set(bytes.uint(), bytes.number());
  state.openedS = bytes.number();
  state.opened = bytes.uint();
  state.leftOut = bytes.uint();
  state.lastVersion = bytes.number();
  for (let left = bytes.uint(); left > 0; left--) {
    const raw = bytes.raw();
    const held = JSON.parse(decoder.decode(raw)) as HeldCase;
    state.cases.set(held.id, held);
    state.saved.set(held, raw);
    for (const line of held.lines) index(state, held, line);
    if (held.followsText) state.byNear.set(held.near, held);
    if (held.followsAuthor) state.byAuthor.set(held.author, held);
  }
  for (let left = bytes.uint(); left > 0; left--) {
    const held = state.cases.get(bytes.text());
    if (held !== undefined) state.changed.add(held);
  }
  return state;
}
