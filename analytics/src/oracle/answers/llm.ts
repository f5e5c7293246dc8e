import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import type { Config } from "@hypecast/runtime/config.ts";

export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Asked {
  readonly turns: readonly Turn[];
  /** The shape of the answer, JSON Schema in the strict form (every property required, none besides). */
  readonly schema: { readonly name: string; readonly schema: Record<string, unknown> };
  readonly signal: AbortSignal;
  /** Told the text so far, as it grows. Throwing from it ends the request with that error. */
  readonly grew: (text: string) => void;
}

export interface Completion {
  readonly text: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Llm {
  readonly model: string;
  /** US dollars; null: no prices are set. */
  costOf(tokens: { inputTokens: number; outputTokens: number }): number | null;
  /** Throws `LlmError`, or what `grew` threw. */
  complete(asked: Asked): Promise<Completion>;
}

/** Why there is no answer from the model. `spent`: tokens that were paid for all the same, as far as it said. */
export class LlmError extends Error {
  readonly code:
    | "unreachable"
    | "unauthorized"
    | "rate_limited"
    | "bad_request"
    | "too_slow"
    | "cut_off"
    | "broken";
  constructor(code: LlmError["code"], detail: string) {
    super(detail);
    this.code = code;
  }
}

/** What a model may write: an answer has some hundred tokens. */
const MOST_TOKENS = 1500;
/** More than that many characters is not what was asked for. */
const MOST_CHARS = 40_000;
const TRIES = 3;
const FIRST_WAIT_MS = 500;
/** Who asks to wait longer is not waited for. */
const LONGEST_WAIT_MS = 8000;

/** Null: no address is set. */
export function openLlm(config: Config): Llm | null {
  const base = config.HYPECAST_LLM_URL.replace(/\/+$/, "");
  if (base === "") return null;
  const [input, output] = config.HYPECAST_LLM_PRICES.split("/").map(Number);
  return createLlm({
    url: `${base}/chat/completions`,
    key: config.HYPECAST_LLM_KEY,
    model: config.HYPECAST_LLM_MODEL,
    withinMs: config.HYPECAST_LLM_SECONDS * 1000,
    prices: input === undefined || output === undefined ? null : { input, output },
  });
}

export interface LlmOptions {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly withinMs: number;
  /** US dollars a million tokens. */
  readonly prices: { readonly input: number; readonly output: number } | null;
}

/**
 * A client of `POST /chat/completions` as OpenAI documents it (streamed, `response_format` json_schema, usage in the last chunk) and as
 * vLLM, llama.cpp and others serve it. A server that does not know `response_format` is asked once more without it: the prompt names
 * the shape too, and whoever reads the answer checks it anyway.
 */
export function createLlm({ url, key, model, withinMs, prices }: LlmOptions): Llm {
  let withSchema = true;

  const bodyOf = ({ turns, schema }: Asked): string =>
    JSON.stringify({
      model,
      messages: turns,
      temperature: 0,
      max_tokens: MOST_TOKENS,
      stream: true,
      stream_options: { include_usage: true },
      ...(withSchema
        ? { response_format: { type: "json_schema", json_schema: { ...schema, strict: true } } }
        : {}),
    });

  async function request(asked: Asked, signal: AbortSignal): Promise<Response> {
    for (let tries = 1; ; tries++) {
      let response: Response;
      try {
        response = await fetch(url, {
          method: "POST",
          headers: {
            "Content-Type": "application/json",
            Accept: "text/event-stream",
            ...(key === "" ? {} : { Authorization: `Bearer ${key}` }),
          },
          body: bodyOf(asked),
          redirect: "error",
          signal,
        });
      } catch (error) {
        if (signal.aborted) throw error;
        if (tries < TRIES) {
          await sleep(FIRST_WAIT_MS * 2 ** (tries - 1), undefined, { signal });
          continue;
        }
        throw new LlmError("unreachable", `the language model cannot be reached: ${causeOf(error)}`);
      }
      if (response.ok) return response;
      const said = (await response.text().catch(() => "")).slice(0, 300);
      if (response.status === 400 && withSchema && /response_format|json_schema/i.test(said)) {
        withSchema = false;
        continue;
      }
      const waitMs = waitOf(response, tries);
      if ((response.status === 429 || response.status >= 500) && tries < TRIES && waitMs !== null) {
        await sleep(waitMs, undefined, { signal });
        continue;
      }
      throw refusal(response.status, said);
    }
  }

  return {
    model,
    costOf: ({ inputTokens, outputTokens }) =>
      prices === null ? null : (inputTokens * prices.input + outputTokens * prices.output) / 1e6,
    async complete(asked) {
      const late = AbortSignal.timeout(withinMs);
      const signal = AbortSignal.any([asked.signal, late]);
      try {
        return await read(await request(asked, signal), asked.grew);
      } catch (error) {
        if (late.aborted && !asked.signal.aborted)
          throw new LlmError("too_slow", `the language model did not answer within ${withinMs / 1000} s`);
        throw error;
      }
    },
  };
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null; readonly refusal?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly error?: { readonly message?: string };
}

async function read(response: Response, grew: (text: string) => void): Promise<Completion> {
  let text = "";
  let finish: string | null = null;
  let ended = false;
  let usage = { inputTokens: 0, outputTokens: 0 };
  if (!(response.headers.get("content-type") ?? "").includes("text/event-stream"))
    throw new LlmError("broken", "the language model's server answered with no event stream");
  const take = (chunk: Chunk): void => {
    if (chunk.error !== undefined)
      throw new LlmError("broken", `the language model broke off: ${chunk.error.message ?? "no reason"}`);
    if (chunk.usage)
      usage = {
        inputTokens: chunk.usage.prompt_tokens ?? 0,
        outputTokens: chunk.usage.completion_tokens ?? 0,
      };
    const [choice] = chunk.choices ?? [];
    if (choice === undefined) return;
    if (choice.delta?.refusal) throw new LlmError("broken", "the language model refuses to answer this");
    finish = choice.finish_reason ?? finish;
    if (!choice.delta?.content) return;
    text += choice.delta.content;
    if (text.length > MOST_CHARS)
      throw new LlmError("broken", "the language model writes without coming to an end");
    grew(text);
  };
  const parser = createParser({
    // A line that never ends would fill the memory.
    maxBufferSize: MOST_CHARS,
    onEvent({ data }) {
      if (data === "[DONE]") {
        ended = true;
        return;
      }
      take(chunkOf(data));
    },
    // Unknown fields are to be left aside (HTML, 9.2.6); the bound is ours.
    onError(error) {
      if (error.type === "max-buffer-size-exceeded")
        throw new LlmError("broken", "the language model's stream holds a line without an end");
    },
  });
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  } catch (error) {
    if (error instanceof TypeError) throw new LlmError("cut_off", "the language model's answer was cut off");
    throw error;
  }
  if (finish === "length") throw new LlmError("cut_off", "the language model's answer was too long");
  if (finish === null && !ended)
    throw new LlmError("cut_off", "the language model's answer was cut off before its end");
  return { text, ...usage };
}

function chunkOf(data: string): Chunk {
  try {
    const chunk: unknown = JSON.parse(data);
    if (typeof chunk === "object" && chunk !== null) return chunk;
  } catch {
    // said below
  }
  throw new LlmError("broken", "the language model's stream holds something that is no JSON object");
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); null: too long to wait for. */
function waitOf(response: Response, tries: number): number | null {
  const said = response.headers.get("retry-after");
  const seconds =
    said === null ? NaN : /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  const ms = Number.isNaN(seconds) ? FIRST_WAIT_MS * 2 ** (tries - 1) : Math.max(0, seconds * 1000);
  return ms > LONGEST_WAIT_MS ? null : ms;
}

function refusal(status: number, said: string): LlmError {
  if (status === 401 || status === 403)
    return new LlmError(
      "unauthorized",
      `the language model refuses the key (${status}): see HYPECAST_LLM_KEY`,
    );
  if (status === 429)
    return new LlmError("rate_limited", "the language model is asked too often, or its quota is used up");
  if (status >= 500) return new LlmError("unreachable", `the language model's server says ${status}`);
  return new LlmError("bad_request", `the language model's server says ${status}: ${said}`);
}

const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error
    ? error.cause.message
    : error instanceof Error
      ? error.message
      : String(error);
