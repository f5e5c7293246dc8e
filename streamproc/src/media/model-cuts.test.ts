import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openOnnx } from "../scorer/onnx.ts";
import { writeBrightnessModel } from "../scorer/test-graph.ts";
import { FRAME_BYTES } from "./frames-file.ts";
import { CUT_MODEL, cutChances, shrink, windowsOver } from "./model-cuts.ts";

test("each frame stands once in the middle of a window, and ends are filled by the last frame", () => {
  for (const count of [1, 49, 50, 51, 60, 100, 149]) {
    const middles = windowsOver(count).flatMap((window) => window.slice(25, 75));
    expect(middles.slice(0, count), `${count} frames`).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(windowsOver(count).every((window) => window.length === 100)).toBe(true);
  }
  expect(windowsOver(60)[1]!.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, i) => 25 + i));
  expect(new Set(windowsOver(60)[1]!.slice(35))).toEqual(new Set([59]));
});

test("a smaller picture keeps its mean, and a bright half stays on its side", () => {
  const half = new Uint8Array(FRAME_BYTES);
  for (let i = 0; i < FRAME_BYTES; i++) half[i] = Math.floor(i / 3) % 64 < 32 ? 200 : 0;
  const small = shrink(half);
  expect(small.length).toBe(27 * 48 * 3);
  expect(small.reduce((sum, value) => sum + value, 0) / small.length).toBeCloseTo(100, 5);
  expect([small[0], small[23 * 3], small[24 * 3], small[47 * 3]]).toEqual([200, 200, 0, 0]);
});

test("a graph of TransNetV2's shape is loaded from an operator's folder and asked about every frame", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hypecast-cuts-"));
  writeBrightnessModel(folder, CUT_MODEL, {
    input: "windows",
    dims: [100, 27, 48, 3],
    axes: [2, 3, 4],
    outputs: { cut: [100, 1] },
  });
  const scorer = await openOnnx(folder);
  const frames = Array.from({ length: 60 }, (_, i) => new Uint8Array(FRAME_BYTES).fill(i * 4));
  const chances = await cutChances(frames, scorer, 10_000);
  for (const [i, chance] of chances.entries()) expect(chance).toBeCloseTo((i * 4) / 255, 5);
  expect(await cutChances([], scorer, 10_000)).toHaveLength(0);
  await scorer.close();
  rmSync(folder, { recursive: true });
});
