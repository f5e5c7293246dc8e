/** The frames that signatures are made of. */
export const FRAME_WIDTH = 64;
export const FRAME_HEIGHT = 36;
const PIXELS = FRAME_WIDTH * FRAME_HEIGHT;
export const FRAME_BYTES = PIXELS * 3;

/*
 * A signature: what a fold needs to compare any two frames of a channel, also across segments, in one byte each.
 * Mean luma of 32 columns and 18 rows (they slide when the camera moves), of 8 × 6 blocks (where things are), histograms of luma
 * and chroma (which do not care where things are), and the contrast.
 */
export const COLUMNS = 32;
export const ROWS = 18;
export const BLOCK_COLUMNS = 8;
export const BLOCK_ROWS = 6;
export const BLOCKS = BLOCK_COLUMNS * BLOCK_ROWS;
const LUMA_BINS = 16;
/** Eight hues in two strengths, and grey. */
const CHROMA_BINS = 17;

export const AT_COLUMNS = 0;
export const AT_ROWS = AT_COLUMNS + COLUMNS;
export const AT_BLOCKS = AT_ROWS + ROWS;
export const AT_LUMA = AT_BLOCKS + BLOCKS;
export const AT_CHROMA = AT_LUMA + LUMA_BINS;
/** Standard deviation of luma × 2. */
export const AT_CONTRAST = AT_CHROMA + CHROMA_BINS;
export const SIGNATURE_BYTES = AT_CONTRAST + 1;

/** Colour differences smaller than the first are grey, from the second on strong. */
const COLOURED = 10;
const STRONG = 40;

/** A pair of colour differences in steps of 8, row-major 32 × 32: its chroma bin. */
const CHROMA_CELLS = 1024;
const cellBin = Uint8Array.from({ length: CHROMA_CELLS }, (_, cell) => {
  const u = ((cell & 31) - 16) * 8 + 4;
  const v = ((cell >> 5) - 16) * 8 + 4;
  const strength = Math.max(Math.abs(u), Math.abs(v));
  if (strength < COLOURED) return CHROMA_BINS - 1;
  const hue = (u < 0 ? 1 : 0) | (v < 0 ? 2 : 0) | (Math.abs(u) < Math.abs(v) ? 4 : 0);
  return hue * 2 + (strength < STRONG ? 0 : 1);
});
const columns = new Int32Array(COLUMNS);
const rows = new Int32Array(ROWS);
const blocks = new Int32Array(BLOCKS);
const lumas = new Int32Array(256);
/** The frame, where it can be read four bytes at a time. */
const pixels = new Uint8Array(FRAME_BYTES);
const words = new Int32Array(pixels.buffer);
const oddLumas = new Int32Array(256);
const chromas = new Int32Array(CHROMA_CELLS);
const lumaBins = new Int32Array(LUMA_BINS + 1);
const chromaBins = new Int32Array(CHROMA_BINS);

/** Writes the signature of a frame (64 × 36, RGB, tightly packed) to `into` from `at` on. */
export function signatureOf(rgb: Uint8Array, into: Uint8Array, at: number): void {
  if (rgb.length !== FRAME_BYTES)
    throw new RangeError(`a frame has ${FRAME_BYTES} bytes, this one ${rgb.length}`);
  sumPixels(rgb);
  for (let i = 0; i < COLUMNS; i++) into[at + AT_COLUMNS + i] = Math.round(columns[i]! / (2 * FRAME_HEIGHT));
  for (let i = 0; i < ROWS; i++) into[at + AT_ROWS + i] = Math.round(rows[i]! / (2 * FRAME_WIDTH));
  for (let i = 0; i < BLOCKS; i++) into[at + AT_BLOCKS + i] = Math.round(blocks[i]! / 48);
  writeLuma(into, at);
  writeChroma(into, at);
}

/**
 * What needs the pixels themselves. Four pixels are three words; a pair of pixels shares its colour, as in video it does; and
 * histograms of their own keep neighbours of the same luma from waiting for each other.
 */
