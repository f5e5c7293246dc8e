/**
 * The message ids that a channel has counted lately, so that a line which comes twice (two sources at a hand-over, a pack
 * published again) is counted once. Two generations: the older is forgotten when the younger is full or 15 s of event
 * time old. So a repeat is recognised for at least the last 15 s or 2,048 lines, whichever is less, and never for longer
 * than twice that; the stream's own duplicate window (by pack, 120 s) stands before it. At most 32 KB a channel.
 */
export const SEEN_LINES = 2048;
export const SEEN_MS = 15_000;
const SLOTS = SEEN_LINES * 2;

export interface Seen {
  /** Event time at which the younger generation began. */
  sinceMs: number;
  young: Generation;
  old: Generation;
}

/** A set of up to SEEN_LINES keys, open addressing; 0 is an empty slot. Grows in steps: most channels are quiet. */
interface Generation {
  size: number;
  slots: Float64Array;
}

const empty = (): Generation => ({ size: 0, slots: new Float64Array(64) });

export const nothingSeen = (): Seen => ({ sinceMs: 0, young: empty(), old: empty() });

/** True when the id was seen before; otherwise remembers it. `atMs` is the line's event time. */
export function seenBefore(seen: Seen, id: string, atMs: number): boolean {
  const key = keyOf(id);
  if (has(seen.young, key) || has(seen.old, key)) return true;
  if (seen.young.size === SEEN_LINES || atMs >= seen.sinceMs + SEEN_MS) {
    const reused = seen.old;
    seen.old = seen.young;
    reused.slots.fill(0);
    reused.size = 0;
    seen.young = reused;
    seen.sinceMs = atMs;
  }
  add(seen.young, key);
  return false;
}

/** 53 bits of two FNV-like hashes (cyrb53, public domain); never 0. Two ids of one channel's last 4,096 meet once in 10¹² lines. */
function keyOf(id: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0) || 1;
}

const home = (key: number, mask: number): number => (key ^ (key / 4294967296)) & mask;

function has(generation: Generation, key: number): boolean {
  const { slots } = generation;
  const mask = slots.length - 1;
  for (let at = home(key, mask); ; at = (at + 1) & mask) {
    const found = slots[at];
    if (found === key) return true;
    if (found === 0) return false;
  }
}

function add(generation: Generation, key: number): void {
  if (generation.size * 2 >= generation.slots.length && generation.slots.length < SLOTS) grow(generation);
  insert(generation.slots, key);
  generation.size++;
}

function insert(slots: Float64Array, key: number): void {
  const mask = slots.length - 1;
  let at = home(key, mask);
  while (slots[at] !== 0) at = (at + 1) & mask;
  slots[at] = key;
}

function grow(generation: Generation): void {
  const slots = new Float64Array(generation.slots.length * 2);
  for (const key of generation.slots) if (key !== 0) insert(slots, key);
  generation.slots = slots;
}

/** Keys of both generations, the younger first; order inside one does not matter. */
export function saveSeen(seen: Seen): { sinceMs: number; young: number; keys: Float64Array } {
  const keys = new Float64Array(seen.young.size + seen.old.size);
  let at = 0;
  for (const generation of [seen.young, seen.old])
    for (const key of generation.slots) if (key !== 0) keys[at++] = key;
  return { sinceMs: seen.sinceMs, young: seen.young.size, keys };
}

export function loadSeen(sinceMs: number, young: number, keys: Float64Array): Seen {
  const seen = nothingSeen();
  seen.sinceMs = sinceMs;
  keys.forEach((key, i) => add(i < young ? seen.young : seen.old, key));
  return seen;
}
