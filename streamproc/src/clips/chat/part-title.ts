import { createCanvas } from "@napi-rs/canvas";
import { OVERLAY_FONTS } from "@hypecast/contracts/overlay-paint.ts";
import { plainText } from "@hypecast/contracts/plain-text.ts";
import type { PictureSize } from "../h264-size.ts";
import { fitted } from "./alone.ts";

/** It stands there for so long, and comes and goes in so much of it. */
const SHOWN_S = 3.2;
const FADE_S = 0.4;

interface PartTitle {
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly image: Buffer;
}

/** What is written over the beginning of a film's part, at the upper left: chat is seldom there. */
export function partTitle(heading: string, { width, height }: PictureSize): PartTitle {
  const px = Math.round(Math.min(width, height) * 0.045);
  const pad = Math.round(px * 0.5);
  const most = Math.floor(width * 0.9) - 2 * pad;
  const pen = createCanvas(8, 8).getContext("2d");
  pen.font = `bold ${px}px ${OVERLAY_FONTS.sans}`;
  const text = fitted(pen, plainText(heading, 150), most);
  const wide = Math.ceil((pen.measureText(text).width + 2 * pad) / 2) * 2;
  const tall = Math.ceil((px * 1.7) / 2) * 2;
  const drawn = createCanvas(wide, tall).getContext("2d");
  drawn.fillStyle = "rgba(13,12,18,0.78)";
  drawn.beginPath();
  drawn.roundRect(0, 0, wide, tall, px * 0.3);
  drawn.fill();
  drawn.font = pen.font;
  drawn.textBaseline = "alphabetic";
  drawn.fillStyle = "#ffffff";
  drawn.fillText(text, pad, Math.round(tall * 0.68));
  const image = Buffer.from(drawn.getImageData(0, 0, wide, tall).data.buffer);
  const x = Math.round(width * 0.035);
  const y = Math.round(height * 0.05);
  return { box: { x, y, width: wide, height: tall }, image };
}

/** Its pictures, `fps` a second; then no more come. */
export function* titleFrames({ image }: PartTitle, fps: number): Generator<Uint8Array> {
  const frames = Math.round(SHOWN_S * fps);
  for (let i = 0; i <= frames; i++) {
    const tS = i / fps;
    const share = Math.max(0, Math.min(1, tS / FADE_S, (SHOWN_S - tS) / FADE_S));
    const faint = Buffer.from(image);
    if (share < 1)
      for (let alpha = 3; alpha < faint.length; alpha += 4) faint[alpha] = Math.round(faint[alpha]! * share);
    yield faint;
  }
}
