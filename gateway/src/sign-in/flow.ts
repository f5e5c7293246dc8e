import { createHash } from "node:crypto";
import type { Account } from "@hypecast/contracts/account.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import type { HelixModeration } from "@hypecast/runtime/twitch/helix.ts";
import type { TwitchId } from "@hypecast/runtime/twitch/id.ts";
import { BROADCAST_SCOPES, LOOK_SCOPES, MODERATE_SCOPES } from "@hypecast/runtime/twitch/scopes.ts";
import { sealTokens } from "@hypecast/runtime/twitch/tokens.ts";
import type { Access, Claim } from "../access.ts";
import type { Cache } from "../cache.ts";
import type { Reply, Request } from "../http.ts";
import { ProblemError } from "../problems.ts";
import type { Accounts } from "./accounts.ts";
import type { Audit } from "./audit.ts";
import { cookieOf, written } from "./cookies.ts";
import { revokeSealed } from "./disconnect.ts";
import { onwardPage, refusedPage, type Refused } from "./pages.ts";
import {
  beginPending,
  challengeOf,
  CONSENTS,
  openPending,
  PENDING_MS,
  sealPending,
  type Consent,
} from "./pending.ts";
import { CALLBACK, pathWithin, type SignInSettings } from "./settings.ts";

export const BEGIN = "/auth/twitch";
const PENDING_COOKIE = "hypecast_sign_in";
/** Nobody is asked for more than what they want to do needs. */
const SCOPES: Record<Consent, readonly string[]> = {
  me: [],
  look: LOOK_SCOPES,
  moderate: MODERATE_SCOPES,
  broadcast: BROADCAST_SCOPES,
};
const MINUTE_MS = 60_000;
/** From one address, behind which a whole team may be. */
const CALLBACKS_A_MINUTE = 60;
const READS_ROLES: string = LOOK_SCOPES[0];

export interface SignInServer {
  /** Answers /auth/…; throws ProblemError. */
  answer(request: Request, claim: Claim): Promise<Reply>;
}

export interface SignInParts {
  readonly settings: SignInSettings;
  readonly access: Access;
  readonly accounts: Accounts;
  readonly secret: Secret;
  readonly cache: Pick<Cache, "claim" | "count">;
  readonly id: TwitchId;
  readonly helix: Pick<HelixModeration, "users" | "moderatedChannels">;
  readonly audit: Audit;
}

/**
 * Signing in with Twitch: OAuth's code flow. What was begun is sealed in a cookie of the browser, which is SameSite=Lax because Twitch's page
 * leads back here: a Strict one would stay at home. The session that comes of it is Strict, so the way back ends on a page of ours that goes on by itself.
 */
