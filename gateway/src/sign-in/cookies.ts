import { ABSOLUTE_MS } from "./sessions.ts";

/**
 * The session's cookie is SameSite=Strict: nobody else's page makes a browser send it, not even by a link. Behind https under a known address it
 * is `__Host-`: no neighbouring subdomain can plant one of its own.
 */
const SESSION = "hypecast_session";
const nameOf = (isHost: boolean): string => (isHost ? `__Host-${SESSION}` : SESSION);

/** The session's id among what a browser sent; null: none, or none of ours. */
export function cookieIn(cookie: string, isHost: boolean): string | null {
  return new RegExp(`(?:^|;\\s*)${nameOf(isHost)}=([\\w-]{43})(?:;|$)`).exec(cookie)?.[1] ?? null;
}

/** Any cookie's value; null: there is none. */
export function cookieOf(cookie: string, name: string): string | null {
  for (const pair of cookie.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

export const sessionCookie = (id: string, secure: boolean, isHost: boolean): string =>
  written(nameOf(isHost), id, { seconds: ABSOLUTE_MS / 1000, site: "Strict", path: "/", secure });
export const clearCookie = (secure: boolean, isHost: boolean): string =>
  written(nameOf(isHost), "", { seconds: 0, site: "Strict", path: "/", secure: secure || isHost });

export const written = (
  name: string,
  value: string,
  { seconds, site, path, secure }: { seconds: number; site: "Strict" | "Lax"; path: string; secure: boolean },
): string =>
  `${name}=${value}; Path=${path}; HttpOnly; SameSite=${site}; Max-Age=${seconds}${secure ? "; Secure" : ""}`;
