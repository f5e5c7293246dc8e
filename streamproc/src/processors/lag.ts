import { HYPE_BURST_KINDS, type ChatBurst } from "@hypecast/contracts/burst.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { KnownVideo, type Span } from "./known-video.ts";
import { LAG_MAX_S, LagPosterior, PRIOR_LAG } from "./lag-posterior.ts";
import { ONSET_SENSES, Onsets, type ScreenOnset } from "./onsets.ts";
import { LONGEST_MS } from "./shots.ts";

/** A reaction is looked at this long after it began, in event time: what the screen showed is known by then, or not used. */
const RESOLVE_MS = 40_000;
/** Onsets on screen that may have caused it: the longest lag, and its spread. */
const BACK_MS = (LAG_MAX_S + 3) * 1000;
/** Chat must have been heard, and not been busy, for so long before it. */
const CHAT_BACK_MS = 10_000;
const KEPT_MS = RESOLVE_MS + BACK_MS + 30_000;
const ONSETS_BOUND = 192;
/** Bursts that begin so soon after each other are one reaction: the first says when it began. */
const SAME_MS = 20_000;
/** A reaction so near a flood, a raid or a gift bomb may be about that. */
const FLOOD_MS = 20_000;
const RAID_MS = 60_000;
const PENDING_BOUND = 16;
/** A shot that ends with the last frames that are measured has not ended with a cut: nobody has seen what follows. */
const LAST_FRAMES_MS = 200;
/** What is said anew: a change of the lag or of its uncertainty of this much. */
const MATERIAL_MS = 400;

interface Said {
  lagMs: number;
  errorMs: number;
  learned: boolean;
}

export interface LagState {
  readonly channelId: string;
  /** Newest second of chat's clock. */
  nowMs: number;
  known: KnownVideo;
  onsets: Onsets;
  /** The newest onsets on screen. */
  recent: ScreenOnset[];
  /** Chat was not heard there, or was busy with something else. */
  unusable: Span[];
  /** Beginnings of reactions that are not old enough. */
  pending: number[];
  lastReactionMs: number;
  /** Where the last shot ended, and whether it was as long as a part of one. */
  shotEndMs: number;
  shotWhole: boolean;
  posterior: LagPosterior;
  said: Said;
}

const HYPE: ReadonlySet<string> = new Set(HYPE_BURST_KINDS);

export const lag = defineFold<LagState>({
  name: "lag",
  says: "How long after something on screen chat reacts, learned per channel, with its uncertainty",
  version: 1,
  initial: (channelId) => ({
    channelId,
    nowMs: 0,
    known: new KnownVideo(),
    onsets: new Onsets(),
    recent: [],
    unusable: [],
    pending: [],
    lastReactionMs: 0,
    shotEndMs: 0,
    shotWhole: false,
    posterior: new LagPosterior(),
    said: { lagMs: PRIOR_LAG.lagMs, errorMs: PRIOR_LAG.errorMs, learned: false },
  }),
  step(state, input, emit) {
    if (input.type === "glance" || input.type === "seconds") tick(state, input.untilS * 1000, emit);
    else if (input.type === "burst") react(state, input.burst);
    else if (input.type === "segment") state.known.segment(input.segment);
    else if (input.type === "videoGap") state.known.gap(input.gap);
    else if (input.type === "measured") {
      state.known.measured(input.measured);
      for (const onset of state.onsets.measured(input.measured)) see(state, onset, emit);
    } else if (input.type === "audio") see(state, state.onsets.heard(input.audio), emit);
    else if (input.type === "shot") {
      if (!input.shot.ad) see(state, state.onsets.shot(input.shot, cutIn(state, input.shot)), emit);
    } else if (input.type === "gap") avoid(state, input.gap.fromMs, input.gap.toMs);
    else if (
      input.type === "notice" &&
      (input.notice.kind === "raid" || input.notice.kind === "submysterygift")
    )
      avoid(state, input.notice.sentAtMs - FLOOD_MS, input.notice.sentAtMs + RAID_MS);
  },
  save,
  load: (channelId, version, bytes) => (version === 1 ? load(channelId, bytes) : null),
});

function see(state: LagState, onset: ScreenOnset | null, emit: Emit): void {
  if (onset === null) return;
  state.recent.push(onset);
  if (state.recent.length > ONSETS_BOUND) state.recent.shift();
  emit({ type: "onset", onset });
}

/**
 * The cut that a shot makes known: at its end, unless that is only a part's end, a gap's or an advertisement's edge, or the end of all
 * that is measured; at its start, where the part before it was as long as parts are and so did not say.
 */
function cutIn(state: LagState, { startMs, endMs, cut }: VideoShot): number | null {
  const { known, shotEndMs, shotWhole } = state;
  state.shotEndMs = endMs;
  state.shotWhole = endMs - startMs >= LONGEST_MS;
  if (!state.shotWhole && !known.isSeam(endMs) && endMs < known.measuredUntilMs - LAST_FRAMES_MS)
    return endMs;
  const missed = shotWhole && startMs === shotEndMs && (cut === "hard" || cut === "fade");
  return missed && !known.isSeam(startMs) ? startMs : null;
}

