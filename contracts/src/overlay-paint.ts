import {
  EMOTE,
  PAD_X,
  QUOTE,
  ROW,
  type Badge,
  type OverlayBox,
  type OverlayPiece,
  type VisibleLine,
  type Weight,
} from "./overlay-layout.ts";

/** What a 2D canvas context must do for us: the browser's does, and so does the renderer's. */
export interface Pen<Picture> {
  font: string;
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  lineJoin: string;
  globalAlpha: number;
  textBaseline: string;
  textAlign: string;
  direction: string;
  save(): void;
  restore(): void;
  beginPath(): void;
  rect(x: number, y: number, width: number, height: number): void;
  clip(): void;
  fill(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
  roundRect(x: number, y: number, width: number, height: number, radius: number): void;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  strokeText(text: string, x: number, y: number): void;
  measureText(text: string): { width: number };
  drawImage(picture: Picture, x: number, y: number, width: number, height: number): void;
}

export interface OverlayLook {
  readonly font: "sans" | "mono";
  /** Of the ground behind a line, 0–1. */
  readonly opacity: number;
}

/** Families in the order that letters are looked for in: what the renderer's machine has, then whatever there is. */
export const OVERLAY_FONTS = {
  sans: '"Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans CJK JP", "Noto Color Emoji", "DejaVu Sans", sans-serif',
  mono: '"Noto Sans Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK JP", "Noto Color Emoji", monospace',
} as const;

export function overlayFont(look: Pick<OverlayLook, "font">, fontPx: number, weight: Weight): string {
  const px = weight === "quote" ? Math.round(fontPx * QUOTE) : fontPx;
  return `${weight === "name" ? "bold " : ""}${px}px ${OVERLAY_FONTS[look.font]}`;
}

/** Colour and sign of each badge. */
const BADGE_LOOK: Record<Badge, { ground: string; sign: "star" | "shield" | "gem" | "check" | "play" }> = {
  broadcaster: { ground: "#e91916", sign: "play" },
  moderator: { ground: "#00ad03", sign: "shield" },
  vip: { ground: "#e005b9", sign: "gem" },
  staff: { ground: "#3a3a3d", sign: "check" },
  partner: { ground: "#9146ff", sign: "check" },
  subscriber: { ground: "#8205b4", sign: "star" },
  founder: { ground: "#6441a5", sign: "star" },
};

/**
 * Paints what `visibleAt` says, from the pen's corner. `pictureOf` gives an emote's frame of this moment; null: it has not come (yet), its place stays
 * empty.
 */
export function paintOverlay<Picture>(
  pen: Pen<Picture>,
  visible: readonly VisibleLine[],
  box: OverlayBox,
  look: OverlayLook,
  pictureOf: (ref: string) => Picture | null,
): void {
  pen.clearRect(0, 0, box.width, box.height);
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, box.width, box.height);
  pen.clip();
  pen.textAlign = "left";
  pen.lineJoin = "round";
  const radius = Math.round(box.fontPx * PAD_X);
  for (const { line, y, opacity } of visible) {
    pen.save();
    // No letter reaches out of its line, whatever is stacked on it.
    pen.beginPath();
    pen.roundRect(0, y, line.width, line.height, radius);
    pen.clip();
    if (look.opacity > 0) {
      pen.globalAlpha = opacity * look.opacity;
      pen.fillStyle = "#121216";
      pen.beginPath();
      pen.rect(0, y, line.width, line.height);
      pen.fill();
    }
    pen.globalAlpha = opacity;
    for (const piece of line.pieces) paintPiece(pen, piece, y, box.fontPx, look, pictureOf);
    pen.restore();
  }
  pen.restore();
}

function paintPiece<Picture>(
  pen: Pen<Picture>,
  piece: OverlayPiece,
  top: number,
  fontPx: number,
  look: OverlayLook,
  pictureOf: (ref: string) => Picture | null,
): void {
  const rowPx = Math.round(fontPx * ROW);
  const y = top + piece.y;
  if (piece.kind === "emote") {
    const picture = pictureOf(piece.ref);
    const tall = Math.round(fontPx * EMOTE);
    if (picture !== null)
      pen.drawImage(picture, piece.x, y + Math.round((rowPx - tall) / 2), piece.width, tall);
    return;
  }
  if (piece.kind === "badge") {
    paintBadge(pen, piece.name, piece.x, y + Math.round((rowPx - piece.width) / 2), piece.width);
    return;
  }
  pen.font = overlayFont(look, fontPx, piece.weight);
  pen.textBaseline = "alphabetic";
  pen.direction = piece.rtl ? "rtl" : "ltr";
  const baseline = y + Math.round(fontPx * (piece.weight === "quote" ? 0.86 : 1.06));
  // Over a bright picture half a ground is grey: letters need an edge of their own, unless the ground is nearly whole.
  if (look.opacity < 0.8) {
    pen.strokeStyle = look.opacity < 0.35 ? "rgba(0,0,0,0.75)" : "rgba(0,0,0,0.55)";
    pen.lineWidth = Math.max(2, fontPx * 0.14);
    pen.strokeText(piece.text, piece.x, baseline);
  }
  pen.fillStyle = piece.colour;
  pen.fillText(piece.text, piece.x, baseline);
}

function paintBadge<Picture>(pen: Pen<Picture>, name: Badge, x: number, y: number, size: number): void {
  const { ground, sign } = BADGE_LOOK[name];
  pen.fillStyle = ground;
  pen.beginPath();
  pen.roundRect(x, y, size, size, size * 0.2);
  pen.fill();
  pen.fillStyle = "#ffffff";
  pen.beginPath();
  for (const [i, [px, py]] of SIGNS[sign].entries()) {
    const at = [x + px * size, y + py * size] as const;
    if (i === 0) pen.moveTo(...at);
    else pen.lineTo(...at);
  }
  pen.closePath();
  pen.fill();
}

/** Corners in shares of the badge. */
const SIGNS = {
  play: [
    [0.34, 0.24],
    [0.78, 0.5],
    [0.34, 0.76],
  ],
  shield: [
    [0.22, 0.22],
    [0.78, 0.22],
    [0.78, 0.52],
    [0.5, 0.82],
    [0.22, 0.52],
  ],
  gem: [
    [0.32, 0.24],
    [0.68, 0.24],
    [0.84, 0.44],
    [0.5, 0.82],
    [0.16, 0.44],
  ],
  check: [
    [0.2, 0.52],
    [0.3, 0.42],
    [0.44, 0.56],
    [0.72, 0.26],
    [0.82, 0.36],
    [0.44, 0.76],
  ],
  star: [
    [0.5, 0.16],
    [0.6, 0.4],
    [0.85, 0.42],
    [0.66, 0.58],
    [0.72, 0.83],
    [0.5, 0.69],
    [0.28, 0.83],
    [0.34, 0.58],
    [0.15, 0.42],
    [0.4, 0.4],
  ],
} as const;
