import { hash32 } from "../random.ts";
import { mainEvents, PERIOD_MS, sceneAt, scenes, type Scene } from "../world.ts";
import { adSpots, blows, eventOf, JUMP_MS, jumps, RESPAWN_AFTER_MS, speech } from "./shots.ts";

export const RATE = 48_000;
export const LOOP_SAMPLES = (PERIOD_MS / 1000) * RATE;

/**
 * Something that sounds: from sample `from` for `length` samples. `at(t)` is its wave `t` seconds after its start, so that
 * any stretch of the loop can be made alone and fits its neighbours to the sample.
 */
interface Voice {
  readonly from: number;
  readonly length: number;
  readonly left: number;
  readonly right: number;
  readonly at: (t: number) => number;
}

const TAU = Math.PI * 2;
const NOISE = Float32Array.from({ length: 65_536 }, (_, i) => hash32("noise", i) / 2 ** 31 - 1);
/** White noise by time: neighbours in time have nothing to do with each other. */
const noise = (t: number, seed = 0): number => NOISE[(Math.floor(t * RATE) + seed * 7_919) & 65_535] ?? 0;
/** Noise whose value changes `rate` times a second: darker. */
const rumble = (t: number, rate: number, seed = 0): number => {
  const place = t * rate;
  const step = Math.floor(place);
  const a = NOISE[(step + seed * 613) & 65_535] ?? 0;
  const b = NOISE[(step + 1 + seed * 613) & 65_535] ?? 0;
  return a + (b - a) * (place - step);
};
/** A rectangular wave without the harmonics that would fold back. */
const pulse = (phase: number, width: number): number => {
  const p = phase - Math.floor(phase);
  const edge = 0.012;
  const rise = Math.min(1, Math.min(p, 1 - p) / edge);
  const fall = Math.min(1, Math.abs(p - width) / edge);
  return (p < width ? 1 : -1) * Math.min(rise, fall);
};
const triangle = (phase: number): number => 1 - 4 * Math.abs(phase - Math.floor(phase) - 0.5);
const saw = (phase: number): number => 2 * (phase - Math.floor(phase)) - 1;
/** Up in `attack` seconds, then down to nothing at `length`. */
const decay = (t: number, attack: number, length: number): number =>
  t < attack ? t / attack : Math.max(0, 1 - (t - attack) / (length - attack)) ** 2;
const note = (semitones: number): number => 110 * 2 ** (semitones / 12);

function voice(atMs: number, seconds: number, gain: number, at: (t: number) => number, pan = 0): Voice {
  return {
    from: Math.round((atMs * RATE) / 1000),
    length: Math.round(seconds * RATE),
    left: gain * Math.min(1, 1 - pan),
    right: gain * Math.min(1, 1 + pan),
    at,
  };
}

