import { expect, test } from "vitest";
import { backoffMs, newLink, watch } from "./link.ts";

test("a silent connection is asked after 2 s, again every 2 s, and given up after 10 s", () => {
  const link = { ...newLink(0), up: true };
  const done: [number, string][] = [];
  for (let now = 0; now <= 11_000; now += 250) {
    const due = watch(link, now);
    if (due !== null) done.push([now, due]);
  }
  expect(done.slice(0, 6)).toEqual([
    [2000, "ping"],
    [4000, "ping"],
    [6000, "ping"],
    [8000, "ping"],
    [10_000, "ping"],
    [10_250, "dead"],
  ]);
});

test("a connection that talks is left alone", () => {
  const link = { ...newLink(0), up: true };
  for (let now = 0; now <= 60_000; now += 250) {
    if (now % 1500 === 0) link.heardAt = now;
    expect(watch(link, now)).toBeNull();
  }
});

test("one that is not welcomed within 5 s is given up, even if it sends bytes", () => {
  const link = newLink(0);
  link.heardAt = 4_900;
  expect(watch(link, 5_000)).toBeNull();
  expect(watch(link, 5_001)).toBe("dead");
});

test.each([
  [0, 0, 250],
  [0, 1, 500],
  [1, 0, 500],
  [3, 1, 4000],
  [6, 0, 15_000],
  [6, 1, 30_000],
  [99, 1, 30_000],
])("attempt %d with chance %d waits %d ms", (attempt, random, ms) => {
  expect(backoffMs(attempt, random)).toBe(ms);
});
