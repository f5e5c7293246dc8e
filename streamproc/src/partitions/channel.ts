import type { HypeForecast } from "@hypecast/contracts/hype.ts";
import { isHandover, type Emit, type Fold, type FoldInput, type FoldOutput } from "../processors/fold.ts";

/** One channel as the folds of the list see it: a state for each, and what the engine itself keeps. */
export interface Channel {
  readonly id: string;
  /** By the fold's place in the list. */
  readonly states: unknown[];
  /** `linesIn` when the fold last started anew: its counts begin there. */
  readonly bases: number[];
  /** Every line that the log had for this channel. */
  linesIn: number;
  /** Event time of the newest line or alive mark; 0: none yet. */
  newestMs: number;
  /** When the log stored the last event (the log's clock): a channel without any for long is forgotten. */
  storedAtMs: number;
  /** The latest that was emitted: live ticks repeat it. */
  forecast: HypeForecast | null;
  /** What was said of its lines to whoever counts them (metrics), by outcome. */
  told: Record<string, number>;
  /** Changed since its state was last committed. */
  dirty: boolean;
  /** Nothing more will come: the next commit forgets it. */
  ended: boolean;
}

export function newChannel(id: string, folds: readonly Fold[]): Channel {
  return {
    id,
    states: folds.map((fold) => fold.initial(id)),
    bases: folds.map(() => 0),
    linesIn: 0,
    newestMs: 0,
    storedAtMs: 0,
    forecast: null,
    told: {},
    dirty: true,
    ended: false,
  };
}

/** Runs the list over one event of the channel. What is for the log is appended to `outputs`. */
export function stepChannel(
  channel: Channel,
  folds: readonly Fold[],
  event: FoldInput,
  outputs: FoldOutput[],
): void {
  channel.dirty = true;
  if (event.type === "alive") channel.newestMs = Math.max(channel.newestMs, event.atMs);
  else if (event.type === "lines") {
    channel.linesIn += event.lines.length;
    for (const { sentAtMs } of event.lines) if (sentAtMs > channel.newestMs) channel.newestMs = sentAtMs;
  }
  runFolds(channel, folds, 0, [event], outputs);
}

/** From fold `first` on, each fold sees `said`, then what the ones before it in this step have added to it. */
function runFolds(
  channel: Channel,
  folds: readonly Fold[],
  first: number,
  said: FoldInput[],
  outputs: FoldOutput[],
): void {
  const emit = emitter(channel, said, outputs);
  for (let i = first; i < folds.length; i++) {
    const upTo = said.length; // a fold does not see what it says itself
    for (let k = 0; k < upTo; k++) folds[i]!.step(channel.states[i], said[k]!, emit);
  }
}

const emitter =
  (channel: Channel, said: FoldInput[], outputs: FoldOutput[]): Emit =>
  (output) => {
    said.push(output);
    if (isHandover(output)) return;
    outputs.push(output);
    if (output.type === "forecast") channel.forecast = output.forecast;
  };

/** The rows that fold `i` wants scored, or null. */
export const askOf = (channel: Channel, folds: readonly Fold[], i: number): Float32Array | null =>
  folds[i]!.model?.ask(channel.states[i]) ?? null;

/** Hands fold `i` its model's answer; the folds behind it see what it says about it. */
export function answerTo(
  channel: Channel,
  folds: readonly Fold[],
  i: number,
  answer: Record<string, Float32Array> | null,
  version: string,
  outputs: FoldOutput[],
): void {
  channel.dirty = true;
  const said: FoldInput[] = [];
  folds[i]!.model?.answer(channel.states[i], answer, version, emitter(channel, said, outputs));
  if (said.length > 0) runFolds(channel, folds, i + 1, said, outputs);
}

/** What became of a channel's lines, by the first fold that counts them. */
export function outcomesOf(channel: Channel, folds: readonly Fold[]): Record<string, number> {
  for (const [i, fold] of folds.entries()) {
    const counts = fold.counts?.(channel.states[i]);
    if (counts !== undefined) return { counted: counts.counted, late: counts.late, ...counts.dropped };
  }
  return {};
}

/** Throws when a fold has lost or doubled a line: in = out + late + dropped, for each fold that counts. */
export function checkCounts(channel: Channel, folds: readonly Fold[]): void {
  const lines = channel.linesIn;
  for (const [i, fold] of folds.entries()) {
    const counts = fold.counts?.(channel.states[i]);
    if (counts === undefined) continue;
    const dropped = Object.values(counts.dropped).reduce((sum, n) => sum + n, 0);
    const sum = counts.counted + counts.late + dropped;
    if (sum !== lines - channel.bases[i]!)
      throw new Error(
        `fold ${fold.name}, channel ${channel.id}: in ${lines - channel.bases[i]!} ≠ out ${counts.counted} + late ${counts.late} + dropped ${dropped}`,
      );
  }
}

