import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { OPERATOR, type Person } from "@hypecast/contracts/journal.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { FoundSession, Sessions } from "./sign-in/sessions.ts";
import { clearCookie, cookieIn, sessionCookie } from "./sign-in/cookies.ts";

const TOKEN_LENGTH = 20;
/** Wrong tokens that one client may send in ATTEMPT_WINDOW_MS before it has to wait. */
const ATTEMPTS = 10;
const ATTEMPT_WINDOW_MS = 60_000;
const ATTEMPTERS = 10_000;

/** What a request says of itself, as far as access goes. */
export interface Claim {
  readonly host: string;
  /** Empty where there is none (not a browser, or same-origin GET). */
  readonly origin: string;
  readonly authorization: string;
  readonly cookie: string;
  readonly client: string;
  /** Sec-Fetch-Site; empty where the client sends none. */
  readonly site: string;
}

/** Somebody who has come in. */
export interface Who {
  readonly person: Person;
  /** Null: by the token, or because this is their own machine. */
  readonly session: FoundSession | null;
}
export type Refusal = "wrong_host" | "unauthorized" | "too_many_requests";
export type SignIn = "none" | "token" | "twitch";

export interface Access {
  /** How people come in: `none` on one's own machine. */
  readonly signIn: SignIn;
  /** The token opens the door, too. */
  readonly byToken: boolean;
  who(claim: Claim): Who | Refusal;
  /** Who it is that came in with a session; null: it has ended. Open sockets are asked for again and again. */
  again(who: Who): Who | null;
  /** May a page of this origin write, or open the websocket? */
  originAllowed(claim: Pick<Claim, "host" | "origin" | "site">): boolean;
  /** The `Set-Cookie` value of a new session of the operator, or why there is none. */
  logIn(
    token: string,
    client: string,
    https: boolean,
  ): Promise<{ cookie: string } | "unauthorized" | "too_many_requests">;
  /** The `Set-Cookie` value of a new session of a person. The one that they came with ends. */
  begin(userId: string, cookie: string, https: boolean): Promise<string>;
  /** Forgets the session; resolves to the `Set-Cookie` value that clears it. */
  logOut(cookie: string, https: boolean): Promise<string>;
  /** Should the session get a new id now? */
  isDue(who: Who): boolean;
  /** The `Set-Cookie` value of the session's new id; null: another request has just got it. */
  renew(who: Who, https: boolean): Promise<string | null>;
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost") || bare === "::1" || bare === "::ffff:127.0.0.1")
    return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

export type AccessConfig = Pick<Config, "HYPECAST_HOST" | "HYPECAST_TOKEN" | "HYPECAST_ORIGINS"> &
  Partial<Pick<Config, "HYPECAST_SIGN_IN" | "HYPECAST_PUBLIC_URL">>;

/** What there is to know of people: without it nobody but the operator comes in, and with the token alone. */
export interface Known {
  readonly sessions: Sessions;
  /** Null: they have not signed in, or were disconnected. */
  readonly account: (userId: string) => { readonly userId: string; readonly login: string } | null;
  /** What a person may, in short: when it changes, their session gets a new id. */
  readonly markOf: (person: Person) => string;
  /** Keyed hash of a token: the operator's sessions end when the token is changed. */
  readonly hash: (text: string) => string;
}

/**
 * Who may come in. On loopback without a token and without sign-in everybody, but only under a loopback name: a page that rebinds its own
 * domain to 127.0.0.1 sends its own Host. Bound elsewhere a token or the sign-in with Twitch is needed, or this throws a sentence.
 */
export function createAccess(
  config: AccessConfig,
  known: Known | null = null,
  now: () => number = Date.now,
): Access {
  const token = config.HYPECAST_TOKEN;
  const byTwitch = config.HYPECAST_SIGN_IN === "twitch";
  const publicUrl = config.HYPECAST_PUBLIC_URL ?? "";
  if (token !== "" && token.length < TOKEN_LENGTH)
    throw new Error(
      `HYPECAST_TOKEN has ${token.length} characters: use at least ${TOKEN_LENGTH}, for example from: openssl rand -hex 24`,
    );
  if (!isLoopback(config.HYPECAST_HOST) && token === "" && !byTwitch)
    throw new Error(
      `HYPECAST_HOST=${config.HYPECAST_HOST} is reachable from other machines: set HYPECAST_TOKEN (at least ${TOKEN_LENGTH} characters) or HYPECAST_SIGN_IN=twitch, or bind to 127.0.0.1`,
    );
  const origins = new Set(
    [...config.HYPECAST_ORIGINS.split(","), publicUrl]
      .map((origin) => origin.trim().toLowerCase().replace(/\/$/, ""))
      .filter(Boolean),
  );
  const hosts = new Set([...origins].map((origin) => hostOf(origin)));
  const open = token === "" && !byTwitch;
  const alwaysHttps = publicUrl.startsWith("https:");

  const attempts = new Map<string, { untilMs: number; wrong: number }>();
  const tried = (client: string): { untilMs: number; wrong: number } => {
    const before = attempts.get(client);
    if (before !== undefined && before.untilMs > now()) return before;
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
    if (token !== "" && timingSafeEqual(digest(given), digest(token))) return "right";
    attempt.wrong++;
    return "unauthorized";
  };

  const tokenMark = known === null || token === "" ? "" : known.hash(token);
  const personOf = ({ session }: FoundSession): Person | null => {
    if (session.userId === "") return token !== "" && session.mark === tokenMark ? OPERATOR : null;
    const account = byTwitch ? (known?.account(session.userId) ?? null) : null;
    return account === null ? null : { kind: "twitch", userId: account.userId, login: account.login };
  };
  const whoIn = (session: FoundSession | null): Who | null => {
    const person = session === null ? null : personOf(session);
    return person === null ? null : { person, session };
  };
  const markOf = (person: Person): string =>
    person.kind === "twitch" ? (known?.markOf(person) ?? "") : tokenMark;
  const sessionIn = (cookie: string): FoundSession | null => {
    const id = cookieIn(cookie, alwaysHttps);
    return id === null ? null : (known?.sessions.find(id) ?? null);
  };
  const given = (id: string, https: boolean): string => sessionCookie(id, https || alwaysHttps, alwaysHttps);

  return {
    signIn: byTwitch ? "twitch" : token === "" ? "none" : "token",
    byToken: token !== "",
    who({ host, authorization, cookie, client }) {
      if (open)
        return isLoopback(nameOf(host)) || hosts.has(host.toLowerCase())
          ? { person: OPERATOR, session: null }
          : "wrong_host";
      const found = whoIn(sessionIn(cookie));
      if (found !== null) {
        if (found.session !== null) known?.sessions.touch(found.session);
        return found;
      }
      const bearer = /^Bearer\s+(.+)$/i.exec(authorization)?.[1];
      if (bearer === undefined || token === "") return "unauthorized";
      const checked = checkToken(bearer.trim(), client);
      return checked === "right" ? { person: OPERATOR, session: null } : checked;
    },
    again(who) {
      if (who.session === null) return who;
      const found = known?.sessions.follow(who.session.key) ?? null;
      if (found !== null) known?.sessions.touch(found);
      return whoIn(found);
    },
    originAllowed({ host, origin, site }) {
      // A browser that names no origin says at least whether it is another one's page.
      if (origin === "") return site !== "cross-site" && site !== "same-site";
      return hostOf(origin) === host.toLowerCase() || origins.has(origin.toLowerCase());
    },
    async logIn(text, client, https) {
      const checked = open ? "right" : checkToken(text, client);
      if (checked !== "right") return checked;
      if (known === null || open) return { cookie: clearCookie(https, alwaysHttps) };
      const id = await known.sessions.begin({ userId: "", mark: tokenMark });
      return { cookie: given(id, https) };
    },
    async begin(userId, cookie, https) {
      if (known === null) throw new Error("there are no sessions to begin");
      const before = sessionIn(cookie);
      if (before !== null) await known.sessions.end(before);
      const account = known.account(userId);
      const mark = account === null ? "" : markOf({ kind: "twitch", userId, login: account.login });
      return given(await known.sessions.begin({ userId, mark }), https);
    },
    async logOut(cookie, https) {
      const found = sessionIn(cookie);
      if (found !== null) await known?.sessions.end(found);
      return clearCookie(https, alwaysHttps);
    },
    isDue: ({ person, session }) =>
      session !== null && (known?.sessions.isDue(session, markOf(person)) ?? false),
    async renew({ person, session }, https) {
      if (session === null || known === null) return null;
      const id = await known.sessions.rotate(session, markOf(person));
      return id === null ? null : given(id, https);
    },
  };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

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
