import { describe, expect, test } from "vitest";
import { boxBetween, clipSize, cropXFrom, framing, windowLeft, windowShare } from "./framing.ts";

const source = { width: 1920, height: 1080 };

test("the 9:16 window is as high as the picture and moves between its edges", () => {
  expect(windowShare(source)).toBeCloseTo(607.5 / 1920, 6);
  expect(windowLeft(0, source)).toBe(0);
  expect(windowLeft(1, source) + windowShare(source)).toBeCloseTo(1, 9);
  for (const cropX of [0, 0.3, 1]) expect(cropXFrom(windowLeft(cropX, source), source)).toBeCloseTo(cropX, 9);
  expect(cropXFrom(-5, source)).toBe(0);
  expect(cropXFrom(9, source)).toBe(1);
  // An upright stream has no room to move in.
  expect(cropXFrom(0.2, { width: 1080, height: 1920 })).toBe(0.5);
});

describe("framing", () => {
  test("16:9 is the picture, 9:16 a window of it", () => {
    expect(framing("16:9", source, 0.5, null)).toEqual([
      { from: { x: 0, y: 0, ...source }, to: { x: 0, y: 0, ...source } },
    ]);
    const [part] = framing("9:16", source, 1, null);
    expect(part?.from).toEqual({ x: 1312.5, y: 0, width: 607.5, height: 1080 });
    expect(clipSize("9:16", source)).toEqual({ width: 607.5, height: 1080 });
  });

  test("stacked: the camera on top at most two fifths high, the game fills the rest, both unstretched", () => {
    const parts = framing("9:16-stacked", source, 0.5, { x: 0, y: 0, width: 0.25, height: 0.25 });
    const [ground, game, camera] = parts;
    expect(ground?.ground).toBe(true);
    for (const part of [game, camera])
      expect((part?.from.width ?? 0) / (part?.from.height ?? 1)).toBeCloseTo(
        (part?.to.width ?? 0) / (part?.to.height ?? 1),
        6,
      );
    expect(camera?.to.height).toBeLessThanOrEqual(0.4 * 1080 + 1e-9);
    expect((game?.to.y ?? 0) + (game?.to.height ?? 0)).toBeCloseTo(1080, 6);
  });

  test("stacked without a camera: the whole game in the middle", () => {
    const game = framing("9:16-stacked", source, 0.5, null)[1];
    expect(game?.from).toEqual({ x: 0, y: 0, ...source });
    expect(game?.to.y).toBeCloseTo((1080 - (game?.to.height ?? 0)) / 2, 9);
  });
});

test("a camera's box is drawn from any corner, stays inside and is never too small", () => {
  const box = { x: 0.25, y: 0.5, width: 0.5, height: 0.25 };
  expect(boxBetween({ x: 0.25, y: 0.5 }, { x: 0.75, y: 0.75 })).toEqual(box);
  expect(boxBetween({ x: 0.75, y: 0.75 }, { x: 0.25, y: 0.5 })).toEqual(box);
  const edge = boxBetween({ x: 1.5, y: 2 }, { x: 1.2, y: 1.1 });
  expect(edge.x + edge.width).toBeLessThanOrEqual(1);
  expect(edge.y + edge.height).toBeLessThanOrEqual(1);
  expect(edge.width).toBeGreaterThanOrEqual(0.02);
});
