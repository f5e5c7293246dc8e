import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ToxicitySpike, ToxicityWindow } from "@hypecast/contracts/toxicity.ts";
import { toxicitySpike, toxicityWindow } from "@hypecast/contracts/toxicity.ts";
import type { FoldInput, FoldOutput } from "./fold.ts";
import { runOf } from "./run.ts";
import {
  harmless,
  newcomers,
  play,
  T,
  toxicLines,
  type PlayOptions,
  type Written,
} from "./toxicity.fixture.ts";
import { toxicitySpikes } from "./toxicity-spikes.ts";
import { windows } from "./windows.ts";

const folds = [windows, toxicitySpikes];
const spikesIn = (outputs: readonly FoldOutput[]): ToxicitySpike[] =>
  outputs.flatMap((said) => (said.type === "spike" ? [said.spike] : []));
const windowsIn = (outputs: readonly FoldOutput[]): ToxicityWindow[] =>
  outputs
    .flatMap((said) => (said.type === "toxicityWindow" ? [said.toxicityWindow] : []))
    .filter(({ startMs }) => startMs >= T);
const spikes = (written: readonly Written[], untilS: number, options?: PlayOptions): ToxicitySpike[] =>
  spikesIn(play(folds, written, untilS, options).outputs);
const opened = (all: readonly ToxicitySpike[]): string[] =>
  all
    .filter(({ version }) => version === 1)
    .map(({ kind, startMs }) => `${kind}@${Math.floor((startMs - T) / 1000)}`);
const last = (all: readonly ToxicitySpike[]): ToxicitySpike => all.at(-1)!;

const raid = (atS: number, count = 80): { atS: number; input: FoldInput } => ({
  atS,
  input: {
    type: "notice",
    notice: {
      id: `raid${atS}`,
      channelId: "7",
      sentAtMs: T + atS * 1000,
      kind: "raid",
      userId: "2",
      login: "cat",
      count,
    },
  },
});

describe("windows", () => {
  test("ten seconds say what was scored, what of it is toxic, by whom and in which class", () => {
    const written = [
      ...harmless(0, 30),
      ...toxicLines(11, 14, 3, 2),
      ...newcomers(15, 1, 1, () => "you rat", { toxicity: 0.8, kind: "threat" }),
    ];
    const found = windowsIn(play(folds, written, 40).outputs);
    expect(
      found
        .slice(0, 3)
        .map(({ startMs, scored, unknown, toxic, users }) => [
          (startMs - T) / 1000,
          scored,
          unknown,
          toxic,
          users,
        ]),
    ).toEqual([
      [0, 10, 0, 0, 0],
      [10, 14, 0, 4, 3],
      [20, 10, 0, 0, 0],
    ]);
    expect(found[1]).toMatchObject({
      classes: { insult: 3, threat: 1 },
      languages: { en: 14 },
      newcomers: 1,
      usualPerMin: null,
      spikeFromPerMin: null,
    });
    for (const window of found) toxicityWindow.parse(window);
  });

  test("bots, commands and lines of shared chat are nobody's words", () => {
    const others: Written[] = [
      { atS: 1, text: "!play", user: 1 },
      { atS: 2, text: "hello there", user: 2, more: { login: "nightbot" } },
      { atS: 3, text: "hello there", user: 3, more: { sourceChannelId: "99" } },
      { atS: 4, text: "!!!", user: 4 },
    ];
    expect(windowsIn(play(folds, others, 20).outputs)[0]).toMatchObject({ scored: 1, unknown: 0 });
  });

  test("scores that come late are waited for, and the window is told once", () => {
    const found = windowsIn(
      play(folds, [...harmless(0, 60), ...toxicLines(11, 14, 3)], 60, { late: () => 8 }).outputs,
    );
    expect(found.map(({ startMs }) => (startMs - T) / 1000)).toEqual([0, 10, 20, 30, 40]);
    expect(found[1]).toMatchObject({ scored: 13, toxic: 3 });
  });

  test.each([
    ["never come", { late: () => null }],
    ["say that the model was away", { why: () => "model_down" }],
  ])("lines whose scores %s are unknown, never harmless", (_name, options) => {
    const found = windowsIn(play(folds, harmless(0, 60), 100, options).outputs);
    expect(found[1]).toMatchObject({ scored: 0, unknown: 10, toxic: 0 });
  });

  test("the same scores twice count once", () => {
    const written = [...harmless(0, 400), ...toxicLines(300, 320, 40)];
    expect(play(folds, written, 400, { twice: true }).outputs).toEqual(play(folds, written, 400).outputs);
  });

  test("what was not heard is said", () => {
    const gap: FoldInput = {
      type: "gap",
      gap: { id: "g", channelId: "7", fromMs: T + 20_000, toMs: T + 26_000, reason: "connection_lost" },
    };
    const written = harmless(0, 60).filter(({ atS }) => atS < 20 || atS > 26);
    expect(
      windowsIn(play(folds, written, 60, { others: [{ atS: 26.5, input: gap }] }).outputs).map(
        ({ gapS }) => gapS,
      ),
    ).toEqual([0, 0, 6, 0, 0]);
  });
});

