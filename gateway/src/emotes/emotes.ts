import type { Config } from "@hypecast/runtime/config.ts";
import { emoteOf } from "@hypecast/runtime/emotes/address.ts";
import { openEmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Reply, Request } from "../http.ts";
import * as measured from "../metrics.ts";
import { ProblemError } from "../problems.ts";

export interface Emotes {
  answer(path: string, request: Request): Promise<Reply>;
}

/** Emote images for the page, which itself never asks another site. An id never changes its image, so a browser may keep it for good. */
export function serveEmotes(config: Config, log: Logger): Emotes {
  const cache = openEmoteCache(config, log, (from) => measured.emotes.inc({ from }));
  return {
    async answer(path, request) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
      const emote = emoteOf(path);
      if (emote === null)
        throw new ProblemError("not_found", "an image is at /emotes/<twitch|bttv|ffz|7tv>/<id>[/<1x|2x|3x>]");
      const image = await cache.image(emote).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ProblemError("emote_unavailable", `the provider gave no image: ${reason.slice(0, 200)}`);
      });
      const etag = `"${cache.keyOf(emote).slice(0, 20)}"`;
      const headers = {
        "Content-Type": image.type,
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        ETag: etag,
      };
      if (request.header("if-none-match") === etag) return { status: 304, headers };
      return { status: 200, headers, body: image.bytes };
    },
  };
}
