import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import { thresholds as thresholdsOf, type Thresholds } from "@hypecast/contracts/mod-case.ts";
import { phraseFinder } from "@hypecast/contracts/phrase.ts";
import type { ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { SeenPacks } from "../toxicity-spikes/seen-packs.ts";
import type { FoundLine, HeldCase } from "./held-case.ts";
import { Removals } from "./removals.ts";

interface Heard {
  /** Event time of a pack's last line, and our clock at its first: a latency is rather told too long. */
  readonly lastMs: number;
  readonly receivedAtMs: number;
}

export type Spike = Pick<ToxicitySpike, "id" | "kind" | "startMs" | "endMs">;

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

export function initialState(channelId: string): CasesState {
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

/** A line that a case holds. */
export function index(
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

/** Somebody who was forgotten after this was said. */
export const isErased = (state: CasesState, userId: string, atMs: number): boolean =>
  (state.erased.get(fnv1a(userId)) ?? 0) >= atMs;

export function saveState(state: CasesState): Uint8Array {
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

export function loadState(channelId: string, saved: Uint8Array): CasesState {
  const bytes = new ByteReader(saved);
  const state = initialState(channelId);
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
