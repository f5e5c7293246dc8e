import type { Vod } from "@hypecast/contracts/vod.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import { helixVideo } from "./twitch/helix-video.ts";
import { vodLink } from "./twitch/vod-link.ts";

/** What a Twitch link says of its stream; null: it is no link of Twitch's. What the record knows already goes before it. */
export async function knownOfLink(
  vod: Vod,
  url: string,
  config: Config,
  signal: AbortSignal,
): Promise<Partial<Vod> | null> {
  const link = vodLink(url);
  if (link === null) return null;
  const video = await helixVideo(config, link.id, signal);
  if (video === null) return { twitchId: link.id };
  const { title, broadcaster, startMs, durationS } = video;
  return {
    twitchId: link.id,
    title: vod.title !== "" ? vod.title : title,
    broadcaster,
    durationS,
    ...(startMs === null || vod.startKnown ? {} : { startMs, startKnown: true }),
  };
}
