import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import { connectBus } from "@hypecast/runtime/bus.ts";
import { readConfig, type Config } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { startClickHouse, startNats, STORE_PASSWORD, type Server } from "@hypecast/tests/servers.ts";
import { createDatabase, migrate } from "../../migrate.ts";
import { openStore, type Store } from "../../store.ts";
import type { Embedder } from "../embed/embedder.ts";
import { openOpenAi } from "../embed/openai.ts";
import { openStatic } from "../embed/static.ts";
import { startTestEndpoint, TEST_KEY, TEST_MODEL, type TestEndpoint } from "../embed/test-endpoint.ts";
import { ChunkIndex } from "./chunk-index.ts";
import { ModelsBook } from "./models.ts";
import { nearest } from "./nearest.ts";

const log = createLog("test", "silent");
const T = 1_700_000_000_000;
const VOD = "vod-0m3abcde1234567890-1";
const OTHER = "vod-0m3abcde1234567890-2";

let clickhouse: Server;
let nats: Server;
let endpoint: TestEndpoint;
let config: Config;
let store: Store;
let nc: NatsConnection;
let open: ChunkIndex[] = [];

beforeAll(async () => {
  [clickhouse, nats, endpoint] = await Promise.all([startClickHouse(), startNats(), startTestEndpoint()]);
  config = readConfig({
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
    HYPECAST_NATS_URL: nats.url,
  });
  const bare = openStore(config, { database: false });
  await createDatabase(bare, config);
  await bare.close();
  store = openStore(config);
  await migrate(store, config, log);
  nc = await connectBus(config, "test");
});
afterAll(async () => {
  await nc.close();
  await store.close();
  await Promise.all([clickhouse.close(), nats.close(), endpoint.close()]);
});
beforeEach(async () => {
  for (const table of ["chat_chunks", "chunk_vectors"])
    await store.command({ query: `TRUNCATE TABLE ${table}` });
  endpoint.seen.length = 0;
});
afterEach(async () => {
  for (const index of open.splice(0)) await index.close();
  const { Kvm } = await import("@nats-io/kv");
  const kv = await new Kvm(nc).create("oracle");
  await kv.purge("models");
  await kv.purge("indexer");
});

