import type { ChatGap, ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import { VOD_CHANNEL } from "@hypecast/contracts/event.ts";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import type { ModErase } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { TOXIC_FROM, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import { defineFold, type Emit } from "./fold.ts";
import { addNewcomer, addRegular, look, settle } from "./toxicity-spikes/copies.ts";
import {
  begin,
  BLIND_SHARE,
  CALM_S,
  drive,
  drivingOf,
  follow,
  open,
  openOf,
  peak,
  tell,
} from "./toxicity-spikes/open-spike.ts";
import { OpenWindow, WINDOW_MS } from "./toxicity-spikes/open-window.ts";
import { isPeoplesLine } from "./toxicity-spikes/peoples-line.ts";
import { initialState, isErased, loadState, saveState, type SpikesState } from "./toxicity-spikes/state.ts";
import { LOOK_S, shareStandsOut } from "./toxicity-spikes/usual.ts";

/** Scores that come later are not waited for: their window says that its lines are unknown. */
const SCORES_WITHIN_MS = 35_000;
/** A time further ahead of what the source has confirmed is nobody's. */
const AHEAD_MS = 120_000;
/** Lines of a spike that only a few write are at least so many. */
const FEW_USERS = 3;
const FEW_USERS_LINES = 12;
/** Toxic lines of the last LOOK_S that are kept whole. */
const RECENT_BOUND = 128;
/** Users of whom it is known that somebody acted on them. */
const ACTED_BOUND = 64;
/** Who was forgotten is known so long, by a hash, and at most so many. */
const ERASED_MS = 600_000;
const ERASED_BOUND = 256;

export const toxicitySpikes = defineFold<SpikesState>({
  name: "toxicity-spikes",
  says: "Toxicity by ten seconds, and when it is far above the channel's own usual; hate raids, floods and machine-made names",
  version: 1,
  initial: initialState,
  step(state, input, emit) {
    // What is imported is not scored.
    if (state.channelId.startsWith(VOD_CHANNEL)) return;
    switch (input.type) {
      case "lines":
        countLines(state, input.lines, emit);
        return;
      case "toxicity":
        if (state.seen.add(input.scores.id)) takeScores(state, input.scores, emit);
        return;
      case "window":
        if (input.window.sizeS * 1000 === WINDOW_MS) chatClosed(state, input.window, emit);
        return;
      case "seconds":
        if (waiting(state) === 0) moveTo(state, input.untilS, input.heard, emit);
        return;
      case "alive":
        state.aliveMs = Math.max(state.aliveMs, input.atMs);
        return;
      case "gap":
        state.aliveMs = Math.max(state.aliveMs, input.gap.toMs);
        addGap(state, input.gap);
        return;
      case "notice":
        takeNotice(state, input.notice);
        return;
      case "moderation":
        takeModeration(state, input.moderation);
        return;
      case "modEvent":
        takeModEvent(state, input.event);
        return;
      case "erase":
        erase(state, input.erase, emit);
        return;
      default:
    }
  },
  save: saveState,
  load: (channelId, version, bytes) => (version === 1 ? loadState(channelId, bytes) : null),
});

/** A pack counts at the time of its first line, here as in its scores. */
function countLines(state: SpikesState, lines: readonly ChatLine[], emit: Emit): void {
  const watching = state.newcomers.watching;
  let count = 0;
  let fromMs = 0;
  let came = false;
  for (const line of lines) {
    if (!isPeoplesLine(line)) continue;
    if (count++ === 0) fromMs = line.sentAtMs;
    if (line.firstMessage === true) came = addNewcomer(state, line) || came;
    else if (watching) addRegular(state, line);
  }
  if (count === 0) return;
  const window = windowOf(state, fromMs);
  if (window !== null) window.lines += count;
  if (came) look(state, fromMs, emit);
}

/** The window of this time; null when it was told already, or when the time is nobody's. */
function windowOf(state: SpikesState, atMs: number): OpenWindow | null {
  if (!(atMs >= state.toldMs) || (state.aliveMs > 0 && atMs > state.aliveMs + AHEAD_MS)) return null;
  const startMs = Math.floor(atMs / WINDOW_MS) * WINDOW_MS;
  const { windows } = state;
  let at = windows.length;
  while (at > 0 && windows[at - 1]!.startMs > startMs) at--;
  if (windows[at - 1]?.startMs === startMs) return windows[at - 1]!;
  const window = new OpenWindow(startMs);
  windows.splice(at, 0, window);
  return window;
}

/** One stretch is remembered: a gap that follows close behind another makes it longer. */
function addGap(state: SpikesState, { fromMs, toMs }: ChatGap): void {
  if (fromMs > state.gapToMs + CALM_S.toxicity * 1000) state.gapFromMs = fromMs;
  else state.gapFromMs = Math.min(state.gapFromMs, fromMs);
  state.gapToMs = Math.max(state.gapToMs, toMs);
}

const waiting = ({ windows }: SpikesState): number => {
  let lines = 0;
  for (const window of windows) lines += window.waiting;
  return lines;
};

function takeScores(state: SpikesState, scores: ToxicityScores, emit: Emit): void {
  const toxic = scores.flagged.filter(
    ({ toxicity, lineId }) => toxicity >= TOXIC_FROM && !state.recent.some((line) => line.lineId === lineId),
  );
  const settled = settle(state, scores, toxic);
  const window = windowOf(state, scores.fromMs);
  if (window !== null) {
    window.pack(scores);
    for (const line of toxic) window.toxicLine(line);
    const second = Math.floor(scores.fromMs / 1000);
    moveTo(state, second, true, emit);
    state.newestS = Math.max(state.newestS, second + 1);
    state.scored.add(second, scores.lines - scores.unknown);
    state.unknown.add(second, scores.unknown);
    state.toxic.add(second, toxic.length);
    for (const spike of state.spikes) {
      spike.scored += scores.lines - scores.unknown;
      spike.unknown += scores.unknown;
    }
    for (const line of toxic) {
      if (isErased(state, line)) continue;
      const driving = drivingOf(line);
      state.recent.push({ ...driving, atMs: line.sentAtMs, lineId: line.lineId });
      drive(openOf(state, "toxicity"), driving, second);
    }
    while (
      state.recent.length > RECENT_BOUND ||
      (state.recent[0]?.atMs ?? Infinity) <= (state.newestS - LOOK_S) * 1000
    )
      state.recent.shift();
    if (toxic.length > 0) lookAtRate(state, scores.toMs, emit);
  }
  if (settled) look(state, scores.toMs, emit);
  tellWindows(state, emit);
}

/** Chat of these ten seconds is complete; what the model says of them may still come. */
function chatClosed(state: SpikesState, chat: ChatWindow, emit: Emit): void {
  const window = windowOf(state, chat.startMs);
  if (window === null) return;
  window.complete = true;
  window.gapS = chat.gapS;
  state.chatMs = chat.startMs + WINDOW_MS;
  tellWindows(state, emit);
}

/** Tells the windows that are done, in order: those whose lines are all scored, and those that are no longer waited for. */
function tellWindows(state: SpikesState, emit: Emit): void {
  for (let window = state.windows[0]; window !== undefined; window = state.windows[0]) {
    const endMs = window.startMs + WINDOW_MS;
    const late = state.chatMs >= endMs + SCORES_WITHIN_MS;
    if (!late && (!window.complete || window.waiting > 0)) return;
    state.windows.shift();
    state.toldMs = endMs;
    const missing = window.waiting;
    if (missing > 0) {
      window.unknown += missing;
      state.unknown.add(window.startMs / 1000, missing);
      for (const spike of state.spikes) spike.unknown += missing;
      moveTo(state, endMs / 1000, true, emit);
    }
    emit({ type: "toxicityWindow", toxicityWindow: window.said(state.channelId, state.usual.bounds()) });
    if (window.gapS === 0 && window.scored > 0 && window.unknown <= window.scored * BLIND_SHARE)
      state.usual.learn(window.toxic, window.scored, state.spikes.length > 0);
  }
}

/** Every second up to this one has been seen to its end. Spikes that stay calm end on the way. */
function moveTo(state: SpikesState, untilS: number, heard: boolean, emit: Emit): void {
  for (; state.nowS < untilS && state.spikes.length > 0; state.nowS++)
    for (const spike of [...state.spikes]) follow(state, spike, heard, emit);
  state.nowS = Math.max(state.nowS, untilS);
  state.newestS = Math.max(state.newestS, state.nowS);
}

/** Does the rate of toxic lines stand out, and their share of what is written? */
function lookAtRate(state: SpikesState, nowMs: number, emit: Emit): void {
  const bounds = state.usual.bounds();
  const known = openOf(state, "toxicity");
  const lines = state.toxic.sum(state.newestS, LOOK_S);
  if (known !== undefined) return peak(known, lines, state.newestS - 1);
  if (bounds === null || lines < bounds.enter) return;
  const scored = state.scored.sum(state.newestS, LOOK_S);
  if (!shareStandsOut(lines, scored, bounds.share)) return;
  const recent = state.recent;
  if (new Set(recent.map(({ userId }) => userId)).size < FEW_USERS && lines < FEW_USERS_LINES) return;
  const startMs = recent.reduce((first, { atMs }) => Math.min(first, atMs), nowMs);
  const spike = open(state, "toxicity", startMs, nowMs, bounds.enter, bounds.leave);
  for (const line of recent) drive(spike, line, Math.floor(line.atMs / 1000));
  begin(state, spike, emit);
}

function takeNotice(state: SpikesState, { kind, sentAtMs, count }: ChatNotice): void {
  if (kind !== "raid") return;
  state.raidMs = sentAtMs;
  state.raiders = count ?? 1;
}

function takeModeration(state: SpikesState, { action, targetUserId, room }: ChatModeration): void {
  if ((action === "timeout" || action === "ban") && targetUserId !== undefined) acted(state, targetUserId);
  if (room === undefined) return;
  const is = state.room;
  if (room["slow"] !== undefined) is.slow = room["slow"] !== "0";
  if (room["followers-only"] !== undefined) is.followers = room["followers-only"] !== "-1";
  if (room["subs-only"] !== undefined) is.subscribers = room["subs-only"] !== "0";
}

function takeModEvent(state: SpikesState, { action, targetUserId }: ModEvent): void {
  const { room } = state;
  if (action === "timeout" || action === "ban") acted(state, targetUserId);
  else if (action === "slow" || action === "slowoff") room.slow = action === "slow";
  else if (action === "followers" || action === "followersoff") room.followers = action === "followers";
  else if (action === "subscribers" || action === "subscribersoff")
    room.subscribers = action === "subscribers";
  else if (action === "shield_begin" || action === "shield_end") room.shield = action === "shield_begin";
}

function acted(state: SpikesState, userId: string): void {
  for (const { acted: users } of state.spikes) if (users.size < ACTED_BOUND) users.add(userId);
}

/** Nothing here names them afterwards; open spikes are told again without them. */
function erase(state: SpikesState, { userId, atMs }: ModErase, emit: Emit): void {
  for (const [hash, untilMs] of state.erased)
    if (state.erased.size >= ERASED_BOUND || untilMs < atMs - ERASED_MS) state.erased.delete(hash);
  state.erased.set(fnv1a(userId), Math.max(atMs, state.aliveMs));
  state.newcomers.erase(userId);
  state.recent = state.recent.filter((line) => line.userId !== userId);
  for (const spike of state.spikes) {
    spike.acted.delete(userId);
    if (spike.drivers.erase(userId)) tell(state, spike, null, {}, emit);
  }
}
