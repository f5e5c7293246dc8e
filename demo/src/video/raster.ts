import { GLYPH, glyphOf, textWidth } from "./font.ts";

/** The picture is drawn this small and scaled up without smoothing: 1080p is exactly six times it. */
export const WIDTH = 320;
export const HEIGHT = 180;

/** Index 0 is "nothing": where a layer has it, what is below shows. */
export const NOTHING = 0;
const reds: number[] = [0];
const greens: number[] = [0];
const blues: number[] = [0];
const indexes = new Map<string, number>();

/** Index of a colour such as `#2a1b3d`; the palette of all drawings together has 255. */
export function colour(hex: string): number {
  const known = indexes.get(hex);
  if (known !== undefined) return known;
  const index = reds.length;
  if (index > 255) throw new Error("the palette is full: 255 colours");
  const value = Number.parseInt(hex.slice(1), 16);
  reds.push(value >> 16);
  greens.push((value >> 8) & 255);
  blues.push(value & 255);
  indexes.set(hex, index);
  return index;
}
export const colours = (...hex: string[]): number[] => hex.map(colour);

/** What lies over the whole picture: all colours go towards one, by `by` 0–1. */
export interface Veil {
  readonly towards: readonly [number, number, number];
  readonly by: number;
}

const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];

/** A layer of palette indexes. Everything that is drawn outside of it is cut off. */
export class Raster {
  readonly width: number;
  readonly height: number;
  readonly cells: Uint8Array;
  constructor(width = WIDTH, height = HEIGHT) {
    this.width = width;
    this.height = height;
    this.cells = new Uint8Array(width * height);
  }

  clear(index: number): this {
    this.cells.fill(index);
    return this;
  }

  fill(x: number, y: number, width: number, height: number, index: number): void {
    const left = Math.max(0, Math.round(x));
    const right = Math.min(this.width, Math.round(x + width));
    const top = Math.max(0, Math.round(y));
    const bottom = Math.min(this.height, Math.round(y + height));
    if (right <= left) return;
    for (let row = top; row < bottom; row++)
      this.cells.fill(index, row * this.width + left, row * this.width + right);
  }

  dot(x: number, y: number, index: number): void {
    const [column, row] = [Math.round(x), Math.round(y)];
    if (column >= 0 && row >= 0 && column < this.width && row < this.height)
      this.cells[row * this.width + column] = index;
  }

  frame(x: number, y: number, width: number, height: number, index: number): void {
    this.fill(x, y, width, 1, index);
    this.fill(x, y + height - 1, width, 1, index);
    this.fill(x, y, 1, height, index);
    this.fill(x + width - 1, y, 1, height, index);
  }

  disc(x: number, y: number, radius: number, index: number): void {
    for (let row = -Math.ceil(radius); row <= radius; row++) {
      const half = Math.sqrt(Math.max(0, radius * radius - row * row));
      if (half > 0) this.fill(x - half, y + row, half * 2, 1, index);
    }
  }

  /** From the top to the bottom through `list`, neighbours mixed by an ordered pattern as old games did. */
  gradient(x: number, y: number, width: number, height: number, list: readonly number[]): void {
    for (let row = 0; row < height; row++) {
      const place = (row / Math.max(1, height - 1)) * (list.length - 1);
      const step = Math.min(list.length - 2, Math.floor(place));
      const share = place - step;
      for (let column = 0; column < width; column++) {
        const threshold = ((BAYER[(row & 3) * 4 + (column & 3)] ?? 0) + 0.5) / 16;
        this.dot(x + column, y + row, list[share > threshold ? step + 1 : step] ?? 0);
      }
    }
  }

  /** Every second pixel, as on a chessboard: half a shadow. */
  shade(x: number, y: number, width: number, height: number, index: number): void {
    for (let row = Math.round(y); row < y + height; row++)
      for (let column = Math.round(x); column < x + width; column++)
        if (((row + column) & 1) === 0) this.dot(column, row, index);
  }

  text(x: number, y: number, text: string, index: number, scale = 1): void {
    for (const [i, character] of Array.from(text).entries())
      for (const [row, bits] of glyphOf(character).entries())
        for (let column = 0; column < GLYPH.width; column++)
          if ((bits >> (GLYPH.width - 1 - column)) & 1)
            this.fill(x + (i * GLYPH.advance + column) * scale, y + row * scale, scale, scale, index);
  }

