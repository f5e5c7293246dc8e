/**
 * Who is left out when a machine cannot measure all channels. A pure function of what is seen every CHECK_EVERY_MS:
 * - behind: a segment has waited longer than `behindMostMs`, and the wait does not shrink as it does while a backlog is worked off;
 * - then the channels of the lowest priority are left out, a tenth of those that are left at a time, never the last one: each of their
 *   segments is `shed` at once;
 * - calm for a while, the one of the highest priority among those left out comes back. If that was too much, the next one waits twice as long.
 */
export interface ChannelLoad {
  id: string;
  /** Higher is measured longer. */
  priority: number;
  /** How long its oldest unmeasured segment has been on the log; 0: none waits. */
  behindMs: number;
}

export interface ShedState {
  /** Ids of channels that are left out. */
  readonly shed: ReadonlySet<string>;
  readonly worstMs: number;
  /** Checks in a row that found it behind and not catching up. */
  readonly growing: number;
  readonly atMs: number;
  readonly calmSinceMs: number | null;
  readonly calmNeededMs: number;
  readonly returnedAtMs: number;
}

export const CHECK_EVERY_MS = 2000;
const CALM_BEHIND_MS = 3000;
/** A backlog that is worked off shrinks by at least this share of the time that passes. */
const SHRINKS = 0.25;
/** A backlog that has just been found is given a chance. */
const GROWING_CHECKS = 2;
const LEFT_OUT_AT_ONCE = 0.1;
const CALM_FIRST_MS = 15_000;
const CALM_MOST_MS = 240_000;
/** Left out again within this after a return: the return was too early. */
const TOO_EARLY_MS = 60_000;

export const nothingShed = (nowMs: number): ShedState => ({
  shed: new Set(),
  worstMs: 0,
  growing: 0,
  atMs: nowMs,
  calmSinceMs: null,
  calmNeededMs: CALM_FIRST_MS,
  returnedAtMs: -Infinity,
});

export function stepShed(
  state: ShedState,
  channels: readonly ChannelLoad[],
  nowMs: number,
  behindMostMs: number,
): ShedState {
  const known = new Set(channels.map(({ id }) => id));
  const shed = new Set([...state.shed].filter((id) => known.has(id)));
  const byPriority = channels.toSorted((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  const kept = byPriority.filter(({ id }) => !shed.has(id));
  const worstMs = Math.max(0, ...kept.map(({ behindMs }) => behindMs));
  const shrinks = state.worstMs - worstMs >= (nowMs - state.atMs) * SHRINKS;
  const growing = worstMs > behindMostMs && !shrinks ? state.growing + 1 : 0;
  const next = { ...state, shed, worstMs, growing, atMs: nowMs };
  if (worstMs > behindMostMs) {
    next.calmSinceMs = null;
    if (growing < GROWING_CHECKS || kept.length < 2) return next;
    for (const { id } of kept.slice(0, Math.ceil(kept.length * LEFT_OUT_AT_ONCE))) shed.add(id);
    if (nowMs - state.returnedAtMs < TOO_EARLY_MS)
      next.calmNeededMs = Math.min(CALM_MOST_MS, state.calmNeededMs * 2);
    return { ...next, growing: 0 };
  }
  next.calmSinceMs = worstMs < CALM_BEHIND_MS ? (state.calmSinceMs ?? nowMs) : null;
  if (shed.size === 0)
    return {
      ...next,
      calmNeededMs: nowMs - state.returnedAtMs < TOO_EARLY_MS ? state.calmNeededMs : CALM_FIRST_MS,
    };
  if (next.calmSinceMs !== null && nowMs - next.calmSinceMs >= state.calmNeededMs) {
    const highest = byPriority.findLast(({ id }) => shed.has(id));
    if (highest !== undefined) shed.delete(highest.id);
    return { ...next, calmSinceMs: null, returnedAtMs: nowMs };
  }
  return next;
}
