import { sessionRoutes } from "@hypecast/contracts/api.ts";
import { clientOf, type Access, type Claim } from "./access.ts";
import type { createApi } from "./api.ts";
import { json, problemReply, type Reply, type Request } from "./http.ts";
import type { Emotes } from "./emotes/emotes.ts";
import type { Limits } from "./limits.ts";
import type { Media } from "./media/media.ts";
import type { Shared } from "./shared.ts";
import type { UploadServer } from "./uploads/tus.ts";
import { loginPage } from "./login-page.ts";
import { ProblemError } from "./problems.ts";
import type { loadWebApp } from "./web-app.ts";

export interface SiteParts {
  readonly access: Access;
  readonly limits: Limits;
  readonly api: ReturnType<typeof createApi>;
  readonly uploads: Pick<UploadServer, "answer">;
  /** Null: the path is none of events. */
  readonly events: (request: Request) => Reply | null;
  readonly openapi: string;
  readonly web: ReturnType<typeof loadWebApp>;
  /** Null while everything that is needed answers; else what does not. */
  readonly notReady: () => string | null;
  readonly emotes: Emotes;
  readonly media: Media;
  readonly shared: Shared;
  readonly report: (request: Request) => Promise<Reply>;
  readonly metrics: () => Promise<string>;
}

/** What streamers put over their picture: a program for that may show it inside a page of its own. There is nothing to click on it. */
const OVERLAY = /^\/overlay(?:\/|$)/;
const EMBEDDABLE = { "Content-Security-Policy": "frame-ancestors *" } as const;

const { path: SESSION, body: sessionBody } = sessionRoutes.logIn;

/** What one port serves, in order: health for everybody, then who may come in, then what they ask for. */
export function createSite(parts: SiteParts): (request: Request) => Reply | Promise<Reply> {
  const { access, limits, api, web } = parts;
  return (request) => {
    const { path, method } = request;
    if (path === "/health/live") return json(200, { status: "ok" });
    if (path === "/health/ready") {
      const reason = parts.notReady();
      return reason === null ? json(200, { status: "ok" }) : json(503, { status: "not ready", reason });
    }
    const claim = claimOf(request);
    if (path === SESSION) return session(request, claim, access);
    // A shared clip's token is all that its page asks for.
    if (path.startsWith("/c/")) return shared(request, claim.client);
    const refused = access.refuse(claim);
    if (refused !== null) return refusal(refused, request);
    if (path.startsWith("/api/")) {
      if (method !== "GET" && !access.originAllowed(claim))
        throw new ProblemError(
          "wrong_origin",
          `a page of ${claim.origin.slice(0, 200)} may not change anything here`,
        );
      return apiReply(parts, request, claim.client);
    }
    if (path === "/ws")
      throw new ProblemError("not_found", "/ws is a websocket: connect with Upgrade: websocket");
    if (path === "/metrics")
      return parts.metrics().then((body) => ({
        status: 200,
        headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store" },
        body,
      }));
    if (path.startsWith("/emotes/")) return parts.emotes.answer(path, request);
    if (path.startsWith("/s/")) return report(request, claim.client);
    if (path.startsWith("/media/")) return parts.media.answer(path, request);
    const reply = web.serve(request);
    return OVERLAY.test(path) ? { ...reply, headers: { ...reply.headers, ...EMBEDDABLE } } : reply;
  };

  async function shared(request: Request, client: string): Promise<Reply> {
    await limits.take(client);
    return parts.shared.answer(request);
  }

  async function report(request: Request, client: string): Promise<Reply> {
    await limits.take(client);
    return parts.report(request);
  }

  async function apiReply(
    { openapi, events, uploads }: SiteParts,
    request: Request,
    client: string,
  ): Promise<Reply> {
    const headers = await limits.take(client);
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
      events(request) ??
      (await uploads.answer(request)) ??
      (await api.answer(api.routeOf(request.path, request.method), request));
    return { ...reply, headers: { ...headers, ...reply.headers } };
  }
}

const claimOf = (request: Request): Claim => ({
  host: request.header("host"),
  origin: request.header("origin"),
  authorization: request.header("authorization"),
  cookie: request.header("cookie"),
  client: clientOf(request.client, request.header("x-forwarded-for")),
});

/** A person gets a page to log in on, a program a problem. */
function refusal(code: "wrong_host" | "unauthorized" | "too_many_requests", request: Request): Reply {
  if (
    code === "unauthorized" &&
    request.method === "GET" &&
    request.header("accept").includes("text/html") &&
    !request.path.startsWith("/api/")
  )
    return loginPage(401, null);
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
async function session(request: Request, claim: Claim, access: Access): Promise<Reply> {
  if (!access.originAllowed(claim))
    throw new ProblemError("wrong_origin", `a page of ${claim.origin.slice(0, 200)} may not log in here`);
  if (request.method === "DELETE")
    return { status: 204, headers: { "Set-Cookie": access.logOut(claim.cookie) } };
  if (request.method !== "POST")
    throw new ProblemError("method_not_allowed", `${request.method} is not among POST, DELETE`, {
      Allow: "POST, DELETE",
    });
  const type = request.header("content-type").split(";")[0]?.trim().toLowerCase() ?? "";
  const form = type === "application/x-www-form-urlencoded";
  if (!form && type !== "application/json")
    throw new ProblemError("unsupported_media_type", "send application/json or a form");
  const token = tokenIn((await request.body(4096)).toString(), form);
  const result = access.logIn(token, claim.client, request.header("x-forwarded-proto") === "https");
  if (typeof result === "string") {
    if (form) return loginPage(result === "unauthorized" ? 401 : 429, result);
    const headers: Record<string, string> = result === "too_many_requests" ? { "Retry-After": "60" } : {};
    return problemReply(
      result,
      result === "unauthorized" ? "the token is not right" : "too many wrong tokens; wait a minute",
      request.path,
      headers,
    );
  }
  const headers = { "Set-Cookie": result.cookie, "Cache-Control": "no-store" };
  return form ? { status: 303, headers: { ...headers, Location: "/" } } : { status: 204, headers };
}

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