function avoid(state: LagState, fromMs: number, toMs: number): void {
  state.unusable.push({ fromMs, toMs });
  if (state.unusable.length > PENDING_BOUND) state.unusable.shift();
}

function react(state: LagState, burst: ChatBurst): void {
  if (!HYPE.has(burst.kind)) return avoid(state, burst.startMs - FLOOD_MS, burst.endMs + FLOOD_MS);
  if (!burst.open) return;
  const together = burst.startMs - state.lastReactionMs < SAME_MS;
  state.lastReactionMs = Math.max(state.lastReactionMs, burst.startMs);
  if (together || state.pending.length >= PENDING_BOUND) return;
  state.pending.push(burst.startMs);
}

function tick(state: LagState, nowMs: number, emit: Emit): void {
  if (nowMs <= state.nowMs) return;
  state.nowMs = nowMs;
  while (state.pending.length > 0 && state.pending[0]! + RESOLVE_MS <= nowMs)
    learn(state, state.pending.shift()!, emit);
  const oldestMs = nowMs - KEPT_MS;
  if ((state.recent[0]?.atMs ?? Infinity) < oldestMs)
    state.recent = state.recent.filter((onset) => onset.atMs >= oldestMs);
  if ((state.unusable[0]?.toMs ?? Infinity) < oldestMs)
    state.unusable = state.unusable.filter((span) => span.toMs >= oldestMs);
  state.known.forget(nowMs);
}

/** A reaction and what the screen showed before it; not one with a hole in either, or across an advertisement. */
function learn(state: LagState, reactionMs: number, emit: Emit): void {
  const { known } = state;
  const fromMs = reactionMs - BACK_MS;
  if (state.unusable.some((span) => span.fromMs < reactionMs && span.toMs > reactionMs - CHAT_BACK_MS))
    return;
  if (known.touchesAd(fromMs, reactionMs) || known.touchesHole(fromMs, reactionMs)) return;
  if (
    known.sense("picture", fromMs, reactionMs) !== "ok" &&
    known.sense("sound", fromMs, reactionMs) !== "ok"
  )
    return;
  state.posterior.add(
    reactionMs,
    state.recent.filter((onset) => onset.atMs >= fromMs && onset.atMs <= reactionMs + 1000),
  );
  const { lagMs, errorMs, learned, pairs } = state.posterior.belief();
  const { said } = state;
  const changed =
    Math.abs(lagMs - said.lagMs) >= MATERIAL_MS ||
    Math.abs(errorMs - said.errorMs) >= MATERIAL_MS ||
    learned !== said.learned;
  if (!changed) return;
  state.said = { lagMs, errorMs, learned };
  const atMs = reactionMs + RESOLVE_MS;
  const { channelId } = state;
  emit({
    type: "lag",
    lag: { id: `${channelId}:${atMs}`, channelId, atMs, lagMs, errorMs, learned, pairs },
  });
}

export function saveOnsets(out: ByteWriter, onsets: readonly ScreenOnset[]): void {
  out.uint(onsets.length);
  for (const onset of onsets) {
    out.u8(ONSET_SENSES.indexOf(onset.sense));
    out.number(onset.atMs);
    out.f64(onset.strength);
    out.f64(onset.perS);
  }
}
export function loadOnsets(bytes: ByteReader): ScreenOnset[] {
  return Array.from({ length: bytes.uint() }, () => ({
    sense: ONSET_SENSES[bytes.u8()]!,
    atMs: bytes.number(),
    strength: bytes.f64(),
    perS: bytes.f64(),
  }));
}

function save(state: LagState): Uint8Array {
  const out = new ByteWriter();
  out.number(state.nowMs);
  out.number(state.lastReactionMs);
  out.number(state.shotEndMs);
  out.u8(state.shotWhole ? 1 : 0);
  state.known.save(out);
  state.onsets.save(out);
  saveOnsets(out, state.recent);
  out.text(JSON.stringify([state.unusable, state.pending, state.said]));
  state.posterior.save(out);
  return out.done();
}

function load(channelId: string, saved: Uint8Array): LagState {
  const bytes = new ByteReader(saved);
  const state = lag.initial(channelId);
  state.nowMs = bytes.number();
  state.lastReactionMs = bytes.number();
  state.shotEndMs = bytes.number();
  state.shotWhole = bytes.u8() === 1;
  state.known.load(bytes);
  state.onsets.load(bytes);
  state.recent = loadOnsets(bytes);
  const [unusable, pending, said] = JSON.parse(bytes.text()) as [Span[], number[], Said];
  Object.assign(state, { unusable, pending, said });
  state.posterior.load(bytes);
  return state;
}
