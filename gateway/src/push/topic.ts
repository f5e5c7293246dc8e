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

/** What of a value somebody may see; null: nothing of it. */
export type Narrow = (d: string) => string | null;
/** The entries as envelopes, as much of them as one may see. */
const encodeAll = (
  topic: Topic,
  entries: readonly Entry[],
  narrow: Narrow | undefined,
  snap = false,
): string[] => {
  if (narrow === undefined) return entries.map((entry, i) => encode(topic, entry, snap && i === 0));
  const seen = entries.flatMap((entry) => {
    const d = narrow(entry.d);
    return d === null ? [] : [{ ...entry, d }];
  });
  return encodeAll(topic, seen, undefined, snap);
};

/**
 * What a topic remembers. `latest` topics keep their newest value only (a slower reader gets fewer of them); `ring` topics keep
 * a minute, so that everyone gets every value once.
 */
export interface Channel {
  readonly topic: Topic;
  /** Sockets that hold channels of the same keys are written to together. */
  readonly key: string;
  readonly newestSeq: () => number;
  /** `keepMs`: how long it stays to be resumed from and shown to newcomers, where not RING_MS. */
  add(d: string, seq: number, nowMs: number, keepMs?: number): void;
  /** Envelopes newer than a tick's seq, oldest first. */
  since(seq: number, narrow?: Narrow): string[];
  /** Whether `since(seq)` would be everything. */
  remembers(seq: number): boolean;
  /** Envelopes that a client which has seen `id` has missed; null when some of them are gone. */
  resume(id: number, nowMs: number, narrow?: Narrow): string[] | null;
  /** What to show to a newcomer; the first of it with `snap`. */
  snapshot(nowMs: number, narrow?: Narrow): string[];
  /** Changes or forgets what is remembered: `edit` gets each value and returns it, another, or null to drop it. */
  rewrite(edit: (d: string) => string | null): void;
  /** From here on values are missing: nobody may resume from before. */
  interrupt(): void;
  readonly size: () => number;
}

export function latestChannel(topic: Topic): Channel {
  let entry: Entry | null = null;
  let id = 0;
  const held = (): Entry[] => (entry === null ? [] : [entry]);
  return {
    topic,
    key: topic,
    newestSeq: () => entry?.seq ?? 0,
    add(d, seq, nowMs) {
      entry = { id: ++id, seq, atMs: nowMs, d };
    },
    remembers: () => true,
    since: (seq, narrow) => (entry !== null && entry.seq > seq ? encodeAll(topic, [entry], narrow) : []),
    resume: (seen, _nowMs, narrow) =>
      entry === null || entry.id <= seen ? [] : encodeAll(topic, [entry], narrow),
    snapshot: (_nowMs, narrow) => encodeAll(topic, held(), narrow, true),
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
    key: topic,
    newestSeq: () => newestSeq,
    add(d, seq, nowMs, keepMs = RING_MS) {
      newestSeq = seq;
      ring.push({ id: ++id, seq, atMs: nowMs, d, untilMs: nowMs + keepMs });
      if (ring.length > RING_ENTRIES * 1.25 || nowMs - prunedAtMs > RING_MS / 8) prune(nowMs);
    },
    remembers: (seq) => forgottenSeq <= seq,
    since(seq, narrow) {
      if (newestSeq <= seq) return [];
      let first = ring.length;
      while (first > 0 && (ring[first - 1]?.seq ?? 0) > seq) first--;
      return encodeAll(topic, ring.slice(first), narrow);
    },
    resume(seen, nowMs, narrow) {
      prune(nowMs);
      // From before what we remember, or from another life of this topic.
      if (seen < forgotten || seen > id) return null;
      return encodeAll(
        topic,
        ring.filter((entry) => entry.id > seen),
        narrow,
      );
    },
    snapshot(nowMs, narrow) {
      prune(nowMs);
      if (column === undefined) return encodeAll(topic, ring, narrow, true);
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

/** Values that several groups are told at the same time are cut once. */
const CUT_BEFORE = 64;

/** A topic as those see it who may see a part of it: the same ids and the same memory, each value cut to what is theirs. */
export function narrowedChannel(of: Channel, key: string, narrow: Narrow): Channel {
  const before = new Map<string, string | null>();
  const once: Narrow = (d) => {
    const known = before.get(d);
    if (known !== undefined) return known;
    const cut = narrow(d);
    before.set(d, cut);
    const oldest = before.keys().next().value;
    if (before.size > CUT_BEFORE && oldest !== undefined) before.delete(oldest);
    return cut;
  };
  return {
    ...of,
    key,
    since: (seq) => of.since(seq, once),
    resume: (seen, nowMs) => of.resume(seen, nowMs, once),
    snapshot: (nowMs) => of.snapshot(nowMs, once),
  };
}
