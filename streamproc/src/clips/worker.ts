import { UnrecoverableError, Worker, type Job } from "bullmq";
import { CLIP_QUEUE, type Clip, type ClipError } from "@hypecast/contracts/clip.ts";
import { connectJobs, openClipJobs, type RecordJob } from "@hypecast/runtime/jobs.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { ClipFailure } from "./failure.ts";
import type { ClipRecords } from "./records.ts";
import type { Rendered } from "./render.ts";

/** A worker that is dead or cut off from Redis loses its job after this, and another one takes it. */
const LOCK_MS = 6000;
const STALLED_EVERY_MS = 3000;
/** BullMQ gives a job up after so often; the record's own count ends a clip that kills its worker. */
const MOST_STALLS = 10;
const MOST_ATTEMPTS = 5;
/** Records without a job (Redis has forgotten, or never heard of it) are found this soon. */
const RECONCILE_EVERY_MS = 10_000;
/** Progress is written so often at most. */
const TELL_EVERY_MS = 1000;
/** Instant cuts do not wait for renderings, which take minutes. */
const COPIES_AT_ONCE = 3;

const finished = counter("clips_total", "Clips by what became of them: ready, cancelled, or why not.", [
  "outcome",
]);

/** Makes the files; everything else about a clip's job is here. */
export type Render = (
  clip: Clip,
  signal: AbortSignal,
  tell: (stage: Clip["stage"], progress: number) => void,
) => Promise<Rendered>;

export interface ClipWorkerOptions {
  readonly redisUrl: string;
  readonly records: ClipRecords;
  readonly objects: Objects;
  readonly render: Render;
  /** Makes a clip on Twitch as well and resolves to its address; null: it does not. */
  readonly onTwitch: (clip: Clip) => Promise<string | null>;
  /** Renderings at a time. */
  readonly atOnce: number;
  readonly log: Logger;
  /** For tests. */
  readonly reconcileEveryMs?: number;
}

export interface ClipWorker {
  health(): Health;
  close(): Promise<void>;
}

/**
 * Takes clips' jobs from the queue. The record says what a clip is and how far it has come; a job only says that somebody should look. So a job that runs twice,
 * late or for nothing changes nothing, and one that is lost is added again.
 */
