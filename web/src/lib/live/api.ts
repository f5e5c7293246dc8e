import type { Problem, RouteName, routes } from "@hypecast/contracts/api.ts";
import type { accountRoutes, modRoutes } from "@hypecast/contracts/api-mod.ts";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { z } from "zod";

type Routes =
  | (typeof routes)[RouteName]
  | (typeof vodRoutes)[keyof typeof vodRoutes]
  | (typeof modRoutes)[keyof typeof modRoutes]
  | (typeof accountRoutes)[keyof typeof accountRoutes];
type RouteAt<Method, Path> = Extract<Routes, { method: Method; path: Path }>;
type Body<Route> = Route extends { body: infer Schema extends z.ZodType } ? z.input<Schema> : never;
type Result<Route> = Route extends { result: infer Schema extends z.ZodType } ? z.output<Schema> : never;

/** The gateway said no, or nothing at all; `problem` has the words (RFC 9457). */
export class ApiProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

const TIMEOUT_MS = 10_000;

/**
 * One call of the API. Method and path are checked against the contract's list while compiling; the answer's shape is the
 * gateway's word, checked there. Throws ApiProblem.
 */
export async function ask<Method extends Routes["method"], Path extends Routes["path"]>(
  method: Method,
  path: Path,
  more: {
    login?: string;
    id?: string;
    userId?: string;
    query?: Record<string, number | string | undefined>;
    body?: Body<RouteAt<Method, Path>>;
  } = {},
): Promise<Result<RouteAt<Method, Path>>> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(more.query ?? {}))
    if (value !== undefined) query.set(name, typeof value === "string" ? value : String(Math.round(value)));
  const address = path
    .replace("{login}", encodeURIComponent(more.login ?? ""))
    .replace("{id}", encodeURIComponent(more.id ?? ""))
    .replace("{userId}", encodeURIComponent(more.userId ?? ""));
  let response: Response;
  try {
    response = await fetch(query.size > 0 ? `${address}?${query}` : address, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(more.body === undefined
        ? {}
        : { body: JSON.stringify(more.body), headers: { "content-type": "application/json" } }),
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiProblem({
      type: late ? "/problems/timeout" : "/problems/unreachable",
      title: late ? "timeout" : "unreachable",
      status: 0,
      detail: String(error),
    });
  }
  if (response.status === 204) return {} as Result<RouteAt<Method, Path>>;
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer as Result<RouteAt<Method, Path>>;
  const told = answer as Partial<Problem> | null;
  throw new ApiProblem({
    type: told?.type ?? "/problems/unknown",
    title: told?.title ?? response.statusText,
    status: response.status,
    detail: told?.detail ?? `HTTP ${response.status}`,
    ...(told?.action === undefined ? {} : { action: told.action }),
  });
}

export const problemOf = (error: unknown): Problem =>
  error instanceof ApiProblem
    ? error.problem
    : { type: "/problems/page", title: "page", status: 0, detail: String(error) };
