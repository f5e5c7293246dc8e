import { fnv1a } from "./fnv1a.ts";
import { loginFrom } from "./login.ts";

export interface Named {
  readonly login: string;
  /** As in `wantedChannel`. */
  readonly video: string | null;
  readonly chat: boolean;
}

const ADDRESS = /^(?:https?|file):\/\/\S+$/i;
const TWITCH = /^https?:\/\/(?:[\w-]+\.)?twitch\.tv\//i;
const LONGEST_ADDRESS = 2000;

/**
 * What a person names to be watched: a Twitch channel (login or link); the address of an HLS playlist or of a file (`file:///…`),
 * which is a channel of video alone; or `<channel>=<address>`, a Twitch channel with its picture from there. Null: none of these.
 */
export function namedChannel(text: string): Named | null {
  const bare = text.trim();
  const [, name = "", given = ""] = /^([^=/:?]+)=(.+)$/.exec(bare) ?? [];
  const login = loginFrom(name === "" ? bare : name);
  if (name !== "") return login !== null && isAddress(given) ? { login, video: given, chat: true } : null;
  if (isAddress(bare)) return { login: loginOfAddress(bare), video: bare, chat: false };
  return login === null ? null : { login, video: null, chat: true };
}

const isAddress = (text: string): boolean =>
  text.length <= LONGEST_ADDRESS &&
  ADDRESS.test(text) &&
  !TWITCH.test(text) &&
  URL.canParse(text) &&
  !hasPassword(text);

/** Who may look at the list of channels would read a name and a password in an address. */
export function hasPassword(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { username, password } = new URL(address);
  return username !== "" || password !== "";
}

/** Words that stand in every address, and say nothing. */
const COMMON =
  /^(?:(?:master|index|playlist|chunklist|live|stream|hls|video|media|main|manifest)\d*|m3u8|mp4|mkv|ts|webm|mov)$/;

/** A login for a channel of video alone: what is telling in the address, and four characters that are its own. */
function loginOfAddress(address: string): string {
  const { hostname, pathname } = new URL(address);
  const words = decoded(pathname)
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !COMMON.test(word));
  const telling = words.at(-1) ?? hostname.split(".").at(-2) ?? "video";
  const own = fnv1a(address).toString(36).padStart(4, "0").slice(-4);
  return `${telling.replace(/[^a-z0-9]/g, "").slice(0, 20) || "video"}_${own}`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
