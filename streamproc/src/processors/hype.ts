import type { HypeState as Meter, HypeValue } from "@hypecast/contracts/hype.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { Quantiles } from "./quantiles.ts";
import type { Reaction } from "./reaction.ts";
import { Sliding } from "./sliding.ts";

/** A value every 5 s of event time, over the 15 s before it. */
export const TICK_S = 5;
const SLOTS_OF_VALUE = 3;
const SLOTS_OF_MINUTE = 12;
/** Heard time before the meter shows a value. */
const WARM_S = 900;
/** Ticks after which the parts' own usual is good enough to learn the score from. */
const LEARN_TICKS = 24;
/** The channel's memory weighs half after this much heard time. */
const HALF_LIFE_TICKS = (12 * 3600) / TICK_S;
/** Too sparse: fewer lines a minute over five minutes, or an hour; it takes a fifth more to leave. */
const SPARSE_PER_MIN = 8;
const SPARSE_PER_HOUR = 500;
const SPARSE_LEAVE = 1.2;
const MINUTES = 60;
/** Capped: so even and fast that Twitch must be leaving lines out. */
const CAPPED_CV = 0.1;
const CAPPED_LEAVE_CV = 0.15;
const CAPPED_PER_S = 20;
const CAP_WINDOWS = 30;
const CAP_WINDOW_S = 10;
/** Not heard, or nobody wrote, for this long: another stream begins. */
const STREAM_BREAK_S = 1800;

/** What makes up the score and with which weight; in a capped chat counts say nothing and emotes stand for them. */
const PARTS = ["rate", "chatters", "emotes", "moods"] as const;
type Part = (typeof PARTS)[number];
const WEIGHTS: Record<Part, number> = { rate: 0.4, chatters: 0.25, emotes: 0.15, moods: 0.2 };
const CAPPED_WEIGHTS: Record<Part, number> = { rate: 0, chatters: 0, emotes: 0.6, moods: 0.4 };
const Z_MIN = -3;
const Z_MAX = 25;

/** Counts of 15 s that make the score. */
export interface Counts extends Record<Part, number> {
  /** Reacting lines with an emote ÷ reacting lines. */
  emoteShare: number;
}

/** Five seconds. */
interface Slot {
  tick: number;
  heardS: number;
  messages: number;
  lines: number;
  emoteLines: number;
  greetingS: number;
  moods: number[];
}

export interface HypeState {
  readonly channelId: string;
  /** Every tick up to this one (seconds ÷ TICK_S) is done. */
  tick: number;
  /** The last minute, slot of tick t at t mod SLOTS_OF_MINUTE. */
  slots: Slot[];
  /** Who wrote in the last minute, and whose lines reacted; ticks are slots. */
  chatters: Sliding;
  reacting: Sliding;
  warmS: number;
  silentS: number;
  minutes: Float64Array;
  minuteAt: number;
  minutesFilled: number;
  minuteHeardS: number;
  sparse: boolean;
  capWindows: Float64Array;
  capAt: number;
  capFilled: number;
  capHeardS: number;
  capped: boolean;
  /** Long memory of the channel. */
  memory: Memory;
  /** Values of the last minute, the newest last. */
  values: number[];
  peak: number | null;
  last: HypeValue | null;
  /** `memory` and `last` as they are saved: they change once in five saves. */
  savedMemory: Uint8Array | null;
}

/** ln(1 + count) up to half a million. */
const ofCounts = (): Quantiles => new Quantiles(0, 14, 0.05, HALF_LIFE_TICKS);
const newMemory = () => ({
  rate: ofCounts(),
  chatters: ofCounts(),
  emotes: ofCounts(),
  moods: ofCounts(),
  emoteShare: new Quantiles(0, 1, 0.01, HALF_LIFE_TICKS),
  score: new Quantiles(Z_MIN, Z_MAX, 0.1, HALF_LIFE_TICKS),
  value: new Quantiles(0, 100, 1, HALF_LIFE_TICKS),
  messagesPerMin: ofCounts(),
  chattersPerMin: ofCounts(),
});
type Memory = ReturnType<typeof newMemory>;
const memories = (memory: Memory): Quantiles[] => Object.values(memory);

