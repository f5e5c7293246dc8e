import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { Distinct, EXACT_BOUND } from "./distinct.ts";
import { Sliding } from "./sliding.ts";

const setOf = (keys: Iterable<number>): Distinct => {
  const set = new Distinct();
  for (const key of keys) set.add(key);
  return set;
};
const saved = (set: Distinct | Sliding): Uint8Array => {
  const out = new ByteWriter();
  set.save(out);
  return out.done();
};

test("up to the bound the count is exact, one more and it is an estimate", () => {
  const keys = Array.from({ length: EXACT_BOUND }, (_, i) => i * 7919);
  const set = setOf(keys);
  expect(set.count()).toBe(EXACT_BOUND);
  expect(set.estimated).toBe(false);
  set.add(keys[5]!);
  expect(set.estimated).toBe(false);
  set.add(0xfffffff0);
  expect(set.estimated).toBe(true);
  expect(Math.abs(set.count() - EXACT_BOUND - 1)).toBeLessThan(EXACT_BOUND * 0.06);
});

test.each([5_000, 50_000, 500_000])("%i different keys are counted to within 5 %", (count) => {
  const set = new Distinct();
  for (let i = 0; i < count; i++) set.add(Math.imul(i, 0x9e3779b1));
  expect(Math.abs(set.count() / count - 1)).toBeLessThan(0.05);
});

test("merging gives what adding one by one would, in either form", () => {
  const some = fc.array(fc.integer({ min: 0, max: 300 }));
  fc.assert(
    fc.property(some, some, fc.boolean(), (a, b, many) => {
      const more = many ? Array.from({ length: 3000 }, (_, i) => i + 1000) : [];
      const merged = setOf([...a, ...more]);
      merged.merge(setOf(b));
      expect(merged.count()).toBe(setOf([...b, ...more, ...a]).count());
      if (!many) expect(merged.count()).toBe(new Set([...a, ...b].map((key) => key || 1)).size);
    }),
  );
});

test("a set that is emptied counts anew", () => {
  const set = setOf([1, 2, 3]);
  set.clear();
  set.add(2);
  expect(set.count()).toBe(1);
  expect(set.has(1)).toBe(false);
  expect(set.has(2)).toBe(true);
});

test("a sliding count is the number of different keys of the last ticks, saved or not", () => {
  const ticks = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 15 }), fc.array(fc.integer({ min: 1, max: 40 }))),
    {
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(ticks, fc.boolean(), (steps, reload) => {
      let sliding = new Sliding(12);
      const seen = new Map<number, number>();
      let now = 100;
      for (const [step, keys] of steps) {
        now += step;
        sliding.at(now);
        for (const key of keys) {
          sliding.add(key);
          seen.set(key, now);
        }
        if (reload) {
          const bytes = saved(sliding);
          sliding = new Sliding(12);
          sliding.load(new ByteReader(bytes));
        }
        for (const span of [3, 12])
          expect(sliding.count(span)).toBe([...seen.values()].filter((tick) => tick > now - span).length);
      }
    }),
  );
});

test("a crowd beyond the bound is counted by a sample, within 10 %", () => {
  const sliding = new Sliding(12);
  for (let tick = 1; tick <= 12; tick++) {
    sliding.at(tick);
    for (let i = 0; i < 5000; i++) sliding.add(Math.imul(tick * 5000 + i, 0x9e3779b1) >>> 0);
  }
  expect(Math.abs(sliding.count(12) / 60_000 - 1)).toBeLessThan(0.1);
  expect(saved(sliding).length).toBeLessThan(25_000);
});
