import { createDesk, type Desk, type Touched } from "@hypecast/contracts/desk.ts";
import type { JournalEntry } from "@hypecast/contracts/journal.ts";
import {
  followJournal,
  JournalMoved,
  type Draft,
  type Journal,
  type Written,
} from "@hypecast/runtime/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { ProblemError } from "../problems.ts";

const DAY_MS = 24 * 3_600_000;
/** Entries are held for so long; the queue looks back less far, so that no case in it was decided before. */
export const HELD_MS = 8 * DAY_MS;
/** A channel's entries are folded anew, without those that are too old, when the oldest is older than this. */
const REFOLD_MS = HELD_MS + DAY_MS;
/** Entries held of one channel, the newest of them. */
const MOST_ENTRIES = 100_000;
/** An entry that was written is told within so long, or the log is away. */
const REACH_MS = 3000;
/** So often an act is decided anew because somebody else has written meanwhile. */
const TRIES = 20;

/** One channel's journal of the last days, in memory. */
export interface Held {
  readonly desk: Desk;
  readonly entries: readonly JournalEntry[];
  /** Position in the stream up to which it is known. */
  readonly seq: number;
}

/** The journals as this gateway knows them: never behind what it has answered. */
export interface Journals {
  of(channelId: string): Held;
  entry(channelId: string, id: string): JournalEntry | null;
  /** Resolves when everything up to a position of the stream is in memory. */
  reach(channelId: string, seq: number): Promise<void>;
  /** Writes an entry and waits until it counts here. Never twice under one id. Throws ProblemError bus_down. */
  write(draft: Draft): Promise<Written & { readonly isNew: boolean }>;
  /**
   * The same, where what is written depends on what stands: `draftOf` is asked again whenever somebody else has written meanwhile. Null: it
   * is no longer to be written.
   */
  writeIf(
    channelId: string,
    draftOf: (held: Held) => Draft | null,
  ): Promise<(Written & { readonly isNew: boolean }) | null>;
  /** Somebody will write there soon: what is needed for that is read ahead. */
  warm(channelId: string): void;
  readonly ready: () => boolean;
  close(): void;
}

interface Kept {
  desk: Desk;
  entries: JournalEntry[];
  byId: Map<string, JournalEntry>;
  seq: number;
  number: number;
}

export function holdJournals(
  nc: NatsConnection,
  journal: Journal,
  /** Told of each entry once, in the channel's order; `isNews` false for what was there at the start. */
  told: (entry: JournalEntry, touched: Touched, isNews: boolean) => void,
  log: Logger,
): Journals {
  const channels = new Map<string, Kept>();
  const waiting = new Set<() => void>();
  const warmed = new Set<string>();
  let isReady = false;

  const keptOf = (channelId: string): Kept => {
    let kept = channels.get(channelId);
    if (kept === undefined) {
      kept = { desk: createDesk(), entries: [], byId: new Map(), seq: 0, number: 0 };
      channels.set(channelId, kept);
    }
    return kept;
  };
  const fold = (kept: Kept, entry: JournalEntry): Touched => {
    kept.entries.push(entry);
    kept.byId.set(entry.id, entry);
    return kept.desk.take(entry);
  };
  const take = ({ entry, seq }: Written): void => {
    const kept = keptOf(entry.channelId);
    if (seq <= kept.seq || entry.number <= kept.number) return;
    const oldest = kept.entries[0];
    if (
      oldest !== undefined &&
      (oldest.atMs < Date.now() - REFOLD_MS || kept.entries.length > MOST_ENTRIES * 1.1)
    ) {
      const stay = kept.entries.filter(({ atMs }) => atMs >= Date.now() - HELD_MS).slice(-MOST_ENTRIES);
      Object.assign(kept, { desk: createDesk(), entries: [], byId: new Map() });
      for (const one of stay) fold(kept, one);
    }
    kept.seq = seq;
    kept.number = entry.number;
    told(entry, fold(kept, entry), isReady);
    for (const look of waiting) look();
  };
  const follow = followJournal(nc, Date.now() - HELD_MS, take, log);
  void (async () => {
    await follow.ready;
    isReady = true;
    for (const look of waiting) look();
  })();
  const known = (channelId: string): number => Math.max(keptOf(channelId).seq, follow.position());

  const reach = (channelId: string, seq: number): Promise<void> => {
    if (known(channelId) >= seq) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        waiting.delete(look);
        reject(new ProblemError("bus_down", "the journal was not told", { "Retry-After": "2" }));
      }, REACH_MS);
      const look = (): void => {
        if (known(channelId) < seq) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
    });
  };
  /** What we have written ourselves need not come back first, where it is the next one of its channel. */
  const counted = async (written: Written): Promise<void> => {
    const kept = keptOf(written.entry.channelId);
    if (written.entry.number === kept.number + 1) take(written);
    await reach(written.entry.channelId, written.seq);
  };
  const held = (channelId: string): Held => {
    const { desk, entries } = keptOf(channelId);
    return { desk, entries, seq: known(channelId) };
  };

  return {
    of: held,
    entry: (channelId, id) => keptOf(channelId).byId.get(id) ?? null,
    reach,
    async write(draft) {
      const written = await said(() => journal.append(draft));
      await counted(written);
      return written;
    },
    async writeIf(channelId, draftOf) {
      for (let tries = 0; tries < TRIES; tries++) {
        const now = held(channelId);
        const draft = draftOf(now);
        if (draft === null) return null;
        try {
          const written = await said(() => journal.append(draft, now.seq));
          await counted(written);
          return written;
        } catch (error) {
          if (!(error instanceof JournalMoved)) throw error;
          await reach(channelId, error.seq);
        }
      }
      throw new ProblemError("bus_down", "too many write to the journal at once", { "Retry-After": "1" });
    },
    warm(channelId) {
      if (warmed.has(channelId)) return;
      warmed.add(channelId);
      journal.find(channelId, "").catch(() => warmed.delete(channelId));
    },
    ready: () => isReady,
    close: () => follow.close(),
  };
}

/** The journal's word, or a problem that says that it is away: asked again under the same key nothing is doubled. */
async function said<Result>(effect: () => Promise<Result>): Promise<Result> {
  try {
    return await effect();
  } catch (error) {
    if (error instanceof JournalMoved || error instanceof ProblemError) throw error;
    if (error instanceof Error && /maximum bytes|insufficient/i.test(error.message))
      throw new ProblemError("disk_full", "the journal is full");
    throw new ProblemError("bus_down", "the journal did not confirm the entry", { "Retry-After": "2" });
  }
}
