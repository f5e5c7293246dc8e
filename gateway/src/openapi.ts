import { problem, sessionRoutes, type Route } from "@hypecast/contracts/api.ts";
import { z } from "zod";
import { EXAMPLES, type Example } from "./examples.ts";
import { apiRoutes } from "./routes/handlers.ts";
import { otherPaths } from "./openapi-other.ts";

type Json = Record<string, unknown>;

/** OpenAPI 3.1, made from the routes of the contract. */
export function openApi(): Json {
  const paths: Record<string, Json> = {};
  const add = (name: string, route: Route, more: Json): void => {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = { ...operation(name, route), ...more };
  };
  for (const [name, route] of Object.entries<Route>(apiRoutes)) add(name, route, {});
  for (const [name, route] of Object.entries<Route>(sessionRoutes)) add(name, route, { security: [] });
  for (const [path, operations] of Object.entries(otherPaths))
    paths[path] = { ...paths[path], ...operations };
  return {
    openapi: "3.1.0",
    info: {
      title: "Hypecast",
      version: "1",
      description:
        "Live hype of Twitch chat, moments of its video, clips, and any moment of an imported stream from a sentence. The websocket at /ws and the files under /media are described in docs/api.md.",
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, "output") },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "HYPECAST_TOKEN, where one is set" },
        session: { type: "apiKey", in: "cookie", name: "hypecast_session" },
      },
    },
    security: [{}, { token: [] }, { session: [] }],
  };
}

const IDEMPOTENCY_KEY: Json = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same key with the same body gets the same answer for a day",
  schema: { type: "string", maxLength: 255 },
};

function operation(name: string, route: Route): Json {
  const example: Example = EXAMPLES[name as keyof typeof EXAMPLES] ?? {};
  const parameters = [
    ...parametersOf(route.params, "path", example.params),
    ...parametersOf(route.query, "query", example.query),
    ...(route.method === "POST" ? [IDEMPOTENCY_KEY] : []),
  ];
  const withBody = route.method === "POST" || route.method === "PATCH";
  const result =
    route.status === 204
      ? { description: "Done" }
      : {
          description: "The answer",
          content: Object.fromEntries(
            (route.types ?? ["application/json"]).map((type) => [
              type,
              { schema: schemaOf(route.result, "output"), ...exampleOf(example.answer) },
            ]),
          ),
        };
  return {
    operationId: name,
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(withBody
      ? {
          requestBody: {
            required: true,
            content: {
              "application/json": { schema: schemaOf(route.body, "input"), ...exampleOf(example.body) },
            },
          },
        }
      : {}),
    responses: {
      [route.status]: result,
      default: {
        description: "A problem (RFC 9457); `type` is /problems/<code>",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

const exampleOf = (example: unknown): Json => (example === undefined ? {} : { example });

function parametersOf(
  schema: z.ZodType,
  place: "path" | "query",
  examples: Readonly<Record<string, unknown>> = {},
): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || (required.includes(name) && !("default" in property)),
    // Query values are coerced from text, so the input of the schema is "anything": its output says the type.
    schema:
      place === "query"
        ? ((schemaOf(schema, "output") as { properties: Record<string, Json> }).properties[name] ?? {})
        : property,
    ...exampleOf(examples[name]),
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
