import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import { CHUNK_VERSION } from "@hypecast/contracts/chunk.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { SCENE_CLASSES } from "@hypecast/contracts/shot.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { cutAt, lengthFor, nextStart, SHORTEST_S, type Length } from "./chunks/cut.ts";
import { textOf } from "./chunks/rows.ts";
import { emoteWordsOf, sceneOf, screenWordsOf, soundOf, type Scene } from "./chunks/words.ts";
import { mix } from "./distinct.ts";
import { defineFold, type Emit } from "./fold.ts";
import type { Pane, Saying } from "./pane.ts";
import type { Reaction } from "./reaction.ts";
import { moodsOf } from "./tally.ts";

/** Of one second: its most repeated texts, its most used emotes. */
const ROWS_A_SECOND = 6;
const EMOTES_A_SECOND = 5;
/** Hashed chatters that are kept over all seconds; of more, every second, every fourth … so that their number can still be told. */
const CHATTERS_BOUND = 512;
/** Logins of one chunk. */
const PEOPLE_BOUND = 150;
/** The usual rate is a mean that forgets over this many heard seconds. */
const USUAL_S = 300;
/** Peak and usual are lines in so many seconds, with a few added to both: "times" is sober where little is written. */
const PEAK_S = 5;
const PRIOR_LINES = 3;
const BURSTS_BOUND = 64;
const SCENES_BOUND = 64;
/** Sound that is older than any chunk that is still open. */
const SOUND_S = 150;

interface Second {
  readonly second: number;
  readonly messages: number;
  /** … that react: without bots, commands and floods. */
  readonly lines: number;
  readonly moods: readonly number[];
  readonly rows: readonly Saying[];
  readonly writers: readonly string[];
  /** Name and lines. */
  readonly emotes: readonly (readonly [string, number])[];
  /** Hashed ids of which the lowest `level` bits are 0. */
  users: readonly number[];
  level: number;
  /** Its bytes: a second is saved many times and changes no more. */
  saved: Uint8Array | null;
}

interface Span {
  readonly fromMs: number;
  /** Infinity while it lasts. */
  readonly toMs: number;
}

export interface ChunksState {
  readonly channelId: string;
  /** Where the open chunk begins; null: nothing has been said since the last. */
  startS: number | null;
  /** How long it may become, once its first 30 s are there. */
  length: Length | null;
  /** Everything before this second is in a chunk; and where the next begins when something is said soon. */
  freshS: number;
  overlapS: number;
  /** The first second that is not final. */
  untilS: number;
  /** Seconds of this step whose reaction is said next. */
  panes: Pane[];
  /** Those with lines that a coming chunk may hold, oldest first. */
  seconds: Second[];
  level: number;
  /** Mean reacting lines a second, and over how many. */
  usual: number;
  heardS: number;
  /** By id. */
  bursts: Map<string, Span>;
  scenes: Scene[];
  /** Bits of SOUND by second. */
  sounds: Map<number, number>;
}

export const chunks = defineFold<ChunksState>({
  name: "chunks",
  says: "Chat in overlapping pieces of 30–60 s, cut at lulls, cleaned and with its emotes as words: what a search reads",
  version: 1,
  initial: (channelId) => ({
    channelId,
    startS: null,
    length: null,
    freshS: 0,
    overlapS: 0,
    untilS: 0,
    panes: [],
    seconds: [],
    level: 0,
    usual: 0,
    heardS: 0,
    bursts: new Map(),
    scenes: [],
    sounds: new Map(),
  }),
  step(state, input, emit) {
    if (input.type === "seconds") {
      if (input.pane !== null) state.panes.push(input.pane);
    } else if (input.type === "reaction") follow(state, input.reaction, emit);
    else if (input.type === "burst") keepBurst(state, input.burst);
    else if (input.type === "shot") {
      state.scenes.push(sceneOf(input.shot));
      if (state.scenes.length > SCENES_BOUND) state.scenes.shift();
    } else if (input.type === "audio") {
      state.sounds.set(Math.floor(input.audio.startMs / 1000), soundOf(input.audio));
      for (const second of state.sounds.keys())
        if (state.sounds.size > SOUND_S) state.sounds.delete(second);
        else break;
    }
  },
  save,
  load: (channelId, version, bytes) => (version === 1 ? load(channelId, bytes) : null),
});

