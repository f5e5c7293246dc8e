import { describe, expect, test } from "vitest";
import type { JournalEntry } from "@hypecast/contracts/journal.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { actsOnce } from "../mod-acts.ts";
import { onCases } from "../mod-effect.ts";
import { isotonic, suggest } from "../mod-thresholds.ts";
import { actsBySteps, actsDone } from "./acts.ts";
import { compareMeasures, courseFrom, type Act, type SpikeTime, type ToxicAt } from "./half-life.ts";
import { loadOf } from "./load.ts";
import { measuredMedian, measuredShare } from "./statistics.ts";

/** Noon, UTC. */
const T = Date.UTC(2026, 10, 23, 12);

describe("figures and their intervals", () => {
  test("a median's interval covers the true one in about 80 of 100", () => {
    let state = 7;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (const n of [5, 12, 40]) {
      let covered = 0;
      for (let round = 0; round < 600; round++) {
        const { low, high } = measuredMedian(
          Array.from({ length: n }, () => -Math.log(random())),
          5,
        );
        if (low! <= Math.LN2 && Math.LN2 <= high!) covered++;
      }
      // From order statistics: never less than it says, and with few values more.
      expect(covered / 600).toBeGreaterThan(0.78);
      expect(covered / 600).toBeLessThan(0.96);
    }
  });
  test("too few are too few to say, and say how many they were", () => {
    const nothing = { value: null, low: null, high: null };
    expect(measuredMedian([1, 2, 3, 4], 5)).toEqual({ ...nothing, n: 4 });
    expect(measuredShare(3, 9, 10)).toEqual({ ...nothing, n: 9 });
    expect(measuredShare(0, 0, 0)).toEqual({ ...nothing, n: 0 });
  });
  test("a share lies inside its interval", () => {
    const { value, low, high } = measuredShare(7, 20, 10);
    expect(low!).toBeLessThan(value!);
    expect(high!).toBeGreaterThan(value!);
  });
});

/** A spike that holds its height until `turnS` and then halves every `halfS`, in whole toxic lines of ten seconds. */
const falling =
  (startMs: number, perMin: number, usualPerMin: number, turnS: number, halfS: number): ToxicAt =>
  (atMs) => {
    const s = (atMs - startMs) / 1000;
    const excess = s < 0 ? 0 : (perMin - usualPerMin) * 0.5 ** (Math.max(0, s - turnS) / halfS);
    return (usualPerMin + excess) / 6;
  };

describe("how a spike goes on", () => {
  test("its half-life is found from any moment of it", () => {
    const at = falling(T, 60, 6, 0, 120);
    for (const afterS of [30, 90, 200]) {
      const course = courseFrom(at, 6, T + afterS * 1000)!;
      expect(Math.abs(course.halfS - 120)).toBeLessThanOrEqual(20);
      expect(course.fell).toBeCloseTo(0.5, 1);
    }
  });
  test("what never halves counts as long as it is looked for; what has ended has no course; nor what nobody scored", () => {
    expect(courseFrom(falling(T, 60, 6, 1e6, 60), 6, T + 60_000)).toMatchObject({ halfS: 900, fell: 0 });
    expect(courseFrom(falling(T, 6, 6, 0, 60), 6, T + 60_000)).toBeNull();
    const whole = falling(T, 60, 6, 0, 300);
    expect(
      courseFrom((ms) => (ms > T + 60_000 && ms < T + 140_000 ? null : whole(ms)), 6, T + 30_000),
    ).toBeNull();
  });
});

