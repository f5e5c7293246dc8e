import type { Topic } from "@hypecast/contracts/push.ts";

/** How long what was sent stays to be resumed from. */
export const RING_MS = 60_000;
/** And how much of it, however fast a topic is. */
export const RING_ENTRIES = 2400;

/** One value on a topic, encoded once. */
interface Entry {
  /** Counts up within the topic: what clients resume from. */
  readonly id: number;
  /** Counts up over all topics: what the ticks go by. */
  readonly seq: number;
  readonly atMs: number;
  /** The value as JSON. */
  readonly d: string;
}

const encode = (topic: Topic, entry: Pick<Entry, "id" | "atMs" | "d">, snap = false): string =>
  `{"ch":"${topic}","id":${entry.id},"t":${entry.atMs},${snap ? '"snap":true,' : ""}"d":${entry.d}}`;

/**
 * What a topic remembers. `latest` topics keep their newest value only (a slower reader gets fewer of them); `ring` topics keep
 * a minute, so that everyone gets every value once.
 */
export interface Channel {
  readonly topic: Topic;
  readonly newestSeq: () => number;
  /** `keepMs`: how long it stays to be resumed from and shown to newcomers, where not RING_MS. */
  add(d: string, seq: number, nowMs: number, keepMs?: number): void;
  /** Envelopes newer than a tick's seq, oldest first. */
  since(seq: number): string[];
  /** Whether `since(seq)` would be everything. */
  remembers(seq: number): boolean;
  /** Envelopes that a client which has seen `id` has missed; null when some of them are gone. */
  resume(id: number, nowMs: number): string[] | null;
  /** What to show to a newcomer; the first of it with `snap`. */
  snapshot(nowMs: number): string[];
  /** Changes or forgets what is remembered: `edit` gets each value and returns it, another, or null to drop it. */
  rewrite(edit: (d: string) => string | null): void;
  /** From here on values are missing: nobody may resume from before. */
  interrupt(): void;
  readonly size: () => number;
}

export function latestChannel(topic: Topic): Channel {
  let entry: Entry | null = null;
  let id = 0;
  return {
    topic,
    newestSeq: () => entry?.seq ?? 0,
    add(d, seq, nowMs) {
      entry = { id: ++id, seq, atMs: nowMs, d };
    },
    remembers: () => true,
    since: (seq) => (entry !== null && entry.seq > seq ? [encode(topic, entry)] : []),
    resume: (seen) => (entry === null || entry.id <= seen ? [] : [encode(topic, entry)]),
    snapshot: () => (entry === null ? [] : [encode(topic, entry, true)]),
    rewrite(edit) {
      const d = entry === null ? null : edit(entry.d);
      entry = entry === null || d === null ? null : { ...entry, d };
    },
    interrupt: () => undefined,
    size: () => (entry === null ? 0 : 1),
  };
}

/** `column` makes a snapshot of one value; without it, a snapshot is everything that the ring still has. */
export function ringChannel(topic: Topic, column?: () => string | null): Channel {
  let ring: (Entry & { readonly untilMs: number })[] = [];
  let id = 0;
  /** The newest id that is no longer in the ring. */
  let forgotten = 0;
  let forgottenSeq = 0;
  let newestSeq = 0;
  let prunedAtMs = 0;
  const prune = (nowMs: number): void => {
    prunedAtMs = nowMs;
    const tooMany = ring.length - RING_ENTRIES;
    ring = ring.filter((entry, i) => {
      const stays = i >= tooMany && entry.untilMs > nowMs;
      if (!stays) {
        forgotten = Math.max(forgotten, entry.id);
        forgottenSeq = Math.max(forgottenSeq, entry.seq);
      }
      return stays;
    });
  };
  return {
    topic,
    newestSeq: () => newestSeq,
    add(d, seq, nowMs, keepMs = RING_MS) {
      newestSeq = seq;
      ring.push({ id: ++id, seq, atMs: nowMs, d, untilMs: nowMs + keepMs });
      if (ring.length > RING_ENTRIES * 1.25 || nowMs - prunedAtMs > RING_MS / 8) prune(nowMs);
    },
    remembers: (seq) => forgottenSeq <= seq,
    since(seq) {
      if (newestSeq <= seq) return [];
      let first = ring.length;
      while (first > 0 && (ring[first - 1]?.seq ?? 0) > seq) first--;
      return ring.slice(first).map((entry) => encode(topic, entry));
    },
    resume(seen, nowMs) {
      prune(nowMs);
      // From before what we remember, or from another life of this topic.
      if (seen < forgotten || seen > id) return null;
      return ring.filter((entry) => entry.id > seen).map((entry) => encode(topic, entry));
    },
    snapshot(nowMs) {
      prune(nowMs);
      if (column === undefined) return ring.map((entry, i) => encode(topic, entry, i === 0));
      const d = column();
      // It stands for everything so far, so what comes next is newer.
      return d === null ? [] : [encode(topic, { id, atMs: nowMs, d }, true)];
    },
    rewrite(edit) {
      ring = ring.flatMap((entry) => {
        const d = edit(entry.d);
        return d === null ? [] : [{ ...entry, d }];
      });
    },
    interrupt() {
      forgotten = ++id;
    },
    size: () => ring.length,
  };
}
