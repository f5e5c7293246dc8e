import type { SceneClass } from "@hypecast/contracts/shot.ts";

/** What the rules look at, 0–1 each. */
export interface SceneFacts {
  ad: boolean;
  blackShare: number;
  frozenShare: number;
  text: number;
  colourfulness: number;
  cameraMotion: number;
  objectMotion: number;
  /** Motion in the picture's outer blocks over that in its inner ones; 1: the same everywhere. */
  borderMotion: number;
}

/**
 * Scene class by rules, in this order; the first that fits. They know movement, text and colour, not what is shown: a talking head is whatever
 * moves in the middle before a background that stands still, so a fish tank is one too.
 */
export function sceneOf(facts: SceneFacts): SceneClass {
  if (facts.ad) return "break";
  if (facts.blackShare > 0.8) return "menu";
  if (facts.frozenShare > 0.7) return facts.text > 0.02 ? "menu" : "other";
  if (facts.cameraMotion > 0.05) return "game";
  if (facts.text > 0.12 && facts.objectMotion < 0.15) return "menu";
  if (facts.objectMotion > 0.02 && facts.borderMotion < 0.35 && facts.colourfulness < 0.6)
    return "talking_head";
  if (facts.objectMotion > 0.25 || facts.colourfulness > 0.45) return "game";
  return "other";
}