describe("far above the channel's own usual", () => {
  /** `perMin` toxic lines each minute of otherwise harmless chat. */
  const usual = (untilS: number, perMin: number, perS = 2): Written[] => [
    ...harmless(0, untilS, perS),
    ...Array.from({ length: Math.floor(untilS / 60) }, (_, minute) =>
      toxicLines(minute * 60, minute * 60 + 60, perMin, Math.max(1, perMin)),
    ).flat(),
  ];

  test("a spike opens while it happens, says who and what, and ends when it is over", () => {
    const all = spikes([...usual(600, 1), ...toxicLines(300, 330, 40, 20)], 600);
    expect(opened(all)).toEqual(["toxicity@300"]);
    expect(all[0]!.detectedAtMs - all[0]!.startMs).toBeLessThan(10_000);
    expect(last(all)).toMatchObject({
      state: "ended",
      lines: 41,
      users: 20,
      classes: { insult: 41 },
      driver: "few_users",
      measure: "timeouts",
    });
    expect(last(all).endMs! - last(all).startMs).toBeLessThan(70_000);
    expect(last(all).peakPerMin).toBeGreaterThan(70);
    expect(all.map(({ version }) => version)).toEqual(all.map((_spike, i) => i + 1));
    for (const spike of all) toxicitySpike.parse(spike);
  });

  test.each([
    ["3 toxic lines in a small chat", usual(600, 0, 0.5), toxicLines(300, 310, 3)],
    ["4 more in a chat that has 1 a minute", usual(600, 1), toxicLines(300, 320, 4)],
    ["30 in a large one that usually has 28", usual(420, 28, 8), toxicLines(300, 360, 2)],
    ["half as much again as usual", usual(420, 28, 8), toxicLines(300, 360, 14)],
    ["one person's series", usual(600, 1), toxicLines(300, 320, 9, 1)],
    [
      "four times as many lines, toxic as ever",
      usual(420, 28, 8),
      [...harmless(300, 330, 24), ...toxicLines(300, 330, 42)],
    ],
  ])("%s are no spike", (_name, normal, extra) => {
    expect(opened(spikes([...normal, ...extra], 600))).toEqual([]);
  });

  test.each([
    ["12 in half a minute in a small chat", usual(600, 0, 0.5), toxicLines(300, 330, 12)],
    ["60 in half a minute in a large one that usually has 28", usual(420, 28, 8), toxicLines(300, 330, 60)],
  ])("%s are one", (_name, normal, extra) => {
    expect(opened(spikes([...normal, ...extra], 600))).toHaveLength(1);
  });

  test("nothing is said before the usual is known", () => {
    expect(opened(spikes([...harmless(0, 300, 2), ...toxicLines(60, 90, 40)], 300))).toEqual([]);
    expect(windowsIn(play(folds, usual(300, 6), 300).outputs).at(-1)).toMatchObject({
      usualPerMin: 6,
    });
  });

  test("waves half a minute apart are one spike, minutes apart are two", () => {
    const waves = (secondS: number): string[] =>
      opened(
        spikes(
          [...usual(900, 1), ...toxicLines(300, 330, 30), ...toxicLines(secondS, secondS + 30, 30)],
          900,
        ),
      );
    expect(waves(345)).toHaveLength(1);
    expect(waves(480)).toHaveLength(2);
  });

  test("the usual does not learn the spike", () => {
    const long = spikes(
      [...usual(1500, 2), ...toxicLines(300, 900, 600), ...toxicLines(1200, 1230, 40)],
      1500,
    );
    expect(opened(long)).toHaveLength(2);
    expect(last(long).usualPerMin).toBeLessThan(6);
  });

  test.each<[string, PlayOptions]>([
    ["the model is away", { why: (atS: number) => (atS > 330 && atS < 500 ? "model_down" : null) }],
    ["nobody scores", { late: (atS: number) => (atS > 330 && atS < 500 ? null : 0) }],
    [
      "the source hears nothing",
      {
        deafS: [331, 500],
        others: [
          {
            atS: 500,
            input: {
              type: "gap",
              gap: {
                id: "g",
                channelId: "7",
                fromMs: T + 330_000,
                toMs: T + 500_000,
                reason: "connection_lost",
              },
            },
          },
        ],
      },
    ],
  ])("while %s a spike is not calm", (name, options) => {
    const written = [...usual(700, 1), ...toxicLines(300, 330, 40)].filter(
      ({ atS }) => !name.includes("hears") || atS < 330 || atS > 500,
    );
    const all = spikes(written, 700, options);
    expect(opened(all)).toHaveLength(1);
    expect(last(all).state).toBe("ended");
    expect(last(all).endMs!).toBeGreaterThan(T + 495_000);
  });

  test("modes that are in force and people who were acted on are not suggested again", () => {
    const written = [...usual(600, 1), ...toxicLines(300, 330, 40, 3)];
    const act = (
      atS: number,
      action: "timeout" | "slow",
      targetUserId = "",
    ): { atS: number; input: FoldInput } => ({
      atS,
      input: {
        type: "modEvent",
        event: {
          ...{
            id: `${atS}`,
            channelId: "7",
            atMs: T + atS * 1000,
            action,
            heardBy: "eventsub",
            targetUserId,
          },
          ...{
            moderatorId: "",
            moderatorLogin: "",
            targetLogin: "",
            targetMessageId: "",
            text: "",
            reason: "",
          },
          ...{ durationS: 0, detail: {}, sourceChannelId: "", messageId: "" },
        },
      },
    });
    const few = spikes(written, 600, { others: [act(315, "timeout", "501")] });
    expect(few[0]).toMatchObject({ measure: "timeouts" });
    expect(last(few)).toMatchObject({
      measure: "timeouts",
      measureUsers: ["500", "502"],
      reasons: { acted: 1 },
    });
    const crowd = [...usual(600, 1), ...toxicLines(300, 330, 40)];
    expect(last(spikes(crowd, 600))).toMatchObject({ driver: "crowd", measure: "slow" });
    expect(last(spikes(crowd, 600, { others: [act(200, "slow")] }))).toMatchObject({ measure: "followers" });
  });

  test("one phrase, one person, newcomers: what drives it is named", () => {
    const drivers = (extra: Written[]): string => last(spikes([...usual(600, 1), ...extra], 600)).driver;
    expect(drivers(toxicLines(300, 330, 40, 40, { text: "all of you are rubbish" }))).toBe("one_phrase");
    expect(drivers(toxicLines(300, 330, 40, 1))).toBe("one_user");
    expect(drivers(toxicLines(300, 330, 40, 40, { more: { firstMessage: true } }))).toBe("newcomers");
  });

  test("who is forgotten is named in no later word, also when their lines are scored afterwards", () => {
    const at = { id: "e", channelId: "7", atMs: T + 318_000, userId: "501", login: "u501" };
    const { outputs } = play(folds, [...usual(600, 1), ...toxicLines(300, 330, 40, 20)], 600, {
      others: [{ atS: 318, input: { type: "erase", erase: at } }],
      late: () => 4,
    });
    const all = spikesIn(outputs);
    const named = all.map((spike) => JSON.stringify(spike).includes('"501"'));
    expect(named[0]).toBe(true);
    const forgotten = named.lastIndexOf(true);
    expect(named.slice(0, forgotten + 1)).not.toContain(false);
    expect(all[forgotten]!.version).toBeLessThan(5);
    expect(all.length - forgotten).toBeGreaterThan(3);
  });
});

