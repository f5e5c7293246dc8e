import { parseArgs } from "node:util";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { serveMetrics } from "@hypecast/runtime/metrics.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import { run } from "@hypecast/runtime/run.ts";
import { startMediaPart } from "./media/part.ts";
import { openPartitionLog } from "./partitions/log.ts";
import { joinMembers, type Members } from "./partitions/members.ts";
import { startProcessors } from "./partitions/processors.ts";
import { folds } from "./processors/index.ts";
import { liveTick } from "./processors/live.ts";
import { openScorer } from "./scorer/open.ts";
import { startSources } from "./sources/index.ts";

/** One of them with `--only`, all without. Any number of each may run, on any machine. */
const PARTS = ["sources", "processors", "media", "clips", "imports", "moderation"] as const;
const { values } = parseArgs({ options: { only: { type: "string" } } });
const wanted = (part: (typeof PARTS)[number]): boolean => values.only === undefined || values.only === part;
if (!PARTS.some(wanted)) throw new Error(`--only ${values.only}: it is one of ${PARTS.join(", ")}`);

await run("streamproc", async (part) => {
  const { config, instance, log: logger } = part;
  const nc = await connectBus(config, "streamproc");
  part.own({ close: () => nc.close() });
  const jsm = await ensureStreams(nc, config.HYPECAST_NATS_REPLICAS);
  part.own(serveMetrics(nc, "streamproc", instance));
  if (wanted("sources")) await startSources(part, nc);
  if (wanted("processors")) {
    const log = await openPartitionLog(nc, jsm);
    const scorer = part.own(
      await openScorer(
        config,
        folds.flatMap(({ model }) => model?.name ?? []),
      ),
    );
    const processors = startProcessors(nc, { log, folds, tick: liveTick, scorer, instance, logger });
    let members: Members | null = null;
    members = part.own(
      await joinMembers(nc, {
        bucket: "processors",
        id: instance,
        replicas: config.HYPECAST_NATS_REPLICAS,
        log: logger,
        changed: () => members !== null && processors.settle(members),
      }),
    );
    part.own(processors);
    processors.settle(members);
    part.own(reportHealth(nc, "processors", instance, () => processors.health()));
  }
  if (wanted("media")) await startMediaPart(part, nc, jsm);
  if (wanted("clips")) {
    // Libraries that draw and decode pictures: the other processes do not load them.
    const { startClips } = await import("./clips/clips.ts");
    await startClips(part, nc);
  }
  if (wanted("imports")) {
    const { startImports } = await import("./imports/imports.ts");
    await startImports(part, nc);
  }
  if (wanted("moderation")) {
    const { startModeration } = await import("./moderation/moderation.ts");
    await startModeration(part, nc, jsm);
  }
});
