import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import type { ModErase, ModPolicy, ModReport } from "@hypecast/contracts/mod-case.ts";
import { phraseFinder } from "@hypecast/contracts/phrase.ts";
import type { LineScore, ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import { eraseFrom, foundOf, maskName, reportCase, scoreLine, type FoundLine } from "./cases/held-case.ts";
import {
  begin,
  caseId,
  casesOf,
  followAuthor,
  growing,
  join,
  letGo,
  moveOn,
  say,
  SPIKE_RANK,
  spikeOf,
  touch,
} from "./cases/hold.ts";
import { rankOf, severityOf } from "./cases/severity.ts";
import { initialState, isErased, loadState, saveState, type CasesState, type Spike } from "./cases/state.ts";
import { takeEvent, takeModeration, toldLine } from "./cases/told.ts";
import { defineFold, type Emit } from "./fold.ts";

/** Packs of lines whose arrival is remembered until their scores come. */
const HEARD_PACKS = 64;
const ERASED_BOUND = 1000;
const SPIKES_BOUND = 8;

export const cases = defineFold<CasesState>({
  name: "cases",
  says: "What a moderator decides at once: near-copies of one text or one author's series, by severity, with what became of their lines",
  version: 1,
  initial: initialState,
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
  save: saveState,
  load: (channelId, version, bytes) => (version === 1 ? loadState(channelId, bytes) : null),
});

function takeScored(state: CasesState, line: LineScore, emit: Emit): void {
  const { lineId, userId, sentAtMs, text } = line;
  if (isErased(state, userId, sentAtMs)) return;
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

/** Our clock when the pack with a line of that time came; 0: not known. */
const receivedAt = (state: CasesState, sentAtMs: number): number =>
  state.heard.find(({ lastMs }) => lastMs >= sentAtMs)?.receivedAtMs ?? 0;

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
