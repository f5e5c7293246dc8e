import { routes, type RouteName } from "@hypecast/contracts/api.ts";
import { loginFrom } from "@hypecast/contracts/login.ts";
import {
  bursts,
  extent,
  forecastRecord,
  forecasts,
  heatmap,
  momentAt,
  sparklines,
  topEmotes,
  windows,
  type Question,
} from "@hypecast/contracts/question.ts";
import type { SystemState } from "@hypecast/contracts/push.ts";
import { z } from "zod";
import type { Ask } from "./ask.ts";
import type { Channels } from "./channels.ts";
import { json, MOST_BODY_BYTES, type Reply, type Request } from "./http.ts";
import { ProblemError } from "./problems.ts";

const HOUR_MS = 3_600_000;
/** A span without `from` begins so long before its end. */
const SPAN_MS = 2 * HOUR_MS;
const RECORD_MS = 24 * HOUR_MS;

interface Parts {
  readonly channels: Channels;
  readonly ask: Ask;
  readonly system: () => SystemState;
}
type Input<Name extends RouteName> = {
  params: z.output<(typeof routes)[Name]["params"]>;
  query: z.output<(typeof routes)[Name]["query"]>;
  body: z.output<(typeof routes)[Name]["body"]>;
};
/** What a route does with its checked input. A string is JSON already. */
type Handlers = {
  [Name in RouteName]: (
    input: Input<Name>,
  ) =>
    | Promise<z.output<(typeof routes)[Name]["result"]> | string>
    | z.output<(typeof routes)[Name]["result"]>
    | string;
};

function handlersOf({ channels, ask, system }: Parts): Handlers {
  const watched = (login: string): ReturnType<Channels["list"]>[number] => {
    const summary = channels.get(login);
    if (summary === null) throw new ProblemError("channel_not_watched", `${login} is not watched`);
    return summary;
  };
  /** What was measured of a channel stays readable after it was removed, as long as its state names it. */
  const channelIdOf = (login: string): string => {
    const id = channels.idOf(login);
    if (id !== null) return id;
    const { state } = watched(login);
    const says =
      state === null ? "no source has spoken of it yet" : `its source says: ${state.reason ?? state.state}`;
    throw new ProblemError("channel_not_heard", `${login}: ${says}`, { "Retry-After": "2" });
  };
  const spanned = (
    question: Question,
    { login }: { login: string },
    { from, to, ...rest }: { from?: number | undefined; to?: number | undefined },
  ): Promise<string> => {
    const channelId = channelIdOf(login);
    const toMs = to ?? Date.now();
    const fromMs = from ?? toMs - SPAN_MS;
    if (fromMs >= toMs) throw new ProblemError("invalid_parameters", "from: must be before to");
    return ask(question, { channelId, fromMs, toMs, ...rest });
  };
  return {
    listChannels: () => ({ channels: channels.list() }),
    async addChannel({ body }) {
      // The contract has checked that there is one.
      const { summary } = await channels.add(loginFrom(body.channel) ?? "");
      return summary;
    },
    getChannel: ({ params }) => watched(params.login),
    changeChannel: ({ params, body }) => channels.pause(params.login, body.paused),
    async removeChannel({ params }) {
      await channels.remove(params.login);
      return {};
    },
    channelExtent: ({ params }) => ask(extent, { channelId: channelIdOf(params.login) }),
    channelWindows: ({ params, query: { size, ...query } }) =>
      spanned(windows, params, Object.assign(query, { sizeS: size })),
    channelHeatmap: ({ params, query }) => spanned(heatmap, params, query),
    channelBursts: ({ params, query }) => spanned(bursts, params, query),
    channelEmotes: ({ params, query }) => spanned(topEmotes, params, query),
    channelMoment: ({ params, query }) =>
      ask(momentAt, { channelId: channelIdOf(params.login), atMs: query.at, aroundS: query.around }),
    channelForecasts: ({ params, query }) => spanned(forecasts, params, query),
    channelForecastRecord: ({ params, query }) =>
      ask(forecastRecord, {
        channelId: channelIdOf(params.login),
        sinceMs: query.since ?? Date.now() - RECORD_MS,
        limit: query.limit,
      }),
    channelSparklines: ({ query }) => {
      const channelIds = channels.list().flatMap(({ login }) => channels.idOf(login) ?? []);
      return ask(sparklines, { channelIds: channelIds.slice(0, 1000), minutes: query.minutes });
    },
    system,
  };
}

interface Matched {
  readonly name: RouteName;
  readonly params: Record<string, string>;
}

/** The API under /api/v1: made from the routes of the contract, so that a route without handler does not compile. */
export function createApi(parts: Parts): {
  routeOf(path: string, method: string): Matched;
  answer(matched: Matched, request: Request): Promise<Reply>;
} {
  const handlers = handlersOf(parts);
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
    async answer({ name, params }, request) {
      const route = routes[name];
      const input = {
        params: checked(route.params, params),
        query: checked(route.query, queryOf(request.query)),
        body: takesBody(name) ? checked(route.body, await jsonBody(request)) : {},
      };
      const handler = handlers[name] as (input: unknown) => Promise<unknown>;
      const result = await handler(input);
      if (route.status === 204) return { status: 204 };
      const location =
        name === "addChannel" ? { Location: `${route.path}/${(result as { login: string }).login}` } : {};
      if (typeof result === "string")
        return {
          status: route.status,
          headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
          body: result,
        };
      return json(route.status, result, location);
    },
  };
}

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
