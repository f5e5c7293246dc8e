import { HYPE_BURST_KINDS, type ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChatNotice } from "@hypecast/contracts/chat.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { BINS, BIN_S, SCAN_S, scan, Track, type Baseline, type Scan } from "./baseline.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { Distinct } from "./distinct.ts";
import {
  digestOf,
  eachRow,
  floodsIn,
  FLOOD_S,
  Repeats,
  writersOf,
  type Digest,
  type Flood,
  type Rows,
} from "./floods.ts";
import { defineFold, type Emit } from "./fold.ts";
import { FLAG, Pane, pollOf } from "./pane.ts";
import { moodOfEmote, POLL_ANSWERS } from "./text.ts";

type HypeKind = (typeof HYPE_BURST_KINDS)[number];

/** Heard seconds before a channel's baseline says anything. */
const LEARN_S = 60;
/** Enter high, leave low: standard deviations above the baseline. */
const ENTER_Z: Record<HypeKind, number> = { volume: 4.5, mood: 4.5, emote: 5 };
const LEAVE_Z = 2;
/** A burst is at least this many times its usual rate. */
const ENTER_TIMES: Record<HypeKind, number> = { volume: 2, mood: 2.5, emote: 3 };
/** … and this many lines from this many chatters. */
const FLOOR_LINES = 5;
const FLOOR_CHATTERS = 4;
/** … who are not a few that write and write: chatters ÷ lines. */
const FLOOR_PEOPLE = 0.35;
/** An emote or a mood is at least this share of what is written: what is rarer is company, not the moment. */
const FLOOR_SHARE = 0.08;
/** The least usual rate: below it nothing can be said about times. */
const FLOOR_PER_S: Record<HypeKind, number> = { volume: 0.1, mood: 0.05, emote: 0.03 };
/** Added to both sides of "times its usual". */
const PRIOR_LINES = 5;
/** A burst that has been quiet this long is over; one that rises again before then is the same one. */
const HOLD_S = 8;
/** Floods come in waves. */
const FLOOD_HOLD_S = 15;
/** After its end the same subject rests for this long. */
const COOLDOWN_S = 15;
/** What lasts longer is the channel's new usual. */
const LONGEST_S = 120;
/** While a burst lasts, its bins enter the baseline as at most this many times the usual. */
const DAMPED_TIMES = 1.5;
/** Quiet after which the past says nothing about the stream that begins. */
const FORGET_S = 1800;
/** After a raid or a gift bomb the chat greets: no bursts of hype in that time. */
const RAID_GREET_S = 60;
const BOMB_GREET_S = 40;
const BOMB_MIN = 5;
/** Emotes with a baseline of their own; the one unused longest makes place. */
const EMOTES_TRACKED = 48;

interface OpenBurst {
  startS: number;
  detectedAtMs: number;
  lastActiveS: number;
  peakS: number;
  /** Lines per second, the mean of three seconds around the peak. */
  peakRate: number;
  baselineRate: number;
  z: number;
  count: number;
  chatters: Distinct;
  caps: number;
  emoteOnly: number;
  /** All lines of the channel in its time. */
  lines: number;
}

/** A subject with a baseline. */
class Subject extends Track {
  readonly kind: HypeKind;
  /** Mood's index, emote's ref; 0 for volume. */
  readonly key: number | string;
  readonly name: string;
  lastUsedS = 0;
  burst: OpenBurst | null = null;
  restUntilS = 0;

  constructor(kind: HypeKind, key: number | string, name: string) {
    super();
    this.kind = kind;
    this.key = key;
    this.name = name;
  }
}

/** A flood of any kind, open until nothing of it was seen for FLOOD_HOLD_S. */
interface OpenFlood extends OpenBurst {
  kind: Flood["kind"] | "raid";
  near: number;
  subject: string;
  /** Viewers that came by raid. */
  raiders: number;
}

