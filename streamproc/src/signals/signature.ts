/** The frames that signatures are made of. */
export const FRAME_WIDTH = 64;
export const FRAME_HEIGHT = 36;
const PIXELS = FRAME_WIDTH * FRAME_HEIGHT;
export const FRAME_BYTES = PIXELS * 3;

/*
 * A signature: what a fold needs to compare any two frames of a channel, also across segments, in one byte each.
 * Mean luma of 32 columns and 18 rows (they slide when the camera moves), of 8 × 6 blocks (where things are), histograms of luma
 * and chroma (which do not care where things are), and a few figures of the whole frame.
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
/** Mean absolute gradient of luma × 4. */
export const AT_EDGE = AT_CONTRAST + 1;
/** Mean distance from grey × 2. */
export const AT_SATURATION = AT_EDGE + 1;
/** Shares of nearly black and nearly white pixels × 255. */
export const AT_DARK = AT_SATURATION + 1;
export const AT_BRIGHT = AT_DARK + 1;
export const SIGNATURE_BYTES = AT_BRIGHT + 1;

const DARK_BELOW = 28;
const BRIGHT_FROM = 228;
/** Colour differences smaller than the first are grey, from the second on strong. */
const COLOURED = 10;
const STRONG = 40;

/** A pair of colour differences in steps of 8, row-major 32 × 32: its chroma bin, and its distance from grey. */
const CHROMA_CELLS = 1024;
const cellStrength = Uint8Array.from({ length: CHROMA_CELLS }, (_, cell) =>
  Math.max(Math.abs(cellU(cell)), Math.abs(cellV(cell))),
);
const cellBin = Uint8Array.from({ length: CHROMA_CELLS }, (_, cell) => {
  const strength = cellStrength[cell]!;
  if (strength < COLOURED) return CHROMA_BINS - 1;
  const u = cellU(cell);
  const v = cellV(cell);
  const hue = (u < 0 ? 1 : 0) | (v < 0 ? 2 : 0) | (Math.abs(u) < Math.abs(v) ? 4 : 0);
  return hue * 2 + (strength < STRONG ? 0 : 1);
});
function cellU(cell: number): number {
  return ((cell & 31) - 16) * 8 + 4;
}
function cellV(cell: number): number {
  return ((cell >> 5) - 16) * 8 + 4;
}

const above = new Int32Array(FRAME_WIDTH);
const columns = new Int32Array(COLUMNS);
const rows = new Int32Array(ROWS);
const blocks = new Int32Array(BLOCKS);
const lumas = new Int32Array(256);
const chromas = new Int32Array(CHROMA_CELLS);
const lumaBins = new Int32Array(LUMA_BINS + 1);
const chromaBins = new Int32Array(CHROMA_BINS);

/** Writes the signature of a frame (64 × 36, RGB, tightly packed) to `into` from `at` on. */
export function signatureOf(rgb: Uint8Array, into: Uint8Array, at: number): void {
  if (rgb.length !== FRAME_BYTES)
    throw new RangeError(`a frame has ${FRAME_BYTES} bytes, this one ${rgb.length}`);
  const edges = sumPixels(rgb);
  for (let i = 0; i < COLUMNS; i++) into[at + AT_COLUMNS + i] = Math.round(columns[i]! / (2 * FRAME_HEIGHT));
  for (let i = 0; i < ROWS; i++) into[at + AT_ROWS + i] = Math.round(rows[i]! / (2 * FRAME_WIDTH));
  for (let i = 0; i < BLOCKS; i++) into[at + AT_BLOCKS + i] = Math.round(blocks[i]! / 48);
  into[at + AT_EDGE] = byteOf((4 * edges) / (2 * PIXELS));
  writeLuma(into, at);
  writeChroma(into, at);
}

