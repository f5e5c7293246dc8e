import { expect, test } from "vitest";
import { heat, STOPS } from "./heat.ts";

test("the stops of the scale are hit exactly, and beyond its ends the ends hold", () => {
  expect(heat(0)).toBe(STOPS[0]);
  expect(heat(100)).toBe(STOPS[8]);
  expect(heat(-20)).toBe(STOPS[0]);
  expect(heat(140)).toBe(STOPS[8]);
});

test("what has no hype has no heat colour", () => {
  expect(heat(Number.NaN)).toBeNull();
});

test("lightness rises with hype all the way", () => {
  const luminance = (colour: string): number =>
    [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, channel) => sum + value * ([0.2126, 0.7152, 0.0722][channel] ?? 0), 0);
  let before = -1;
  for (let hype = 0; hype <= 100; hype += 2.5) {
    const now = luminance(heat(hype) ?? "#000000");
    expect(now).toBeGreaterThan(before);
    before = now;
  }
});
