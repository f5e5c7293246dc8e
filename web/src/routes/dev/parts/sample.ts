import type { z } from "zod";
import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChannelState } from "@hypecast/contracts/channel.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import type { ForecastOutcome } from "@hypecast/contracts/hype.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import type { ChannelSummary, ChatColumn, SystemState } from "@hypecast/contracts/push.ts";
import type { forecastRecord, heatmap, momentAt } from "@hypecast/contracts/question.ts";

/**
 * Invented data for the development page and the browser tests, the same at every call: an evening of 102 minutes with a raid, a
 * lost connection and a boss. No product page imports it.
 */
export const NOW_MS = Date.UTC(2026, 10, 20, 19, 42, 10);
const LENGTH_S = 6130;
export const START_MS = NOW_MS - LENGTH_S * 1000;
export const LOGIN = "pepel_lamp";
const CHANNEL = "1001";

/** A small generator with a seed (mulberry32): the pictures must be the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Happening {
  /** Seconds from the start. */
  at: number;
  strength: number;
  width: number;
  mood: Mood | null;
  raid?: true;
}
const HAPPENINGS: readonly Happening[] = [
  { at: 640, strength: 0.42, width: 1, mood: "hype" },
  { at: 1500, strength: 0.5, width: 1, mood: "laugh" },
  { at: 2260, strength: 0.36, width: 1, mood: "sad" },
  { at: 3482, strength: 0.74, width: 1, mood: "shock" },
  { at: 4358, strength: 0.95, width: 1.4, mood: "laugh" },
  { at: 4867, strength: 0.66, width: 2, mood: "love", raid: true },
  { at: 5420, strength: 0.4, width: 1, mood: "anger" },
  { at: 5911, strength: 0.5, width: 0.8, mood: "shock" },
  { at: 6062, strength: 1, width: 1.6, mood: "laugh" },
];
const GAP = [1890, 2010] as const;

/** Messages a minute and hype of a second; reactions rise fast and decay slowly. */
function at(second: number, wobble: number): { rate: number; hype: number; mood: Mood | null } {
  let rate = 220 + 30 * Math.sin(second / 210) + 22 * Math.sin(second / 37) + wobble * 30;
  let hype = 30 + 8 * Math.sin(second / 230) + wobble * 5;
  let mood: Mood | null = null;
  for (const { at, strength, width, mood: felt, raid } of HAPPENINGS) {
    const since = (second - at) / (46 * width);
    const share = since < 0 ? Math.exp(-since * since * 22) : Math.exp(-since * 0.75);
    rate += strength * 560 * share;
    hype += strength * (raid ? 12 : 62) * share;
    if (share > 0.2) mood = felt;
  }
  return { rate, hype: Math.max(3, Math.min(99, hype)), mood };
}

type Heatmap = z.infer<typeof heatmap.answer>;
/** Columns of `stepS` from `fromS` to `toS` seconds of the evening. */
export function sampleHeatmap(fromS: number, toS: number, stepS: number): Heatmap {
  const random = seeded(31);
  const columns: Heatmap["columns"] = [];
  for (let s = fromS; s < toS; s += stepS) {
    const value = at(s, random() - 0.5);
    const gap = s >= GAP[0] && s < GAP[1];
    columns.push({
      startMs: START_MS + s * 1000,
      messagesPerMin: gap ? null : value.rate,
      hype: gap ? null : value.hype,
      chatters: gap ? null : value.rate / 3,
      mood: gap ? null : value.mood,
      moods: {},
      gapS: gap ? stepS : 0,
    });
  }
  return {
    channelId: CHANNEL,
    fromMs: START_MS + fromS * 1000,
    toMs: START_MS + toS * 1000,
    stepMs: stepS * 1000,
    columns,
  };
}
export const sampleStream = (): Heatmap => sampleHeatmap(0, LENGTH_S, 10);
export const sampleMinutes = (): Heatmap => sampleHeatmap(LENGTH_S - 420, LENGTH_S, 1);

export function sampleTick(more: Partial<LiveTick> = {}): LiveTick {
  return {
    channelId: CHANNEL,
    atMs: NOW_MS,
    run: "sample",
    lines: 41_208,
    newestSentAtMs: NOW_MS - 300,
    newestReceivedAtMs: NOW_MS - 250,
    state: "ok",
    value: 78,
    warm: 1,
    trend: 12,
    usualLow: 34,
    usualHigh: 58,
    peak: 96,
    messagesPerMin: 642,
    messagesPerS: 11,
    messagesTimes: 2.6,
    chattersPerMin: 214,
    chattersTimes: 1.9,
    moods: { laugh: 295, shock: 135, hype: 90, love: 38, cringe: 9 },
    moodTimes: { laugh: 6.2, shock: 2, hype: 1.3, love: 0.8, cringe: 0.4 },
    emotes: [
      ["7tv:ha", "lampHA", 218, 6.2],
      ["7tv:oh", "lampOH", 96, 4.1],
      ["bttv:go", "lampGO", 41, 1.2],
      ["twitch:f", "lampF", 12, 0.6],
    ],
    parts: { rate: 4.6, chatters: 3.1, emotes: 6.4, moods: 5.2 },
    forecast: {
      id: `${CHANNEL}:${NOW_MS}`,
      channelId: CHANNEL,
      atMs: NOW_MS - 2000,
      model: "hype-forecast 3",
      burstChance: 0.64,
      usualChance: 0.09,
      horizons: [
        { minutes: 1, p10: 474, p50: 636, p90: 818 },
        { minutes: 5, p10: 212, p50: 430, p90: 860 },
        { minutes: 15, p10: 160, p50: 300, p90: 640 },
      ],
    },
    gap: false,
    ...more,
  };
}

