import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import { chatGap, chatLine, chatModeration, chatNotice, type ChatLine } from "@hypecast/contracts/chat.ts";
import { audioWindow, type AudioWindow } from "@hypecast/contracts/audio.ts";
import { chatBurst } from "@hypecast/contracts/burst.ts";
import { chatChunk, type ChatChunk } from "@hypecast/contracts/chunk.ts";
import { deadLetter } from "@hypecast/contracts/dead-letter.ts";
import { forecastOutcome, hypeForecast, hypeValue } from "@hypecast/contracts/hype.ts";
import { journalEntry } from "@hypecast/contracts/journal.ts";
import { modCase, modReport } from "@hypecast/contracts/mod-case.ts";
import { modEvent } from "@hypecast/contracts/mod-event.ts";
import { moment, momentMark, reactionLag, type Moment } from "@hypecast/contracts/moment.ts";
import { forgetChannel, heatmap, questions, questionSubject } from "@hypecast/contracts/question.ts";
import { modQuestions } from "@hypecast/contracts/question-mod.ts";
import { shotScore, videoShot, type ShotScore, type VideoShot } from "@hypecast/contracts/shot.ts";
import { lineScore, toxicityScores, toxicitySpike, toxicityWindow } from "@hypecast/contracts/toxicity.ts";
import { videoGap, videoSegment } from "@hypecast/contracts/video.ts";
import { chatWindow, type ChatWindow } from "@hypecast/contracts/window.ts";
import { readConfig, type Config } from "@hypecast/runtime/config.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { startClickHouse, startNats, STORE_PASSWORD, type Server } from "@hypecast/tests/servers.ts";
import { migrate, readMigrations, WrongStore } from "../migrate.ts";
import { openStore, type Store } from "../store.ts";
import { asker, type Answer } from "./answer.ts";
import { answerAudio } from "./audio.ts";
import { answerBursts } from "./bursts.ts";
import { answerChatSpan } from "./chat-span.ts";
import { answerExtent } from "./extent.ts";
import { answerForgetChannel } from "./forget-channel.ts";
import { answerForecastRecord } from "./forecast-record.ts";
import { answerForecasts } from "./forecasts.ts";
import { answerHeatmap } from "./heatmap.ts";
import { answers } from "./index.ts";
import { answerMomentAt } from "./moment-at.ts";
import { answerMoments } from "./moments.ts";
import { answerShots } from "./shots.ts";
import { serveQuestions, type Questions } from "./serve.ts";
import { answerSparklines } from "./sparklines.ts";
import { answerTopEmotes } from "./top-emotes.ts";
import { answerVodFacts } from "./vod-facts.ts";
import { answerWindows } from "./windows.ts";

/** A minute boundary, so that sums by hand are easy. */
const T = 1_700_000_040_000;
const log = createLog("test", "silent");

let clickhouse: Server;
let nats: Server;
let nc: NatsConnection;
let config: Config;
let store: Store;
let served: Questions;

async function put(table: string, rows: object[]): Promise<void> {
  await store.insert({ table, values: rows, format: "JSONEachRow" });
}
async function ask<Answered extends Answer>(
  one: Answered,
  asked: Parameters<Answered["answer"]>[0],
  nowMs = T,
): Promise<Awaited<ReturnType<Answered["answer"]>>> {
  const answer = await one.answer(
    one.question.ask.parse(asked),
    asker(store, AbortSignal.timeout(5000), () => 5),
    nowMs,
  );
  return one.question.answer.parse(answer) as Awaited<ReturnType<Answered["answer"]>>;
}

function window(
  channelId: string,
  sizeS: number,
  startMs: number,
  over: Partial<ChatWindow> = {},
): ChatWindow {
  return {
    id: `${channelId}:${sizeS}:${startMs}`,
    channelId,
    startMs,
    sizeS,
    messages: 0,
    chatters: 0,
    chattersEstimated: false,
    firstTimers: 0,
    emotes: [],
    emoteUses: 0,
    emoteShare: 0,
    moods: {},
    sentiment: 0,
    sentimentLines: 0,
    meanLength: 0,
    repeatedShare: 0,
    nearRepeatedShare: 0,
    capsShare: 0,
    questions: 0,
    links: 0,
    bits: 0,
    subs: 0,
    raiders: 0,
    languages: { en: 0, ru: 0, other: 0 },
    gapS: 0,
    late: 0,
    emoteSet: "",
    ...over,
  };
}
const burst = (over: Partial<ChatBurst>): ChatBurst => ({
  id: "b:emote:KEKW:1",
  channelId: "b",
  kind: "emote",
  subject: "KEKW",
  emoteRef: "7tv:1",
  mood: "laugh",
  startMs: T,
  peakMs: T + 2000,
  endMs: T + 3000,
  detectedAtMs: T + 1500,
  open: true,
  count: 10,
  chatters: 8,
  peakRate: 9.2,
  baselineRate: 1,
  times: 9.2,
  z: 12.5,
  reasons: { capsShare: 0.4 },
  ...over,
});

