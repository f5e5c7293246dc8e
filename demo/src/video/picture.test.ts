import { expect, test } from "vitest";
import { hash32 } from "../random.ts";
import { events, PERIOD_MS, scenes } from "../world.ts";
import { frameNumberOf } from "./counter.ts";
import { hasGlyph } from "./font.ts";
import { drawMap } from "./nightfern.ts";
import { drawFrame, flashes } from "./picture.ts";
import { HEIGHT, Raster, rgbOf, WIDTH } from "./raster.ts";
import { adSpots, FADE_MS, FPS, frameOf, LOOP_FRAMES, screenTexts, shots } from "./shots.ts";

const raster = new Raster();
const rgbAt = (frame: number): Uint8Array => rgbOf(raster, drawFrame(raster, frame));
const brightness = (rgb: Uint8Array): number => rgb.reduce((sum, value) => sum + value, 0) / rgb.length;
/** Mean difference of two frames by blocks of 5 × 5 pixels, 0–255: what stays of noise and edges is little. */
function difference(a: Uint8Array, b: Uint8Array): number {
  const blocks = (rgb: Uint8Array): Float64Array => {
    const out = new Float64Array((WIDTH / 5) * (HEIGHT / 5));
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        const at = (y * WIDTH + x) * 3;
        const block = Math.floor(y / 5) * (WIDTH / 5) + Math.floor(x / 5);
        out[block] = (out[block] ?? 0) + ((rgb[at] ?? 0) + (rgb[at + 1] ?? 0) + (rgb[at + 2] ?? 0)) / 75;
      }
    return out;
  };
  const [left, right] = [blocks(a), blocks(b)];
  return left.reduce((sum, value, i) => sum + Math.abs(value - (right[i] ?? 0)), 0) / left.length;
}

test("the same frame is the same picture on every machine, whatever was drawn before", () => {
  const digest = (frame: number): number =>
    rgbAt(frame).reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 0);
  const asked = [300, 2_920, 13_400, 18_700, 25_500, 32_000, 43_000, 50_930];
  const first = asked.map(digest);
  expect(asked.toReversed().map(digest).toReversed()).toEqual(first);
  expect(hash32(...first)).toMatchInlineSnapshot(`215073686`);
});

test("every frame says its own number", () => {
  for (const frame of [0, 1, 2, 1_799, 13_381, 25_260, 27_509, 42_500, LOOP_FRAMES - 1])
    expect(frameNumberOf(rgbAt(frame), WIDTH, HEIGHT)).toBe(frame);
  const map = new Raster();
  expect(frameNumberOf(rgbOf(map, drawMap(map, 6_100)), WIDTH, HEIGHT)).toBe(6_100);
});

test("a picture without the strip has no number", () => {
  expect(frameNumberOf(new Uint8Array(WIDTH * HEIGHT * 3), WIDTH, HEIGHT)).toBeNull();
  expect(frameNumberOf(new Uint8Array(WIDTH * HEIGHT * 3).fill(255), WIDTH, HEIGHT)).toBeNull();
});

test("at each hard cut the picture changes, and not on either side of it", () => {
  const cuts = shots.filter(({ begins, fromMs }) => begins === "cut" && fromMs > 0);
  expect(cuts.length).toBeGreaterThan(30);
  for (const { fromMs } of cuts) {
    const frame = frameOf(fromMs);
    const [before, last, first, after] = [-2, -1, 0, 1].map((by) => rgbAt(frame + by)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const change = difference(last, first);
    expect(change, `at ${fromMs} ms`).toBeGreaterThan(7);
    if (!flashes.some((flash) => fromMs >= flash.fromMs && fromMs < flash.toMs))
      expect(
        Math.max(difference(before, last), difference(first, after)),
        `beside ${fromMs} ms`,
      ).toBeLessThan(change * 0.6);
  }
});

test("a fade goes through black and takes its time", () => {
  const fades = shots.filter(({ begins }) => begins === "fade");
  expect(fades.length).toBeGreaterThanOrEqual(5);
  for (const { fromMs } of fades) {
    const levels = [-FADE_MS - 40, -FADE_MS / 2, 0, FADE_MS / 2, FADE_MS + 40].map((by) =>
      brightness(rgbAt(frameOf(fromMs + by))),
    ) as [number, number, number, number, number];
    expect(levels[2]).toBeLessThan(8);
    expect(levels[1]).toBeLessThan(levels[0] * 0.75);
    expect(levels[3]).toBeLessThan(levels[4] * 0.75);
  }
});

test("the fall into the lava is seen in the frame of its event", () => {
  for (const { atMs } of events.filter(({ kind }) => kind === "lava"))
    expect(difference(rgbAt(frameOf(atMs) - 1), rgbAt(frameOf(atMs)))).toBeGreaterThan(30);
});

test("nothing moves in the technical pause but the frame's number", () => {
  expect(difference(rgbAt(frameOf(1_420_000)), rgbAt(frameOf(1_460_000)))).toBeLessThan(1);
});

test("each scene looks unlike the one before", () => {
  for (const { fromMs } of scenes.slice(1))
    expect(difference(rgbAt(frameOf(fromMs - 1_000)), rgbAt(frameOf(fromMs + 1_000)))).toBeGreaterThan(5);
});

test("shots are in order, whole frames apart, and cover the loop", () => {
  expect(shots[0]?.fromMs).toBe(0);
  for (const [i, { fromMs }] of shots.entries()) {
    expect(Number.isInteger((fromMs * FPS) / 1000)).toBe(true);
    expect(fromMs).toBeGreaterThan(shots[i - 1]?.fromMs ?? -1);
    expect(fromMs).toBeLessThan(PERIOD_MS);
  }
});

test("the font has each letter that the screen shows", () => {
  for (const text of [...screenTexts.map(({ text }) => text), ...adSpots.map(({ brand }) => brand)])
    for (const letter of Array.from(text)) expect(hasGlyph(letter), `${letter} of ${text}`).toBe(true);
});
