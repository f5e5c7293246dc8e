import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import { CUT_KINDS, type CutKind } from "@hypecast/contracts/shot.ts";
import { SIGNATURE_BYTES, unpack } from "../signals/signature.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { CutFinder, type Cut, type Frame } from "./cuts.ts";
import { defineFold, type Emit } from "./fold.ts";
import { SeenScenes } from "./seen-scenes.ts";
import { detailsOf, ShotFigures, type DetailFigures } from "./shot-figures.ts";

/** What shows one picture for longer is reported in parts, so that moments and models get figures that are not old. */
export const LONGEST_MS = 10_000;
/** Segments whose times do not meet by more than this do not follow each other. */
const SLACK_MS = 500;
/** So long after the last segment, when no other is waiting to be measured, the open shot has ended. */
const ENDED_MS = 60_000;
const MINUTE_MS = 60_000;
/** In version 1 no model had a say: there ASKED is never set. */
const VERSION = 2;
const OPEN = 1;
const ASKED = 2;
/** Bounds of what waits for its frames to be settled: about a second of it. */
const WAITING_BOUND = 256;

interface Key {
  fromMs: number;
  key: string;
}

export interface ShotsState {
  readonly channelId: string;
  /** Of the last measured segment; −1 before the first. */
  epoch: number;
  seq: number;
  endMs: number;
  ad: boolean;
  /** The newest segment that the source has announced. */
  announcedEpoch: number;
  announcedSeq: number;
  /** The last frame's time; the next one's is later. */
  frameMs: number;
  finder: CutFinder;
  open: ShotFigures | null;
  /** How the next shot begins, when a run of frames has ended. */
  next: CutKind;
  details: DetailFigures[];
  keys: Key[];
  /** When the cuts of the last minute were. */
  cutsMs: number[];
  seen: SeenScenes;
}

export const shots = defineFold<ShotsState>({
  name: "shots",
  says: "Shots of the video: cuts, fades, and what each shot looks like",
  version: VERSION,
  initial: (channelId) => ({
    channelId,
    epoch: -1,
    seq: -1,
    endMs: 0,
    ad: false,
    announcedEpoch: -1,
    announcedSeq: -1,
    frameMs: 0,
    finder: new CutFinder(),
    open: null,
    next: "start",
    details: [],
    keys: [],
    cutsMs: [],
    seen: new SeenScenes(),
  }),
  step(state, input, emit) {
    if (input.type === "measured") measured(state, input.measured, emit);
    else if (input.type === "segment") {
      state.announcedEpoch = input.segment.epoch;
      state.announcedSeq = input.segment.seq;
    } else if (input.type === "videoGap") {
      const { fromMs, toMs } = input.gap;
      // One that lies further ahead shows in the times of the segments behind it.
      if (!state.finder.empty && fromMs <= state.endMs + SLACK_MS && toMs > state.endMs)
        endRun(state, "gap", emit);
    } else if (input.type === "alive") {
      const waiting = state.announcedEpoch !== state.epoch || state.announcedSeq > state.seq;
      if (!state.finder.empty && !waiting && input.atMs > state.endMs + ENDED_MS) endRun(state, "gap", emit);
    }
  },
  save,
  load: (channelId, version, bytes) => (version === 1 || version === VERSION ? load(channelId, bytes) : null),
});

function measured(state: ShotsState, segment: VideoMeasured, emit: Emit): void {
  const { epoch, seq, startMs, durationMs, picture } = segment;
  if (epoch < state.epoch || (epoch === state.epoch && seq <= state.seq)) return;
  const follows =
    epoch === state.epoch && seq === state.seq + 1 && Math.abs(startMs - state.endMs) <= SLACK_MS;
  if (state.epoch >= 0 && !follows) endRun(state, epoch === state.epoch ? "gap" : "start", emit);
  else if (segment.ad !== state.ad) endRun(state, "hard", emit);
  state.epoch = epoch;
  state.seq = seq;
  state.ad = segment.ad;
  if (picture === null || picture.atMs.length === 0) {
    endRun(state, "gap", emit);
    state.endMs = startMs + durationMs;
    return;
  }
  state.endMs = startMs + durationMs;
  if (segment.framesKey !== null && state.keys.length < WAITING_BOUND)
    state.keys.push({ fromMs: startMs, key: segment.framesKey });
  for (const figures of detailsOf(picture.detail, startMs, durationMs))
    if (state.details.length < WAITING_BOUND) state.details.push(figures);
  const signatures = unpack(picture.signatures);
  const chances = picture.cutChance === undefined ? null : unpack(picture.cutChance);
  const times = timesOf(picture.atMs, Math.floor(signatures.length / SIGNATURE_BYTES), segment);
  const settle = (frame: Frame, cut: Cut | null): void => settled(state, frame, cut, emit);
  for (const [i, atMs] of times.entries()) {
    state.frameMs = Math.max(atMs, state.frameMs + 1);
    state.finder.push(
      state.frameMs,
      signatures.subarray(i * SIGNATURE_BYTES, (i + 1) * SIGNATURE_BYTES),
      chances?.[i] ?? 0,
      settle,
    );
  }
}