export const hype = defineFold<HypeState>({
  name: "hype",
  says: "Hype 0–100 of a channel relative to its own past, every 5 s",
  version: 2,
  initial: (channelId) => ({
    channelId,
    tick: 0,
    slots: Array.from({ length: SLOTS_OF_MINUTE }, () => newSlot(-1)),
    chatters: new Sliding(SLOTS_OF_MINUTE),
    reacting: new Sliding(SLOTS_OF_MINUTE),
    warmS: 0,
    silentS: 0,
    minutes: new Float64Array(MINUTES),
    minuteAt: 0,
    minutesFilled: 0,
    minuteHeardS: 0,
    sparse: true,
    capWindows: new Float64Array(CAP_WINDOWS),
    capAt: 0,
    capFilled: 0,
    capHeardS: 0,
    capped: false,
    memory: newMemory(),
    values: [],
    peak: null,
    last: null,
    savedMemory: null,
  }),
  step(state, input, emit) {
    if (input.type === "reaction") react(state, input.reaction, emit);
  },
  save,
  load: (channelId, version, bytes) => (version === 2 ? load(channelId, bytes) : null),
});

const newSlot = (tick: number): Slot => ({
  tick,
  heardS: 0,
  messages: 0,
  lines: 0,
  emoteLines: 0,
  greetingS: 0,
  moods: MOODS.map(() => 0),
});

function slotOf(state: HypeState, tick: number): Slot {
  const at = tick % SLOTS_OF_MINUTE;
  if (state.slots[at]!.tick !== tick) state.slots[at] = newSlot(tick);
  return state.slots[at]!;
}

/** Final seconds. A silence is cut at the ticks, so it does not matter in how many pieces it comes. */
function react(state: HypeState, reaction: Reaction, emit: Emit): void {
  if (state.tick === 0) state.tick = Math.floor(reaction.fromS / TICK_S);
  if (!reaction.heard) {
    state.silentS += reaction.untilS - reaction.fromS;
    breakStream(state);
    state.tick = Math.floor(reaction.untilS / TICK_S);
    return;
  }
  let fromS = reaction.fromS;
  while (fromS < reaction.untilS) {
    const tick = Math.floor(fromS / TICK_S);
    const untilS = Math.min(reaction.untilS, (tick + 1) * TICK_S);
    addSeconds(state, slotOf(state, tick), reaction, untilS - fromS);
    state.tick = tick;
    if (untilS === (tick + 1) * TICK_S) {
      state.tick = tick + 1;
      emitValue(state, emit);
    }
    fromS = untilS;
  }
}

function addSeconds(state: HypeState, slot: Slot, reaction: Reaction, seconds: number): void {
  slot.heardS += seconds;
  slot.messages += reaction.messages;
  state.chatters.at(slot.tick);
  state.reacting.at(slot.tick);
  for (const user of reaction.users) state.chatters.add(user);
  slot.lines += reaction.lines;
  slot.emoteLines += reaction.emoteLines;
  for (let mood = 0; mood < MOODS.length; mood++) slot.moods[mood]! += reaction.moods[mood]!;
  for (const user of reaction.reacting) state.reacting.add(user);
  if (reaction.greeting) slot.greetingS += seconds;

  state.silentS = reaction.messages > 0 ? 0 : state.silentS + seconds;
  breakStream(state);
  state.warmS = Math.min(WARM_S, state.warmS + seconds);
  state.minutes[state.minuteAt]! += reaction.messages;
  state.minuteHeardS += seconds;
  if (state.minuteHeardS >= 60) {
    state.minutesFilled = Math.min(MINUTES, state.minutesFilled + 1);
    state.minuteAt = (state.minuteAt + 1) % MINUTES;
    state.minutes[state.minuteAt] = 0;
    state.minuteHeardS -= 60;
  }
  state.capWindows[state.capAt]! += reaction.messages;
  state.capHeardS += seconds;
  if (state.capHeardS >= CAP_WINDOW_S) {
    state.capFilled = Math.min(CAP_WINDOWS, state.capFilled + 1);
    state.capped = isCapped(state);
    state.capAt = (state.capAt + 1) % CAP_WINDOWS;
    state.capWindows[state.capAt] = 0;
    state.capHeardS -= CAP_WINDOW_S;
  }
}

