/** Rate of what comes in. */
const RATE = 16_000;
/** Pitch is looked for between 80 and 400 Hz, at 8 kHz, twice in each block. */
const PITCH_RATE = 8000;
const SHORTEST = PITCH_RATE / 400;
const LONGEST = PITCH_RATE / 80;
const WINDOW = 320;
/** How far around a block its neighbourhood reaches, in half blocks. */
const AROUND = 10;
/** As much of a period repeats in voiced speech and in notes. */
const VOICED = 0.6;
/** Semitones in 50 ms: a voice moves by more than the first and less than the second; a note stands, and the next one leaps. */
const HELD = 0.15;
const LEAP = 3;
const QUIET_LUFS = -55;

/** Half a block: 50 ms. */
interface Half {
  /** Normalised autocorrelation at the best pitch, 0–1, and that pitch's period in samples at 8 kHz. */
  harmonic: number;
  period: number;
  decibels: number;
  /** Share of samples at which the sign changes. */
  crossings: number;
}

/**
 * Likelihood of speech in each block of 100 ms. Somebody speaks where a pitch between 80 and 400 Hz comes and goes and glides, loudness rises and
 * falls with the syllables, and voiced sounds take turns with hissing ones (Saunders 1996; Scheirer & Slaney 1997). How much
 * each of these counts was fitted on speech, music and noise (docs/video.md); singing, and speech under loud music, are beyond it.
 */
export function voiceOf(
  low: Float32Array,
  from: number,
  count: number,
  blockSamples: number,
  loudness: readonly number[],
): number[] {
  const { halves, before } = halvesOf(low, from, count, blockSamples);
  return Array.from({ length: count }, (_, i) =>
    loudness[i]! < QUIET_LUFS ? 0 : Math.round(100 * likelihood(cuesOf(halves, before + 2 * i))) / 100,
  );
}

/** Every 50 ms, from as much of the pre-roll on as a block's neighbourhood reaches. */
function halvesOf(
  low: Float32Array,
  from: number,
  count: number,
  blockSamples: number,
): { halves: Half[]; before: number } {
  const samples = new Float32Array(low.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = (low[2 * i]! + low[2 * i + 1]!) / 2;
  const step = (blockSamples * PITCH_RATE) / RATE / 2;
  const start = (from * PITCH_RATE) / RATE;
  const before = Math.min(AROUND, Math.floor(start / step));
  const halves = Array.from({ length: before + 2 * count }, (_, i) =>
    halfAt(samples, Math.floor(start + (i - before) * step)),
  );
  return { halves, before };
}

/** What speaks against speech and for it around a half block, 0–1 each: held pitch, gliding pitch, and how loudness and hiss vary, all by how much is voiced. */
function cuesOf(halves: readonly Half[], at: number): number[] {
  const first = Math.max(0, at - AROUND);
  const near = halves.slice(first, at + AROUND + 2);
  const loudest = Math.max(...near.map((half) => half.decibels));
  const isVoiced = (half: Half): boolean => half.harmonic > VOICED && half.decibels > loudest - 20;
  let voiced = 0;
  let pairs = 0;
  let held = 0;
  let gliding = 0;
  for (const [i, half] of near.entries()) {
    if (isVoiced(half)) voiced++;
    if (i === 0) continue;
    const last = near[i - 1]!;
    if (!isVoiced(last) || !isVoiced(half)) continue;
    pairs++;
    const semitones = Math.abs(12 * Math.log2(last.period / half.period));
    if (semitones <= HELD) held++;
    else if (semitones < LEAP) gliding++;
  }
  const spread = (values: number[]): number => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  };
  const share = voiced / near.length;
  const between = pairs === 0 ? 0 : share / pairs;
  return [
    between * held,
    between * gliding,
    share * Math.min(1, spread(near.map((half) => Math.max(half.decibels, loudest - 40))) / 12),
    share * Math.min(1, spread(near.map((half) => half.crossings)) * 8),
  ];
}

/** Fitted, then moved from even odds to 65 : 35: music that is taken for speech costs more than a word that is missed. */
const BIAS = -1.93;
const WEIGHTS = [-5.68, 3.38, 3.09, 4.12];

function likelihood(cues: readonly number[]): number {
  let score = BIAS;
  for (const [i, cue] of cues.entries()) score += WEIGHTS[i]! * cue;
  return 1 / (1 + Math.exp(-score));
}

const NOTHING: Half = { harmonic: 0, period: 0, decibels: -90, crossings: 0 };
const strengths = new Float64Array(LONGEST + 1);

function halfAt(samples: Float32Array, at: number): Half {
  if (samples.length < WINDOW + LONGEST + 1) return NOTHING;
  const from = Math.max(0, Math.min(at, samples.length - WINDOW - LONGEST - 1));
  let energy = 0;
  let crossings = 0;
  for (let i = from; i < from + WINDOW; i++) {
    energy += samples[i]! * samples[i]!;
    if (samples[i]! >= 0 !== samples[i + 1]! >= 0) crossings++;
  }
  const level = energy / WINDOW;
  if (level < 1e-8) return NOTHING;
  const heard = { decibels: 10 * Math.log10(level), crossings: crossings / WINDOW };
  let shifted = 0;
  for (let i = from + SHORTEST; i < from + SHORTEST + WINDOW; i++) shifted += samples[i]! * samples[i]!;
  let best = 0;
  for (let lag = SHORTEST; lag <= LONGEST; lag++) {
    let product = 0;
    for (let i = from; i < from + WINDOW; i++) product += samples[i]! * samples[i + lag]!;
    const strength = product / Math.sqrt(energy * shifted + 1e-12);
    strengths[lag] = strength;
    if (strength > best) best = strength;
    shifted += samples[from + lag + WINDOW]! ** 2 - samples[from + lag]! ** 2;
  }
  // The shortest lag that is nearly as good: its multiples fit as well.
  for (let lag = SHORTEST + 1; lag < LONGEST; lag++) {
    const [a, b, c] = [strengths[lag - 1]!, strengths[lag]!, strengths[lag + 1]!];
    if (b < 0.9 * best || b < a || b < c) continue;
    const bend = a - 2 * b + c;
    return { ...heard, harmonic: Math.min(1, best), period: lag + (bend < 0 ? (a - c) / (2 * bend) : 0) };
  }
  return { ...heard, harmonic: 0, period: 0 };
}
