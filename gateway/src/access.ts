import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { Config } from "@hypecast/runtime/config.ts";

const TOKEN_LENGTH = 20;
const SESSION_HOURS = 24 * 30;
const SESSIONS = 1000;
/** Wrong tokens that one client may send in ATTEMPT_WINDOW_MS before it has to wait. */
const ATTEMPTS = 10;
const ATTEMPT_WINDOW_MS = 60_000;
const ATTEMPTERS = 10_000;
const COOKIE = "hypecast_session";

/** What a request says of itself, as far as access goes. */
export interface Claim {
  readonly host: string;
  /** Empty where there is none (not a browser, or same-origin GET). */
  readonly origin: string;
  readonly authorization: string;
  readonly cookie: string;
  readonly client: string;
}

export interface Access {
  /** True when a token is configured: everything but /health needs it. */
  readonly needed: boolean;
  /** Null: welcome. */
  refuse(claim: Claim): "wrong_host" | "unauthorized" | "too_many_requests" | null;
  /** May a page of this origin write, or open the websocket? */
  originAllowed(claim: Pick<Claim, "host" | "origin">): boolean;
  /** The `Set-Cookie` value of a new session, or why there is none. */
  logIn(
    token: string,
    client: string,
    secure: boolean,
  ): { cookie: string } | "unauthorized" | "too_many_requests";
  /** Forgets the session; returns the `Set-Cookie` value that clears it. */
  logOut(cookie: string): string;
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost") || bare === "::1" || bare === "::ffff:127.0.0.1")
    return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

/**
 * Who may come in. On loopback without a token everybody, but only under a loopback name: a page that rebinds its own
 * domain to 127.0.0.1 sends its own Host. Bound elsewhere a token is needed, or this throws a sentence.
 */
export function createAccess(
  config: Pick<Config, "HYPECAST_HOST" | "HYPECAST_TOKEN" | "HYPECAST_ORIGINS">,
  now: () => number = Date.now,
): Access {
  const token = config.HYPECAST_TOKEN;
  if (token !== "" && token.length < TOKEN_LENGTH)
    throw new Error(
      `HYPECAST_TOKEN has ${token.length} characters: use at least ${TOKEN_LENGTH}, for example from: openssl rand -hex 24`,
    );
  const loopback = isLoopback(config.HYPECAST_HOST);
  if (!loopback && token === "")
    throw new Error(
      `HYPECAST_HOST=${config.HYPECAST_HOST} is reachable from other machines: set HYPECAST_TOKEN (at least ${TOKEN_LENGTH} characters), or bind to 127.0.0.1`,
    );
  const origins = new Set(
    config.HYPECAST_ORIGINS.split(",")
      .map((origin) => origin.trim().toLowerCase().replace(/\/$/, ""))
      .filter(Boolean),
  );
  const hosts = new Set([...origins].map((origin) => hostOf(origin)));

  /** Opaque ids, of which only the hash is kept; oldest first. */
  const sessions = new Map<string, number>();
  const attempts = new Map<string, { untilMs: number; wrong: number }>();

  const tokenFits = (given: string): boolean => timingSafeEqual(digest(given), digest(token));
  const tried = (client: string): { untilMs: number; wrong: number } => {
    const known = attempts.get(client);
    if (known !== undefined && known.untilMs > now()) return known;
    const fresh = { untilMs: now() + ATTEMPT_WINDOW_MS, wrong: 0 };
    attempts.delete(client);
    attempts.set(client, fresh);
    const oldest = attempts.keys().next().value;
    if (attempts.size > ATTEMPTERS && oldest !== undefined) attempts.delete(oldest);
    return fresh;
  };
  /** Counts wrong tokens; one who has sent too many is not even compared. */
  const checkToken = (given: string, client: string): "right" | "unauthorized" | "too_many_requests" => {
    const attempt = tried(client);
    if (attempt.wrong >= ATTEMPTS) return "too_many_requests";
    if (tokenFits(given)) return "right";
    attempt.wrong++;
    return "unauthorized";
  };
  const sessionKey = (cookie: string): string | null => {
    const id = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{43})(?:;|$)`).exec(cookie)?.[1];
    return id === undefined ? null : digest(id).toString("base64");
  };

  return {
    needed: token !== "",
    refuse({ host, authorization, cookie, client }) {
      if (token === "")
        return isLoopback(nameOf(host)) || hosts.has(host.toLowerCase()) ? null : "wrong_host";
      const key = sessionKey(cookie);
      if (key !== null && (sessions.get(key) ?? 0) > now()) return null;
      const bearer = /^Bearer\s+(.+)$/i.exec(authorization)?.[1];
      if (bearer === undefined) return "unauthorized";
      const checked = checkToken(bearer.trim(), client);
      return checked === "right" ? null : checked;
    },
    originAllowed({ host, origin }) {
      if (origin === "") return true;
      return hostOf(origin) === host.toLowerCase() || origins.has(origin.toLowerCase());
    },
    logIn(given, client, secure) {
      const checked = token === "" ? "right" : checkToken(given, client);
      if (checked !== "right") return checked;
      const id = randomBytes(32).toString("base64url");
      sessions.set(digest(id).toString("base64"), now() + SESSION_HOURS * 3_600_000);
      const oldest = sessions.keys().next().value;
      if (sessions.size > SESSIONS && oldest !== undefined) sessions.delete(oldest);
      return { cookie: setCookie(id, SESSION_HOURS * 3600, secure) };
    },
    logOut(cookie) {
      const key = sessionKey(cookie);
      if (key !== null) sessions.delete(key);
      return setCookie("", 0, false);
    },
  };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const setCookie = (id: string, seconds: number, secure: boolean): string =>
  `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? "; Secure" : ""}`;

/** `https://a.example:8443` → `a.example:8443`, as a Host header would have it. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : "";
}
/** A Host header without its port. */
const nameOf = (host: string): string => host.replace(/:\d+$/, "");

/**
 * Who asks, for the limits. A proxy on this machine or a private network tells its client in X-Forwarded-For; anybody else
 * may write there what he likes, so it is not believed.
 */
export function clientOf(peer: string, forwardedFor: string): string {
  const told = forwardedFor.split(",").at(-1)?.trim() ?? "";
  return isIP(told) !== 0 && isPrivate(peer) ? told : peer;
}

function isPrivate(address: string): boolean {
  const bare = address.replace(/^(?:0{0,4}:){5}:?ffff:/i, "").replace(/^::ffff:/i, "");
  return (
    isLoopback(bare) ||
    /^(?:0000:){7}0001$/.test(bare) ||
    /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(bare)
  );
}
