import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { detect } from "beat-detection";
import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import { ADS, speech } from "@hypecast/demo/video/shots.ts";
import { RATE, silences, soundOf } from "@hypecast/demo/video/sound.ts";
import { PERIOD_MS, sceneAt } from "@hypecast/demo/world.ts";
import { audio } from "@hypecast/streamproc/processors/audio.ts";
import { runOf } from "@hypecast/streamproc/processors/run.ts";
import { Gated, lufsOf, meanSquareOf } from "@hypecast/streamproc/signals/loudness.ts";
import { measureSound } from "@hypecast/streamproc/signals/sound.ts";
import { tempoOf } from "@hypecast/streamproc/processors/tempo.ts";
import { unpack } from "@hypecast/streamproc/signals/signature.ts";

const SEGMENT = 2 * RATE;
const PREROLL = RATE / 5;
const CLIPS = 40;
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Sound of stereo segments, each with the end of the one before it as pre-roll. */
function* measuredOf(samples: Float32Array): Generator<ReturnType<typeof measureSound>> {
  for (let at = 0; 2 * at < samples.length; at += SEGMENT) {
    const preroll = Math.min(at, PREROLL);
    const part = samples.subarray(2 * (at - preroll), 2 * (at + SEGMENT));
    yield measureSound({ samples: part, channels: 2, preroll, tracks: 1 });
  }
}

/** Differences from ffmpeg's ebur128 on the sound of real clips, joined; null where there are none. */
export function loudnessOf(
  data: string,
): { integrated: number; ffmpeg: number; largest: number; seconds: number } | null {
  const folder = join(data, "footage/fights/noFight");
  if (!existsSync(folder)) return null;
  const parts: Buffer[] = [];
  for (const name of readdirSync(folder).toSorted().slice(0, CLIPS)) {
    const { stdout, status } = spawnSync(
      "ffmpeg",
      [
        "-v",
        "error",
        "-i",
        join(folder, name),
        "-vn",
        "-ac",
        "2",
        "-ar",
        String(RATE),
        "-f",
        "f32le",
        "pipe:1",
      ],
      { maxBuffer: 2 ** 28 },
    );
    if (status === 0 && stdout.length > 0) parts.push(stdout);
  }
  const pcm = Buffer.concat(parts);
  if (pcm.length === 0) return null;
  const samples = new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length));
  const { stdout } = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-f", "f32le", "-ar", String(RATE), "-ac", "2", "-i", "pipe:0"],
      ...["-af", "ebur128=metadata=1,ametadata=print:file=-", "-f", "null", "-"],
    ],
    { input: pcm, encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  // Of digital silence it says "nan", which compares with nothing.
  const theirs = (name: string): number[] =>
    [...stdout.matchAll(new RegExp(`lavfi\\.r128\\.${name}=(\\S+)`, "g"))].map((match) => Number(match[1]));
  const blocks = [...measuredOf(samples)].flatMap((measured) => measured.loudness);
  const momentary = theirs("M");
  const gated = new Gated();
  let largest = 0;
  for (let end = 4; end <= Math.min(blocks.length, momentary.length); end++) {
    const energy = blocks.slice(end - 4, end).reduce((sum, lufs) => sum + meanSquareOf(lufs), 0) / 4;
    gated.add(energy);
    if (momentary[end - 1]! > -60)
      largest = Math.max(largest, Math.abs(lufsOf(energy) - momentary[end - 1]!));
  }
  const integrated = gated.integrated() ?? NaN;
  const ffmpeg = theirs("I").at(-1) ?? NaN;
  return {
    integrated: round(integrated),
    ffmpeg,
    largest: round(Math.max(largest, Math.abs(integrated - ffmpeg))),
    seconds: Math.round(samples.length / 2 / RATE),
  };
}

/** The audio fold over the demo's whole loop. */
function demoWindows(): AudioWindow[] {
  const run = runOf([audio], "1");
  const windows: AudioWindow[] = [];
  let before = new Float32Array(0);
  for (let startMs = 0, seq = 0; startMs < PERIOD_MS; startMs += 2000, seq++) {
    const own = soundOf((startMs * RATE) / 1000, SEGMENT);
    const samples = new Float32Array(before.length + own.length);
    samples.set(before);
    samples.set(own, before.length);
    const sound = measureSound({ samples, channels: 2, preroll: before.length / 2, tracks: 1 });
    before = own.slice(own.length - 2 * PREROLL);
    const measured = {
      ...{ id: String(seq), channelId: "1", epoch: 0, seq, startMs, durationMs: 2000, discontinuity: false },
      ...{ ad: startMs >= ADS.fromMs && startMs < ADS.toMs, failed: null, picture: null, sound },
      ...{ framesKey: null, thumbKey: null },
    };
    for (const said of run.step({ type: "measured", measured }))
      if (said.type === "audio") windows.push(said.audio);
  }
  return windows;
}

