import type { NatsConnection } from "@nats-io/transport-node";
import { openJournal } from "@hypecast/runtime/journal.ts";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { openPeople } from "@hypecast/runtime/people.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { openRecords } from "../../clips/records.ts";
import { openPositions } from "../../imports/positions.ts";
import { askStore } from "../../imports/store.ts";
import { startEraser } from "./worker.ts";

/** The part of the process `moderation` that forgets people. */
export async function startErasing(part: Process, nc: NatsConnection): Promise<{ health(): Health }> {
  const { config, log } = part;
  const secret = openSecret(config);
  const eraser = part.own(
    startEraser(
      {
        nc,
        ask: askStore(nc),
        positions: await openPositions(nc, config.HYPECAST_NATS_REPLICAS),
        people: await openPeople(nc, secret),
        clips: await openRecords(nc, log),
        objects: openObjects(config),
        redisUrl: config.HYPECAST_REDIS_URL,
      },
      await openJournal(nc, secret),
      secret,
      log,
    ),
  );
  return { health: () => ({ status: "ok", reason: null, figures: { erasures: eraser.running() } }) };
}
