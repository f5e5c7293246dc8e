import { spawn, type ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { join } from "node:path";
import type { Logger } from "@hypecast/runtime/log.ts";
import { gstreamerEnv } from "./appsink.ts";
import { isolated } from "./isolation.ts";
import { mediaMeters as meters } from "./media-meters.ts";
import type { FramesChoice } from "./open-source.ts";
import type { Answer, Job, Outcome, Ready } from "./protocol.ts";

export interface WorkersOptions {
  readonly count: number;
  readonly frames: FramesChoice;
  readonly log: Pick<Logger, "info" | "warn">;
  /** A segment that takes longer is given up and its worker killed. */
  readonly deadlineMs?: number;
  /** A worker is replaced after this many segments, and when it holds more memory than this. */
  readonly recycleAfter?: number;
  readonly recycleAboveBytes?: number;
  /** Added to our own priority: higher gives way to others. */
  readonly nice?: number;
  /** The program of a worker; the tests have worse ones. */
  readonly file?: string;
}

/** Child processes that measure segments: whichever is free takes the next. */
export interface Workers {
  /** One at a time for each channel: the queue is never longer than there are channels. Never rejects until closed. */
  measure(job: Job): Promise<Outcome>;
  /** Who decodes; null until the first worker has said so. */
  decoder(): { decoder: string; version: string } | null;
  figures(): { workers: number; busy: number; waiting: number; restarts: number; recycled: number };
  pids(): number[];
  close(): Promise<void>;
}

const DEADLINE_MS = 20_000;
const RECYCLE_AFTER = 2000;
const RECYCLE_ABOVE_BYTES = 600_000_000;
/**
 * A segment is tried again after its worker has died, since it may not be to blame: a decoder that crashes is believed the second time, a
 * kill -9 (a person, the kernel short of memory) the tenth.
 */
const BLAME_MOST = 10;
const BLAME_CRASHED = 5;
const BLAME_KILLED = 1;
const START_AGAIN_MS = 500;
const WORDS_KEPT = 2000;

const NEEDED_MS = 60_000;

/** Workers that are started with the first job, and are gone when there has been none for a minute. */
export function openWhileNeeded(open: () => Workers): Pick<Workers, "measure" | "close"> {
  let workers: Workers | null = null;
  let under = 0;
  let timer: NodeJS.Timeout | null = null;
  const stop = async (): Promise<void> => {
    const stopping = workers;
    workers = null;
    await stopping?.close();
  };
  return {
    async measure(job) {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      under++;
      try {
        workers ??= open();
        return await workers.measure(job);
      } finally {
        if (--under === 0) timer = setTimeout(() => void stop(), NEEDED_MS);
      }
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await stop();
    },
  };
}

interface Order {
  job: Job;
  blame: number;
  resolve: (outcome: Outcome) => void;
}

interface Worker {
  child: ChildProcess;
  order: Order | null;
  done: number;
  timer: NodeJS.Timeout | null;
  timedOut: boolean;
  /** Ends on purpose. */
  leaving: boolean;
  startedAtMs: number;
}

/** Variables that a worker is given: enough to find its programs and libraries, nothing that is secret. */
const PASSED_ON = ["PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR"];

export function openWorkers(options: WorkersOptions): Workers {
  const { count, log } = options;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const file = options.file ?? join(import.meta.dirname, "worker.ts");
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  const waiting: Order[] = [];
  let decoder: { decoder: string; version: string } | null = null;
  let restarts = 0;
  let recycled = 0;
  let closed = false;

  function start(): void {
    if (closed) return;
    const [program, args] = isolated(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      file,
      options.frames,
    ]);
    const env: Record<string, string> = { ...gstreamerEnv, GST_REGISTRY_UPDATE: "no" };
    for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
    const child = spawn(program, args, {
      env,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    if (child.pid !== undefined && options.nice !== undefined)
      try {
        setPriority(child.pid, options.nice);
      } catch {
        // It is gone already.
      }
    const worker: Worker = {
      child,
      order: null,
      done: 0,
      timer: null,
      timedOut: false,
      leaving: false,
      startedAtMs: performance.now(),
    };
    workers.add(worker);
    let words = "";
    child.stderr?.on("data", (chunk: Buffer) => void (words = (words + chunk.toString()).slice(-WORDS_KEPT)));
    child.on("message", (message: Ready | Answer) => {
      if ("ready" in message) {
        decoder = message.ready;
        idle.push(worker);
        next();
      } else answered(worker, message);
    });
    child.once("error", (error) => void (words += error.message));
    child.once("close", (code, signal) => {
      workers.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
      if (worker.timer !== null) clearTimeout(worker.timer);
      const { order } = worker;
      if (order !== null) died(worker, order, signal === "SIGKILL" ? BLAME_KILLED : BLAME_CRASHED);
      if (closed) return;
      if (!worker.leaving) {
        restarts++;
        meters.restarts.inc({ reason: worker.timedOut ? "timeout" : "died" });
        log.warn({ code, signal, segment: order?.job.id, said: words.trim() }, "a media worker has died");
      }
      // One that dies at its start is not started again and again as fast as it dies.
      const lived = performance.now() - worker.startedAtMs;
      setTimeout(start, lived < START_AGAIN_MS ? START_AGAIN_MS : 0);
    });
  }

  function died(worker: Worker, order: Order, blame: number): void {
    order.blame += blame;
    if (worker.timedOut) order.resolve({ failed: "timeout", detail: `not measured within ${deadlineMs} ms` });
    else if (order.blame >= BLAME_MOST)
      order.resolve({ failed: "decoder_died", detail: "its workers die of it" });
    else waiting.unshift(order);
  }

  function answered(worker: Worker, answer: Answer): void {
    const { order } = worker;
    if (order === null || order.job.id !== answer.id) return;
    if (worker.timer !== null) clearTimeout(worker.timer);
    worker.order = null;
    worker.done++;
    meters.cpuSeconds.inc(answer.cpuMs / 1000);
    order.resolve(answer.outcome);
    const old = worker.done >= (options.recycleAfter ?? RECYCLE_AFTER);
    if (old || answer.rssBytes > (options.recycleAboveBytes ?? RECYCLE_ABOVE_BYTES)) {
      recycled++;
      meters.restarts.inc({ reason: old ? "age" : "memory" });
      // It has nothing under way and nothing to put in order.
      worker.leaving = true;
      worker.child.kill("SIGKILL");
    } else idle.push(worker);
    next();
  }

  function next(): void {
    while (idle.length > 0 && waiting.length > 0) {
      const worker = idle.shift()!;
      if (!worker.child.connected) continue;
      const order = waiting.shift()!;
      worker.order = order;
      worker.timer = setTimeout(() => {
        worker.timedOut = true;
        worker.child.kill("SIGKILL");
      }, deadlineMs);
      // Cannot be sent: it is dying, and `close` says what becomes of the order.
      worker.child.send(order.job, () => undefined);
    }
  }

  for (let i = 0; i < count; i++) start();
  return {
    measure: async (job) =>
      new Promise((resolve) => {
        waiting.push({ job, blame: 0, resolve });
        next();
      }),
    decoder: () => decoder,
    figures: () => ({
      workers: workers.size,
      busy: [...workers].filter(({ order }) => order !== null).length,
      waiting: waiting.length,
      restarts,
      recycled,
    }),
    pids: () => [...workers].flatMap(({ child }) => child.pid ?? []),
    async close() {
      closed = true;
      await Promise.all(
        [...workers].map(async ({ child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const gone = new Promise((resolve) => child.once("close", resolve));
          child.kill("SIGKILL");
          await gone;
        }),
      );
    },
  };
}
