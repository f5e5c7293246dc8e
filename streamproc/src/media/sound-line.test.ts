import { expect, test } from "vitest";
import { soundLine, type SoundPiece } from "./sound-line.ts";

/** Stereo samples that say where they are: the left one is `level`, the right one its negative. */
const piece = (atMs: number, ms: number, level: number): SoundPiece => ({
  atMs,
  samples: Float32Array.from({ length: ms * 48 * 2 }, (_, i) => (i % 2 === 0 ? level : -level)),
});
const levelAt = (pcm: ReturnType<typeof soundLine>, atMs: number): number =>
  pcm!.samples[(pcm!.preroll + atMs * 48) * 2]!;

test("pieces follow one another; what lies before the segment is pre-roll, what lies behind its end is cut", () => {
  const pcm = soundLine([piece(-700, 400, 1), piece(-300, 1300, 2), piece(1000, 1500, 3)], 2, 2000, 1);
  expect(pcm).toMatchObject({ channels: 2, preroll: 24_000, tracks: 1 });
  expect(pcm!.samples).toHaveLength((24_000 + 96_000) * 2);
  expect([-450, -250, 0, 999, 1001, 1999].map((at) => levelAt(pcm, at))).toEqual([1, 2, 2, 2, 3, 3]);
});

test("a rounded timestamp makes no hole and no overlap", () => {
  const pcm = soundLine([piece(0, 100, 1), piece(100.4, 100, 2), piece(199.8, 100, 3)], 2, 2000, 1);
  expect(pcm!.samples).toHaveLength(300 * 48 * 2);
  expect(pcm!.samples.includes(0)).toBe(false);
});

test("a hole is silence, an overlap is heard once", () => {
  const pcm = soundLine([piece(0, 100, 1), piece(200, 100, 2), piece(250, 100, 3)], 2, 2000, 1);
  expect([50, 150, 250, 299, 301, 349].map((at) => levelAt(pcm, at))).toEqual([1, 0, 2, 2, 3, 3]);
});

test("pre-roll is whole hops of 10 ms", () => {
  const pcm = soundLine([piece(-37, 137, 1)], 2, 2000, 1);
  expect(pcm!.preroll).toBe(3 * 480);
});

test("nothing of the segment heard is no sound", () => {
  expect(soundLine([], 2, 2000, 1)).toBeNull();
  expect(soundLine([piece(5000, 100, 1)], 2, 2000, 1)).toBeNull();
});

test("an absurd timestamp takes no memory", () => {
  const pcm = soundLine([piece(0, 10, 1), piece(1e12, 10, 2), piece(-1e12, 10, 3)], 2, 2000, 1);
  expect(pcm!.samples).toHaveLength(10 * 48 * 2);
});
