import { expect, test } from "vitest";
import { Band, Chance } from "./forecast-calibration.ts";

function randomOf(seed: number): () => number {
  let at = seed;
  return () => (at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}
/** Normal, by Box and Muller. */
const normalOf = (random: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Truths around 0 with this spread, a model that claims a band of ±1.28; truths come `delay` steps late. */
function cover(spreadAt: (step: number) => number, steps: number, delay = 0, shift = 0): number[] {
  const normal = normalOf(randomOf(3));
  const band = new Band();
  const inside: number[] = [];
  const late: [number, number, number][] = [];
  for (let step = 0; step < steps; step++) {
    const { low, high } = band.around(-1.28, 0, 1.28);
    const came = shift + spreadAt(step) * normal();
    inside.push(came >= low && came <= high ? 1 : 0);
    late.push([low, high, came]);
    if (late.length > delay) band.learn(...late.shift()!);
  }
  return inside;
}
const meanOf = (values: number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

test.each([
  ["right", () => 1, 0],
  ["three times too sure", () => 3, 0],
  ["three times too shy", () => 1 / 3, 0],
  ["answered a quarter of an hour late", () => 2, 15],
  ["facing a channel that changes", (step: number) => 1 + 2 * Math.sin(step / 300) ** 2, 15],
])("a band covers 80 %% in the long run when the model is %s", (_what, spread, delay) => {
  const inside = cover(spread, 6000, delay);
  expect(meanOf(inside.slice(300))).toBeGreaterThan(0.78);
  expect(meanOf(inside.slice(300))).toBeLessThan(0.82);
});

test("a model that is off to one side gets too wide a band, not one without the truth", () => {
  const inside = cover(() => 1, 6000, 0, 1.5);
  expect(meanOf(inside.slice(300))).toBeGreaterThan(0.78);
  expect(meanOf(inside.slice(300))).toBeLessThan(0.92);
});

test("misses widen their own side only, hits narrow both slowly", () => {
  const band = new Band();
  const before = band.around(-1, 0, 1);
  band.learn(-1, 1, 5);
  const after = band.around(-1, 0, 1);
  expect(before).toEqual({ low: -1, high: 1 });
  expect(after.high).toBeGreaterThan(1.04);
  expect(after.low).toBeGreaterThan(-1);
  expect(after.low).toBeLessThan(-0.99);
  expect([band.measured, band.inside]).toEqual([1, 0]);
});

test("however wrong it goes, the band stays a band around the median", () => {
  const band = new Band();
  for (let i = 0; i < 5000; i++) band.learn(0, 0, 0);
  const narrow = band.around(0, 0, 0);
  expect(narrow.low).toBeLessThan(0);
  expect(narrow.high).toBeGreaterThan(0);
  for (let i = 0; i < 5000; i++) band.learn(0, 0, 9);
  const wide = band.around(-1, 0, 1);
  expect(wide.high).toBeLessThanOrEqual(20);
  expect(wide.high).toBeGreaterThan(10);
});

test.each([
  [0.3, 0.05],
  [0.02, 0.1],
  [0.1, 0.1],
])("a chance said as %f where %f comes is drawn to what comes", (said, truth) => {
  const random = randomOf(5);
  const chance = new Chance();
  for (let i = 0; i < 2000; i++) chance.learn(said, random() < truth);
  expect(Math.abs(chance.corrected(said) - truth)).toBeLessThan(0.45 * truth);
  expect(Math.abs(chance.usual! - truth)).toBeLessThan(0.5 * truth);
});

test("a chance is believed until there is evidence, and stays a chance", () => {
  const chance = new Chance();
  expect(chance.usual).toBeNull();
  expect(chance.corrected(0.2)).toBeCloseTo(0.2);
  for (let i = 0; i < 10_000; i++) chance.learn(0.9, false);
  expect(chance.corrected(0.9)).toBeGreaterThan(0);
  expect(chance.corrected(1)).toBeLessThanOrEqual(1);
  expect(chance.corrected(0.9)).toBeGreaterThan(chance.corrected(0.5));
});
