import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { isVodPartition, PARTITIONS, subjectFilter, subjectOf } from "@hypecast/contracts/event.ts";
import { shotScore, videoShots, type ShotScore, type VideoShot } from "@hypecast/contracts/shot.ts";
import { isPictureChannel, vodIdOf } from "@hypecast/contracts/vod.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { BadAnswer, Late, sizeOf, type Scorer } from "../scorer/scorer.ts";
import { shotPictures } from "./shot-pictures.ts";
import { signalsOf } from "./shot-rows.ts";

/** The model that turns a shot into scores: ours in models/, or one of the same name that an operator puts before it. */
export const SHOT_MODEL = "shot_score";
/** Nothing waits longer: the moments fold goes on without a score. */
const SCORE_WITHIN_MS = 2000;
const SHOTS_AT_ONCE = 32;
/** Imported streams have a queue of their own, so that no live shot stands behind them; nobody waits for theirs. */
const LIVE = { name: "score-shots", withinMs: SCORE_WITHIN_MS } as const;
const IMPORTED = { name: "score-shots-imported", withinMs: 30_000 } as const;
/** A shot whose scores were not written within this is somebody else's. */
const ACK_WITHIN_MS = 30_000;
const WAIT_MS = 1000;
const RETRY_MS = 500;

const scored = counter(
  "shots_scored_total",
  "Shots by what became of their score: scored, or why it is unknown.",
  ["outcome"],
);

export interface ScoreShots {
  close(): Promise<void>;
}

/**
 * The task `score-shots`: every shot on FOLD gets one `shot.score` on INPUT. All processes share one consumer, a shot is acknowledged
 * when its score is on the log, and the score's id is the shot's: whatever is done twice changes nothing. A scorer that is down,
 * late or wrong gives "unknown", at once and by name; nothing is tried again.
 */
export function startScoreShots(
  nc: NatsConnection,
  tools: { scorer: Scorer; objects: Objects; log: Logger },
): ScoreShots {
  const closing = new AbortController();
  const scoring = async (queue: typeof LIVE | typeof IMPORTED): Promise<void> => {
    while (!closing.signal.aborted)
      try {
        await scoreUntilClosed(nc, tools, queue, closing.signal);
      } catch (error) {
        if (closing.signal.aborted || nc.isClosed()) return;
        tools.log.warn({ err: error }, "scoring shots is interrupted; it goes on by itself");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
  };
  const done = Promise.all([scoring(LIVE), scoring(IMPORTED)]);
  return {
    async close() {
      closing.abort();
      await done;
    },
  };
}

async function scoreUntilClosed(
  nc: NatsConnection,
  tools: { scorer: Scorer; objects: Objects; log: Logger },
  queue: typeof LIVE | typeof IMPORTED,
  signal: AbortSignal,
): Promise<void> {
  const jsm = await jetstreamManager(nc);
  const wanted = {
    durable_name: queue.name,
    filter_subjects: Array.from({ length: PARTITIONS }, (_, partition) => partition)
      .filter((partition) => isVodPartition(partition) === (queue === IMPORTED))
      .map((partition) => subjectFilter(videoShots, partition)),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.New,
    ack_wait: nanos(ACK_WITHIN_MS),
    max_ack_pending: 4 * SHOTS_AT_ONCE,
  };
  // An older version's read all partitions.
  const known = await jsm.consumers.info("FOLD", queue.name).catch(() => null);
  if (known?.config.filter_subject !== undefined) await jsm.consumers.delete("FOLD", queue.name);
  await jsm.consumers.add("FOLD", wanted);
  const js = jetstream(nc);
  const consumer = await js.consumers.get("FOLD", queue.name);
  while (!signal.aborted) {
    const messages: JsMsg[] = [];
    for await (const message of await consumer.fetch({ max_messages: SHOTS_AT_ONCE, expires: WAIT_MS }))
      messages.push(message);
    const shots = messages
      .flatMap((message) => message.json<VideoShot[]>())
      .filter(({ channelId }) => vodIdOf(channelId) === null || isPictureChannel(channelId));
    for (let from = 0; from < shots.length; from += SHOTS_AT_ONCE)
      for (const score of await scoreShots(shots.slice(from, from + SHOTS_AT_ONCE), tools, queue.withinMs)) {
        scored.inc({ outcome: score.unknown ?? "scored" });
        await js.publish(subjectOf(shotScore, score.channelId), JSON.stringify(score), {
          msgID: `score:${score.id}`,
        });
      }
    for (const message of messages) message.ack();
  }
}

/** One score a shot, in their order; never rejects. */
export async function scoreShots(
  shots: readonly VideoShot[],
  { scorer, objects, log }: { scorer: Scorer; objects: Objects; log: Logger },
  withinMs = SCORE_WITHIN_MS,
): Promise<ShotScore[]> {
  const unknown = (shot: VideoShot, why: NonNullable<ShotScore["unknown"]>): ShotScore => ({
    ...headOf(shot),
    model: "none",
    action: null,
    quality: null,
    novelty: null,
    unknown: why,
  });
  try {
    const inputs = await scorer.inputs(SHOT_MODEL, withinMs);
    const frames = inputs.find(({ name }) => name === "frames");
    const signals = inputs.find(({ name }) => name === "signals");
    const pictures = await Promise.all(
      shots.map(async (shot) => (frames === undefined ? null : shotPictures(shot, frames, objects))),
    );
    // What a model without frames needs is there for every shot.
    const seen = shots.map((_, i) => i).filter((i) => frames === undefined || pictures[i] !== null);
    if (seen.length === 0) return shots.map((shot) => unknown(shot, "no_frames"));
    const rows: Record<string, Float32Array | Uint8Array> = {};
    if (frames !== undefined)
      rows["frames"] = joined(
        new Uint8Array(seen.length * sizeOf(frames)),
        seen.map((i) => pictures[i]!),
      );
    if (signals !== undefined)
      rows["signals"] = joined(
        new Float32Array(seen.length * sizeOf(signals)),
        seen.map((i) => signalsOf(shots[i]!)),
      );
    const answer = await scorer.score(SHOT_MODEL, rows, seen.length, withinMs);
    const model = scorer.version(SHOT_MODEL);
    const valueOf = (head: "action" | "quality" | "novelty", row: number): number | null => {
      const value = answer[head]?.[row];
      return value === undefined ? null : Math.min(1, Math.max(0, value));
    };
    return shots.map((shot, i) => {
      const row = seen.indexOf(i);
      if (row < 0) return unknown(shot, "no_frames");
      const [action, quality, novelty] = [
        valueOf("action", row),
        valueOf("quality", row),
        valueOf("novelty", row),
      ];
      return { ...headOf(shot), model, action, quality, novelty, unknown: null };
    });
  } catch (error) {
    log.warn({ err: error, shots: shots.length }, "shots are not scored");
    const why = error instanceof Late ? "late" : error instanceof BadAnswer ? "bad_answer" : "scorer_down";
    return shots.map((shot) => unknown(shot, why));
  }
}

const headOf = ({ id, channelId, startMs, endMs }: VideoShot) => ({ id, channelId, startMs, endMs });

function joined<Values extends Float32Array | Uint8Array>(
  whole: Values,
  parts: readonly ArrayLike<number>[],
): Values {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  if (at !== whole.length)
    throw new BadAnswer(`the model takes ${whole.length} values a batch, there are ${at}`);
  return whole;
}
