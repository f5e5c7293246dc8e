import { z } from "zod";
import { EmbedFailure, toUnitLength, type Embedder, type Spent } from "./embedder.ts";
import { MinuteBudget } from "./rate.ts";

/** What endpoints take at once: the strictest known limits are 2,048 texts and 300,000 tokens a request, 8,192 a text. */
const MOST_TEXTS = 128;
const MOST_TOKENS = 60_000;
const MOST_TOKENS_OF_A_TEXT = 8000;
const TIMEOUT_MS = 60_000;
const TRIES = 5;
const BACKOFF_MS = { least: 1000, most: 30_000 } as const;
/** A server that wants to be left alone for longer is not waited for: whoever asked tries again later. */
const LONGEST_WAIT_MS = 60_000;
const MOST_RESPONSE_BYTES = 64_000_000;

export interface OpenAiSettings {
  /** Up to and with /v1. */
  readonly url: string;
  /** The model's name, as `text-embedding-3-small`. */
  readonly name: string;
  readonly key: string;
  /** US dollars for a million tokens; null: costs are not shown. */
  readonly usdPerMillion: number | null;
  readonly requestsPerMin: number;
  readonly tokensPerMin: number;
  /** Asked of the model where it can shorten its vectors; null: as it gives them. */
  readonly dimensions: number | null;
}

/** What tests put in the place of time. */
export interface Clock {
  now(): number;
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}
const WALL: Clock = {
  now: () => performance.now(),
  pause: async (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

const reply = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()) })),
  usage: z
    .object({ total_tokens: z.number().min(0) })
    .partial()
    .optional(),
});
const complaint = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** Tokens of a text, about: four bytes of UTF-8 each, which is near for English and high for Russian. */
export const tokensOf = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4) + 1;

/** Texts in requests: as many at once as texts and tokens allow. Indices into `texts`. */
export function inRequests(texts: readonly string[]): number[][] {
  const requests: number[][] = [];
  let tokens = 0;
  for (const [i, text] of texts.entries()) {
    const own = tokensOf(text);
    const last = requests.at(-1);
    if (last === undefined || last.length >= MOST_TEXTS || tokens + own > MOST_TOKENS) {
      requests.push([i]);
      tokens = own;
    } else {
      last.push(i);
      tokens += own;
    }
  }
  return requests;
}

/** `Retry-After` in milliseconds, as seconds or as a date, or the finer `retry-after-ms`; null: there is none that can be read. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const fine = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(fine)) return Math.max(0, fine);
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}

/** The failure of one try, and after how long the server wants to be asked again. */
class Try extends Error {
  readonly again: boolean;
  readonly afterMs: number | null;
  constructor(detail: string, again: boolean, afterMs: number | null = null) {
    super(detail);
    this.again = again;
    this.afterMs = afterMs;
  }
}

