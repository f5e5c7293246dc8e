import { LONGEST_CLIP_MS, SHORTEST_CLIP_MS } from "@hypecast/contracts/clip-words.ts";
import type { Moment, MomentDecision } from "@hypecast/contracts/moment.ts";
import type { Span } from "./span.ts";

/** A moment as it stands before a person: what the machine says, and what people have said over it. */
export interface Candidate {
  readonly moment: Moment;
  readonly decision: MomentDecision | null;
  /** The ends that count: a person's, else the machine's. */
  readonly startMs: number;
  readonly endMs: number;
  /** A person has moved the ends: no later version moves them again. */
  readonly edited: boolean;
  /** The machine has taken it back, but a person had kept or edited it: it stays, and says so. */
  readonly withdrawn: boolean;
}
export type Board = ReadonlyMap<string, Candidate>;

function made(moment: Moment, decision: MomentDecision | null, withdrawn: boolean): Candidate {
  return {
    moment,
    decision,
    startMs: decision?.startMs ?? moment.startMs,
    endMs: decision?.endMs ?? moment.endMs,
    edited: decision !== null && (decision.startMs !== null || decision.endMs !== null),
    withdrawn,
  };
}
const standsByItself = (decision: MomentDecision | null): boolean =>
  decision !== null && (decision.verdict === "kept" || decision.startMs !== null || decision.endMs !== null);

/** A version of a moment has come. An older one than the known changes nothing; a withdrawn one goes, unless a person holds it. */
export function withMoment(board: Board, moment: Moment): Board {
  const known = board.get(moment.id);
  if (known !== undefined && known.moment.version > moment.version) return board;
  const next = new Map(board);
  const decision = known?.decision ?? null;
  if (moment.state !== "withdrawn") next.set(moment.id, made(moment, decision, false));
  else if (known !== undefined && standsByItself(decision))
    next.set(moment.id, made(known.moment, decision, true));
  else next.delete(moment.id);
  return next;
}

/** A person's word about a moment; null takes it back. An older word than the known is late and changes nothing. */
export function withDecision(board: Board, momentId: string, decision: MomentDecision | null): Board {
  const known = board.get(momentId);
  if (known === undefined) return board;
  if (decision !== null && known.decision !== null && decision.atMs < known.decision.atMs) return board;
  const next = new Map(board);
  if (known.withdrawn && !standsByItself(decision)) next.delete(momentId);
  else next.set(momentId, made(known.moment, decision, known.withdrawn));
  return next;
}

/** A person put it there, or said something about it: sensitivity does not hide it. */
const byPerson = ({ moment, decision }: Candidate): boolean =>
  moment.origin === "mark" || moment.marks.length > 0 || standsByItself(decision);

/** What the list shows, newest first, and how many stand below the threshold. */
export function listed(
  board: Board,
  leastScore: number,
): { shown: readonly Candidate[]; below: number; discarded: number } {
  const all = [...board.values()].sort((a, b) => b.moment.peakMs - a.moment.peakMs);
  const wanted = all.filter(({ decision }) => decision?.verdict !== "discarded");
  const shown = wanted.filter((one) => one.moment.score >= leastScore || byPerson(one));
  return { shown, below: wanted.length - shown.length, discarded: all.length - wanted.length };
}

/** Sensitivity 0–100 as the least score that is shown: at 100 everything, at 0 only the very best. */
export const leastScoreFor = (sensitivity: number): number => Math.round((100 - sensitivity) * 0.9);

/**
 * One end of a span moved. Both ends stay inside what is kept (where that is known) and a clip's shortest and longest apart: the
 * moved end stops, the other never gives way.
 */
export function nudged(span: Span, end: "start" | "end", byMs: number, kept: Span | null): Span {
  const within = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  if (end === "start") {
    const low = Math.max(kept?.startMs ?? Number.NEGATIVE_INFINITY, span.endMs - LONGEST_CLIP_MS);
    return { ...span, startMs: within(span.startMs + byMs, low, span.endMs - SHORTEST_CLIP_MS) };
  }
  const high = Math.min(kept?.endMs ?? Number.POSITIVE_INFINITY, span.startMs + LONGEST_CLIP_MS);
  return { ...span, endMs: within(span.endMs + byMs, span.startMs + SHORTEST_CLIP_MS, high) };
}
