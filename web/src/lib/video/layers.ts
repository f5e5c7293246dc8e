import type { VideoShot } from "@hypecast/contracts/shot.ts";

/** A stretch of the stream that no clip may hold: an advertisement, or nothing at all. */
export interface Stretch {
  fromMs: number;
  toMs: number;
  why: "ad" | "gap";
}

/** Shorter holes are a frame or two between segments. */
const HOLE_MS = 1500;

/** Advertisements, joined where they touch, and the holes between shots; shots are in order. */
export function stretchesOf(shots: readonly Pick<VideoShot, "startMs" | "endMs" | "ad">[]): Stretch[] {
  const found: Stretch[] = [];
  let untilMs: number | null = null;
  const add = (next: Stretch): void => {
    const last = found.at(-1);
    if (last !== undefined && last.why === next.why && next.fromMs - last.toMs <= HOLE_MS)
      last.toMs = Math.max(last.toMs, next.toMs);
    else found.push(next);
  };
  for (const { startMs, endMs, ad } of shots) {
    if (untilMs !== null && startMs - untilMs > HOLE_MS) add({ fromMs: untilMs, toMs: startMs, why: "gap" });
    if (ad) add({ fromMs: startMs, toMs: endMs, why: "ad" });
    untilMs = Math.max(untilMs ?? startMs, endMs);
  }
  return found;
}

const STEP_MS = 10_000;

/** How loud the stream was against its own usual (LU), the loudest of each ten seconds. What was not measured is NaN, not silence. */
export class Loudness {
  readonly #loudest = new Map<number, number>();

  /** `aboveUsual` null: no sound was measured there. */
  put(startMs: number, lengthMs: number, aboveUsual: number | null): void {
    if (aboveUsual === null) return;
    const last = Math.floor((startMs + Math.max(1, lengthMs) - 1) / STEP_MS);
    for (let bin = Math.floor(startMs / STEP_MS); bin <= last; bin++)
      this.#loudest.set(bin, Math.max(this.#loudest.get(bin) ?? Number.NEGATIVE_INFINITY, aboveUsual));
    // Twelve hours of tens of seconds, with room; the oldest is let go.
    if (this.#loudest.size > 5000) {
      const oldest = this.#loudest.keys().next().value;
      if (oldest !== undefined) this.#loudest.delete(oldest);
    }
  }

  /** The loudest of [fromMs, toMs); NaN where nothing was measured. */
  at(fromMs: number, toMs: number): number {
    let most = Number.NaN;
    for (let bin = Math.floor(fromMs / STEP_MS); bin * STEP_MS < toMs; bin++) {
      const value = this.#loudest.get(bin);
      if (value !== undefined && !(value <= most)) most = value;
    }
    return most;
  }

  get empty(): boolean {
    return this.#loudest.size === 0;
  }
}
