import { readConfig } from "@hypecast/runtime/config.ts";
import { openStore } from "../../store.ts";
import { openEmbedder } from "../embed/open.ts";
import { coverageOf, missing } from "./vectors.ts";

/**
 * What it would cost to embed all that is stored with the model of the present settings; nothing is sent. Run with the settings that are being thought of:
 * `HYPECAST_EMBED=https://api.openai.com/v1 HYPECAST_EMBED_PRICE=0.02 node analytics/src/oracle/index/estimate.ts`
 */
const SAMPLED = 500;
const signal = AbortSignal.timeout(60_000);
const config = readConfig(process.env);
const store = openStore(config);
const { embedder } = await openEmbedder(config);
const channels = await coverageOf(store, embedder.model, null, signal);
const without = channels.reduce((sum, { chunks, embedded }) => sum + chunks - embedded, 0);
const texts: string[] = [];
for (const { channelId, chunks, embedded } of channels)
  if (texts.length < SAMPLED && embedded < chunks)
    for (const { passage } of await missing(store, embedder.model, { channelId }, SAMPLED, signal))
      texts.push(passage);
const { tokens, usd } = embedder.estimate(texts);
const share = texts.length === 0 ? 0 : without / texts.length;
const [, tokensPerMin = 1] = config.HYPECAST_EMBED_LIMITS.split("/").map(Number);
console.log(
  JSON.stringify({
    model: embedder.model,
    chunks: channels.reduce((sum, one) => sum + one.chunks, 0),
    withoutVector: without,
    tokens: Math.round(tokens * share),
    usd: usd === null ? null : Number((usd * share).toFixed(4)),
    /** At the settings' limit of tokens a minute. */
    minutesAtLeast: Math.ceil((tokens * share) / tokensPerMin),
  }),
);
await embedder.close();
await store.close();
