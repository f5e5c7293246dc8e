import { parseArgs } from "node:util";
import { run } from "@hypecast/runtime/run.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { serveMetrics } from "@hypecast/runtime/metrics.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import { countChatters } from "./chatters.ts";
import { answers } from "./questions/index.ts";
import { serveQuestions } from "./questions/serve.ts";
import { createDatabase, migrate } from "./migrate.ts";
import { sinkHealth } from "./sink/health.ts";
import { keepRetention } from "./retention.ts";
import { Sink } from "./sink/sink.ts";
import { watchStore } from "./store-health.ts";
import { openStore } from "./store.ts";
import { untilTheStoreIs } from "./until-ready.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });
if (values.only !== undefined && !["sink", "questions"].includes(values.only))
  throw new Error(`--only ${values.only}: it is sink or questions`);

/** The only one that talks to ClickHouse: brings the log into it, and answers questions from it. */
await run("analytics", async ({ config, log, instance, signal, own }) => {
  const nc = own(await connectBus(config, "analytics"));
  await ensureStreams(nc, config.HYPECAST_NATS_REPLICAS);
  own(serveMetrics(nc, "analytics", instance));
  const bare = own(openStore(config, { database: false }));
  const store = own(openStore(config));

  const prepared = untilTheStoreIs(signal, log, async () => {
    await createDatabase(bare, config);
    await migrate(store, config, log);
  });
  if (values.only !== "questions") {
    const sinks = (["INPUT", "FOLD", "JOURNAL", "DEAD"] as const).map((stream) =>
      own(new Sink(nc, store, config, log, stream)),
    );
    void prepared.done.then(() => sinks.forEach((sink) => sink.start()));
    own(countChatters(store, log, prepared.done));
    own(keepRetention(nc, store, config, log, prepared.done));
    own(reportHealth(nc, "sink", instance, () => sinkHealth(sinks, prepared.trouble())));
  }
  if (values.only !== "sink") {
    const questions = own(serveQuestions(nc, store, answers, log, prepared.trouble));
    own(reportHealth(nc, "questions", instance, () => questions.health()));
  }
  if (values.only !== "questions") {
    const watched = own(watchStore(store, log));
    own(reportHealth(nc, "store", instance, () => watched.health()));
  }
});