export interface BurstsState {
  readonly channelId: string;
  /** The first second that is not final. */
  untilS: number;
  heardS: number;
  unheardS: number;
  /** Bins filled, and where the next goes. */
  filled: number;
  binAt: number;
  binHeardS: number;
  volume: Subject;
  moods: Subject[];
  /** By ref. */
  emotes: Map<string, Subject>;
  floods: OpenFlood[];
  greetUntilS: number;
  /** Final panes of the last FLOOD_S seconds. */
  recent: Pane[];
  /** What they repeat; made from `recent`. */
  repeats: Repeats;
}

export const bursts = defineFold<BurstsState>({
  name: "bursts",
  says: "An emote, a mood or the whole chat far above its own baseline; floods are kinds of their own",
  version: 2,
  initial: (channelId) => ({
    channelId,
    untilS: 0,
    heardS: 0,
    unheardS: 0,
    filled: 0,
    binAt: 0,
    binHeardS: 0,
    volume: new Subject("volume", 0, ""),
    moods: MOODS.map((mood, at) => new Subject("mood", at, mood)),
    emotes: new Map(),
    floods: [],
    greetUntilS: 0,
    recent: [],
    repeats: new Repeats(),
  }),
  step(state, input, emit) {
    if (input.type === "glance") glance(state, input.untilS, input.panes, input.rows, emit);
    else if (input.type === "seconds") {
      if (input.pane !== null) closeSecond(state, input.pane, emit);
      else closeQuiet(state, input.fromS, input.untilS, input.heard, emit);
    } else if (input.type === "notice") notice(state, input.notice, emit);
  },
  save,
  load: (channelId, version, bytes) => (version === 2 ? load(channelId, bytes) : null),
});

const counts = new Uint16Array(SCAN_S);

/** The second that has just passed: does something begin? Waiting until it is final would cost two seconds. */
function glance(
  state: BurstsState,
  untilS: number,
  open: readonly Pane[],
  openRows: readonly number[],
  emit: Emit,
): void {
  const rowsOf = (): Rows => ({
    panes: [...state.recent, ...open],
    rows: [...state.recent.map((pane) => pane.rows), ...openRows],
  });
  for (let at = 0; at < open.length; at++) state.repeats.count(open[at]!, 0, openRows[at]!, 1);
  if (state.repeats.mayFlood()) {
    const all = rowsOf();
    for (const flood of floodsIn(all, state.repeats)) seeFlood(state, flood, untilS, all, emit);
  }
  const digests: Digest[] = [];
  for (let at = 0; at < open.length; at++) digests.push(digestOf(open[at]!, openRows[at]!, state.repeats));
  for (let at = 0; at < open.length; at++) state.repeats.count(open[at]!, 0, openRows[at]!, -1);

  if (state.heardS < LEARN_S || untilS <= state.greetUntilS) return;
  const look = (known: Subject | undefined, of: Part, key: number | string, name: string): void => {
    if (known !== undefined && (known.burst !== null || untilS <= known.restUntilS)) return;
    counts.fill(0);
    let sum = known?.recall(counts, untilS) ?? 0;
    for (let at = 0; at < open.length; at++) {
      const ago = untilS - 1 - open[at]!.second;
      if (ago >= 0 && ago < SCAN_S) sum += counts[ago] = of(digests[at]!, key);
    }
    const recent = counts[0]! + counts[1]!;
    if (recent === 0 || sum < FLOOR_LINES) return;
    const subject = known ?? new Subject("emote", key, name);
    const found = standsOut(subject.kind, subject.baseline(state.filled, FLOOR_PER_S[subject.kind]));
    if (found !== null) enter(state, subject, found, untilS, rowsOf(), emit);
  };
  look(state.volume, linesOf, 0, "");
  for (let mood = 0; mood < MOODS.length; mood++) look(state.moods[mood], moodOf, mood, "");
  for (let at = 0; at < digests.length; at++)
    for (const ref of digests[at]!.emotes.keys())
      if (!seenBefore(digests, at, ref))
        look(state.emotes.get(ref), emoteOf, ref, open[at]!.emotes.get(ref)!.name);
}

