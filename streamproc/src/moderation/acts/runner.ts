import { setTimeout as sleep } from "node:timers/promises";
import { createDesk, DETAIL, type ActState, type Desk } from "@hypecast/contracts/desk.ts";
import { SYSTEM, type JournalAct, type JournalEntry } from "@hypecast/contracts/journal.ts";
import { JournalMoved, type Journal, type Written } from "@hypecast/runtime/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Came, Found, Task } from "./carry-out.ts";

/** Acts in hand at once; of one channel and in all. Twitch counts calls a minute and account. */
const AT_ONCE = { channel: 4, all: 12 } as const;
/** What was not reached is tried again, later and later, for so long. */
const AGAIN_MS = { first: 1000, most: 30_000, forAll: 10 * 60_000 } as const;

/** Where acts are carried out. */
export interface Where {
  /** Whose account would act; or why nobody's. */
  who(entry: JournalEntry): Promise<{ readonly as: string } | { readonly because: string }>;
  carryOut(task: Task & { readonly entry: JournalEntry }): Promise<Came>;
  lookUp(task: Task & { readonly entry: JournalEntry }, sentAtMs: number): Promise<Found>;
}

/** Is the process that took an act in hand still there? */
export type IsAlive = (instance: string) => boolean;

export interface Runner {
  /** Entries, in the journal's order. */
  take(written: Written): void;
  /** Begins, when all of the journal has been told; and later: somebody may have died, and what they had in hand is looked at. */
  look(): void;
  readonly figures: () => { waiting: number; inHand: number };
  close(): void;
}

interface Channel {
  readonly desk: Desk;
  readonly entries: Map<string, JournalEntry>;
  seq: number;
  readonly inHand: Set<string>;
}

/**
 * Carries out at Twitch what the journal asks for. Whoever appends `sending` has the act in hand: its id is the lock, whatever number of
 * processes run. After a death between sending and the end it is looked up; where nobody can tell, the end is `doubtful`, and a person decides.
 */