/** Any endpoint that speaks OpenAI's `/embeddings`. What is sent leaves this machine: the text of chunks, without names of viewers. */
export function openOpenAi(settings: OpenAiSettings, clock: Clock = WALL): Embedder {
  const { url, name, key, usdPerMillion } = settings;
  const address = `${url.replace(/\/+$/, "")}/embeddings`;
  const host = new URL(address).host;
  const requests = new MinuteBudget(settings.requestsPerMin, clock.now());
  const allTokens = new MinuteBudget(settings.tokensPerMin, clock.now());
  let dimensions: number | null = settings.dimensions;
  let spent = { texts: 0, tokens: 0 };
  const usdOf = (tokens: number): number | null =>
    usdPerMillion === null ? null : (tokens * usdPerMillion) / 1e6;
  const without = (text: string): string => (key === "" ? text : text.replaceAll(key, "…"));

  async function ask(
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; tokens: number | null }> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    let body: string;
    try {
      response = await fetch(address, {
        method: "POST",
        // The key goes to this address and to no other.
        redirect: "error",
        headers: {
          "content-type": "application/json",
          ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({
          model: name,
          input: texts,
          encoding_format: "float",
          ...(settings.dimensions === null ? {} : { dimensions: settings.dimensions }),
        }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      body = await readBounded(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Try) throw error;
      if (timeout.aborted) throw new Try(`no answer within ${TIMEOUT_MS / 1000} s`, true);
      throw new Try(reasonOf(error), true);
    }
    if (!response.ok) {
      const again = response.status === 408 || response.status === 429 || response.status >= 500;
      throw new Try(
        `${response.status}: ${complaintOf(body)}`,
        again,
        retryAfterMs(response.headers, Date.now()),
      );
    }
    let json: unknown;
    try {
      json = JSON.parse(body);
    } catch {
      throw new Try("the answer is cut off, or no JSON", true);
    }
    const read = reply.safeParse(json);
    if (!read.success)
      throw new Try(`the answer has another form: ${z.prettifyError(read.error).slice(0, 200)}`, false);
    return {
      vectors: vectorsOf(read.data.data, texts.length),
      tokens: read.data.usage?.total_tokens ?? null,
    };
  }

  /** In the order of the texts, whatever order they came in. */
  function vectorsOf(data: z.infer<typeof reply>["data"], count: number): Float32Array[] {
    const vectors = Array.from<Float32Array | undefined>({ length: count });
    for (const { index, embedding } of data) {
      if (index >= count || vectors[index] !== undefined)
        throw new Try(`${data.length} vectors for ${count} texts, number ${index} twice or too many`, true);
      if (embedding.length === 0 || !embedding.every(Number.isFinite))
        throw new Try("a vector holds what is no number", true);
      vectors[index] = toUnitLength(Float32Array.from(embedding));
    }
    const whole = vectors.filter((vector) => vector !== undefined);
    if (whole.length !== count) throw new Try(`${whole.length} vectors for ${count} texts`, true);
    const width = dimensions ?? whole[0]!.length;
    const other = whole.find((vector) => vector.length !== width);
    if (other !== undefined)
      throw new Try(
        `vectors of ${other.length} values, where ${name} has ${width}: another model answers`,
        false,
      );
    dimensions = width;
    return whole;
  }

  async function askUntilAnswered(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const about = texts.reduce((sum, text) => sum + tokensOf(text), 0);
    for (let tries = 1; ; tries++) {
      for (;;) {
        const waitMs = Math.max(requests.waitMs(1, clock.now()), allTokens.waitMs(about, clock.now()));
        if (waitMs === 0) break;
        await clock.pause(waitMs, signal);
      }
      requests.spend(1, clock.now());
      allTokens.spend(about, clock.now());
      try {
        const { vectors, tokens } = await ask(texts, signal);
        if (tokens !== null) allTokens.spend(tokens - about, clock.now());
        spent = { texts: spent.texts + texts.length, tokens: spent.tokens + (tokens ?? about) };
        return vectors;
      } catch (error) {
        if (!(error instanceof Try)) throw error;
        const detail = `${host} gave no embeddings: ${without(error.message)}`;
        const waitMs = error.afterMs ?? Math.min(BACKOFF_MS.most, BACKOFF_MS.least * 2 ** (tries - 1));
        if (!error.again || tries === TRIES || waitMs > LONGEST_WAIT_MS)
          throw new EmbedFailure(detail, error.again);
        await clock.pause(waitMs, signal);
      }
    }
  }

  const shortened = (text: string): string => (tokensOf(text) <= MOST_TOKENS_OF_A_TEXT ? text : cut(text));
  const asSpent = (texts: number, tokens: number): Spent => ({ texts, tokens, usd: usdOf(tokens) });
  return {
    model: `${name}${settings.dimensions === null ? "" : `/${settings.dimensions}`}@${host}`,
    get dimensions() {
      return dimensions;
    },
    batch: MOST_TEXTS,
    async embed(texts, _kind, signal) {
      // Endpoints refuse a text of nothing; its vector is known without them, once their width is.
      const said = texts.flatMap((text, i) => (text.trim() === "" ? [] : [{ i, text: shortened(text) }]));
      const vectors = Array.from<Float32Array | undefined>({ length: texts.length });
      for (const request of inRequests(said.map(({ text }) => text))) {
        const answered = await askUntilAnswered(
          request.map((n) => said[n]!.text),
          signal,
        );
        for (const [k, n] of request.entries()) vectors[said[n]!.i] = answered[k]!;
      }
      // How wide nothing is, is not known before something was embedded.
      if (dimensions === null && texts.length > 0) await askUntilAnswered(["."], signal);
      return vectors.map((vector) => vector ?? new Float32Array(dimensions ?? 0));
    },
    estimate: (texts) =>
      asSpent(
        texts.length,
        texts.reduce((sum, text) => sum + Math.min(MOST_TOKENS_OF_A_TEXT, tokensOf(text)), 0),
      ),
    get spent() {
      return asSpent(spent.texts, spent.tokens);
    },
    close: async () => {},
  };
}

/** The beginning of a text, in whole characters. */
const cut = (text: string): string =>
  Buffer.from(text)
    .subarray(0, (MOST_TOKENS_OF_A_TEXT - 1) * 4)
    .toString("utf8")
    .replace(/�$/, "");

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MOST_RESPONSE_BYTES)
      throw new Try(`an answer of more than ${MOST_RESPONSE_BYTES / 1e6} MB`, false);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** What the server says is wrong; as it comes from outside, it is kept short. */
function complaintOf(body: string): string {
  try {
    const { error } = complaint.parse(JSON.parse(body));
    return (typeof error === "string" ? error : error.message).slice(0, 300);
  } catch {
    return body.replaceAll(/\s+/g, " ").slice(0, 100) || "without a word why";
  }
}

/** `fetch failed` says nothing: its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? cause.message || cause.name : error.message;
}