describe("measures against like spikes without one", () => {
  const world = (
    taken: number,
    like: number,
    over: { halfWithS?: number; halfS?: number; hours?: number; size?: number; endS?: number } = {},
  ): { spikes: SpikeTime[]; acts: Act[]; toxicAt: (spike: SpikeTime) => ToxicAt } => {
    const courses = new Map<string, ToxicAt>();
    const spikes: SpikeTime[] = [];
    const acts: Act[] = [];
    for (let i = 0; i < taken + like; i++) {
      const isTaken = i < taken;
      const startMs = T + i * 86_400_000 + (isTaken ? 0 : (over.hours ?? 1) * 3_600_000);
      const spike: SpikeTime = {
        ...{
          id: `s${i}`,
          kind: "toxicity",
          startMs,
          endMs: startMs + (isTaken ? 600 : (over.endS ?? 600)) * 1000,
        },
        usualPerMin: 4,
      };
      spikes.push(spike);
      const perMin = isTaken ? 40 + i : (40 + i) * (over.size ?? 1);
      courses.set(
        spike.id,
        falling(startMs, perMin, 4, isTaken ? 60 : 0, isTaken ? (over.halfWithS ?? 50) : (over.halfS ?? 300)),
      );
      if (isTaken) acts.push({ atMs: startMs + 60_000, measure: "slow" });
    }
    return { spikes, acts, toxicAt: ({ id }) => courses.get(id)! };
  };
  const compared = (one: ReturnType<typeof world>): ReturnType<typeof compareMeasures> =>
    compareMeasures(one.spikes, one.acts, one.toxicAt);

  test("an effect that was put in comes out, with an interval around it", () => {
    const [slow, ...others] = compared(world(12, 20));
    expect(others).toEqual([]);
    expect(slow!.measure).toBe("slow");
    expect(slow!.withS.n).toBe(12);
    expect(Math.abs(slow!.withS.value! - 50)).toBeLessThanOrEqual(15);
    expect(Math.abs(slow!.withoutS.value! - 300)).toBeLessThanOrEqual(20);
    expect(slow!.withS.high!).toBeLessThan(slow!.withoutS.low!);
    expect(slow!.fellWith.value!).toBeGreaterThan(0.75);
    expect(slow!.fellWithout.value!).toBeLessThan(0.35);
  });

  test("where there is no effect, none comes out", () => {
    const [slow] = compared(world(12, 20, { halfWithS: 200, halfS: 200 }));
    expect(Math.abs(slow!.withS.value! - slow!.withoutS.value!)).toBeLessThanOrEqual(20);
  });

  test.each<[string, Parameters<typeof world>[2]]>([
    ["of another time of day", { hours: 8 }],
    ["of another size", { size: 4 }],
    ["that had ended by then", { endS: 30 }],
  ])("spikes %s are not compared", (_name, over) => {
    const [slow] = compared(world(12, 20, over));
    expect(slow!.withS.value).not.toBeNull();
    expect(slow!.withoutS).toMatchObject({ value: null, n: 0 });
  });

  test("too few spikes are too few to say", () => {
    expect(compared(world(4, 20))[0]!.withS).toEqual({ value: null, low: null, high: null, n: 4 });
    expect(compared(world(0, 20))).toEqual([]);
  });

  test("a spike with any measure is like none without", () => {
    const one = world(12, 20);
    const acts = [
      ...one.acts,
      ...one.spikes.slice(12).map(({ startMs }) => ({ atMs: startMs + 500_000, measure: "bans" as const })),
    ];
    expect(compareMeasures(one.spikes, acts, one.toxicAt)[0]!.withoutS.n).toBe(0);
  });
});

describe("acts", () => {
  const told = (atS: number, over: Partial<ModEvent> = {}): ModEvent => ({
    ...{
      id: `v${atS}`,
      channelId: "7",
      atMs: T + atS * 1000,
      action: "timeout",
      heardBy: "eventsub",
      moderatorId: "m",
    },
    ...{
      moderatorLogin: "ana",
      targetUserId: "1",
      targetLogin: "u1",
      targetMessageId: "",
      text: "",
      reason: "",
    },
    ...{ durationS: 600, detail: {}, sourceChannelId: "", messageId: "" },
    ...over,
  });
  const own = (
    atS: number,
    over: Partial<Pick<JournalEntry, "act" | "durationS"> & { outcome: string }> = {},
  ) => ({
    ...{ atMs: T + atS * 1000, act: "timeout" as JournalEntry["act"], durationS: 600, outcome: "done" },
    by: { kind: "twitch" as const, userId: "m", login: "ana" },
    ...over,
  });

  test("one act is one, whoever told it", () => {
    const events = [
      told(1),
      told(1.5, { heardBy: "irc", moderatorLogin: "", moderatorId: "" }),
      told(1.5, { heardBy: "irc", targetUserId: "2" }),
      told(9, { action: "slow", durationS: 10 }),
      told(9.3, { action: "settings" }),
      told(50, { action: "settings" }),
    ];
    expect(actsOnce(events).map(({ atMs, action }) => [(atMs - T) / 1000, action])).toEqual([
      [1, "timeout"],
      [1.5, "timeout"],
      [9, "slow"],
      [50, "settings"],
    ]);
  });

  test("Twitch's word on ours is ours; what was refused or only recommended is nothing done", () => {
    const done = actsDone(
      [
        own(0),
        own(10, { outcome: "refused" }),
        own(20, { outcome: "recommended" }),
        own(30, { act: "slow", durationS: 0 }),
      ],
      [
        told(0.5),
        told(0.9, { targetUserId: "2" }),
        told(12, { moderatorId: "k", moderatorLogin: "kay" }),
        told(13, { moderatorLogin: "nightbot", moderatorId: "b" }),
        told(30.4, { action: "slowoff" }),
        told(40, { action: "automod_hold", moderatorLogin: "" }),
        told(41, { action: "mod" }),
      ],
    );
    expect(done.map(({ atMs, act, by, source }) => [(atMs - T) / 1000, act, by, source])).toEqual([
      [0, "timeout", "ana", "us"],
      [0.9, "timeout", "ana", "twitch"],
      [12, "timeout", "kay", "twitch"],
      [13, "timeout", "nightbot", "bot"],
      [30, "slow off", "ana", "us"],
      [40, "automod hold", "AutoMod", "bot"],
    ]);
  });

  test("by steps: how many of a kind by whom", () => {
    const done = actsDone([own(0), own(3), own(70)], []);
    expect(actsBySteps(done, 60_000, 10).map(({ atMs, count }) => [(atMs - T) / 1000, count])).toEqual([
      [0, 2],
      [60, 1],
    ]);
    expect(actsBySteps(done, 60_000, 1)).toHaveLength(1);
  });
});

