import type { SceneClass } from "@hypecast/contracts/shot.ts";

/** What the rules look at, 0–1 each. */
export interface SceneFacts {
  ad: boolean;
  blackShare: number;
  frozenShare: number;
  text: number;
  sharpness: number;
  colourfulness: number;
  cameraMotion: number;
  objectMotion: number;
  /** Motion in the picture's outer blocks over that in its inner ones; 1: the same everywhere. */
  borderMotion: number;
}

/** Drawn pictures have hard edges and full colours; a camera's have less of both. */
const DRAWN_SHARPNESS = 0.55;
const DRAWN_COLOURS = 0.25;

/**
 * Scene class by rules; the first that fits. They know movement, text, edges and colour, not what is shown: a talking head is whatever
 * moves in the middle before a background that stands still, and a cartoon is a game. How often they are right: docs/video.md.
 */
export function sceneOf(facts: SceneFacts): SceneClass {
  if (facts.ad) return "break";
  if (facts.blackShare > 0.8) return "menu";
  const still = facts.frozenShare > 0.7 || (facts.cameraMotion < 0.01 && facts.objectMotion < 0.01);
  if (still && facts.text > 0.06) return "menu";
  if (facts.cameraMotion > 0.1) return "game";
  if (facts.sharpness > DRAWN_SHARPNESS && facts.colourfulness > DRAWN_COLOURS) return "game";
  if (!still && facts.borderMotion < 0.2 && facts.objectMotion > 0.02 && facts.objectMotion < 0.3)
    return "talking_head";
  return "other";
}
