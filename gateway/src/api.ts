import type { Person } from "@hypecast/contracts/journal.ts";
import { z } from "zod";
import { attachment } from "./attachment.ts";
import type { Idempotent } from "./idempotency.ts";
import { json, MOST_BODY_BYTES, type Reply, type Request } from "./http.ts";
import { ProblemError } from "./problems.ts";
import { accountHandlers } from "./routes/accounts.ts";
import { channelHandlers } from "./routes/channels.ts";
import { clipHandlers } from "./routes/clips.ts";
import {
  apiRoutes as routes,
  FileAnswer,
  type Handlers,
  type Parts,
  type RouteName,
} from "./routes/handlers.ts";
import { modHandlers } from "./routes/mod.ts";
import { momentHandlers } from "./routes/moments.ts";
import { authoriseRoute } from "./routes/needs.ts";
import { oracleHandlers } from "./routes/oracle.ts";
import { privacyHandlers } from "./routes/privacy.ts";
import { renderHandlers } from "./routes/render.ts";
import { streamHandlers } from "./routes/streams.ts";
import { videoHandlers } from "./routes/video.ts";
import { webhookHandlers } from "./routes/webhooks.ts";

interface Matched {
  readonly name: RouteName;
  readonly params: Record<string, string>;
}

/** The API under /api/v1: made from the routes of the contract, so that a route without handler does not compile. */
export function createApi(
  parts: Parts,
  idempotent: Idempotent,
): {
  routeOf(path: string, method: string): Matched;
  answer(matched: Matched, request: Request, person: Person): Promise<Reply>;
} {
  const handlers: Handlers = {
    ...channelHandlers(parts),
    ...videoHandlers(parts),
    ...momentHandlers(parts),
    ...clipHandlers(parts),
    ...streamHandlers(parts),
    ...oracleHandlers(parts),
    ...renderHandlers(parts),
    ...webhookHandlers(parts),
    ...modHandlers(parts),
    ...accountHandlers(parts),
    ...privacyHandlers(parts),
  };
  const patterns = (Object.keys(routes) as RouteName[]).map((name) => ({
    name,
    method: routes[name].method as string,
    segments: routes[name].path.split("/"),
  }));
  return {
    /** Throws ProblemError not_found or method_not_allowed. */
    routeOf(path, method) {
      const segments = path.split("/");
      const fitting = patterns.flatMap((pattern) => {
        const params = paramsOf(pattern.segments, segments);
        return params === null ? [] : [{ ...pattern, params }];
      });
      if (fitting.length === 0)
        throw new ProblemError("not_found", `there is no route ${path.slice(0, 200)}`);
      const found = fitting.find((pattern) => pattern.method === method);
      if (found === undefined) {
        const Allow = fitting.map((pattern) => pattern.method).join(", ");
        throw new ProblemError("method_not_allowed", `${method} is not among ${Allow}`, { Allow });
      }
      return { name: found.name, params: found.params };
    },
    async answer({ name, params }, request, person) {
      const route = routes[name];
      const input = {
        params: checked(route.params, params),
        query: checked(route.query, queryOf(request.query)),
        body: takesBody(name) ? checked(route.body, await jsonBody(request)) : {},
      };
      // First of all: an answer that was given once is not given again to who has lost the role since.
      authoriseRoute(parts, person, name, input);
      return idempotent(request, person, () => answer(name, { ...input, person }));
    },
  };

  async function answer(name: RouteName, input: object): Promise<Reply> {
    const route = routes[name];
    const handler = handlers[name] as (input: object) => Promise<unknown>;
    const result = await handler(input);
    if (route.status === 204) return { status: 204 };
    const key = LOCATED[name];
    const location: Record<string, string> =
      key === undefined ? {} : { Location: `${route.path}/${(result as Record<typeof key, string>)[key]}` };
    if (result instanceof FileAnswer)
      return {
        status: route.status,
        headers: {
          "Content-Type": result.type,
          "Cache-Control": "no-store",
          "Content-Disposition": attachment(result.name),
        },
        body: result.text,
      };
    if (typeof result === "string")
      return {
        status: route.status,
        headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
        body: result,
      };
    return json(route.status, result, location);
  }
}

/** Routes that make something, and the field by which it is found again. */
const LOCATED: Partial<Record<RouteName, "login" | "id" | "task_id">> = {
  addChannel: "login",
  makeClip: "id",
  addStream: "task_id",
  ask: "id",
};

const takesBody = (name: RouteName): boolean =>
  routes[name].method === "POST" || routes[name].method === "PATCH";

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const given = segments[i] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) params[name] = decoded(given);
    else if (part !== given) return null;
  }
  return params;
}

/** Broken percent-encoding stays as it is and is refused by the parameter's own shape. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Each name once; an unknown or doubled one is refused, since a typo would silently mean the default. */
function queryOf(text: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in query) throw new ProblemError("invalid_parameters", `${name}: given twice`);
    if (value === "") throw new ProblemError("invalid_parameters", `${name}: empty`);
    query[name] = value;
  }
  return query;
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const strict = schema instanceof z.ZodObject ? schema.strict() : schema;
  const read = strict.safeParse(value);
  if (read.success) return read.data as z.output<Schema>;
  const issue = read.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  throw new ProblemError(
    "invalid_parameters",
    `${where === "" ? "" : `${where}: `}${issue?.message ?? "not valid"}`,
  );
}

async function jsonBody(request: Request): Promise<unknown> {
  const type = request.header("content-type").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json")
    throw new ProblemError(
      "unsupported_media_type",
      type === "" ? "the body has no Content-Type" : `Content-Type is ${type.slice(0, 100)}`,
    );
  const body = await request.body(MOST_BODY_BYTES);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new ProblemError("not_json", "the body could not be read as JSON");
  }
}
