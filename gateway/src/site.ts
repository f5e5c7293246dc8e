import { sessionRoutes } from "@hypecast/contracts/api.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import { clientOf, type Access, type Claim, type Refusal, type Who } from "./access.ts";
import type { createApi } from "./api.ts";
import { json, problemReply, type Reply, type Request } from "./http.ts";
import type { Emotes } from "./emotes/emotes.ts";
import type { Limits } from "./limits.ts";
import type { Media } from "./media/media.ts";
import type { Shared } from "./shared.ts";
import type { Roles } from "./roles.ts";
import type { Audit } from "./sign-in/audit.ts";
import type { SignInServer } from "./sign-in/flow.ts";
import type { UploadServer } from "./uploads/tus.ts";
import { loginPage } from "./login-page.ts";
import { ProblemError } from "./problems.ts";
import type { loadWebApp } from "./web-app.ts";

export interface SiteParts {
  readonly access: Access;
  readonly roles: Roles;
  /** Null: people do not sign in here. */
  readonly signIn: SignInServer | null;
  /** Somebody asks: what Twitch says of their roles is to be fresh. */
  readonly freshen: (person: Person) => Promise<void>;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly api: ReturnType<typeof createApi>;
  readonly uploads: Pick<UploadServer, "answer">;
  /** Null: the path is none of events. */
  readonly events: (request: Request, person: Person) => Reply | null;
  readonly openapi: string;
  readonly web: ReturnType<typeof loadWebApp>;
  /** Null while everything that is needed answers; else what does not. */
  readonly notReady: () => string | null;
  readonly emotes: Emotes;
  readonly media: Media;
  readonly shared: Shared;
  readonly report: (request: Request, person: Person) => Promise<Reply>;
  readonly metrics: () => Promise<string>;
}

/** What streamers put over their picture: a program for that may show it inside a page of its own. There is nothing to click on it. */
const OVERLAY = /^\/overlay(?:\/|$)/;
const EMBEDDABLE = { "Content-Security-Policy": "frame-ancestors *" } as const;

const { path: SESSION, body: sessionBody } = sessionRoutes.logIn;

/** What one port serves, in order: health for everybody, then who may come in, then what they ask for. */
export function createSite(parts: SiteParts): (request: Request) => Reply | Promise<Reply> {
  const { access, roles, signIn, limits, api, web } = parts;
  return (request) => {
    const { path, method } = request;
    if (path === "/health/live") return json(200, { status: "ok" });
    if (path === "/health/ready") {
      const reason = parts.notReady();
      return reason === null ? json(200, { status: "ok" }) : json(503, { status: "not ready", reason });
    }
    const claim = claimOf(request);
    if (method !== "GET" && !access.originAllowed(claim))
      throw new ProblemError(
        "wrong_origin",
        `a page of ${claim.origin === "" ? "another site" : claim.origin.slice(0, 200)} may not change anything here`,
      );
    if (path === SESSION) return session(request, claim, parts);
    // A shared clip's token is all that its page asks for.
    if (path.startsWith("/c/")) return shared(request, claim.client);
    if (signIn !== null && path.startsWith("/auth/")) return auth(signIn, request, claim);
    const who = access.who(claim);
    if (typeof who === "string") return refusal(who, request, access);
    const { person } = who;
    if (path.startsWith("/api/")) return renewed(who, request, apiReply(parts, request, claim.client, who));
    if (path === "/ws")
      throw new ProblemError("not_found", "/ws is a websocket: connect with Upgrade: websocket");
    if (path === "/metrics") {
      roles.authoriseOperator(person);
      return parts.metrics().then((body) => ({
        status: 200,
        headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store" },
        body,
      }));
    }
    if (path.startsWith("/emotes/")) return parts.emotes.answer(path, request);
    if (path.startsWith("/s/")) return report(request, claim.client, person);
    if (path.startsWith("/media/")) return parts.media.answer(path, request, person);
    const reply = web.serve(request);
    return OVERLAY.test(path) ? { ...reply, headers: { ...reply.headers, ...EMBEDDABLE } } : reply;
  };

  async function shared(request: Request, client: string): Promise<Reply> {
    await limits.take(client);
    return parts.shared.answer(request);
  }

  async function report(request: Request, client: string, person: Person): Promise<Reply> {
    await limits.take(client);
    return parts.report(request, person);
  }

  async function auth(server: SignInServer, request: Request, claim: Claim): Promise<Reply> {
    await limits.take(claim.client);
    return server.answer(request, claim);
  }

  /** The answer, and with it the session's new id when it is time for one; never with an answer that a cache may keep. */
  async function renewed(who: Who, request: Request, answer: Promise<Reply>): Promise<Reply> {
    const reply = await answer;
    const kept = reply.headers?.["Cache-Control"];
    if (!access.isDue(who) || (kept !== undefined && kept !== "no-store")) return reply;
    // Without one the old id goes on, and the next request tries again.
    const cookie = await access.renew(who, isHttps(request)).catch(() => null);
    return cookie === null ? reply : { ...reply, cookies: [...(reply.cookies ?? []), cookie] };
  }

  async function apiReply(
    { openapi, events, uploads }: SiteParts,
    request: Request,
    client: string,
    { person }: Who,
  ): Promise<Reply> {
    const headers = await limits.take(client);
    await parts.freshen(person);
    if (request.path === "/api/v1/openapi.json") {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET" });
      return {
        status: 200,
        headers: { "Content-Type": "application/json", "Cache-Control": "no-cache" },
        body: openapi,
      };
    }
    const reply =
      events(request, person) ??
      (await uploads.answer(request, person)) ??
      (await api.answer(api.routeOf(request.path, request.method), request, person));
    return { ...reply, headers: { ...headers, ...reply.headers } };
  }
}