/** What a place sounds like: key, its scale, a bass line and a tune in steps of it, one for each half beat; null is a rest. */
interface Tune {
  readonly key: number;
  readonly scale: readonly number[];
  readonly bass: readonly (number | null)[];
  readonly lead: readonly (number | null)[];
  readonly width: number;
  readonly drums: boolean;
}
const MINOR = [0, 2, 3, 5, 7, 8, 10];
const MAJOR = [0, 2, 4, 5, 7, 9, 11];
const PHRYGIAN = [0, 1, 3, 5, 7, 8, 10];
const R = null;
const TUNES: Readonly<Record<Scene["place"], Tune | null>> = {
  gate: {
    key: 5,
    scale: MINOR,
    bass: [0, R, 0, 4, 3, R, 3, 2],
    lead: [7, R, 9, 8, 7, R, 4, R, 6, R, 7, 6, 4, R, R, R],
    width: 0.25,
    drums: true,
  },
  cave: {
    key: 2,
    scale: PHRYGIAN,
    bass: [0, 0, 1, 0, 0, 0, 3, 1],
    lead: [7, R, 8, 7, R, 5, 4, R, 7, R, 8, 10, R, 8, 7, R],
    width: 0.125,
    drums: true,
  },
  spikes: {
    key: 7,
    scale: MINOR,
    bass: [0, 7, 0, 7, 5, 7, 3, 4],
    lead: [11, 9, 7, 9, 11, R, 12, 11, 9, 7, 6, 7, 9, R, 8, R],
    width: 0.5,
    drums: true,
  },
  hall: {
    key: 0,
    scale: MINOR,
    bass: [0, R, 4, R, 5, R, 3, 4],
    lead: [9, 8, 7, R, 4, 5, 7, R, 9, 8, 7, 6, 7, R, R, R],
    width: 0.25,
    drums: true,
  },
  gatekeeper: {
    key: 3,
    scale: PHRYGIAN,
    bass: [0, 0, 0, 1, 0, 0, 3, 1],
    lead: [7, 7, 8, 7, 10, R, 8, 7, 7, 7, 8, 7, 5, R, 4, R],
    width: 0.5,
    drums: true,
  },
  ads: null,
  secret: {
    key: 9,
    scale: MAJOR,
    bass: [0, R, R, 4, R, R, 2, R],
    lead: [7, 9, 11, 14, 11, 9, 7, R, 8, 10, 12, 15, 12, 10, 8, R],
    width: 0.5,
    drums: false,
  },
  camp: {
    key: 4,
    scale: MAJOR,
    bass: [0, R, R, R, 3, R, R, R],
    lead: [4, R, 6, R, 7, R, R, R, 6, R, 4, R, 2, R, R, R],
    width: 0.5,
    drums: false,
  },
  pause: null,
  throne: {
    key: 1,
    scale: PHRYGIAN,
    bass: [0, 0, 7, 0, 1, 1, 8, 1],
    lead: [11, R, 10, 8, 7, R, 8, 10, 11, 12, 11, 10, 8, R, 7, R],
    width: 0.25,
    drums: true,
  },
  after: {
    key: 5,
    scale: MAJOR,
    bass: [0, R, 2, R, 4, R, 3, R],
    lead: [7, R, 8, 9, R, 7, 4, R, 5, R, 6, 7, R, R, R, R],
    width: 0.5,
    drums: false,
  },
};
const AD_TUNES: readonly {
  readonly tempo: number;
  readonly key: number;
  readonly bass: readonly number[];
}[] = [
  { tempo: 100, key: 7, bass: [0, 3, 4, 3] },
  { tempo: 140, key: 9, bass: [0, 4, 5, 3] },
  { tempo: 60, key: 5, bass: [0, 5, 3, 4] },
];
const step = ({ key, scale }: { key: number; scale: readonly number[] }, degree: number): number =>
  note(key + (scale[degree % scale.length] ?? 0) + 12 * Math.floor(degree / scale.length));

/** A drum with a click at its head: who listens for onsets finds the beat. */
function kick(atMs: number, gain: number): Voice {
  return voice(
    atMs,
    0.16,
    gain,
    (t) =>
      Math.sin(TAU * (48 * t + 9 * (1 - Math.exp(-t * 38)))) * decay(t, 0.002, 0.16) +
      0.5 * noise(t, 17) * Math.exp(-t * 220),
  );
}
const hat = (atMs: number, gain: number): Voice =>
  voice(atMs, 0.04, gain, (t) => noise(t, 3) * decay(t, 0.001, 0.04), 0.3);
const snare = (atMs: number, gain: number): Voice =>
  voice(
    atMs,
    0.12,
    gain,
    (t) => (noise(t, 5) * 0.8 + Math.sin(TAU * 190 * t) * 0.4) * decay(t, 0.001, 0.12),
    -0.2,
  );

/** Stretches in which the music is not there: the fall into lava, the glitch, death. */
const HUSHED = mainEvents
  .filter(({ kind }) => kind === "lava" || kind === "death" || kind === "glitch")
  .map(({ atMs, kind }) => ({ fromMs: atMs, toMs: atMs + (kind === "glitch" ? 4_000 : RESPAWN_AFTER_MS) }));
const hushed = (ms: number): boolean => HUSHED.some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);