/** The frames' times on the stream's clock. Times that do not grow, or lie outside of the segment, are no times: then the frames are spread evenly. */
function timesOf(atMs: readonly number[], signatures: number, segment: VideoMeasured): number[] {
  const count = Math.min(atMs.length, signatures);
  let good = atMs[0]! >= 0 && atMs[count - 1]! <= segment.durationMs + SLACK_MS;
  for (let i = 1; i < count && good; i++) good = atMs[i]! > atMs[i - 1]!;
  return Array.from(
    { length: count },
    (_, i) => segment.startMs + (good ? atMs[i]! : Math.floor((i * segment.durationMs) / count)),
  );
}

function settled(state: ShotsState, frame: Frame, cut: Cut | null, emit: Emit): void {
  const { atMs } = frame;
  const { open } = state;
  if (open === null) state.open = new ShotFigures(atMs, state.next, state.ad);
  else if (cut !== null) {
    close(state, atMs, emit);
    state.cutsMs.push(atMs);
    state.open = new ShotFigures(atMs, cut, state.ad);
  } else if (atMs - open.startMs >= LONGEST_MS) {
    close(state, atMs, emit);
    state.open = new ShotFigures(atMs, "continued", state.ad);
  }
  absorb(state, atMs + 1);
  state.open!.addFrame(atMs, frame.signature);
}

/** Gives the open shot what waits for it: figures before `untilMs`, and the sampled frames of the segments that it touches. */
function absorb(state: ShotsState, untilMs: number): void {
  const { open, details, keys } = state;
  if (open === null) return;
  let count = 0;
  while (count < details.length && details[count]!.atMs < untilMs) open.addDetail(details[count++]!);
  if (count > 0) details.splice(0, count);
  while (keys.length > 1 && keys[1]!.fromMs < untilMs) keys.shift();
  if (keys.length > 0 && keys[0]!.fromMs < untilMs) open.addKey(keys[0]!.key);
}

function close(state: ShotsState, endMs: number, emit: Emit): void {
  const { open, channelId, epoch } = state;
  if (open === null) return;
  absorb(state, endMs);
  state.cutsMs = state.cutsMs.filter((cutMs) => cutMs > endMs - MINUTE_MS && cutMs <= endMs);
  const shot = open.shot({
    channelId,
    epoch,
    endMs,
    cutsPerMin: state.cutsMs.length,
    novelty: state.seen.add(open.meanSignature()),
  });
  state.open = null;
  emit({ type: "shot", shot });
}

/** No frame follows the ones that came: all is settled, and the shot ends with the last segment. */
function endRun(state: ShotsState, next: CutKind, emit: Emit): void {
  const ran = !state.finder.empty;
  state.finder.end((frame, cut) => settled(state, frame, cut, emit));
  close(state, state.endMs, emit);
  state.details = [];
  state.keys = [];
  state.frameMs = 0;
  // Where the run had ended before, for want of a picture, a plain cut does not say more.
  if (ran || next !== "hard") state.next = next;
}

function save(state: ShotsState): Uint8Array {
  const out = new ByteWriter();
  for (const name of NUMBERS) out.number(state[name]);
  out.u8(state.ad ? 1 : 0);
  out.u8(CUT_KINDS.indexOf(state.next));
  // A channel without video has nothing more to say.
  if (state.epoch < 0) return out.done();
  state.finder.save(out);
  const { asked } = state.finder;
  out.u8((state.open === null ? 0 : OPEN) | (asked ? ASKED : 0));
  if (asked) state.finder.saveAsked(out);
  state.open?.save(out);
  out.uint(state.details.length);
  for (const figures of state.details) for (const name of DETAIL_NAMES) out.number(figures[name]);
  out.uint(state.keys.length);
  for (const { fromMs, key } of state.keys) {
    out.number(fromMs);
    out.text(key);
  }
  out.uint(state.cutsMs.length);
  for (const cutMs of state.cutsMs) out.number(cutMs);
  state.seen.save(out);
  return out.done();
}
const NUMBERS = ["epoch", "seq", "endMs", "announcedEpoch", "announcedSeq", "frameMs"] as const;
const DETAIL_NAMES = ["atMs", "sharpness", "exposure", "colourfulness", "noise", "text"] as const;

function load(channelId: string, saved: Uint8Array): ShotsState {
  const bytes = new ByteReader(saved);
  const state = shots.initial(channelId);
  for (const name of NUMBERS) state[name] = bytes.number();
  state.ad = bytes.u8() === 1;
  state.next = CUT_KINDS[bytes.u8()]!;
  if (state.epoch < 0) return state;
  state.finder.load(bytes);
  const flags = bytes.u8();
  if ((flags & ASKED) !== 0) state.finder.loadAsked(bytes);
  if ((flags & OPEN) !== 0) state.open = ShotFigures.load(bytes);
  for (let left = bytes.uint(); left > 0; left--) {
    const figures = { atMs: 0, sharpness: 0, exposure: 0, colourfulness: 0, noise: 0, text: 0 };
    for (const name of DETAIL_NAMES) figures[name] = bytes.number();
    state.details.push(figures);
  }
  for (let left = bytes.uint(); left > 0; left--)
    state.keys.push({ fromMs: bytes.number(), key: bytes.text() });
  for (let left = bytes.uint(); left > 0; left--) state.cutsMs.push(bytes.number());
  state.seen.load(bytes);
  return state;
}
