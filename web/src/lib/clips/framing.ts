import type { Box } from "@hypecast/contracts/clip.ts";
import type { ClipLayout } from "@hypecast/contracts/clip-words.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}
interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}
/** A part of the source and where it stands in the clip, in pixels; `ground`: blurred and darkened. */
export interface Part {
  readonly from: Rect;
  readonly to: Rect;
  readonly ground?: true;
}

/** Of an upright picture's height at most, for the camera. As the renderer has it. */
const CAMERA_SHARE = 0.4;

/** Width of the 9:16 window as a share of the picture's. */
export const windowShare = ({ width, height }: Size): number => Math.min(1, (height * 9) / 16 / width);
/** Left edge of the window, as a share of the picture's width, and back. */
export const windowLeft = (cropX: number, source: Size): number => cropX * (1 - windowShare(source));
export function cropXFrom(left: number, source: Size): number {
  const room = 1 - windowShare(source);
  return room <= 0 ? 0.5 : Math.min(1, Math.max(0, left / room));
}

/** The camera's box between two points of a drag, inside of the picture and never too small to be one. */
export function boxBetween(a: { x: number; y: number }, b: { x: number; y: number }): Box {
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  const x = Math.min(clamp(a.x), clamp(b.x), 0.95);
  const y = Math.min(clamp(a.y), clamp(b.y), 0.95);
  return {
    x,
    y,
    width: Math.min(1 - x, Math.max(0.05, Math.abs(clamp(a.x) - clamp(b.x)))),
    height: Math.min(1 - y, Math.max(0.05, Math.abs(clamp(a.y) - clamp(b.y)))),
  };
}

export function clipSize(layout: ClipLayout, source: Size): Size {
  return layout === "16:9" ? source : { width: source.height * (9 / 16), height: source.height };
}

/** What the renderer will put where, back to front. */
export function framing(layout: ClipLayout, source: Size, cropX: number, facecam: Box | null): Part[] {
  const size = clipSize(layout, source);
  const whole: Rect = { x: 0, y: 0, ...size };
  const band = (width: number, at: number): Rect => ({
    x: (source.width - width) * at,
    y: 0,
    width,
    height: source.height,
  });
  if (layout === "16:9") return [{ from: { x: 0, y: 0, ...source }, to: whole }];
  if (layout === "9:16") return [{ from: band(size.width, cropX), to: whole }];
  const ground: Part = { from: band(size.width, 0.5), to: whole, ground: true };
  if (facecam === null) {
    const height = (size.width * source.height) / source.width;
    return [
      ground,
      {
        from: { x: 0, y: 0, ...source },
        to: { x: 0, y: (size.height - height) / 2, width: size.width, height },
      },
    ];
  }
  const camera: Rect = {
    x: facecam.x * source.width,
    y: facecam.y * source.height,
    width: facecam.width * source.width,
    height: facecam.height * source.height,
  };
  const fit = Math.min(size.width / camera.width, (size.height * CAMERA_SHARE) / camera.height);
  const top = { width: camera.width * fit, height: camera.height * fit };
  const below = size.height - top.height;
  return [
    ground,
    {
      from: band(Math.min(source.width, (source.height * size.width) / below), cropX),
      to: { x: 0, y: top.height, width: size.width, height: below },
    },
    { from: camera, to: { x: (size.width - top.width) / 2, y: 0, ...top } },
  ];
}