function music(): Voice[] {
  const voices: Voice[] = [];
  for (const [i, scene] of scenes.entries()) {
    const tune = TUNES[scene.place];
    if (tune === null || scene.tempo === 0) continue;
    const half = 30_000 / scene.tempo;
    const endMs = scenes[i + 1]?.fromMs ?? PERIOD_MS;
    for (let beat = 0; scene.fromMs + beat * half < endMs - 30; beat++) {
      const atMs = scene.fromMs + beat * half;
      if (hushed(atMs)) continue;
      const seconds = Math.min(half / 1000, (endMs - atMs) / 1000);
      if (beat % 2 === 0) {
        voices.push(kick(atMs, tune.drums ? 0.36 : 0.2));
        if (tune.drums && beat % 4 === 2) voices.push(snare(atMs, 0.15));
      } else if (tune.drums) voices.push(hat(atMs, 0.06));
      const bass = tune.bass[beat % tune.bass.length] ?? null;
      if (bass !== null) {
        const pitch = step(tune, bass) / 2;
        voices.push(voice(atMs, seconds, 0.2, (t) => triangle(pitch * t) * decay(t, 0.03, seconds)));
      }
      // The tune rests every fourth time round, so that the ear does.
      const round = Math.floor(beat / tune.lead.length);
      const lead = round % 4 === 3 ? null : (tune.lead[beat % tune.lead.length] ?? null);
      if (lead !== null) {
        const pitch = step(tune, lead) * (round % 2 === 0 ? 2 : 1);
        const { width } = tune;
        voices.push(
          voice(
            atMs,
            seconds * 0.95,
            0.055,
            (t) => pulse(pitch * t * (1 + 0.002 * Math.sin(TAU * 5 * t)), width) * decay(t, 0.03, seconds),
            -0.25,
          ),
        );
      }
    }
  }
  for (const [i, { fromMs, toMs }] of adSpots.entries()) {
    const { tempo, key, bass } = AD_TUNES[i % AD_TUNES.length] as (typeof AD_TUNES)[number];
    const beatMs = 60_000 / tempo;
    for (let beat = 0; fromMs + beat * beatMs < toMs - 60; beat++) {
      const atMs = fromMs + beat * beatMs;
      const seconds = Math.min((beatMs / 1000) * 1.6, (toMs - atMs) / 1000);
      const root = bass[Math.floor(beat / 4) % bass.length] ?? 0;
      // Soft chords: sines, where the game has edges.
      for (const [n, degree] of [0, 2, 4].entries()) {
        const pitch = step({ key, scale: MAJOR }, root + degree) * 2;
        voices.push(
          voice(
            atMs,
            seconds,
            0.07,
            (t) =>
              (Math.sin(TAU * pitch * t) + 0.3 * Math.sin(TAU * pitch * 2 * t)) * decay(t, 0.03, seconds),
            (n - 1) * 0.4,
          ),
        );
      }
      voices.push(hat(atMs + beatMs / 2, 0.04));
    }
  }
  return voices;
}

/** Vowels by their three formants (Hz). */
const VOWELS = [
  [730, 1_090, 2_440],
  [530, 1_840, 2_480],
  [300, 870, 2_240],
  [570, 840, 2_410],
  [270, 2_290, 3_010],
  [660, 1_720, 2_410],
] as const;

/** One syllable: a hiss or a stop, then a voiced vowel, additive with the harmonics under the vowel's formants. */
function syllable(
  atMs: number,
  seconds: number,
  pitch: number,
  rise: number,
  vowel: number,
  gain: number,
  hiss: number,
): Voice[] {
  const formants = VOWELS[vowel % VOWELS.length] ?? VOWELS[0];
  const partials: number[] = [];
  for (let n = 1; n * pitch < 3_600; n++) {
    const hz = n * pitch;
    const strength = formants.reduce(
      (sum, formant, i) => sum + (1 / (1 + ((hz - formant) / (70 + i * 40)) ** 2)) * (1 - i * 0.28),
      0.015,
    );
    partials.push(strength / Math.sqrt(n));
  }
  const whole = 1 / Math.sqrt(partials.reduce((sum, part) => sum + part * part, 0));
  const voiced = voice(atMs, seconds, gain, (t) => {
    const phase = TAU * (pitch * t * (1 + (rise * t) / 2) + 0.012 * Math.sin(TAU * 5.5 * t));
    // Harmonics by the recurrence of Chebyshev: one sine and cosine for all of them.
    const cosine = 2 * Math.cos(phase);
    let before = 0;
    let now = Math.sin(phase);
    let sum = 0;
    for (const part of partials) {
      sum += part * now;
      const next = cosine * now - before;
      before = now;
      now = next;
    }
    return sum * whole * Math.min(1, t / 0.02, (seconds - t) / 0.04);
  });
  return hiss === 0
    ? [voiced]
    : [voiced, voice(atMs - 45, 0.055, gain * hiss, (t) => noise(t, 11) * decay(t, 0.01, 0.055))];
}

/** What is said, as babble with the rhythm of speech: four to five syllables a second, words, a falling end; shouts go up. */
function talk(): Voice[] {
  const voices: Voice[] = [];
  for (const { event, fromMs, toMs, shout } of speech) {
    let atMs = fromMs;
    for (let n = 0; atMs < toMs - 80; n++) {
      const seed = hash32(event, n);
      const last = toMs - atMs < 330;
      const seconds = (shout ? 0.2 : 0.13) + (seed % 70) / 1_000 + (last ? 0.12 : 0);
      const through = (atMs - fromMs) / (toMs - fromMs);
      const pitch = (shout ? 255 : 128) * (1 + ((seed >>> 8) % 30) / 130) * (1 - 0.16 * through);
      voices.push(
        ...syllable(
          atMs,
          seconds,
          pitch,
          shout ? 0.5 : last ? -0.6 : 0.1,
          seed >>> 4,
          shout ? 0.75 : 0.34,
          seed % 3 === 0 ? 0.3 : 0,
        ),
      );
      atMs += seconds * 1_000 + 26 + (n % 4 === 3 ? 120 : 0);
    }
  }
  return voices;
}