/** A subject's lines in a second. */
type Part = (digest: Digest, key: number | string) => number;
const linesOf: Part = (digest) => digest.lines;
const moodOf: Part = (digest, key) => digest.moods[key as number]!;
const emoteOf: Part = (digest, key) => digest.emotes.get(key as string) ?? 0;

/** The stretch of `counts` that is too much for the usual, or null. */
function standsOut(kind: HypeKind, baseline: Baseline): Scan | null {
  const leastPerS = ENTER_TIMES[kind] * baseline.ratePerS;
  let count = 0;
  let may = false;
  for (let seconds = 1; seconds <= SCAN_S && !may; seconds++) {
    count += counts[seconds - 1]!;
    may = count >= leastPerS * seconds;
  }
  if (!may) return null; // no stretch is: the logarithms can be saved
  const found = scan(counts, baseline);
  if (found.z < ENTER_Z[kind] || found.count < FLOOR_LINES) return null;
  return found.count < leastPerS * found.seconds ? null : found;
}

function seenBefore(digests: readonly Digest[], at: number, ref: string): boolean {
  for (let i = 0; i < at; i++) if (digests[i]!.emotes.has(ref)) return true;
  return false;
}

/** Opens a burst when enough different people wrote it. */
function enter(
  state: BurstsState,
  subject: Subject,
  found: Scan,
  untilS: number,
  { panes, rows }: Rows,
  emit: Emit,
): void {
  const startS = untilS - found.seconds;
  const baseline = subject.baseline(state.filled, FLOOR_PER_S[subject.kind]);
  const burst = newBurst(startS, untilS, baseline.ratePerS);
  burst.z = found.z;
  burst.peakRate = found.count / found.seconds;
  const view = newBurst(startS, untilS, baseline.ratePerS);
  for (const [at, pane] of panes.entries()) {
    if (pane.second < startS) continue;
    addRows(view, state, subject, pane, rows[at]!);
    if (pane.second < state.untilS) addRows(burst, state, subject, pane, rows[at]!);
  }
  const people = view.chatters.count();
  if (people < FLOOR_CHATTERS || people < view.count * FLOOR_PEOPLE) return;
  if (view.count < view.lines * FLOOR_SHARE) return;
  if (subject.kind === "emote" && !state.emotes.has(subject.key as string)) track(state, subject, untilS);
  subject.burst = burst;
  emit({
    type: "burst",
    burst: said(state, subject, { ...view, z: burst.z, peakRate: burst.peakRate }, true),
  });
}

const newBurst = (startS: number, untilS: number, baselineRate: number): OpenBurst => ({
  startS,
  detectedAtMs: untilS * 1000,
  lastActiveS: untilS - 1,
  peakS: untilS - 1,
  peakRate: 0,
  baselineRate,
  z: 0,
  count: 0,
  chatters: new Distinct(),
  caps: 0,
  emoteOnly: 0,
  lines: 0,
});

/** Adds a second's rows to a burst. */
function addRows(burst: OpenBurst, state: BurstsState, subject: Subject, pane: Pane, rows: number): void {
  const place = subject.kind === "emote" ? 1 + [...pane.emotes.keys()].indexOf(subject.key as string) : 0;
  const mood = subject.kind === "mood" ? 1 << (subject.key as number) : 0;
  for (let i = 0; i < rows; i++) {
    const flags = pane.rowFlags[i]!;
    if (state.repeats.leavesOut(flags, pane.rowNear[i]!)) continue;
    burst.lines++;
    if (mood !== 0 && (flags & mood) === 0) continue;
    if (subject.kind === "emote") {
      const emotes = pane.rowEmotes[i]!;
      if (place === 0 || ((emotes & 255) !== place && emotes >> 8 !== place)) continue;
    }
    addRow(burst, pane, i);
  }
}

