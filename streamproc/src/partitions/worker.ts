import { setImmediate } from "node:timers/promises";
import { isVodPartition } from "@hypecast/contracts/event.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Fold } from "../processors/fold.ts";
import type { Scorer } from "../scorer/scorer.ts";
import type { Commit, Committed } from "./commit.ts";
import type { LogMessage } from "./decode.ts";
import { meters } from "./meters.ts";
import { Partition, type Stored } from "./partition.ts";
import { answerAll } from "./score.ts";

/** The log as one partition's owner needs it; JetStream in `log.ts`, a simulated one in the tests. */
export interface PartitionLog {
  /** Which stream INPUT this is: changes when it is created anew. */
  readonly id: string;
  readonly maxPayload: number;
  /** What was committed last; null: nothing yet. */
  load(partition: number): Promise<Stored | null>;
  /** The partition's messages after a position, in order, for good; ends when the signal aborts. */
  read(partition: number, after: number, signal: AbortSignal): AsyncIterable<ReadMessage>;
  commit(work: Commit, expected: number): Promise<Committed>;
  /** Sets rows of a message aside for a person to look at; the same rows twice are one. */
  setAside(message: LogMessage, rows: Partition["bad"][number]["rows"]): Promise<void>;
}

export interface ReadMessage extends LogMessage {
  /** Messages of this partition behind it. */
  readonly pending: number;
}

export interface Clock {
  nowMs(): number;
  /** Resolves after `ms` or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface WorkerTools {
  readonly log: PartitionLog;
  readonly folds: readonly Fold[];
  readonly scorer: Scorer | null;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  readonly instance: string;
  /** Told how long each commit took (ms). */
  readonly committed?: (ms: number) => void;
}

export const COMMIT_EVERY_MS = 1000;
/** Urgent outputs do not wait for the second: they are committed at once, but a partition commits no more often than this. */
export const URGENT_EVERY_MS = 150;
const RELOAD_AFTER_MS = 200;
/** Commit early, and read no further until it is under way: bounds memory while a backlog is worked off. */
const LINES_BEFORE_COMMIT = 100_000;
const OUTPUTS_BEFORE_COMMIT = 10_000;
/** Older than this, what is read is the past: no live ticks for it. */
const BEHIND_AFTER_MS = 3000;

export interface Worker {
  readonly number: number;
  /** What it works on now; null while it loads or after it ended. */
  current(): Partition | null;
  /** Changes with every start from a checkpoint. */
  run(): string;
  /** True while it works off a backlog. */
  behind(): boolean;
  /** Messages and seconds that it is behind the log. */
  lag(): { messages: number; seconds: number };
  /** Last commit, then forget. Resolves when both are done, or the commit has failed. */
  release(): Promise<void>;
  /** Forgets at once; what was not committed is somebody else's to do. */
  drop(): void;
  /** Rejects when a fold or the checkpoint is broken: the process must end. */
  readonly ended: Promise<void>;
}

