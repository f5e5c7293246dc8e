import type { LineScore, SpikeKind } from "@hypecast/contracts/toxicity.ts";
import type { Emit } from "../fold.ts";
import { CountedSeconds } from "./counted-seconds.ts";
import { Drivers, type DrivingLine } from "./drivers.ts";
import { suggest } from "./measure.ts";
import { tenths, WINDOW_MS } from "./open-window.ts";
import type { OpenSpike, SpikesState } from "./state.ts";
import { LOOK_S } from "./usual.ts";

/** Calm for this long, a spike is over; one that rises again before then is the same. */
export const CALM_S: Record<SpikeKind, number> = { toxicity: 20, hate_raid: 30, flood: 30, follow_bots: 60 };
/** With more of its lines unknown than this, nobody knows whether chat is calm. */
export const BLIND_SHARE = 0.2;
/** A spike about which nothing has been known for so long is ended, and says that it is not known to be calm. */
const BLIND_S = 900;
/** What lasts longer is the channel's new usual. */
const LONGEST_S = 3600;
/** An open spike is told again at most this often. */
const TELL_S = 5;
/** After a raid so long, newcomers are raiders. */
export const RAID_MS = 300_000;
/** "Times its usual" is of so few lines more. */
const PRIOR_PER_MIN = 2;

export const drivingOf = (line: LineScore): DrivingLine => ({
  userId: line.userId,
  login: line.login,
  text: line.text,
  near: line.near,
  first: line.firstMessage,
  class: line.class,
  language: line.language,
});

export const openOf = (state: SpikesState, kind: SpikeKind): OpenSpike | undefined =>
  state.spikes.find((spike) => spike.kind === kind);

export function drive(spike: OpenSpike | undefined, line: DrivingLine, second: number): void {
  if (spike === undefined) return;
  spike.drivers.add(line);
  spike.counts.add(second, 1);
  spike.changed = true;
}

export function open(
  state: SpikesState,
  kind: SpikeKind,
  startMs: number,
  detectedAtMs: number,
  enter: number,
  leave: number,
): OpenSpike {
  const bounds = state.usual.bounds();
  const nowS = Math.max(state.newestS, Math.floor(detectedAtMs / 1000) + 1);
  // Copies by newcomers are usual nowhere.
  const ofLines = kind === "toxicity" || kind === "hate_raid" ? bounds : null;
  const spike: OpenSpike = {
    kind,
    startMs,
    detectedAtMs,
    usual: {
      usualPerMin: tenths(ofLines?.perMin ?? 0),
      usualLowPerMin: ofLines?.lowPerMin ?? 0,
      usualHighPerMin: ofLines?.highPerMin ?? 0,
      usualShare: thousandths(ofLines?.share ?? 0),
      fromPerMin: (enter * 60) / LOOK_S,
    },
    leave,
    raiders: detectedAtMs < state.raidMs + RAID_MS ? state.raiders : 0,
    version: 0,
    toldS: nowS,
    changed: false,
    peak: 0,
    peakS: nowS - 1,
    scored: state.scored.sum(nowS, LOOK_S),
    unknown: state.unknown.sum(nowS, LOOK_S),
    calmS: 0,
    blindS: 0,
    counts: new CountedSeconds(),
    drivers: new Drivers(),
    groups: [],
    shape: "",
    names: 0,
    acted: new Set(),
  };
  state.newestS = nowS;
  if (state.spikes.length === 0) state.nowS = nowS - 1;
  return spike;
}

export function begin(state: SpikesState, spike: OpenSpike, emit: Emit): void {
  peak(spike, spike.counts.sum(state.newestS, LOOK_S), state.newestS - 1);
  state.spikes.push(spike);
  tell(state, spike, null, {}, emit);
}