function addRow(burst: OpenBurst, pane: Pane, i: number): void {
  const flags = pane.rowFlags[i]!;
  burst.count++;
  burst.chatters.add(pane.rowUser[i]!);
  if ((flags & FLAG.caps) !== 0) burst.caps++;
  if ((flags & FLAG.emoteOnly) !== 0) burst.emoteOnly++;
}

/** A final second with lines. */
function closeSecond(state: BurstsState, pane: Pane, emit: Emit): void {
  const { second } = pane;
  state.untilS = second + 1;
  remember(state, second);
  state.recent.push(pane);
  state.repeats.count(pane, 0, pane.rows, 1);
  const digest = digestOf(pane, pane.rows, state.repeats);

  if (digest.lines > 0) state.volume.count(second, digest.lines);
  for (let mood = 0; mood < MOODS.length; mood++)
    if (digest.moods[mood]! > 0) state.moods[mood]!.count(second, digest.moods[mood]!);
  for (const [ref, lines] of digest.emotes) {
    let subject = state.emotes.get(ref);
    if (subject === undefined) {
      subject = new Subject("emote", ref, pane.emotes.get(ref)!.name);
      track(state, subject, second);
    }
    subject.count(second, lines);
    subject.lastUsedS = second;
  }
  heard(state, 1);
  state.unheardS = 0;
  for (const subject of bursting(state)) {
    addRows(subject.burst!, state, subject, pane, pane.rows);
    follow(state, subject, second, emit);
  }
  for (const flood of state.floods) addFloodRows(flood, pane, pane.rows);
  endFloods(state, second + 1, emit);
  emit({
    type: "reaction",
    reaction: {
      fromS: second,
      untilS: second + 1,
      heard: true,
      greeting: second < state.greetUntilS,
      messages: pane.messages,
      // A second beyond the rows' bound is scaled to what was counted.
      lines: Math.round(pane.rows === 0 ? 0 : (digest.lines * pane.messages) / pane.rows),
      emoteLines: digest.emoteLines,
      caps: digest.caps,
      moods: digest.moods,
      users: pane.rowUser,
      reacting: writersOf(pane, digest, state.repeats),
    },
  });
}

const NO_MOODS: readonly number[] = MOODS.map(() => 0);
const NOBODY: readonly number[] = [];

/** Seconds in which nobody wrote, or that were not heard: the same whether they come at once or one by one. */
function closeQuiet(state: BurstsState, fromS: number, untilS: number, isHeard: boolean, emit: Emit): void {
  state.untilS = untilS;
  remember(state, untilS - 1);
  for (const subject of bursting(state)) {
    for (let second = fromS; second < untilS && subject.burst !== null; second++)
      follow(state, subject, second, emit);
  }
  if (isHeard) {
    state.unheardS = 0;
    heard(state, untilS - fromS);
  } else {
    state.unheardS += untilS - fromS;
    if (state.unheardS >= FORGET_S) forget(state);
  }
  endFloods(state, untilS, emit);
  emit({
    type: "reaction",
    reaction: {
      fromS,
      untilS,
      heard: isHeard,
      greeting: fromS < state.greetUntilS,
      messages: 0,
      lines: 0,
      emoteLines: 0,
      caps: 0,
      moods: NO_MOODS,
      users: NOBODY,
      reacting: NOBODY,
    },
  });
}

/** Drops panes that are too old to say what repeats. */
function remember(state: BurstsState, newestS: number): void {
  while (state.recent.length > 0 && state.recent[0]!.second <= newestS - FLOOD_S) {
    const old = state.recent.shift()!;
    state.repeats.count(old, 0, old.rows, -1);
  }
}

