/** What a moment is scored by, each 0–1, or null where the sense said nothing: that is left out and counts neither for nor against. */
export interface ScoreParts {
  /** Times its usual: 1 at 64 ×. */
  times: number | null;
  /** Chatters ÷ those of a usual minute. */
  people: number | null;
  /** Standard deviations above the usual: 1 at 44. */
  z: number | null;
  /** The meter: 0 at the channel's usual, 1 at 100. */
  hype: number | null;
  /** Rarity of the sound's onset: 1 at once in 1000 s. */
  soundOnset: number | null;
  /** Loudness above the usual: 1 at 12 LU. */
  loudness: number | null;
  /** Rarity of the cut or movement. */
  pictureOnset: number | null;
  /** The model's action. */
  action: number | null;
}
const WEIGHTS: Record<keyof ScoreParts, number> = {
  times: 25,
  people: 15,
  z: 10,
  hype: 20,
  soundOnset: 8,
  loudness: 8,
  pictureOnset: 6,
  action: 8,
};
/** Each person who asks for a clip, up to three. */
const PER_ASK = 5;
const ASKS_MAX = 3;
/** What a person marked is at least this. */
const MARKED_MIN = 90;
/** Picture and sound alone do not know whether anybody cared. */
const SCREEN_MAX = 60;

export const part = (value: number): number => Math.max(0, Math.min(1, value));
/** 0 for what comes every second, 1 for what comes once in 1000 s. */
export const rarity = (perS: number): number => part(-Math.log10(perS) / 3);

/** 0–100. */
export function scoreOf(
  parts: ScoreParts,
  asks: number,
  origin: "chat" | "screen" | "mark",
  marked: boolean,
): number {
  let sum = 0;
  let weights = 0;
  for (const name of Object.keys(WEIGHTS) as (keyof ScoreParts)[]) {
    const value = parts[name];
    if (value === null) continue;
    sum += WEIGHTS[name] * value;
    weights += WEIGHTS[name];
  }
  let score = weights === 0 ? 0 : (100 * sum) / weights;
  score = Math.min(100, score + PER_ASK * Math.min(ASKS_MAX, asks));
  if (origin === "screen") score = Math.min(SCREEN_MAX, score);
  if (marked) score = MARKED_MIN + (score * (100 - MARKED_MIN)) / 100;
  return Math.round(score * 10) / 10;
}
