import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import { openEmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { chatterHash } from "@hypecast/runtime/chatter.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { openRecords } from "./records.ts";
import { render } from "./render.ts";
import { createTwitchClip } from "./twitch-clip.ts";
import { startClipWorker } from "./worker.ts";
import { openWorkshop, sweepWorkshops } from "./workshop.ts";

const SWEEP_EVERY_MS = 3_600_000;

/** The process `clips`: renders what people ask for. Any number may run, on any machine that has the store and the log. */
export async function startClips(part: Process, nc: NatsConnection): Promise<void> {
  const { config, instance, log } = part;
  const objects = openObjects(config);
  const emotes = openEmoteCache(config, log);
  const records = await openRecords(nc, log);
  const secret = openSecret(config);
  const workshops = join(config.HYPECAST_DATA, "tmp", "clips");
  await mkdir(workshops, { recursive: true });
  const sweep = (): void => {
    sweepWorkshops(workshops, Date.now()).then(
      (removed) => removed > 0 && log.info({ removed }, "removed what dead renderings left"),
      (error: unknown) => log.warn({ err: error }, "could not remove what dead renderings left"),
    );
  };
  sweep();
  const sweeping = setInterval(sweep, SWEEP_EVERY_MS);
  part.own({ close: () => clearInterval(sweeping) });
  const tools = {
    ...{ nc, objects, emotes, threads: config.HYPECAST_CLIP_THREADS },
    layoutOf: (login: string) => records.layoutOf(login),
    nameOf: (login: string) => records.nameOf(login),
    chatterHash: (userId: string) => chatterHash(secret, userId),
  };
  const worker = part.own(
    startClipWorker({
      redisUrl: config.HYPECAST_REDIS_URL,
      records,
      objects,
      atOnce: config.HYPECAST_CLIP_JOBS,
      onTwitch: (clip) => createTwitchClip(config, clip, Date.now()),
      log,
      async render(clip, signal, tell) {
        const workshop = await openWorkshop(workshops, clip.id);
        try {
          return await render(clip, workshop.path, tools, signal, tell);
        } finally {
          await workshop.clear();
        }
      },
    }),
  );
  part.own(reportHealth(nc, "clips", instance, () => worker.health()));
}