export function startClipWorker(options: ClipWorkerOptions): ClipWorker {
  const { redisUrl, records, objects, render, onTwitch, atOnce, log } = options;
  const closing = new AbortController();
  const jobs = openClipJobs(redisUrl, log);
  const connection = connectJobs(redisUrl, log);
  const making = new Map<string, Promise<void>>();
  const slots = createSlots(atOnce);

  const make = async (id: string): Promise<void> => {
    const known = await records.get(id);
    if (known === null || (known.state !== "queued" && known.state !== "running")) return;
    const free = known.cut === "instant" ? () => undefined : await slots.take(closing.signal);
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, closing.signal]);
    let watching: { close(): void } | null = null;
    try {
      const started = await records.change(id, (clip) =>
        isWanted(clip)
          ? {
              state: "running",
              stage: "segments",
              progress: 0,
              etaS: null,
              error: null,
              attempt: clip.attempt + 1,
            }
          : null,
      );
      if (started === null || !isWanted(started)) return;
      if (started.attempt > MOST_ATTEMPTS)
        throw new ClipFailure(
          "crashed",
          `Rendering this clip ended ${MOST_ATTEMPTS} times without a result.`,
          "Try a shorter span, then tell us what was in it.",
        );
      watching = records.watch(id, (clip) => {
        if (clip === null || !isWanted(clip)) stop.abort(new Cancelled());
      });
      if (started.attempt === 1) void alsoOnTwitch(started);
      const rendered = await render(started, signal, teller(id));
      const ready = await records.change(id, (clip) =>
        isWanted(clip)
          ? {
              ...rendered,
              state: "ready",
              stage: null,
              progress: 1,
              etaS: 0,
              error: null,
              readyAtMs: Date.now(),
            }
          : null,
      );
      if (ready?.state === "ready") finished.inc({ outcome: "ready" });
      else await forget(id);
    } catch (error) {
      if (closing.signal.aborted) throw error;
      if (!(error instanceof Cancelled)) {
        await fail(id, error);
        return;
      }
      await forget(id);
      finished.inc({ outcome: "cancelled" });
    } finally {
      watching?.close();
      free();
    }
    // Cancelled and asked for again while it was being stopped.
    if ((await records.get(id))?.state === "queued") throw new Error("asked for again");
  };

  /** What is wrong for good goes into the record; of anything else the queue tries again, and the record says so at the end. */
  const fail = async (id: string, error: unknown): Promise<void> => {
    const known = await records.get(id);
    const isLast = (known?.attempt ?? 0) >= MOST_ATTEMPTS - 2;
    if (!(error instanceof ClipFailure) && !isLast) {
      log.warn({ err: error, clip: id }, "a clip failed, trying again");
      throw error;
    }
    const reason: ClipError =
      error instanceof ClipFailure
        ? error.error
        : {
            code: "failed",
            detail: `Rendering failed: ${error instanceof Error ? error.message : String(error)}`.slice(
              0,
              400,
            ),
            action: "Try again; if it stays so, the log of the process clips says more.",
          };
    log.warn({ err: error, clip: id, code: reason.code }, "no clip");
    await records.change(id, (clip) =>
      isWanted(clip)
        ? { state: "failed", stage: null, etaS: null, files: [], thumbKey: null, error: reason }
        : null,
    );
    await forget(id);
    finished.inc({ outcome: reason.code });
    throw new UnrecoverableError(reason.detail);
  };

  const alsoOnTwitch = async (clip: Clip): Promise<void> => {
    try {
      const twitchUrl = await onTwitch(clip);
      if (twitchUrl !== null) await records.change(clip.id, () => ({ twitchUrl }));
    } catch (error) {
      log.warn({ err: error, clip: clip.id }, "no clip on Twitch");
    }
  };

  const forget = async (id: string): Promise<void> => {
    for await (const { key } of objects.list(`clips/${id}/`)) await objects.remove(key);
  };

  /** Writes how far a clip has come, not more often than a person can see, and never after its end. */
  const teller = (id: string): ((stage: Clip["stage"], progress: number) => void) => {
    const startedMs = performance.now();
    let writtenMs = -Infinity;
    let writtenStage: Clip["stage"] = null;
    let writing = false;
    return (stage, progress) => {
      const nowMs = performance.now();
      if (writing || (stage === writtenStage && nowMs - writtenMs < TELL_EVERY_MS)) return;
      writing = true;
      writtenMs = nowMs;
      writtenStage = stage;
      const spentS = (nowMs - startedMs) / 1000;
      const etaS = progress > 0.15 ? Math.ceil((spentS / progress) * (1 - progress)) : null;
      records
        .change(id, (clip) =>
          clip.state === "running" ? { stage, progress: Math.round(progress * 1000) / 1000, etaS } : null,
        )
        .catch((error: unknown) => log.debug({ err: error }, "progress was not written"))
        .finally(() => {
          writing = false;
        });
    };
  };

  const worker = new Worker<RecordJob>(
    CLIP_QUEUE,
    async ({ data: { id } }: Job<RecordJob>) => {
      // After Redis was away a job may come again while it is still being made here: it is the same work.
      let work = making.get(id);
      if (work === undefined) {
        work = make(id).finally(() => making.delete(id));
        making.set(id, work);
      }
      await work;
    },
    {
      connection: connection.client,
      concurrency: atOnce + COPIES_AT_ONCE,
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
      const unfinished = (await records.all()).filter(isWanted).sort((a, b) => a.createdAtMs - b.createdAtMs);
      waiting = unfinished.filter(({ state }) => state === "queued").length;
      // One that has a job already keeps it.
      for (const { id } of unfinished) if (!making.has(id)) await jobs.add(id);
    } catch (error) {
      log.debug({ err: error }, "could not look for clips without a job");
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
      reason: connection.isReady() ? null : "Redis is away: clips wait until it is back.",
      figures: { making: making.size, waiting },
    }),
    async close() {
      clearInterval(timer);
      closing.abort(new Error("the process stops"));
      await Promise.allSettled(making.values());
      connection.close();
      await Promise.allSettled([worker.close(true), jobs.close()]);
    },
  };
}

class Cancelled extends Error {}

const isWanted = ({ state }: Clip): boolean => state === "queued" || state === "running";

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
          queue.push(resolve);
          signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
        });
      return () => {
        const next = queue.shift();
        if (next === undefined) free++;
        else next();
      };
    },
  };
}