/** A final second with lines, `lines` of which react. */
function keep(state: ChunksState, pane: Pane, lines: number): void {
  const rows = pane.sayings;
  const users: number[] = [];
  for (const user of pane.rowUser)
    if (isSampled(user, state.level) && !users.includes(user)) users.push(user);
  state.seconds.push({
    second: pane.second,
    messages: pane.messages,
    lines,
    moods: [...pane.moods],
    rows: rows.length <= ROWS_A_SECOND ? rows : mostSaid(rows),
    writers: pane.writers,
    emotes: mostUsed(pane),
    users,
    level: state.level,
    saved: null,
  });
  boundUsers(state);
}

function mostUsed(pane: Pane): readonly (readonly [string, number])[] {
  const emotes: [string, number][] = [];
  for (const { name, lines } of pane.emotes.values()) emotes.push([name, lines]);
  // Sorting keeps the order of first use among equals.
  if (emotes.length > EMOTES_A_SECOND) emotes.sort((a, b) => b[1] - a[1]).length = EMOTES_A_SECOND;
  return emotes;
}

/** In their order: a saying gives way to what is said more, or says more, and among equals to what came first. */
function mostSaid(rows: readonly Saying[]): Saying[] {
  const kept = [...rows];
  while (kept.length > ROWS_A_SECOND) {
    let least = 0;
    for (let i = 1; i < kept.length; i++)
      if (
        kept[i]!.count < kept[least]!.count ||
        (kept[i]!.count === kept[least]!.count && kept[i]!.weight <= kept[least]!.weight)
      )
        least = i;
    kept.splice(least, 1);
  }
  return kept;
}

const isSampled = (user: number, level: number): boolean => (mix(user) & ((1 << level) - 1)) === 0;

/** Distinct sampling (Gibbons 2001): which ids are kept depends on the ids alone, so stretches can be joined. */
function boundUsers(state: ChunksState): void {
  let kept = 0;
  for (const second of state.seconds) kept += second.users.length;
  while (kept > CHATTERS_BOUND) {
    state.level++;
    kept = 0;
    for (const second of state.seconds) {
      if (second.level < state.level) {
        second.users = second.users.filter((user) => isSampled(user, state.level));
        second.level = state.level;
        second.saved = null;
      }
      kept += second.users.length;
    }
  }
  if (state.level > 0 && kept < CHATTERS_BOUND / 8) state.level--;
}

function keepBurst(state: ChunksState, burst: ChatBurst): void {
  state.bursts.set(burst.id, { fromMs: burst.startMs, toMs: burst.open ? Infinity : burst.endMs });
  for (const id of state.bursts.keys())
    if (state.bursts.size > BURSTS_BOUND) state.bursts.delete(id);
    else break;
}

/** Final seconds: what was open may have become a chunk. */
function follow(state: ChunksState, reaction: Reaction, emit: Emit): void {
  const { fromS, untilS, heard, lines } = reaction;
  if (state.panes[0]?.second === fromS) keep(state, state.panes.shift()!, lines);
  if (!heard) {
    close(state, fromS, emit);
    flush(state, fromS, untilS, emit);
    return;
  }
  learn(state, lines, untilS - fromS);
  close(state, untilS, emit);
}

function learn(state: ChunksState, lines: number, seconds: number): void {
  const { usual, heardS } = state;
  const heard = Math.min(USUAL_S, heardS + seconds);
  // Many seconds are a silence: each pulls the mean down by its share.
  state.usual = seconds === 1 ? usual + (lines - usual) / heard : usual * Math.max(0, 1 - seconds / heard);
  state.heardS = heard;
}

/** Cuts whatever is long enough, up to the second that is not final. */
function close(state: ChunksState, untilS: number, emit: Emit): void {
  state.untilS = Math.max(state.untilS, untilS);
  while (begin(state)) {
    const startS = state.startS!;
    if (state.untilS < startS + SHORTEST_S) return;
    state.length ??= lengthFor(linesOf(state, startS, SHORTEST_S).reduce((sum, n) => sum + n, 0));
    if (state.untilS < startS + state.length.mostS) return;
    const counts = linesOf(state, startS, state.length.mostS);
    const inBurst = (at: number): boolean => insideBurst(state, (startS + at) * 1000);
    const cut = cutAt(counts, state.length, inBurst);
    const next = nextStart(counts, cut, inBurst);
    say(state, startS, startS + cut, emit);
    restart(state, startS + cut, startS + next);
  }
}

/** What was said before a stretch that nobody heard is a chunk, however short. */
function flush(state: ChunksState, fromS: number, untilS: number, emit: Emit): void {
  if (begin(state)) say(state, state.startS!, Math.max(fromS, state.startS! + 1), emit);
  restart(state, untilS, untilS);
  state.untilS = untilS;
}