/** Fills bins with heard seconds. */
function heard(state: BurstsState, seconds: number): void {
  state.heardS += seconds;
  let left = Math.min(seconds, BINS * BIN_S + (seconds % BIN_S));
  while (left > 0) {
    const take = Math.min(left, BIN_S - state.binHeardS);
    state.binHeardS += take;
    left -= take;
    if (state.binHeardS < BIN_S) continue;
    closeBin(state.volume, state.binAt);
    for (const subject of state.moods) closeBin(subject, state.binAt);
    for (const subject of state.emotes.values()) closeBin(subject, state.binAt);
    state.binAt = (state.binAt + 1) % BINS;
    state.filled = Math.min(BINS, state.filled + 1);
    state.binHeardS = 0;
  }
}

function closeBin(subject: Subject, at: number): void {
  const { burst } = subject;
  subject.closeBin(at, burst === null ? Infinity : Math.max(1, burst.baselineRate * BIN_S * DAMPED_TIMES));
}

function forget(state: BurstsState): void {
  state.heardS = 0;
  state.filled = 0;
  state.binAt = 0;
  state.binHeardS = 0;
  state.emotes.clear();
  state.volume = new Subject("volume", 0, "");
  state.moods = MOODS.map((mood, at) => new Subject("mood", at, mood));
}

const five = new Uint16Array(5);

/** One final second of a subject that is in a burst: its peak, and whether it is over. */
function follow(state: BurstsState, subject: Subject, second: number, emit: Emit): void {
  const burst = subject.burst!;
  if (second < burst.startS) return;
  const three = (subject.in(second) + subject.in(second - 1) + subject.in(second - 2)) / 3;
  if (three > burst.peakRate || burst.peakS >= second) {
    burst.peakRate = Math.max(three, burst.peakRate);
    burst.peakS = Math.min(second, burst.peakS);
    if (three >= burst.peakRate) burst.peakS = second;
  }
  for (let ago = 0; ago < five.length; ago++) five[ago] = subject.in(second - ago);
  const baseline = {
    ratePerS: burst.baselineRate,
    alpha: subject.baseline(state.filled, FLOOR_PER_S[subject.kind]).alpha,
  };
  const { z } = scan(five, baseline);
  if (z > burst.z) burst.z = z;
  if (z >= LEAVE_Z && five[0]! > 0) burst.lastActiveS = Math.max(burst.lastActiveS, second);
  const lastsS = second + 1 - burst.startS;
  if (lastsS >= LONGEST_S) subject.adopt(burst.count / lastsS, state.filled);
  else if (second - burst.lastActiveS < HOLD_S) return;
  subject.burst = null;
  subject.restUntilS = second + 1 + COOLDOWN_S - HOLD_S;
  emit({ type: "burst", burst: said(state, subject, burst, false) });
}

function said(state: BurstsState, subject: Subject, burst: OpenBurst, open: boolean): ChatBurst {
  const { kind, name } = subject;
  return {
    ...facts(state, burst, kind, kind === "emote" ? (subject.key as string) : name, name, open),
    emoteRef: kind === "emote" ? (subject.key as string) : "",
    mood:
      kind === "mood"
        ? MOODS[subject.key as number]!
        : kind === "emote"
          ? moodOfEmote(name, state.channelId)
          : null,
  };
}

const share = (count: number, of: number): number => (of === 0 ? 0 : Math.round((count / of) * 1000) / 1000);

/**
 * How many times its usual: ten seconds at the peak's rate ÷ ten at the baseline's, both with the same few lines added, so that
 * what is hardly ever seen does not come out as hundreds of times nothing (a Poisson rate with a gamma prior).
 */
function timesUsual(peakRate: number, baselineRate: number): number {
  return (peakRate * 10 + PRIOR_LINES) / (baselineRate * 10 + PRIOR_LINES);
}

