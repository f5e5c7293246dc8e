import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EmbedFailure, type Embedder } from "./embedder.ts";
import { cosineOf, embedderContract } from "./embedder.contract.ts";
import { inRequests, openOpenAi, retryAfterMs, type Clock, type OpenAiSettings } from "./openai.ts";
import { MinuteBudget } from "./rate.ts";
import { startTestEndpoint, TEST_KEY, TEST_MODEL, TEST_WIDTH, type TestEndpoint } from "./test-endpoint.ts";

/** Time that passes only when it is waited for. */
function ownTime(): Clock & { waits: number[] } {
  let nowMs = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => nowMs,
    pause: async (ms, signal) => {
      signal?.throwIfAborted();
      waits.push(ms);
      nowMs += ms;
    },
  };
}
const settings = (url: string, over: Partial<OpenAiSettings> = {}): OpenAiSettings => ({
  url,
  name: TEST_MODEL,
  key: TEST_KEY,
  usdPerMillion: 0.02,
  requestsPerMin: 3000,
  tokensPerMin: 1_000_000,
  dimensions: null,
  ...over,
});

embedderContract("an OpenAI-compatible endpoint", async () => {
  const endpoint = await startTestEndpoint();
  return { embedder: openOpenAi(settings(endpoint.url)), close: () => endpoint.close() };
});

describe("an endpoint that misbehaves", () => {
  let endpoint: TestEndpoint;
  let clock: ReturnType<typeof ownTime>;
  let embedder: Embedder;
  beforeAll(async () => {
    endpoint = await startTestEndpoint();
  });
  afterAll(() => endpoint.close());
  beforeEach(() => {
    clock = ownTime();
    embedder = openOpenAi(settings(endpoint.url), clock);
    endpoint.seen.length = 0;
  });
  const failure = async (): Promise<EmbedFailure> =>
    embedder.embed(["lava", "boss"], "passage").then(
      () => expect.unreachable(),
      (error: unknown) => error as EmbedFailure,
    );

  test.each([
    ["too many requests, with a time to come back", { status: 429, headers: { "retry-after": "7" } }, 7000],
    [
      "the same to the millisecond",
      { status: 429, headers: { "retry-after-ms": "1234", "retry-after": "2" } },
      1234,
    ],
    ["an error of its own", { status: 500 }, 1000],
    ["a gateway before it", { status: 502, headers: { "retry-after": "nonsense" } }, 1000],
    ["a hang-up", "hangs up", 1000],
    ["an answer that is cut off", "cut off", 1000],
    ["a page instead of JSON", "no JSON", 1000],
    ["a vector too few", "one missing", 1000],
    ["one twice and one missing", "one twice", 1000],
  ] as const)("%s is tried again after its time, and all vectors come", async (_what, fault, waitMs) => {
    endpoint.fail(fault);
    const vectors = await embedder.embed(["lava", "boss"], "passage");
    expect(vectors.map((vector) => vector.length)).toEqual([TEST_WIDTH, TEST_WIDTH]);
    expect(clock.waits).toEqual([waitMs]);
    expect(endpoint.seen).toHaveLength(2);
  });

  test("vectors in another order go to their texts", async () => {
    const right = await embedder.embed(["lava", "boss fight"], "passage");
    endpoint.fail("reversed");
    const turned = await embedder.embed(["lava", "boss fight"], "passage");
    for (const [i, vector] of right.entries()) expect(cosineOf(vector, turned[i]!)).toBeCloseTo(1, 5);
  });

  test("five tries, each after a longer wait, then it is given up for whoever asked to try again", async () => {
    endpoint.fail(...Array.from({ length: 5 }, () => ({ status: 503, message: "overloaded" })));
    const error = await failure();
    expect(error.message).toMatch(/gave no embeddings: 503: overloaded/);
    expect(error.retry).toBe(true);
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000]);
  });

  test("a server that wants to be left alone for an hour is not waited for", async () => {
    endpoint.fail({ status: 429, headers: { "retry-after": "3600" } });
    expect((await failure()).retry).toBe(true);
    expect(clock.waits).toEqual([]);
  });

  test("vectors of another width than before are another model's, and no use to try again", async () => {
    await embedder.embed(["lava"], "passage");
    endpoint.fail({ width: 48 });
    const error = await failure();
    expect(error.message).toMatch(/vectors of 48 values, where text-embedding-test has 32/);
    expect(error.retry).toBe(false);
  });

  test("a vector with what is no number is refused", async () => {
    endpoint.fail("not numbers");
    expect((await failure()).message).toMatch(/another form/);
  });

  test("a wrong key and a wrong model are said at once, and the key is not", async () => {
    embedder = openOpenAi(settings(endpoint.url, { key: "sk-wrong-secret" }), clock);
    const wrongKey = await failure();
    expect(wrongKey.message).toMatch(/401: Incorrect API key/);
    expect(wrongKey.message).not.toMatch(/sk-wrong/);
    expect(wrongKey.retry).toBe(false);
    embedder = openOpenAi(settings(endpoint.url, { name: "nobody" }), clock);
    expect((await failure()).message).toMatch(/404: The model "nobody" does not exist/);
    expect(clock.waits).toEqual([]);
  });

  test("nobody listens: it says who, after its tries", async () => {
    embedder = openOpenAi(settings("http://127.0.0.1:9/v1"), clock);
    expect((await failure()).message).toMatch(/^127\.0\.0\.1:9 gave no embeddings: /);
    expect(clock.waits).toHaveLength(4);
  });

  test("whoever asks may stop waiting for the next try", async () => {
    const stop = new AbortController();
    const pause = clock.pause.bind(clock);
    clock.pause = async (ms, signal) => {
      stop.abort(new Error("enough"));
      await pause(ms, signal);
    };
    endpoint.fail({ status: 500 });
    await expect(embedder.embed(["lava"], "query", stop.signal)).rejects.toThrow("enough");
    expect(endpoint.seen).toHaveLength(1);
  });

  test("many texts go in requests of at most 128, blank ones not at all, and the costs are counted as the endpoint counts", async () => {
    const texts = Array.from({ length: 300 }, (_, i) => (i % 100 === 7 ? " " : `line ${i}`));
    expect(embedder.estimate(texts)).toMatchObject({ texts: 300 });
    const vectors = await embedder.embed(texts, "passage");
    expect(endpoint.seen.map(({ input }) => input.length)).toEqual([128, 128, 41]);
    expect(vectors[7]!.every((value) => value === 0)).toBe(true);
    expect(embedder.spent.tokens).toBe(2 * 297);
    expect(embedder.spent.usd).toBeCloseTo((2 * 297 * 0.02) / 1e6, 12);
  });

  test("blank texts alone get zeros as wide as the model's vectors", async () => {
    const vectors = await embedder.embed(["", " "], "passage");
    expect(vectors.map((vector) => Array.from(vector))).toEqual(
      [1, 2].map(() => Array.from({ length: TEST_WIDTH }, () => 0)),
    );
    expect(endpoint.seen.map(({ input }) => input)).toEqual([["."]]);
  });

  test("shorter vectors are asked for, and belong to a model of their own", async () => {
    embedder = openOpenAi(settings(endpoint.url, { dimensions: 16 }), clock);
    expect((await embedder.embed(["lava"], "passage"))[0]).toHaveLength(16);
    expect(endpoint.seen[0]?.dimensions).toBe(16);
    expect(embedder.model).toMatch(/^text-embedding-test\/16@127\.0\.0\.1:\d+$/);
  });

  test("more requests a minute than allowed are waited for", async () => {
    embedder = openOpenAi(settings(endpoint.url, { requestsPerMin: 2 }), clock);
    for (let i = 0; i < 4; i++) await embedder.embed([`line ${i}`], "passage");
    expect(clock.waits).toEqual([30_000, 30_000]);
  });
});