/** The form of the record below. A record of another form is refused: see docs/recovery.md. */
const RECORD_FORM = 1;

interface RecordHead {
  form: number;
  id: string;
  linesIn: number;
  newestMs: number;
  storedAtMs: number;
  forecast: HypeForecast | null;
  folds: { name: string; version: number; base: number; bytes: number }[];
}

/** The channel as bytes: u32 length of the head, head as JSON, each fold's bytes. */
export function saveChannel(channel: Channel, folds: readonly Fold[]): Buffer {
  const bodies = folds.map((fold, i) => fold.save(channel.states[i]));
  const head: RecordHead = {
    form: RECORD_FORM,
    id: channel.id,
    linesIn: channel.linesIn,
    newestMs: channel.newestMs,
    storedAtMs: channel.storedAtMs,
    forecast: channel.forecast,
    folds: folds.map((fold, i) => ({
      name: fold.name,
      version: fold.version,
      base: channel.bases[i]!,
      bytes: bodies[i]!.byteLength,
    })),
  };
  const headBytes = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(headBytes.length);
  return Buffer.concat([length, headBytes, ...bodies]);
}

/**
 * The channel from its bytes. A fold that is new, or cannot read what it wrote, starts anew for this channel: `anew` names
 * it, and its first input is a gap over the windows that were open, so that they are marked incomplete instead of low.
 */
export function loadChannel(
  bytes: Uint8Array,
  folds: readonly Fold[],
  outputs: FoldOutput[],
): { channel: Channel; anew: string[] } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headEnd = 4 + buffer.readUInt32LE(0);
  const head = JSON.parse(buffer.toString("utf8", 4, headEnd)) as RecordHead;
  if (head.form !== RECORD_FORM)
    throw new Error(
      `the saved state of channel ${head.id} has form ${head.form}, this program reads form ${RECORD_FORM}: run the version that wrote it, or start on an empty data folder`,
    );
  const saved = new Map<string, { version: number; base: number; bytes: Uint8Array }>();
  let at = headEnd;
  for (const fold of head.folds) {
    saved.set(fold.name, { ...fold, bytes: buffer.subarray(at, at + fold.bytes) });
    at += fold.bytes;
  }

  const lines = head.linesIn;
  const states: unknown[] = [];
  const bases: number[] = [];
  const anew: number[] = [];
  for (const [i, fold] of folds.entries()) {
    const record = saved.get(fold.name);
    const state = record === undefined ? null : readState(fold, head.id, record);
    if (state === null) anew.push(i);
    states.push(state ?? fold.initial(head.id));
    bases.push(state === null ? lines : (record?.base ?? 0));
  }
  const channel: Channel = {
    id: head.id,
    states,
    bases,
    linesIn: head.linesIn,
    newestMs: head.newestMs,
    storedAtMs: head.storedAtMs,
    forecast: head.forecast,
    told: {},
    dirty: anew.length > 0,
    ended: false,
  };
  for (const i of anew) markUnheard(channel, folds, i, outputs);
  channel.told = outcomesOf(channel, folds);
  return { channel, anew: anew.map((i) => folds[i]!.name) };
}

/** Bytes that make a fold throw are bytes that it cannot read: one channel starts anew, and the partition goes on. */
function readState(fold: Fold, channelId: string, record: { version: number; bytes: Uint8Array }): unknown {
  try {
    return fold.load(channelId, record.version, record.bytes);
  } catch {
    return null;
  }
}

/** Watermark delay and longest window: what may have been open when the state was saved. */
const WATERMARK_MS = 2000;
const LONGEST_WINDOW_MS = 60_000;

function markUnheard(channel: Channel, folds: readonly Fold[], i: number, outputs: FoldOutput[]): void {
  if (channel.newestMs === 0) return;
  const fromMs = Math.floor((channel.newestMs - WATERMARK_MS) / LONGEST_WINDOW_MS) * LONGEST_WINDOW_MS;
  const gap = {
    id: `${channel.id}:anew:${fromMs}`,
    channelId: channel.id,
    fromMs,
    toMs: channel.newestMs,
    reason: "state_reset",
  } as const;
  const fold = folds[i]!;
  fold.step(channel.states[i], { type: "gap", gap }, (output) => {
    if (!isHandover(output)) outputs.push(output);
  });
}
