import type { PictureSignals } from "@hypecast/contracts/measured.ts";
import { pack, SIGNATURE_BYTES, signatureOf } from "./signature.ts";

/** A frame of 64 × 36, RGB, tightly packed. */
export interface SmallFrame {
  /** After the segment's start. */
  atMs: number;
  rgb: Uint8Array;
}
/** A frame as decoded, RGB, tightly packed. */
export interface DetailFrame extends SmallFrame {
  width: number;
  height: number;
}

/** What is measured in the pictures of one segment. `size` is that of the decoded rendition. */
export function measurePicture(
  frames: readonly SmallFrame[],
  detail: readonly DetailFrame[],
  size: { width: number; height: number },
): PictureSignals {
  const signatures = new Uint8Array(frames.length * SIGNATURE_BYTES);
  for (let i = 0; i < frames.length; i++) signatureOf(frames[i]!.rgb, signatures, i * SIGNATURE_BYTES);
  const figures = detail.map(detailOf);
  return {
    atMs: frames.map((frame) => Math.round(frame.atMs)),
    signatures: pack(signatures),
    width: size.width,
    height: size.height,
    detail: {
      atMs: detail.map((frame) => Math.round(frame.atMs)),
      sharpness: figures.map((figure) => figure.sharpness),
      exposure: figures.map((figure) => figure.exposure),
      colourfulness: figures.map((figure) => figure.colourfulness),
      noise: figures.map((figure) => figure.noise),
      text: figures.map((figure) => figure.text),
    },
  };
}

/** Figures of one frame, 0–1 each. */
export interface Detail {
  sharpness: number;
  exposure: number;
  colourfulness: number;
  noise: number;
  text: number;
}

/** Cells in which text is looked for. */
const CELL_WIDTH = 16;
const CELL_HEIGHT = 8;
/** A step of luma between neighbours that is an edge of a letter, and how many of them a cell of letters has at least. */
const LETTER_EDGE = 36;
const LETTER_EDGES_SHARE = 0.16;

let luma = new Int32Array(0);

/**
 * Sharpness: variance of the Laplacian (Pech-Pacheco et al. 2000), on a scale on which 1000 is half. Exposure: 1 at mean luma 110,
 * falling to 0 at black and white, less what is clipped. Colourfulness: Hasler & Süsstrunk 2003, 109 ("extremely colourful")
 * is 1. Noise: Immerkær 1996, σ of 16 is 1. Text: share of cells with many steep edges, both up and down, along the lines.
 */
export function detailOf(frame: DetailFrame): Detail {
  const { width, height, rgb } = frame;
  const pixels = width * height;
  if (rgb.length < pixels * 3)
    throw new RangeError(`${width} × ${height} needs ${pixels * 3} bytes, not ${rgb.length}`);
  if (width < 3 || height < 3) return { sharpness: 0, exposure: 0, colourfulness: 0, noise: 0, text: 0 };
  if (luma.length < pixels) luma = new Int32Array(pixels);

  let sum = 0;
  let clipped = 0;
  let rg = 0;
  let rgSquares = 0;
  let yb = 0;
  let ybSquares = 0;
  for (let i = 0, from = 0; i < pixels; i++, from += 3) {
    const red = rgb[from]!;
    const green = rgb[from + 1]!;
    const blue = rgb[from + 2]!;
    const value = (77 * red + 150 * green + 29 * blue) >> 8;
    luma[i] = value;
    sum += value;
    if (value < 6 || value > 249) clipped++;
    const redGreen = red - green;
    const yellowBlue = (red + green - 2 * blue) / 2;
    rg += redGreen;
    rgSquares += redGreen * redGreen;
    yb += yellowBlue;
    ybSquares += yellowBlue * yellowBlue;
  }
  const mean = sum / pixels;
  const centred = mean < 110 ? mean / 110 : (255 - mean) / 145;
  const rgMean = rg / pixels;
  const ybMean = yb / pixels;
  const spread = Math.sqrt(
    Math.max(0, rgSquares / pixels - rgMean * rgMean + ybSquares / pixels - ybMean * ybMean),
  );
  const colourfulness = spread + 0.3 * Math.hypot(rgMean, ybMean);

  let laplace = 0;
  let laplaceSquares = 0;
  let noise = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * width + 1, end = (y + 1) * width - 1; at < end; at++) {
      const centre = luma[at]!;
      const cross = luma[at - width]! + luma[at + width]! + luma[at - 1]! + luma[at + 1]!;
      const corners =
        luma[at - width - 1]! + luma[at - width + 1]! + luma[at + width - 1]! + luma[at + width + 1]!;
      const second = cross - 4 * centre;
      laplace += second;
      laplaceSquares += second * second;
      const grain = corners - 2 * cross + 4 * centre;
      noise += grain < 0 ? -grain : grain;
    }
  }
  const inner = (width - 2) * (height - 2);
  const laplaceMean = laplace / inner;
  const variance = laplaceSquares / inner - laplaceMean * laplaceMean;
  const sigma = (noise / inner / 6) * Math.sqrt(Math.PI / 2);
  return {
    sharpness: round(variance / (variance + 1000)),
    exposure: round(Math.max(0, centred * (1 - clipped / pixels))),
    colourfulness: round(Math.min(1, colourfulness / 109)),
    noise: round(Math.min(1, sigma / 16)),
    text: round(textShare(width, height)),
  };
}

function textShare(width: number, height: number): number {
  let cells = 0;
  let lettered = 0;
  for (let top = 0; top + CELL_HEIGHT <= height; top += CELL_HEIGHT) {
    for (let left = 0; left + CELL_WIDTH <= width; left += CELL_WIDTH) {
      cells++;
      let up = 0;
      let down = 0;
      for (let y = top; y < top + CELL_HEIGHT; y++) {
        const row = y * width;
        for (let x = Math.max(1, left); x < left + CELL_WIDTH; x++) {
          const step = luma[row + x]! - luma[row + x - 1]!;
          if (step > LETTER_EDGE) up++;
          else if (step < -LETTER_EDGE) down++;
        }
      }
      const needed = (LETTER_EDGES_SHARE / 2) * CELL_WIDTH * CELL_HEIGHT;
      if (up >= needed && down >= needed) lettered++;
    }
  }
  return cells === 0 ? 0 : lettered / cells;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
