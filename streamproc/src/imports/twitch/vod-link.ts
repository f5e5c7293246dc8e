/** A video on Twitch as somebody pastes it. */
export interface VodLink {
  /** Twitch's number of the video. */
  readonly id: string;
  /** Seconds from the start that the link points at. */
  readonly atS: number;
}

const PATH = /^\/(?:videos|\w{1,25}\/v(?:ideo)?)\/v?(\d{1,20})\/?$/;
const HOST = /^(?:(?:www|m|go)\.)?twitch\.tv$/;

/** `twitch.tv/videos/N`, `twitch.tv/<login>/v/N`, `player.twitch.tv/?video=N`, each with `t=1h2m3s`. Null: no video of Twitch's. */
export function vodLink(text: string): VodLink | null {
  const given = text.trim();
  const address = /^https?:\/\//i.test(given) ? given : `https://${given}`;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const host = url.hostname.toLowerCase();
  const id =
    host === "player.twitch.tv"
      ? /^v?(\d{1,20})$/.exec(url.searchParams.get("video") ?? "")?.[1]
      : HOST.test(host)
        ? PATH.exec(url.pathname)?.[1]
        : undefined;
  if (id === undefined) return null;
  const at = /^(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s?)?$/.exec(url.searchParams.get("t") ?? "");
  return {
    id,
    atS: at === null ? 0 : Number(at[1] ?? 0) * 3600 + Number(at[2] ?? 0) * 60 + Number(at[3] ?? 0),
  };
}
