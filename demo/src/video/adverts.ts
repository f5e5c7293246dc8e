import { colour, colours, HEIGHT, WIDTH, type Raster } from "./raster.ts";
import { adSpots } from "./shots.ts";

const WHITE = colour("#ffffff");
const DARK = colour("#1a2b2a");
const TEA = colours("#f7efe0", "#e8d9b8", "#c9dca8", "#9cc48c");
const SKY = colours("#4fb6e8", "#8ad4f2", "#d4f0fa");
const DUSK = colours("#f28a5c", "#f7b58a", "#fbe0c0");
const BED = colours("#f4d9ec", "#d8c8f4", "#b8d4f8");
const LEAF = colour("#3f8f5a");
const CUP = colour("#d8543c");
const ROAD = colour("#5b6670");
const SUN = colour("#ffd23a");
const SOFT = colour("#fff6fb");
const VIOLET = colour("#6a4fa8");

/** Bright and round where the game is dark and square; no head-up display, no camera. `variant`: spot × 100 + picture. */
export function drawAdvert(raster: Raster, variant: number, ms: number, sinceMs: number): void {
  const spot = Math.floor(variant / 100);
  const picture = variant % 100;
  const brand = adSpots[spot]?.brand ?? "";
  [tea, scooter, mattress][spot]?.(raster, picture % 4, sinceMs);
  // The last picture of a spot, and each third, names it.
  if (picture % 3 === 2 || (adSpots[spot]?.toMs ?? 0) - ms < 4_000) {
    raster.fill(0, 74, WIDTH, 34, WHITE);
    raster.title(160, 82, brand, DARK, WHITE, 2);
  }
  raster.text(8, 8, "РЕКЛАМА", DARK, 1);
  raster.fill(8, 18, 41 * Math.min(1, Math.max(0, (ms - (adSpots[spot]?.fromMs ?? 0)) / 30_000)), 2, DARK);
}

function tea(raster: Raster, picture: number, ms: number): void {
  raster.gradient(0, 0, WIDTH, HEIGHT, picture % 2 === 0 ? TEA : TEA.toReversed());
  const wave = ms / 400;
  if (picture === 0 || picture === 3) {
    const x = 160 + Math.sin(wave / 2) * 20;
    raster.disc(x, 118, 46, CUP);
    raster.fill(x - 60, 60, 120, 48, TEA[0] ?? 0);
    raster.fill(x - 46, 104, 92, 8, LEAF);
    for (let i = 0; i < 40; i++)
      raster.disc(x - 14 + Math.sin(i / 6 + wave) * 9, 100 - i * 2, 3 - i / 16, WHITE);
    raster.fill(0, 162, WIDTH, 18, TEA[1] ?? 0);
  } else
    for (let i = 0; i < 9; i++) {
      const x = ((i * 47 + ms / 18) % 400) - 40;
      const y = 40 + ((i * 61) % 110);
      raster.disc(x, y, 16 + (i % 3) * 5, LEAF);
      raster.disc(x + 9, y - 8, 14 + (i % 3) * 5, TEA[picture] ?? 0);
    }
}

function scooter(raster: Raster, picture: number, ms: number): void {
  raster.gradient(0, 0, WIDTH, HEIGHT, picture % 2 === 0 ? SKY : DUSK);
  raster.disc(picture === 1 ? 80 : 250, 50, picture === 2 ? 50 : 26, SUN);
  raster.fill(0, 140, WIDTH, 40, ROAD);
  for (let i = 0; i < 8; i++) raster.fill(((((i * 50 - ms / 5) % 400) + 400) % 400) - 40, 158, 26, 3, WHITE);
  const big = picture === 1 ? 2 : 1;
  const x = 60 + ((ms / 14) % 200);
  for (const wheel of [0, 70 * big]) {
    raster.disc(x + wheel, 140, 15 * big, DARK);
    raster.disc(x + wheel, 140, 8 * big, WHITE);
  }
  raster.fill(x, 130 - 4 * big, 74 * big, 7 * big, CUP);
  raster.fill(x + 64 * big, 132 - 60 * big, 6 * big, 60 * big, CUP);
  raster.fill(x + 54 * big, 130 - 60 * big, 24 * big, 5 * big, DARK);
}

function mattress(raster: Raster, picture: number, ms: number): void {
  raster.gradient(0, 0, WIDTH, HEIGHT, picture % 2 === 0 ? BED : BED.toReversed());
  const bob = Math.sin(ms / 500) * 8;
  for (let i = 0; i < 7; i++) {
    const x = ((i * 67 + ms / 30) % 420) - 50;
    const y = picture === 1 ? 40 + i * 18 : 126 + (i % 2) * 16;
    raster.disc(x, y, 24, SOFT);
    raster.disc(x + 22, y + 6, 17, SOFT);
    raster.disc(x - 20, y + 7, 15, SOFT);
  }
  if (picture !== 1) {
    raster.fill(80, 92 + bob, 160, 26, WHITE);
    raster.fill(80, 112 + bob, 160, 8, VIOLET);
    raster.disc(108, 90 + bob, 14, VIOLET);
    raster.text(216, 66 + bob - ((ms / 40) % 30), "Z", VIOLET, 2);
    raster.text(236, 44 + bob - ((ms / 40) % 30), "Z", VIOLET, 3);
  }
}