export function sampleForecasts(): NonNullable<LiveTick["forecast"]>[] {
  const random = seeded(7);
  return Array.from({ length: 80 }, (_, i) => {
    const second = LENGTH_S - 400 + i * 5;
    const p50 = at(second - 18, 0).rate * 0.72 + 70 + random() * 18;
    return {
      ...(sampleTick().forecast ?? never()),
      id: `${CHANNEL}:f${i}`,
      atMs: START_MS + second * 1000,
      horizons: [{ minutes: 1, p10: p50 * 0.7, p50, p90: p50 * 1.3 }],
    };
  });
}
function never(): never {
  throw new Error("the sample tick has a forecast");
}

function burst(atS: number, lengthS: number, more: Partial<ChatBurst>): ChatBurst {
  const startMs = START_MS + atS * 1000;
  return {
    id: `${CHANNEL}:${more.kind ?? "emote"}:${more.subject ?? ""}:${startMs}`,
    channelId: CHANNEL,
    kind: "emote",
    subject: "lampHA",
    emoteRef: "",
    mood: null,
    startMs,
    peakMs: startMs + 3000,
    endMs: startMs + lengthS * 1000,
    detectedAtMs: startMs + 2000,
    open: false,
    count: 218,
    chatters: 143,
    peakRate: 12,
    baselineRate: 2,
    times: 6.2,
    z: 9,
    reasons: {},
    ...more,
  };
}
export const sampleBursts = (): ChatBurst[] => [
  burst(6118, 12, { emoteRef: "7tv:ha", mood: "laugh", open: true, reasons: { capsShare: 0.42 } }),
  burst(5911, 9, { subject: "lampOH", emoteRef: "7tv:oh", mood: "shock", times: 4.1, chatters: 88 }),
  burst(4867, 40, {
    kind: "raid",
    subject: "koshka_v_plashe",
    times: 3.4,
    chatters: 340,
    reasons: { raiders: 340 },
  }),
  burst(4540, 14, {
    kind: "copypasta",
    subject: "мы — лава",
    times: 9,
    chatters: 6,
    reasons: { copies: 37 },
  }),
  burst(4358, 21, {
    subject: "laugh",
    kind: "mood",
    mood: "laugh",
    times: 7.4,
    chatters: 212,
    reasons: { capsShare: 0.5 },
  }),
  burst(3482, 15, { subject: "shock", kind: "mood", mood: "shock", times: 5.1, chatters: 121 }),
  burst(2900, 8, { kind: "poll", subject: "1", times: 12, chatters: 160 }),
  burst(1500, 11, { kind: "volume", subject: "", times: 2.9, chatters: 97, reasons: { emoteShare: 0.62 } }),
  burst(640, 7, { subject: "lampGO", emoteRef: "bttv:go", mood: "hype", times: 3.3, chatters: 61 }),
];

let lineNumber = 0;
function line(
  login: string,
  text: string,
  emotes: ChatLine["emotes"] = [],
  more: Partial<ChatLine> = {},
): ChatLine {
  lineNumber += 1;
  return {
    id: `line-${lineNumber}`,
    channelId: CHANNEL,
    sentAtMs: NOW_MS - 1000,
    userId: login,
    login,
    text,
    emotes,
    ...more,
  };
}
const ha = (first: number): [string, string, number, number] => ["7tv:ha", "lampHA", first, first + 5];
const LINES: readonly ChatLine[] = [
  line("grib_ok", "было близко"),
  line("lisa_v_lesu", "на пару пикселей раньше бы"),
  line("tihiy_les", "он реально ударил стену"),
  line("vorobey7", "lampHA lampHA lampHA", [ha(0), ha(7), ha(14)]),
  line("marmalade", "no way he missed that"),
  line("sonya_k", "ХАХАХА МЕЧ В СТЕНЕ", [], { name: "Sonya_K" }),
  line("dub_1987", "третья фаза сейчас, готовьтесь"),
  line("pixelina", "lampOH сколько у босса осталось?", [["7tv:oh", "lampOH", 0, 5]]),
  line("new_here", "привет, первый раз тут", [], { firstMessage: true }),
  line("grib_ok", "попытка 31, верим lampHA", [ha(18)]),
];
export const sampleChat = (): ChatColumn => ({
  lines: [...LINES],
  notices: [
    {
      id: "notice-1",
      channelId: CHANNEL,
      sentAtMs: NOW_MS - 5000,
      kind: "raid",
      userId: "1",
      login: "koshka_v_plashe",
      count: 340,
    },
  ],
  moderation: [],
  hidden: { tooFast: 19, repeats: 31, bots: 2 },
});

