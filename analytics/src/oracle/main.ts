import { run } from "@hypecast/runtime/run.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { serveMetrics } from "@hypecast/runtime/metrics.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import { serveQuestions } from "../questions/serve.ts";
import { openStore } from "../store.ts";
import { untilTheStoreIs } from "../until-ready.ts";
import { openDesk } from "./answers/desk.ts";
import { openLlm } from "./answers/llm.ts";
import { alikeBy } from "./embed/alike.ts";
import { openEarlier, openEmbedder } from "./embed/open.ts";
import { openStatic } from "./embed/static.ts";
import { togetherHealth } from "./health.ts";
import { ChunkIndex } from "./index/chunk-index.ts";
import { ModelsBook } from "./index/models.ts";
import { answerSearch, lookingWith, warmUp } from "./search/looking.ts";
import { openStreams } from "./search/streams.ts";
import { keepWordIndex } from "./search/word-index.ts";

/** Searches at work at once; each reads some thousand lines. */
const SEARCHES_AT_ONCE = 8;

/** Finds a moment from a sentence: keeps the indexes of what chat said, and answers from them. Any number of these may run. */
await run("oracle", async ({ config, log, instance, signal, own }) => {
  const nc = own(await connectBus(config, "oracle"));
  await ensureStreams(nc, config.HYPECAST_NATS_REPLICAS);
  own(serveMetrics(nc, "oracle", instance));
  const store = own(openStore(config));
  // The process `analytics` brings the tables.
  const { done, trouble } = untilTheStoreIs(signal, log, async () => {
    await store.command({ query: "SELECT channelId FROM chunk_lengths LIMIT 0" });
  });
  const meaning = own(
    await ChunkIndex.open({
      ...{ store, log, instance },
      book: await ModelsBook.open(nc, config.HYPECAST_NATS_REPLICAS),
      present: await openEmbedder(config),
      openBefore: (spec) => openEarlier(spec, config),
    }),
  );
  void done.then(() => meaning.start());
  // Single lines are always compared here: they are many, and asking an endpoint about them would take its time and cost.
  const parts = { store, streams: await openStreams(nc), meaning, alike: alikeBy(openStatic()) };
  void done.then(() => warmUp(parts, signal));
  const words = own(keepWordIndex(store, log, trouble));
  const searches = own(
    serveQuestions(nc, store, [answerSearch(parts)], log, trouble, Date.now, SEARCHES_AT_ONCE),
  );
  const desk = own(await openDesk(nc, { looking: lookingWith(parts), llm: openLlm(config), log }));
  own(reportHealth(nc, "oracle", instance, () => togetherHealth({ words, meaning, searches, desk })));
});
