import type { EventKind } from "../world.ts";
import { mainEvents, events } from "../world.ts";
import { colour, type Raster } from "./raster.ts";
import { speech } from "./shots.ts";
import { ink } from "./sprites.ts";

/** The camera's box in the corner, edge included, of a picture of 320 × 180. */
export const FACECAM = { x: 244, y: 6, width: 70, height: 52 } as const;

type Mood = "calm" | "focus" | "shock" | "laugh" | "rage" | "sad" | "joy";
/** How the face answers: first moods, each until so many milliseconds after the event. */
const ANSWERS: Partial<Record<EventKind, readonly (readonly [Mood, number])[]>> = {
  lava: [
    ["shock", 1_300],
    ["rage", 3_200],
    ["laugh", 8_000],
  ],
  three_spikes: [
    ["shock", 1_600],
    ["joy", 7_000],
  ],
  glitch: [
    ["shock", 1_200],
    ["rage", 9_000],
  ],
  boss_phase: [["focus", 30_000]],
  death: [
    ["shock", 900],
    ["sad", 12_000],
  ],
  joke: [
    ["calm", 3_500],
    ["laugh", 9_000],
  ],
  secret: [
    ["shock", 5_000],
    ["joy", 9_000],
  ],
  raid: [
    ["shock", 700],
    ["joy", 9_000],
  ],
  gift_bomb: [
    ["shock", 1_500],
    ["joy", 9_000],
  ],
  boss_miss: [
    ["shock", 2_400],
    ["laugh", 9_000],
  ],
  boss_hit: [
    ["joy", 3_000],
    ["focus", 30_000],
  ],
  win: [["joy", 30_000]],
  near_miss: [["shock", 900]],
};

function moodAt(ms: number): { readonly mood: Mood; readonly sinceMs: number } {
  for (const list of [mainEvents, events.filter(({ kind }) => kind === "near_miss")]) {
    const event = list.findLast(({ atMs, kind }) => atMs <= ms && ANSWERS[kind] !== undefined);
    const sinceMs = ms - (event?.atMs ?? 0);
    const found =
      event === undefined ? undefined : ANSWERS[event.kind]?.find(([, untilMs]) => sinceMs < untilMs);
    if (found !== undefined) return { mood: found[0], sinceMs };
  }
  return { mood: "calm", sinceMs: 0 };
}

const WALL = colour("#2b2140");
const WALL_LIGHT = colour("#3a2c56");
const SHIRT = colour("#3f6f7a");

