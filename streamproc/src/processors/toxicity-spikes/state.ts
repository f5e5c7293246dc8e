import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import {
  LANGUAGES,
  SPIKE_KINDS,
  TOXICITY_CLASSES,
  type SpikeKind,
  type ToxicitySpike,
} from "@hypecast/contracts/toxicity.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { CountedSeconds } from "./counted-seconds.ts";
import { Drivers, type DrivingLine } from "./drivers.ts";
import type { Room } from "./measure.ts";
import { Newcomers } from "./newcomers.ts";
import { OpenWindow } from "./open-window.ts";
import { SeenPacks } from "./seen-packs.ts";
import { Usual } from "./usual.ts";

interface RecentLine extends DrivingLine {
  readonly atMs: number;
  readonly lineId: string;
}

export interface OpenSpike {
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

export const initialState = (channelId: string): SpikesState => ({
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
});

/** Somebody who was forgotten after this was said. */
export const isErased = (
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

export function saveState(state: SpikesState): Uint8Array {
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

export function loadState(channelId: string, saved: Uint8Array): SpikesState {
  const bytes = new ByteReader(saved);
  const state = initialState(channelId);
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
