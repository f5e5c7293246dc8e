import { UnrecoverableError, Worker, type Job } from "bullmq";
import { VOD_QUEUE, type Vod, type VodError } from "@hypecast/contracts/vod.ts";
import { isVodWanted } from "@hypecast/contracts/vod-steps.ts";
import { connectJobs, openVodJobs, type RecordJob } from "@hypecast/runtime/jobs.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import { DiskFull } from "@hypecast/runtime/objects.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { ImportFailure } from "./chat/failure.ts";
import { KnownAlready } from "./import-chat.ts";
import type { VodRecords } from "./records.ts";
import { sameSource, tellOf, type Told } from "./told.ts";

/** A worker that is dead or cut off from Redis loses its job after this, and another one takes it. */
const LOCK_MS = 4000;
const STALLED_EVERY_MS = 2000;
/** BullMQ gives a job up after so often; the record's own count ends an import that kills its worker. */
const MOST_STALLS = 10;
/** Begun so often without finishing a stage: it is the stream that kills the worker. */
const MOST_ATTEMPTS = 5;
/** Records without a job (Redis has forgotten, or never heard of it) are found this soon. */
const RECONCILE_EVERY_MS = 10_000;
/** Deletions do not wait for imports, which take minutes. */
const DELETIONS_AT_ONCE = 2;

const finished = counter(
  "imports_total",
  "Imports by what became of them: ready, deleted, cancelled, or why not.",
  ["outcome"],
);

export interface ImportWorkerOptions {
  readonly redisUrl: string;
  readonly records: VodRecords;
  /** Makes the stream; everything else about its job is here. */
  readonly make: (vod: Vod, told: Told, signal: AbortSignal) => Promise<void>;
  /** Removes all of it but the record. */
  readonly forget: (vod: Vod, signal: AbortSignal) => Promise<void>;
  /** Imports at a time. */
  readonly atOnce: number;
  readonly log: Logger;
  /** For tests. */
  readonly reconcileEveryMs?: number;
}

export interface ImportWorker {
  health(): Health;
  close(): Promise<void>;
}

/**
 * Takes imports' and deletions' jobs from the queue. The record says what a stream is and how far it has come; a job only says that somebody
 * should look. So a job that runs twice, late or for nothing changes nothing, and one that is lost is added again.
 */
