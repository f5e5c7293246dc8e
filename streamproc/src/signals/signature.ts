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

/** Chroma bin of a pair of colour differences in steps of 8, row-major 32 × 32. */
const CHROMA_BIN = Uint8Array.from({ length: 1024 }, (_, at) => {
  const u = ((at & 31) - 16) * 8 + 4;
  const v = ((at >> 5) - 16) * 8 + 4;
  const strength = Math.max(Math.abs(u), Math.abs(v));
  if (strength < COLOURED) return 16;
  const hue = (u < 0 ? 1 : 0) | (v < 0 ? 2 : 0) | (Math.abs(u) < Math.abs(v) ? 4 : 0);
  return hue * 2 + (strength < STRONG ? 0 : 1);
});

const luma = new Int32Array(PIXELS);
const columns = new Int32Array(COLUMNS);
const rows = new Int32Array(ROWS);
const blocks = new Int32Array(BLOCKS);
const lumaBins = new Int32Array(LUMA_BINS + 1);
const chromaBins = new Int32Array(CHROMA_BINS);

/** Writes the signature of a frame (64 × 36, RGB, tightly packed) to `into` from `at` on. */
export function signatureOf(rgb: Uint8Array, into: Uint8Array, at: number): void {
  if (rgb.length !== FRAME_BYTES)
    throw new RangeError(`a frame has ${FRAME_BYTES} bytes, this one ${rgb.length}`);
  columns.fill(0);
  rows.fill(0);
  blocks.fill(0);
  lumaBins.fill(0);
  chromaBins.fill(0);
  let squares = 0;
  let sum = 0;
  let saturation = 0;
  let dark = 0;
  let bright = 0;
  let edges = 0;
  let from = 0;
  let pixel = 0;
  for (let y = 0; y < FRAME_HEIGHT; y++) {
    const blockRow = ((y / 6) | 0) * BLOCK_COLUMNS;
    let rowSum = 0;
    let left = 0;
    for (let x = 0; x < FRAME_WIDTH; x++, from += 3, pixel++) {
      const red = rgb[from]!;
      const blue = rgb[from + 2]!;
      const value = (77 * red + 150 * rgb[from + 1]! + 29 * blue) >> 8;
      luma[pixel] = value;
      rowSum += value;
      columns[x >> 1]! += value;
      blocks[blockRow + (x >> 3)]! += value;
      squares += value * value;
      // Shared between two bins, so that a slow change of light moves weight and does not jump.
      const bin = value >> 4;
      const rest = value & 15;
      lumaBins[bin]! += 16 - rest;
      lumaBins[bin + 1]! += rest;
      const u = (blue - value) >> 1;
      const v = (red - value) >> 1;
      chromaBins[CHROMA_BIN[(u >> 3) + 16 + (((v >> 3) + 16) << 5)]!]!++;
      const strengthU = u < 0 ? -u : u;
      const strengthV = v < 0 ? -v : v;
      saturation += strengthU > strengthV ? strengthU : strengthV;
      if (value < DARK_BELOW) dark++;
      else if (value >= BRIGHT_FROM) bright++;
      if (x > 0) edges += value > left ? value - left : left - value;
      if (y > 0) {
        const above = luma[pixel - FRAME_WIDTH]!;
        edges += value > above ? value - above : above - value;
      }
      left = value;
    }
    rows[y >> 1]! += rowSum;
    sum += rowSum;
  }
  // 255 has a neighbour of its own in the sharing above; it belongs to the last bin.
  lumaBins[LUMA_BINS - 1]! += lumaBins[LUMA_BINS]!;
  for (let i = 0; i < COLUMNS; i++) into[at + AT_COLUMNS + i] = Math.round(columns[i]! / (2 * FRAME_HEIGHT));
  for (let i = 0; i < ROWS; i++) into[at + AT_ROWS + i] = Math.round(rows[i]! / (2 * FRAME_WIDTH));
  for (let i = 0; i < BLOCKS; i++) into[at + AT_BLOCKS + i] = Math.round(blocks[i]! / 48);
  // Square roots of shares: the product of two histograms is their Bhattacharyya coefficient.
  for (let i = 0; i < LUMA_BINS; i++)
    into[at + AT_LUMA + i] = Math.round(255 * Math.sqrt(lumaBins[i]! / (16 * PIXELS)));
  for (let i = 0; i < CHROMA_BINS; i++)
    into[at + AT_CHROMA + i] = Math.round(255 * Math.sqrt(chromaBins[i]! / PIXELS));
  const mean = sum / PIXELS;
  into[at + AT_CONTRAST] = byteOf(2 * Math.sqrt(Math.max(0, squares / PIXELS - mean * mean)));
  into[at + AT_EDGE] = byteOf((4 * edges) / (2 * PIXELS));
  into[at + AT_SATURATION] = byteOf((2 * saturation) / PIXELS);
  into[at + AT_DARK] = byteOf((255 * dark) / PIXELS);
  into[at + AT_BRIGHT] = byteOf((255 * bright) / PIXELS);
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

/** Base64 of bytes, and back. */
export const pack = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
export const unpack = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, "base64");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};
