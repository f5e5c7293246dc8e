import { expect, test } from "vitest";
import { sampleChannel, sampleTick } from "../../routes/dev/parts/sample.ts";
import { readMeter, wordFor, type Situation } from "./meter.ts";

const well: Situation = {
  link: { state: "open" },
  summary: sampleChannel("demo", "live"),
  tick: sampleTick(),
  ageMs: 400,
};
const lost = { state: "waiting", attempt: 2, nextAtMs: 0 } as const;

test.each<[string, Partial<Situation>, object]>([
  ["all is well", {}, { state: "live", value: 78 }],
  ["data is older than five seconds", { ageMs: 5001 }, { state: "stale", value: 78 }],
  ["the page lost its server", { link: lost }, { state: "reconnecting", broken: "page" }],
  [
    "the source lost Twitch",
    { summary: sampleChannel("demo", "lost") },
    { state: "reconnecting", broken: "twitch" },
  ],
  [
    "the tick itself says gap",
    { tick: sampleTick({ gap: true }) },
    { state: "reconnecting", broken: "twitch" },
  ],
  [
    "the norm is not known yet",
    { tick: sampleTick({ state: "warming", value: null, warm: 0.62 }) },
    { state: "warming", value: 62 },
  ],
  [
    "few lines",
    { tick: sampleTick({ state: "too_sparse", value: null, messagesPerMin: 4 }) },
    { state: "sparse", value: 4 },
  ],
  [
    "Twitch drops lines",
    { tick: sampleTick({ state: "capped", value: 92 }) },
    { state: "capped", value: 92 },
  ],
  [
    "the token is refused",
    { summary: sampleChannel("demo", "token_refused") },
    { state: "error", value: null },
  ],
])("meter: %s", (_name, change, expected) => {
  expect(readMeter({ ...well, ...change })).toMatchObject({ screen: null, ...expected });
});

test("the worst that is true wins: lost beats stale beats warming", () => {
  const warming = sampleTick({ state: "warming", value: null, warm: 0.1 });
  expect(readMeter({ ...well, tick: warming, ageMs: 9000, link: lost })).toMatchObject({
    state: "reconnecting",
  });
  expect(readMeter({ ...well, tick: warming, ageMs: 9000 })).toMatchObject({ state: "stale" });
});

test.each<[string, Partial<Situation>]>([
  ["connecting", { link: { state: "connecting", attempt: 0 }, summary: null }],
  ["unreachable", { link: lost, summary: null }],
  ["unreachable", { link: { state: "refused", code: 4401, reason: "" }, summary: null }],
  ["not_watched", { summary: undefined }],
  ["paused", { summary: sampleChannel("demo", "paused") }],
  ["refused", { summary: sampleChannel("demo", "not_found") }],
  ["lost", { summary: sampleChannel("demo", "lost") }],
  ["waiting", { summary: sampleChannel("demo", "joining") }],
])("without any data the page is a screen of its own: %s", (screen, change) => {
  expect(readMeter({ ...well, tick: null, ...change })).toEqual({ screen });
});

test("words go with the value: 50 is the usual minute, 90 the top", () => {
  expect([5, 20, 50, 70, 78, 90].map(wordFor)).toEqual([
    "quiet",
    "calm",
    "usual",
    "lively",
    "hot",
    "boiling",
  ]);
});
