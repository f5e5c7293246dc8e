/** What a place's score is made of, each 0–1. */
export interface Parts {
  /** How much of the question its best line says. */
  line: number;
  /** … its lines together say. */
  together: number;
  /** How many say so. */
  voices: number;
  /** BM25 of the chunk, against the best that the question could have. */
  keyword: number;
  /** Likeness of the chunk's meaning. */
  semantic: number;
  /** … of its likest lines'. */
  meaning: number;
  /** How far chat was above its usual there. */
  burst: number;
  /** A moment was found there, by its score. */
  moment: number;
  /** A thing that was asked for is known without anybody saying it: a raid, a copypasta, a mood. */
  event: number;
  /** A copypasta, a poll or bots that nobody asked for fill chat there. */
  flood: number;
  /** Share of the question that nobody in the scope says in any word. */
  unheard: number;
}

/** Fitted by bench/oracle.ts on its calibration half (`--fit`). */
export const WEIGHTS: Readonly<Record<keyof Parts | "one", number>> = {
  one: -4.2,
  line: 3,
  together: 2.5,
  voices: 2.5,
  keyword: 0.5,
  semantic: 0.5,
  meaning: 0.5,
  burst: 0.8,
  moment: 0.6,
  event: 0.8,
  flood: -3,
  unheard: -2,
};
/** From here on a place counts as found. */
export const NEEDED = 0.5;
const SURE = 0.8;

/** The chance that this place is what was asked for, as learned from questions with known answers. */
export function scoreOf(parts: Parts): number {
  let sum = WEIGHTS.one;
  for (const [name, value] of Object.entries(parts)) sum += WEIGHTS[name as keyof Parts] * value;
  return 1 / (1 + Math.exp(-sum));
}

export const certaintyOf = (score: number): "sure" | "likely" | "maybe" =>
  score >= SURE ? "sure" : score >= NEEDED ? "likely" : "maybe";