test("how soon and how often somebody acted: at Twitch or here; what was dismissed is no case to act on", () => {
  const cases = Array.from({ length: 20 }, (_, i) => ({
    ...{ id: `c${i}`, severity: "alert" as const, firstAtMs: T },
    removedMs: i < 6 ? T + 30_000 : 0,
  }));
  const entries = [
    { act: "timeout" as const, caseId: "c0", atMs: T + 10_000 },
    { act: "ban" as const, caseId: "c7", atMs: T + 90_000 },
    { act: "approve" as const, caseId: "c8", atMs: T + 5_000 },
    { act: "review" as const, caseId: "c9", atMs: T + 5_000 },
  ];
  const { timeToActionS, acted } = onCases(cases, entries);
  expect(timeToActionS.alert).toMatchObject({ value: 30, n: 7 });
  expect(acted.alert).toMatchObject({ value: 0.368, n: 19 });
  expect(timeToActionS.critical).toMatchObject({ value: null, n: 0 });
});

test("a person's load: acts, reviews, time without long pauses, the fullest hour; the program has none", () => {
  const by = { kind: "twitch" as const, userId: "m", login: "ana" };
  const at = (
    minute: number,
    act: JournalEntry["act"] = "delete",
  ): Pick<JournalEntry, "atMs" | "by" | "act"> => ({
    atMs: T + minute * 60_000,
    by,
    act,
  });
  const system = { ...at(0), by: { kind: "system" as const, userId: "", login: "hypecast" } };
  expect(loadOf([system, at(0), at(5, "review"), at(9), at(70), at(71, "review")])).toEqual([
    { by, acts: 3, reviewed: 2, shiftS: (1 + 9 + 1 + 1) * 60, hardestHour: 3 },
  ]);
});

describe("thresholds from decisions", () => {
  const decided = (score: number, isRight: boolean, i: number) => ({
    ...{ caseId: `k${i}`, atMs: T, score, isRight, class: "insult" },
  });
  test("the fit rises, whatever the decisions do", () => {
    const steps = isotonic(
      [0.9, 0.2, 0.6, 0.5, 0.8, 0.4].map((score, i) => ({ score, isRight: i % 2 === 0 })),
    );
    for (const [i, step] of steps.slice(1).entries()) expect(step.share).toBeGreaterThan(steps[i]!.share);
    expect(steps.reduce((sum, { n }) => sum + n, 0)).toBe(6);
  });
  test("scores that promise what they keep are left alone; those that promise too much are raised", () => {
    const current = { critical: 0.9, alert: 0.75, watch: 0.5 };
    const honest = Array.from({ length: 400 }, (_, i) => {
      const score = 0.5 + (i % 50) / 100;
      return decided(score, (i * 7919) % 400 < score * 400, i);
    });
    const { suggested } = suggest(honest, current);
    for (const one of ["critical", "alert", "watch"] as const)
      expect(Math.abs((suggested ?? current)[one] - current[one])).toBeLessThan(0.12);
    const boasting = honest.map((one, i) => decided(one.score, one.isRight && i % 2 === 0, i));
    expect(suggest(boasting, current).suggested!.critical).toBeGreaterThan(0.95);
    expect(suggest(boasting, current).suggested!.watch).toBeGreaterThan(0.55);
  });
  test("decisions of one kind alone say nothing", () => {
    const all = Array.from({ length: 100 }, (_, i) => decided(0.8, true, i));
    expect(suggest(all, { critical: 0.9, alert: 0.75, watch: 0.5 })).toMatchObject({ suggested: null });
  });
});