  /** Text with a dark edge, in the middle of `x`. */
  title(x: number, y: number, text: string, index: number, edge: number, scale = 1): void {
    const left = Math.round(x - textWidth(text, scale) / 2);
    for (const [dx, dy] of [
      [-1, 0],
      [1, 0],
      [0, -1],
      [0, 1],
      [1, 1],
      [0, 2],
    ] as const)
      this.text(left + dx * Math.ceil(scale / 2), y + dy * Math.ceil(scale / 2), text, edge, scale);
    this.text(left, y, text, index, scale);
  }

  /** Rows of characters, each a colour of `key`; a space is nothing. */
  sprite(
    x: number,
    y: number,
    rows: readonly string[],
    key: Readonly<Record<string, number>>,
    flip = false,
    scale = 1,
  ): void {
    for (const [row, line] of rows.entries())
      for (let column = 0; column < line.length; column++) {
        const index = key[line[flip ? line.length - 1 - column : column] ?? " "];
        if (index === undefined) continue;
        if (scale === 1) this.dot(x + column, y + row, index);
        else this.fill(x + column * scale, y + row * scale, scale, scale, index);
      }
  }

  /** `layer` over this, its column `offset` at the left edge, again and again. */
  scroll(layer: Raster, offset: number, y = 0): void {
    const from = ((Math.round(offset) % layer.width) + layer.width) % layer.width;
    for (let row = 0; row < layer.height; row++) {
      const to = row + y;
      if (to < 0 || to >= this.height) continue;
      for (let column = 0, source = from; column < this.width; column++) {
        const index = layer.cells[row * layer.width + source] ?? 0;
        if (index !== NOTHING) this.cells[to * this.width + column] = index;
        if (++source === layer.width) source = 0;
      }
    }
  }

  /** The whole picture moved; what comes in at an edge is what was there. */
  shake(dx: number, dy: number): void {
    const old = this.cells.slice();
    for (let row = 0; row < this.height; row++) {
      const from = Math.min(this.height - 1, Math.max(0, row + dy));
      for (let column = 0; column < this.width; column++)
        this.cells[row * this.width + column] =
          old[from * this.width + Math.min(this.width - 1, Math.max(0, column + dx))] ?? 0;
    }
  }
}

const clamp = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
function palette(veil: Veil | null): readonly [number, number, number][] {
  const by = veil?.by ?? 0;
  const [r, g, b] = veil?.towards ?? [0, 0, 0];
  return reds.map((red, i) => [
    red + (r - red) * by,
    (greens[i] ?? 0) + (g - (greens[i] ?? 0)) * by,
    (blues[i] ?? 0) + (b - (blues[i] ?? 0)) * by,
  ]);
}

/** Planes of Y, Cb and Cr, one byte a pixel each (BT.709, video range): what the encoder takes. */
export function planes(raster: Raster, veil: Veil | null, out: Uint8Array): void {
  const size = WIDTH * HEIGHT;
  const table = palette(veil);
  const y = new Uint8Array(256);
  const cb = new Uint8Array(256);
  const cr = new Uint8Array(256);
  for (const [i, [r, g, b]] of table.entries()) {
    y[i] = clamp(16 + (0.2126 * r + 0.7152 * g + 0.0722 * b) * (219 / 255));
    cb[i] = clamp(128 + (-0.1146 * r - 0.3854 * g + 0.5 * b) * (224 / 255));
    cr[i] = clamp(128 + (0.5 * r - 0.4542 * g - 0.0458 * b) * (224 / 255));
  }
  const { cells } = raster;
  for (let i = 0; i < size; i++) {
    const index = cells[i] ?? 0;
    out[i] = y[index] ?? 16;
    out[size + i] = cb[index] ?? 128;
    out[size * 2 + i] = cr[index] ?? 128;
  }
}

/** RGB of three bytes a pixel, for stills and tests. */
export function rgbOf(raster: Raster, veil: Veil | null): Uint8Array {
  const table = palette(veil).map((rgb) => rgb.map(clamp));
  const rgb = new Uint8Array(raster.cells.length * 3);
  for (const [i, index] of raster.cells.entries()) rgb.set(table[index] ?? [0, 0, 0], i * 3);
  return rgb;
}