function sumPixels(rgb: Uint8Array): void {
  columns.fill(0);
  rows.fill(0);
  blocks.fill(0);
  lumas.fill(0);
  oddLumas.fill(0);
  chromas.fill(0);
  pixels.set(rgb);
  let word = 0;
  for (let y = 0; y < FRAME_HEIGHT; y++) {
    let block = ((y / 6) | 0) * BLOCK_COLUMNS;
    let rowSum = 0;
    for (let pair = 0; pair < COLUMNS; block++) {
      let blockSum = 0;
      for (const end = pair + 4; pair < end; pair += 2, word += 3) {
        const a = words[word]!;
        const b = words[word + 1]!;
        const c = words[word + 2]!;
        const red = a & 255;
        const blue = (a >> 16) & 255;
        const first = (77 * red + 150 * ((a >> 8) & 255) + 29 * blue) >> 8;
        const second = (77 * (a >>> 24) + 150 * (b & 255) + 29 * ((b >> 8) & 255)) >> 8;
        const nextRed = (b >> 16) & 255;
        const nextBlue = c & 255;
        const third = (77 * nextRed + 150 * (b >>> 24) + 29 * nextBlue) >> 8;
        const fourth = (77 * ((c >> 8) & 255) + 150 * ((c >> 16) & 255) + 29 * (c >>> 24)) >> 8;
        lumas[first]!++;
        oddLumas[second]!++;
        lumas[third]!++;
        oddLumas[fourth]!++;
        chromas[(((blue - first) >> 4) + 16) | ((((red - first) >> 4) + 16) << 5)]!++;
        chromas[(((nextBlue - third) >> 4) + 16) | ((((nextRed - third) >> 4) + 16) << 5)]!++;
        columns[pair]! += first + second;
        columns[pair + 1]! += third + fourth;
        blockSum += first + second + third + fourth;
      }
      blocks[block]! += blockSum;
      rowSum += blockSum;
    }
    rows[y >> 1]! += rowSum;
  }
}

function writeLuma(into: Uint8Array, at: number): void {
  lumaBins.fill(0);
  let sum = 0;
  let squares = 0;
  for (let value = 0; value < 256; value++) {
    const count = lumas[value]! + oddLumas[value]!;
    if (count === 0) continue;
    sum += count * value;
    squares += count * value * value;
    // Shared between two bins, so that a slow change of light moves weight and does not jump.
    lumaBins[value >> 4]! += count * (16 - (value & 15));
    lumaBins[(value >> 4) + 1]! += count * (value & 15);
  }
  lumaBins[LUMA_BINS - 1]! += lumaBins[LUMA_BINS]!;
  // Square roots of shares: the product of two histograms is their Bhattacharyya coefficient.
  for (let i = 0; i < LUMA_BINS; i++)
    into[at + AT_LUMA + i] = Math.round(255 * Math.sqrt(lumaBins[i]! / (16 * PIXELS)));
  const mean = sum / PIXELS;
  into[at + AT_CONTRAST] = Math.min(
    255,
    Math.round(2 * Math.sqrt(Math.max(0, squares / PIXELS - mean * mean))),
  );
}

function writeChroma(into: Uint8Array, at: number): void {
  chromaBins.fill(0);
  for (let cell = 0; cell < CHROMA_CELLS; cell++) {
    const count = chromas[cell]!;
    if (count > 0) chromaBins[cellBin[cell]!]! += count;
  }
  for (let i = 0; i < CHROMA_BINS; i++)
    into[at + AT_CHROMA + i] = Math.round(255 * Math.sqrt((2 * chromaBins[i]!) / PIXELS));
}

/** Mean absolute difference of the blocks' luma, 0–255: what moved or changed, where. */
export function blockDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = AT_BLOCKS; i < AT_BLOCKS + BLOCKS; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference < 0 ? -difference : difference;
  }
  return sum / BLOCKS;
}

