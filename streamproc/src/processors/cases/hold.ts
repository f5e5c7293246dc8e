import type { Severity } from "@hypecast/contracts/mod-case.ts";
import type { SpikeKind } from "@hypecast/contracts/toxicity.ts";
import type { Emit } from "../fold.ts";
import { addLine, newCase, versionOf, type FoundLine, type HeldCase } from "./held-case.ts";
import { index, type CasesState, type Spike } from "./state.ts";

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
/** Lines of somebody who was forgotten may still be scored for so long. */
const ERASED_MS = 10 * 60_000;

/** Of several spikes at once a case belongs to the one that says most; those without lines of their own to none. */
export const SPIKE_RANK: Record<SpikeKind, number> = { hate_raid: 3, flood: 2, toxicity: 1, follow_bots: 0 };

/** Event time goes on: what is due is closed, let go of, and said. */
export function moveOn(state: CasesState, atMs: number, emit: Emit): void {
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

/** The case, if what was said at that time may still join it. */
export const growing = (held: HeldCase | undefined, atMs: number): HeldCase | undefined =>
  held !== undefined && mayGrow(held, atMs) ? held : undefined;

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

export function followAuthor(state: CasesState, held: HeldCase, follows: boolean): void {
  const other = state.byAuthor.get(held.author);
  if (other !== undefined && (follows || other === held)) {
    other.followsAuthor = false;
    state.saved.delete(other);
    state.byAuthor.delete(held.author);
  }
  held.followsAuthor = follows;
  if (follows) state.byAuthor.set(held.author, held);
}

/** Forgets a case; what was said of it stays. */
export function letGo(state: CasesState, held: HeldCase): void {
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

/** Emits the next version now. */
export function say(state: CasesState, held: HeldCase, emit: Emit): void {
  state.changed.delete(held);
  state.saved.delete(held);
  held.spikeId = spikeOf(state, held) ?? held.spikeId;
  emit({ type: "modCase", modCase: versionOf(held, state.channelId, state.clockMs) });
}

/** It has changed: its next version is due. */
export function touch(state: CasesState, held: HeldCase): void {
  state.changed.add(held);
  state.saved.delete(held);
}

export const caseId = (state: CasesState, lineId: string): string => `${state.channelId}:case:${lineId}`;

/** A new case, unless there are too many of them in this second. */
export function begin(
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

export function join(state: CasesState, held: HeldCase, line: FoundLine): void {
  const before = held.lines.length;
  addLine(held, line);
  if (held.lines.length > before) index(state, held, line);
  // Copies no longer belong to one author; a series of several texts is nobody's copy.
  if (held.kind === "copies") followAuthor(state, held, false);
  else if (held.texts > 1) followText(state, held, false);
  touch(state, held);
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

/** Cases that hold lines of somebody, in the order in which they began: what is said must not depend on how the index was made. */
export function casesOf(state: CasesState, userId: string): HeldCase[] {
  const theirs = state.byUser.get(userId);
  if (theirs === undefined) return [];
  return theirs.size === 1 ? [...theirs] : [...state.cases.values()].filter((held) => theirs.has(held));
}

/** The spike in which the case's lines fall; of several the one that says most, then the newest. */
export function spikeOf(state: CasesState, held: HeldCase): string | null {
  let best: Spike | null = null;
  for (const spike of state.spikes) {
    if (held.lastAtMs < spike.startMs || held.firstAtMs > (spike.endMs ?? Infinity)) continue;
    if (spike.kind !== "toxicity" && held.kind !== "copies") continue;
    if (best === null || SPIKE_RANK[spike.kind] >= SPIKE_RANK[best.kind]) best = spike;
  }
  return best?.id ?? null;
}