describe("attacks by those who have just come", () => {
  const chat = harmless(0, 600, 2);
  const hate = (i: number): string => `all of you vermin should leave ${i}`;

  test("near-copies of hate by newcomers are a hate raid within the fourth", () => {
    const all = spikes(
      [...chat, ...newcomers(300, 20, 20, hate, { toxicity: 0.95, kind: "identity" })],
      600,
      { others: [raid(290)] },
    );
    const raids = all.filter(({ kind }) => kind === "hate_raid");
    expect(opened(raids)).toEqual(["hate_raid@300"]);
    expect(raids[0]!.detectedAtMs - raids[0]!.startMs).toBeLessThan(4000);
    expect(last(raids)).toMatchObject({
      state: "ended",
      lines: 20,
      users: 20,
      newUsers: 20,
      classes: { identity: 20 },
      measure: "shield",
      reasons: { raiders: 80 },
    });
  });

  test("hate in other words is one too when a raid brought them", () => {
    const words = [
      "vermin everywhere",
      "leave now trash",
      "nobody likes this clown",
      "go back home",
      "what a disgrace",
      "pathetic little thing",
      "ugly as ever",
    ];
    const written = [
      ...chat,
      ...newcomers(300, 7, 14, (i) => words[i]!, { toxicity: 0.9, kind: "identity" }),
    ];
    expect(opened(spikes(written, 600))).not.toContain("hate_raid@300");
    expect(opened(spikes(written, 600, { others: [raid(200)] }))).toContain("hate_raid@300");
  });

  test("copies without hate by newcomers are a flood", () => {
    const found = spikes(
      [...chat, ...newcomers(300, 20, 20, (i) => `get famous now with cheap viewers ${i}`)],
      600,
    );
    expect(opened(found)).toEqual(["flood@300"]);
    expect(last(found)).toMatchObject({ lines: 20, users: 20, newUsers: 20, measure: "followers" });
  });

  test("newcomers who join a copypasta of those at home here are none, nor are a raid's greetings, nor emotes", () => {
    const paste = "this is a copypasta that everybody likes to send again";
    const regulars = Array.from({ length: 60 }, (_, i): Written => ({
      atS: 300 + i / 4,
      text: paste,
      user: 100 + i,
    }));
    expect(opened(spikes([...chat, ...regulars, ...newcomers(301, 8, 14, () => paste)], 600))).toEqual([]);
    const greeting = newcomers(300, 30, 20, () => "the cat raid is here hello everybody");
    expect(opened(spikes([...chat, ...greeting], 600, { others: [raid(299)] }))).toEqual([]);
    expect(opened(spikes([...chat, ...newcomers(300, 30, 20, () => "LUL LUL LUL")], 600))).toEqual([]);
  });

  test("a flood with links is one even after a raid", () => {
    const links = newcomers(300, 12, 12, (i) => `cheap viewers at www.example.com/${i} now`);
    expect(opened(spikes([...chat, ...links], 600, { others: [raid(299)] }))).toEqual(["flood@300"]);
  });

  test("names made by one machine are said, ordinary names are not", () => {
    const names = (login: (i: number) => string): string[] =>
      opened(
        spikes(
          [...chat, ...newcomers(300, 12, 24, (i) => `hello ${"abcdefghijkl"[i]} friend of ${i}`, {}, login)],
          600,
        ),
      ).filter((one) => one.startsWith("follow"));
    expect(names((i) => `hoss00312_${i * 37}`)).toHaveLength(1);
    expect(names((i) => `${["anna", "bob", "carl", "dora", "emil", "fritz"][i % 6]}${1980 + i}`)).toEqual([]);
  });
});

