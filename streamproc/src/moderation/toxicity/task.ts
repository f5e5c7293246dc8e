import { setTimeout as sleep } from "node:timers/promises";
import { LIVE_PARTITIONS } from "@hypecast/contracts/event.ts";
import { TOXIC_FROM, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { assign } from "../../partitions/assign.ts";
import { decode, type LogMessage } from "../../partitions/decode.ts";
import type { Members } from "../../partitions/members.ts";
import type { FoldInput } from "../../processors/fold.ts";
import { isPeoplesLine } from "../../processors/toxicity-spikes/peoples-line.ts";
import { seenOf, type LineToScore, type Toxicity } from "../../toxicity/classify.ts";
import { tokensOf } from "../../toxicity/normalise.ts";
import { Memories } from "./memories.ts";
import { bounded, scoresOf, unknownOf, type Pack } from "./pack.ts";
import type { ScoreLog } from "./score-log.ts";

/** Lines of one question to the model, of however many channels; fewer after an answer that came too late. */
const LINES_AT_ONCE = { least: 64, most: 1024 } as const;
/** Messages that wait for the model, of one partition. */
const WAITING_BOUND = 64;
const SCORE_WITHIN_MS = 2000;
/** What is older than this is not scored any more: nobody waits for it, and newer lines do. */
export const BEHIND_MS = 30_000;
/** Whoever begins further behind than this begins at BEHIND_MS: folds count lines without scores as unknown by themselves. */
const SKIP_MS = 300_000;
/** So much of the past is read again at the start, for its context alone. */
const WARM_MS = 20_000;
/** Scores on their way to the log, of all partitions. */
const UNACKNOWLEDGED_BOUND = 4096;
const RETRY_MS = 200;
/** What health speaks of. */
const OVER_MS = 10_000;
/** Beside the flagged lines, a message has these bytes at most. */
const REST_BYTES = 4096;

const lines = counter("toxicity_lines_total", "Lines by what the model said: toxic, other, unknown.", [
  "said",
]);
const unknown = counter("toxicity_unknown_total", "Lines that were not scored, by why.", ["why"]);
const batches = histogram("toxicity_batch_seconds", "From the lines of a question to their scores.");
const age = histogram("toxicity_age_seconds", "From the log storing a pack to its scores being on the log.");
const behindS = gauge("toxicity_behind_seconds", "Age of the pack that is being scored.");
const retries = counter("toxicity_publish_retries_total", "Scores that had to be published again.");

export interface ToxicityTask {
  /** Call whenever the members may have changed. */
  settle(members: Members): void;
  health(): Health;
  close(): Promise<void>;
}

const keys = Array.from({ length: LIVE_PARTITIONS }, (_, partition) => String(partition));

interface Waiting {
  readonly message: LogMessage;
  /** Read for its context alone: it was scored before. */
  readonly past: boolean;
}

/** One partition that is ours now. */
interface Owned {
  readonly partition: number;
  readonly stop: AbortController;
  readonly waiting: Waiting[];
  /** Resolved when there is room again. */
  room: (() => void) | null;
  /** Channels whose memory goes when the partition goes. */
  readonly channels: Set<string>;
  /** Sequences of packs whose scores are on their way, in order, and the last before them. */
  readonly flying: number[];
  through: number;
  /** The last pack that was taken. */
  newest: number;
}

/**
 * The task `toxicity`: every pack of live chat gets one `toxicity.scores` on the same log. Members share the partitions. At least once: a
 * member begins behind the last pack whose predecessors all have their scores; what is scored twice has the same id. A model that is away
 * gives "unknown" at once, by name; nothing is tried again.
 */
export function startToxicityTask(tools: {
  log: ScoreLog;
  toxicity: Toxicity;
  instance: string;
  logger: Pick<Logger, "info" | "warn">;
  nowMs?: () => number;
}): ToxicityTask {
  const { log, toxicity, logger, nowMs = Date.now } = tools;
  const owned = new Map<string, Owned>();
  const memories = new Memories();
  const recent: { at: number; lines: number; unknown: number; why: string | null }[] = [];
  const publishing = new Set<Promise<void>>();
  let known: Members | null = null;
  const closing = new AbortController();
  let behindMs = 0;
  let atOnce: number = LINES_AT_ONCE.most;
  let wake: (() => void) | null = null;

  function settle(members: Members): void {
    known = members;
    if (closing.signal.aborted) return;
    const alive = members.alive();
    const owners = alive === null ? new Map<string, string>() : assign(keys, alive);
    const others = (alive ?? []).filter((id) => id !== tools.instance);
    let moved = false;
    for (const key of keys) {
      const mine = owners.get(key) === tools.instance;
      const now = owned.get(key);
      if (!mine && now !== undefined) {
        drop(now);
        moved = true;
      }
      // Whoever held it until now says so until it has let go; two at once would only do the same work.
      if (mine && now === undefined && !others.some((id) => members.holds(id).includes(key))) {
        own(Number(key));
        moved = true;
      }
    }
    if (!moved) return;
    members.say([...owned.keys()]);
    logger.info({ partitions: owned.size, members: alive?.length ?? 0 }, "share of the lines to score");
  }

  function drop(partition: Owned): void {
    partition.stop.abort();
    partition.room?.();
    owned.delete(String(partition.partition));
    for (const channelId of partition.channels) memories.forget(channelId);
  }

  function own(partition: number): void {
    const mine: Owned = {
      partition,
      stop: new AbortController(),
      waiting: [],
      room: null,
      channels: new Set(),
      flying: [],
      through: 0,
      newest: 0,
    };
    owned.set(String(partition), mine);
    void (async () => {
      const { signal } = mine.stop;
      while (!signal.aborted)
        try {
          await read(mine, signal);
        } catch (error) {
          if (signal.aborted) return;
          logger.warn(
            { partition, err: error },
            "reading lines to score is interrupted; it goes on by itself",
          );
          await sleep(RETRY_MS);
        }
    })();
  }

  /** Fills `waiting` from where the log says that this partition is scored. */
  async function read(mine: Owned, signal: AbortSignal): Promise<void> {
    const from = await startOf(mine.partition);
    mine.waiting.length = 0;
    mine.flying.length = 0;
    mine.through = from.sequence;
    for await (const message of log.read(mine.partition, from.atMs - WARM_MS, signal)) {
      if (signal.aborted) return;
      const past = from.sequence > 0 ? message.seq <= from.sequence : message.storedAtMs < from.atMs;
      if (!past && mine.through === 0) mine.through = message.seq - 1;
      mine.waiting.push({ message, past });
      wake?.();
      if (mine.waiting.length >= WAITING_BOUND)
        await new Promise<void>((resolve) => {
          mine.room = resolve;
          if (signal.aborted) resolve();
        });
    }
  }

  async function startOf(partition: number): Promise<{ sequence: number; atMs: number }> {
    const through = await log.through(partition);
    const now = nowMs();
    if (through !== null && through.atMs > now - SKIP_MS) return through;
    if (through !== null)
      logger.warn(
        { partition, sinceMs: now - through.atMs },
        "nothing was scored for long; what is older than half a minute stays unknown",
      );
    return { sequence: 0, atMs: now - BEHIND_MS };
  }

  /** Takes what waits, a message of each partition in turn; past ones only feed the context. */
  function take(): Pack[] {
    const packs: Pack[] = [];
    let count = 0;
    for (let any = true; any && count < atOnce;) {
      any = false;
      for (const mine of owned.values()) {
        const next = mine.waiting.shift();
        if (next === undefined) continue;
        any = true;
        if (mine.room !== null && mine.waiting.length < WAITING_BOUND / 2) {
          mine.room();
          mine.room = null;
        }
        for (const { channelId, input } of decode(next.message).events) {
          mine.channels.add(channelId);
          if (input.type !== "lines") {
            remember(channelId, input);
            continue;
          }
          const people = input.lines.filter(isPeoplesLine);
          if (people.length === 0) continue;
          const { seq, storedAtMs } = next.message;
          const pack = { partition: mine.partition, sequence: seq, channelId, storedAtMs, lines: people };
          count += people.length;
          if (next.past) contextOf(pack);
          else {
            packs.push(pack);
            mine.flying.push(seq);
            mine.newest = seq;
          }
        }
      }
    }
    return packs;
  }

  /** Moderators' acts say something about what their target writes next. */
  function remember(channelId: string, input: FoldInput): void {
    const now = nowMs();
    if (input.type === "erase") memories.erase(channelId, input.erase.userId);
    else if (input.type === "moderation") {
      const { action, targetUserId, sentAtMs } = input.moderation;
      if (targetUserId !== undefined && (action === "timeout" || action === "ban" || action === "delete"))
        memories.of(channelId, now).acted(targetUserId, sentAtMs);
    } else if (input.type === "modEvent") {
      const { action, targetUserId, atMs } = input.event;
      if (targetUserId !== "" && (action === "timeout" || action === "ban" || action === "delete"))
        memories.of(channelId, now).acted(targetUserId, atMs);
    }
  }

  function contextOf(pack: Pack): LineToScore[] {
    const memory = memories.of(pack.channelId, nowMs());
    return pack.lines.map((line) => {
      const seen = seenOf(line);
      const tokens = tokensOf(line.text, seen.emotes);
      return { line, tokens, context: memory.see(seen, tokens) };
    });
  }

  async function scoreForGood(): Promise<void> {
    while (!closing.signal.aborted) {
      const packs = take();
      if (packs.length === 0) {
        behindMs = 0;
        if ([...owned.values()].some(({ waiting }) => waiting.length > 0)) continue;
        await new Promise<void>((resolve) => (wake = resolve));
        wake = null;
        continue;
      }
      behindMs = nowMs() - Math.min(...packs.map(({ storedAtMs }) => storedAtMs));
      behindS.set(behindMs / 1000);
      for (const [pack, scores] of await scorePacks(packs)) publish(pack, scores);
      while (publishing.size >= UNACKNOWLEDGED_BOUND) await Promise.race(publishing);
    }
  }

  /** In the order of the packs. Never rejects. */
  async function scorePacks(packs: readonly Pack[]): Promise<[Pack, ToxicityScores][]> {
    const now = nowMs();
    const fresh = new Set(packs.filter(({ storedAtMs }) => storedAtMs > now - BEHIND_MS));
    const asked = Array.from(fresh, contextOf);
    const began = performance.now();
    const scored = await toxicity.score(asked.flat(), SCORE_WITHIN_MS);
    if (fresh.size > 0) batches.observe((performance.now() - began) / 1000);
    if (scored.unknown === "late") atOnce = Math.max(LINES_AT_ONCE.least, atOnce / 2);
    else if (scored.unknown === null) atOnce = Math.min(LINES_AT_ONCE.most, atOnce * 2);
    if (scored.scores !== null)
      for (const { channelId, toxicity: chance, userId, sentAtMs } of scored.scores)
        if (chance >= TOXIC_FROM) memories.of(channelId, now).flag(userId, sentAtMs);
    let at = 0;
    return packs.map((pack) => {
      if (!fresh.has(pack)) return [pack, unknownOf(pack, "behind")];
      const count = pack.lines.length;
      const own = scored.scores?.slice(at, (at += count));
      if (own === undefined) return [pack, unknownOf(pack, scored.unknown ?? "scorer_down")];
      return [pack, bounded(scoresOf(pack, own, own[0]!.model), log.maxPayload - REST_BYTES)];
    });
  }

  /** Sends and forgets; a publish that fails is tried until it stands, or until the partition is another's. */
  function publish(pack: Pack, scores: ToxicityScores): void {
    count(scores);
    const mine = owned.get(String(pack.partition));
    if (mine === undefined) return;
    const sent = (async () => {
      for (;;)
        try {
          await log.publish(scores, mine.through);
          break;
        } catch (error) {
          if (mine.stop.signal.aborted) return;
          retries.inc();
          logger.warn(
            { partition: pack.partition, err: error },
            "scores did not reach the log; trying again",
          );
          await sleep(RETRY_MS);
        }
      age.observe(Math.max(0, nowMs() - pack.storedAtMs) / 1000);
      const place = mine.flying.indexOf(pack.sequence);
      if (place < 0) return; // reading has begun anew
      mine.flying.splice(place, 1);
      // All before the oldest that is on its way are there.
      mine.through = (mine.flying[0] ?? mine.newest + 1) - 1;
    })();
    publishing.add(sent);
    void sent.finally(() => publishing.delete(sent));
  }

  function count(scores: ToxicityScores): void {
    const toxic = scores.flagged.reduce(
      (sum, { toxicity: chance }) => sum + (chance >= TOXIC_FROM ? 1 : 0),
      0,
    );
    lines.inc({ said: "toxic" }, toxic);
    lines.inc({ said: "unknown" }, scores.unknown);
    lines.inc({ said: "other" }, scores.lines - scores.unknown - toxic);
    if (scores.unknown > 0) unknown.inc({ why: scores.why ?? "not_said" }, scores.unknown);
    recent.push({ at: performance.now(), lines: scores.lines, unknown: scores.unknown, why: scores.why });
  }

  const working = scoreForGood();
  return {
    settle,
    health() {
      const since = performance.now() - OVER_MS;
      recent.splice(0, recent.findIndex(({ at }) => at > since) >>> 0);
      const all = recent.reduce((sum, one) => sum + one.lines, 0);
      const missing = recent.reduce((sum, one) => sum + one.unknown, 0);
      const figures = {
        partitions: owned.size,
        channels: memories.size,
        linesPerS: Math.round(all / (OVER_MS / 1000)),
        unknownLines: missing,
        lagS: Math.round(behindMs / 100) / 10,
      };
      if (known?.alive() === null)
        return {
          status: "down",
          reason: "not connected to the log: no line is scored until it is back",
          figures,
        };
      if (missing === 0) return { status: "ok", reason: null, figures };
      const why = recent.findLast((one) => one.why !== null)?.why ?? "not_said";
      return {
        status: "degraded",
        reason: `${missing} of ${all} lines of the last 10 s are unknown: ${WHY[why] ?? why}`,
        figures,
      };
    },
    async close() {
      closing.abort();
      for (const mine of owned.values()) drop(mine);
      wake?.();
      await working;
      await Promise.race([Promise.allSettled(publishing), sleep(SCORE_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

const WHY: Readonly<Record<string, string>> = {
  scorer_down: "the model does not answer",
  late: "the model answers too late",
  bad_answer: "the model's answers make no sense",
  behind: "scoring was more than 30 s behind and has left out what is older",
  too_many: "too many flagged lines for one message",
};