function facts(
  state: BurstsState,
  burst: OpenBurst,
  kind: ChatBurst["kind"],
  key: string,
  subject: string,
  open: boolean,
): ChatBurst {
  const startMs = burst.startS * 1000;
  const peakRate = Math.max(burst.peakRate, 0);
  return {
    id: `${state.channelId}:${kind}:${key}:${startMs}`,
    channelId: state.channelId,
    kind,
    subject,
    emoteRef: "",
    mood: null,
    startMs,
    peakMs: burst.peakS * 1000,
    endMs: (burst.lastActiveS + 1) * 1000,
    detectedAtMs: burst.detectedAtMs,
    open,
    count: burst.count,
    chatters: burst.chatters.count(),
    peakRate,
    baselineRate: burst.baselineRate,
    times: timesUsual(peakRate, burst.baselineRate),
    z: burst.z,
    reasons: {
      durationS: burst.lastActiveS + 1 - burst.startS,
      shareOfLines: share(burst.count, burst.lines),
      capsShare: share(burst.caps, burst.count),
      emoteOnlyShare: share(burst.emoteOnly, burst.count),
    },
  };
}

/** Those in a burst. */
function bursting(state: BurstsState): Subject[] {
  const found: Subject[] = [];
  if (state.volume.burst !== null) found.push(state.volume);
  for (const subject of state.moods) if (subject.burst !== null) found.push(subject);
  for (const subject of state.emotes.values()) if (subject.burst !== null) found.push(subject);
  return found;
}

/** Gives an emote a baseline; the one unused longest, that is in no burst, makes place. */
function track(state: BurstsState, subject: Subject, nowS: number): void {
  if (state.emotes.size >= EMOTES_TRACKED) {
    let oldest: Subject | null = null;
    for (const other of state.emotes.values())
      if (other.burst === null && (oldest === null || other.lastUsedS < oldest.lastUsedS)) oldest = other;
    if (oldest !== null) state.emotes.delete(oldest.key as string);
  }
  subject.lastUsedS = nowS;
  state.emotes.set(subject.key as string, subject);
}

/** Raids and gift bombs speak for themselves. */
function notice(state: BurstsState, said: ChatNotice, emit: Emit): void {
  const count = said.count ?? 1;
  const second = Math.max(Math.floor(said.sentAtMs / 1000), state.untilS);
  if (said.kind === "submysterygift" && count >= BOMB_MIN)
    state.greetUntilS = Math.max(state.greetUntilS, second + BOMB_GREET_S);
  if (said.kind !== "raid") return;
  state.greetUntilS = Math.max(state.greetUntilS, second + RAID_GREET_S);
  if (state.floods.some((flood) => flood.kind === "raid" && flood.subject === said.login)) return;
  const { ratePerS } = state.volume.baseline(state.filled, FLOOR_PER_S.volume);
  const raid: OpenFlood = {
    ...newBurst(second, second + 1, ratePerS),
    kind: "raid",
    near: 0,
    subject: said.login,
    raiders: count,
  };
  raid.detectedAtMs = Math.max(said.sentAtMs, second * 1000);
  state.floods.push(raid);
  emit({ type: "burst", burst: saidFlood(state, raid, true) });
}

/** A flood that is seen now: opens it, or keeps it open. */
function seeFlood(state: BurstsState, flood: Flood, untilS: number, all: Rows, emit: Emit): void {
  const { panes, rows } = all;
  const known = state.floods.find((open) => open.kind !== "raid" && open.near === flood.near);
  if (known !== undefined) return;
  let startS = untilS;
  let subject = "";
  eachRow(all, (pane, i) => {
    if (inFlood(flood, pane, i)) startS = Math.min(startS, pane.second);
  });
  if (flood.near === 0) subject = answersIn(all);
  else subject = panes.find((pane) => pane.quotes.has(flood.near))?.quotes.get(flood.near) ?? "";
  const { ratePerS } = state.volume.baseline(state.filled, FLOOR_PER_S.volume);
  const open: OpenFlood = {
    ...newBurst(startS, untilS, ratePerS),
    kind: flood.kind,
    near: flood.near,
    subject,
    raiders: 0,
  };
  const view: OpenFlood = { ...open, chatters: new Distinct() };
  for (const [at, pane] of panes.entries()) {
    if (pane.second < startS) continue;
    addFloodRows(view, pane, rows[at]!);
    if (pane.second < state.untilS) addFloodRows(open, pane, rows[at]!);
  }
  state.floods.push(open);
  emit({ type: "burst", burst: saidFlood(state, view, true) });
}