/** Many at once, or one who cannot stop: formants that glide over noise and a high voice. */
function cheer(atMs: number, seconds: number, gain: number): Voice[] {
  const voices: Voice[] = [];
  for (let n = 0; n * 0.42 < seconds - 0.4; n++)
    voices.push(
      ...syllable(
        atMs + n * 420,
        0.4,
        300 + (hash32("cheer", atMs, n) % 120),
        0.35,
        n % 2 === 0 ? 0 : 3,
        gain,
        0,
      ),
    );
  voices.push(
    voice(
      atMs,
      seconds,
      gain * 0.28,
      (t) =>
        rumble(t, 5_200, 2) *
        Math.min(1, t / 0.2, (seconds - t) / 0.8) *
        (0.8 + 0.2 * Math.sin(TAU * 3.1 * t)),
    ),
  );
  return voices;
}

function effects(): Voice[] {
  const voices: Voice[] = [];
  for (const atMs of jumps) {
    if (sceneAt(atMs).tempo === 0) continue;
    voices.push(
      voice(atMs, 0.15, 0.07, (t) => pulse(330 * t + 1_500 * t * t, 0.5) * decay(t, 0.003, 0.15), -0.1),
    );
    voices.push(voice(atMs + JUMP_MS, 0.05, 0.08, (t) => rumble(t, 900) * decay(t, 0.002, 0.05)));
  }
  for (const atMs of blows)
    voices.push(
      voice(
        atMs,
        0.22,
        0.3,
        (t) => (noise(t, 7) * 0.6 + saw((180 - 380 * t) * t) * 0.5) * decay(t, 0.001, 0.22),
        0.2,
      ),
    );
  const bang = (atMs: number, gain: number, seconds: number): void => {
    voices.push(
      voice(
        atMs,
        seconds,
        gain,
        (t) =>
          (rumble(t, 2_600 * Math.exp(-t * 1.6) + 160, 1) + 0.6 * Math.sin(TAU * (70 * t - 16 * t * t))) *
          decay(t, 0.002, seconds),
      ),
      voice(atMs, 0.12, gain * 0.8, (t) => noise(t, 13) * decay(t, 0.001, 0.12)),
    );
  };
  for (const { kind, atMs } of mainEvents)
    switch (kind) {
      case "lava":
        bang(atMs, 0.85, 1.6);
        // It goes on burning.
        voices.push(
          voice(
            atMs + 300,
            3.6,
            0.12,
            (t) =>
              rumble(t, 4_000, 4) * (0.5 + 0.5 * rumble(t, 17, 6)) * Math.min(1, t / 0.3, (3.6 - t) / 0.8),
          ),
        );
        for (let n = 0; n < 5; n++)
          voices.push(
            voice(
              atMs + 700 + n * 220,
              0.2,
              0.12,
              (t) => pulse((300 - n * 42) * t, 0.25) * decay(t, 0.004, 0.2),
            ),
          );
        break;
      case "death":
        bang(atMs, 0.7, 1.2);
        for (let n = 0; n < 6; n++)
          voices.push(
            voice(
              atMs + 600 + n * 420,
              0.4,
              0.13,
              (t) => pulse(note(17 - n * 3) * t, 0.5) * decay(t, 0.01, 0.4),
            ),
          );
        break;
      case "boss_miss":
        // Steel on stone.
        for (const hz of [2_130, 3_370, 4_510])
          voices.push(
            voice(
              atMs,
              1.1,
              0.24,
              (t) => Math.sin(TAU * hz * t) * Math.exp(-t * 5) * decay(t, 0.001, 1.1),
              0.4,
            ),
          );
        bang(atMs, 0.5, 0.4);
        break;
      case "boss_hit":
        bang(atMs, 0.6, 0.9);
        break;
      case "glitch":
        voices.push(
          voice(
            atMs,
            1.5,
            0.3,
            (t) =>
              pulse(t * (90 + 400 * Math.abs(rumble(t, 24, 9))), 0.3) *
              (noise(Math.floor(t * 30) / 30, 2) > -0.3 ? 1 : 0),
          ),
        );
        break;
      case "three_spikes":
      case "secret":
      case "checkpoint":
      case "gift_bomb":
        for (let n = 0; n < (kind === "checkpoint" ? 3 : 7); n++)
          voices.push(
            voice(
              atMs + n * 90,
              0.3,
              0.11,
              (t) => pulse(note(24 + [0, 4, 7, 12, 16, 19, 24][n]!) * t, 0.25) * decay(t, 0.003, 0.3),
              0.3,
            ),
          );
        if (kind !== "checkpoint") voices.push(...cheer(atMs + 700, 2.2, 0.34));
        break;
      case "boss_phase":
        voices.push(
          voice(
            atMs,
            2.2,
            0.5,
            (t) => (saw(46 * t) * 0.5 + rumble(t, 340, 8)) * Math.min(1, t / 0.1, (2.2 - t) / 0.9),
          ),
        );
        break;
      case "raid":
        for (let n = 0; n < 8; n++)
          voices.push(
            voice(
              atMs + n * 150,
              0.16,
              0.12,
              (t) => pulse(note(19 + (n % 4) * 4) * t, 0.5) * decay(t, 0.004, 0.16),
            ),
          );
        voices.push(...cheer(atMs + 400, 3, 0.3));
        break;
      case "win":
        bang(atMs, 0.9, 2.4);
        voices.push(...cheer(atMs + 500, 9, 0.55));
        for (let n = 0; n < 24; n++) {
          voices.push(
            voice(
              atMs + 3_000 + n * 360,
              0.5,
              0.2,
              (t) => rumble(t, 3_000, n) * decay(t, 0.002, 0.5),
              ((n * 7) % 10) / 10 - 0.5,
            ),
          );
          voices.push(
            voice(
              atMs + 600 + n * 300,
              0.32,
              0.1,
              (t) => pulse(note(24 + [0, 4, 7, 12][n % 4]!) * t, 0.25) * decay(t, 0.004, 0.32),
            ),
          );
        }
        break;
      default:
    }
  for (const { event, fromMs, shout } of speech)
    if (shout && event !== "win") voices.push(...cheer(fromMs + 100, 1.3, 0.3));
  return voices;
}