/** One more second of an open spike. */
export function follow(state: SpikesState, spike: OpenSpike, heard: boolean, emit: Emit): void {
  const endS = state.nowS + 1;
  const lines = spike.counts.sum(endS, LOOK_S);
  const unknown = state.unknown.sum(endS, LOOK_S) + waitingIn(state, endS);
  const inGap = endS * 1000 > state.gapFromMs && state.nowS * 1000 < state.gapToMs;
  const blind = !heard || inGap || unknown > (unknown + state.scored.sum(endS, LOOK_S)) * BLIND_SHARE;
  // Seconds of which nothing is known are neither calm nor not.
  if (blind) spike.blindS++;
  else {
    spike.blindS = 0;
    spike.calmS = lines < spike.leave ? spike.calmS + 1 : 0;
  }
  peak(spike, lines, state.nowS);
  const lastsS = endS - spike.startMs / 1000;
  if (spike.calmS >= CALM_S[spike.kind]) end(state, spike, (endS - spike.calmS) * 1000, {}, emit);
  else if (spike.blindS >= BLIND_S) end(state, spike, endS * 1000, { blindS: spike.blindS }, emit);
  else if (lastsS >= LONGEST_S) {
    if (spike.kind === "toxicity") state.usual.adopt((spike.drivers.lines / lastsS) * 60);
    end(state, spike, endS * 1000, { newUsual: 1 }, emit);
  } else if (spike.changed && endS - spike.toldS >= TELL_S) tell(state, spike, null, {}, emit);
}

/** Lines of windows before this second that the model has not spoken of, while newer ones are scored already. */
function waitingIn({ windows }: SpikesState, endS: number): number {
  let lines = 0;
  for (const { startMs, waiting: left } of windows)
    if (startMs + WINDOW_MS <= endS * 1000 && startMs + WINDOW_MS > (endS - LOOK_S) * 1000) lines += left;
  return lines;
}

export function peak(spike: OpenSpike, lines: number, second: number): void {
  if (lines <= spike.peak) return;
  spike.peak = lines;
  spike.peakS = second;
}

function end(
  state: SpikesState,
  spike: OpenSpike,
  endMs: number,
  reasons: Record<string, number>,
  emit: Emit,
): void {
  state.spikes = state.spikes.filter((other) => other !== spike);
  tell(state, spike, Math.max(endMs, spike.startMs), reasons, emit);
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;

export function tell(
  state: SpikesState,
  spike: OpenSpike,
  endMs: number | null,
  more: Record<string, number>,
  emit: Emit,
): void {
  const { channelId } = state;
  const { kind, startMs, usual, drivers } = spike;
  spike.version++;
  spike.toldS = state.newestS;
  spike.changed = false;
  const perMin = (spike.counts.sum(state.newestS, LOOK_S) * 60) / LOOK_S;
  const peakPerMin = (spike.peak * 60) / LOOK_S;
  const users = drivers.people.count();
  const newUsers = drivers.newcomers.count();
  const topUsers = drivers.topUsers();
  const phrases = drivers.phrases();
  const times = tenths((peakPerMin + PRIOR_PER_MIN) / (usual.usualPerMin + PRIOR_PER_MIN));
  const share = thousandths(Math.min(1, drivers.lines / Math.max(1, spike.scored)));
  const { driver, measure, measureS, measureUsers, reasons } = suggest({
    ...{ kind, users, newUsers, topUsers, phrases, perMin, times, share },
    lines: drivers.lines,
    raiders: spike.raiders,
    similarNames: spike.names,
    room: state.room,
    acted: spike.acted,
  });
  emit({
    type: "spike",
    spike: {
      id: `${channelId}:spike:${kind}:${startMs}`,
      channelId,
      version: spike.version,
      kind,
      state: endMs === null ? "open" : "ended",
      startMs,
      endMs,
      peakMs: spike.peakS * 1000,
      lines: drivers.lines,
      scored: spike.scored,
      unknown: spike.unknown,
      perMin,
      peakPerMin,
      ...usual,
      times,
      share,
      users,
      newUsers,
      classes: drivers.classes(),
      languages: drivers.languages(),
      topUsers,
      phrases,
      driver,
      measure,
      measureS,
      measureUsers,
      reasons: { ...reasons, ...more },
      detectedAtMs: spike.detectedAtMs,
    },
  });
}