const inFlood = (flood: { kind: string; near: number }, pane: Pane, i: number): boolean =>
  flood.near === 0 ? pollOf(pane.rowFlags[i]!) !== 0 : pane.rowNear[i] === flood.near;

/** "1/2": the two answers given most. */
function answersIn(all: Rows): string {
  const given = POLL_ANSWERS.map(() => 0);
  eachRow(all, (pane, i) => {
    given[pollOf(pane.rowFlags[i]!)]!++;
  });
  given[0] = 0;
  return POLL_ANSWERS.filter((_answer, code) => given[code]! > 0)
    .toSorted((a, b) => given[POLL_ANSWERS.indexOf(b)]! - given[POLL_ANSWERS.indexOf(a)]!)
    .slice(0, 2)
    .join("/");
}

function addFloodRows(flood: OpenFlood, pane: Pane, rows: number): void {
  let lines = 0;
  for (let i = 0; i < rows; i++) {
    flood.lines++;
    if (flood.kind !== "raid" && !inFlood(flood, pane, i)) continue;
    addRow(flood, pane, i);
    lines++;
  }
  if (lines > 0 && flood.kind !== "raid") flood.lastActiveS = Math.max(flood.lastActiveS, pane.second);
  if (lines > flood.peakRate) {
    flood.peakRate = lines;
    flood.peakS = pane.second;
  }
}

function endFloods(state: BurstsState, untilS: number, emit: Emit): void {
  if (state.floods.length === 0) return;
  state.floods = state.floods.filter((flood) => {
    const endS = flood.kind === "raid" ? flood.startS + RAID_GREET_S : flood.lastActiveS + 1 + FLOOD_HOLD_S;
    if (untilS < endS) return true;
    if (flood.kind === "raid") flood.lastActiveS = endS - 1;
    emit({ type: "burst", burst: saidFlood(state, flood, false) });
    return false;
  });
}

function saidFlood(state: BurstsState, flood: OpenFlood, open: boolean): ChatBurst {
  const key = flood.near === 0 ? flood.subject : flood.near.toString(36);
  const burst = facts(state, flood, flood.kind, key, flood.subject, open);
  if (flood.kind === "raid") burst.reasons["raiders"] = flood.raiders;
  return burst;
}

/** What reacted in the last 15 s or so, with the open panes of the windows fold: for a provisional value. Adds the writers to `users`. */
export function recentDigests(
  state: BurstsState,
  open: readonly Pane[],
  fromS: number,
  users: number[],
): Digest[] {
  const rows = open.map((pane) => pane.rows);
  for (const [at, pane] of open.entries()) state.repeats.count(pane, 0, rows[at]!, 1);
  const digests = [...state.recent, ...open]
    .filter((pane) => pane.second >= fromS)
    .map((pane) => {
      const digest = digestOf(pane, pane.rows, state.repeats);
      for (const user of writersOf(pane, digest, state.repeats)) users.push(user);
      return digest;
    });
  for (const [at, pane] of open.entries()) state.repeats.count(pane, 0, rows[at]!, -1);
  return digests;
}

export interface SubjectNow {
  key: string;
  name: string;
  /** Reacting lines of the last minute, of final seconds. */
  lines: number;
  /** ÷ the usual; null while the usual is not known. */
  times: number | null;
}