interface Hits {
  precision: number;
  recall: number;
  seconds: number;
}
function hits(
  windows: readonly AudioWindow[],
  says: (window: AudioWindow) => boolean,
  spans: readonly { fromMs: number; toMs: number }[],
): Hits {
  let right = 0;
  let said = 0;
  let there = 0;
  for (const window of windows) {
    // A second that is half in a span is not counted.
    const inside = spans.some(
      ({ fromMs, toMs }) => fromMs <= window.startMs + 300 && toMs >= window.startMs + 700,
    );
    const touched = spans.some(({ fromMs, toMs }) => fromMs < window.startMs + 1000 && toMs > window.startMs);
    if (touched !== inside) continue;
    if (inside) there++;
    if (!says(window)) continue;
    said++;
    if (inside) right++;
  }
  return {
    precision: round(right / Math.max(1, said)),
    recall: round(right / Math.max(1, there)),
    seconds: there,
  };
}

/** Speech, silence and tempo against the demo's script, outside of its ads. */
export function onDemo(): {
  speech: Hits & { falseShare: number };
  silence: Hits;
  tempo: { within3Percent: number; octaveCounted: number; none: number; seconds: number };
} {
  const windows = demoWindows().filter((window) => !window.ad);
  const speaks = (window: AudioWindow): boolean => window.voice >= 0.5;
  const quiet = windows.filter(
    ({ startMs }) => !speech.some(({ fromMs, toMs }) => fromMs < startMs + 1000 && toMs > startMs),
  );
  let right = 0;
  let octave = 0;
  let none = 0;
  let seconds = 0;
  for (const { startMs, tempo } of windows) {
    const scene = sceneAt(startMs);
    // The twelve seconds before have to be of the same tune.
    if (scene.tempo === 0 || sceneAt(startMs - 13_000) !== scene) continue;
    seconds++;
    if (tempo === null) none++;
    else if (Math.abs(tempo / scene.tempo - 1) < 0.03) right++;
    else if ([0.5, 2].some((times) => Math.abs(tempo / scene.tempo / times - 1) < 0.03)) octave++;
  }
  return {
    speech: {
      ...hits(windows, speaks, speech),
      falseShare: round(quiet.filter(speaks).length / Math.max(1, quiet.length)),
    },
    silence: hits(windows, (window) => window.silence, silences),
    tempo: {
      within3Percent: round(right / seconds),
      octaveCounted: round((right + octave) / seconds),
      none: round(none / seconds),
      seconds,
    },
  };
}

/** A kick on the beat, a hat between, under some noise. */
function drums(bpm: number, seconds: number): Float32Array {
  const samples = new Float32Array(2 * seconds * RATE);
  const beat = (60 * RATE) / bpm;
  let state = 1;
  for (let i = 0; i < seconds * RATE; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const noise = state / 2 ** 31 - 1;
    const since = i % beat;
    const hat = (i + beat / 2) % beat;
    const value =
      0.7 * Math.sin((2 * Math.PI * 60 * since) / RATE) * Math.exp(-since / 4000) +
      0.2 * noise * Math.exp(-hat / 900) +
      0.01 * noise;
    samples[2 * i] = value;
    samples[2 * i + 1] = value;
  }
  return samples;
}

export function tempoOnClicks(): Record<string, { ours: number | null; beatDetection: number }> {
  return Object.fromEntries(
    [75, 90, 112, 128, 150, 174].map((bpm) => {
      const samples = drums(bpm, 12);
      const onsets = [...measuredOf(samples)].flatMap((measured) => [...unpack(measured.onsets)]);
      const mono = Float32Array.from({ length: samples.length / 2 }, (_, i) => samples[2 * i]!);
      return [
        bpm,
        {
          ours: tempoOf(Uint8Array.from(onsets)).bpm,
          beatDetection: Math.round(detect(mono, { fs: RATE }).bpm * 10) / 10,
        },
      ];
    }),
  );
}
