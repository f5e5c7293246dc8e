import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ANSWERS_BUCKET, type Answer } from "@hypecast/contracts/oracle.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { asked, GOOD, searchedWith, WINDOWS, ZERO_MS } from "./answers.fixture.ts";
import type { Looking } from "./answering.ts";
import { openDesk, type Desk } from "./desk.ts";
import { createLlm, type Llm } from "./llm.ts";
import { startTestLlm, TEST_KEY, type TestLlm } from "./test-llm.ts";

let nats: Server;
let nc: NatsConnection;
let bucket: KV;
let server: TestLlm;
let llm: Llm;
const log = pino({ level: "silent" });
let made = 0;

beforeAll(async () => {
  nats = await startNats();
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  bucket = await new Kvm(nc).open(ANSWERS_BUCKET);
  server = await startTestLlm();
  llm = modelAt(server.url);
});
afterAll(async () => {
  await server?.close();
  await nc?.close();
  await nats?.close();
});
beforeEach(() => void server.seen.splice(0));

const modelAt = (url: string, withinMs = 10_000): Llm =>
  createLlm({ url, key: TEST_KEY, model: "test-1", withinMs, prices: { input: 1, output: 2 } });

/** A search that finds these windows whatever is asked. */
const finding = (windows = WINDOWS): Looking => ({
  search: async () => searchedWith(windows.map(({ hit }) => hit)),
  windows: async (_record, hits) => windows.filter(({ hit }) => hits.includes(hit)),
});

async function ask(
  options: { llm?: Llm | null; looking?: Looking; record?: Partial<Answer>; seen?: Answer[] } = {},
): Promise<Answer> {
  const id = `answer${String(++made).padStart(4, "0")}`;
  const desk = await openDesk(nc, {
    looking: options.looking ?? finding(),
    llm: options.llm === undefined ? llm : options.llm,
    log,
  });
  try {
    const done = until(id, ({ state }) => state === "done" || state === "failed", options.seen);
    await bucket.put(id, JSON.stringify({ ...asked(id), ...options.record }));
    return await done;
  } finally {
    await desk.close();
  }
}

async function until(id: string, reached: (record: Answer) => boolean, seen: Answer[] = []): Promise<Answer> {
  const entries = await bucket.watch({ key: id });
  for await (const entry of entries) {
    if (entry.operation !== "PUT") continue;
    const record = entry.json<Answer>();
    seen.push(record);
    if (reached(record)) {
      entries.stop();
      return record;
    }
  }
  throw new Error("the watch ended");
}

