import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import type { ChatOverlay, ClipLayout } from "@hypecast/contracts/clip.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import type { OverlayBox } from "@hypecast/contracts/overlay-layout.ts";
import { OVERLAY_FONTS } from "@hypecast/contracts/overlay-paint.ts";
import { plainText } from "@hypecast/contracts/plain-text.ts";
import type { PictureSize } from "../h264-size.ts";
import type { CurveColumn } from "./curve.ts";

/** As large as text needs, and quickly made. */
export const ALONE: PictureSize = { width: 1280, height: 720 };
export const aloneSize = (layout: ClipLayout): PictureSize =>
  layout === "16:9" ? ALONE : { width: ALONE.height, height: ALONE.width };
export const CURVE_COLUMNS = 120;
/** Said on the picture, so that nobody waits for another one. */
const LABEL = "chat only · только чат";

/** As the screens have them (web/src/tokens.css). */
const MOOD_COLOURS: Record<Mood, string> = {
  laugh: "#e69f00",
  hype: "#f0e442",
  shock: "#56b4e9",
  sad: "#4a8fd0",
  love: "#dd8fbd",
  anger: "#e8702a",
  cringe: "#2bb78d",
};
const NO_MOOD = "#8a8791";

/** Where everything stands in a picture of chat alone, in pixels. */
export interface AloneLook {
  readonly size: PictureSize;
  readonly chat: OverlayBox;
  readonly curve: { readonly y: number; readonly height: number };
}

export function aloneLook(
  layout: ClipLayout,
  size: PictureSize,
  chat: Pick<ChatOverlay, "fontPx">,
): AloneLook {
  const { width, height } = size;
  const upright = layout !== "16:9";
  // Chat is all there is: it is written larger than beside a picture.
  const fontPx = Math.max(10, Math.round((chat.fontPx * 1.3 * Math.min(height, width * 1.2)) / 1080));
  const margin = Math.round(width * (upright ? 0.05 : 0.04));
  const top = Math.round(height * (upright ? 0.16 : 0.19));
  // Phones lay their own things over an upright picture's lower edge.
  const foot = Math.round(height * (upright ? 0.14 : 0.03));
  const curveHeight = Math.round((height * (upright ? 0.1 : 0.15)) / 2) * 2;
  const curveY = height - foot - curveHeight;
  return {
    size,
    chat: {
      x: margin,
      y: top,
      width: Math.floor((width - 2 * margin) / 2) * 2,
      height: Math.floor((curveY - top - Math.round(height * 0.03)) / 2) * 2,
      fontPx,
    },
    curve: { y: curveY, height: curveHeight },
  };
}

/** What stands still: the ground, who and what it is, that it is chat alone, and the curve. RGBA. */
export function paintGround(
  { size, chat, curve }: AloneLook,
  columns: readonly CurveColumn[],
  said: { readonly title: string; readonly stream: string },
): Buffer {
  const { width, height } = size;
  const canvas = createCanvas(width, height);
  const pen = canvas.getContext("2d");
  const ground = pen.createLinearGradient(0, 0, width * 0.4, height);
  ground.addColorStop(0, "#241b36");
  ground.addColorStop(0.55, "#15131d");
  ground.addColorStop(1, "#0d0c12");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, width, height);
  paintHead(pen, chat, said);
  paintCurve(pen, width, curve, columns);
  return Buffer.from(pen.getImageData(0, 0, width, height).data.buffer);
}

function paintHead(
  pen: SKRSContext2D,
  chat: OverlayBox,
  { title, stream }: { title: string; stream: string },
): void {
  const px = Math.round(chat.fontPx * 1.25);
  const small = Math.round(chat.fontPx * 0.8);
  const upright = pen.canvas.height > pen.canvas.width;
  const right = chat.x + chat.width;
  const first = Math.round(chat.y - chat.fontPx * 2.6);
  pen.textBaseline = "alphabetic";
  pen.font = `bold ${small}px ${OVERLAY_FONTS.sans}`;
  const wide = Math.ceil(pen.measureText(LABEL).width) + small * 1.4;
  const tall = Math.round(small * 1.9);
  // Beside the title where there is room, above it on upright pictures.
  const labelX = upright ? chat.x : right - wide;
  const labelY = upright ? first - px - tall - Math.round(small * 0.6) : first - px;
  pen.fillStyle = "#f4c95d";
  pen.beginPath();
  pen.roundRect(labelX, labelY, wide, tall, tall / 2);
  pen.fill();
  pen.fillStyle = "#1a1420";
  pen.fillText(LABEL, labelX + small * 0.7, labelY + Math.round(tall * 0.68));
  pen.fillStyle = "#ffffff";
  pen.font = `bold ${px}px ${OVERLAY_FONTS.sans}`;
  const room = upright ? chat.width : chat.width - wide - px;
  pen.fillText(fitted(pen, plainText(title, 140) || stream, room), chat.x, first);
  if (title === "") return;
  pen.fillStyle = "#b9b4c4";
  pen.font = `${small}px ${OVERLAY_FONTS.sans}`;
  pen.fillText(fitted(pen, stream, chat.width), chat.x, first + Math.round(small * 1.5));
}

export function fitted(pen: SKRSContext2D, text: string, room: number): string {
  if (pen.measureText(text).width <= room) return text;
  const points = Array.from(text);
  while (points.length > 1 && pen.measureText(`${points.join("")}…`).width > room) points.pop();
  return `${points.join("")}…`;
}

function paintCurve(
  pen: SKRSContext2D,
  width: number,
  { y, height }: AloneLook["curve"],
  columns: readonly CurveColumn[],
): void {
  pen.fillStyle = "rgba(255,255,255,0.05)";
  pen.fillRect(0, y, width, height);
  const step = width / columns.length;
  for (const [i, column] of columns.entries()) {
    const tall = Math.max(2, Math.round(column.height * (height - 6)));
    pen.fillStyle = column.mood === null ? NO_MOOD : MOOD_COLOURS[column.mood];
    pen.fillRect(Math.round(i * step) + 1, y + height - tall, Math.max(1, Math.round(step) - 2), tall);
  }
}
