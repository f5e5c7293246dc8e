import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import { Gated, lufsOf, meanSquareOf } from "../signals/loudness.ts";
import { unpack } from "../signals/signature.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { Quantiles } from "./quantiles.ts";
import { tempoOf } from "./tempo.ts";

/** Blocks of 100 ms in a window, in momentary and in short-term loudness (EBU Tech 3341), and how many of them are kept. */
const WINDOW = 10;
const MOMENTARY = 4;
const SHORT_TERM = 30;
/** Onset strengths that the tempo is taken from: 12 s. */
const TEMPO_ONSETS = 1200;
/** A cut-off second counts from half a second on. */
const LEAST_BLOCKS = 5;
/** Segments whose times do not meet by more than this do not follow each other. */
const SLACK_MS = 500;
/** What is usual is forgotten by half in ten minutes; nothing is usual before twenty seconds. */
const HALF_LIFE_S = 600;
const LEARN_S = 20;
/** Silent: everything below this, or so far below the usual. */
const SILENT_LUFS = -55;
const SILENT_BELOW_USUAL = 25;
/** An onset is 200 ms against the second before them, and stands out by this many robust standard deviations. */
const ONSET_BLOCKS = 2;
const ONSET_Z = 4;
const ONSET_LEAST_LU = 5;
/** The stream's own rises vary by at least this much, in LU. */
const LEAST_SPREAD_LU = 1;
const SPEECH = 0.5;

interface Block {
  atMs: number;
  lufs: number;
  peak: number;
  voice: number;
}

export interface AudioState {
  readonly channelId: string;
  epoch: number;
  seq: number;
  endMs: number;
  ad: boolean;
  /** The last three seconds, oldest first; the newest `open` of them are the window that is being filled. */
  blocks: Block[];
  open: number;
  /** Newest last. */
  onsets: Uint8Array;
  gated: Gated;
  /** Short-term loudness of each second, and each second's largest rise. */
  usual: Quantiles;
  rises: Quantiles;
}

const newUsual = (): Quantiles => new Quantiles(-70, 10, 0.5, HALF_LIFE_S);
const newRises = (): Quantiles => new Quantiles(-10, 70, 0.5, HALF_LIFE_S);

export const audio = defineFold<AudioState>({
  name: "audio",
  says: "Loudness, onsets, silence, speech and tempo of the stream's sound, every second",
  version: 1,
  initial: (channelId) => ({
    channelId,
    epoch: -1,
    seq: -1,
    endMs: 0,
    ad: false,
    blocks: [],
    open: 0,
    onsets: new Uint8Array(0),
    gated: new Gated(),
    usual: newUsual(),
    rises: newRises(),
  }),
  step(state, input, emit) {
    if (input.type === "measured") measured(state, input.measured, emit);
  },
  save,
  load: (channelId, version, bytes) => (version === 1 ? load(channelId, bytes) : null),
});

function measured(state: AudioState, segment: VideoMeasured, emit: Emit): void {
  const { epoch, seq, startMs, durationMs, sound } = segment;
  if (epoch < state.epoch || (epoch === state.epoch && seq <= state.seq)) return;
  if (epoch !== state.epoch) state.gated = new Gated();
  const follows =
    epoch === state.epoch &&
    seq === state.seq + 1 &&
    Math.abs(startMs - state.endMs) <= SLACK_MS &&
    !segment.discontinuity &&
    segment.ad === state.ad;
  if (!follows || sound === null) breakOff(state, emit);
  state.epoch = epoch;
  state.seq = seq;
  state.endMs = startMs + durationMs;
  state.ad = segment.ad;
  if (sound === null) return;
  const count = Math.min(sound.loudness.length, sound.peak.length, sound.voice.length);
  const onsets = unpack(sound.onsets);
  for (let i = 0; i < count; i++) {
    // The onsets of a block come with it, so that a window has heard those of its own time and no later ones.
    const from = Math.floor((i * onsets.length) / count);
    hear(state, onsets.subarray(from, Math.floor(((i + 1) * onsets.length) / count)));
    state.blocks.push({
      atMs: startMs + Math.round((i * durationMs) / count),
      lufs: sound.loudness[i]!,
      peak: sound.peak[i]!,
      voice: sound.voice[i]!,
    });
    if (state.blocks.length > SHORT_TERM) state.blocks.shift();
    state.open++;
    if (!state.ad && state.blocks.length >= MOMENTARY) state.gated.add(energyOf(state.blocks, MOMENTARY));
    if (state.open === WINDOW) closeWindow(state, emit);
  }
}

function hear(state: AudioState, onsets: Uint8Array): void {
  const kept = state.onsets.subarray(Math.max(0, state.onsets.length + onsets.length - TEMPO_ONSETS));
  const joined = new Uint8Array(kept.length + onsets.length);
  joined.set(kept);
  joined.set(onsets, kept.length);
  state.onsets = joined;
}

/** What follows does not continue what was heard: a gap, a discontinuity, an advertisement's edge. */
function breakOff(state: AudioState, emit: Emit): void {
  if (state.open >= LEAST_BLOCKS) closeWindow(state, emit);
  state.blocks = [];
  state.open = 0;
  state.onsets = new Uint8Array(0);
}