export function startImportWorker(options: ImportWorkerOptions): ImportWorker {
  const { redisUrl, records, make, forget, atOnce, log } = options;
  const closing = new AbortController();
  const jobs = openVodJobs(redisUrl, log);
  const connection = connectJobs(redisUrl, log);
  const working = new Map<string, Promise<void>>();
  const slots = createSlots(atOnce);

  const work = async (id: string): Promise<void> => {
    const known = await records.get(id);
    if (known === null || !isVodWanted(known)) return;
    if (!known.deleting) await importOne(id);
    const after = await records.get(id);
    if (after?.deleting === true) await removeOne(after);
    // Stopped and asked for again while it was being stopped.
    else if (after !== null && isVodWanted(after)) throw new Error("asked for again");
  };

  const removeOne = async (vod: Vod): Promise<void> => {
    await forget(vod, closing.signal);
    await records.remove(vod.id);
    finished.inc({ outcome: "deleted" });
  };

  const importOne = async (id: string): Promise<void> => {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, closing.signal]);
    const first = await records.get(id);
    const watching = records.watch(id, (vod) => {
      if (vod === null || first === null || vod.deleting || !isVodWanted(vod) || !sameSource(vod, first))
        stop.abort(new Stopped());
    });
    let free = (): void => undefined;
    try {
      free = await slots.take(signal);
      const begun = await records.change(id, (vod) =>
        isVodWanted(vod) && !vod.deleting ? { attempt: vod.attempt + 1, error: null } : null,
      );
      if (begun === null || begun.deleting || !isVodWanted(begun)) return;
      if (begun.attempt > MOST_ATTEMPTS)
        throw new ImportFailure(
          "crashed",
          `Importing this stream ended ${MOST_ATTEMPTS} times in the same stage.`,
          "Try another file; the log of the process imports says more.",
        );
      const told = tellOf(records, begun);
      await make(begun, told, signal);
      if ((await records.get(id))?.status === "ready") finished.inc({ outcome: "ready" });
    } catch (error) {
      if (closing.signal.aborted) {
        // A process that is stopped is not one that has died.
        await records.change(id, (vod) => ({ attempt: Math.max(0, vod.attempt - 1) }));
        throw error;
      }
      if (!stop.signal.aborted) await fail(id, error);
      else finished.inc({ outcome: "cancelled" });
    } finally {
      watching.close();
      free();
    }
  };

  /** What is wrong for good goes into the record; of anything else the queue tries again, and the record says so at the end. */
  const fail = async (id: string, error: unknown): Promise<void> => {
    const known = await records.get(id);
    const isFinal = error instanceof ImportFailure || error instanceof DiskFull;
    if (!isFinal && (known?.attempt ?? 0) < MOST_ATTEMPTS - 2) {
      log.warn({ err: error, stream: id }, "an import failed, trying again");
      throw error;
    }
    const reason = reasonOf(error);
    log.warn({ err: error, stream: id, code: reason.code }, "no import");
    await records.change(id, (vod) =>
      isVodWanted(vod) && !vod.deleting
        ? {
            status: "error",
            error: reason,
            etaS: null,
            sameAs: error instanceof KnownAlready ? error.sameAs : null,
            stages: failed(vod.stages),
          }
        : null,
    );
    finished.inc({ outcome: reason.code });
    throw new UnrecoverableError(reason.detail);
  };

  const worker = new Worker<RecordJob>(
    VOD_QUEUE,
    async ({ data: { id } }: Job<RecordJob>) => {
      // After Redis was away a job may come again while it is still at work here: it is the same work.
      let one = working.get(id);
      if (one === undefined) {
        one = work(id).finally(() => working.delete(id));
        working.set(id, one);
      }
      await one;
    },
    {
      connection: connection.client,
      concurrency: atOnce + DELETIONS_AT_ONCE,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_EVERY_MS,
      maxStalledCount: MOST_STALLS,
    },
  );
  // What goes wrong is said where it happens; BullMQ repeats it here.
  worker.on("error", (error) => log.debug({ err: error }, "the queue"));

  let waiting = 0;
  let reconciling = false;
  const reconcile = async (): Promise<void> => {
    if (reconciling || !connection.isReady()) return;
    reconciling = true;
    try {
      const unfinished = (await records.all())
        .filter(isVodWanted)
        .toSorted((a, b) => a.createdAtMs - b.createdAtMs);
      waiting = unfinished.filter(({ id }) => !working.has(id)).length;
      // One that has a job already keeps it.
      for (const { id } of unfinished) if (!working.has(id)) await jobs.add(id);
    } catch (error) {
      log.debug({ err: error }, "could not look for streams without a job");
    } finally {
      reconciling = false;
    }
  };
  // At the start, and whenever Redis is back.
  connection.client.on("ready", () => void reconcile());
  const timer = setInterval(() => void reconcile(), options.reconcileEveryMs ?? RECONCILE_EVERY_MS);

  return {
    health: () => ({
      status: connection.isReady() ? "ok" : "degraded",
      reason: connection.isReady() ? null : "Redis is away: imports wait until it is back.",
      figures: { importing: working.size, waiting },
    }),
    async close() {
      clearInterval(timer);
      closing.abort(new Error("the process stops"));
      await Promise.allSettled(working.values());
      connection.close();
      await Promise.allSettled([worker.close(true), jobs.close()]);
    },
  };
}

class Stopped extends Error {}

function reasonOf(error: unknown): VodError {
  if (error instanceof ImportFailure) return error.error;
  if (error instanceof DiskFull)
    return {
      code: "disk_full",
      detail: "There is no room left for the stream's files.",
      action: "Free some space, then try again.",
    };
  return {
    code: "failed",
    detail: `The import failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, 400),
    action: "Try again; if it stays so, the log of the process imports says more.",
  };
}

/** The stage that ran has failed; where none ran, the first that waits. */
function failed(stages: Vod["stages"]): Vod["stages"] {
  const at = stages.some(({ state }) => state === "running")
    ? (state: string): boolean => state === "running"
    : (state: string, i: number): boolean =>
        state === "waiting" && i === stages.findIndex((stage) => stage.state === "waiting");
  return stages.map((stage, i) => (at(stage.state, i) ? { ...stage, state: "failed", etaS: null } : stage));
}

interface Slots {
  /** Resolves to what gives the slot back. */
  take(signal: AbortSignal): Promise<() => void>;
}

function createSlots(count: number): Slots {
  let free = count;
  const queue: (() => void)[] = [];
  return {
    async take(signal) {
      if (free > 0) free--;
      else
        await new Promise<void>((resolve, reject) => {
          const turn = (): void => resolve();
          queue.push(turn);
          signal.addEventListener(
            "abort",
            () => {
              const at = queue.indexOf(turn);
              if (at >= 0) queue.splice(at, 1);
              reject(new Error("stopped"));
            },
            { once: true },
          );
        });
      return () => {
        const next = queue.shift();
        if (next === undefined) free++;
        else next();
      };
    },
  };
}
