/** Onset strengths a second. */
const RATE = 100;
const SLOWEST = 70;
const FASTEST = 180;
/** Listeners tap near this tempo, and the less the further away, in octaves (Ellis 2007, after Parncutt 1994). */
const PREFERRED = 120;
const OCTAVES = 1.1;
/** Fewer seconds say nothing about a tempo. */
const LEAST_S = 6;
/** Weaker beats than this are none. */
const LEAST_STRENGTH = 0.12;

const HALVES = 0.25;

export interface Tempo {
  /** Beats a minute, folded to 70–180; null: no steady beat. */
  bpm: number | null;
  /** How much of the onsets repeats with it, 0–1. */
  strength: number;
}

/**
 * Tempo from onset strengths (100 a second, the newest last): the autocorrelation at a beat's length and at two to four of them,
 * weighted by how likely people feel that tempo; the place between two steps by a parabola.
 */
export function tempoOf(onsets: Uint8Array): Tempo {
  const none = { bpm: null, strength: 0 };
  const count = onsets.length;
  if (count < LEAST_S * RATE) return none;
  const values = smoothed(onsets);
  const longest = Math.min(Math.ceil((60 * RATE * 4) / SLOWEST), count - RATE);
  let energy = 0;
  for (const value of values) energy += value * value;
  if (energy / count < 1) return none;
  const repeats = new Float64Array(longest + 2);
  for (let lag = 1; lag <= longest + 1; lag++) {
    let sum = 0;
    for (let i = lag; i < count; i++) sum += values[i]! * values[i - lag]!;
    repeats[lag] = (sum / energy) * (count / (count - lag));
  }
  const comb = (lag: number): number => {
    // Beats are halved more often than divided by three: what fits three half beats alone is not the beat.
    let sum = repeats[lag]! + HALVES * Math.max(repeats[lag >> 1]!, repeats[(lag + 1) >> 1]!);
    let weights = 1 + HALVES;
    for (const beats of [2, 3, 4]) {
      const at = lag * beats;
      // A beat is not a whole number of steps long, so its multiples lie aside: the best of the near places counts.
      const reach = beats >> 1;
      if (at + reach > longest) continue;
      let best = 0;
      for (let near = at - reach; near <= at + reach; near++) best = Math.max(best, repeats[near]!);
      sum += best / beats;
      weights += 1 / beats;
    }
    return sum / weights;
  };
  let best = 0;
  let bestLag = 0;
  const first = Math.floor((60 * RATE) / FASTEST);
  const last = Math.ceil((60 * RATE) / SLOWEST);
  for (let lag = first; lag <= last; lag++) {
    const octaves = Math.log2((60 * RATE) / lag / PREFERRED) / OCTAVES;
    const score = comb(lag) * Math.exp(-0.5 * octaves * octaves);
    if (score > best) {
      best = score;
      bestLag = lag;
    }
  }
  if (bestLag === 0) return none;
  const strength = Math.max(0, Math.min(1, comb(bestLag)));
  if (strength < LEAST_STRENGTH) return { bpm: null, strength: round(strength) };
  return { bpm: round(fold((60 * RATE) / exactLag(repeats, bestLag, longest))), strength: round(strength) };
}

/** From the peak near four beats, where a step is a quarter as long. */
function exactLag(repeats: Float64Array, lag: number, longest: number): number {
  for (const beats of [4, 2, 1]) {
    const reach = beats >> 1;
    if (beats * lag + reach + 1 > longest) continue;
    let peak = beats * lag;
    for (let at = beats * lag - reach; at <= beats * lag + reach; at++)
      if (repeats[at]! > repeats[peak]!) peak = at;
    if (repeats[peak]! < 0.5 * repeats[lag]!) continue;
    const [a, b, c] = [repeats[peak - 1]!, repeats[peak]!, repeats[peak + 1]!];
    const bend = a - 2 * b + c;
    const aside = bend < 0 ? Math.max(-0.5, Math.min(0.5, (a - c) / (2 * bend))) : 0;
    return (peak + aside) / beats;
  }
  return lag;
}

/** Onsets over three steps, without their own slow mean. */
function smoothed(onsets: Uint8Array): Float64Array {
  const count = onsets.length;
  const out = new Float64Array(count);
  const half = RATE / 2;
  let sum = 0;
  for (let i = 0; i < Math.min(half, count); i++) sum += onsets[i]!;
  for (let i = 0; i < count; i++) {
    if (i + half < count) sum += onsets[i + half]!;
    if (i - half - 1 >= 0) sum -= onsets[i - half - 1]!;
    const from = Math.max(0, i - half);
    const until = Math.min(count - 1, i + half);
    const local = (onsets[Math.max(0, i - 1)]! + 2 * onsets[i]! + onsets[Math.min(count - 1, i + 1)]!) / 4;
    out[i] = Math.max(0, local - sum / (until - from + 1));
  }
  let mean = 0;
  for (const value of out) mean += value;
  mean /= count;
  for (let i = 0; i < count; i++) out[i]! -= mean;
  return out;
}

function fold(bpm: number): number {
  let folded = bpm;
  while (folded < SLOWEST) folded *= 2;
  while (folded > FASTEST) folded /= 2;
  return folded;
}

const round = (value: number): number => Math.round(value * 100) / 100;