test("a request holds no more texts and tokens than an endpoint takes", () => {
  const requests = inRequests([
    ...Array.from({ length: 130 }, () => "a"),
    ...Array.from({ length: 9 }, () => "b".repeat(31_000)),
  ]);
  expect(requests.map((one) => one.length)).toEqual([128, 9, 2]);
  expect(requests.flat()).toEqual(Array.from({ length: 139 }, (_, i) => i));
});

test("Retry-After is read as seconds, as a date and to the millisecond", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const after = (headers: Record<string, string>): number | null => retryAfterMs(new Headers(headers), now);
  expect(after({ "retry-after": "2.5" })).toBe(2500);
  expect(after({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" })).toBe(30_000);
  expect(after({ "retry-after": "Thu, 01 Jan 2025 00:00:30 GMT" })).toBe(0);
  expect(after({ "retry-after-ms": "40", "retry-after": "1" })).toBe(40);
  expect(after({ "retry-after": "soon" })).toBeNull();
  expect(after({})).toBeNull();
});

describe("a minute's budget", () => {
  test("is full at first, fills as time goes, and never over", () => {
    const budget = new MinuteBudget(60, 0);
    expect(budget.waitMs(60, 0)).toBe(0);
    budget.spend(60, 0);
    expect(budget.waitMs(1, 0)).toBe(1000);
    expect(budget.waitMs(30, 10_000)).toBe(20_000);
    expect(budget.waitMs(60, 600_000)).toBe(0);
    budget.spend(60, 600_000);
    expect(budget.waitMs(1, 600_000)).toBe(1000);
  });

  test("what is larger than all of it waits for a full one and is paid off afterwards", () => {
    const budget = new MinuteBudget(60, 0);
    expect(budget.waitMs(90, 0)).toBe(0);
    budget.spend(90, 0);
    expect(budget.waitMs(1, 0)).toBe(31_000);
  });
});
