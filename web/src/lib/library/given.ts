/** What a person gives to be imported: links and files, sorted without opening any. */

export type Kind = "chat" | "video";

const VIDEO = /\.(?:mp4|m4v|mkv|mov|webm|ts|m2ts|mts|flv|avi|mpe?g|3gp|ogv)$/i;
/** Archives too: what lies inside is found out when it is read. */
const CHAT = /\.(?:jsonl?|ndjson|irc|log|txt|csv|tsv|gz|gzip|zst|zstd|zip|xml)$/i;

/** Null: neither its name nor its type tells; a person has to. */
export function kindOf({ name, type }: { name: string; type: string }): Kind | null {
  // A .ts is TypeScript to some systems and "video/vnd.dlna.mpeg-tts" to others: the name counts first.
  if (VIDEO.test(name)) return "video";
  if (CHAT.test(name)) return "chat";
  if (type.startsWith("video/")) return "video";
  if (/^(?:text\/|application\/(?:json|gzip|zip|zstd|x-gzip))/.test(type)) return "chat";
  return null;
}

/** What two files of one stream are likely to have in common: the longest number (Twitch's), else the name without endings. */
export function stemOf(name: string): string {
  const bare = name
    .toLowerCase()
    .replace(/(?:\.(?:[a-z0-9]{2,5}))+$/, "")
    .replace(/[\s._-]*(?:chat|video|vod|source|1080p60|1080p|720p60|720p|480p|360p)(?=$|[\s._-])/g, "");
  const number = bare.match(/\d{8,}/g)?.reduce((most, one) => (one.length > most.length ? one : most));
  return number ?? bare.replaceAll(/[\s._-]+/g, " ").trim();
}

/** One stream that is to be: where its chat and its picture stand in what was given. */
export interface Wanted<File> {
  chat: File | null;
  video: File | null;
}
export interface Arranged<File> {
  streams: Wanted<File>[];
  /** Files that could be either. */
  unknown: File[];
  /** A chat and a video stand apart that may belong together, or a file could be either: a person is asked. */
  ask: boolean;
}

/** Several files at once: a chat and a video of one name are one stream, everything else is a stream of its own. */
export function arrange<File extends { name: string; type: string }>(files: readonly File[]): Arranged<File> {
  const unknown = files.filter((file) => kindOf(file) === null);
  const videos = files.filter((file) => kindOf(file) === "video");
  const streams: Wanted<File>[] = [];
  for (const chat of files.filter((file) => kindOf(file) === "chat")) {
    const at = videos.findIndex((video) => stemOf(video.name) === stemOf(chat.name));
    const [video = null] = at < 0 ? [] : videos.splice(at, 1);
    streams.push({ chat, video });
  }
  const chatsAlone = streams.some(({ video }) => video === null);
  const ask = unknown.length > 0 || (chatsAlone && videos.length > 0);
  for (const video of videos) streams.push({ chat: null, video });
  return { streams, unknown, ask };
}

export interface GivenLink {
  url: string;
  kind: "twitch" | "playlist" | "other";
}

/** A link as it is pasted, with or without https. Null: it is none, or it leads to a channel rather than to a video. */
export function linkIn(text: string): GivenLink | null {
  const given = text.trim();
  if (/\s/.test(given) || given.length > 2000) return null;
  const url = /^https?:\/\//i.test(given)
    ? given
    : /^[\w-]+(?:\.[\w-]+)+[/?]/.test(given)
      ? `https://${given}`
      : null;
  if (url === null || !URL.canParse(url)) return null;
  const { hostname, pathname } = new URL(url);
  if (/(?:^|\.)twitch\.tv$/i.test(hostname))
    return /^\/(?:videos|\w+\/v(?:ideo)?)\/\d+/.test(pathname) ? { url, kind: "twitch" } : null;
  return { url, kind: /\.m3u8$/i.test(pathname) ? "playlist" : "other" };
}
