import type { z } from "zod";
import { refusalOf, type TwitchAnswer } from "./answer.ts";

const TIMEOUT_MS = 8_000;
const SAID_LENGTH = 300;

export interface Call<Data> {
  readonly url: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or a form as `URLSearchParams`. */
  readonly body?: object;
  /** Null: nothing is read of a good answer. */
  readonly schema: z.ZodType<Data> | null;
  /** False for a POST that may be sent twice without harm. Otherwise everything but GET changes something. */
  readonly changes?: boolean;
  readonly signal?: AbortSignal;
}

/** One request to Twitch; never throws. */
export async function call<Data = null>(request: Call<Data>): Promise<TwitchAnswer<Data>> {
  const changes = request.changes ?? request.method !== "GET";
  const form = request.body instanceof URLSearchParams;
  let answer: Response;
  try {
    answer = await fetch(request.url, {
      method: request.method,
      redirect: "error",
      signal: AbortSignal.any([
        AbortSignal.timeout(TIMEOUT_MS),
        ...(request.signal === undefined ? [] : [request.signal]),
      ]),
      headers: {
        ...request.headers,
        ...(request.body === undefined || form ? {} : { "content-type": "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: form ? request.body : JSON.stringify(request.body) }),
    });
  } catch (error) {
    const said = reasonOf(error);
    return changes && !neverSent(error) ? { kind: "unknown", said } : { kind: "unavailable", said };
  }
  let text: string;
  try {
    text = await answer.text();
  } catch (error) {
    // The status was good: only its words are lost, and with them what a reader wanted.
    if (answer.ok && request.schema === null) return { kind: "ok", data: null as Data };
    return { kind: changes ? "unknown" : "unavailable", said: reasonOf(error) };
  }
  if (!answer.ok)
    return refusalOf(answer.status, wordsOf(text, answer.status), answer.headers, changes, Date.now());
  if (request.schema === null) return { kind: "ok", data: null as Data };
  const read = request.schema.safeParse(jsonOf(text));
  if (read.success) return { kind: "ok", data: read.data };
  return {
    kind: changes ? "unknown" : "unavailable",
    said: `Twitch answered ${answer.status} with something that is not its answer`,
  };
}

/** Errors of before the first byte was sent: Twitch cannot have done anything. */
const BEFORE_SENDING = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
function neverSent(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error && "code" in cause && BEFORE_SENDING.has(String(cause.code));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, SAID_LENGTH);
  if (error.name === "TimeoutError") return `Twitch has not answered within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  return (cause instanceof Error && cause.message !== "" ? cause.message : error.message).slice(
    0,
    SAID_LENGTH,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Twitch's errors are `{ error, status, message }`. */
function wordsOf(text: string, status: number): string {
  const body = jsonOf(text);
  const said = typeof body === "object" && body !== null && "message" in body ? body.message : "";
  return typeof said === "string" && said !== ""
    ? said.slice(0, SAID_LENGTH)
    : `Twitch answered ${status} without a word`;
}