function breakStream(state: HypeState): void {
  if (state.silentS < STREAM_BREAK_S) return;
  state.peak = null;
  state.values = [];
}

function isCapped(state: HypeState): boolean {
  if (state.capFilled < CAP_WINDOWS) return false;
  let sum = 0;
  let squares = 0;
  for (const count of state.capWindows) {
    sum += count;
    squares += count * count;
  }
  const mean = sum / CAP_WINDOWS;
  if (mean < CAPPED_PER_S * CAP_WINDOW_S) return false;
  const cv = Math.sqrt(Math.max(0, squares / CAP_WINDOWS - mean * mean)) / mean;
  return cv < (state.capped ? CAPPED_LEAVE_CV : CAPPED_CV);
}

function isSparse(state: HypeState): boolean {
  const needed = state.sparse ? SPARSE_LEAVE : 1;
  const of = (minutes: number): number => {
    let sum = 0;
    for (let ago = 1; ago <= minutes; ago++)
      sum += state.minutes[(state.minuteAt - ago + MINUTES) % MINUTES]!;
    return sum;
  };
  // The minute that is being filled is left out, so five whole ones are needed to know.
  const short = Math.min(5, state.minutesFilled);
  const long = Math.min(MINUTES - 1, state.minutesFilled);
  if (short === 0) return true;
  if (of(short) / short < SPARSE_PER_MIN * needed) return true;
  return of(long) / long < (SPARSE_PER_HOUR / 60) * needed;
}

/** The meter's state; the first that applies. */
const meterOf = (state: HypeState): Meter =>
  state.warmS < WARM_S ? "warming" : state.sparse ? "too_sparse" : state.capped ? "capped" : "ok";

function emitValue(state: HypeState, emit: Emit): void {
  const { memory } = state;
  const recent = slotsOf(state, SLOTS_OF_VALUE);
  const heardS = recent.reduce((sum, slot) => sum + slot.heardS, 0);
  if (heardS < SLOTS_OF_VALUE * TICK_S) return; // missing is not low
  state.sparse = isSparse(state);
  const meter = meterOf(state);
  const counts = countsOf(state, recent);
  const minute = minuteOf(state);
  const greeting = recent.some((slot) => slot.greetingS > 0);
  const parts = partsOf(state, counts, greeting);
  const score = scoreOf(parts, meter);
  const value = meter === "ok" || meter === "capped" ? valueOf(memory.score, score) : null;
  if (value !== null) state.peak = Math.max(state.peak ?? 0, value);
  const before = state.values.length >= SLOTS_OF_MINUTE ? state.values[0]! : null;
  const said: HypeValue = {
    id: `${state.channelId}:${state.tick * TICK_S * 1000}`,
    channelId: state.channelId,
    atMs: state.tick * TICK_S * 1000,
    state: meter,
    value,
    warm: state.warmS / WARM_S,
    ...usualOf(state),
    peak: value === null ? null : state.peak,
    trend: value === null || before === null ? null : round(value - before),
    ...perMinute(state, minute.messages, minute.chatters),
    parts: rounded(parts),
  };
  state.last = said;
  state.savedMemory = null;
  emit({ type: "hype", hype: said });

  if (value === null) state.values = [];
  else {
    state.values.push(value);
    if (state.values.length > SLOTS_OF_MINUTE) state.values.shift();
    if (!greeting) memory.value.add(value);
  }
  if (greeting) return;
  for (const part of PARTS) memory[part].add(Math.log1p(counts[part]));
  memory.emoteShare.add(counts.emoteShare);
  if (memory.rate.entries >= LEARN_TICKS) memory.score.add(score);
  memory.messagesPerMin.add(Math.log1p(minute.messages));
  memory.chattersPerMin.add(Math.log1p(minute.chatters));
}

/** The slots of the newest `count` ticks that were heard. */
const slotsOf = (state: HypeState, count: number): Slot[] =>
  state.slots.filter((slot) => slot.tick >= state.tick - count && slot.tick < state.tick);