/** Moods and emotes of the last minute against their own usual. */
export function lastMinute(state: BurstsState): { moods: SubjectNow[]; emotes: SubjectNow[] } {
  const known = state.heardS >= LEARN_S;
  const now = (subject: Subject): SubjectNow => {
    const lines = subject.lastMinute(state.binAt);
    const usual = subject.baseline(state.filled, FLOOR_PER_S[subject.kind]).ratePerS * 60;
    return {
      key: String(subject.key),
      name: subject.name,
      lines,
      times: known ? Math.round((lines / usual) * 10) / 10 : null,
    };
  };
  return { moods: state.moods.map(now), emotes: Array.from(state.emotes.values(), now) };
}

const BURST_NUMBERS = [
  "startS",
  "detectedAtMs",
  "lastActiveS",
  "peakS",
  "peakRate",
  "baselineRate",
  "z",
  "count",
  "caps",
  "emoteOnly",
  "lines",
] as const;
const NUMBERS = ["untilS", "heardS", "unheardS", "filled", "binAt", "binHeardS", "greetUntilS"] as const;

function saveBurst(out: ByteWriter, burst: OpenBurst): void {
  for (const name of BURST_NUMBERS) out.number(burst[name]);
  burst.chatters.save(out);
}
function loadBurst(bytes: ByteReader): OpenBurst {
  const burst = newBurst(0, 0, 0);
  for (const name of BURST_NUMBERS) burst[name] = bytes.number();
  burst.chatters = Distinct.load(bytes);
  return burst;
}

function saveSubject(out: ByteWriter, subject: Subject, untilS: number): void {
  subject.save(out, untilS);
  out.number(subject.lastUsedS);
  out.number(subject.restUntilS);
  out.u8(subject.burst === null ? 0 : 1);
  if (subject.burst !== null) saveBurst(out, subject.burst);
}
function loadSubject(bytes: ByteReader, subject: Subject, untilS: number): Subject {
  subject.load(bytes, untilS);
  subject.lastUsedS = bytes.number();
  subject.restUntilS = bytes.number();
  if (bytes.u8() === 1) subject.burst = loadBurst(bytes);
  return subject;
}

const FLOOD_KINDS = ["copypasta", "bots", "poll", "raid"] as const;

function save(state: BurstsState): Uint8Array {
  const out = new ByteWriter();
  const { untilS } = state;
  for (const name of NUMBERS) out.number(state[name]);
  saveSubject(out, state.volume, untilS);
  for (const subject of state.moods) saveSubject(out, subject, untilS);
  out.uint(state.emotes.size);
  for (const [ref, subject] of state.emotes) {
    out.word(ref);
    out.word(subject.name);
    saveSubject(out, subject, untilS);
  }
  out.uint(state.floods.length);
  for (const flood of state.floods) {
    out.u8(FLOOD_KINDS.indexOf(flood.kind));
    out.u32(flood.near);
    out.text(flood.subject);
    out.number(flood.raiders);
    saveBurst(out, flood);
  }
  out.uint(state.recent.length);
  for (const pane of state.recent) pane.saveClosed(out);
  return out.done();
}

function load(channelId: string, saved: Uint8Array): BurstsState {
  const bytes = new ByteReader(saved);
  const state = bursts.initial(channelId);
  for (const name of NUMBERS) state[name] = bytes.number();
  const { untilS } = state;
  loadSubject(bytes, state.volume, untilS);
  for (const subject of state.moods) loadSubject(bytes, subject, untilS);
  for (let left = bytes.uint(); left > 0; left--) {
    const ref = bytes.word();
    state.emotes.set(ref, loadSubject(bytes, new Subject("emote", ref, bytes.word()), untilS));
  }
  for (let left = bytes.uint(); left > 0; left--) {
    const kind = FLOOD_KINDS[bytes.u8()]!;
    const near = bytes.u32();
    const subject = bytes.text();
    const raiders = bytes.number();
    state.floods.push({ ...loadBurst(bytes), kind, near, subject, raiders });
  }
  for (let left = bytes.uint(); left > 0; left--) {
    const pane = Pane.closed(bytes);
    state.recent.push(pane);
    state.repeats.count(pane, 0, pane.rows, 1);
  }
  return state;
}
