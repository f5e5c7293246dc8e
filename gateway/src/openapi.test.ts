import { expect, test } from "vitest";
import { sessionRoutes, type Route } from "@hypecast/contracts/api.ts";
import { openApi } from "./openapi.ts";
import { otherPaths } from "./openapi-other.ts";
import { apiRoutes } from "./routes/handlers.ts";

type Json = Record<string, unknown>;
const page = openApi();
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

/** Every object in the page, with where it stands. */
function* objectsIn(value: unknown, at = "#"): Generator<[where: string, object: Json]> {
  if (!isObject(value)) return;
  yield [at, value];
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, `${at}/${key}`);
}
const resolve = (ref: string): unknown =>
  ref
    .slice(2)
    .split("/")
    .reduce<unknown>((value, key) => (isObject(value) ? value[key.replaceAll("~1", "/")] : undefined), page);

const every = [...Object.entries<Route>(apiRoutes), ...Object.entries<Route>(sessionRoutes)];
const operationOf = (route: Route): Json => {
  const found = (page["paths"] as Record<string, Json>)[route.path]?.[route.method.toLowerCase()];
  if (!isObject(found)) throw new Error(`${route.method} ${route.path} is missing`);
  return found;
};

test("every route of the contract stands in the page once, and nothing else does", () => {
  const operations = Object.values(page["paths"] as Record<string, Json>).flatMap((path) =>
    Object.values(path).map((operation) => (operation as { operationId: string }).operationId),
  );
  const others = Object.values(otherPaths).flatMap((path) =>
    Object.values(path).map((operation) => (operation as { operationId: string }).operationId),
  );
  expect(new Set(operations).size).toBe(operations.length);
  expect(operations.toSorted()).toEqual([...every.map(([name]) => name), ...others].toSorted());
  for (const [name, route] of every) expect(operationOf(route)["operationId"]).toBe(name);
});

test("every reference leads somewhere within the page", () => {
  let references = 0;
  for (const [where, { $ref }] of objectsIn(page)) {
    if (typeof $ref !== "string") continue;
    references++;
    expect($ref, where).toMatch(/^#\//);
    expect(resolve($ref), `${$ref} at ${where}`).toBeTypeOf("object");
  }
  expect(references).toBeGreaterThanOrEqual(every.length);
});

test.each(every)("%s has what OpenAPI asks of an operation", (_name, route) => {
  const { parameters = [], requestBody, responses, summary } = operationOf(route);
  expect(summary).toBe(route.summary);
  const places = (parameters as { name: string; in: string; required: boolean; schema: Json }[]).map(
    (parameter) => {
      expect(Object.keys(parameter.schema), parameter.name).not.toEqual([]);
      if (parameter.in === "path") expect(parameter.required).toBe(true);
      return `${parameter.in} ${parameter.name}`;
    },
  );
  expect(new Set(places).size).toBe(places.length);
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `path ${name}`);
  expect(places.filter((place) => place.startsWith("path ")).toSorted()).toEqual(inPath.toSorted());
  expect(requestBody !== undefined).toBe(["POST", "PATCH"].includes(route.method));
  const answers = responses as Record<string, { description: string; content?: Json }>;
  expect(Object.keys(answers)).toEqual([String(route.status), "default"]);
  for (const { description } of Object.values(answers)) expect(description.length).toBeGreaterThan(3);
  expect(answers[route.status]?.content !== undefined).toBe(route.status !== 204);
});

test("only the routes that log in and out need no login", () => {
  expect(page["security"]).toEqual([{}, { token: [] }, { session: [] }]);
  const schemes = (page["components"] as { securitySchemes: Json }).securitySchemes;
  expect(Object.keys(schemes).toSorted()).toEqual(["session", "token"]);
  const open = every.filter(([, route]) => "security" in operationOf(route)).map(([name]) => name);
  expect(open.toSorted()).toEqual(["logIn", "logOut"]);
});