export function createRunner(
  journal: Pick<Journal, "append" | "open">,
  where: Where,
  /** Position up to which the journal has been told. */
  position: () => number,
  instance: string,
  isAlive: IsAlive,
  log: Logger,
): Runner {
  const channels = new Map<string, Channel>();
  const closing = new AbortController();
  /** Until all of the journal has been told, an act may look open that has ended long ago. */
  let started = false;
  let inHand = 0;
  /** Acts whose newest `sending` is ours, and of which nothing has left us since. */
  const unsent = new Set<string>();

  const channelOf = (id: string): Channel => {
    let found = channels.get(id);
    if (found === undefined)
      channels.set(id, (found = { desk: createDesk(), entries: new Map(), seq: 0, inHand: new Set() }));
    return found;
  };

  /** Who had it in hand last. */
  const sender = (act: ActState): string => act.detail["instance"] ?? "";

  function turn(channel: Channel): void {
    if (closing.signal.aborted || !started) return;
    for (const act of channel.desk.pending()) {
      if (channel.inHand.size >= AT_ONCE.channel || inHand >= AT_ONCE.all) return;
      const { id } = act.entry;
      const entry = channel.entries.get(id);
      if (channel.inHand.has(id) || entry === undefined) continue;
      if (act.outcome === "sending" && sender(act) !== instance && isAlive(sender(act))) continue;
      const undone = act.entry.act === "undo" ? channel.desk.act(act.entry.of ?? "") : null;
      // What is taken back must have ended first.
      if (undone?.outcome === "sending") continue;
      channel.inHand.add(id);
      inHand++;
      void carry(channel, entry)
        .catch((error: unknown) => {
          if (!closing.signal.aborted)
            log.warn({ err: error, entry: id }, "an act waits: the journal is away");
          return sleep(AGAIN_MS.first, undefined, { signal: closing.signal }).catch(() => undefined);
        })
        .finally(() => {
          channel.inHand.delete(id);
          inHand--;
          for (const other of channels.values()) turn(other);
        });
    }
  }

  async function carry(channel: Channel, entry: JournalEntry): Promise<void> {
    const { desk } = channel;
    const task = await taskOf(channel, entry);
    const before = desk.act(entry.id);
    const undone = entry.act === "undo" ? desk.act(entry.of ?? "") : null;
    if (
      undone !== null &&
      (undone.outcome === null || undone.outcome === "refused" || undone.outcome === "recommended")
    )
      return end(
        channel,
        entry,
        "done",
        undone.outcome === null ? "it was never sent" : "Twitch had done nothing",
      );
    const who = await where.who(undone === null ? entry : { ...entry, act: undone.entry.act });
    if (before?.outcome === "sending" && !(sender(before) === instance && unsent.has(entry.id))) {
      // Whoever had it in hand is gone, or we are they and have begun anew.
      const found = await where.lookUp(task, before.sentAtMs ?? entry.atMs);
      if (found === "done") return end(channel, entry, "done", "looked up at Twitch after an interruption");
      if (found === "unknown")
        return end(
          channel,
          entry,
          "doubtful",
          "we were interrupted while sending it, and Twitch does not tell whether it was done",
        );
    }
    if ("because" in who) return end(channel, entry, "recommended", who.because);
    let said = "";
    /** Sendings that we know of: one more means that somebody else has it in hand. */
    let attempts = before?.attempts ?? 0;
    const sinceMs = Date.now();
    for (let wait: number = AGAIN_MS.first; ; wait = Math.min(wait * 2, AGAIN_MS.most)) {
      if (!(await lock(channel, entry, who.as, said, attempts))) return;
      attempts = desk.act(entry.id)?.attempts ?? attempts + 1;
      unsent.delete(entry.id);
      const came = await where.carryOut(task);
      const found =
        came.kind === "doubtful" ? await where.lookUp(task, desk.act(entry.id)?.sentAtMs ?? sinceMs) : null;
      said = came.said;
      const isLate = Date.now() - sinceMs > AGAIN_MS.forAll;
      if (came.kind === "wait" && !(came.untilMs === null && isLate)) {
        await noteWait(channel, entry, who.as, said);
        attempts = desk.act(entry.id)?.attempts ?? attempts + 1;
        await sleep(Math.max(0, (came.untilMs ?? Date.now() + wait) - Date.now()), undefined, {
          signal: closing.signal,
        });
      } else if (came.kind === "wait") {
        return end(channel, entry, "refused", `Twitch was not reached: ${said}`);
      } else if (found === "not_done" && !isLate) await sleep(wait, undefined, { signal: closing.signal });
      else
        return end(channel, entry, found === "done" ? "done" : came.kind, said, {
          ...came.detail,
          [DETAIL.as]: who.as,
        });
    }
  }

  /** Whether we have it in hand now. False: somebody else has, it has ended, or it was taken back in time. */
  async function lock(
    channel: Channel,
    entry: JournalEntry,
    as: string,
    said: string,
    attempts: number,
  ): Promise<boolean> {
    for (;;) {
      const now = channel.desk.act(entry.id);
      if (now === null || now.undoneBy !== null) return false;
      if (now.outcome !== null && now.outcome !== "sending") return false;
      if (now.outcome === "sending" && sender(now) === instance && unsent.has(entry.id)) return true;
      if (now.attempts !== attempts) return false;
      const attempt = attempts + 1;
      unsent.add(entry.id);
      try {
        const written = await journal.append(
          sending(entry, attempt, as, said),
          Math.max(channel.seq, position()),
        );
        if (written.isNew) {
          take(written);
          return true;
        }
        // Another process was first, or it is ours and its confirmation was lost: what the journal says decides.
        await reach(channel, written.seq);
        const { detail } = written.entry;
        if (detail["instance"] !== instance) {
          unsent.delete(entry.id);
          return false;
        }
      } catch (error) {
        if (!(error instanceof JournalMoved)) throw error;
        await reach(channel, error.seq);
      }
    }
  }
  /** People see why it takes long. */
  async function noteWait(channel: Channel, entry: JournalEntry, as: string, said: string): Promise<void> {
    const attempt = (channel.desk.act(entry.id)?.attempts ?? 0) + 1;
    unsent.add(entry.id);
    const written = await journal.append(sending(entry, attempt, as, said));
    await reach(channel, written.seq);
  }

  const sending = (entry: JournalEntry, attempt: number, as: string, said: string) => ({
    channelId: entry.channelId,
    id: `${entry.id}.sending${attempt}`,
    by: SYSTEM,
    act: "sending" as const,
    caseId: entry.caseId,
    of: entry.id,
    detail: {
      instance,
      [DETAIL.as]: as,
      [DETAIL.attempt]: String(attempt),
      ...(said === "" ? {} : { [DETAIL.said]: said }),
    },
  });

  async function end(
    channel: Channel,
    entry: JournalEntry,
    act: Extract<JournalAct, "done" | "refused" | "doubtful" | "recommended">,
    said: string,
    detail: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const written = await journal.append({
      channelId: entry.channelId,
      // One end: who comes second finds the first one's.
      id: `${entry.id}.end`,
      by: SYSTEM,
      act,
      caseId: entry.caseId,
      of: entry.id,
      detail: { ...detail, ...(said === "" ? {} : { [DETAIL.said]: said }) },
    });
    await reach(channel, written.seq);
    unsent.delete(entry.id);
    channel.entries.delete(entry.id);
  }

  async function taskOf(channel: Channel, entry: JournalEntry): Promise<Task & { entry: JournalEntry }> {
    const { private: about } = await journal.open(entry);
    const undone = entry.act === "undo" ? channel.desk.act(entry.of ?? "") : null;
    return {
      entry,
      about,
      undoes: undone === null ? null : { entry: undone.entry, detail: undone.detail },
    };
  }

  /** The journal tells us what we have written like everybody else: in its order. */
  async function reach(channel: Channel, seq: number): Promise<void> {
    while (channel.seq < seq && position() < seq)
      await sleep(REACH_MS, undefined, { signal: closing.signal });
  }

  function take({ entry, seq }: Written): void {
    const channel = channelOf(entry.channelId);
    if (seq <= channel.seq) return;
    channel.seq = seq;
    channel.entries.set(entry.id, entry);
    channel.desk.take(entry);
  }

  return {
    take(written) {
      take(written);
      turn(channelOf(written.entry.channelId));
    },
    look() {
      started = true;
      for (const channel of channels.values()) turn(channel);
    },
    figures: () => ({
      waiting: [...channels.values()].reduce((sum, { desk }) => sum + desk.pending().length, 0),
      inHand,
    }),
    close: () => closing.abort(),
  };
}
const REACH_MS = 5;
