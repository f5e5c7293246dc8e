import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Saying {
  readonly says: string;
  /** Ends the connection after so many characters. */
  readonly cutAfter?: number;
  /** Waits before each piece. */
  readonly eachMs?: number;
  /** Why it stopped; `length` is what `max_tokens` does. */
  readonly finish?: "stop" | "length";
}

/**
 * A stand-in for an OpenAI-compatible server, written from the API reference of `POST /v1/chat/completions` (streaming, structured outputs)
 * and strict about it: a request that OpenAI would refuse is refused here. What it says is the test's choice, and so is how it misbehaves.
 */
export type Behaviour =
  | Saying
  /** Refused as OpenAI refuses. */
  | { readonly status: number; readonly message?: string; readonly retryAfter?: string }
  /** Declines in the way that structured outputs have for it. */
  | { readonly declines: string }
  /** Answers in another content type. */
  | { readonly plain: string }
  /** Sends these bytes as they are, as an event stream. */
  | { readonly raw: string };

export interface SeenRequest {
  readonly messages: { role: string; content: string }[];
  readonly body: Record<string, unknown>;
}

export interface TestLlm {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** What comes next, once each; behind the last one that stays. */
  script(...behaviours: (Behaviour | ((seen: SeenRequest) => Behaviour))[]): void;
  close(): Promise<void>;
}

export const TEST_KEY = "sk-test-0123456789";
const PIECE = 17;

export async function startTestLlm(options: { knowsSchemas?: boolean } = {}): Promise<TestLlm> {
  const seen: SeenRequest[] = [];
  let script: (Behaviour | ((seen: SeenRequest) => Behaviour))[] = [];
  const server = createServer(
    (request, response) => void serve(request, response).catch(() => response.destroy()),
  );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const refuse = (status: number, message: string, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(
        JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } }),
      );
    };
    if (request.url !== "/v1/chat/completions")
      return refuse(404, `Invalid URL (${request.method} ${request.url})`);
    if (request.method !== "POST") return refuse(405, "Not allowed to do that");
    if (request.headers.authorization !== `Bearer ${TEST_KEY}`)
      return refuse(401, "Incorrect API key provided.");
    if (request.headers["content-type"] !== "application/json") return refuse(400, "Expected JSON");
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(Buffer.concat(pieces).toString("utf8")) as Record<string, unknown>;
    } catch {
      return refuse(400, "We could not parse the JSON body of your request.");
    }
    const wrong = wrongWith(body, options.knowsSchemas ?? true);
    if (wrong !== null) return refuse(400, wrong);
    const one: SeenRequest = { messages: body["messages"] as SeenRequest["messages"], body };
    seen.push(one);
    const next = script.length > 1 ? script.shift() : script[0];
    const behaviour = typeof next === "function" ? next(one) : next;
    if (behaviour === undefined) throw new Error("nothing is scripted");
    if ("status" in behaviour)
      return refuse(
        behaviour.status,
        behaviour.message ?? "refused",
        behaviour.retryAfter === undefined ? {} : { "Retry-After": behaviour.retryAfter },
      );
    if ("plain" in behaviour) {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end(behaviour.plain);
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    if ("raw" in behaviour) {
      response.end(behaviour.raw);
      return;
    }
    const send = (data: unknown): void => void response.write(`data: ${JSON.stringify(data)}\n\n`);
    const chunk = (delta: object, finish: string | null): object => ({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: body["model"],
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      usage: null,
    });
    send(chunk({ role: "assistant", content: "", refusal: null }, null));
    if ("declines" in behaviour) {
      send(chunk({ refusal: behaviour.declines }, null));
      send(chunk({}, "stop"));
      response.end("data: [DONE]\n\n");
      return;
    }
    const { says, cutAfter, eachMs, finish } = behaviour;
    const end = cutAfter ?? says.length;
    for (let at = 0; at < end; at += PIECE) {
      if (eachMs !== undefined) await sleep(eachMs);
      if (response.destroyed) return;
      send(chunk({ content: says.slice(at, Math.min(end, at + PIECE)) }, null));
    }
    if (cutAfter !== undefined) {
      // What was written must have left before the connection breaks.
      await sleep(20);
      response.destroy();
      return;
    }
    send(chunk({}, finish ?? "stop"));
    send({
      ...chunk({}, null),
      choices: [],
      usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    });
    response.end("data: [DONE]\n\n");
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`,
    seen,
    script(...behaviours) {
      script = behaviours;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const KNOWN = new Set(
  "model messages temperature max_tokens max_completion_tokens stream stream_options response_format top_p n stop seed".split(
    " ",
  ),
);

/** What OpenAI's reference says of a request; null: it may be sent. */
function wrongWith(body: Record<string, unknown>, knowsSchemas: boolean): string | null {
  for (const name of Object.keys(body))
    if (!KNOWN.has(name)) return `Unrecognized request argument supplied: ${name}`;
  if (typeof body["model"] !== "string") return "you must provide a model parameter";
  const messages = body["messages"];
  if (!Array.isArray(messages) || messages.length === 0) return "[] is too short - 'messages'";
  for (const message of messages as { role?: unknown; content?: unknown }[]) {
    if (!["system", "user", "assistant", "developer"].includes(message.role as string))
      return `'${String(message.role)}' is not one of the roles`;
    if (typeof message.content !== "string") return "Invalid type for 'messages.content'";
  }
  if (body["stream_options"] !== undefined && body["stream"] !== true)
    return "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
  if (body["stream"] !== true) return "this stand-in streams";
  const format = body["response_format"] as
    | { type?: string; json_schema?: Record<string, unknown> }
    | undefined;
  if (format === undefined) return null;
  if (!knowsSchemas) return "Unknown parameter: 'response_format.json_schema'";
  if (format.type !== "json_schema") return "Invalid value for 'response_format.type'";
  const { name, strict, schema } = format.json_schema ?? {};
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    return "Invalid 'response_format.json_schema.name'";
  return strict === true ? notStrict(schema, "") : "strict is expected";
}

/** Structured outputs: each object names all its properties as required, and allows none besides. */
function notStrict(schema: unknown, path: string): string | null {
  if (typeof schema !== "object" || schema === null) return `Invalid schema at '${path}'`;
  const { type, properties, required, additionalProperties, items } = schema as Record<string, unknown>;
  if (type === "array") return notStrict(items, `${path}.items`);
  if (type !== "object") return null;
  if (additionalProperties !== false)
    return `Invalid schema: In context=(${path}), 'additionalProperties' is required to be supplied and to be false.`;
  const names = Object.keys(properties ?? {});
  if (!Array.isArray(required) || names.some((name) => !required.includes(name)))
    return `Invalid schema: In context=(${path}), 'required' is required to be an array including every key in properties.`;
  for (const name of names) {
    const wrong = notStrict((properties as Record<string, unknown>)[name], `${path}.${name}`);
    if (wrong !== null) return wrong;
  }
  return null;
}