const outcome = (i: number, hit: boolean): ForecastOutcome => ({
  id: `${CHANNEL}:rate1:${i}`,
  channelId: CHANNEL,
  atMs: NOW_MS - (11 - i) * 60_000,
  kind: "rate1",
  said: 400,
  low: 300,
  high: 520,
  came: hit ? 410 : 640,
  hit,
});
export const sampleRecord = (): z.infer<typeof forecastRecord.answer> => ({
  calls: [true, true, true, false, true, true, true, false, true, true].map((hit, i) => outcome(i, hit)),
  hits: 8,
  coverage: [
    { minutes: 1, inside: 0.81, n: 400 },
    { minutes: 5, inside: 0.78, n: 400 },
    { minutes: 15, inside: 0.78, n: 380 },
  ],
  precision: 0.74,
  recall: 0.69,
  n: 112,
});

export const sampleMoment = (atMs: number): z.infer<typeof momentAt.answer> => ({
  fromMs: atMs - 20_000,
  toMs: atMs + 20_000,
  messages: 402,
  chatters: 187,
  hype: 96,
  gapS: 0,
  moods: { laugh: 231, shock: 60, hype: 22 },
  emotes: [
    { ref: "7tv:ha", name: "lampHA", uses: 188 },
    { ref: "7tv:oh", name: "lampOH", uses: 47 },
    { ref: "7tv:lava", name: "lampLava", uses: 31 },
  ],
  bursts: sampleBursts().slice(4, 5),
  lines: [
    { ...line("vorobey7", "ОН В ЛАВЕ lampHA", [ha(10)]), similar: 136 },
    { ...line("marmalade", "NOOO not the lava again"), similar: 41 },
    { ...line("lisa_v_lesu", "я просто вышла за чаем"), similar: 0 },
    { ...line("dub_1987", "lampHA lampHA", [ha(0), ha(7)]), similar: 22 },
    { ...line("pixelina", "он прыгнул раньше плиты, опять"), similar: 3 },
    { ...line("tihiy_les", "классика попытки 31"), similar: 8 },
  ],
  linesKept: true,
});

export function sampleState(
  login: string,
  state: ChannelState["state"],
  more: Partial<ChannelState> = {},
): ChannelState {
  return {
    login,
    channelId: CHANNEL,
    name: login,
    state,
    reason: null,
    sinceMs: START_MS,
    attempt: 0,
    nextAttemptAtMs: null,
    lastLineAtMs: NOW_MS - 300,
    aliveAtMs: NOW_MS - 300,
    connection: "1",
    emotes: [],
    stream:
      state === "live"
        ? { title: "«Пепельный замок», попытка 31", game: "Platformer", startedAtMs: START_MS }
        : null,
    ...more,
  };
}
export function sampleChannel(
  login: string,
  state: ChannelState["state"] | null,
  more: Partial<ChannelSummary> = {},
): ChannelSummary {
  return {
    login,
    addedAtMs: START_MS,
    paused: state === "paused",
    video: null,
    chat: true,
    state:
      state === null
        ? null
        : sampleState(login, state, state === "lost" ? { attempt: 3, nextAttemptAtMs: NOW_MS + 2000 } : {}),
    now: state === "live" ? { atMs: NOW_MS, messagesPerMin: 642, value: 78, state: "ok" } : null,
    ...more,
  };
}

const report = (
  part: SystemState["parts"][number]["part"],
  status: SystemState["parts"][number]["status"],
  reason: string | null,
  figures: Record<string, number>,
): SystemState["parts"][number] => ({
  part,
  instance: `${part}-1a`,
  startedAtMs: START_MS,
  atMs: NOW_MS - 500,
  status,
  reason,
  figures,
});
export const sampleSystem = (): SystemState => ({
  parts: [
    report("sources", "ok", null, { channels: 3, linesPerS: 11.4, connections: 1 }),
    report("processors", "ok", null, { partitions: 32, lagMessages: 0, commitP99Ms: 4.2 }),
    report("sink", "degraded", "ClickHouse does not answer; the log keeps everything until it does", {
      delayS: 41,
      rowsPerS: 0,
    }),
    report("gateway", "ok", null, { sockets: 2, framesPerS: 6 }),
    { ...report("store", "down", "no answer for 40 s", {}), atMs: NOW_MS - 40_000 },
  ],
  historyDelayS: 41,
  version: "0.1.0",
});
