import { audio } from "./audio.ts";
import { bursts } from "./bursts.ts";
import { cases } from "./cases.ts";
import { chunks } from "./chunks.ts";
import type { Fold } from "./fold.ts";
import { forecast } from "./forecast.ts";
import { hype } from "./hype.ts";
import { lag } from "./lag.ts";
import { moments } from "./moments.ts";
import { shots } from "./shots.ts";
import { toxicitySpikes } from "./toxicity-spikes.ts";
import { windows } from "./windows.ts";

/** The folds in the order in which they see an event; each also sees what the ones before it said. */
export const folds: readonly Fold[] = [
  windows,
  bursts,
  hype,
  forecast,
  shots,
  audio,
  chunks,
  lag,
  moments,
  toxicitySpikes,
  cases,
];
