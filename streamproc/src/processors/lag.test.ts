import { describe, expect, test } from "vitest";
import { T, type Said } from "./chat.fixture.ts";
import { LagPosterior, PRIOR_LAG } from "./lag-posterior.ts";
import { laugh, quietChat, watch, type Scene, type Seen } from "./moments.fixture.ts";
import type { ScreenOnset } from "./onsets.ts";

/** The same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
function normalFrom(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Reactions `lagS` ± `spreadS` after a sound, among sounds that come anyway at `perS`; the cause of three in ten makes none. */
function learned(
  seed: number,
  reactions: number,
  lagS: number,
  spreadS: number,
  perS: number,
  into = new LagPosterior(),
): LagPosterior {
  const random = randomFrom(seed);
  const normal = normalFrom(random);
  for (let i = 0; i < reactions; i++) {
    const onsets: ScreenOnset[] = [];
    const add = (beforeS: number): void => {
      onsets.push({ sense: "sound", atMs: 1e6 - beforeS * 1000, strength: 8, perS });
    };
    if (random() < 0.7) add(Math.max(0, lagS + normal() * spreadS));
    for (let s = 0; s < 28; s++) if (random() < perS) add(s + random());
    into.add(1e6, onsets);
  }
  return into;
}

describe("what is believed of a channel's lag", () => {
  test("without evidence: the wide prior, not learned", () => {
    expect(PRIOR_LAG.learned).toBe(false);
    expect(PRIOR_LAG.pairs).toBe(0);
    expect(PRIOR_LAG.lagMs).toBeGreaterThan(5000);
    expect(PRIOR_LAG.lagMs).toBeLessThan(7000);
    expect(PRIOR_LAG.errorMs).toBeGreaterThan(4500);
  });

  test.each([2, 4, 8, 14, 20])("a lag of %i s is learned from a dozen reactions", (lagS) => {
    const { lagMs, errorMs, learned: is } = learned(lagS, 12, lagS, 0.8, 0.02).belief();
    expect(is).toBe(true);
    expect(Math.abs(lagMs / 1000 - lagS)).toBeLessThanOrEqual(1);
    expect(errorMs).toBeLessThan(3500);
  });

  test("its 80 % interval holds the next reaction's lag in about 80 %", () => {
    let inside = 0;
    const channels = 300;
    const random = randomFrom(99);
    const normal = normalFrom(random);
    for (let channel = 0; channel < channels; channel++) {
      // Channels as the prior has them.
      const lagS = Math.min(24, 6 * Math.exp(0.65 * normal()));
      const { lagMs, errorMs } = learned(channel * 7919 + 1, 8, lagS, 1.2, 0.03).belief();
      if (Math.abs(lagMs / 1000 - (lagS + 1.2 * normal())) <= errorMs / 1000) inside++;
    }
    expect(inside / channels).toBeGreaterThan(0.72);
    expect(inside / channels).toBeLessThan(0.95);
  });

  test("a stream that bangs all the time teaches little and says so", () => {
    const { errorMs, learned: is } = learned(5, 6, 8, 0.8, 0.7).belief();
    expect(is).toBe(false);
    expect(errorMs).toBeGreaterThan(3000);
  });

  test("a chat that reacts to nothing on screen teaches nothing, however long it talks", () => {
    let believed = 0;
    for (let channel = 0; channel < 100; channel++) {
      const random = randomFrom(channel * 7919 + 17);
      const posterior = new LagPosterior();
      for (let i = 0; i < 40; i++) {
        const onsets: ScreenOnset[] = [];
        for (let s = 0; s < 28; s++)
          if (random() < 0.05)
            onsets.push({ sense: "sound", atMs: 1e6 - (s + random()) * 1000, strength: 8, perS: 0.05 });
        posterior.add(1e6, onsets);
      }
      const { learned: is, errorMs } = posterior.belief();
      if (is || errorMs < 4000) believed++;
    }
    expect(believed).toBeLessThanOrEqual(3);
  });

  test("it follows when the streamer changes the delay", () => {
    const posterior = learned(1, 60, 3, 0.8, 0.02);
    expect(posterior.belief().lagMs).toBeLessThan(4000);
    learned(2, 120, 10, 0.8, 0.02, posterior);
    expect(Math.abs(posterior.belief().lagMs - 10_000)).toBeLessThanOrEqual(1000);
  });
});

/** A crash every 80 s from 200 s on; chat laughs 7 s after each. */
const CRASHES = Array.from({ length: 10 }, (_, i) => 200 + i * 80);
const said = (): Said[] => [
  ...quietChat(1050),
  ...CRASHES.flatMap((atS, i) => laugh(atS + 7, 1000 + i * 100)),
];
const channel = (more: Partial<Scene> = {}): Seen =>
  watch({
    said: said(),
    screen: { sounds: CRASHES.map((atS) => ({ atS, z: 14, aboveUsual: 7 })), ...more.screen },
    untilS: 1050,
    ...(more.others === undefined ? {} : { others: more.others }),
  });

describe("a channel", () => {
  test("learns its lag while it plays, says it when it changes materially, and moments use it", () => {
    const { lags, last } = channel();
    const newest = lags.at(-1)!;
    expect(Math.abs(newest.lagMs - 7000)).toBeLessThanOrEqual(700);
    expect(newest.learned).toBe(true);
    expect(newest.pairs).toBeGreaterThanOrEqual(4);
    expect(lags.length).toBeLessThan(CRASHES.length);
    expect(new Set(lags.map(({ id }) => id)).size).toBe(lags.length);
    expect(last.at(-1)!).toMatchObject({ lagMs: newest.lagMs, lagErrorMs: newest.errorMs, lagLearned: true });
    expect((last.at(-1)!.onsetMs - T) / 1000).toBe(CRASHES.at(-1));
  });

  test("pairs no reaction with what lies across an advertisement, a gap or what was not measured", () => {
    const spans = CRASHES.map((atS): [number, number] => [atS + 2, atS + 4]);
    for (const screen of [{ ads: spans }, { holes: spans }, { failed: spans }])
      expect(channel({ screen }).lags).toEqual([]);
  });

  test("nor across a stretch in which chat was not heard, nor after a raid", () => {
    const gaps = CRASHES.map((atS) => ({
      atS: atS + 5,
      input: {
        type: "gap",
        gap: {
          id: `g${atS}`,
          channelId: "7",
          fromMs: T + (atS + 1) * 1000,
          toMs: T + (atS + 2) * 1000,
          reason: "connection_lost",
        },
      } as const,
    }));
    expect(channel({ others: gaps }).lags).toEqual([]);
    const raids = CRASHES.map((atS) => ({
      atS: atS + 5,
      input: {
        type: "notice",
        notice: {
          id: `r${atS}`,
          channelId: "7",
          sentAtMs: T + (atS + 5) * 1000,
          kind: "raid",
          userId: "9",
          login: `cat${atS}`,
          count: 50,
        },
      } as const,
    }));
    expect(channel({ others: raids }).lags).toEqual([]);
  });

  test("without picture and sound it learns nothing", () => {
    expect(watch({ said: said(), untilS: 1050 }).lags).toEqual([]);
  });
});