function countsOf(state: HypeState, slots: readonly Slot[]): Counts {
  const moods = MOODS.map(() => 0);
  let lines = 0;
  let emoteLines = 0;
  for (const slot of slots) {
    lines += slot.lines;
    emoteLines += slot.emoteLines;
    for (let mood = 0; mood < MOODS.length; mood++) moods[mood]! += slot.moods[mood]!;
  }
  return {
    rate: lines,
    chatters: state.reacting.count(SLOTS_OF_VALUE),
    emotes: emoteLines,
    moods: Math.max(...moods),
    emoteShare: lines === 0 ? 0 : emoteLines / lines,
  };
}

function minuteOf(state: HypeState): { messages: number; chatters: number } {
  let messages = 0;
  let heardS = 0;
  for (const slot of slotsOf(state, SLOTS_OF_MINUTE)) {
    messages += slot.messages;
    heardS += slot.heardS;
  }
  // The first minute, and one with a gap, is scaled to what was heard of it.
  return {
    messages: Math.round((messages * 60) / Math.max(heardS, 1)),
    chatters: state.chatters.count(SLOTS_OF_MINUTE),
  };
}

/** Robust z of each part: the distance from the channel's median in the square-root scale, in which chance has a spread of 1, over its quartiles. While the chat greets a raid no part counts for more than usual. */
function partsOf(state: HypeState, counts: Counts, greeting: boolean): Record<Part, number> {
  const parts = { rate: 0, chatters: 0, emotes: 0, moods: 0 };
  for (const part of PARTS) {
    const memory = state.memory[part];
    if (memory.entries === 0) continue;
    const spread = (root(countAt(memory, 0.75)) - root(countAt(memory, 0.25))) / 1.349;
    parts[part] = clip((root(counts[part]) - root(countAt(memory, 0.5))) / Math.max(1, spread));
  }
  if (state.capped) {
    const share = state.memory.emoteShare;
    const spread = (share.at(0.75) - share.at(0.25)) / 1.349;
    parts.emotes = clip((counts.emoteShare - share.at(0.5)) / Math.max(0.03, spread));
  }
  if (greeting) for (const part of PARTS) parts[part] = Math.min(0, parts[part]);
  return parts;
}

function scoreOf(parts: Record<Part, number>, meter: Meter): number {
  const weights = meter === "capped" ? CAPPED_WEIGHTS : WEIGHTS;
  return PARTS.reduce((sum, part) => sum + weights[part] * parts[part], 0);
}

const clip = (z: number): number => Math.max(Z_MIN, Math.min(Z_MAX, z));
/** Anscombe 1948: the count of a Poisson process has spread 1 in this scale. */
const root = (count: number): number => 2 * Math.sqrt(count + 0.375);
const countAt = (memory: Quantiles, share: number): number => Math.expm1(memory.at(share));

/** z of the median and of the top 5 %, and the value there: 50 and 90. */
const TOP_Z = 1.645;
const PER_Z = 40 / TOP_Z;

/**
 * 0–100 from the score's place in the channel's past: 50 at its median, 90 at its top 5 %, in between as a normal
 * distribution would lie; above 90 slower and slower towards 100. A score beyond all of the past goes on at the past's scale.
 */
export function valueOf(past: Quantiles, score: number): number {
  const median = past.at(0.5);
  const top = past.at(0.95);
  const scale = Math.max(top - median, 0.25);
  const share = past.below(score);
  const z = share > 0.95 ? TOP_Z + ((score - top) / scale) * TOP_Z : probit(Math.max(share, 0.001));
  const value = 50 + PER_Z * z;
  return round(Math.max(0, value <= 90 ? value : 90 + 10 * (1 - Math.exp(-(value - 90) / 20))));
}

