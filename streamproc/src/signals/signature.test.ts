import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mixed, oneColour, scene } from "../processors/video.fixture.ts";
import {
  AT_BLOCKS,
  AT_CONTRAST,
  blockDifference,
  FRAME_BYTES,
  histogramDistance,
  pack,
  shiftOf,
  SIGNATURE_BYTES,
  signatureOf,
  unlikeness,
  unpack,
} from "./signature.ts";

const signature = (rgb: Uint8Array): Uint8Array => {
  const into = new Uint8Array(SIGNATURE_BYTES);
  signatureOf(rgb, into, 0);
  return into;
};
const anyFrame = fc.uint8Array({ minLength: FRAME_BYTES, maxLength: FRAME_BYTES });

test("a frame of another size is refused", () => {
  expect(() => signatureOf(new Uint8Array(100), new Uint8Array(SIGNATURE_BYTES), 0)).toThrow(
    "a frame has 6912 bytes, this one 100",
  );
});

test.each([0, 16, 128, 255])(
  "a frame of one colour (%i) has no contrast and that luma everywhere",
  (value) => {
    const made = signature(oneColour(value));
    expect(made[AT_CONTRAST]).toBe(0);
    expect([...new Set(made.subarray(0, AT_BLOCKS))]).toEqual([value]);
  },
);

describe("distances", () => {
  test("of a frame to itself are 0, to another one the same both ways, and never NaN", () => {
    fc.assert(
      fc.property(anyFrame, anyFrame, (rgbA, rgbB) => {
        const [a, b] = [signature(rgbA), signature(rgbB)];
        expect(blockDifference(a, a)).toBe(0);
        expect(histogramDistance(a, a)).toBeLessThan(0.001);
        expect(unlikeness(a, a)).toBeLessThan(0.001);
        expect(blockDifference(a, b)).toBe(blockDifference(b, a));
        expect(histogramDistance(a, b)).toBeCloseTo(histogramDistance(b, a), 12);
        expect(unlikeness(a, b)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test("a shifted view is likelier the same scene than another scene is", () => {
    const here = signature(scene(1));
    const panned = signature(scene(1, { x: 6, y: 2 }));
    expect(unlikeness(here, panned)).toBeLessThan(0.4 * unlikeness(here, signature(scene(2))));
  });

  test("the camera's shift is found to two pixels", () => {
    for (const [x, y] of [
      [0, 0],
      [4, 0],
      [-6, 0],
      [0, 4],
      [2, -2],
    ] as const) {
      const { dx, dy } = shiftOf(signature(scene(5)), signature(scene(5, { x, y })));
      expect(Math.abs(dx + x)).toBeLessThanOrEqual(2);
      expect(Math.abs(dy + y)).toBeLessThanOrEqual(2);
    }
  });

  test("a change of light alone is no shift and leaves the profiles alike", () => {
    const dimmed = mixed(scene(1), oneColour(128), 0.1).map((value) => Math.min(255, value + 10));
    const { dx, dy, rest } = shiftOf(signature(scene(1)), signature(dimmed));
    expect([Math.abs(dx), Math.abs(dy)]).toEqual([0, 0]);
    expect(rest).toBeLessThan(4);
  });
});

test("what is packed comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(unpack(pack(bytes))).toEqual(bytes);
    }),
  );
});
