import type { MomentKind } from "@hypecast/contracts/moment.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";

const BY_MOOD: Record<Mood, MomentKind> = {
  laugh: "funny",
  shock: "shock",
  hype: "hype",
  love: "love",
  sad: "sad",
  anger: "anger",
  cringe: "cringe",
};
/** Moods in which a chat answers to something that went wrong. */
const AT_A_FAIL: ReadonlySet<Mood> = new Set(["laugh", "sad", "anger"]);

/** A few seconds of what leads to it, by kind: a joke or a fail needs more of it than a bang. */
const SETUP_MS: Record<MomentKind, number> = {
  funny: 6000,
  hype: 6000,
  fail: 6000,
  shock: 5000,
  sad: 6000,
  love: 6000,
  anger: 6000,
  cringe: 8000,
  action: 5000,
  loud: 5000,
  marked: 8000,
};
export const setupOf = (kind: MomentKind): number => SETUP_MS[kind];

export interface KindClues {
  /** Lines by mood; moods that did not rise are absent. */
  moods: Partial<Record<Mood, number>>;
  /** Chat reacted, in whatever mood. */
  chat: boolean;
  marked: boolean;
  /** The picture stopped right after it: black, frozen, a menu. */
  stopped: boolean;
  /** Sound stands out more than the picture. */
  loud: boolean;
}

/**
 * What kind it is: chat's leading mood; `fail` where it laughs, mourns or rages and the picture stopped; without a mood `hype`. A quiet
 * chat leaves only what is loud and what moves.
 */
export function kindOf(clues: KindClues): MomentKind {
  let lead: Mood | null = null;
  for (const mood of Object.keys(clues.moods) as Mood[])
    if (lead === null || clues.moods[mood]! > clues.moods[lead]!) lead = mood;
  if (lead !== null) return clues.stopped && AT_A_FAIL.has(lead) ? "fail" : BY_MOOD[lead];
  if (clues.chat) return "hype";
  if (clues.marked) return "marked";
  return clues.loud ? "loud" : "action";
}
