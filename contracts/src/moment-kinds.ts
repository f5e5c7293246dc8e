/** What kind of moment. `marked`: a person said so and nothing else says more. */
export const MOMENT_KINDS = [
  "funny",
  "hype",
  "fail",
  "shock",
  "sad",
  "love",
  "anger",
  "cringe",
  "action",
  "loud",
  "marked",
] as const;
export type MomentKind = (typeof MOMENT_KINDS)[number];
