import { describe, expect, test } from "vitest";
import type { Completeness } from "@hypecast/contracts/vod.ts";
import { hearCompleteness } from "./completeness.ts";

/** Uniform numbers in [0, 1), the same for one seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Seconds of a chat that reacts: calm at `rate` a second, with bursts of answers to each other. */
function lively(seed: number, lengthS: number, rate: number): number[] {
  const next = random(seed);
  const at: number[] = [];
  for (let t = 0; t < lengthS; t -= Math.log(1 - next()) / rate) {
    at.push(t);
    while (next() < 0.35) at.push(Math.min(lengthS - 0.01, t + next() * 6));
  }
  return at.sort((a, b) => a - b);
}

function judge(seconds: readonly number[], lengthS: number | null, startS = 0): Completeness {
  const heard = hearCompleteness();
  for (const [i, at] of seconds.entries()) heard.line(at + startS, `v${i % 40}`, "hello");
  return heard.finish(startS, lengthS, "");
}
const kinds = (found: Completeness): string[] => found.holes.map((hole) => hole.kind);

describe("a whole chat", () => {
  test("has no holes, whatever its rate", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const rate = [0.01, 0.05, 0.3, 2, 8][seed % 5]!;
      expect(judge(lively(seed, 7200, rate), 7200)).toEqual({ share: 1, holes: [] });
    }
  });

  test("that fades out before its end has none either", () => {
    const fading = lively(3, 3600, 1).filter((at, i) => at < 2700 || i % Math.ceil((at - 2650) / 20) === 0);
    expect(kinds(judge(fading, 3600))).toEqual([]);
  });
});

describe("what is taken out is found", () => {
  test("ten minutes out of a chat of a message every few seconds, wherever they are", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const from = 1200 + ((seed * 137) % 4000);
      const found = judge(
        lively(seed, 7200, 0.3).filter((at) => at < from || at >= from + 600),
        7200,
      );
      expect(kinds(found)).toEqual(["gap"]);
      const [hole] = found.holes;
      expect(Math.abs(hole!.fromS - from)).toBeLessThan(40);
      expect(Math.abs(hole!.toS - from - 600)).toBeLessThan(40);
      expect(found.share).toBeCloseTo(1 - 600 / 7200, 1);
    }
  });

  test("the head and the tail", () => {
    const some = lively(5, 7200, 0.5).filter((at) => at > 900 && at < 6000);
    expect(kinds(judge(some, 7200))).toEqual(["head_missing", "tail_missing"]);
    // Without a length nothing says that more should come.
    expect(kinds(judge(some, null))).toEqual(["head_missing"]);
  });

  test("a ceiling of one message a second, as some tools had, and only where it is reached", () => {
    const next = random(9);
    const capped = lively(6, 7200, 0.3)
      .filter((at) => at < 3000 || at > 4200)
      .concat(Array.from({ length: 1200 }, (_, i) => 3000 + i + next() * 0.9))
      .sort((a, b) => a - b);
    const found = judge(capped, 7200);
    expect(kinds(found)).toEqual(["capped"]);
    expect(found.holes[0]!.fromS).toBeGreaterThan(2900);
    expect(found.holes[0]!.toS).toBeLessThan(4300);
    expect(found.share).toBeLessThan(0.9);
  });

  test("people who are answered and never speak", () => {
    const heard = hearCompleteness();
    for (const [i, at] of lively(7, 3600, 0.5).entries())
      heard.line(at, `v${i % 40}`, i % 20 === 0 ? "@gone you are right" : i % 20 === 1 ? "@v3 no" : "hello");
    const found = heard.finish(0, 3600, "v99");
    expect(found.share).toBe(1);
    expect(found.holes).toMatchObject([{ kind: "removed_users" }]);
    expect(found.holes[0]!.lines).toBeGreaterThan(50);
  });

  test("of whom the broadcaster is none", () => {
    const heard = hearCompleteness();
    for (const [i, at] of lively(7, 3600, 0.5).entries()) heard.line(at, `v${i % 40}`, "@streamer hello");
    expect(heard.finish(0, 3600, "streamer").holes).toEqual([]);
  });
});

test("times may count from anywhere", () => {
  const some = lively(5, 7200, 0.5).filter((at) => at < 3000 || at > 4000);
  expect(judge(some, 7200, 1_714_586_400)).toEqual(judge(some, 7200));
});