/** What needs the pixels themselves. Returns the sum of gradients. */
function sumPixels(rgb: Uint8Array): number {
  columns.fill(0);
  rows.fill(0);
  blocks.fill(0);
  lumas.fill(0);
  chromas.fill(0);
  let edges = 0;
  let from = 0;
  let left = 0;
  for (let y = 0; y < FRAME_HEIGHT; y++) {
    const blockRow = ((y / 6) | 0) * BLOCK_COLUMNS;
    let rowSum = 0;
    // The first row has nothing above it, and a row's first pixel nothing on its left: they count against themselves.
    const first = y === 0;
    for (let pair = 0; pair < COLUMNS; pair++) {
      let pairSum = 0;
      for (let x = 2 * pair; x < 2 * pair + 2; x++, from += 3) {
        const red = rgb[from]!;
        const blue = rgb[from + 2]!;
        const value = (77 * red + 150 * rgb[from + 1]! + 29 * blue) >> 8;
        pairSum += value;
        lumas[value]!++;
        chromas[(((blue - value) >> 4) + 16) | ((((red - value) >> 4) + 16) << 5)]!++;
        if (x > 0) edges += Math.abs(value - left);
        if (!first) edges += Math.abs(value - above[x]!);
        above[x] = value;
        left = value;
      }
      columns[pair]! += pairSum;
      blocks[blockRow + (pair >> 2)]! += pairSum;
      rowSum += pairSum;
    }
    rows[y >> 1]! += rowSum;
  }
  return edges;
}

function writeLuma(into: Uint8Array, at: number): void {
  lumaBins.fill(0);
  let sum = 0;
  let squares = 0;
  let dark = 0;
  let bright = 0;
  for (let value = 0; value < 256; value++) {
    const count = lumas[value]!;
    if (count === 0) continue;
    sum += count * value;
    squares += count * value * value;
    if (value < DARK_BELOW) dark += count;
    else if (value >= BRIGHT_FROM) bright += count;
    // Shared between two bins, so that a slow change of light moves weight and does not jump.
    lumaBins[value >> 4]! += count * (16 - (value & 15));
    lumaBins[(value >> 4) + 1]! += count * (value & 15);
  }
  lumaBins[LUMA_BINS - 1]! += lumaBins[LUMA_BINS]!;
  // Square roots of shares: the product of two histograms is their Bhattacharyya coefficient.
  for (let i = 0; i < LUMA_BINS; i++)
    into[at + AT_LUMA + i] = Math.round(255 * Math.sqrt(lumaBins[i]! / (16 * PIXELS)));
  const mean = sum / PIXELS;
  into[at + AT_CONTRAST] = byteOf(2 * Math.sqrt(Math.max(0, squares / PIXELS - mean * mean)));
  into[at + AT_DARK] = byteOf((255 * dark) / PIXELS);
  into[at + AT_BRIGHT] = byteOf((255 * bright) / PIXELS);
}

function writeChroma(into: Uint8Array, at: number): void {
  chromaBins.fill(0);
  let strengths = 0;
  for (let cell = 0; cell < CHROMA_CELLS; cell++) {
    const count = chromas[cell]!;
    if (count === 0) continue;
    chromaBins[cellBin[cell]!]! += count;
    strengths += count * cellStrength[cell]!;
  }
  for (let i = 0; i < CHROMA_BINS; i++)
    into[at + AT_CHROMA + i] = Math.round(255 * Math.sqrt(chromaBins[i]! / PIXELS));
  into[at + AT_SATURATION] = byteOf((2 * strengths) / PIXELS);
}

const byteOf = (value: number): number => Math.min(255, Math.round(value));

/** Mean luma, 0–255. */
export function meanLuma(signature: Uint8Array): number {
  let sum = 0;
  for (let i = AT_BLOCKS; i < AT_BLOCKS + BLOCKS; i++) sum += signature[i]!;
  return sum / BLOCKS;
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

function slide(
  a: Uint8Array,
  b: Uint8Array,
  at: number,
  count: number,
  reach: number,
): { by: number; rest: number } {
  let best = 0;
  let least = Infinity;
  // From the middle outwards, so that of two places that fit alike the nearer one wins.
  for (let step = 0; step <= 2 * reach; step++) {
    const by = step & 1 ? (step + 1) >> 1 : -(step >> 1);
    const from = by > 0 ? by : 0;
    const until = by < 0 ? count + by : count;
    const n = until - from;
    let sum = 0;
    for (let i = from; i < until; i++) sum += b[at + i]! - a[at + i - by]!;
    const mean = sum / n;
    let rest = 0;
    for (let i = from; i < until; i++) {
      const difference = b[at + i]! - a[at + i - by]! - mean;
      rest += difference < 0 ? -difference : difference;
    }
    rest /= n;
    // A shift must be worth it.
    if (rest < least - 0.15) {
      least = rest;
      best = by;
    }
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
