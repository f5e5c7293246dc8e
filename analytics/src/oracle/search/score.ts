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

/** Fitted by bench/oracle.ts on its calibration half (`--fit`, stiffness 1): one model orders places and says when to be silent. */
export const WEIGHTS: Readonly<Record<keyof Parts | "one", number>> = {
  one: -5.43,
  line: 3.37,
  together: 2.73,
  voices: 3.21,
  keyword: 2.03,
  semantic: 0.16,
  meaning: 1.25,
  burst: 0,
  moment: 1.22,
  event: 1.17,
  flood: -3.25,
  unheard: -2.77,
};
/** From here on a place counts as found: where silence and answers were right most often on the calibration half. */
export const NEEDED = 0.45;
const SURE = 0.8;

/** The chance that this place is what was asked for, as learned from questions with known answers. */
export function scoreOf(parts: Parts): number {
  let sum = WEIGHTS.one;
  for (const [name, value] of Object.entries(parts)) sum += WEIGHTS[name as keyof Parts] * value;
  return 1 / (1 + Math.exp(-sum));
}

/** `alone`: one person's words are all there is to it, which may be likely, and never sure. */
export const certaintyOf = (score: number, alone: boolean): "sure" | "likely" | "maybe" =>
  score >= SURE && !alone ? "sure" : score >= NEEDED ? "likely" : "maybe";