/** Inverse of the normal distribution, |error| < 4.5e-4 (Abramowitz and Stegun 26.2.23). */
function probit(share: number): number {
  const tail = Math.min(share, 1 - share);
  const t = Math.sqrt(-2 * Math.log(tail));
  const z =
    t -
    (2.515517 + 0.802853 * t + 0.010328 * t * t) /
      (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
  return share < 0.5 ? -z : z;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const rounded = (parts: Record<Part, number>): Record<string, number> =>
  Object.fromEntries(PARTS.map((part) => [part, Math.round(parts[part] * 100) / 100]));

/** The part of a hype value, provisional or final, that says how a minute compares with the usual one. */
export function perMinute(
  state: HypeState,
  messages: number,
  chatters: number,
): Pick<HypeValue, "messagesPerMin" | "messagesTimes" | "chattersPerMin" | "chattersTimes"> {
  const { messagesPerMin, chattersPerMin } = state.memory;
  const times = (count: number, memory: Quantiles): number | null =>
    memory.entries < LEARN_TICKS ? null : Math.round((count / Math.max(1, countAt(memory, 0.5))) * 100) / 100;
  return {
    messagesPerMin: messages,
    messagesTimes: times(messages, messagesPerMin),
    chattersPerMin: chatters,
    chattersTimes: times(chatters, chattersPerMin),
  };
}

function usualOf(state: HypeState): Pick<HypeValue, "usualLow" | "usualHigh"> {
  const { value } = state.memory;
  if (value.entries < LEARN_TICKS) return { usualLow: null, usualHigh: null };
  return { usualLow: round(value.at(0.25)), usualHigh: round(value.at(0.75)) };
}

/** The value that the last 15 s would have, from counts that are not final yet; null where the meter shows none. */
export function provisionalOf(
  state: HypeState,
  counts: Counts,
  greeting: boolean,
): { value: number | null; parts: Record<string, number> } {
  const parts = partsOf(state, counts, greeting);
  const meter = state.last?.state ?? "warming";
  const shows = meter === "ok" || meter === "capped";
  return { value: shows ? valueOf(state.memory.score, scoreOf(parts, meter)) : null, parts: rounded(parts) };
}

const NUMBERS = [
  "tick",
  "warmS",
  "silentS",
  "minuteAt",
  "minutesFilled",
  "minuteHeardS",
  "capAt",
  "capFilled",
  "capHeardS",
] as const;

function save(state: HypeState): Uint8Array {
  const out = new ByteWriter();
  for (const name of NUMBERS) out.number(state[name]);
  out.u8((state.sparse ? 1 : 0) | (state.capped ? 2 : 0));
  out.number(state.peak ?? NaN);
  for (const counts of [state.minutes, state.capWindows]) for (const count of counts) out.number(count);
  out.uint(state.values.length);
  for (const value of state.values) out.number(value);
  for (const slot of state.slots) {
    for (const name of SLOT_NUMBERS) out.number(slot[name]);
    for (const count of slot.moods) out.number(count);
  }
  state.chatters.save(out);
  state.reacting.save(out);
  state.savedMemory ??= saveMemory(state);
  out.raw(state.savedMemory);
  return out.done();
}

function saveMemory(state: HypeState): Uint8Array {
  const out = new ByteWriter();
  for (const memory of memories(state.memory)) memory.save(out);
  out.text(JSON.stringify(state.last));
  return out.done();
}
const SLOT_NUMBERS = ["tick", "heardS", "messages", "lines", "emoteLines", "greetingS"] as const;

function load(channelId: string, saved: Uint8Array): HypeState {
  const bytes = new ByteReader(saved);
  const state = hype.initial(channelId);
  for (const name of NUMBERS) state[name] = bytes.number();
  const bits = bytes.u8();
  state.sparse = (bits & 1) !== 0;
  state.capped = (bits & 2) !== 0;
  const peak = bytes.number();
  state.peak = Number.isNaN(peak) ? null : peak;
  for (const counts of [state.minutes, state.capWindows])
    for (let i = 0; i < counts.length; i++) counts[i] = bytes.number();
  for (let left = bytes.uint(); left > 0; left--) state.values.push(bytes.number());
  for (const slot of state.slots) {
    for (const name of SLOT_NUMBERS) slot[name] = bytes.number();
    for (let mood = 0; mood < MOODS.length; mood++) slot.moods[mood] = bytes.number();
  }
  state.chatters.load(bytes);
  state.reacting.load(bytes);
  const memoryBytes = new ByteReader(bytes.raw());
  for (const memory of memories(state.memory)) memory.load(memoryBytes);
  state.last = JSON.parse(memoryBytes.text()) as HypeValue | null;
  return state;
}
