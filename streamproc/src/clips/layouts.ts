import type { Box, ClipLayout } from "@hypecast/contracts/clip.ts";
import type { PictureSize } from "./h264-size.ts";

/** A clip is never larger than this; smaller sources stay as they are: enlarging adds pixels to encode and nothing to see. */
const LARGEST = { width: 1920, height: 1080 };
/** Of an upright picture's height at most, for the camera. */
const CAMERA_SHARE = 0.4;

const even = (pixels: number): number => Math.max(2, Math.round(pixels / 2) * 2);

/** The source's picture as it is, or made smaller to fit. */
export function landscape(source: PictureSize): PictureSize {
  const shrink = Math.min(1, LARGEST.width / source.width, LARGEST.height / source.height);
  return { width: even(source.width * shrink), height: even(source.height * shrink) };
}

/** 9:16 of the same height: 608 × 1080 from 1920 × 1080. */
export function upright({ width, height }: PictureSize): PictureSize {
  return { width: Math.min(even((height * 9) / 16), width), height };
}

export interface LayoutChoice {
  readonly layout: ClipLayout;
  /** 0 left – 1 right. */
  readonly cropX: number;
  readonly facecam: Box | null;
}

/**
 * A filter chain from the picture `[from]` of size `base` to `[to]`, and the size that comes out. `n` keeps labels of several layouts in one graph
 * apart.
 */
export function layoutFilters(
  { layout, cropX, facecam }: LayoutChoice,
  base: PictureSize,
  from: string,
  to: string,
  n: number,
): { filters: string[]; size: PictureSize } {
  if (layout === "16:9") return { filters: [`[${from}]null[${to}]`], size: base };
  const size = upright(base);
  if (layout === "9:16")
    return { filters: [`[${from}]${window(base, size.width, size.height, cropX)}[${to}]`], size };
  return { filters: stacked(base, size, cropX, facecam, from, to, n), size };
}

/** A part of the full height, as wide as asked, at its place between left and right. */
function window(base: PictureSize, width: number, height: number, cropX: number): string {
  const x = Math.round(((base.width - width) * cropX) / 2) * 2;
  return `crop=${width}:${height}:${x}:${base.height - height}`;
}

/** The camera on top, the game below it; what neither covers is the picture itself, blurred. */
function stacked(
  base: PictureSize,
  size: PictureSize,
  cropX: number,
  facecam: Box | null,
  from: string,
  to: string,
  n: number,
): string[] {
  const camera = facecam === null ? null : inside(facecam, base);
  const fit =
    camera === null ? 0 : Math.min(size.width / camera.width, (size.height * CAMERA_SHARE) / camera.height);
  const top = camera === null ? null : { width: even(camera.width * fit), height: even(camera.height * fit) };
  const topHeight = top?.height ?? 0;
  const below = size.height - topHeight;
  // Without a camera the whole game stands in the middle, otherwise as much of it as fills the rest.
  const game =
    top === null
      ? { filter: "null", width: size.width, height: even((size.width * base.height) / base.width) }
      : {
          filter: window(
            base,
            Math.min(base.width, even((base.height * size.width) / below)),
            base.height,
            cropX,
          ),
          width: size.width,
          height: below,
        };
  const gameY = top === null ? even((size.height - game.height) / 2) : topHeight;
  const part = (name: string): string => `${name}${n}`;
  const filters = [
    `[${from}]split=${camera === null ? 2 : 3}[${part("fill")}][${part("game")}]${camera === null ? "" : `[${part("cam")}]`}`,
    // Blurred when it is small, which has a 64th of the pixels.
    `[${part("fill")}]${window(base, size.width, size.height, 0.5)},scale=${even(size.width / 8)}:${even(size.height / 8)}:flags=bilinear,boxblur=6:2,eq=brightness=-0.12,scale=${size.width}:${size.height}:flags=bilinear[${part("ground")}]`,
    `[${part("game")}]${game.filter},scale=${game.width}:${game.height}[${part("lower")}]`,
    `[${part("ground")}][${part("lower")}]overlay=0:${gameY}:format=yuv420[${top === null ? to : part("both")}]`,
  ];
  if (camera !== null && top !== null)
    filters.push(
      `[${part("cam")}]crop=${camera.width}:${camera.height}:${camera.x}:${camera.y},scale=${top.width}:${top.height}[${part("upper")}]`,
      `[${part("both")}][${part("upper")}]overlay=${even((size.width - top.width) / 2)}:0:format=yuv420[${to}]`,
    );
  return filters;
}

/** A box of shares in whole, even pixels that lie inside of the picture. */
function inside(box: Box, base: PictureSize): { x: number; y: number; width: number; height: number } {
  const x = Math.min(base.width - 16, Math.floor((box.x * base.width) / 2) * 2);
  const y = Math.min(base.height - 16, Math.floor((box.y * base.height) / 2) * 2);
  return {
    x,
    y,
    width: Math.min(even(box.width * base.width), Math.floor((base.width - x) / 2) * 2),
    height: Math.min(even(box.height * base.height), Math.floor((base.height - y) / 2) * 2),
  };
}