const chunk = (channelId: string, n: number, text: string): ChatChunk => ({
  id: `${channelId}:c:${T + n * 30_000}`,
  channelId,
  startMs: T + n * 30_000,
  endMs: T + n * 30_000 + 40_000,
  version: 1,
  messages: 5,
  chatters: 4,
  text,
  emoteWords: "",
  people: "secret_viewer",
  moods: {},
  times: 1,
  peakMs: T + n * 30_000,
  bursts: [],
  screenWords: "",
});
async function putChunks(...chunks: ChatChunk[]): Promise<void> {
  await store.insert({ table: "chat_chunks", values: chunks, format: "JSONEachRow" });
}
async function rows<Row>(query: string): Promise<Row[]> {
  const result = await store.query({ query, format: "JSONEachRow" });
  return result.json<Row>();
}
async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came: ${what}`);
}
const vectorsOf = async (model: string): Promise<number> =>
  (
    await rows<{ n: number }>(`SELECT uniqExact(chunkId) AS n FROM chunk_vectors WHERE model = '${model}'`)
  )[0]!.n;

const openEndpoint = (): Embedder =>
  openOpenAi({
    url: endpoint.url,
    name: TEST_MODEL,
    key: TEST_KEY,
    usdPerMillion: 1000,
    requestsPerMin: 100_000,
    tokensPerMin: 100_000_000,
    dimensions: null,
  });
async function start(instance: string, embedder: Embedder, now?: () => number): Promise<ChunkIndex> {
  const index = await ChunkIndex.open({
    store,
    book: await ModelsBook.open(nc, 1),
    log,
    instance,
    present: { spec: { embed: embedder.model, name: "", model: embedder.model }, embedder },
    openBefore: async ({ model }) => (model.startsWith("static@") ? openStatic() : openEndpoint()),
    ...(now === undefined ? {} : { now }),
  });
  open.push(index);
  index.start();
  return index;
}
const find = async (index: ChunkIndex, text: string, channelId?: string): Promise<string[]> =>
  (
    await index.nearest(text, channelId === undefined ? null : [{ channelId, fromMs: null, toMs: null }], 3)
  ).map(({ chunkId }) => chunkId);

test("a chunk is found by what it means soon after it is stored, in its channel and its time, and nowhere else", async () => {
  const index = await start("a", openStatic());
  const lava = chunk(VOD, 0, "he fell in the lava\nburned again ×12");
  const boss = chunk(VOD, 1, "boss is down\nwhat a clutch");
  const other = chunk("123", 0, "lava everywhere");
  await putChunks(lava, boss, other);
  await until("vectors of all", async () => (await vectorsOf(index.model)) === 3);
  expect(await find(index, "death by lava")).toHaveLength(3);
  expect((await find(index, "fell into lava", VOD))[0]).toBe(lava.id);
  expect((await find(index, "победил босса", VOD))[0]).toBe(boss.id);
  expect(await find(index, "fell into lava", "nobody")).toEqual([]);
  const inTime = await index.nearest(
    "lava",
    [{ channelId: VOD, fromMs: boss.startMs + 59_000, toMs: null }],
    3,
  );
  expect(inTime.map(({ chunkId }) => chunkId)).toEqual([boss.id]);
  expect(inTime[0]!.cosine).toBeLessThanOrEqual(1.01);
  expect(await index.coverage(null, AbortSignal.timeout(5000))).toEqual({ chunks: 3, withoutVector: 0 });
  expect(await index.nearest("🙂 ?!", null, 3)).toEqual([]);
});

test("names of viewers are not embedded, and the same text is paid for once, wherever it stands", async () => {
  const index = await start("a", openEndpoint());
  await putChunks(chunk(VOD, 0, "lava death"), chunk(VOD, 1, "lava death"), chunk(VOD, 2, "boss fight"));
  await until("vectors of the first run", async () => (await vectorsOf(index.model)) === 3);
  await putChunks(...[0, 1, 2].map((n) => chunk(OTHER, n, n === 2 ? "boss fight" : "lava death")));
  await until("vectors of the second run", async () => (await vectorsOf(index.model)) === 6);
  const sent = endpoint.seen.flatMap(({ input }) => input).map((text) => text.trim());
  expect(sent.toSorted()).toEqual(["boss fight", "lava death"]);
  expect(sent.join()).not.toContain("secret_viewer");
});

test("a chunk that was stored anew with another text gets another vector, and stands once among the nearest", async () => {
  const index = await start("a", openStatic());
  await putChunks(chunk(VOD, 0, "lava death"));
  await until("its first vector", async () => (await vectorsOf(index.model)) === 1);
  await putChunks(chunk(VOD, 0, "boss fight"));
  await until(
    "its second vector",
    async () => (await rows(`SELECT DISTINCT textHash FROM chunk_vectors`)).length === 2,
  );
  expect(await find(index, "boss fight")).toEqual([`${VOD}:c:${T}`]);
});

test("while a new model gets its vectors the one before answers, chunks that come meanwhile included", async () => {
  const first = await start("a", openStatic());
  await putChunks(...Array.from({ length: 20 }, (_, n) => chunk(VOD, n, `line ${n} of the lava level`)));
  await until("vectors of the first model", async () => (await vectorsOf(first.model)) === 20);
  await first.close();

  endpoint.fail({ status: 401, message: "no credit" });
  let aheadMs = 0;
  const second = await start("b", openEndpoint(), () => Date.now() + aheadMs);
  await until("the endpoint refuses", async () => second.health().status === "degraded");
  expect(second.health().reason).toMatch(/no credit.*words find them/);
  expect(second.model).toMatch(/^static@/);
  expect(await find(second, "lava level")).toHaveLength(3);

  aheadMs = 61_000;
  await putChunks(chunk(VOD, 30, "a goat in the kitchen"));
  await until("the new model answers", async () => second.model.startsWith(TEST_MODEL));
  expect(await find(second, "goat kitchen")).toContain(`${VOD}:c:${T + 900_000}`);
  expect(await vectorsOf(second.model)).toBe(21);
  expect(second.health()).toMatchObject({ status: "ok", figures: { withoutVector: 0 } });
  // After a while nobody answers from the vectors before, and they are removed.
  aheadMs = 200_000;
  await until("the vectors before are gone", async () => (await vectorsOf(first.model)) === 0);
});

test("a model that gives vectors of another width under its old name is refused, and its old ones go on answering", async () => {
  const first = await start("a", openEndpoint());
  await putChunks(chunk(VOD, 0, "lava death"));
  await until("its vector", async () => (await vectorsOf(first.model)) === 1);
  await first.close();
  endpoint.fail({ width: 48 });
  const second = await start("b", openEndpoint());
  await putChunks(chunk(VOD, 1, "boss fight"));
  await until("it is refused", async () => second.health().status === "degraded");
  expect(second.health().reason).toMatch(/gave vectors of 48 values, and has 32 in the store/);
  expect(await vectorsOf(second.model)).toBe(1);
});

test("one of two embeds; when it is gone the other goes on with what is left", async () => {
  const [one, two] = [await start("one", openEndpoint()), await start("two", openEndpoint())];
  await putChunks(...Array.from({ length: 30 }, (_, n) => chunk(VOD, n, `line ${n}`)));
  await until("vectors of the first", async () => (await vectorsOf(one.model)) === 30);
  await one.close();
  await putChunks(...Array.from({ length: 30 }, (_, n) => chunk(OTHER, n, `other ${n}`)));
  await until("vectors of the second", async () => (await vectorsOf(two.model)) === 60);
  const sent = endpoint.seen.flatMap(({ input }) => input);
  expect(sent).toHaveLength(60);
  expect(new Set(sent).size).toBe(60);
});

test("whoever holds the work and falls silent is replaced", async () => {
  const book = await ModelsBook.open(nc, 1);
  await book.hold("silent", null);
  let aheadMs = 0;
  const index = await start("next", openStatic(), () => Date.now() + aheadMs);
  await putChunks(chunk(VOD, 0, "lava"));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(await vectorsOf(index.model)).toBe(0);
  aheadMs = 9000;
  await until("the other takes over", async () => (await vectorsOf(index.model)) === 1);
});

test("vectors of a channel that was deleted while it was being embedded are removed", async () => {
  const embedder = openStatic();
  const [vector] = await embedder.embed(["lava"], "passage");
  await store.insert({
    table: "chunk_vectors",
    values: [
      {
        model: embedder.model,
        channelId: OTHER,
        startMs: T,
        chunkId: `${OTHER}:c:${T}`,
        textHash: 1,
        vector: Array.from(vector!),
        storedAt: Math.floor(Date.now() / 1000),
      },
    ],
    format: "JSONEachRow",
  });
  await putChunks(chunk(VOD, 0, "lava"));
  await start("a", embedder);
  await until(
    "they are gone",
    async () => (await rows(`SELECT 1 FROM chunk_vectors WHERE channelId = '${OTHER}'`)).length === 0,
  );
  await until("the others stay", async () => (await vectorsOf(embedder.model)) === 1);
});

test("nearest is exact: the same order as by Float32, within the precision of BFloat16", async () => {
  const embedder = openStatic();
  const words =
    "lava boss cat jump death win lose scream laugh song pizza map door key fire water speed run glitch crash".split(
      " ",
    );
  const texts = Array.from({ length: 400 }, (_, n) =>
    Array.from({ length: 6 }, (_word, k) => words[(n * (k + 3) + k * k * 7) % words.length]).join(" "),
  );
  const vectors = await embedder.embed(texts, "passage");
  await store.insert({
    table: "chunk_vectors",
    values: vectors.map((vector, n) => ({
      model: "exact",
      channelId: VOD,
      startMs: T + n,
      chunkId: String(n),
      textHash: n,
      vector: Array.from(vector),
      storedAt: Math.floor(Date.now() / 1000),
    })),
    format: "JSONEachRow",
  });
  const [asked] = await embedder.embed(["the cat fell in the fire"], "query");
  const exact = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * asked![i]!, 0));
  const found = await nearest(store, "exact", asked!, null, 20);
  expect(found).toHaveLength(20);
  const least = exact.toSorted((a, b) => b - a)[19]!;
  for (const { chunkId, cosine } of found) {
    expect(exact[Number(chunkId)]).toBeGreaterThan(least - 0.01);
    expect(cosine).toBeCloseTo(exact[Number(chunkId)]!, 1);
  }
});