export function serveSignIn(parts: SignInParts): SignInServer {
  const { settings, access, accounts, secret, cache, id, helix, audit } = parts;
  const pendingCookie = (value: string, seconds: number): string =>
    written(PENDING_COOKIE, value, { seconds, site: "Lax", path: BEGIN, secure: settings.secure });

  function begin(request: Request, claim: Claim): Reply {
    // The cookie must be set where Twitch leads back to.
    const host = new URL(settings.base).host;
    if (claim.host.toLowerCase() !== host)
      return leads(`${settings.base}${BEGIN}${request.query === "" ? "" : `?${request.query}`}`);
    const query = new URLSearchParams(request.query);
    const asked = query.get("for") ?? "look";
    const consent = CONSENTS.find((one) => one === asked);
    if (consent === undefined)
      throw new ProblemError("invalid_parameters", `for: one of ${CONSENTS.join(", ")}`);
    const next = pathWithin(settings.base, query.get("next") ?? "/");
    if (next === null) throw new ProblemError("invalid_parameters", "next: a path of this site");
    const pending = beginPending({ consent, next }, Date.now());
    return {
      ...leads(
        id.authorizeUrl({
          redirectUri: settings.redirectUri,
          scopes: SCOPES[consent],
          state: pending.state,
          codeChallenge: challengeOf(pending),
          forceVerify: query.get("switch") === "1",
        }),
      ),
      cookies: [pendingCookie(sealPending(secret, pending), PENDING_MS / 1000)],
    };
  }

  async function callback(request: Request, claim: Claim): Promise<Reply> {
    // Each one makes us ask Twitch, which would soon not answer anybody.
    if ((await cache.count(`sign-in:${claim.client}`, MINUTE_MS)) > CALLBACKS_A_MINUTE)
      throw new ProblemError("too_many_requests", "too many sign-ins from here; wait a minute", {
        "Retry-After": "60",
      });
    const query = new URLSearchParams(request.query);
    const refuse = async (reason: Refused, detail = "", who: Named | null = null): Promise<Reply> => {
      await audit.note({
        ...{ act: "sign_in_refused", person: who, client: claim.client, reason },
        detail: { said: detail.slice(0, 200) },
      });
      return { ...refusedPage(reason, request), cookies: [pendingCookie("", 0)] };
    };
    const state = query.get("state") ?? "";
    const pending = openPending(secret, cookieOf(claim.cookie, PENDING_COOKIE), state, Date.now());
    if (typeof pending === "string") return refuse(pending);
    const mark = createHash("sha256").update(state).digest("hex");
    if (!(await cache.claim(`sign-in:${mark}`, "used", PENDING_MS))) return refuse("used");
    const code = query.get("code") ?? "";
    if (code === "") return refuse("denied", query.get("error") ?? "");
    const tokens = await id.exchange(code, settings.redirectUri, pending.verifier);
    if (tokens.kind !== "ok")
      return refuse(isAway(tokens.kind) ? "twitch_away" : "code_refused", tokens.said);
    const valid = await id.validate(tokens.data.access);
    if (valid.kind !== "ok") return refuse(isAway(valid.kind) ? "twitch_away" : "other_client", valid.said);
    const { userId, login, scopes } = valid.data;
    const account = await accountFrom({ userId, login }, { ...tokens.data, scopes });
    await accounts.of.put(userId, account);
    const detail = { consent: pending.consent, scopes: account.scopes.join(" ") };
    const person = { userId, login };
    await audit.note({ act: "sign_in", person, client: claim.client, detail });
    if (pending.consent === "moderate" || pending.consent === "broadcast")
      await audit.note({ act: "connect", person, client: claim.client, detail });
    const session = await access.begin(userId, claim.cookie, settings.secure);
    return { ...onwardPage(pending.next, request), cookies: [session, pendingCookie("", 0)] };
  }

  /** What is to be kept of who has just signed in. */
  async function accountFrom({ userId, login }: Named, fresh: Fresh): Promise<Account> {
    const before = accounts.of.get(userId);
    const nowMs = Date.now();
    const [user, moderated] = await Promise.all([
      helix.users(fresh.access, [userId]),
      fresh.scopes.includes(READS_ROLES) ? helix.moderatedChannels(fresh.access, userId) : null,
    ]);
    const name = user.kind === "ok" ? (user.data[0]?.name ?? login) : (before?.name ?? login);
    const roles =
      moderated?.kind === "ok"
        ? { moderates: moderated.data, rolesAtMs: nowMs }
        : { moderates: before?.moderates ?? [], rolesAtMs: before?.rolesAtMs ?? 0 };
    const common = { userId, login, name, ...roles, problem: null, signedInAtMs: nowMs };
    const held = before?.tokens ?? null;
    // Who has allowed more before goes on with that: signing in to look does not take the moderating away.
    if (
      before !== null &&
      held !== null &&
      before.problem === null &&
      before.scopes.some((scope) => !fresh.scopes.includes(scope))
    ) {
      void id.revoke(fresh.access);
      const { scopes, expiresAtMs } = before;
      return { ...common, tokens: held, scopes, expiresAtMs };
    }
    // Where Twitch is away they end by themselves.
    if (held !== null) void revokeSealed(parts, held);
    return {
      ...common,
      tokens: sealTokens(secret, fresh),
      scopes: [...fresh.scopes],
      expiresAtMs: fresh.expiresAtMs,
    };
  }

  return {
    async answer(request, claim) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
      if (request.path === BEGIN) return begin(request, claim);
      if (request.path === CALLBACK) return callback(request, claim);
      throw new ProblemError("not_found", "people sign in at /auth/twitch");
    },
  };
}

type Named = Pick<Person, "userId" | "login">;
interface Fresh {
  readonly access: string;
  readonly refresh: string;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}

const isAway = (kind: string): boolean =>
  kind === "unavailable" || kind === "unknown" || kind === "rate_limited";

const leads = (to: string): Reply => ({
  status: 303,
  headers: { Location: to, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" },
});
