import { describe, expect, test } from "vitest";
import { clustersOf, type Vote } from "./cluster.ts";
import { slipsBetween } from "./keyword.ts";

const vote = (s: number, user: string, weight = 1, key = user): Vote => ({
  atMs: s * 1000,
  userId: user,
  key,
  weight,
});
/** A reaction: many in a few seconds. */
const crowd = (fromS: number, people: number): Vote[] =>
  Array.from({ length: people }, (_v, i) => vote(fromS + i * 0.25, `p${fromS}-${i}`));

describe("where chat speaks of it", () => {
  test("begins with the dense part, not with a stray line before it", () => {
    const [cluster] = clustersOf([vote(92, "early"), ...crowd(100, 20)], 3);
    expect(cluster!.onsetMs).toBe(100_000);
  });

  test("begins with the first of a few who speak with pauses", () => {
    const [cluster] = clustersOf([vote(100, "a"), vote(108, "b"), vote(111, "c"), vote(113, "d")], 3);
    expect(cluster!.onsetMs).toBe(100_000);
  });

  test("one line is a place too", () => {
    expect(clustersOf([vote(50, "a")], 3)).toEqual([
      { onsetMs: 50_000, peakMs: 50_000, endMs: 50_000, support: 1 },
    ]);
  });

  test("two reactions far apart are two places, the stronger first", () => {
    const found = clustersOf([...crowd(100, 8), ...crowd(200, 20)], 3);
    expect(found.map(({ onsetMs }) => onsetMs)).toEqual([200_000, 100_000]);
  });

  test("twenty people weigh more than one who says it twenty times, and than twenty copies of a text", () => {
    const support = (votes: Vote[]): number => clustersOf(votes, 1)[0]!.support;
    const people = support(crowd(100, 20));
    const one = support(crowd(100, 20).map((each) => ({ ...each, userId: "one" })));
    const copies = support(crowd(100, 20).map((each) => ({ ...each, key: "pasta" })));
    expect(people).toBeCloseTo(20);
    expect(one).toBeCloseTo(1);
    expect(copies).toBeLessThan(people / 2);
  });

  test("what says nothing of it makes no place", () => {
    expect(clustersOf([vote(1, "a", 0.01), vote(2, "b", 0)], 3)).toEqual([]);
  });
});

test.each([
  ["босс", "бос", 1],
  ["босс", "бсос", 1],
  ["lava", "lava", 0],
  ["excalibur", "exaclibor", 2],
  ["мост", "рост", 1],
  ["кот", "лава", 4],
])("%s and %s are %i slips apart", (a, b, slips) => {
  expect(slipsBetween(a, b)).toBe(slips);
});
