import { parseArgs } from "node:util";
import type { Answer } from "@hypecast/analytics/questions/answer.ts";
import { answers } from "@hypecast/analytics/questions/index.ts";
import { openWorld } from "./src/search-world.ts";

/**
 * How long moderators' questions take over a busy day: one channel with `--lines` raw lines of 24 hours and `--cases` cases, a month of windows,
 * spikes, what Twitch told and the journal behind it. Everything is made up; times of day and authors are spread evenly.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string" },
    lines: { type: "string", default: "1000000" },
    cases: { type: "string", default: "10000" },
    rounds: { type: "string", default: "15" },
  },
});
const LINES = Number(options.lines);
const CASES = Number(options.cases);
const ROUNDS = Number(options.rounds);
const CHATTERS = 20_000;
const DAY_MS = 86_400_000;
const BATCH = 50_000;
const CHANNEL = "1";

const world = await openWorld();
const nowMs = Date.now();
const dayMs = nowMs - DAY_MS;
const of = (i: number, many: number): number => Math.imul(i, 2_654_435_761) >>> (0 % many);
const chatter = (i: number): string => String(100_000 + of(i, CHATTERS));

async function fill(table: string, count: number, row: (i: number) => object): Promise<void> {
  for (let from = 0; from < count; from += BATCH)
    await world.put(
      table,
      Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => row(from + i)),
    );
}
const lineAt = (i: number): number => Math.floor(dayMs + (i / LINES) * DAY_MS);
await fill("chat_lines", LINES, (i) => ({
  ...{ id: `l${i}`, channelId: CHANNEL, sentAtMs: lineAt(i), userId: chatter(i), login: `u${chatter(i)}` },
  text: `line ${i} of a busy day about the boss and the jump`,
  ...(i % 20 === 0 ? { replyTo: `l${Math.max(0, i - 7)}`, replyThread: `l${Math.max(0, i - 7)}` } : {}),
}));
const scored = LINES / CASES;
await fill("toxicity_packs", CASES, (i) => {
  const line = Math.floor(i * scored);
  return {
    ...{
      id: `${CHANNEL}:tox:${i}`,
      channelId: CHANNEL,
      fromMs: lineAt(line),
      toMs: lineAt(line),
      lines: 100,
      unknown: 0,
    },
    ...{ model: "tox@1", languages: { en: 100 } },
    flagged: [
      {
        ...{
          lineId: `l${line}`,
          channelId: CHANNEL,
          sentAtMs: lineAt(line),
          userId: chatter(line),
          login: "u",
          name: "u",
        },
        ...{
          text: "text",
          class: "insult",
          confidence: 0.8,
          toxicity: 0.8,
          severity: 0.5,
          action: 0.5,
          scores: [0.8],
        },
        ...{ span: null, language: "en", authorLines: 1, copies: 1, near: i, model: "tox@1" },
      },
    ],
  };
});
await fill("mod_cases", CASES * 2, (n) => {
  const i = n % CASES;
  const line = Math.floor(i * scored);
  const held = {
    ...{
      lineId: `l${line}`,
      userId: chatter(line),
      login: `u${chatter(line)}`,
      name: "U",
      sentAtMs: lineAt(line),
    },
    ...{
      text: `case ${i} gg ez you clown`,
      toxicity: 0.8,
      span: null,
      removedAtMs: i % 3 === 0 ? lineAt(line) + 40_000 : null,
    },
  };
  return {
    ...{
      id: `${CHANNEL}:case:l${line}`,
      channelId: CHANNEL,
      version: n < CASES ? 1 : 2,
      state: "closed",
      kind: "series",
    },
    ...{
      source: "model",
      severity: ["critical", "alert", "watch"][i % 3],
      class: "insult",
      score: 0.8,
      scores: [0.8],
    },
    ...{
      lineId: held.lineId,
      userId: held.userId,
      login: held.login,
      name: "U",
      text: held.text,
      language: "en",
    },
    ...{
      firstAtMs: held.sentAtMs,
      lastAtMs: held.sentAtMs,
      count: 4,
      users: 1,
      model: "tox@1",
      spikeId: null,
    },
    lines: Array.from({ length: i % 50 === 0 ? 50 : 2 }, () => held),
  };
});
const MONTH_S = 30 * 86_400;
await fill("toxicity_windows", MONTH_S / 10, (i) => ({
  ...{
    id: `w${i}`,
    channelId: CHANNEL,
    startMs: Math.floor((nowMs - MONTH_S * 1000 + i * 10_000) / 10_000) * 10_000,
  },
  ...{ sizeS: 10, scored: 100, toxic: i % 60 < 20 ? 9 : 2, usualPerMin: 12, spikeFromPerMin: 30 },
}));
await fill("toxicity_spikes", 400, (i) => {
  const startMs = nowMs - MONTH_S * 1000 + i * 6_000_000;
  return {
    ...{
      id: `s${i}`,
      channelId: CHANNEL,
      version: 2,
      kind: "toxicity",
      state: "ended",
      startMs,
      endMs: startMs + 240_000,
    },
    ...{ usualPerMin: 12, driver: "crowd", measure: "slow", topUsers: [], phrases: [] },
  };
});
await fill("mod_events", 50_000, (i) => ({
  ...{
    id: `e${i}`,
    channelId: CHANNEL,
    atMs: Math.floor(nowMs - (i / 50_000) * MONTH_S * 1000),
    heardBy: "eventsub",
  },
  ...{
    action: ["delete", "timeout", "slow", "ban"][i % 4],
    moderatorId: String(i % 7),
    moderatorLogin: `mod${i % 7}`,
  },
  ...{
    targetUserId: chatter(i),
    targetLogin: `u${chatter(i)}`,
    targetMessageId: `l${of(i, LINES)}`,
    durationS: 600,
  },
}));
await fill("journal", 40_000, (i) => ({
  ...{
    form: 1,
    number: i + 1,
    channelId: CHANNEL,
    id: `j${i}`,
    atMs: Math.floor(nowMs - MONTH_S * 1000 + (i / 40_000) * MONTH_S * 1000),
  },
  by: { kind: "twitch", userId: String(i % 7), login: `mod${i % 7}` },
  ...{ act: ["timeout", "done", "review", "false_positive"][i % 4], of: i % 4 === 1 ? `j${i - 1}` : null },
  ...{
    caseId: i % 4 === 1 ? null : `${CHANNEL}:case:l${Math.floor((i % CASES) * scored)}`,
    target: `t${i % 999}`,
    sealed: "sealed",
  },
  ...{
    score: 0.5 + (i % 50) / 100,
    class: "insult",
    count: 1,
    durationS: 600,
    prev: "0".repeat(64),
    hash: "0".repeat(64),
  },
}));

const decided = Array.from({ length: 5000 }, (_, i) => `${CHANNEL}:case:l${Math.floor(i * scored)}`);
const at = (n: number): number => Math.floor(LINES / 2 + n * 997) % LINES;
const asked: Record<string, (n: number) => Record<string, unknown>> = {
  mod_queue: () => ({ sinceMs: dayMs, limit: 500, except: decided }),
  mod_cases_by_id: (n) => ({ ids: [`${CHANNEL}:case:l${Math.floor((n % CASES) * scored)}`] }),
  mod_context: (n) => ({
    lineId: `l${at(n)}`,
    atMs: lineAt(at(n)),
    before: 20,
    after: 20,
    showRemovedFromMs: 0,
  }),
  mod_user: (n) => ({ userId: chatter(at(n)), lines: 20, showRemovedFromMs: 0 }),
  mod_entries: (n) => ({ target: `t${n}`, limit: 200 }),
  mod_log: () => ({ fromMs: nowMs - MONTH_S * 1000, toMs: nowMs, limit: 100 }),
  mod_allow_preview: () => ({ phrase: "gg ez", sinceMs: dayMs }),
  mod_precision: () => ({ fromMs: nowMs - MONTH_S * 1000, toMs: nowMs }),
  mod_thresholds: () => ({
    ...{ fromMs: nowMs - MONTH_S * 1000, toMs: nowMs },
    current: { critical: 0.9, alert: 0.75, watch: 0.5 },
  }),
  mod_effect: () => ({ fromMs: nowMs - MONTH_S * 1000, toMs: nowMs }),
  mod_recent: () => ({ sinceMs: nowMs - 1_800_000, events: 50 }),
  mod_flagged: () => ({ fromMs: dayMs, toMs: nowMs, limit: 500 }),
};

const figures: Record<string, number> = { lines: LINES, cases: CASES };
const slow: string[] = [];
for (const [name, ask] of Object.entries(asked)) {
  const one: Answer = answers.find(({ question }) => question.name === name)!;
  const took: number[] = [];
  for (let n = 0; n <= ROUNDS; n++) {
    const question = one.question.ask.parse({ channelId: CHANNEL, ...ask(n) });
    const began = performance.now();
    one.question.answer.parse(await one.answer(question, world.ask, nowMs));
    // The first warms what every later one finds warm.
    if (n > 0) took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  figures[`${name}_p50Ms`] = Math.round(took[took.length >> 1]!);
  figures[`${name}_maxMs`] = Math.round(took.at(-1)!);
  if (took.at(-1)! > 5000) slow.push(name);
}
await world.close();
console.log(
  JSON.stringify({
    bench: "mod-store",
    figures,
    ratios: {},
    meets: { "every question within 5 s": slow.length === 0 },
  }),
);