/** Owns a partition until released or dropped: starts from the last checkpoint, and again whenever a commit does not stand. */
export function startWorker(number: number, tools: WorkerTools): Worker {
  const { log, folds, clock, logger } = tools;
  const dropped = new AbortController();
  const releasing = new AbortController();
  let current: Partition | null = null;
  let starts = 0;
  let behind = false;
  let lag = { messages: 0, storedAtMs: 0 };

  const over = (): boolean => dropped.signal.aborted || releasing.signal.aborted;

  async function own(): Promise<void> {
    while (!over()) {
      const found = await start();
      if (over()) return;
      if (found === null) {
        await clock.sleep(RELOAD_AFTER_MS, dropped.signal);
        continue;
      }
      starts++;
      current = found.partition;
      try {
        await live(found.partition, found.revision);
      } finally {
        current = null;
      }
      // Whoever was faster is given time to be done, and a log in trouble to get over it.
      if (!over()) await clock.sleep(RELOAD_AFTER_MS, dropped.signal);
    }
  }

  async function start(): Promise<{ partition: Partition; revision: number } | null> {
    let stored: Stored | null;
    try {
      stored = await log.load(number);
    } catch (error) {
      logger.warn({ partition: number, err: error }, "the checkpoint cannot be read yet");
      return null;
    }
    const partition = Partition.restore(number, folds, stored, log.id);
    if (partition === null) return null;
    for (const what of partition.anew) {
      meters.statesAnew.inc();
      logger.warn({ partition: number, what }, "a saved state could not be read; this fold starts anew");
    }
    return { partition, revision: stored?.revision ?? 0 };
  }

  /** From one checkpoint until a commit does not stand, reading breaks, or it is over. */
  async function live(partition: Partition, firstRevision: number): Promise<void> {
    const ending = AbortSignal.any([dropped.signal, releasing.signal]);
    const life = new AbortController();
    const end = (): void => life.abort();
    ending.addEventListener("abort", end);
    const commits = new Commits(partition, firstRevision);
    try {
      // Whichever ends first ends the other. A broken log is a reason to start again, a broken fold is not.
      await Promise.all([
        read(partition, commits, life.signal).finally(end),
        commitInTime(commits, life.signal).finally(end),
      ]);
    } finally {
      ending.removeEventListener("abort", end);
    }
    if (releasing.signal.aborted && !dropped.signal.aborted && !commits.failed) await commits.commit();
  }

  async function read(partition: Partition, commits: Commits, signal: AbortSignal): Promise<void> {
    const messages = log.read(number, partition.position, signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        let next: IteratorResult<ReadMessage>;
        try {
          next = await messages.next();
        } catch (error) {
          logger.warn({ partition: number, err: error }, "reading stopped; starting from the checkpoint");
          return;
        }
        if (next.done === true || signal.aborted) return;
        if (commits.asking !== null) await commits.asking;
        if (signal.aborted) return;
        partition.apply(next.value);
        // An imported stream is read as fast as it can be: other partitions of this process, live ones, get their turn in between.
        if (isVodPartition(number)) await setImmediate();
        const { pending, storedAtMs } = next.value;
        lag = { messages: pending, storedAtMs };
        behind = pending > 0 && clock.nowMs() - storedAtMs > BEHIND_AFTER_MS;
        // Nobody waits for what happened long ago.
        if (partition.urgent && !behind) commits.hurry();
        if (
          partition.linesSinceTake > LINES_BEFORE_COMMIT ||
          partition.outputs.length > OUTPUTS_BEFORE_COMMIT
        )
          await commits.commit();
        if (commits.failed) return;
      }
    } finally {
      void messages.return?.();
    }
  }

  /** Once a second, and earlier when something urgent was said. */
  async function commitInTime(commits: Commits, signal: AbortSignal): Promise<void> {
    await commits.sleep((COMMIT_EVERY_MS / 32) * (number % 32), signal);
    while (!signal.aborted && !commits.failed) {
      await clock.sleep(URGENT_EVERY_MS, signal);
      await commits.sleep(COMMIT_EVERY_MS - URGENT_EVERY_MS, signal);
      if (!signal.aborted) await commits.commit();
    }
  }

  /** One commit after the other. */
  class Commits {
    /** A commit did not stand: this life is over. */
    failed = false;
    /** Resolves when the models have answered; until then the states may not move on. */
    asking: Promise<void> | null = null;
    #revision: number;
    readonly #partition: Partition;
    #wake: AbortController | null = null;
    #turn: Promise<void> = Promise.resolve();

    constructor(partition: Partition, revision: number) {
      this.#partition = partition;
      this.#revision = revision;
    }

    /** Ends the sleep that waits for the next second. */
    hurry(): void {
      this.#wake?.abort();
    }

    /** Until `ms` have passed, something urgent is there, or the signal aborts. */
    async sleep(ms: number, signal: AbortSignal): Promise<void> {
      if (this.#partition.urgent || signal.aborted) return;
      const wake = (this.#wake = new AbortController());
      const end = (): void => wake.abort();
      signal.addEventListener("abort", end);
      await clock.sleep(ms, wake.signal);
      signal.removeEventListener("abort", end);
      this.#wake = null;
    }

    commit(): Promise<void> {
      return (this.#turn = this.#turn.then(() => this.#commit()));
    }

    async #commit(): Promise<void> {
      const partition = this.#partition;
      if (this.failed || dropped.signal.aborted || !partition.changed) return;
      const asks = partition.asks();
      if (asks.length > 0) {
        this.asking = answerAll(partition, asks, tools.scorer, dropped.signal, (model, error) =>
          logger.warn({ partition: number, model, err: error }, "the model did not answer"),
        ).finally(() => (this.asking = null));
        await this.asking;
        if (dropped.signal.aborted) return;
      }
      const { bad } = partition;
      partition.bad = [];
      const work = partition.take(log.id, tools.instance, log.maxPayload);
      const { outcomes } = partition;
      const began = clock.nowMs();
      let result: Committed;
      try {
        for (const { message, rows } of bad) {
          await log.setAside(message, rows);
          for (const { reason } of rows) meters.deadLetters.inc({ reason });
        }
        if (dropped.signal.aborted) return;
        result = await log.commit(work, this.#revision);
      } catch (error) {
        result = { is: "unknown", reason: error instanceof Error ? error.message : String(error) };
      }
      meters.commits.inc({ outcome: result.is });
      if (result.is === "committed") {
        this.#revision = result.revision;
        const ms = clock.nowMs() - began;
        meters.commitSeconds.observe(ms / 1000);
        for (const [outcome, lines] of Object.entries(outcomes)) meters.lines.inc({ outcome }, lines);
        tools.committed?.(ms);
        return;
      }
      this.failed = true;
      if (!dropped.signal.aborted)
        logger.warn(
          { partition: number, ...result },
          "a commit does not stand; starting from the checkpoint",
        );
    }
  }

  const ended = own();
  return {
    number,
    current: () => (dropped.signal.aborted ? null : current),
    run: () => `${tools.instance}.${number}.${starts}`,
    behind: () => behind,
    lag: () => ({
      messages: lag.messages,
      seconds: lag.messages > 0 ? Math.max(0, clock.nowMs() - lag.storedAtMs) / 1000 : 0,
    }),
    async release() {
      releasing.abort();
      await ended;
    },
    drop: () => dropped.abort(),
    ended,
  };
}
