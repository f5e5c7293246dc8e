import type { SoundSignals } from "@hypecast/contracts/measured.ts";
import { Spectrum } from "./fft.ts";
import { BLOCK_SAMPLES, blockLoudness, blocksOf } from "./loudness.ts";
import { pack } from "./signature.ts";
import { voiceOf } from "./voice.ts";

/** Sound of one segment at 48 kHz. */
export interface Pcm {
  /** Interleaved; the pre-roll first. */
  samples: Float32Array;
  channels: number;
  /** Samples per channel before the segment's start: they warm the filters and are not measured. */
  preroll: number;
  /** Audio tracks in the file. */
  tracks: number;
}

/** Rate at which spectra are taken. */
const LOW_RATE = 16_000;
const DECIMATE = 3;
const TAPS = lowPass(6800 / 48_000, 25);
/** 10 ms at LOW_RATE. */
const HOP = LOW_RATE / 100;
const FRAME = 512;
/** Bands of equal width on the mel scale, 60 Hz – 7 kHz. */
const BANDS = 24;
const BAND_EDGES = Array.from({ length: BANDS + 1 }, (_, i) => {
  const mel = (hz: number): number => 1127 * Math.log1p(hz / 700);
  const at = mel(60) + ((mel(7000) - mel(60)) * i) / BANDS;
  return Math.max(1, Math.round((700 * Math.expm1(at / 1127) * FRAME) / LOW_RATE));
});
/** A rise of every band by one power of ten is 255. */
const ONSET_SCALE = 255;
/** Without this much pre-roll the first frames would take the beginning of the data for an onset. */
const PREROLL_FRAMES = 5;

const spectrum = new Spectrum(FRAME);

/** What is measured in the sound of one segment. */
export function measureSound(pcm: Pcm): SoundSignals {
  const { samples, channels, tracks } = pcm;
  const length = channels > 0 ? Math.floor(samples.length / channels) : 0;
  const preroll = Math.max(0, Math.min(pcm.preroll, length));
  if (length - preroll <= 0) return { channels, tracks, loudness: [], peak: [], voice: [], onsets: "" };
  const { loudness, peak } = blockLoudness(samples, channels, preroll);
  const low = decimated(samples, channels, length);
  const from = Math.floor(preroll / DECIMATE);
  const frames = Math.max(1, Math.round((length - preroll) / (DECIMATE * HOP)));
  const spectra = spectraOf(low, from, frames);
  return {
    channels,
    tracks,
    loudness,
    peak,
    voice: voiceOf(low, from, blocksOf(length - preroll), BLOCK_SAMPLES / DECIMATE, loudness),
    onsets: pack(onsetsOf(spectra, frames, preroll === 0)),
  };
}

/** All channels' mean at 16 kHz. */
export function decimated(samples: Float32Array, channels: number, length: number): Float32Array {
  const mono = new Float32Array(length);
  for (let i = 0, at = 0; i < length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += samples[at++]!;
    mono[i] = sum >= -64 && sum <= 64 ? sum / channels : 0;
  }
  const out = new Float32Array(Math.floor(length / DECIMATE));
  const half = TAPS.length >> 1;
  for (let i = 0; i < out.length; i++) {
    const from = i * DECIMATE - half;
    let sum = 0;
    if (from >= 0 && from + TAPS.length <= length)
      for (let tap = 0; tap < TAPS.length; tap++) sum += TAPS[tap]! * mono[from + tap]!;
    else for (let tap = 0; tap < TAPS.length; tap++) sum += TAPS[tap]! * (mono[from + tap] ?? 0);
    out[i] = sum;
  }
  return out;
}

/** Windowed sinc (Hamming); `cutoff` in shares of the rate. */
function lowPass(cutoff: number, length: number): Float32Array {
  const half = length >> 1;
  const taps = Float32Array.from({ length }, (_, i) => {
    const at = i - half;
    const sinc = at === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * at) / (Math.PI * at);
    return sinc * (0.54 + 0.46 * Math.cos((Math.PI * at) / half));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** Logarithmic strength of each band, one row every 10 ms, `LAG` rows before the segment's first. Windows end where their 10 ms end. */
const LAG = 2;
function spectraOf(low: Float32Array, from: number, frames: number): Float32Array {
  const rows = new Float32Array((frames + LAG) * BANDS);
  for (let row = 0; row < frames + LAG; row += 2) {
    const at = from + (row - LAG + 1) * HOP - FRAME;
    spectrum.ofTwo(low, at, at + HOP);
    writeBands(rows, row, spectrum.first);
    if (row + 1 < frames + LAG) writeBands(rows, row + 1, spectrum.second);
  }
  return rows;
}

function writeBands(rows: Float32Array, row: number, power: Float64Array): void {
  for (let band = 0; band < BANDS; band++) {
    const first = BAND_EDGES[band]!;
    const last = Math.max(first + 1, BAND_EDGES[band + 1]!);
    let sum = 0;
    for (let bin = first; bin < last; bin++) sum += power[bin]!;
    rows[row * BANDS + band] = Math.log10(1 + 1e4 * Math.sqrt(sum));
  }
}

/** Half-wave rectified spectral flux (Dixon 2006; with a lag of two frames as in SuperFlux, Böck & Widmer 2013). */
function onsetsOf(spectra: Float32Array, frames: number, cold: boolean): Uint8Array {
  const onsets = new Uint8Array(frames);
  for (let frame = cold ? PREROLL_FRAMES : 0; frame < frames; frame++) {
    let sum = 0;
    for (let band = 0; band < BANDS; band++) {
      const rise = spectra[(frame + LAG) * BANDS + band]! - spectra[frame * BANDS + band]!;
      if (rise > 0) sum += rise;
    }
    onsets[frame] = Math.min(255, Math.round((ONSET_SCALE * sum) / BANDS));
  }
  return onsets;
}
