import type { ChatGap, ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import { VOD_CHANNEL } from "@hypecast/contracts/event.ts";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import type { ModErase } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import {
  LANGUAGES,
  SPIKE_KINDS,
  TOXIC_FROM,
  TOXICITY_CLASSES,
  type LineScore,
  type SpikeKind,
  type ToxicityScores,
  type ToxicitySpike,
} from "@hypecast/contracts/toxicity.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { FLAG } from "./pane.ts";
import { analysisOf } from "./text.ts";
import { CountedSeconds } from "./toxicity-spikes/counted-seconds.ts";
import { cut, Drivers, type DrivingLine } from "./toxicity-spikes/drivers.ts";
import { suggest, type Room } from "./toxicity-spikes/measure.ts";
import { Newcomers, shapeOf, type NewcomerLine } from "./toxicity-spikes/newcomers.ts";
import { OpenWindow, tenths, WINDOW_MS } from "./toxicity-spikes/open-window.ts";
import { isPeoplesLine } from "./toxicity-spikes/peoples-line.ts";
import { SeenPacks } from "./toxicity-spikes/seen-packs.ts";
import { LOOK_S, shareStandsOut, Usual } from "./toxicity-spikes/usual.ts";

/** Scores that come later are not waited for: their window says that its lines are unknown. */
const SCORES_WITHIN_MS = 35_000;
/** A time further ahead of what the source has confirmed is nobody's. */
const AHEAD_MS = 120_000;
/** A newcomer's line that was not scored within this is judged without. */
const VERDICT_WITHIN_MS = 5000;
/** Lines of a spike that only a few write are at least so many. */
const FEW_USERS = 3;
const FEW_USERS_LINES = 12;
/** Calm for this long, a spike is over; one that rises again before then is the same. */
const CALM_S: Record<SpikeKind, number> = { toxicity: 20, hate_raid: 30, flood: 30, follow_bots: 60 };
/** With more of its lines unknown than this, nobody knows whether chat is calm. */
const BLIND_SHARE = 0.2;
/** A spike about which nothing has been known for so long is ended, and says that it is not known to be calm. */
const BLIND_S = 900;
/** What lasts longer is the channel's new usual. */
const LONGEST_S = 3600;
/** An open spike is told again at most this often. */
const TELL_S = 5;
/** Toxic lines of the last LOOK_S that are kept whole. */
const RECENT_BOUND = 128;
/** After a raid so long, newcomers are raiders. */
const RAID_MS = 300_000;
/** Different newcomers who make a hate raid by near-copies; after a raid without them. */
const HATE_ACCOUNTS = 4;
const HATE_ACCOUNTS_AFTER_RAID = 5;
const FLOOD_ACCOUNTS = 6;
const ALIKE_NAMES = 6;
/** Users of whom it is known that somebody acted on them. */
const ACTED_BOUND = 64;
/** Groups of near-copies that one spike follows. */
const GROUPS_BOUND = 16;
/** Who was forgotten is known so long, by a hash, and at most so many. */
const ERASED_MS = 600_000;
const ERASED_BOUND = 256;
/** "Times its usual" is of so few lines more. */
const PRIOR_PER_MIN = 2;

interface RecentLine extends DrivingLine {
  readonly atMs: number;
  readonly lineId: string;
}

interface OpenSpike {
  readonly kind: SpikeKind;
  readonly startMs: number;
  readonly detectedAtMs: number;
  /** As it was when it began. */
  readonly usual: Pick<
    ToxicitySpike,
    "usualPerMin" | "usualLowPerMin" | "usualHighPerMin" | "usualShare" | "fromPerMin"
  >;
  readonly leave: number;
  /** Viewers of the raid before it. */
  readonly raiders: number;
  version: number;
  /** Second in which it was last told; whether there is something to tell since. */
  toldS: number;
  changed: boolean;
  peak: number;
  peakS: number;
  scored: number;
  unknown: number;
  calmS: number;
  blindS: number;
  counts: CountedSeconds;
  drivers: Drivers;
  /** Groups of near-copies and the shape of names that belong to it. */
  groups: number[];
  shape: string;
  names: number;
  acted: Set<string>;
}

export interface SpikesState {
  readonly channelId: string;
  /** Until when the source has said that it heard the channel; 0: not yet. */
  aliveMs: number;
  /** Chat before this is complete; and windows before this were told. */
  chatMs: number;
  toldMs: number;
  /** The first second that spikes have not seen the end of; 0: none yet. */
  nowS: number;
  /** The second behind the newest of which anything is known: up to there, lines are summed. */
  newestS: number;
  seen: SeenPacks;
  windows: OpenWindow[];
  scored: CountedSeconds;
  unknown: CountedSeconds;
  toxic: CountedSeconds;
  usual: Usual;
  recent: RecentLine[];
  newcomers: Newcomers;
  /** The last stretch that the source did not hear. */
  gapFromMs: number;
  gapToMs: number;
  raidMs: number;
  raiders: number;
  room: Room;
  spikes: OpenSpike[];
  /** Hashed ids of who was forgotten, and when: their lines from before may still be scored, and name nobody. */
  erased: Map<number, number>;
}

export const toxicitySpikes = defineFold<SpikesState>({
  name: "toxicity-spikes",
  says: "Toxicity by ten seconds, and when it is far above the channel's own usual; hate raids, floods and machine-made names",
  version: 1,
  initial: (channelId) => ({
    channelId,
    aliveMs: 0,
    chatMs: 0,
    toldMs: 0,
    nowS: 0,
    newestS: 0,
    seen: new SeenPacks(),
    windows: [],
    scored: new CountedSeconds(),
    unknown: new CountedSeconds(),
    toxic: new CountedSeconds(),
    usual: new Usual(),
    recent: [],
    newcomers: new Newcomers(),
    gapFromMs: 0,
    gapToMs: 0,
    raidMs: 0,
    raiders: 0,
    room: { slow: false, followers: false, subscribers: false, shield: false },
    spikes: [],
    erased: new Map(),
  }),
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
  save,
  load: (channelId, version, bytes) => (version === 1 ? load(channelId, bytes) : null),
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

const drivingOf = (line: LineScore): DrivingLine => ({
  userId: line.userId,
  login: line.login,
  text: line.text,
  near: line.near,
  first: line.firstMessage,
  class: line.class,
  language: line.language,
});

const openOf = (state: SpikesState, kind: SpikeKind): OpenSpike | undefined =>
  state.spikes.find((spike) => spike.kind === kind);

function drive(spike: OpenSpike | undefined, line: DrivingLine, second: number): void {
  if (spike === undefined) return;
  spike.drivers.add(line);
  spike.counts.add(second, 1);
  spike.changed = true;
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

/** One more second of an open spike. */
function follow(state: SpikesState, spike: OpenSpike, heard: boolean, emit: Emit): void {
  const endS = state.nowS + 1;
  const lines = spike.counts.sum(endS, LOOK_S);
  const unknown = state.unknown.sum(endS, LOOK_S) + waitingIn(state, endS);
  const inGap = endS * 1000 > state.gapFromMs && state.nowS * 1000 < state.gapToMs;
  const blind = !heard || inGap || unknown > (unknown + state.scored.sum(endS, LOOK_S)) * BLIND_SHARE;
  // Seconds of which nothing is known are neither calm nor not.
  if (blind) spike.blindS++;
  else {
    spike.blindS = 0;
    spike.calmS = lines < spike.leave ? spike.calmS + 1 : 0;
  }
  peak(spike, lines, state.nowS);
  const lastsS = endS - spike.startMs / 1000;
  if (spike.calmS >= CALM_S[spike.kind]) end(state, spike, (endS - spike.calmS) * 1000, {}, emit);
  else if (spike.blindS >= BLIND_S) end(state, spike, endS * 1000, { blindS: spike.blindS }, emit);
  else if (lastsS >= LONGEST_S) {
    if (spike.kind === "toxicity") state.usual.adopt((spike.drivers.lines / lastsS) * 60);
    end(state, spike, endS * 1000, { newUsual: 1 }, emit);
  } else if (spike.changed && endS - spike.toldS >= TELL_S) tell(state, spike, null, {}, emit);
}

/** Lines of windows before this second that the model has not spoken of, while newer ones are scored already. */
function waitingIn({ windows }: SpikesState, endS: number): number {
  let lines = 0;
  for (const { startMs, waiting: left } of windows)
    if (startMs + WINDOW_MS <= endS * 1000 && startMs + WINDOW_MS > (endS - LOOK_S) * 1000) lines += left;
  return lines;
}

function peak(spike: OpenSpike, lines: number, second: number): void {
  if (lines <= spike.peak) return;
  spike.peak = lines;
  spike.peakS = second;
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

/** A new line of somebody who had never written here; true when it is one to look at. */
function addNewcomer(state: SpikesState, line: ChatLine): boolean {
  if (isErased(state, line)) return false;
  const said = analysisOf(line.text, state.channelId);
  // Emotes alone are what everybody writes.
  if (said.emoteWordsOnly || said.bare === 0 || coveredByEmotes(line, said.bare)) return false;
  const { newcomers } = state;
  for (const one of newcomers.lines)
    if (one.verdict === "pending" && one.atMs < line.sentAtMs - VERDICT_WITHIN_MS) one.verdict = "unknown";
  const kept = newcomers.add(
    {
      atMs: line.sentAtMs,
      lineId: line.id,
      userId: line.userId,
      login: line.login,
      text: cut(line.text),
      link: (said.flags & FLAG.link) !== 0,
    },
    said.nearKey,
  );
  const bots = openOf(state, "follow_bots");
  if (bots !== undefined && shapeOf(kept.login) === bots.shape) {
    drive(bots, drivingNewcomer(state, kept), Math.floor(kept.atMs / 1000));
    bots.names++;
  }
  return true;
}

function coveredByEmotes(line: ChatLine, bare: number): boolean {
  let covered = 0;
  for (const [, , first, last] of line.emotes ?? []) covered += last - first + 1;
  return covered >= bare;
}

/** Somebody at home here says what newcomers say: then it is no attack by newcomers, or it is theirs too. */
function addRegular(state: SpikesState, line: ChatLine): void {
  const { nearKey } = analysisOf(line.text, state.channelId);
  const group = state.newcomers.regular(nearKey, line.sentAtMs);
  if (group === null || isErased(state, line)) return;
  const { userId, login, text } = line;
  for (const spike of state.spikes)
    if (spike.groups.includes(group))
      drive(
        spike,
        { userId, login, text, near: nearKey, first: false, class: null, language: null },
        Math.floor(line.sentAtMs / 1000),
      );
}

/**
 * Newcomers' lines up to the end of a scored pack have their verdict; one that the pack before it had passed over by its time is set right.
 * Spikes that are open take up what belongs to them. True when there was any.
 */
function settle(
  state: SpikesState,
  { toMs, unknown, lines }: ToxicityScores,
  toxic: readonly LineScore[],
): boolean {
  let any = false;
  for (const line of state.newcomers.lines) {
    const score = toxic.find(({ lineId }) => lineId === line.lineId);
    const was = line.verdict;
    if (was === "toxic" || was === "spam") continue;
    if (score === undefined && (was !== "pending" || line.atMs > toMs)) continue;
    if (score !== undefined) line.verdict = score.class === "spam" ? "spam" : "toxic";
    else line.verdict = unknown === lines ? "unknown" : "clean";
    any = true;
    const followed = state.spikes.find(({ groups }) => groups.includes(line.group));
    if (was !== "pending" && followed !== undefined) continue; // it counts already
    const hate = line.verdict === "toxic" ? openOf(state, "hate_raid") : undefined;
    drive(
      hate ?? followed,
      score === undefined ? drivingNewcomer(state, line) : drivingOf(score),
      Math.floor(line.atMs / 1000),
    );
  }
  return any;
}

function drivingNewcomer(state: SpikesState, line: NewcomerLine): DrivingLine {
  const { userId, login, text } = line;
  const scored = state.recent.find(({ lineId }) => lineId === line.lineId);
  if (scored !== undefined) return scored;
  const near = analysisOf(text, state.channelId).nearKey;
  return { userId, login, text, near, first: true, class: null, language: null };
}

/** Do newcomers write alike, or look alike? */
function look(state: SpikesState, nowMs: number, emit: Emit): void {
  const { newcomers } = state;
  if (newcomers.lines.length < HATE_ACCOUNTS) return;
  const afterRaid = nowMs < state.raidMs + RAID_MS;
  const groups = newcomers.copies(nowMs);
  const hate = openOf(state, "hate_raid");
  if (hate === undefined) {
    const copied = groups.find(
      ({ accounts, toxicAccounts, regulars }) =>
        accounts >= HATE_ACCOUNTS && toxicAccounts * 2 >= accounts && regulars <= accounts,
    );
    const toxic = groups.flatMap(({ lines }) => lines.filter(({ verdict }) => verdict === "toxic"));
    const raiders = new Set(toxic.map(({ userId }) => userId)).size;
    if (copied !== undefined)
      openCopies(state, "hate_raid", copied.lines, [copied.group], HATE_ACCOUNTS, nowMs, emit);
    else if (afterRaid && raiders >= HATE_ACCOUNTS_AFTER_RAID)
      openCopies(state, "hate_raid", toxic, [], HATE_ACCOUNTS_AFTER_RAID, nowMs, emit);
  } else
    for (const { group, accounts, toxicAccounts } of groups)
      if (toxicAccounts >= 2 && toxicAccounts * 2 >= accounts) followGroup(hate, group);
  const followed = state.spikes.flatMap((spike) => spike.groups);
  const copied = groups.find(
    ({ group, accounts, toxicAccounts, regulars, lines }) =>
      accounts >= FLOOD_ACCOUNTS &&
      toxicAccounts * 2 < accounts &&
      regulars <= accounts &&
      !followed.includes(group) &&
      lines.every(({ verdict }) => verdict !== "pending") &&
      // Who comes with a raid greets with the raid's own words.
      (!afterRaid || lines.some(({ link, verdict }) => link || verdict === "spam")),
  );
  if (copied !== undefined) {
    const flood = openOf(state, "flood");
    if (flood !== undefined) followGroup(flood, copied.group);
    else openCopies(state, "flood", copied.lines, [copied.group], FLOOD_ACCOUNTS, nowMs, emit);
  }
  lookAtNames(state, nowMs, emit);
}

function followGroup(spike: OpenSpike, group: number): void {
  if (spike.groups.includes(group)) return;
  spike.groups.push(group);
  if (spike.groups.length > GROUPS_BOUND) spike.groups.shift();
}

/** Names made by one machine are a spike of their own while nothing worse is going on. */
function lookAtNames(state: SpikesState, nowMs: number, emit: Emit): void {
  const { lines, shape } = state.newcomers.alikeNames(nowMs);
  for (const spike of state.spikes) if (spike.kind !== "follow_bots") spike.names = lines.length;
  if (lines.length < ALIKE_NAMES || state.spikes.some(({ kind }) => kind !== "toxicity")) return;
  const spike = openCopies(state, "follow_bots", lines, [], ALIKE_NAMES, nowMs, null);
  spike.shape = shape;
  spike.names = lines.length;
  begin(state, spike, emit);
}

function openCopies(
  state: SpikesState,
  kind: SpikeKind,
  lines: readonly NewcomerLine[],
  groups: number[],
  enter: number,
  nowMs: number,
  emit: Emit | null,
): OpenSpike {
  const startMs = lines.reduce((first, { atMs }) => Math.min(first, atMs), nowMs);
  const spike = open(state, kind, startMs, nowMs, enter, 2);
  spike.groups = groups;
  for (const line of lines)
    if (line.verdict !== "pending" || kind === "follow_bots")
      drive(spike, drivingNewcomer(state, line), Math.floor(line.atMs / 1000));
  if (emit !== null) begin(state, spike, emit);
  return spike;
}

function open(
  state: SpikesState,
  kind: SpikeKind,
  startMs: number,
  detectedAtMs: number,
  enter: number,
  leave: number,
): OpenSpike {
  const bounds = state.usual.bounds();
  const nowS = Math.max(state.newestS, Math.floor(detectedAtMs / 1000) + 1);
  // Copies by newcomers are usual nowhere.
  const ofLines = kind === "toxicity" || kind === "hate_raid" ? bounds : null;
  const spike: OpenSpike = {
    kind,
    startMs,
    detectedAtMs,
    usual: {
      usualPerMin: tenths(ofLines?.perMin ?? 0),
      usualLowPerMin: ofLines?.lowPerMin ?? 0,
      usualHighPerMin: ofLines?.highPerMin ?? 0,
      usualShare: thousandths(ofLines?.share ?? 0),
      fromPerMin: (enter * 60) / LOOK_S,
    },
    leave,
    raiders: detectedAtMs < state.raidMs + RAID_MS ? state.raiders : 0,
    version: 0,
    toldS: nowS,
    changed: false,
    peak: 0,
    peakS: nowS - 1,
    scored: state.scored.sum(nowS, LOOK_S),
    unknown: state.unknown.sum(nowS, LOOK_S),
    calmS: 0,
    blindS: 0,
    counts: new CountedSeconds(),
    drivers: new Drivers(),
    groups: [],
    shape: "",
    names: 0,
    acted: new Set(),
  };
  state.newestS = nowS;
  if (state.spikes.length === 0) state.nowS = nowS - 1;
  return spike;
}

function begin(state: SpikesState, spike: OpenSpike, emit: Emit): void {
  peak(spike, spike.counts.sum(state.newestS, LOOK_S), state.newestS - 1);
  state.spikes.push(spike);
  tell(state, spike, null, {}, emit);
}

function end(
  state: SpikesState,
  spike: OpenSpike,
  endMs: number,
  reasons: Record<string, number>,
  emit: Emit,
): void {
  state.spikes = state.spikes.filter((other) => other !== spike);
  tell(state, spike, Math.max(endMs, spike.startMs), reasons, emit);
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;

function tell(
  state: SpikesState,
  spike: OpenSpike,
  endMs: number | null,
  more: Record<string, number>,
  emit: Emit,
): void {
  const { channelId } = state;
  const { kind, startMs, usual, drivers } = spike;
  spike.version++;
  spike.toldS = state.newestS;
  spike.changed = false;
  const perMin = (spike.counts.sum(state.newestS, LOOK_S) * 60) / LOOK_S;
  const peakPerMin = (spike.peak * 60) / LOOK_S;
  const users = drivers.people.count();
  const newUsers = drivers.newcomers.count();
  const topUsers = drivers.topUsers();
  const phrases = drivers.phrases();
  const times = tenths((peakPerMin + PRIOR_PER_MIN) / (usual.usualPerMin + PRIOR_PER_MIN));
  const share = thousandths(Math.min(1, drivers.lines / Math.max(1, spike.scored)));
  const { driver, measure, measureS, measureUsers, reasons } = suggest({
    ...{ kind, users, newUsers, topUsers, phrases, perMin, times, share },
    lines: drivers.lines,
    raiders: spike.raiders,
    similarNames: spike.names,
    room: state.room,
    acted: spike.acted,
  });
  emit({
    type: "spike",
    spike: {
      id: `${channelId}:spike:${kind}:${startMs}`,
      channelId,
      version: spike.version,
      kind,
      state: endMs === null ? "open" : "ended",
      startMs,
      endMs,
      peakMs: spike.peakS * 1000,
      lines: drivers.lines,
      scored: spike.scored,
      unknown: spike.unknown,
      perMin,
      peakPerMin,
      ...usual,
      times,
      share,
      users,
      newUsers,
      classes: drivers.classes(),
      languages: drivers.languages(),
      topUsers,
      phrases,
      driver,
      measure,
      measureS,
      measureUsers,
      reasons: { ...reasons, ...more },
      detectedAtMs: spike.detectedAtMs,
    },
  });
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

const isErased = (
  { erased }: SpikesState,
  { userId, sentAtMs }: { userId: string; sentAtMs: number },
): boolean => erased.size > 0 && (erased.get(fnv1a(userId)) ?? 0) >= sentAtMs;

const NUMBERS = [
  "aliveMs",
  "chatMs",
  "toldMs",
  "nowS",
  "newestS",
  "gapFromMs",
  "gapToMs",
  "raidMs",
  "raiders",
] as const;
const ROOM = ["slow", "followers", "subscribers", "shield"] as const;
const SPIKE_NUMBERS = [
  "version",
  "toldS",
  "peak",
  "peakS",
  "scored",
  "unknown",
  "calmS",
  "blindS",
  "names",
] as const;
const USUAL = ["usualPerMin", "usualLowPerMin", "usualHighPerMin", "usualShare", "fromPerMin"] as const;

function save(state: SpikesState): Uint8Array {
  const out = new ByteWriter();
  for (const name of NUMBERS) out.number(state[name]);
  state.seen.save(out);
  out.uint(state.windows.length);
  for (const window of state.windows) window.save(out);
  state.scored.save(out);
  state.unknown.save(out);
  state.toxic.save(out);
  state.usual.save(out);
  out.uint(state.recent.length);
  for (const line of state.recent) {
    out.number(line.atMs);
    out.number(line.near);
    for (const text of [line.lineId, line.userId, line.login, line.text]) out.text(text);
    out.u8(line.first ? 1 : 0);
    out.u8(line.class === null ? 255 : CLASSES.indexOf(line.class));
    out.u8(line.language === null ? 255 : LANGUAGES.indexOf(line.language));
  }
  state.newcomers.save(out);
  for (const name of ROOM) out.u8(state.room[name] ? 1 : 0);
  out.uint(state.spikes.length);
  for (const spike of state.spikes) saveSpike(out, spike);
  out.uint(state.erased.size);
  for (const [hash, atMs] of state.erased) {
    out.u32(hash);
    out.number(atMs);
  }
  return out.done();
}
const CLASSES = [...TOXICITY_CLASSES, "none"] as const;

function load(channelId: string, saved: Uint8Array): SpikesState {
  const bytes = new ByteReader(saved);
  const state = toxicitySpikes.initial(channelId);
  for (const name of NUMBERS) state[name] = bytes.number();
  state.seen = SeenPacks.load(bytes);
  for (let left = bytes.uint(); left > 0; left--) state.windows.push(OpenWindow.load(bytes));
  state.scored = CountedSeconds.load(bytes);
  state.unknown = CountedSeconds.load(bytes);
  state.toxic = CountedSeconds.load(bytes);
  state.usual = Usual.load(bytes);
  for (let left = bytes.uint(); left > 0; left--) {
    const [atMs, near] = [bytes.number(), bytes.number()];
    const [lineId, userId, login, text] = [bytes.text(), bytes.text(), bytes.text(), bytes.text()];
    const first = bytes.u8() === 1;
    const kind = CLASSES[bytes.u8()] ?? null;
    const language = LANGUAGES[bytes.u8()] ?? null;
    state.recent.push({ atMs, near, lineId, userId, login, text, first, class: kind, language });
  }
  state.newcomers = Newcomers.load(bytes);
  for (const name of ROOM) state.room[name] = bytes.u8() === 1;
  for (let left = bytes.uint(); left > 0; left--) state.spikes.push(loadSpike(bytes));
  for (let left = bytes.uint(); left > 0; left--) state.erased.set(bytes.u32(), bytes.number());
  return state;
}

function saveSpike(out: ByteWriter, spike: OpenSpike): void {
  out.u8(SPIKE_KINDS.indexOf(spike.kind));
  for (const number of [spike.startMs, spike.detectedAtMs, spike.leave, spike.raiders]) out.number(number);
  for (const name of USUAL) out.number(spike.usual[name]);
  for (const name of SPIKE_NUMBERS) out.number(spike[name]);
  out.u8(spike.changed ? 1 : 0);
  spike.counts.save(out);
  spike.drivers.save(out);
  out.uint(spike.groups.length);
  for (const group of spike.groups) out.uint(group);
  out.text(spike.shape);
  out.uint(spike.acted.size);
  for (const userId of spike.acted) out.text(userId);
}

function loadSpike(bytes: ByteReader): OpenSpike {
  const kind = SPIKE_KINDS[bytes.u8()]!;
  const [startMs, detectedAtMs, leave, raiders] = [
    bytes.number(),
    bytes.number(),
    bytes.number(),
    bytes.number(),
  ];
  const usual = Object.fromEntries(USUAL.map((name) => [name, bytes.number()])) as OpenSpike["usual"];
  const numbers = Object.fromEntries(SPIKE_NUMBERS.map((name) => [name, bytes.number()])) as Pick<
    OpenSpike,
    (typeof SPIKE_NUMBERS)[number]
  >;
  const changed = bytes.u8() === 1;
  const counts = CountedSeconds.load(bytes);
  const drivers = Drivers.load(bytes);
  const groups = Array.from({ length: bytes.uint() }, () => bytes.uint());
  const shape = bytes.text();
  const acted = new Set(Array.from({ length: bytes.uint() }, () => bytes.text()));
  return {
    ...{ kind, startMs, detectedAtMs, leave, raiders, usual, ...numbers },
    ...{ changed, counts, drivers, groups, shape, acted },
  };
}
