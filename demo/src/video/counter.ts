import { colour, type Raster } from "./raster.ts";

/**
 * Each frame carries its own number, for programs: a strip of black and pale cells along the bottom edge, from the left.
 * Two cells mark it (pale, black), then come 20 bits of Gray code, the highest first, then a cell that makes the number of
 * pale data cells even. In a Gray code one cell changes from frame to frame (and the last one): shot detection and the
 * encoder hardly notice. Places are shares of the picture, so that every rendition, and a clip of it, reads the same way.
 */
const BITS = 20;
const CELLS = 2 + BITS + 1;
/** Of a picture that is 320 × 180. */
const CELL = { width: 4, height: 3 } as const;
const PICTURE = { width: 320, height: 180 } as const;

/** Which cells of frame `number` are pale, from the left. */
function counterCells(number: number): boolean[] {
  const gray = number ^ (number >>> 1);
  const bits = Array.from({ length: BITS }, (_, i) => ((gray >>> (BITS - 1 - i)) & 1) === 1);
  return [true, false, ...bits, bits.filter(Boolean).length % 2 === 1];
}

/** Where cell `i` lies in a picture of this size, whole pixels, `right` and `bottom` not included. */
function counterCell(
  i: number,
  width: number,
  height: number,
): { left: number; top: number; right: number; bottom: number } {
  const x = (cell: number): number => Math.round((cell * CELL.width * width) / PICTURE.width);
  return {
    left: x(i),
    top: Math.round((1 - CELL.height / PICTURE.height) * height),
    right: x(i + 1),
    bottom: height,
  };
}

/**
 * Number of the frame in a decoded picture (RGB, three bytes a pixel, rows without padding), as its strip says; null where
 * there is no strip, or a covered one.
 */
export function frameNumberOf(rgb: Uint8Array, width: number, height: number): number | null {
  if (rgb.length < width * height * 3)
    throw new Error(`${width}×${height} RGB needs ${width * height * 3} bytes`);
  const pale = Array.from({ length: CELLS }, (_, i) => {
    const { left, top, right, bottom } = counterCell(i, width, height);
    const x = Math.floor((left + right - 1) / 2);
    // The middle row of the strip, or the one below: at 160p it is three rows high, and its first is mixed with the picture.
    const y = Math.min(height - 1, Math.floor((top + bottom) / 2));
    const at = (y * width + x) * 3;
    return (rgb[at] ?? 0) + (rgb[at + 1] ?? 0) + (rgb[at + 2] ?? 0) > 3 * 110;
  });
  const [first, second, ...rest] = pale;
  if (first !== true || second !== false) return null;
  if (rest.filter(Boolean).length % 2 !== 0) return null;
  let number = 0;
  let bit = 0;
  for (const cell of rest.slice(0, BITS)) {
    bit ^= cell ? 1 : 0;
    number = number * 2 + bit;
  }
  return number;
}

const STRIP_PALE = colour("#dcdcdc");
const STRIP_DARK = colour("#0c0c0c");
/** The strip of frame `number` over a drawing. */
export function stampStrip(raster: Raster, number: number): void {
  for (const [i, pale] of counterCells(number).entries()) {
    const { left, top, right, bottom } = counterCell(i, raster.width, raster.height);
    raster.fill(left, top, right - left, bottom - top, pale ? STRIP_PALE : STRIP_DARK);
  }
}

/** Writes the strip of frame `number` into an RGB picture. */
export function stampCounter(rgb: Uint8Array, width: number, height: number, number: number): void {
  for (const [i, pale] of counterCells(number).entries()) {
    const { left, top, right, bottom } = counterCell(i, width, height);
    for (let y = top; y < bottom; y++)
      rgb.fill(pale ? 220 : 12, (y * width + left) * 3, (y * width + right) * 3);
  }
}