/** A room that is never quite still: but not in the technical pause. */
const PAUSE = { fromMs: eventOf("pause").atMs, toMs: eventOf("pause-end").atMs } as const;
export const silences: readonly { readonly fromMs: number; readonly toMs: number }[] = [PAUSE];
const muted = (sample: number): boolean =>
  sample >= (PAUSE.fromMs / 1000) * RATE && sample < (PAUSE.toMs / 1000) * RATE;
const ROOM = 0.002;

let all: { readonly voices: readonly Voice[]; readonly longest: number } | null = null;
function everything(): NonNullable<typeof all> {
  if (all !== null) return all;
  const voices = [...music(), ...talk(), ...effects()].sort((a, b) => a.from - b.from);
  all = { voices, longest: Math.max(...voices.map(({ length }) => length)) };
  return all;
}
/** Samples [from, from + count) of the loop, left and right by turns, each in −1…1. A pure function of its arguments. */
export function soundOf(from: number, count: number): Float32Array {
  const out = new Float32Array(count * 2);
  const { voices, longest } = everything();
  const wrapped = ((from % LOOP_SAMPLES) + LOOP_SAMPLES) % LOOP_SAMPLES;
  // What began before the loop's end sounds into its begin no more: the streams are cut there.
  let first = 0;
  for (let high = voices.length; first < high;) {
    const middle = (first + high) >> 1;
    if ((voices[middle]?.from ?? 0) < wrapped - longest) first = middle + 1;
    else high = middle;
  }
  for (let i = first; i < voices.length; i++) {
    const voice = voices[i] as Voice;
    if (voice.from >= wrapped + count) break;
    const begin = Math.max(wrapped, voice.from);
    const end = Math.min(wrapped + count, voice.from + voice.length);
    for (let sample = begin; sample < end; sample++) {
      const value = voice.at((sample - voice.from) / RATE);
      const at = (sample - wrapped) * 2;
      out[at] = (out[at] ?? 0) + value * voice.left;
      out[at + 1] = (out[at + 1] ?? 0) + value * voice.right;
    }
  }
  for (let i = 0; i < count; i++) {
    const sample = (wrapped + i) % LOOP_SAMPLES;
    if (muted(sample)) {
      out[i * 2] = 0;
      out[i * 2 + 1] = 0;
      continue;
    }
    const room = (NOISE[(sample * 3) & 65_535] ?? 0) * ROOM;
    out[i * 2] = Math.tanh((out[i * 2] ?? 0) + room);
    out[i * 2 + 1] = Math.tanh((out[i * 2 + 1] ?? 0) + room);
  }
  return out;
}
