import type { Answer } from "./answer.ts";
import { signInAs, whoHasId, whoIs } from "./directory.ts";
import type { Grants } from "./grants.ts";
import { DEMO_CLIENT } from "./helix.ts";

/** The addresses that the demo's application has registered: its own machine, any port. */
const REGISTERED = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d{1,5})?\/[\w./-]*$/;
const SCOPE = /^[a-z]+(?::[a-z_]+)+$/;
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);
const page = (status: number, body: string): Answer => ({
  status,
  type: "text/html; charset=utf-8",
  headers: {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "no-store",
  },
  body: `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in (stand-in for Twitch)</title>
<style>body{font:16px/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem;background:#18181b;color:#efeff1}
a{display:block;padding:.6rem .9rem;margin:.4rem 0;background:#26262c;color:inherit;text-decoration:none;border-radius:.4rem}
a:hover,a:focus{background:#9147ff}small{color:#adadb8}code{color:#bf94ff}</style>${body}`,
});

interface Asked {
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly challenge: string | null;
}

/** Twitch's rules for what may be asked for; a wrong client or address is told to the person and never sent back to that address. */
function asked(query: URLSearchParams): Asked | { readonly wrong: string; readonly tell: string | null } {
  const redirectUri = query.get("redirect_uri") ?? "";
  if (query.get("client_id") !== DEMO_CLIENT.id) return { wrong: "invalid client", tell: null };
  if (!REGISTERED.test(redirectUri))
    return { wrong: "Parameter redirect_uri does not match registered URI", tell: null };
  if (query.get("response_type") !== "code") return { wrong: "Invalid response type", tell: redirectUri };
  const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const bad = scopes.find((scope) => !SCOPE.test(scope));
  if (bad !== undefined) return { wrong: `invalid scope requested: '${bad}'`, tell: redirectUri };
  const challenge = query.get("code_challenge");
  if (challenge !== null && (query.get("code_challenge_method") !== "S256" || !CHALLENGE.test(challenge)))
    return { wrong: "invalid code challenge", tell: redirectUri };
  return { redirectUri, scopes, state: query.get("state"), challenge };
}

function back(redirectUri: string, query: Record<string, string>, state: string | null): Answer {
  const to = new URL(redirectUri);
  for (const [name, value] of Object.entries(query)) to.searchParams.set(name, value);
  if (state !== null) to.searchParams.set("state", state);
  return { status: 302, body: "", headers: { location: to.href, "cache-control": "no-store" } };
}

/**
 * GET /oauth2/authorize: a choice of accounts instead of a password. With `as=<login>` (or `as=-`: no) the choice is made, which is what the
 * page's links do.
 */
export function authorize(query: URLSearchParams, grants: Grants): Answer {
  const wanted = asked(query);
  if ("wrong" in wanted)
    return wanted.tell === null
      ? page(400, `<h1>Something is wrong</h1><p>${escape(wanted.wrong)}</p>`)
      : back(wanted.tell, { error: "invalid_request", error_description: wanted.wrong }, query.get("state"));
  const { redirectUri, scopes, state, challenge } = wanted;
  const as = query.get("as");
  if (as === "-")
    return back(
      redirectUri,
      { error: "access_denied", error_description: "The user denied you access" },
      state,
    );
  if (as !== null) {
    const who = whoIs(as);
    if (who === null) return page(400, `<h1>Nobody is called ${escape(as)}</h1>`);
    const code = grants.code({ userId: who.userId, scopes, redirectUri, challenge });
    return back(redirectUri, { code, scope: scopes.join(" ") }, state);
  }
  const link = (login: string): string => {
    const to = new URLSearchParams(query);
    to.set("as", login);
    return escape(`authorize?${to.toString()}`);
  };
  return page(
    200,
    `<h1>Sign in as …</h1><p>This is the demo's stand-in for Twitch: choose who you are.</p>
${signInAs.map(({ who, what }) => `<a href="${link(who.login)}">${escape(who.name)} <small>${escape(what)}</small></a>`).join("\n")}
<a href="${link("-")}">Do not allow it</a>
<p><small>hypecast-demo asks for:</small> ${scopes.length === 0 ? "your name" : scopes.map((scope) => `<code>${escape(scope)}</code>`).join(" ")}</p>`,
  );
}

const refused = (status: number, message: string): Answer => ({ status, json: { status, message } });

/** POST /oauth2/token for people; null: another grant type, which is the application's own. */
export function userToken(form: URLSearchParams, grants: Grants): Answer | null {
  const type = form.get("grant_type");
  if (type !== "authorization_code" && type !== "refresh_token") return null;
  if (form.get("client_id") !== DEMO_CLIENT.id) return refused(400, "invalid client");
  if (form.get("client_secret") !== DEMO_CLIENT.secret) return refused(403, "invalid client secret");
  if (type === "refresh_token") {
    const refresh = form.get("refresh_token") ?? "";
    const kept = grants.read("refresh", refresh);
    if (kept === null)
      return { status: 400, json: { error: "Bad Request", status: 400, message: "Invalid refresh token" } };
    grants.counts.refreshed++;
    return tokens(grants, kept.userId, kept.scopes, refresh);
  }
  const kept = grants.redeem(
    form.get("code") ?? "",
    form.get("redirect_uri") ?? "",
    form.get("code_verifier"),
  );
  if (kept === null) return refused(400, "Invalid authorization code");
  return tokens(grants, kept.userId, kept.scopes, grants.issue("refresh", kept.userId, kept.scopes));
}

const tokens = (grants: Grants, userId: string, scopes: readonly string[], refresh: string): Answer => ({
  status: 200,
  headers: { "cache-control": "no-store" },
  json: {
    access_token: grants.issue("access", userId, scopes),
    expires_in: grants.accessS,
    refresh_token: refresh,
    scope: scopes,
    token_type: "bearer",
  },
});

/** GET /oauth2/validate of a person's token; null: none of these. */
export function validateUser(
  authorization: string | undefined,
  grants: Grants,
  nowMs: number,
): Answer | null {
  const access = grants.read("access", authorization?.replace(/^(?:OAuth|Bearer) /, "") ?? "");
  const who = access === null ? null : whoHasId(access.userId);
  if (access === null || who === null) return null;
  return {
    status: 200,
    json: {
      client_id: DEMO_CLIENT.id,
      login: who.login,
      user_id: who.userId,
      scopes: access.scopes,
      expires_in: Math.floor((access.expiresAtMs - nowMs) / 1000),
    },
  };
}

/** POST /oauth2/revoke */
export function revoke(form: URLSearchParams, grants: Grants): Answer {
  if (form.get("client_id") !== DEMO_CLIENT.id) return refused(404, "client does not exist");
  const token = form.get("token") ?? "";
  const known = grants.read("access", token) ?? grants.read("refresh", token);
  if (known === null) return refused(400, "Invalid token");
  grants.revoke(token);
  return { status: 200, body: "" };
}
