import { resolve } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";
import type { EmbedSpec } from "../index/models.ts";
import type { Embedder } from "./embedder.ts";
import { openOpenAi } from "./openai.ts";
import { openSentenceTransformers } from "./sentence-transformers.ts";
import { openStatic } from "./static.ts";

const isUrl = (embed: string): boolean => /^https?:\/\//.test(embed);

/** The embedder that the settings name. Throws a sentence when a folder is not one; an endpoint may come up later. */
export async function openEmbedder(config: Config): Promise<{ spec: EmbedSpec; embedder: Embedder }> {
  const embed = config.HYPECAST_EMBED;
  const name = config.HYPECAST_EMBED_MODEL;
  const embedder = await opened(config, embed, name, config.HYPECAST_EMBED_KEY);
  return {
    spec: { embed: isUrl(embed) || embed === "static" ? embed : resolve(embed), name, model: embedder.model },
    embedder,
  };
}

/**
 * The embedder of earlier settings, whose vectors still answer; null: it is another model now, or its address wants a key that belongs to another one.
 */
export async function openEarlier(spec: EmbedSpec, config: Config): Promise<Embedder | null> {
  const sameHost =
    isUrl(spec.embed) &&
    isUrl(config.HYPECAST_EMBED) &&
    new URL(spec.embed).origin === new URL(config.HYPECAST_EMBED).origin;
  const embedder = await opened(config, spec.embed, spec.name, sameHost ? config.HYPECAST_EMBED_KEY : "");
  if (embedder.model === spec.model) return embedder;
  await embedder.close();
  return null;
}

async function opened(config: Config, embed: string, name: string, key: string): Promise<Embedder> {
  if (embed === "static") return openStatic();
  if (!isUrl(embed)) return openSentenceTransformers(embed);
  const [requestsPerMin = 0, tokensPerMin = 0] = config.HYPECAST_EMBED_LIMITS.split("/").map(Number);
  return openOpenAi({
    url: embed,
    name,
    key,
    usdPerMillion: config.HYPECAST_EMBED_PRICE === "" ? null : Number(config.HYPECAST_EMBED_PRICE),
    requestsPerMin,
    tokensPerMin,
    dimensions: config.HYPECAST_EMBED_DIMENSIONS === 0 ? null : config.HYPECAST_EMBED_DIMENSIONS,
  });
}
