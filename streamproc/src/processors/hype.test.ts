import { expect, test, describe } from "vitest";
import type { HypeValue } from "@hypecast/contracts/hype.ts";
import { liveTick as liveTickSchema } from "@hypecast/contracts/live.ts";
import { calm, crowd, lineOf, play, T, type Said } from "./chat.fixture.ts";
import type { FoldOutput } from "./fold.ts";
import { hype, valueOf } from "./hype.ts";
import { folds } from "./index.ts";
import { liveTick } from "./live.ts";
import { Quantiles } from "./quantiles.ts";
import { runOf } from "./run.ts";

const hypeOf = (outputs: readonly FoldOutput[]): HypeValue[] =>
  outputs.flatMap((output) => (output.type === "hype" ? [output.hype] : []));
const at = (values: readonly HypeValue[], s: number): HypeValue =>
  values.find((value) => value.atMs === T + s * 1000)!;

const DAY = calm(0, 1500);
const quiet = hypeOf(play(DAY, 1500).outputs);

test("a value every five seconds, each once", () => {
  const times = quiet.map((value) => value.atMs);
  expect(times).toEqual(Array.from({ length: times.length }, (_, i) => times[0]! + i * 5000));
  expect(times[0]).toBe(T + 15_000);
  expect(times.at(-1)).toBe(T + 1_495_000);
});

test("it warms up for fifteen minutes and says how far it is", () => {
  const warming = at(quiet, 450);
  expect(warming).toMatchObject({ state: "warming", value: null, peak: null, trend: null });
  expect(warming.warm).toBeCloseTo(0.5, 1);
  expect(at(quiet, 890).state).toBe("warming");
  expect(at(quiet, 905)).toMatchObject({ state: "ok", warm: 1 });
});

test("a usual minute is about 50, its usual range around it", () => {
  const values = quiet.flatMap((value) => (value.value === null ? [] : [value.value]));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean).toBeGreaterThan(40);
  expect(mean).toBeLessThan(60);
  const last = quiet.at(-1)!;
  expect(last.usualLow).toBeLessThan(50);
  expect(last.usualHigh).toBeGreaterThan(50);
  expect(last.messagesTimes).toBeCloseTo(1, 1);
});

test("a chat that laughs at once goes above 90 and falls back, and the peak stays", () => {
  const values = hypeOf(play([...DAY, ...crowd(1200, 80, 8, "KEKW")], 1400).outputs);
  expect(at(values, 1195).value).toBeLessThan(90);
  expect(at(values, 1210).value).toBeGreaterThan(97);
  expect(at(values, 1210).trend).toBeCloseTo(at(values, 1210).value! - at(values, 1150).value!, 5);
  expect(at(values, 1210).parts["moods"]).toBeGreaterThan(3);
  expect(at(values, 1300).value).toBeLessThan(90);
  expect(at(values, 1300).peak).toBe(Math.max(...values.map((value) => value.value ?? 0)));
});

describe("not driven by what only looks like hype", () => {
  test.each([
    ["copypasta", crowd(1200, 60, 12, "this is a copypasta that everybody likes to send again")],
    ["a poll", crowd(1200, 60, 12, (i) => (i % 2 === 0 ? "1" : "2"))],
    ["a command", crowd(1200, 60, 12, "!play")],
    [
      "a known bot",
      crowd(1200, 60, 12, (i) => `tick ${i}`).map((said) => ({ ...said, more: { login: "nightbot" } })),
    ],
  ])("%s", (_name, flood: Said[]) => {
    const values = hypeOf(play([...DAY, ...flood], 1300).outputs);
    for (const s of [1205, 1210, 1215]) expect(at(values, s).value).toBeLessThan(at(quiet, s).value! + 25);
    expect(at(values, 1215).messagesPerMin).toBeGreaterThan(at(quiet, 1215).messagesPerMin + 40);
  });

  test("greetings after a raid", () => {
    const raid = {
      atS: 1200,
      input: {
        type: "notice" as const,
        notice: {
          id: "r",
          channelId: "7",
          sentAtMs: T + 1_200_000,
          kind: "raid",
          userId: "9",
          login: "cat",
          count: 300,
        },
      },
    };
    const greetings = crowd(1201, 80, 12, (i) => `hello from the cats ${i} KEKW`);
    const values = hypeOf(play([...DAY, ...greetings], 1300, [raid]).outputs);
    for (const s of [1205, 1210, 1215]) expect(at(values, s).value).toBeLessThan(80);
  });
});

test("too sparse: no value, and it says why", () => {
  const values = hypeOf(play(calm(0, 1500, 0.1), 1500).outputs);
  expect(values.at(-1)).toMatchObject({ state: "too_sparse", value: null, warm: 1 });
});

test("a chat so even and fast that lines must be missing is capped, and emotes stand for counts", () => {
  const even = Array.from({ length: 1300 * 25 }, (_, i): Said => ({
    atS: i / 25,
    text: i > 1200 * 25 ? "KEKW" : i % 9 === 0 ? "so KEKW" : `word ${i}`,
    user: i % 300,
  }));
  const values = hypeOf(play(even, 1300).outputs);
  expect(at(values, 1100).state).toBe("capped");
  expect(at(values, 1100).value).toBeLessThan(90);
  expect(at(values, 1220).value).toBeGreaterThan(97);
});