function restart(state: ChunksState, freshS: number, overlapS: number): void {
  state.startS = null;
  state.length = null;
  state.freshS = freshS;
  state.overlapS = overlapS;
  forget(state, overlapS);
}

/** True when a chunk is open. A new one begins with what is said first, and some seconds before it if they were not silent. */
function begin(state: ChunksState): boolean {
  if (state.startS !== null) return true;
  const fresh = state.seconds.find(({ second, rows }) => second >= state.freshS && rows.length > 0);
  if (fresh === undefined) return false;
  const before = state.seconds.find(({ second, rows }) => second >= state.overlapS && rows.length > 0)!;
  state.startS = fresh.second - before.second < SHORTEST_S ? before.second : fresh.second;
  forget(state, state.startS);
  return true;
}

/** Drops what no coming chunk holds. */
function forget(state: ChunksState, beforeS: number): void {
  let gone = 0;
  while (gone < state.seconds.length && state.seconds[gone]!.second < beforeS) gone++;
  if (gone > 0) state.seconds.splice(0, gone);
  for (const [id, { toMs }] of state.bursts) if (toMs < beforeS * 1000) state.bursts.delete(id);
  while (state.scenes.length > 0 && state.scenes[0]!.toMs < beforeS * 1000) state.scenes.shift();
}

/** Reacting lines of each of `length` seconds from `fromS` on. */
function linesOf(state: ChunksState, fromS: number, length: number): number[] {
  const counts = Array.from({ length }, () => 0);
  for (const { second, lines } of state.seconds)
    if (second >= fromS && second < fromS + length) counts[second - fromS] = lines;
  return counts;
}

function insideBurst(state: ChunksState, atMs: number): boolean {
  for (const { fromMs, toMs } of state.bursts.values()) if (fromMs < atMs && atMs < toMs) return true;
  return false;
}

function say(state: ChunksState, startS: number, untilS: number, emit: Emit): void {
  const { channelId } = state;
  const inside = state.seconds.filter(({ second }) => second >= startS && second < untilS);
  const startMs = startS * 1000;
  const endMs = untilS * 1000;
  const people = new Set<string>();
  for (const { writers } of inside) for (const writer of writers) people.add(writer);
  let peak = inside[0]!;
  for (const second of inside) if (second.lines > peak.lines) peak = second;
  const { text, named } = textOf(inside, peak.second, people);
  const messages = inside.reduce((sum, second) => sum + second.messages, 0);
  const moods = MOODS.map(() => 0);
  for (const second of inside) for (let at = 0; at < moods.length; at++) moods[at]! += second.moods[at]!;
  const emotes = new Map<string, number>();
  for (const second of inside)
    for (const [name, lines] of second.emotes) emotes.set(name, (emotes.get(name) ?? 0) + lines);
  const emoteWords = emoteWordsOf(emotes, moods, messages);
  if (text === "" && emoteWords === "") return;
  emit({
    type: "chunk",
    chunk: {
      id: `${channelId}:c:${startMs}`,
      channelId,
      startMs,
      endMs,
      version: CHUNK_VERSION,
      messages,
      chatters: Math.min(messages, chattersIn(inside)),
      text,
      emoteWords,
      people: peopleOf(named, people),
      moods: moodsOf(moods),
      times: timesUsual(state, inside),
      peakMs: peak.second * 1000,
      bursts: [...state.bursts]
        .filter(([, { fromMs, toMs }]) => fromMs < endMs && toMs > startMs)
        .map(([id]) => id),
      screenWords: screenWordsOf(state.scenes, state.sounds, startMs, endMs),
    },
  });
}

/** Who was named comes first: that somebody is spoken to or of says more than that they wrote. */
function peopleOf(named: Set<string>, writers: ReadonlySet<string>): string {
  for (const writer of writers)
    if (named.size >= PEOPLE_BOUND) break;
    else named.add(writer);
  return [...named].join(" ");
}

function chattersIn(seconds: readonly Second[]): number {
  const level = Math.max(...seconds.map((second) => second.level));
  const users = new Set<number>();
  for (const second of seconds) for (const user of second.users) if (isSampled(user, level)) users.add(user);
  return users.size * 2 ** level;
}

/** Lines of the liveliest PEAK_S seconds against as many at the usual rate. */
function timesUsual({ usual }: ChunksState, seconds: readonly Second[]): number {
  let most = 0;
  for (const [at, { second }] of seconds.entries()) {
    let sum = 0;
    for (let i = at; i >= 0 && seconds[i]!.second > second - PEAK_S; i--) sum += seconds[i]!.lines;
    most = Math.max(most, sum);
  }
  return (most + PRIOR_LINES) / (usual * PEAK_S + PRIOR_LINES);
}

