/** Heat scale "Dusk": hype and nothing else, 0–100. Nine stops of equal OKLab steps, lightness rising under every kind of sight. */
export const STOPS = [
  "#1b2948",
  "#3b3d70",
  "#6f4885",
  "#a44e85",
  "#d05465",
  "#ed7043",
  "#fb9a34",
  "#fec662",
  "#f9f0a5",
] as const;

const rgb = STOPS.map((stop) => [1, 3, 5].map((at) => Number.parseInt(stop.slice(at, at + 2), 16)));

/** 256 colours as CSS text, made once: a chart asks thousands of times a second. */
const LUT: readonly string[] = Array.from({ length: 256 }, (_, index) => {
  const at = (index / 255) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(at));
  const mixed = [0, 1, 2].map((channel) => {
    const a = rgb[low]?.[channel] ?? 0;
    const b = rgb[low + 1]?.[channel] ?? 0;
    return Math.round(a + (b - a) * (at - low));
  });
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
});

/** Colour of a hype value; beyond 0–100 the ends, and for NaN (not known) null: the caller draws it grey. */
export function heat(hype: number): string | null {
  if (Number.isNaN(hype)) return null;
  return LUT[Math.round(Math.min(1, Math.max(0, hype / 100)) * 255)] ?? null;
}
