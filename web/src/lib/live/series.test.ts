import { expect, test } from "vitest";
import { SecondRing, StreamBins, trailingMinute } from "./series.ts";

test("a second that was not measured reads as not a number, also when its slot holds an older one", () => {
  const ring = new SecondRing(10);
  ring.put(100, 60, 40);
  expect(ring.rate(100)).toBe(60);
  expect(ring.rate(110)).toBeNaN();
  ring.put(110, 70, 50);
  expect(ring.rate(110)).toBe(70);
  expect(ring.rate(100)).toBeNaN();
  expect(ring.hype(110)).toBe(50);
});

test("what is older than the ring does not overwrite what is newer", () => {
  const ring = new SecondRing(10);
  ring.put(110, 70, 50);
  ring.put(100, 1, 1);
  expect(ring.rate(110)).toBe(70);
});

test("bins grow at the right and are filled in at the left", () => {
  const bins = new StreamBins(10, 100);
  bins.put(100, 10, { rate: 5, hype: 50 });
  bins.put(120, 10, { rate: 7 });
  bins.put(70, 10, { rate: 3 });
  expect([bins.startMs, bins.endMs]).toEqual([70, 130]);
  const rates = bins.columns(70, 130, 6).map(({ rate }) => rate);
  expect(rates).toEqual([3, Number.NaN, Number.NaN, 5, Number.NaN, 7]);
});

test("a column shows the highest of what it covers, so that no burst is averaged away", () => {
  const bins = new StreamBins(10, 100);
  for (const [i, rate] of [1, 9, 2, 3].entries())
    bins.put(i * 10, 10, { rate, hype: rate * 10, mood: rate === 9 ? "shock" : null });
  expect(bins.columns(0, 40, 2)).toEqual([
    { startMs: 0, rate: 9, hype: 90, mood: "shock" },
    { startMs: 20, rate: 3, hype: 30, mood: null },
  ]);
});

test("a gap is not zero, takes away the hype that stood there, and a later final value fills it", () => {
  const bins = new StreamBins(10, 100);
  bins.put(0, 10, { rate: 4, hype: 40 });
  bins.put(0, 10, { rate: null });
  expect(bins.columns(0, 10, 1)[0]).toMatchObject({ rate: Number.NaN, hype: Number.NaN });
  bins.put(0, 10, { rate: 0, hype: 1 });
  expect(bins.columns(0, 10, 1)[0]).toMatchObject({ rate: 0, hype: 1 });
});

test("hype alone colours a measured bin and never makes an unmeasured one look measured", () => {
  const bins = new StreamBins(10, 100);
  bins.put(0, 10, { rate: 4 });
  bins.put(10, 10, { rate: null });
  bins.putHype(5, 77);
  bins.putHype(15, 77);
  const [first, second] = bins.columns(0, 20, 2);
  expect(first?.hype).toBe(77);
  expect(second?.rate).toBeNaN();
});

test("the oldest bins are let go, and a clock that jumps by years begins anew", () => {
  const bins = new StreamBins(10, 3);
  for (let i = 0; i < 5; i++) bins.put(i * 10, 10, { rate: i });
  expect([bins.startMs, bins.endMs]).toEqual([20, 50]);
  bins.put(1e12, 10, { rate: 1 });
  expect([bins.startMs, bins.endMs]).toEqual([1e12, 1e12 + 10]);
});

test("a minute is the sum of its seconds, scaled for those that were not heard", () => {
  const seconds = Array.from({ length: 60 }, () => 2);
  expect(trailingMinute(seconds, 59)).toBe(120);
  const half = seconds.map((value, i) => (i < 20 ? Number.NaN : value));
  expect(trailingMinute(half, 59)).toBe(120);
  const little = seconds.map((value, i) => (i < 31 ? Number.NaN : value));
  expect(trailingMinute(little, 59)).toBeNaN();
});
