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

/** Emotes move at half the rate of lines: reading a picture back costs more than drawing it. */
const EMOTES_EVERY_MS = 2000 / 15;

export interface Chat {
  readonly lines: readonly OverlayLine[];
  readonly box: OverlayBox;
  readonly look: OverlayLook;
  readonly pictures: EmotePictures;
}

/**
 * Chat as pictures of RGBA with straight alpha (ffmpeg has no fast way for premultiplied), `fps` a second from the clip's start. Nothing is drawn while nothing changes: then the same bytes come
 * again.
 */
export function* chatFrames(
  { lines, box, look, pictures }: Chat,
  fps: number,
  frames: number,
): Generator<Uint8Array> {
  const canvas = createCanvas(box.width, box.height);
  const context = canvas.getContext("2d");
  const pen = context as unknown as Pen<Canvas>;
  let bytes: Uint8Array = new Uint8Array(box.width * box.height * 4);
  let drawn = "";
  for (let i = 0; i < frames; i++) {
    const tMs = (i * 1000) / fps;
    const emotesMs = tMs - (tMs % EMOTES_EVERY_MS);
    const visible = visibleAt(lines, box, tMs);
    const state = stateOf(visible, pictures, emotesMs);
    if (state !== drawn) {
      drawn = state;
      paintOverlay(pen, visible, box, look, (ref) => pictures.frameOf(ref, emotesMs)?.canvas ?? null);
      // A copy of its own: the pipe may still be reading the last one.
      bytes = new Uint8Array(context.getImageData(0, 0, box.width, box.height).data.buffer);
    }
    yield bytes;
  }
}

/** Everything that the picture depends on: equal texts, equal pictures. */
function stateOf(visible: readonly VisibleLine[], pictures: EmotePictures, tMs: number): string {
  let state = "";
  for (const { line, y, opacity } of visible) {
    state += `${line.id} ${y} ${Math.round(opacity * 32)}`;
    for (const piece of line.pieces)
      if (piece.kind === "emote") state += ` ${pictures.frameOf(piece.ref, tMs)?.index ?? ""}`;
    state += "\n";
  }
  return state;
}