beforeAll(async () => {
  [clickhouse, nats] = await Promise.all([startClickHouse(), startNats()]);
  config = readConfig({
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
    HYPECAST_RAW_HOURS: "48",
  });
  store = openStore(config);
  await migrate(store, config, log);
  nc = await connect({ servers: nats.url });
  served = serveQuestions(
    nc,
    store,
    answers,
    log,
    () => null,
    () => T,
  );
});
afterAll(async () => {
  await served?.close();
  await nc?.close();
  await store?.close();
  await clickhouse?.close();
  await nats?.close();
});

describe("the store's tables", () => {
  test.each([
    ["chat_lines", chatLine],
    ["chat_notices", chatNotice.schema],
    ["chat_moderation", chatModeration.schema],
    ["chat_gaps", chatGap.schema],
    ["chat_windows", chatWindow],
    ["chat_bursts", chatBurst],
    ["hype", hypeValue],
    ["forecasts", hypeForecast],
    ["forecast_outcomes", forecastOutcome],
    ["dead_letters", deadLetter],
    ["video_segments", videoSegment.schema],
    ["video_gaps", videoGap.schema],
    ["shots", videoShot],
    ["shot_scores", shotScore.schema],
    ["audio_windows", audioWindow],
    ["moments", moment],
    ["reaction_lags", reactionLag],
    ["moment_marks", momentMark.schema],
    ["chat_chunks", chatChunk],
    ["vod_lines", chatLine],
    ["vod_notices", chatNotice.schema],
    ["vod_moderation", chatModeration.schema],
    ["toxicity_packs", toxicityScores.schema],
    ["toxicity_scores", lineScore],
    ["toxicity_windows", toxicityWindow],
    ["toxicity_spikes", toxicitySpike],
    ["mod_cases", modCase],
    ["mod_events", modEvent.schema],
    ["mod_reports", modReport.schema],
    ["journal", journalEntry],
  ] as const)(
    "%s has the contract's fields as columns, in its spelling and order",
    async (table, contract) => {
      const result = await store.query({
        query:
          "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') AND name != 'storedAt' ORDER BY position",
        query_params: { table },
        format: "JSONEachRow",
      });
      expect((await result.json<{ name: string }>()).map(({ name }) => name)).toEqual(
        Object.keys(contract.shape),
      );
    },
  );

  test("every table that the sink fills knows a batch that is sent again", async () => {
    const result = await store.query({
      query:
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND create_table_query NOT LIKE '%non_replicated_deduplication_window = 10000%'",
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([{ name: "migrations" }]);
  });

  test("raw text, and what searches make of it, goes after the hours of the settings", async () => {
    const result = await store.query({
      query:
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND create_table_query LIKE '%storedAt + toIntervalHour(48)%' ORDER BY name",
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([
      { name: "chat_chunks" },
      { name: "chat_lines" },
      { name: "chat_moderation" },
      { name: "chat_notices" },
      { name: "chunk_lengths" },
      { name: "chunk_terms" },
      { name: "chunk_vectors" },
      { name: "mod_cases" },
      { name: "mod_events" },
      { name: "mod_reports" },
      { name: "toxicity_packs" },
      { name: "toxicity_scores" },
      { name: "toxicity_spikes" },
    ]);
  });

  test("a second start changes nothing; a changed or unknown migration stops it with its name", async () => {
    const known = readMigrations();
    await migrate(store, config, log, known);
    const changed = known.map((one, i) => (i === 0 ? { ...one, checksum: "0".repeat(64) } : one));
    await expect(migrate(store, config, log, changed)).rejects.toThrow(
      /migration 0001_chat\.sql has changed since it was applied here/,
    );
    await expect(migrate(store, config, log, known.slice(0, 1))).rejects.toThrow(WrongStore);
    await expect(migrate(store, config, log, known.slice(0, 1))).rejects.toThrow(
      /newer version.*0002_folds\.sql/,
    );
  });
});

test("windows come back exactly as the fold closed them, oldest first, the newest when there are too many", async () => {
  const full = window("w", 10, T, {
    messages: 7,
    chatters: 3,
    chattersEstimated: true,
    emotes: [["7tv:1", "KEKW", 4]],
    emoteShare: 0.1 + 0.2,
    moods: { laugh: 4, sad: 1 },
    sentiment: -0.123456789012345,
    languages: { en: 5, ru: 1, other: 1 },
    gapS: 1.5,
    emoteSet: "ab12",
  });
  const later = [1, 2].map((n) => window("w", 10, T + n * 10_000, { messages: n }));
  await put("chat_windows", [full, ...later, window("w", 60, T), window("x", 10, T)]);
  const asked = { channelId: "w", fromMs: T, toMs: T + 30_000, sizeS: 10, limit: 100 };
  expect(await ask(answerWindows, asked)).toEqual({ windows: [full, ...later] });
  expect((await ask(answerWindows, { ...asked, limit: 2 })).windows).toEqual(later);
  expect((await ask(answerWindows, { ...asked, toMs: T + 20_000 })).windows).toEqual([full, later[0]]);
});

test("a burst is one: closed where it has closed, whichever row came first", async () => {
  const closed = burst({ open: false, endMs: T + 9000, count: 31 });
  const other = burst({
    id: "b:volume::2",
    kind: "volume",
    subject: "",
    mood: null,
    emoteRef: "",
    startMs: T + 60_000,
    endMs: T + 61_000,
  });
  await put("chat_bursts", [closed]);
  await put("chat_bursts", [burst({})]);
  await put("chat_bursts", [other]);
  const asked = { channelId: "b", fromMs: T + 5000, toMs: T + 120_000, limit: 10 };
  expect(await ask(answerBursts, asked)).toEqual({ bursts: [other, closed] });
  expect((await ask(answerBursts, { ...asked, fromMs: T + 9001 })).bursts).toEqual([other]);
  expect((await ask(answerBursts, { ...asked, limit: 1 })).bursts).toEqual([other]);
});

describe("the heatmap", () => {
  test("tells nobody wrote from not measured, and counts per heard minute", async () => {
    await put("chat_windows", [
      window("h", 60, T, { messages: 30, chatters: 4, moods: { laugh: 2 } }),
      window("h", 60, T + 60_000, { messages: 0 }),
      // third minute: no window, a whole gap
      window("h", 60, T + 180_000, { messages: 10, chatters: 9, gapS: 40, moods: { laugh: 9 } }),
    ]);
    await put("chat_gaps", [
      { id: "g1", channelId: "h", fromMs: T + 110_000, toMs: T + 200_000, reason: "connection_lost" },
      { id: "g2", channelId: "h", fromMs: T + 190_000, toMs: T + 220_000, reason: "connection_lost" },
    ]);
    await put(
      "hype",
      [10, 20, 95].map((value, i) => ({
        id: `h${i}`,
        channelId: "h",
        atMs: T + i * 5000,
        state: "ok",
        value,
      })),
    );
    await put("hype", [{ id: "hn", channelId: "h", atMs: T + 60_000, state: "too_sparse", value: null }]);
    const { columns, ...grid } = await ask(answerHeatmap, {
      channelId: "h",
      fromMs: T,
      toMs: T + 240_000,
      columns: 4,
    });
    expect(grid).toEqual({ channelId: "h", fromMs: T, toMs: T + 240_000, stepMs: 60_000 });
    expect(columns).toEqual([
      { startMs: T, messagesPerMin: 30, hype: 95, chatters: 4, mood: null, moods: { laugh: 2 }, gapS: 0 },
      { startMs: T + 60_000, messagesPerMin: 0, hype: null, chatters: 0, mood: null, moods: {}, gapS: 10 },
      {
        startMs: T + 120_000,
        messagesPerMin: null,
        hype: null,
        chatters: null,
        mood: null,
        moods: {},
        gapS: 60,
      },
      {
        startMs: T + 180_000,
        messagesPerMin: 30,
        hype: null,
        chatters: 9,
        mood: "laugh",
        moods: { laugh: 9 },
        gapS: 40,
      },
    ]);
  });

  test("knows a silent second from one that was not heard by the ten seconds around it", async () => {
    await put("chat_windows", [
      window("hz", 1, T + 1000, { messages: 2 }),
      window("hz", 10, T, { messages: 2 }),
      // Its panes have left the store: nothing is said about its seconds.
      window("hz", 10, T + 10_000, { messages: 7 }),
      window("hz", 10, T + 20_000, { messages: 1, gapS: 2.9 }),
      // Heard in its last tenth: one line, and not six hundred a minute.
      window("hz", 1, T + 26_000, { messages: 1, gapS: 0.9 }),
    ]);
    await put("chat_gaps", [
      { id: "gz", channelId: "hz", fromMs: T + 24_000, toMs: T + 26_900, reason: "connection_lost" },
    ]);
    const asked = { channelId: "hz", fromMs: T, toMs: T + 30_000 };
    const seconds = await ask(answerHeatmap, { ...asked, columns: 30 });
    expect(seconds.columns.map((column) => column.messagesPerMin)).toEqual(
      [
        [0, 120],
        Array(8).fill(0),
        Array(10).fill(null),
        Array(4).fill(0),
        [null, null, 60],
        Array(3).fill(0),
      ].flat(),
    );
    // Two lines in five heard seconds are 24 a minute, however few of the seconds have a pane.
    const fives = await ask(answerHeatmap, { ...asked, columns: 6 });
    expect(fives.columns.map((column) => column.messagesPerMin)).toEqual([24, 0, null, null, 0, 60 / 3.1]);
  });

  test("goes down to seconds, and to ten where seconds are no longer kept", async () => {
    await put("chat_windows", [
      window("hs", 1, T + 1000, { messages: 2 }),
      window("ho", 10, T, { messages: 5 }),
    ]);
    const seconds = await ask(answerHeatmap, { channelId: "hs", fromMs: T, toMs: T + 10_000, columns: 100 });
    expect(seconds.stepMs).toBe(1000);
    expect(seconds.columns.map((column) => column.messagesPerMin)).toEqual([
      null,
      120,
      ...Array(8).fill(null),
    ]);
    const old = await ask(answerHeatmap, { channelId: "ho", fromMs: T, toMs: T + 10_000, columns: 100 });
    expect(old).toMatchObject({ stepMs: 10_000, columns: [{ messagesPerMin: 30 }] });
  });
});

test("top emotes sum windows, say when each was last used and when counting began", async () => {
  await put("chat_windows", [
    window("e", 10, T - 60_000, { emotes: [["7tv:9", "OLD", 50]] }),
    window("e", 10, T, {
      emotes: [
        ["7tv:1", "KEKW", 4],
        ["twitch:25", "Kappa", 1],
      ],
    }),
    window("e", 10, T + 10_000, { emotes: [["twitch:25", "Kappa", 5]] }),
    window("e", 60, T, {
      emotes: [
        ["7tv:1", "KEKW", 4],
        ["twitch:25", "Kappa", 6],
      ],
    }),
  ]);
  expect(await ask(answerTopEmotes, { channelId: "e", fromMs: T, toMs: T + 60_000, limit: 2 })).toEqual({
    emotes: [
      { ref: "twitch:25", name: "Kappa", uses: 6, lastUsedMs: T + 10_000 },
      { ref: "7tv:1", name: "KEKW", uses: 4, lastUsedMs: T },
    ],
    trackedSinceMs: T - 60_000,
  });
  expect(await ask(answerTopEmotes, { channelId: "nobody", fromMs: T, toMs: T + 1, limit: 2 })).toEqual({
    emotes: [],
    trackedSinceMs: null,
  });
});

test("a moment: sums of its seconds, and lines that stand for those like them", async () => {
  const line = (n: number, text: string, over: Partial<ChatLine> = {}): ChatLine => ({
    id: `m${n}`,
    channelId: "m",
    sentAtMs: T + n * 100,
    userId: `u${n % 2}`,
    login: `user${n % 2}`,
    text,
    ...over,
  });
  await put("chat_lines", [
    line(1, "LUL"),
    line(2, " lul "),
    line(3, "what", { emotes: [["7tv:1", "what", 0, 3]], badges: "subscriber/1" }),
    line(4, "LUL", { sourceChannelId: "other", sourceId: "o1" }),
    line(300, "too late"),
  ]);
  await put("chat_windows", [
    window("m", 1, T, { messages: 3, chatters: 2, moods: { laugh: 2 }, emotes: [["7tv:1", "what", 1]] }),
    window("m", 1, T + 1000, { messages: 0 }),
    window("m", 10, T, { messages: 3, emotes: [["7tv:1", "what", 1]] }),
    window("gone", 10, T, { messages: 3, chatters: 2 }),
  ]);
  await put("hype", [{ id: "m1", channelId: "m", atMs: T, state: "ok", value: 71.5 }]);
  expect(await ask(answerMomentAt, { channelId: "m", atMs: T, aroundS: 10 })).toEqual({
    fromMs: T - 10_000,
    toMs: T + 10_000,
    messages: 3,
    chatters: 2,
    hype: 71.5,
    gapS: 0,
    moods: { laugh: 2 },
    emotes: [{ ref: "7tv:1", name: "what", uses: 1 }],
    bursts: [],
    lines: [
      { ...line(1, "LUL"), similar: 2 },
      { ...line(3, "what", { emotes: [["7tv:1", "what", 0, 3]], badges: "subscriber/1" }), similar: 1 },
    ],
    linesKept: true,
  });
  expect(await ask(answerMomentAt, { channelId: "gone", atMs: T, aroundS: 10 })).toMatchObject({
    messages: 3,
    chatters: 2,
    hype: null,
    lines: [],
    linesKept: false,
  });
});

test("forecasts come back with null where the model did not answer", async () => {
  const horizons = [{ minutes: 1, p10: 1, p50: 2.5, p90: 4 }];
  const one = (n: number, over: object) => ({
    id: `f:${n}`,
    channelId: "f",
    atMs: T + n,
    model: "m 1",
    burstChance: 0.2,
    usualChance: 0.1,
    horizons,
    ...over,
  });
  const silent = one(2, { model: "none", burstChance: null, usualChance: null, horizons: null });
  await put("forecasts", [one(1, {}), silent]);
  const asked = { channelId: "f", fromMs: T, toMs: T + 10, limit: 10 };
  expect(await ask(answerForecasts, asked)).toEqual({ forecasts: [one(1, {}), silent] });
  expect(await ask(answerForecasts, { ...asked, limit: 1 })).toEqual({ forecasts: [silent] });
});

test("the forecast's record: the last minutes ahead, bursts called and missed, coverage by horizon", async () => {
  const outcome = (n: number, kind: string, said: number, came: number, hit: boolean) => ({
    id: `r:${kind}:${n}`,
    channelId: "r",
    atMs: T + n,
    kind,
    said,
    low: kind === "burst" ? null : 1,
    high: kind === "burst" ? null : 2,
    came,
    hit,
  });
  const right = outcome(1, "burst", 0.7, 1, true);
  const falseAlarm = outcome(2, "burst", 0.5, 0, false);
  const quiet = outcome(3, "burst", 0.1, 0, true);
  const missed = outcome(4, "burst", 0.4, 1, false);
  await put("forecast_outcomes", [right, falseAlarm, quiet, missed, outcome(0, "burst", 0.9, 1, true)]);
  const minutes = [1, 2, 3, 4].map((n) => outcome(n, "rate1", 1.5, n, n < 4));
  await put("forecast_outcomes", minutes);
  expect(await ask(answerForecastRecord, { channelId: "r", sinceMs: T + 1, limit: 3 })).toEqual({
    calls: minutes.slice(1),
    hits: 2,
    coverage: [
      { minutes: 1, inside: 0.75, n: 4 },
      { minutes: 5, inside: null, n: 0 },
      { minutes: 15, inside: null, n: 0 },
    ],
    precision: 0.5,
    recall: 0.5,
    n: 4,
  });
});

test("sparklines: whole minutes up to now, null where unmeasured, channels as asked", async () => {
  await put("chat_windows", [
    window("s1", 60, T - 300_000, { messages: 6 }),
    window("s1", 60, T - 120_000, { messages: 5, gapS: 30 }),
    window("s1", 60, T - 60_000, { messages: 0 }),
    window("s1", 60, T, { messages: 99 }),
  ]);
  await put("hype", [
    { id: "sh1", channelId: "s1", atMs: T - 115_000, state: "ok", value: 40 },
    { id: "sh2", channelId: "s1", atMs: T - 95_000, state: "ok", value: 62.5 },
    { id: "sh3", channelId: "s1", atMs: T - 50_000, state: "too_sparse", value: null },
  ]);
  const { sparklines } = await ask(answerSparklines, { channelIds: ["s2", "s1"], minutes: 5 }, T + 30_000);
  const grid = { stepMs: 60_000, startMs: T - 300_000 };
  expect(sparklines).toEqual([
    {
      channelId: "s2",
      ...grid,
      messagesPerMin: [null, null, null, null, null],
      hype: [null, null, null, null, null],
    },
    {
      channelId: "s1",
      ...grid,
      messagesPerMin: [6, null, null, 10, 0],
      hype: [null, null, null, 62.5, null],
    },
  ]);
});

test("extent: from the first window's begin to the last one's end; null before there is any", async () => {
  await put("chat_windows", [
    window("x2", 10, T, { messages: 2 }),
    window("x2", 10, T + 50_000, { messages: 3 }),
  ]);
  await put("chat_windows", [window("x2", 10, T, { messages: 2 })]);
  expect(await ask(answerExtent, { channelId: "x2" })).toEqual({
    firstMs: T,
    lastMs: T + 60_000,
    messages: 5,
  });
  expect(await ask(answerExtent, { channelId: "never" })).toEqual({
    firstMs: null,
    lastMs: null,
    messages: 0,
  });
});

const shot = (n: number, over: Partial<VideoShot> = {}): VideoShot => ({
  id: `v:1:${T + n}`,
  channelId: "v",
  epoch: 1,
  startMs: T + n,
  endMs: T + n + 1000,
  cut: "hard",
  frames: 30,
  ad: false,
  scene: "game",
  sharpness: 0.5,
  exposure: 0.5,
  colourfulness: 0.25,
  noise: 0.1,
  cameraMotion: 0.1,
  objectMotion: 0.75,
  blackShare: 0,
  frozenShare: 0,
  cutsPerMin: 12.5,
  text: 0.1,
  novelty: 1,
  framesKeys: ["frames/v/1/1.rgb"],
  ...over,
});
const score = (n: number, over: Partial<ShotScore> = {}): ShotScore => ({
  id: `v:1:${T + n}`,
  channelId: "v",
  startMs: T + n,
  endMs: T + n + 1000,
  model: "shot_score@1",
  action: 0.5,
  quality: 0.75,
  novelty: 0.25,
  unknown: null,
  ...over,
});

test("shots that touch a span come with the score that says something; an unknown does not hide it, nor is it a low one", async () => {
  const unknown = { action: null, quality: null, novelty: null, unknown: "scorer_down" } as const;
  const long = shot(0, { endMs: T + 60_000 });
  const shots = [long, shot(60_000), shot(61_000, { ad: true }), shot(62_000)];
  await put("shots", [...shots, shot(-5000)]);
  await put("shots", [long]);
  await put("shot_scores", [score(60_000)]);
  await put("shot_scores", [score(60_000, unknown), score(61_000, { ...unknown, model: "shot_score@2" })]);
  const asked = { channelId: "v", fromMs: T + 30_000, toMs: T + 62_001, limit: 100 };
  expect(await ask(answerShots, asked)).toEqual({
    shots: [
      { ...shots[0], score: null },
      { ...shots[1], score: score(60_000) },
      { ...shots[2], score: score(61_000, { ...unknown, model: "shot_score@2" }) },
      { ...shots[3], score: null },
    ],
  });
  const newest = await ask(answerShots, { ...asked, limit: 2 });
  expect(newest.shots.map(({ startMs }) => startMs - T)).toEqual([61_000, 62_000]);
  expect(await ask(answerShots, { ...asked, channelId: "nobody" })).toEqual({ shots: [] });
});

test("sound in columns: the loudest, the highest rise and the strongest onset of each; null where none was measured", async () => {
  const sound = (n: number, over: Partial<AudioWindow> = {}): AudioWindow => ({
    id: `a:${T + n}`,
    channelId: "a",
    startMs: T + n,
    ad: false,
    momentary: -20,
    shortTerm: -21,
    integrated: -22.5,
    peak: -3,
    aboveUsual: 0,
    onset: 0,
    silence: false,
    voice: 0.5,
    tempo: null,
    tempoStrength: 0,
    ...over,
  });
  const shout = sound(2000, { momentary: -8.5, aboveUsual: 12, onset: 6, voice: 1 });
  await put("audio_windows", [
    sound(0, { momentary: null, shortTerm: null, integrated: null, voice: 0 }),
    shout,
    sound(3000),
  ]);
  await put("audio_windows", [shout]);
  const none = { loudness: null, aboveUsual: null, onset: null, voice: null };
  expect(await ask(answerAudio, { channelId: "a", fromMs: T, toMs: T + 6000, columns: 3 })).toEqual({
    stepMs: 2000,
    columns: [
      { startMs: T, loudness: null, aboveUsual: 0, onset: 0, voice: 0 },
      { startMs: T + 2000, loudness: -8.5, aboveUsual: 12, onset: 6, voice: 0.75 },
      { startMs: T + 4000, ...none },
    ],
  });
});

const found = (n: number, over: Partial<Moment> = {}): Moment => ({
  id: `o:m:${T + n}`,
  channelId: "o",
  state: "final",
  version: 1,
  kind: "fail",
  origin: "chat",
  startMs: T + n - 10_000,
  endMs: T + n + 10_000,
  onsetMs: T + n - 5000,
  peakMs: T + n,
  chatOnsetMs: null,
  lagMs: 5000,
  lagErrorMs: 1500,
  lagLearned: true,
  startSnap: "cut",
  endSnap: null,
  score: 71.5,
  subject: "KEKW",
  reasons: { "chat.times": 9.2 },
  senses: { chat: "ok", picture: "ok", sound: "none", model: "unknown" },
  marks: ["o:mark:1"],
  detectedAtMs: T + n + 6000,
  ...over,
});

test("of a moment the newest version counts, whichever row came first; what is withdrawn is gone, also where an older version lies in the span", async () => {
  const newer = found(60_000, { version: 2, chatOnsetMs: T + 58_000 });
  await put("moments", [newer, found(120_000), found(200_000)]);
  await put("moments", [
    found(60_000, { state: "open" }),
    found(120_000, { version: 2, state: "withdrawn" }),
    // Its start has moved out of the span.
    found(200_000, { version: 3, startMs: T + 400_000 }),
  ]);
  await put("moments", [found(10_000, { id: "o2:m:1", channelId: "o2" })]);
  const lag = (n: number) => ({
    id: `o:${T + n}`,
    channelId: "o",
    atMs: T + n,
    lagMs: 4000 + n,
    errorMs: 900,
    learned: true,
    pairs: n,
  });
  await put("reaction_lags", [lag(1), lag(2), lag(300_000)]);
  const asked = { channelId: "o", fromMs: T, toMs: T + 250_000, limit: 10 };
  expect(await ask(answerMoments, asked)).toEqual({ moments: [newer], lag: lag(2) });
  expect(await ask(answerMoments, { ...asked, toMs: T + 20_000, limit: 1 })).toMatchObject({ moments: [] });
  expect(await ask(answerMoments, { ...asked, channelId: "nobody" })).toEqual({ moments: [], lag: null });
});

test("lines of a span without what moderators removed: one by its id, a viewer's up to the time-out, all up to a clearing", async () => {
  const said = (n: number, over: Partial<ChatLine> = {}): ChatLine => ({
    id: `c${n}`,
    channelId: "c",
    sentAtMs: T + n,
    userId: `u${n}`,
    login: `u${n}`,
    text: `line ${n}`,
    ...over,
  });
  const kept = [
    said(3000, { emotes: [["7tv:1", "KEKW", 0, 3]] }),
    said(5000),
    said(7000, { userId: "bad", login: "bad" }),
  ];
  await put("chat_lines", [
    said(1000),
    ...kept,
    said(4000),
    said(6000, { userId: "bad", login: "bad" }),
    said(20_000),
    said(3500, { channelId: "c2", id: "other" }),
  ]);
  await put("chat_lines", [said(5000)]);
  const moderation = (n: number, over: object) => ({
    id: `k${n}`,
    channelId: "c",
    sentAtMs: T + n,
    targetUserId: "",
    targetLogin: "",
    targetMessageId: "",
    text: "",
    durationS: 0,
    room: {},
    ...over,
  });
  await put("chat_moderation", [
    moderation(2000, { action: "clear" }),
    moderation(90_000, { action: "delete", targetMessageId: "c4000" }),
    moderation(6500, { action: "timeout", targetUserId: "bad" }),
    moderation(8000, { action: "room_state" }),
    moderation(-5000, { action: "ban", targetUserId: "u5000" }),
    moderation(99_000, { action: "clear", channelId: "c2" }),
  ]);
  const asked = { channelId: "c", fromMs: T, toMs: T + 10_000, limit: 100 };
  expect(await ask(answerChatSpan, asked)).toEqual({ lines: kept, complete: true });
  const some = await ask(answerChatSpan, { ...asked, limit: 2 });
  expect(some).toMatchObject({ complete: false });
  expect(some.lines).toHaveLength(2);
  expect(await ask(answerChatSpan, { ...asked, limit: 2 })).toEqual(some);
  expect(await ask(answerChatSpan, { ...asked, channelId: "c2" })).toEqual({ lines: [], complete: true });
});

test("segments and gaps, scores and marks are stored as they stand on the log, null where the contract says so", async () => {
  const file = { key: "video/s/1/7-160.ts", bytes: 106_000, width: 284, height: 160, bandwidth: 600_000 };
  const init = { key: "video/s/1/init-1.mp4", bytes: 900 };
  const segment = {
    id: "s:1:7",
    channelId: "s",
    epoch: 1,
    seq: 7,
    startMs: T,
    durationMs: 2000,
    discontinuity: false,
    ad: false,
    analysis: { ...file, container: "ts", init: null },
    source: { ...file, container: "fmp4", init },
  };
  await put("video_segments", [
    segment,
    { ...segment, id: "s:1:8", seq: 8, startMs: T + 2000, analysis: null, source: null },
  ]);
  const result = await store.query({
    query:
      "SELECT seq, analysis.key AS a, source.bytes AS bytes, source.init.key AS init FROM video_segments FINAL ORDER BY seq",
    format: "JSONEachRow",
  });
  expect(await result.json()).toEqual([
    { seq: 7, a: file.key, bytes: 106_000, init: init.key },
    { seq: 8, a: "", bytes: 0, init: "" },
  ]);
});

describe("over NATS", () => {
  const request = async (subject: string, body: string): Promise<unknown> =>
    (await nc.request(subject, body, { timeout: 8000 })).json();

  test("every question of the contracts has one who answers, and nothing else has", () => {
    expect(answers.map(({ question }) => question.name)).toEqual(
      [...questions, ...modQuestions].map(({ name }) => name),
    );
  });

  test("a good question is answered in the contract's shape", async () => {
    const answer = await request(
      questionSubject(heatmap),
      JSON.stringify({ channelId: "nobody", fromMs: T, toMs: T + 60_000, columns: 6 }),
    );
    expect(heatmap.answer.parse(answer).columns).toHaveLength(6);
  });

  test.each([
    ["no JSON", "{", /no JSON/],
    ["a wrong field", '{"channelId":"x","fromMs":0,"toMs":1,"columns":0}', /columns/],
    ["a hostile channel", `{"channelId":"x' OR 1=1","fromMs":0,"toMs":1,"columns":1}`, /channel id/],
    ["an empty span", '{"channelId":"x","fromMs":5,"toMs":5,"columns":1}', /span is empty/],
  ])("%s is the asker's fault and says why", async (_what, body, why) => {
    expect(await request(questionSubject(heatmap), body)).toEqual({
      error: "bad_question",
      detail: expect.stringMatching(why) as string,
    });
  });

  test("a store that is gone is store_down, and the next question after its return is answered", async () => {
    const ok = JSON.stringify({ channelId: "x2" });
    clickhouse.child().kill("SIGKILL");
    await expect.poll(() => request("ask.extent", ok)).toMatchObject({ error: "store_down" });
    expect(served.health().status).toBe("degraded");
    await clickhouse.crash();
    expect(await request("ask.extent", ok)).toEqual({ firstMs: T, lastMs: T + 60_000, messages: 5 });
  });
});

describe("an imported stream", () => {
  const vod = "vod-0abcdefgh123456789-1";
  const chunk = (channelId: string, startMs: number): ChatChunk => ({
    id: `${channelId}:c:${startMs}`,
    channelId,
    startMs,
    endMs: startMs + 40_000,
    version: 1,
    messages: 3,
    chatters: 2,
    text: "he fell\nKEKW ×137",
    emoteWords: "KEKW laughs смех",
    people: "ann bob",
    moods: { laugh: 2 },
    times: 3.5,
    peakMs: startMs + 9000,
    bursts: [],
    screenWords: "loud громко",
  });
  const line = (id: string, atMs: number, userId: string, text: string): ChatLine => ({
    id,
    channelId: vod,
    sentAtMs: atMs,
    userId,
    login: `u${userId}`,
    text,
  });
  // Long before this store was: nothing of it may leave by its age.
  const start = Date.UTC(2000, 0, 1);
  const asked = { channelId: vod, fromMs: start, toMs: start + 120_000 };

  test("is read from its own tables and chunks, and counted", async () => {
    await put("vod_lines", [
      line("v1", start + 1000, "1", "hello"),
      line("v2", start + 61_000, "1", "he fell into lava"),
      line("v3", start + 62_000, "2", "He fell into lava"),
      line("v4", start + 63_000, "3", "what a night it was"),
      line("v5", start + 64_000, "3", "!jump now"),
    ]);
    await put("vod_moderation", [
      { id: "vm", channelId: vod, sentAtMs: start + 2000, action: "delete", targetMessageId: "v1" },
    ]);
    await put("chat_windows", [
      window(vod, 10, start, { messages: 1 }),
      window(vod, 10, start + 60_000, { messages: 4, gapS: 2 }),
    ]);
    await put("chat_chunks", [chunk(vod, start), chunk(vod, start + 30_000), chunk("7", T)]);
    await put("moments", [
      found(0, {
        channelId: vod,
        id: `${vod}:m:1`,
        startMs: start + 50_000,
        onsetMs: start + 59_000,
        chatOnsetMs: start + 60_000,
        endMs: start + 70_000,
      }),
    ]);
    // A hype that is not known yet is none, not zero.
    await put("hype", [
      { id: "vh1", channelId: vod, atMs: start + 10_000, state: "warming", value: null },
      { id: "vh2", channelId: vod, atMs: start + 65_000, state: "ok", value: 71.5 },
    ]);
    expect(await ask(answerVodFacts, { ...asked, columns: 4 })).toEqual({
      lines: 5,
      chatters: 3,
      moments: 1,
      chunks: 2,
      embedded: 0,
      rate: [6, null, 30, null],
      hype: [null, null, 71.5, null],
      best: { atMs: start + 59_000, kind: "fail", subject: "KEKW", quote: "he fell into lava" },
      linesUpToMs: start + 64_000,
      windowsUpToMs: start + 70_000,
      chunksUpToMs: start + 70_000,
    });
    const span = await ask(answerChatSpan, { ...asked, limit: 10 });
    expect(span.lines.map(({ id }) => id)).toEqual(["v2", "v3", "v4", "v5"]);
    const at = await ask(answerMomentAt, { channelId: vod, atMs: start + 62_000, aroundS: 5 });
    expect(at.lines.map(({ text, similar }) => [text, similar])).toContainEqual(["he fell into lava", 2]);
    expect(at.linesKept).toBe(true);
  });

  test("is forgotten in every table, and nothing else is", async () => {
    await put("dead_letters", [
      {
        id: "d1",
        stream: "INPUT",
        seq: 1,
        subject: `chat.lines.33.${vod}`,
        reason: "not_json",
        detail: "",
        body: "",
        atMs: T,
      },
      {
        id: "d2",
        stream: "INPUT",
        seq: 2,
        subject: "chat.lines.3.7",
        reason: "not_json",
        detail: "",
        body: "",
        atMs: T,
      },
    ]);
    const forget = (): ReturnType<typeof answerForgetChannel.answer> =>
      ask(answerForgetChannel, { channelId: vod });
    let { left } = await forget();
    for (let tries = 0; Object.keys(left).length > 0 && tries < 5; tries++) ({ left } = await forget());
    expect(left).toEqual({});
    const others = await store.query({
      query:
        "SELECT (SELECT count() FROM chat_chunks) AS chunks, (SELECT count() FROM dead_letters) AS letters, (SELECT count() > 0 FROM chat_lines) AS lines",
      format: "JSONEachRow",
    });
    expect(await others.json()).toEqual([{ chunks: 1, letters: 1, lines: 1 }]);
    expect(() => forgetChannel.ask.parse({ channelId: "7" })).toThrow(/only an imported stream/);
  });
});
