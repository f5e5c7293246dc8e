/** Rate of what comes in. */
const RATE = 16_000;
/** Pitch is looked for between 80 and 400 Hz, at 8 kHz. */
const PITCH_RATE = 8000;
const SHORTEST = PITCH_RATE / 400;
const LONGEST = PITCH_RATE / 80;
const WINDOW = 320;
/** How far around a block its neighbourhood reaches, in blocks. */
const AROUND = 5;

interface Block {
  /** Normalised autocorrelation at the best pitch, 0–1, and that pitch's lag. */
  harmonic: number;
  lag: number;
  level: number;
}

/**
 * Likelihood of speech in each block of 100 ms, by rules: somebody speaks where a pitch between 80 and 400 Hz comes and goes, moves, and the
 * loudness falls and rises with the syllables (Saunders 1996; Scheirer & Slaney 1997: 4 Hz modulation and low-energy frames). Steady
 * notes, noise and silence are not speech. Singing, and speech under loud music, are beyond it.
 */
export function voiceOf(
  low: Float32Array,
  from: number,
  count: number,
  blockSamples: number,
  loudness: readonly number[],
): number[] {
  const half = new Float32Array(low.length >> 1);
  for (let i = 0; i < half.length; i++) half[i] = (low[2 * i]! + low[2 * i + 1]!) / 2;
  // Blocks of the pre-roll are context for the first ones.
  const before = Math.min(AROUND, Math.floor(from / blockSamples));
  const blocks: Block[] = [];
  for (let i = -before; i < count; i++) {
    const start = (from + i * blockSamples) * (PITCH_RATE / RATE);
    const early = pitchOf(half, Math.floor(start));
    const late = pitchOf(half, Math.floor(start + (blockSamples * PITCH_RATE) / RATE / 2));
    const best = early.harmonic > late.harmonic ? early : late;
    blocks.push({ ...best, level: (early.level + late.level) / 2 });
  }
  return Array.from({ length: count }, (_, i) =>
    loudness[i]! < -55 ? 0 : Math.round(100 * likelihood(blocks, i + before)) / 100,
  );
}

function likelihood(blocks: readonly Block[], at: number): number {
  const near = blocks.slice(Math.max(0, at - AROUND), at + AROUND + 1);
  if (near.length < 4) return 0;
  const levels = near.map((block) => 10 * Math.log10(block.level + 1e-9));
  const loudest = Math.max(...levels);
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  const modulation = Math.sqrt(levels.reduce((sum, level) => sum + (level - mean) ** 2, 0) / levels.length);
  const voiced = near.filter((block, i) => block.harmonic > 0.55 && levels[i]! > loudest - 20);
  const voicedShare = voiced.length / near.length;
  // Of voiced neighbours: how much the pitch moves, in semitones. A held or stepped note stands still in between.
  let moves = 0;
  let pairs = 0;
  for (let i = 1; i < near.length; i++) {
    const [a, b] = [near[i - 1]!, near[i]!];
    if (a.harmonic <= 0.55 || b.harmonic <= 0.55) continue;
    const semitones = Math.abs(12 * Math.log2(a.lag / b.lag));
    if (semitones > 0.15 && semitones < 5) moves++;
    pairs++;
  }
  const gliding = pairs === 0 ? 0 : moves / pairs;
  const own = levels[near.indexOf(blocks[at]!)]! > loudest - 25 ? 0 : -3;
  const score =
    -5.3 +
    3.2 * Math.min(1, voicedShare / 0.5) +
    2.2 * gliding +
    0.22 * Math.min(modulation, 12) -
    (voicedShare > 0.95 && gliding < 0.2 ? 2 : 0) +
    own;
  return 1 / (1 + Math.exp(-score));
}

function pitchOf(samples: Float32Array, at: number): Block {
  const from = Math.max(0, Math.min(at, samples.length - WINDOW - LONGEST - 1));
  if (samples.length < WINDOW + LONGEST + 1) return { harmonic: 0, lag: 0, level: 0 };
  let energy = 0;
  for (let i = from; i < from + WINDOW; i++) energy += samples[i]! * samples[i]!;
  const level = energy / WINDOW;
  if (level < 1e-8) return { harmonic: 0, lag: 0, level };
  let shifted = 0;
  for (let i = from + SHORTEST; i < from + SHORTEST + WINDOW; i++) shifted += samples[i]! * samples[i]!;
  const strengths = new Float64Array(LONGEST + 1);
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
  for (let lag = SHORTEST + 1; lag < LONGEST; lag++)
    if (
      strengths[lag]! > 0.9 * best &&
      strengths[lag]! >= strengths[lag - 1]! &&
      strengths[lag]! >= strengths[lag + 1]!
    )
      return { harmonic: Math.min(1, best), lag, level };
  return { harmonic: 0, lag: 0, level };
}
