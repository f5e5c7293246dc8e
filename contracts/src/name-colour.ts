import { fnv1a } from "./fnv1a.ts";

/** Twitch gives a chatter without a colour one of these. */
const DEFAULTS = [
  "#FF0000",
  "#0000FF",
  "#008000",
  "#B22222",
  "#FF7F50",
  "#9ACD32",
  "#FF4500",
  "#2E8B57",
  "#DAA520",
  "#D2691E",
  "#5F9EA0",
  "#1E90FF",
  "#FF69B4",
  "#8A2BE2",
  "#00FF7F",
] as const;
/** WCAG 2 AA for text. */
const CONTRAST = 4.5;
/** The ground behind chat in clips, in sRGB. */
const DARK = 0x12;

type Rgb = readonly [number, number, number];

/** A chatter's colour as `#rrggbb`, lightened until it can be read on the dark ground; people choose pure blue. */
export function nameColour(colour: string | undefined, login: string): string {
  const chosen =
    colour !== undefined && /^#[0-9a-f]{6}$/i.test(colour)
      ? colour
      : (DEFAULTS[fnv1a(login) % DEFAULTS.length] ?? DEFAULTS[0]);
  let rgb: Rgb = [1, 3, 5].map((at) => Number.parseInt(chosen.slice(at, at + 2), 16)) as unknown as Rgb;
  for (let step = 0; step < 20 && contrast(rgb) < CONTRAST; step++)
    rgb = rgb.map((part) => Math.round(part + (255 - part) * 0.12)) as unknown as Rgb;
  return `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

const linear = (part: number): number => {
  const share = part / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};
const luminance = ([r, g, b]: Rgb): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const contrast = (rgb: Rgb): number => (luminance(rgb) + 0.05) / (luminance([DARK, DARK, DARK]) + 0.05);
