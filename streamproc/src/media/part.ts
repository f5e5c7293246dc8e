import { availableParallelism } from "node:os";
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { joinMembers, type Members } from "../partitions/members.ts";
import { openScorer } from "../scorer/open.ts";
import { openCutModel } from "./cut-model.ts";
import { startMedia } from "./media.ts";
import { CUT_MODEL } from "./model-cuts.ts";
import { SHOT_MODEL, startScoreShots } from "./score-shots.ts";
import { openSegmentLog } from "./segment-log.ts";
import { openWhileNeeded, openWorkers } from "./workers.ts";

const MOST_WORKERS = 8;
const VOD_NICE = 10;
/** A segment of an imported stream is larger and nobody waits for it, but for machines that are busy otherwise it waits long. */
const VOD_DEADLINE_MS = 120_000;

/** The process `media`: measures segments in child processes, and has shots scored. */
export async function startMediaPart(
  part: Process,
  nc: NatsConnection,
  jsm: JetStreamManager,
): Promise<void> {
  const { config, instance, log: logger } = part;
  const objects = part.own(openObjects(config));
  const count = config.HYPECAST_MEDIA_WORKERS || Math.min(MOST_WORKERS, availableParallelism());
  const workers = part.own(openWorkers({ count, frames: config.HYPECAST_FRAMES, log: logger }));
  // Imported streams have workers of their own, which get what the live ones leave, and which are there only while there is work.
  const vodWorkers = part.own(
    openWhileNeeded(() =>
      openWorkers({
        ...{ count, frames: config.HYPECAST_FRAMES, log: logger },
        ...{ nice: VOD_NICE, deadlineMs: VOD_DEADLINE_MS },
      }),
    ),
  );
  const scorer = part.own(await openScorer(config, [SHOT_MODEL, CUT_MODEL]));
  const cutModel = part.own(await openCutModel(scorer, logger));
  const media = startMedia(nc, {
    ...{ log: openSegmentLog(nc, jsm), objects, workers, cutModel, instance, logger },
    vodWorkers: { workers: vodWorkers, atOnce: count },
    behindMostMs: config.HYPECAST_MEDIA_BEHIND_S === 0 ? Infinity : config.HYPECAST_MEDIA_BEHIND_S * 1000,
  });
  let members: Members | null = null;
  members = part.own(
    await joinMembers(nc, {
      bucket: "media",
      id: instance,
      replicas: config.HYPECAST_NATS_REPLICAS,
      log: logger,
      changed: () => members !== null && media.settle(members),
    }),
  );
  part.own(media);
  media.settle(members);
  part.own(startScoreShots(nc, { scorer, objects, log: logger }));
  part.own(reportHealth(nc, "media", instance, () => media.health()));
}