/** A person at a desk, before a lamp, who reacts. */
export function drawFacecam(raster: Raster, ms: number): void {
  const { x, y, width, height } = FACECAM;
  const { mood, sinceMs } = moodAt(ms);
  const frame = Math.floor((ms * 30) / 1000);
  raster.fill(x, y, width, height, ink.black);
  raster.fill(x + 1, y + 1, width - 2, height - 2, WALL);
  for (let line = 0; line < 4; line++) raster.fill(x + 1, y + 6 + line * 12, width - 2, 1, WALL_LIGHT);
  // The lamp that gives the channel its name.
  raster.fill(x + 55, y + 26, 2, 20, ink.grey);
  raster.fill(x + 50, y + 18, 12, 9, frame % 90 < 2 ? ink.orange : ink.yellow);
  raster.fill(x + 48, y + 22, 16, 5, ink.gold);
  raster.shade(x + 44, y + 27, 24, 8, ink.gold);

  const hop =
    mood === "joy"
      ? Math.round(Math.abs(Math.sin(sinceMs / 130)) * 5)
      : mood === "laugh"
        ? Math.round(Math.abs(Math.sin(sinceMs / 110)) * 2)
        : 0;
  const lean =
    mood === "focus" ? 2 : mood === "shock" ? -2 : mood === "sad" ? 3 : Math.round(Math.sin(ms / 2_300));
  const cx = x + 29 + (mood === "rage" ? Math.round(Math.sin(sinceMs / 40)) : 0);
  const top = y + 10 - hop + (mood === "shock" || mood === "focus" || mood === "sad" ? lean : 0);
  // Shoulders, neck.
  raster.fill(cx - 19, y + 41 - hop, 39, height - 42 + hop, SHIRT);
  raster.fill(cx - 14, y + 38 - hop, 29, 4, SHIRT);
  raster.fill(cx - 4, top + 26, 9, 6, ink.blush);
  if (mood === "joy") {
    // Arms up.
    for (const side of [-1, 1]) {
      raster.fill(cx + side * 22 - 3, y + 20 - hop, 6, 24, SHIRT);
      raster.fill(cx + side * 22 - 3, y + 14 - hop, 6, 7, ink.skin);
    }
  }
  const face = mood === "rage" ? ink.blush : ink.skin;
  raster.fill(cx - 11, top + 3, 23, 24, face);
  raster.fill(cx - 9, top + 27, 19, 2, face);
  // Hair, headphones.
  raster.fill(cx - 12, top - 1, 25, 6, ink.hair);
  raster.fill(cx - 10, top - 3, 21, 3, ink.hair);
  raster.fill(cx - 12, top + 4, 3, 8, ink.hair);
  raster.fill(cx + 10, top + 4, 3, 8, ink.hair);
  raster.fill(cx - 12, top - 5, 25, 2, ink.black);
  raster.fill(cx - 15, top + 8, 5, 10, ink.black);
  raster.fill(cx + 11, top + 8, 5, 10, ink.black);
  raster.fill(cx - 14, top + 10, 2, 6, ink.red);
  raster.fill(cx + 13, top + 10, 2, 6, ink.red);

  const look = mood === "calm" ? Math.round(Math.sin(ms / 1_700)) : 0;
  const blink = mood !== "shock" && frame % 113 < 4;
  for (const side of [-1, 1]) {
    const eye = cx + side * 5;
    if (mood === "laugh" || (mood === "joy" && frame % 40 < 24)) {
      raster.fill(eye - 3, top + 11, 6, 1, ink.black);
      raster.dot(eye - 3, top + 12, ink.black);
      raster.dot(eye + 2, top + 12, ink.black);
    } else if (blink) raster.fill(eye - 2, top + 13, 5, 1, ink.black);
    else {
      const wide = mood === "shock" ? 4 : 3;
      raster.fill(eye - 2, top + 14 - wide, 5, wide + (mood === "shock" ? 1 : 0), ink.white);
      raster.fill(eye - 1 + look, top + 15 - wide, 2, 2, ink.black);
    }
    // Brows.
    const brow = mood === "shock" ? 7 : mood === "rage" || mood === "focus" ? 10 : 9;
    raster.fill(eye - 3, top + brow + (mood === "rage" ? -1 : 0), 6, 1, ink.hair);
    if (mood === "rage") raster.fill(eye - side * 3 - (side > 0 ? 0 : 1), top + brow, 2, 1, ink.hair);
    if (mood === "sad") raster.fill(eye + side * 2 - 1, top + brow + 1, 2, 1, ink.hair);
  }
  raster.fill(cx - 1, top + 16, 3, 3, ink.blush);
  const said = speech.find(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
  const open =
    said === undefined ? 0 : Math.round((said.shout ? 5 : 3) * Math.abs(Math.sin((ms - said.fromMs) / 75)));
  if (mood === "shock") raster.fill(cx - 3, top + 20, 7, 5 + Math.min(1, open), ink.darkRed);
  else if (mood === "laugh" || mood === "joy") {
    raster.fill(cx - 6, top + 20, 13, 5, ink.darkRed);
    raster.fill(cx - 5, top + 20, 11, 2, ink.white);
  } else if (open > 0) raster.fill(cx - 4, top + 21, 9, open, ink.darkRed);
  else if (mood === "sad") raster.fill(cx - 4, top + 23, 9, 1, ink.darkRed);
  else raster.fill(cx - 4, top + 22, 9, 1, ink.darkRed);
  if (mood === "sad" || mood === "laugh") raster.fill(cx - 7, top + 15 + (frame % 20) / 3, 2, 2, ink.cyan);
  raster.frame(x, y, width, height, ink.gold);
}
