import { expect, test } from "vitest";
import { detailOf, measurePicture, type DetailFrame } from "./picture.ts";
import { scene } from "../processors/video.fixture.ts";
import { SIGNATURE_BYTES, unpack } from "./signature.ts";

const WIDTH = 160;
const HEIGHT = 96;
/** A frame whose pixel at (x, y) is `at(x, y)`, grey or red, green, blue. */
function frame(at: (x: number, y: number) => number | [number, number, number]): DetailFrame {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const value = at(x, y);
      rgb.set(typeof value === "number" ? [value, value, value] : value, (y * WIDTH + x) * 3);
    }
  return { atMs: 0, width: WIDTH, height: HEIGHT, rgb };
}
/** Normal noise by its sum of uniforms, the same in every run. */
function noiseOf(sigma: number): () => number {
  let state = 1;
  const uniform = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  return () => sigma * (Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, 0) - 6);
}

test("an even grey has no colour, no noise, no text and no sharpness", () => {
  expect(detailOf(frame(() => 110))).toEqual({
    sharpness: 0,
    exposure: 1,
    colourfulness: 0,
    noise: 0,
    text: 0,
  });
});

test("exposure falls towards black and white", () => {
  const exposure = (value: number): number => detailOf(frame(() => value)).exposure;
  expect([0, 55, 110, 200, 255].map(exposure)).toEqual([0, 0.5, 1, 0.379, 0]);
});

test("colourfulness is Hasler and Süsstrunk's M3 over 109", () => {
  // Half pure red, half grey 128: rg is 255 or 0, yb is 127.5 or 0.
  const { colourfulness } = detailOf(frame((x) => (x < WIDTH / 2 ? [255, 0, 0] : 128)));
  const m3 = Math.hypot(127.5, 63.75) + 0.3 * Math.hypot(127.5, 63.75);
  expect(colourfulness).toBeCloseTo(Math.min(1, m3 / 109), 2);
  const mild = detailOf(frame((x) => (x < WIDTH / 2 ? [140, 120, 120] : 120))).colourfulness;
  expect(mild).toBeCloseTo((Math.hypot(10, 5) * 1.3) / 109, 2);
});

test.each([2, 5, 10])("noise of σ = %i is found within a tenth", (sigma) => {
  const noise = noiseOf(sigma);
  const measured = detailOf(frame(() => Math.round(120 + noise()))).noise * 16;
  expect(Math.abs(measured - sigma)).toBeLessThan(0.1 * sigma);
});

test("a blurred picture is less sharp than the same one in focus", () => {
  const wave = (width: number) =>
    frame((x, y) => Math.round(120 + 60 * Math.tanh(Math.sin((x + y) / 3) * width)));
  expect(detailOf(wave(8)).sharpness).toBeGreaterThan(2 * detailOf(wave(0.5)).sharpness);
});

test("lines of letters are text, stripes that lie and a slope are not", () => {
  // Strokes two pixels wide with gaps of two and three, in lines ten high with eight between them.
  const letters = frame((x, y) => (y % 18 < 10 && (x % 9 < 2 || (x % 9 > 3 && x % 9 < 6)) ? 230 : 30));
  expect(detailOf(letters).text).toBeGreaterThan(0.3);
  expect(detailOf(frame((_, y) => (y % 4 < 2 ? 230 : 30))).text).toBe(0);
  expect(detailOf(frame((x) => x)).text).toBe(0);
});

test("a picture of a single pixel has nothing to measure, and one that is cut short is refused", () => {
  expect(detailOf({ atMs: 0, width: 1, height: 1, rgb: new Uint8Array(3) }).sharpness).toBe(0);
  expect(() => detailOf({ atMs: 0, width: 10, height: 10, rgb: new Uint8Array(3) })).toThrow(
    "needs 300 bytes",
  );
});

test("a segment's signatures lie one after the other", () => {
  const measured = measurePicture(
    [1, 2, 1].map((number, i) => ({ atMs: i * 33.4, rgb: scene(number) })),
    [{ ...frame(() => 50), atMs: 0.2 }],
    { width: WIDTH, height: HEIGHT },
  );
  expect(measured.atMs).toEqual([0, 33, 67]);
  expect(measured.detail.atMs).toEqual([0]);
  const bytes = unpack(measured.signatures);
  expect(bytes.length).toBe(3 * SIGNATURE_BYTES);
  expect(bytes.subarray(0, SIGNATURE_BYTES)).toEqual(bytes.subarray(2 * SIGNATURE_BYTES));
});
