/** Colours of the instruments. Glass is the same in both themes, so a theme change redraws nothing; app.css has the same values. */
export const GLASS = {
  bg: "#08070b",
  line: "#26232c",
  raised: "#18161d",
  lineStrong: "#6f6b78",
  text1: "#f0eff2",
  text2: "#bcbac2",
  text3: "#97949e",
  ice: "#87d9ed",
} as const;

export const FONT = '"Inter Variable", Inter, system-ui, sans-serif';

const hatches = new Map<string, CanvasPattern>();

/** Diagonal lines: what was not measured (grey) or is only guessed (ice). Made once a colour, spacing and pixel ratio. */
export function hatch(
  context: CanvasRenderingContext2D,
  colour: string,
  spacing: number,
): CanvasPattern | string {
  const ratio = Math.max(1, globalThis.devicePixelRatio || 1);
  const key = `${colour} ${spacing} ${ratio}`;
  const known = hatches.get(key);
  if (known !== undefined) return known;
  const tile = document.createElement("canvas");
  const size = Math.round(spacing * ratio);
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (pen === null) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = ratio;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
    pen.stroke();
  }
  const pattern = context.createPattern(tile, "repeat");
  if (pattern === null) return colour;
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  hatches.set(key, pattern);
  return pattern;
}