function saveSecond(second: Second): Uint8Array {
  if (second.saved !== null) return second.saved;
  const out = new ByteWriter();
  out.number(second.second);
  out.uint(second.messages);
  out.number(second.lines);
  for (const lines of second.moods) out.uint(lines);
  out.uint(second.rows.length);
  for (const { near, text, weight, reply, count } of second.rows) {
    out.u32(near);
    out.text(text);
    out.u8(weight * 2 + (reply ? 1 : 0));
    out.uint(count);
  }
  out.uint(second.writers.length);
  for (const writer of second.writers) out.text(writer);
  out.uint(second.emotes.length);
  for (const [name, lines] of second.emotes) {
    out.text(name);
    out.uint(lines);
  }
  out.u8(second.level);
  out.uint(second.users.length);
  for (const user of second.users) out.u32(user);
  second.saved = out.done();
  return second.saved;
}

function loadSecond(saved: Uint8Array): Second {
  const bytes = new ByteReader(saved);
  const second = bytes.number();
  const messages = bytes.uint();
  const lines = bytes.number();
  const moods = MOODS.map(() => bytes.uint());
  const rows: Saying[] = [];
  for (let left = bytes.uint(); left > 0; left--) {
    const near = bytes.u32();
    const text = bytes.text();
    const kind = bytes.u8();
    rows.push({ near, text, weight: kind >> 1, reply: (kind & 1) === 1, count: bytes.uint() });
  }
  const writers: string[] = [];
  for (let left = bytes.uint(); left > 0; left--) writers.push(bytes.text());
  const emotes: [string, number][] = [];
  for (let left = bytes.uint(); left > 0; left--) emotes.push([bytes.text(), bytes.uint()]);
  const level = bytes.u8();
  const users: number[] = [];
  for (let left = bytes.uint(); left > 0; left--) users.push(bytes.u32());
  return { second, messages, lines, moods, rows, writers, emotes, users, level, saved };
}

const NUMBERS = ["freshS", "overlapS", "untilS", "level", "usual", "heardS"] as const;

function save(state: ChunksState): Uint8Array {
  const out = new ByteWriter();
  out.number(state.startS ?? NaN);
  out.uint(state.length?.mostS ?? 0);
  out.uint(state.length?.wantedS ?? 0);
  for (const name of NUMBERS) out.number(state[name]);
  out.uint(state.seconds.length);
  for (const second of state.seconds) out.raw(saveSecond(second));
  out.uint(state.bursts.size);
  for (const [id, { fromMs, toMs }] of state.bursts) {
    out.text(id);
    out.number(fromMs);
    out.number(toMs);
  }
  out.uint(state.scenes.length);
  for (const scene of state.scenes) {
    out.number(scene.fromMs);
    out.number(scene.toMs);
    out.u8(SCENE_CLASSES.indexOf(scene.scene));
    out.u8((scene.text ? 1 : 0) | (scene.cuts ? 2 : 0) | (scene.black ? 4 : 0) | (scene.frozen ? 8 : 0));
  }
  out.uint(state.sounds.size);
  for (const [second, bits] of state.sounds) {
    out.number(second);
    out.u8(bits);
  }
  return out.done();
}

function load(channelId: string, saved: Uint8Array): ChunksState {
  const bytes = new ByteReader(saved);
  const state = chunks.initial(channelId);
  const startS = bytes.number();
  state.startS = Number.isNaN(startS) ? null : startS;
  const mostS = bytes.uint();
  const wantedS = bytes.uint();
  state.length = mostS === 0 ? null : { mostS, wantedS };
  for (const name of NUMBERS) state[name] = bytes.number();
  for (let left = bytes.uint(); left > 0; left--) state.seconds.push(loadSecond(bytes.raw()));
  for (let left = bytes.uint(); left > 0; left--)
    state.bursts.set(bytes.text(), { fromMs: bytes.number(), toMs: bytes.number() });
  for (let left = bytes.uint(); left > 0; left--) {
    const fromMs = bytes.number();
    const toMs = bytes.number();
    const scene = SCENE_CLASSES[bytes.u8()]!;
    const bits = bytes.u8();
    state.scenes.push({
      fromMs,
      toMs,
      scene,
      text: (bits & 1) !== 0,
      cuts: (bits & 2) !== 0,
      black: (bits & 4) !== 0,
      frozen: (bits & 8) !== 0,
    });
  }
  for (let left = bytes.uint(); left > 0; left--) state.sounds.set(bytes.number(), bytes.u8());
  return state;
}
