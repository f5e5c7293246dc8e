import { createRandom, hash32 } from "../random.ts";
import { stampStrip } from "./counter.ts";
import { colour, colours, HEIGHT, Raster, WIDTH, type Veil } from "./raster.ts";
import { FPS } from "./shots.ts";
import { ink } from "./sprites.ts";

/** The drawing takes five minutes and begins again. */
export const MAP_MS = 300_000;
/** When the ink tips over: the one thing that happens. */
export const SPILL_MS = 201_000;

const RATE = 48_000;
const PAPER = colours("#d8c090", "#e6d2a4", "#efe0ba");
const LINE = colour("#4a3424");
const DESK = colour("#3c2a20");
const INK_BLOT = colour("#1c2340");
const LEAF = colour("#5a7a48");

interface Stroke {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly tint: number;
}
/** The map as strokes in the order in which they are drawn. */
function strokes(): Stroke[] {
  const random = createRandom(404);
  const list: Stroke[] = [];
  const line = (x0: number, y0: number, x1: number, y1: number, tint = LINE): void => {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let i = 0; i <= steps; i += 2)
      list.push({
        x: x0 + ((x1 - x0) * i) / steps,
        y: y0 + ((y1 - y0) * i) / steps + (random.next() - 0.5),
        width: 2,
        height: 2,
        tint,
      });
  };
  for (let room = 0; room < 13; room++) {
    const [x, y] = [
      44 + (room % 5) * 40 + random.int(-4, 4),
      34 + Math.floor(room / 5) * 40 + random.int(-4, 4),
    ];
    const [w, h] = [random.int(20, 30), random.int(16, 26)];
    line(x, y, x + w, y);
    line(x + w, y, x + w, y + h);
    line(x + w, y + h, x, y + h);
    line(x, y + h, x, y);
    line(x + w, y + h / 2, x + w + 12, y + h / 2 + random.int(-6, 6));
    if (random.chance(0.5)) line(x + 4, y + 4, x + w - 6, y + h - 5, random.chance(0.5) ? ink.darkRed : LEAF);
  }
  line(36, 156, 262, 156, ink.darkRed);
  return list;
}
const STROKES = strokes();

/** Frame `frame` of the drawing; a pure function of it. */
export function drawMap(raster: Raster, frame: number): Veil | null {
  const within = frame % ((MAP_MS / 1000) * FPS);
  const ms = (within * 1000) / FPS;
  raster.clear(DESK);
  for (let y = 0; y < HEIGHT; y += 14) raster.fill(0, y, WIDTH, 1, ink.darkBrown);
  raster.fill(24, 14, 256, 152, PAPER[0] ?? 0);
  raster.fill(26, 16, 252, 148, PAPER[1] ?? 0);
  raster.fill(40, 24, 220, 126, PAPER[2] ?? 0);
  raster.title(150, 20, "КАРТА ЗАМКА", LINE, PAPER[1] ?? 0);
  // She draws for a while, and looks for a while.
  const busy =
    (Math.floor(ms / 10_000) * 7 + (Math.min(7_000, ms % 10_000) / 7_000) * 7) / (MAP_MS / 1_000) / 0.7;
  const done = Math.floor(Math.min(1, busy) * STROKES.length);
  for (let i = 0; i < done; i++) {
    const { x, y, width, height, tint } = STROKES[i] as Stroke;
    raster.fill(x, y, width, height, tint);
  }
  const tip = STROKES[Math.max(0, done - 1)] as Stroke;
  const spilled = ms - SPILL_MS;
  if (spilled >= 0) {
    const grown = Math.min(1, spilled / 900);
    for (const [dx, dy, r] of [
      [0, 0, 26],
      [22, 10, 16],
      [-20, 12, 13],
      [8, 24, 15],
      [34, -6, 8],
      [-32, -8, 6],
    ] as const)
      raster.disc(206 + dx * grown, 96 + dy * grown, r * grown, INK_BLOT);
    if (spilled < 4_000) raster.title(150, 78, "ОЙ", ink.red, ink.white, 4);
  }
  // The bottle, upright or on its side; the pencil at the newest stroke.
  if (spilled >= 0) raster.fill(222, 84, 24, 14, INK_BLOT);
  else raster.fill(286, 40, 16, 24, INK_BLOT);
  if (ms % 10_000 < 7_000)
    for (let i = 0; i < 26; i++)
      raster.fill(tip.x + i, tip.y - i * 1.3, 3, 3, i < 4 ? LINE : i < 7 ? ink.skin : ink.gold);
  stampStrip(raster, within);
  return null;
}

/** A slow harp, a pencil's scratch, and once a bottle that falls and a cry. */
export function mapSound(from: number, count: number): Float32Array {
  const out = new Float32Array(count * 2);
  const length = (MAP_MS / 1000) * RATE;
  for (let i = 0; i < count; i++) {
    const sample = (from + i) % length;
    const t = sample / RATE;
    const beat = Math.floor(t / 0.8);
    const since = t - beat * 0.8;
    const pitch = 220 * 2 ** ([0, 4, 7, 11, 7, 4, 2, 5][beat % 8]! / 12);
    let value =
      0.05 * Math.sin(2 * Math.PI * pitch * since) * Math.exp(-since * 4) * Math.min(1, since * 200);
    const white = hash32(sample & 0xffff) / 2 ** 31 - 1;
    if (t % 10 < 7 && Math.floor(t * 5) % 3 !== 0) value += white * 0.012;
    value += white * 0.001;
    const spilled = t - SPILL_MS / 1000;
    if (spilled >= 0 && spilled < 0.5)
      value += white * 0.6 * Math.exp(-spilled * 12) * Math.min(1, spilled * 2_000);
    if (spilled > 0.4 && spilled < 1.5) {
      const cry = spilled - 0.4;
      const hz = 420 + 80 * Math.sin(cry * 3);
      for (let n = 1; n <= 6; n++)
        value +=
          (n === 2 || n === 3 ? 0.22 : 0.07) *
          Math.sin(2 * Math.PI * hz * n * cry) *
          Math.min(1, cry * 20, (1.1 - cry) * 4);
    }
    // Nothing is louder at a loop's border.
    const edge = Math.min(1, t / 0.02, (MAP_MS / 1000 - t) / 0.02);
    out[i * 2] = Math.tanh(value * edge);
    out[i * 2 + 1] = Math.tanh(value * edge);
  }
  return out;
}
