import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FRAME_BYTES, packFrames, unpackFrames } from "./frames-file.ts";
import { MODELS_FOLDER } from "../scorer/open.ts";
import { framesOf, SHOT_FRAMES, SHOT_SIGNALS } from "./shot-rows.ts";

const frame = (atMs: number): { atMs: number; rgb: Uint8Array } => ({
  atMs,
  rgb: new Uint8Array(FRAME_BYTES).fill((atMs / 100) % 256),
});
const shown = (packed: Uint8Array): number[] =>
  Array.from({ length: SHOT_FRAMES }, (_, i) => packed[i * FRAME_BYTES]!);

test("frames come back with their times and pixels, and broken files are refused", () => {
  const frames = [frame(1_700_000_000_100), frame(1_700_000_000_433)];
  expect(
    unpackFrames(packFrames(frames)).map(({ atMs, rgb }) => ({ atMs, rgb: Uint8Array.from(rgb) })),
  ).toEqual(frames);
  expect(unpackFrames(Buffer.alloc(0))).toEqual([]);
  expect(() => unpackFrames(Buffer.alloc(100))).toThrow("no frames");
});

test("a shot is shown by frames spread over it, and never by one of its neighbours", () => {
  const frames = Array.from({ length: 20 }, (_, i) => frame(i * 100));
  expect(shown(framesOf({ startMs: 400, endMs: 1200 }, frames)!)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  // Fewer frames than are wanted: the nearest stand in.
  expect(shown(framesOf({ startMs: 400, endMs: 600 }, frames)!)).toEqual([4, 4, 5, 5, 5, 5, 5, 5]);
  expect(framesOf({ startMs: 1910, endMs: 2400 }, frames)).toBeNull();
});

test("the model was trained on these signals in this order", () => {
  const trained = JSON.parse(readFileSync(join(MODELS_FOLDER, "shot_score/trained.json"), "utf8")) as {
    signals: string[];
  };
  expect(trained.signals).toEqual([...SHOT_SIGNALS]);
});
