import type { Config } from "../config.ts";

/** The sizes that a page may ask for, as multiples of 28 px. */
const SIZES = ["1x", "2x", "3x"] as const;

export interface Emote {
  readonly provider: "twitch" | "bttv" | "ffz" | "7tv";
  readonly id: string;
  readonly size: (typeof SIZES)[number];
}

/** What an id may look like with each provider: nothing that could leave the path. */
const IDS = {
  twitch: /^(?:\d{1,20}|emotesv2_[0-9A-Za-z]{1,64})$/,
  bttv: /^[0-9a-f]{24}$/,
  ffz: /^\d{1,12}$/,
  "7tv": /^[0-9A-Za-z]{24,26}$/,
} as const;

/** `/emotes/<provider>/<id>[/<size>]`, or null when it is not quite that. */
export function emoteOf(path: string): Emote | null {
  const [, folder, provider = "", id = "", size = "2x", ...rest] = path.split("/");
  if (folder !== "emotes" || rest.length > 0 || !Object.hasOwn(IDS, provider)) return null;
  const known = provider as Emote["provider"];
  const fitting = SIZES.find((one) => one === size);
  return fitting !== undefined && IDS[known].test(id) ? { provider: known, id, size: fitting } : null;
}

type Urls = Pick<Config, "TWITCH_EMOTE_URL" | "BTTV_CDN_URL" | "FFZ_CDN_URL" | "SEVENTV_CDN_URL">;

/** Where the image is: always under a configured address, the best first. */
export function addressesOf({ provider, id, size }: Emote, urls: Urls): string[] {
  const n = Number(size[0]);
  switch (provider) {
    case "twitch":
      return [`${urls.TWITCH_EMOTE_URL}/${id}/default/dark/${n}.0`];
    case "bttv":
      return [`${urls.BTTV_CDN_URL}/${id}/${size}.webp`, `${urls.BTTV_CDN_URL}/${id}/${size}`];
    case "ffz":
      // FrankerFaceZ has 1, 2 and 4; many emotes have 1 only.
      return [`${urls.FFZ_CDN_URL}/${id}/${n === 3 ? 4 : n}`, `${urls.FFZ_CDN_URL}/${id}/1`];
    case "7tv":
      return [`${urls.SEVENTV_CDN_URL}/${id}/${size}.webp`];
  }
}
