import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { serveMetrics } from "@hypecast/runtime/metrics.ts";
import { run } from "@hypecast/runtime/run.ts";
import { startSources } from "./sources/index.ts";

await run("streamproc", async (part) => {
  const nc = await connectBus(part.config, "streamproc");
  part.own({ close: () => nc.close() });
  await ensureStreams(nc, part.config.HYPECAST_NATS_REPLICAS);
  part.own(serveMetrics(nc, "streamproc", part.instance));
  await startSources(part, nc);
});
