import { createCanvas, type Canvas } from "@napi-rs/canvas";
import {
  visibleAt,
  type Measure,
  type OverlayBox,
  type OverlayLine,
  type VisibleLine,
} from "@hypecast/contracts/overlay-layout.ts";
import { overlayFont, paintOverlay, type OverlayLook, type Pen } from "@hypecast/contracts/overlay-paint.ts";
import type { EmotePictures } from "./pictures.ts";

/** Widths as the painter will draw them. Measured once a text: a chat repeats itself. */
export function measureWith(look: Pick<OverlayLook, "font">, fontPx: number): Measure {
  const pen = createCanvas(8, 8).getContext("2d");
  const known = new Map<string, number>();
  return (text, weight) => {
    const key = `${weight} ${text}`;
    let width = known.get(key);
    if (width === undefined) {
      pen.font = overlayFont(look, fontPx, weight);
      width = pen.measureText(text).width;
      known.set(key, width);
    }
    return width;
  };
}

export interface Chat {
  readonly lines: readonly OverlayLine[];
  readonly box: OverlayBox;
  readonly look: OverlayLook;
  readonly pictures: EmotePictures;
}

/**
 * Chat as pictures of RGBA with straight alpha (what ffmpeg's vector code blends), `fps` a second from the clip's start. Nothing is drawn while
 * nothing changes: then the same bytes come again.
 */
export function* chatFrames(chat: Chat, fps: number, frames: number): Generator<Uint8Array> {
  const { lines, box, pictures } = chat;
  const imageOf = lineImages(chat);
  let bytes: Uint8Array = new Uint8Array(box.width * box.height * 4);
  let drawn = "";
  for (let i = 0; i < frames; i++) {
    const tMs = (i * 1000) / fps;
    const visible = visibleAt(lines, box, tMs);
    const state = stateOf(visible, pictures, tMs);
    if (state !== drawn) {
      drawn = state;
      // A picture of its own: the pipe may still be reading the last one.
      bytes = new Uint8Array(box.width * box.height * 4);
      const images = imageOf(
        visible.map(({ line }) => line),
        tMs,
      );
      for (const [n, one] of visible.entries()) lay(images[n] ?? NOTHING, one, bytes, box);
    }
    yield bytes;
  }
}

const NOTHING = Buffer.alloc(0);
/** Emotes of one line that move at different rates stand in many ways together. */
const MOST_IMAGES = 24;

/**
 * Pictures of lines, RGBA with straight alpha. A line is painted once for each way its emotes stand, and then only moved: letters are what painting
 * costs. What is not asked for any more is forgotten.
 */
function lineImages({
  lines,
  box,
  look,
  pictures,
}: Chat): (visible: readonly OverlayLine[], tMs: number) => Buffer[] {
  const tallest = Math.max(1, ...lines.map(({ height }) => height));
  const context = createCanvas(box.width, tallest).getContext("2d");
  const pen = context as unknown as Pen<Canvas>;
  let known = new Map<OverlayLine, Map<string, Buffer>>();
  const paint = (line: OverlayLine, tMs: number): Buffer => {
    const { width, height } = line;
    paintOverlay(
      pen,
      [{ line, y: 0, opacity: 1 }],
      { ...box, width, height },
      look,
      (ref) => pictures.frameOf(ref, tMs)?.canvas ?? null,
    );
    return Buffer.from(context.getImageData(0, 0, width, height).data.buffer);
  };
  return (visible, tMs) => {
    const still = new Map<OverlayLine, Map<string, Buffer>>();
    const images = visible.map((line) => {
      const ways = known.get(line) ?? new Map<string, Buffer>();
      still.set(line, ways);
      const way = emotesOf(line, pictures, tMs);
      let image = ways.get(way);
      if (image === undefined) {
        if (ways.size >= MOST_IMAGES) ways.clear();
        image = paint(line, tMs);
        ways.set(way, image);
      }
      return image;
    });
    known = still;
    return images;
  };
}

/** Copies a line to its place, as faint as it is, without what lies outside of the box. Lines do not overlap. */
function lay(image: Buffer, { line, y, opacity }: VisibleLine, bytes: Uint8Array, box: OverlayBox): void {
  const row = line.width * 4;
  for (let i = Math.max(0, -y); i < line.height && y + i < box.height; i++) {
    const at = (y + i) * box.width * 4;
    image.copy(bytes, at, i * row, (i + 1) * row);
    if (opacity < 1)
      for (let alpha = at + 3; alpha < at + row; alpha += 4)
        bytes[alpha] = Math.round((bytes[alpha] ?? 0) * opacity);
  }
}

/** Everything that the picture depends on: equal texts, equal pictures. */
function stateOf(visible: readonly VisibleLine[], pictures: EmotePictures, tMs: number): string {
  let state = "";
  for (const { line, y, opacity } of visible)
    state += `${line.id} ${y} ${Math.round(opacity * 32)}${emotesOf(line, pictures, tMs)}\n`;
  return state;
}

/** Which frame of each of a line's emotes is to be seen. */
function emotesOf({ pieces }: OverlayLine, pictures: EmotePictures, tMs: number): string {
  let frames = "";
  for (const piece of pieces)
    if (piece.kind === "emote") frames += ` ${pictures.frameOf(piece.ref, tMs)?.index ?? ""}`;
  return frames;
}