test("imported streams are not looked at", () => {
  const run = runOf(folds, "vod-abc-1");
  const said: FoldOutput[] = [];
  for (let s = 0; s < 60; s++) {
    const sentAtMs = T + s * 1000;
    const line = { id: `${s}`, channelId: "vod-abc-1", sentAtMs, userId: "1", login: "a", text: "hi" };
    said.push(...run.step({ type: "lines", lines: [line], emoteSet: "" }));
    said.push(...run.step({ type: "alive", atMs: sentAtMs }));
  }
  expect(new Set(said.map(({ type }) => type))).toEqual(new Set(["window"]));
});

test("saving and loading in the middle of anything changes nothing", () => {
  const written = [
    ...harmless(0, 500, 2),
    ...toxicLines(200, 230, 40, 15),
    ...newcomers(300, 20, 20, (i) => `all of you vermin should leave ${i}`, {
      toxicity: 0.95,
      kind: "identity",
    }),
    ...newcomers(
      380,
      20,
      20,
      (i) => `get famous now with cheap viewers ${i}`,
      {},
      (i) => `hoss00312_${i}`,
    ),
  ];
  const options: PlayOptions = { others: [raid(290)], late: (atS) => (atS > 240 && atS < 260 ? 6 : 0.3) };
  const whole = play(folds, written, 500, options).outputs;
  expect(spikesIn(whole).length).toBeGreaterThan(8);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 499 }), { minLength: 1, maxLength: 6 }),
      (reloads) => {
        expect(play(folds, written, 500, { ...options, reloadS: new Set(reloads) }).outputs).toEqual(whole);
      },
    ),
    { numRuns: 15 },
  );
});

test("the state stays small, whatever is written", () => {
  const written = [
    ...harmless(0, 300, 5),
    ...newcomers(
      200,
      2000,
      60,
      (i) => `vermin number ${i} ${"x".repeat(300)} ${i % 97}`,
      { toxicity: 0.95 },
      (i) => `name_${i}_${i}`,
    ),
  ];
  const { run } = play(folds, written, 255);
  expect(toxicitySpikes.save(run.states[1] as never).byteLength).toBeLessThan(120_000);
});
