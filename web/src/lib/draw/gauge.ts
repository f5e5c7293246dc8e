import { GLASS } from "./glass.ts";
import { heat } from "./heat.ts";

/** Seven states of the one instrument: they differ in shape, word and action, colour comes last. */
export const METER_STATES = [
  "live",
  "stale",
  "reconnecting",
  "warming",
  "sparse",
  "capped",
  "error",
] as const;
export type MeterState = (typeof METER_STATES)[number];

/** A fan of rays, the fan of the wordmark. Sixty steps, so that one ray is 1⅔ of the scale. */
export const RAYS = 61;
const FROM = Math.PI * 1.13;
const TO = -Math.PI * 0.13;
const angle = (share: number): number => FROM + (TO - FROM) * share;

export type Tone = "heat" | "dim" | "strong" | "mid" | "bright";
/** One stroke (or, with `dot`, one point): share along the scale 0–1, radii as parts of the gauge's own. */
export interface Ray {
  share: number;
  inner: number;
  outer: number;
  tone: Tone;
  width: number;
  dot?: true;
}

const INNER = 0.74;
const OUTER = 0.955;
const part = (of: number): number => OUTER - (OUTER - INNER) * of;

/** What the gauge consists of in a state; `value` 0–100 (for `warming`, percent of the warm-up done). */
export function gaugeRays(state: MeterState, value: number): Ray[] {
  const rays: Ray[] = [];
  for (let i = 0; i < RAYS; i++) {
    const share = i / (RAYS - 1);
    const on = share <= value / 100 + 1e-6;
    const ray = (inner: number, tone: Tone, width = 1): number =>
      rays.push({ share, inner, outer: OUTER, tone, width });
    const dot = (tone: Tone, width: number): number =>
      rays.push({ share, inner: part(0.08), outer: part(0.08), tone, width, dot: true });
    switch (state) {
      case "live":
        ray(on ? INNER : i % 15 === 0 ? part(0.75) : part(0.55), on ? "heat" : "dim");
        break;
      case "stale":
        ray(on ? INNER : part(0.55), on ? "strong" : "dim");
        break;
      case "reconnecting":
        if (i % 4 < 2) ray(part(0.55), on ? "strong" : "dim");
        break;
      case "warming":
        if (on) ray(part(0.4), "mid");
        else dot("strong", 0.9);
        break;
      case "sparse":
        if (i % 6 === 0) dot("strong", 1.6);
        break;
      case "capped":
        if (on) ray(INNER, "heat");
        else if (i % 2 === 1) ray(INNER, "strong", 0.6);
        break;
      case "error":
        dot("dim", 1);
        break;
    }
  }
  if (state === "live" || state === "capped")
    rays.push({ share: value / 100, inner: INNER - 0.05, outer: 1, tone: "bright", width: 1.25 });
  if (state === "stale")
    rays.push({ share: value / 100, inner: INNER - 0.03, outer: 1, tone: "mid", width: 1 });
  return rays;
}

export interface GaugeScene {
  state: MeterState;
  value: number;
  usual: readonly [low: number, high: number] | null;
  peak: number | null;
}

const TONES = { dim: GLASS.line, strong: GLASS.lineStrong, mid: GLASS.text3, bright: GLASS.text1 } as const;

export function paintGauge(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  scene: GaugeScene,
): void {
  const radius = Math.min(width / 2 - 10, (height - 8) / 1.42);
  const x = width / 2;
  const y = radius + 8;
  const stroke = Math.max(2, radius * 0.022);
  const at = (share: number, r: number): [number, number] => [
    x + Math.cos(angle(share)) * r * radius,
    y - Math.sin(angle(share)) * r * radius,
  ];
  const line = (share: number, inner: number, outer: number, colour: string, lineWidth: number): void => {
    pen.beginPath();
    pen.moveTo(...at(share, inner));
    pen.lineTo(...at(share, outer));
    pen.strokeStyle = colour;
    pen.lineWidth = lineWidth;
    pen.stroke();
  };
  const point = (share: number, r: number, colour: string, size: number): void => {
    pen.beginPath();
    pen.arc(...at(share, r), size, 0, Math.PI * 2);
    pen.fillStyle = colour;
    pen.fill();
  };
  pen.lineCap = "round";
  for (const ray of gaugeRays(scene.state, scene.value)) {
    const colour = ray.tone === "heat" ? (heat(ray.share * 100) ?? TONES.mid) : TONES[ray.tone];
    if (ray.dot) point(ray.share, ray.outer, colour, stroke * 0.5 * ray.width);
    else line(ray.share, ray.inner, ray.outer, colour, stroke * ray.width);
  }
  if (scene.usual !== null) {
    const [low, high] = scene.usual;
    pen.lineCap = "butt";
    pen.beginPath();
    pen.arc(x, y, (INNER - 0.065) * radius, -angle(low / 100), -angle(high / 100));
    pen.strokeStyle = GLASS.text3;
    pen.lineWidth = 1.5;
    pen.stroke();
    for (const end of [low, high]) line(end / 100, INNER - 0.085, INNER - 0.045, GLASS.text3, 1.5);
  }
  if (scene.peak !== null) point(scene.peak / 100, 1.005, GLASS.text1, 2.2);
}