describe("with a language model", () => {
  test("its answer stands: the place is moved to where its lines begin, tokens and cost are kept", async () => {
    server.script({ says: GOOD, eachMs: 60 });
    const seen: Answer[] = [];
    const answer = await ask({ seen });
    expect(answer).toMatchObject({
      state: "done",
      by: "model",
      found: true,
      text: "Он падает в лаву на 1:12:43.",
      hits: [{ rank: 1, chatAtMs: ZERO_MS + 4_363_000, atMs: ZERO_MS + 4_358_000, certainty: "sure" }],
      model: {
        name: "test-1",
        inputTokens: 1000,
        outputTokens: 100,
        costUsd: 0.0012,
        refused: null,
        repaired: false,
      },
    });
    expect(answer.hits[0]?.lines.map(({ id }) => id)).toEqual(["b", "c"]);
    // It was to be seen while it came: the places that were found, then the words.
    expect(seen.some(({ state, hits }) => state === "reading" && hits.length === 2)).toBe(true);
    expect(seen.map(({ text }) => text).some((text) => text !== "" && text !== answer.text)).toBe(true);
  });

  test("an answer that finds nothing is one", async () => {
    server.script({ says: '{"places":[],"text":"Об этом никто не пишет."}' });
    const answer = await ask();
    expect(answer).toMatchObject({ by: "model", found: false, hits: [], text: "Об этом никто не пишет." });
    expect(answer.nearest.length).toBeGreaterThan(0);
  });

  const wrongTime = GOOD.replaceAll("1:12:43", "0:00:05");
  test("a wrong time is repaired once, and it is told what was wrong", async () => {
    server.script({ says: wrongTime }, { says: GOOD });
    expect(await ask()).toMatchObject({ by: "model", found: true, model: { repaired: true, refused: null } });
    expect(server.seen[1]?.messages.at(-1)?.content).toContain("0:00:05 is not inside window 1");
  });

  test.each([
    ["wrong times twice", { says: wrongTime }, /did not stand/],
    ["invented lines", { says: GOOD.replace("[2,3]", "[41]") }, /no line 41/],
    ["broken JSON", { says: "It was at 1:12:43, trust me." }, /not one JSON object/],
    ["an answer that is cut off", { says: GOOD, cutAfter: 60 }, /cut off/],
    ["an answer that is too long", { says: GOOD, finish: "length" }, /too long/],
    ["a refusal", { declines: "I can't help with that." }, /refuses/],
    ["a wrong key", { status: 401 }, /HYPECAST_LLM_KEY/],
    ["a quota that is used up", { status: 429, retryAfter: "3600" }, /asked too often/],
    ["a web page", { plain: "<html>" }, /no event stream/],
    ["a stream of nonsense", { raw: "data: {nonsense\n\n" }, /no JSON object/],
    ["a line without an end", { raw: `data: ${"x".repeat(100_000)}` }, /without an end/],
    ["a stream that never ends", { says: "x".repeat(50_000) }, /without coming to an end/],
  ] as const)("%s: the lines answer themselves, and why is said", async (_what, behaviour, why) => {
    server.script(behaviour);
    const answer = await ask();
    expect(answer).toMatchObject({ state: "done", by: "extract", found: true });
    expect(answer.hits).toHaveLength(2);
    expect(answer.text).toContain("«ОН В ЛАВЕ»");
    expect(answer.model?.refused).toMatch(why);
  });

  test("one that is slow is not waited for", async () => {
    server.script({ says: GOOD, eachMs: 400 });
    const answer = await ask({ llm: modelAt(server.url, 600) });
    expect(answer).toMatchObject({
      by: "extract",
      model: { refused: expect.stringContaining("did not answer within") },
    });
  });

  test("who says 429 and when to come back is asked again then", async () => {
    server.script({ status: 429, retryAfter: "0" }, { status: 503 }, { says: GOOD });
    expect(await ask()).toMatchObject({ by: "model", found: true });
    expect(server.seen).toHaveLength(3);
  });

  test("a server that is not there is said", async () => {
    const answer = await ask({ llm: modelAt("http://127.0.0.1:1/v1/chat/completions") });
    expect(answer).toMatchObject({
      by: "extract",
      model: { refused: expect.stringContaining("cannot be reached") },
    });
  });

  test("a server that knows no schemas is asked without one", async () => {
    const old = await startTestLlm({ knowsSchemas: false });
    old.script({ says: GOOD });
    expect(await ask({ llm: modelAt(old.url) })).toMatchObject({ by: "model", found: true });
    expect(old.seen[0]?.body["response_format"]).toBeUndefined();
    await old.close();
  });

  test("chat that instructs is not obeyed: a model that does so anyway is refused", async () => {
    server.script(({ messages }) => {
      const injected = /answer is (\d:\d\d:\d\d)/.exec(messages[1]?.content ?? "")?.[1] ?? "";
      return {
        says: JSON.stringify({
          places: [{ window: 2, time: injected, lines: [6], why: "as told", confidence: 1 }],
          text: `It is ${injected}.`,
        }),
      };
    });
    const answer = await ask();
    expect(answer).toMatchObject({ by: "extract", hits: [{ chunkIds: ["c1"] }, { chunkIds: ["c2"] }] });
    expect(answer.model?.refused).toMatch(/0:00:05 is not inside window 2/);
  });

  test("nothing near the question was found: nobody is asked, nothing is paid", async () => {
    const far = WINDOWS.map((window) => ({ ...window, hit: { ...window.hit, score: 0.1 } }));
    const answer = await ask({ looking: finding(far) });
    expect(answer).toMatchObject({
      by: "extract",
      found: false,
      hits: [],
      model: null,
      best: 0.1,
      needed: 0.45,
    });
    expect(answer.nearest).toHaveLength(2);
    expect(server.seen).toHaveLength(0);
  });
});

test("without a language model the lines answer themselves", async () => {
  const answer = await ask({ llm: null });
  expect(answer).toMatchObject({ by: "extract", found: true, model: null });
  expect(answer.text).toBe("2 места, лучшее первым. Чат пишет «ОН В ЛАВЕ» и ещё 136 похожих строк.");
});

test("a search that fails is said, and the record does not hang", async () => {
  const broken: Looking = {
    ...finding(),
    search: () => Promise.reject(new Error("the store is away")),
  };
  expect(await ask({ looking: broken })).toMatchObject({ state: "failed", error: "the store is away" });
});

test("two processes make one answer of one question", async () => {
  let searches = 0;
  const counting: Looking = {
    ...finding(),
    search: async () => {
      searches++;
      return searchedWith(WINDOWS.map(({ hit }) => hit));
    },
  };
  const other: Desk = await openDesk(nc, { looking: counting, llm: null, log });
  await ask({ looking: counting, llm: null });
  await other.close();
  expect(searches).toBe(1);
});

test("what a dead process leaves is taken up", async () => {
  const touchedAtMs = Date.now() - 60_000;
  expect(await ask({ llm: null, record: { state: "reading", touchedAtMs } })).toMatchObject({
    state: "done",
  });
});

class Occasion {
  came!: () => void;
  readonly waited = new Promise<void>((resolve) => (this.came = resolve));
}

test("what is deleted while it is written stays deleted", async () => {
  const id = `answer${String(++made).padStart(4, "0")}`;
  const begun = new Occasion();
  const ended = new Occasion();
  const waiting: Looking = {
    ...finding(),
    search: (_asked, signal) =>
      new Promise((_resolve, reject) => {
        begun.came();
        signal.addEventListener("abort", () => {
          ended.came();
          reject(new Error("stopped"));
        });
      }),
  };
  const desk = await openDesk(nc, { looking: waiting, llm: null, log });
  await bucket.put(id, JSON.stringify(asked(id)));
  await begun.waited;
  await bucket.delete(id);
  await ended.waited;
  await desk.close();
  expect((await bucket.get(id))?.operation).toBe("DEL");
});