const claimOf = (request: Request): Claim => ({
  host: request.header("host"),
  origin: request.header("origin"),
  authorization: request.header("authorization"),
  cookie: request.header("cookie"),
  client: clientOf(request.client, request.header("x-forwarded-for")),
  site: request.header("sec-fetch-site"),
});

export const isHttps = (request: Request): boolean => request.header("x-forwarded-proto") === "https";

/** A person gets a page to log in on, a program a problem. */
function refusal(code: Refusal, request: Request, access: Access): Reply {
  if (
    code === "unauthorized" &&
    request.method === "GET" &&
    request.header("accept").includes("text/html") &&
    !request.path.startsWith("/api/")
  )
    return loginPage(access, request, null);
  if (code === "too_many_requests")
    throw new ProblemError(code, "too many wrong tokens; wait a minute", { "Retry-After": "60" });
  if (code === "wrong_host")
    throw new ProblemError(
      code,
      `this gateway answers to loopback names, not to ${request.header("host").slice(0, 200)}`,
    );
  throw new ProblemError(code, "the request carries no valid token or session", {
    "WWW-Authenticate": 'Bearer realm="hypecast"',
  });
}

/** POST logs in (a form from the login page, or JSON), DELETE logs out. */
async function session(
  request: Request,
  claim: Claim,
  { access, audit }: Pick<SiteParts, "access" | "audit">,
): Promise<Reply> {
  const https = isHttps(request);
  if (request.method === "DELETE") {
    const who = access.who(claim);
    if (typeof who !== "string" && who.session !== null)
      await audit.note({ act: "sign_out", person: namedIn(who), client: claim.client });
    return { status: 204, cookies: [await access.logOut(claim.cookie, https)] };
  }
  if (request.method !== "POST")
    throw new ProblemError("method_not_allowed", `${request.method} is not among POST, DELETE`, {
      Allow: "POST, DELETE",
    });
  const type = request.header("content-type").split(";")[0]?.trim().toLowerCase() ?? "";
  const form = type === "application/x-www-form-urlencoded";
  if (!form && type !== "application/json")
    throw new ProblemError("unsupported_media_type", "send application/json or a form");
  const token = tokenIn((await request.body(4096)).toString(), form);
  const result = await access.logIn(token, claim.client, https);
  if (access.byToken)
    await audit.note({
      ...{ act: typeof result === "string" ? "sign_in_refused" : "sign_in", person: null },
      ...{ client: claim.client, detail: { by: "token" } },
      reason: typeof result === "string" ? result : "",
    });
  if (typeof result === "string") {
    if (form) return loginPage(access, request, result);
    const headers: Record<string, string> = result === "too_many_requests" ? { "Retry-After": "60" } : {};
    return problemReply(
      result,
      result === "unauthorized" ? "the token is not right" : "too many wrong tokens; wait a minute",
      request.path,
      headers,
    );
  }
  const headers = { "Cache-Control": "no-store" };
  const cookies = [result.cookie];
  return form
    ? { status: 303, headers: { ...headers, Location: "/" }, cookies }
    : { status: 204, headers, cookies };
}

/** Null: the operator, who has no name. */
const namedIn = ({ person: { kind, userId, login } }: Who): { userId: string; login: string } | null =>
  kind === "twitch" ? { userId, login } : null;

function tokenIn(body: string, form: boolean): string {
  if (form) return new URLSearchParams(body).get("token") ?? "";
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ProblemError("not_json", "the body could not be read as JSON");
  }
  const read = sessionBody.safeParse(value);
  if (!read.success) throw new ProblemError("invalid_parameters", "token: expected a string");
  return read.data.token;
}