/** Hellinger distance of the luma and chroma histograms, 0–1: which light and colours there are, wherever. */
export function histogramDistance(a: Uint8Array, b: Uint8Array): number {
  return (unlike(a, b, AT_LUMA, LUMA_BINS) + unlike(a, b, AT_CHROMA, CHROMA_BINS)) / 2;
}

function unlike(a: Uint8Array, b: Uint8Array, at: number, count: number): number {
  let both = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = at; i < at + count; i++) {
    both += a[i]! * b[i]!;
    squaresA += a[i]! * a[i]!;
    squaresB += b[i]! * b[i]!;
  }
  // Rounding to bytes makes the sums of squares differ from 1 by a little.
  return squaresA === 0 || squaresB === 0
    ? 0
    : Math.sqrt(Math.max(0, 1 - both / Math.sqrt(squaresA * squaresB)));
}

/** The camera's shift between two frames, in pixels of 64 × 36, and what is left of the profiles' difference then (0–255). */
export interface Shift {
  dx: number;
  dy: number;
  rest: number;
}
/** Steps of two pixels. */
const REACH_COLUMNS = 6;
const REACH_ROWS = 4;

/**
 * Global motion from projections (Sauer & Schwartz 1996; also how cameras stabilise cheaply): the columns' and the rows' profiles
 * are slid over each other, and the best place is taken. Differences of mean light do not count: profiles are compared by
 * their deviation from their own mean.
 */
export function shiftOf(a: Uint8Array, b: Uint8Array): Shift {
  const x = slide(a, b, AT_COLUMNS, COLUMNS, REACH_COLUMNS);
  const y = slide(a, b, AT_ROWS, ROWS, REACH_ROWS);
  return { dx: x.by * 2, dy: y.by * 2, rest: (x.rest + y.rest) / 2 };
}

/** A shift must make the rest smaller by this, and what is smaller from the start is not looked at any further. */
const WORTH = 0.15;

/** Sums of the profiles' first values. */
const sumsA = new Int32Array(COLUMNS + 1);
const sumsB = new Int32Array(COLUMNS + 1);

function slide(
  a: Uint8Array,
  b: Uint8Array,
  at: number,
  count: number,
  reach: number,
): { by: number; rest: number } {
  for (let i = 0; i < count; i++) {
    sumsA[i + 1] = sumsA[i]! + a[at + i]!;
    sumsB[i + 1] = sumsB[i]! + b[at + i]!;
  }
  let best = 0;
  let least = Infinity;
  // From the middle outwards, so that of two places that fit alike the nearer one wins.
  for (let step = 0; step <= 2 * reach && least > WORTH; step++) {
    const by = step & 1 ? (step + 1) >> 1 : -(step >> 1);
    const from = by > 0 ? by : 0;
    const until = by < 0 ? count + by : count;
    const n = until - from;
    const mean = (sumsB[until]! - sumsB[from]! - sumsA[until - by]! + sumsA[from - by]!) / n;
    const enough = (least - WORTH) * n;
    let rest = 0;
    for (let i = from; i < until && rest < enough; i++) rest += Math.abs(b[at + i]! - a[at + i - by]! - mean);
    if (rest >= enough) continue;
    least = rest / n;
    best = by;
  }
  return { by: best, rest: least };
}

/** Added to the contrast, so that noise on a black picture is no change. */
const CONTRAST_FLOOR = 6;

/**
 * How unlike two frames are, 0 – about 2, whatever the camera did in between: what is left of the profiles after the best shift,
 * in units of their contrast, and the histograms' distance. 0.05 is a quiet camera, 0.25 a shaking one, 0.7 and more another scene.
 */
export function unlikeness(a: Uint8Array, b: Uint8Array, shift: Shift = shiftOf(a, b)): number {
  const contrast = (a[AT_CONTRAST]! + b[AT_CONTRAST]!) / 4;
  return (2 * shift.rest) / (contrast + CONTRAST_FLOOR) + histogramDistance(a, b);
}

/** Base64 of bytes, and back. */
export const pack = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
export const unpack = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, "base64");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};
