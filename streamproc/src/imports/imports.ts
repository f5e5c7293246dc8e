import type { NatsConnection } from "@nats-io/transport-node";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { watchOptOuts } from "@hypecast/runtime/opt-outs.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { openFetcher, rulesOf } from "../sources/hls/fetch.ts";
import { forgetStream } from "./forget.ts";
import { importStream } from "./import-stream.ts";
import { openPositions } from "./positions.ts";
import { openVodRecords } from "./records.ts";
import { askStore } from "./store.ts";
import type { ImportTools } from "./tools.ts";
import { serveVodSegments } from "./video/on-demand.ts";
import { startImportWorker } from "./worker.ts";

/** The process `imports`: brings finished streams in, and takes them out. Any number may run, on any machine that has the store and the log. */
export async function startImports(part: Process, nc: NatsConnection): Promise<void> {
  const { config, instance, log } = part;
  const records = await openVodRecords(nc, log);
  const fetcher = part.own(openFetcher(rulesOf(config)));
  const tools: ImportTools = {
    nc,
    objects: openObjects(config),
    records,
    positions: await openPositions(nc, config.HYPECAST_NATS_REPLICAS),
    ask: askStore(nc),
    config,
    log,
    fetch: fetcher.fetch,
    optOuts: part.own(await watchOptOuts(nc, openSecret(config), log)),
  };
  const worker = part.own(
    startImportWorker({
      redisUrl: config.HYPECAST_REDIS_URL,
      records,
      make: (vod, told, signal) => importStream(vod, tools, told, signal),
      forget: (vod, signal) => forgetStream(vod, tools, signal),
      atOnce: config.HYPECAST_IMPORT_JOBS,
      log,
    }),
  );
  part.own(serveVodSegments(nc, { ...tools, sourceOf: (id) => records.get(id) }));
  part.own(reportHealth(nc, "imports", instance, () => worker.health()));
}