/** Mean square of the newest `count` blocks. */
function energyOf(blocks: readonly Block[], count: number): number {
  let sum = 0;
  for (let i = blocks.length - count; i < blocks.length; i++) sum += meanSquareOf(blocks[i]!.lufs);
  return sum / count;
}

function closeWindow(state: AudioState, emit: Emit): void {
  const { blocks, usual, channelId, ad } = state;
  const own = blocks.slice(blocks.length - state.open);
  state.open = 0;
  let momentary: number | null = null;
  for (let end = blocks.length - own.length + 1; end <= blocks.length; end++)
    if (end >= MOMENTARY)
      momentary = Math.max(momentary ?? -Infinity, lufsOf(energyOf(blocks.slice(0, end), MOMENTARY)));
  const shortTerm = blocks.length < SHORT_TERM ? null : lufsOf(energyOf(blocks, SHORT_TERM));
  const usualLufs = usual.entries < LEARN_S ? null : usual.at(0.5);
  const loudest = Math.max(...own.map((block) => block.lufs));
  const silence = loudest < SILENT_LUFS || (usualLufs !== null && loudest < usualLufs - SILENT_BELOW_USUAL);
  const rise = largestRise(blocks, own.length);
  const tempo = tempoOf(state.onsets);
  const integrated = state.gated.integrated();
  const window: AudioWindow = {
    id: `${channelId}:${own[0]!.atMs}`,
    channelId,
    startMs: own[0]!.atMs,
    ad,
    momentary: momentary === null ? null : round(momentary),
    shortTerm: shortTerm === null ? null : round(shortTerm),
    integrated: integrated === null ? null : round(integrated),
    peak: Math.max(...own.map((block) => block.peak)),
    aboveUsual: shortTerm === null || usualLufs === null ? 0 : round(shortTerm - usualLufs),
    onset: rise === null ? 0 : onsetOf(state, rise),
    silence,
    voice: round(own.filter((block) => block.voice >= SPEECH).length / own.length),
    tempo: tempo.bpm,
    tempoStrength: tempo.strength,
  };
  emit({ type: "audio", audio: window });
  // An advertisement is as loud as it likes: it does not change what is usual here, nor does silence.
  if (ad) return;
  if (shortTerm !== null && !silence) usual.add(shortTerm);
  if (rise !== null) state.rises.add(rise);
}

/** In the window's blocks: how far 200 ms rise above the second before them, in LU; null where there was no second before. */
function largestRise(blocks: readonly Block[], own: number): number | null {
  let largest: number | null = null;
  for (let at = blocks.length - own; at + ONSET_BLOCKS <= blocks.length; at++) {
    if (at < WINDOW) continue;
    let now = 0;
    for (let i = at; i < at + ONSET_BLOCKS; i++) now += meanSquareOf(blocks[i]!.lufs) / ONSET_BLOCKS;
    let before = 0;
    for (let i = at - WINDOW; i < at; i++) before += meanSquareOf(blocks[i]!.lufs) / WINDOW;
    // What is quieter than any room does not make the first sound after it an onset of a hundred LU.
    const rise = lufsOf(now) - Math.max(lufsOf(before), SILENT_LUFS);
    largest = Math.max(largest ?? -Infinity, rise);
  }
  return largest;
}

function onsetOf(state: AudioState, rise: number): number {
  const { rises } = state;
  if (rises.entries < LEARN_S || rise < ONSET_LEAST_LU) return 0;
  const spread = Math.max(LEAST_SPREAD_LU, (rises.at(0.75) - rises.at(0.25)) / 1.349);
  const z = (rise - rises.at(0.5)) / spread;
  return z < ONSET_Z ? 0 : round(z);
}

const round = (value: number): number => Math.round(value * 100) / 100;

const NUMBERS = ["epoch", "seq", "endMs", "open"] as const;
const BLOCK_NUMBERS = ["atMs", "lufs", "peak", "voice"] as const;

function save(state: AudioState): Uint8Array {
  const out = new ByteWriter();
  for (const name of NUMBERS) out.number(state[name]);
  // A channel without video has nothing more to say.
  if (state.epoch < 0) return out.done();
  out.u8(state.ad ? 1 : 0);
  out.uint(state.blocks.length);
  for (const block of state.blocks) for (const name of BLOCK_NUMBERS) out.number(block[name]);
  out.raw(state.onsets);
  const entries = state.gated.entries();
  out.uint(entries.length);
  for (const [step, count] of entries) {
    out.uint(step);
    out.uint(count);
  }
  state.usual.save(out);
  state.rises.save(out);
  return out.done();
}

function load(channelId: string, saved: Uint8Array): AudioState {
  const bytes = new ByteReader(saved);
  const state = audio.initial(channelId);
  for (const name of NUMBERS) state[name] = bytes.number();
  if (state.epoch < 0) return state;
  state.ad = bytes.u8() === 1;
  for (let left = bytes.uint(); left > 0; left--) {
    const block = { atMs: 0, lufs: 0, peak: 0, voice: 0 };
    for (const name of BLOCK_NUMBERS) block[name] = bytes.number();
    state.blocks.push(block);
  }
  state.onsets = bytes.raw();
  for (let left = bytes.uint(); left > 0; left--) state.gated.set(bytes.uint(), bytes.uint());
  state.usual.load(bytes);
  state.rises.load(bytes);
  return state;
}
