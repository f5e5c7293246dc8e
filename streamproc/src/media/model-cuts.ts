import { BadAnswer, type Scorer } from "../scorer/scorer.ts";
import { FRAME_HEIGHT, FRAME_WIDTH } from "./frames-file.ts";

/**
 * TransNetV2 (Souček & Lokoč 2020, arXiv 2008.04838), where an operator has put it among the models: UINT8 [100, 27, 48, 3] in, the chance
 * (after the sigmoid) that each frame is the last before a cut out. It sees 100 frames and is believed in the middle 50.
 */
export const CUT_MODEL = "transnetv2";
const WINDOW = 100;
const STEP = 50;
const MARGIN = 25;
const WIDTH = 48;
const HEIGHT = 27;
const FRAME = WIDTH * HEIGHT * 3;

/** A frame of 64 × 36 as one of 48 × 27: every pixel is the mean of the area that it covers. */
export function shrink(rgb: Uint8Array): Uint8Array {
  const small = new Uint8Array(FRAME);
  const across = overlaps(FRAME_WIDTH, WIDTH);
  const down = overlaps(FRAME_HEIGHT, HEIGHT);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (const [row, high] of down[y]!)
          for (const [column, wide] of across[x]!)
            sum += rgb[(row * FRAME_WIDTH + column) * 3 + c]! * high * wide;
        small[(y * WIDTH + x) * 3 + c] = Math.round(sum);
      }
  return small;
}

/** For each of `to` cells: which of `from` cells it covers, and by what share of itself. */
function overlaps(from: number, to: number): [cell: number, share: number][][] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const cells: [number, number][] = [];
    for (let cell = Math.floor(i * scale); cell < Math.ceil((i + 1) * scale); cell++)
      cells.push([cell, (Math.min(cell + 1, (i + 1) * scale) - Math.max(cell, i * scale)) / scale]);
    return cells;
  });
}

/** Windows over `count` frames: which frame stands at each of their places. The first and the last frame fill what lies outside. */
export function windowsOver(count: number): number[][] {
  const windows: number[][] = [];
  for (let begin = 0; begin < count; begin += STEP)
    windows.push(
      Array.from({ length: WINDOW }, (_, i) => Math.min(count - 1, Math.max(0, begin - MARGIN + i))),
    );
  return windows;
}

/** The chance of a cut behind each frame, 0–1. Frames of 64 × 36, in order. Rejects as the scorer does. */
export async function cutChances(
  frames: readonly Uint8Array[],
  scorer: Scorer,
  deadlineMs: number,
): Promise<Float32Array> {
  const windows = windowsOver(frames.length);
  if (windows.length === 0) return new Float32Array();
  const [input] = await scorer.inputs(CUT_MODEL, deadlineMs);
  if (input?.type !== "UINT8" || input.dims.join() !== [WINDOW, HEIGHT, WIDTH, 3].join())
    throw new BadAnswer(`${CUT_MODEL} must take UINT8 [${WINDOW}, ${HEIGHT}, ${WIDTH}, 3]`);
  const small = frames.map(shrink);
  const packed = new Uint8Array(windows.length * WINDOW * FRAME);
  for (const [w, window] of windows.entries())
    for (const [i, frame] of window.entries()) packed.set(small[frame]!, (w * WINDOW + i) * FRAME);
  const answer = await scorer.score(CUT_MODEL, { [input.name]: packed }, windows.length, deadlineMs);
  const [said] = Object.values(answer);
  if (said?.length !== windows.length * WINDOW)
    throw new BadAnswer(`${CUT_MODEL} answered ${said?.length ?? 0} values for ${windows.length} windows`);
  return Float32Array.from(frames, (_, i) => {
    const value = said[Math.floor(i / STEP) * WINDOW + MARGIN + (i % STEP)]!;
    if (value < 0 || value > 1) throw new BadAnswer(`${CUT_MODEL} answered ${value}, which is no chance`);
    return value;
  });
}