test("seconds that were not heard give no value, instead of a low one", () => {
  const run = runOf(folds, "7");
  const said: FoldOutput[] = [];
  const heard = (fromS: number, untilS: number): void => {
    for (let s = fromS; s < untilS; s++) {
      const lines = DAY.filter((one) => one.atS >= s && one.atS < s + 1).map((one) => lineOf(one, one.atS));
      said.push(...run.step({ type: "lines", lines, emoteSet: "" }));
      said.push(...run.step({ type: "alive", atMs: T + (s + 1) * 1000 }));
    }
  };
  heard(0, 1000);
  const gap = { id: "g", channelId: "7", fromMs: T + 1_000_000, toMs: T + 1_100_000 };
  said.push(...run.step({ type: "gap", gap: { ...gap, reason: "connection_lost" } }));
  heard(1100, 1300);
  const times = hypeOf(said).map((value) => value.atMs - T);
  expect(times.filter((ms) => ms > 1_000_000 && ms < 1_115_000)).toEqual([]);
  expect(times).toContain(1_000_000);
  expect(times).toContain(1_115_000);
  expect(at(hypeOf(said), 1115).value).toBeGreaterThan(5);
});

test("the value of a score: 50 at the median, 90 at the top five percent, rising without end but not above 100", () => {
  const past = new Quantiles(-3, 25, 0.1, 1e9);
  for (let i = 0; i < 1000; i++) past.add(i / 1000);
  expect(valueOf(past, 0.5)).toBeCloseTo(50, 0);
  expect(valueOf(past, 0.95)).toBeCloseTo(90, 0);
  const rising = [-1, 0.2, 0.5, 0.8, 0.95, 1, 2, 5].map((score) => valueOf(past, score));
  expect(rising).toEqual(rising.toSorted((a, b) => a - b));
  expect(rising.at(-1)).toBeLessThanOrEqual(100);
  expect(rising.at(-1)).toBeGreaterThan(98);
  expect(rising[0]).toBeGreaterThanOrEqual(0);
});

test("the channel's memory forgets by halves", () => {
  const memory = new Quantiles(0, 10, 0.1, 100);
  for (let i = 0; i < 1000; i++) memory.add(2);
  for (let i = 0; i < 100; i++) memory.add(8);
  expect(memory.below(5)).toBeCloseTo(0.5, 2);
  for (let i = 0; i < 100; i++) memory.add(8);
  expect(memory.below(5)).toBeCloseTo(0.25, 2);
});

test("a saved state is small and goes on as if nothing had been", () => {
  const { run } = play(DAY, 1000);
  expect(hype.save(run.states[2] as Parameters<typeof hype.save>[0]).length).toBeLessThan(16_000);
  expect(play(DAY, 1100, [], 1000).outputs).toEqual(play(DAY, 1100).outputs);
});

describe("the live tick", () => {
  const { run } = play([...DAY, ...crowd(1200, 80, 8, "KEKW")], 1207);

  test("is what its contract says, with a provisional value from lines that are not final yet", () => {
    const tick = liveTick("7", "run", run.states, null)!;
    expect(liveTickSchema.parse(tick)).toEqual(tick);
    expect(tick.state).toBe("ok");
    expect(tick.value).toBeGreaterThan(90);
    expect(tick.emotes[0]?.slice(0, 2)).toEqual(["test:KEKW", "KEKW"]);
    expect(tick.moods.laugh).toBeGreaterThan(40);
    expect(tick.moodTimes["laugh"]).toBeGreaterThan(3);
    expect(tick.atMs).toBe(T + 1_207_000);
  });

  test("changes nothing", () => {
    const before = hype.save(run.states[2] as Parameters<typeof hype.save>[0]);
    liveTick("7", "run", run.states, null);
    expect(hype.save(run.states[2] as Parameters<typeof hype.save>[0])).toEqual(before);
    const lines = liveTick("7", "run", run.states, null)!.lines;
    run.step({ type: "lines", lines: [lineOf({ atS: 1207, text: "x", user: 5 }, 999_999)], emoteSet: "" });
    expect(liveTick("7", "run", run.states, null)!.lines).toBe(lines + 1);
  });

  test("of a quiet channel counts messages and chatters of the same minute", () => {
    const said = [
      { atS: 3, text: "one", user: 5 },
      { atS: 21, text: "two", user: 6 },
    ];
    const each = Array.from({ length: 90 }, (_, s) => {
      const tick = liveTick("7", "run", play(said, s + 1).run.states, null)!;
      return { messages: tick.messagesPerMin, chatters: tick.chattersPerMin };
    });
    for (const { messages, chatters } of each) {
      expect(chatters).toBeLessThanOrEqual(messages);
      expect(chatters > 0).toBe(messages > 0);
    }
    expect(each[50]).toEqual({ messages: 2, chatters: 2 });
    expect(each[75]).toEqual({ messages: 1, chatters: 1 });
    expect(each[89]).toEqual({ messages: 0, chatters: 0 });
  });

  test("of a channel that was never heard is none", () => {
    expect(liveTick("7", "run", play([], -1).run.states, null)).toBeNull();
  });
});
