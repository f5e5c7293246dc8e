import type { NatsConnection } from "@nats-io/transport-node";
import { isVodPartition, PARTITIONS } from "@hypecast/contracts/event.ts";
import type { HypeForecast } from "@hypecast/contracts/hype.ts";
import { liveSubject, type LiveTick } from "@hypecast/contracts/live.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import type { Fold } from "../processors/fold.ts";
import type { Scorer } from "../scorer/scorer.ts";
import { assign } from "./assign.ts";
import type { Members } from "./members.ts";
import { meters } from "./meters.ts";
import { startWorker, type Clock, type PartitionLog, type Worker } from "./worker.ts";

export interface ProcessorsOptions {
  readonly log: PartitionLog;
  readonly folds: readonly Fold[];
  readonly tick: (
    channelId: string,
    run: string,
    states: readonly unknown[],
    forecast: HypeForecast | null,
  ) => LiveTick | null;
  readonly scorer: Scorer | null;
  readonly instance: string;
  readonly logger: Logger;
}

export interface Processors {
  /** Call whenever the members may have changed. */
  settle(members: Members): void;
  health(): Health;
  /** Last commits, then nothing is owned any more. */
  close(): Promise<void>;
}

const TICK_MS = 100;
/** In silence a tick a second still says that the channel is alive. */
const QUIET_TICKS = 10;
/** Commits of this long are what health speaks of. */
const COMMITS_OVER_MS = 10_000;
const keys = Array.from({ length: PARTITIONS }, (_, p) => String(p));

const realClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
    }),
};

/**
 * Owns this process's share of the partitions, and sends the live ticks of their channels. A broken fold or checkpoint is an
 * unhandled rejection on purpose: the process ends and says why.
 */
export function startProcessors(nc: NatsConnection, options: ProcessorsOptions): Processors {
  const workers = new Map<string, Worker>();
  const leaving = new Set<Worker>();
  let known: Members | null = null;
  let closing = false;

  let commits: { at: number; ms: number }[] = [];
  const tools = {
    ...options,
    clock: realClock,
    committed: (ms: number) => void commits.push({ at: performance.now(), ms }),
  };
  const say = (): void =>
    known?.say([...new Set([...workers.keys(), ...[...leaving].map((w) => String(w.number))])]);

  function settle(members: Members): void {
    known = members;
    if (closing) return;
    const alive = members.alive();
    if (alive === null) {
      for (const worker of workers.values()) worker.drop();
      workers.clear();
      // Who goes on saying that it holds what it has dropped is waited for, and two that wait for one another wait for good.
      say();
      return;
    }
    const owners = assign(keys, alive);
    const others = alive.filter((id) => id !== options.instance);
    let moved = false;
    for (const key of keys) {
      const mine = owners.get(key) === options.instance;
      const worker = workers.get(key);
      if (!mine && worker !== undefined) {
        workers.delete(key);
        leaving.add(worker);
        void worker.release().finally(() => {
          leaving.delete(worker);
          say();
        });
        moved = true;
      }
      // Whoever held it until now says so until its last commit is done; a dead one is no member any more.
      if (mine && worker === undefined && !others.some((id) => members.holds(id).includes(key))) {
        workers.set(key, startWorker(Number(key), tools));
        moved = true;
      }
    }
    if (moved) {
      say();
      options.logger.info({ partitions: workers.size, members: alive.length }, "share of the partitions");
    }
  }

  let round = 0;
  const ticking = setInterval(() => {
    const all = round++ % QUIET_TICKS === 0;
    for (const worker of workers.values()) {
      const partition = worker.current();
      if (partition === null) continue;
      const { touched } = partition;
      // What is imported has happened long ago: nobody watches it live.
      if (!worker.behind() && !isVodPartition(worker.number))
        for (const id of all ? partition.channels.keys() : touched) {
          const channel = partition.channels.get(id);
          if (channel === undefined) continue;
          const tick = options.tick(id, worker.run(), channel.states, channel.forecast);
          if (tick === null) continue;
          nc.publish(liveSubject(id), JSON.stringify(tick));
          if (touched.has(id) && tick.newestReceivedAtMs !== null)
            meters.tickSeconds.observe(Math.max(0, Date.now() - tick.newestReceivedAtMs) / 1000);
        }
      touched.clear();
    }
  }, TICK_MS);

  return {
    settle,
    health() {
      let messages = 0;
      let seconds = 0;
      let channels = 0;
      for (const worker of workers.values()) {
        const lag = worker.lag();
        messages += lag.messages;
        seconds = Math.max(seconds, lag.seconds);
        channels += worker.current()?.channels.size ?? 0;
      }
      meters.owned.set(workers.size);
      meters.lagMessages.set(messages);
      meters.lagSeconds.set(seconds);
      const since = performance.now() - COMMITS_OVER_MS;
      commits = commits.filter(({ at }) => at > since);
      const slowest = commits.map(({ ms }) => ms).toSorted((a, b) => a - b);
      const figures = {
        partitions: workers.size,
        channels,
        lagMessages: messages,
        lagS: seconds,
        commitsPerS: commits.length / (COMMITS_OVER_MS / 1000),
        commitP99Ms: slowest[Math.floor(slowest.length * 0.99)] ?? 0,
      };
      if (known?.alive() === null)
        return {
          status: "down",
          reason: "not connected to the log: nothing is counted until it is back",
          figures,
        };
      if (seconds > 5)
        return {
          status: "degraded",
          reason: `working off a backlog of ${messages} messages, ${seconds.toFixed(0)} s old; live values follow`,
          figures,
        };
      return { status: "ok", reason: null, figures };
    },
    async close() {
      closing = true;
      clearInterval(ticking);
      await Promise.all(
        [...workers.values(), ...leaving].map(async (worker) => worker.release().catch(() => undefined)),
      );
      workers.clear();
    },
  };
}
