import { PERIOD_MS, scenes } from "../world.ts";
import { FACECAM } from "./facecam.ts";
import { segmentsOf } from "./film.ts";
import { films } from "./films.ts";
import { MAP_MS, SPILL_MS } from "./nightfern.ts";
import { flashes } from "./picture.ts";
import { HEIGHT, WIDTH } from "./raster.ts";
import {
  ADS,
  adSpots,
  blows,
  FADE_MS,
  FPS,
  frameOf,
  jumps,
  LOOP_FRAMES,
  screenTexts,
  shots,
  speech,
} from "./shots.ts";
import { silences } from "./sound.ts";

/** What is seen and heard in a loop, for tests and benchmarks. Times are milliseconds of the loop. */
export function videoTruth() {
  return {
    fps: FPS,
    frames: LOOP_FRAMES,
    /** A hard cut's `frame` is the first of the new picture. A fade is black at `atMs`, and takes from `fromMs` to `toMs`. */
    cuts: shots.map(({ fromMs, begins, view }) => ({
      kind: begins,
      atMs: fromMs,
      frame: frameOf(fromMs),
      ...(begins === "fade" ? { fromMs: fromMs - FADE_MS, toMs: fromMs + FADE_MS } : {}),
      shows: view.look === "close-up" ? `close-up of ${view.whom}` : view.look,
    })),
    /** Light over the whole picture, and the torn picture of the glitch: no cuts. */
    flashes,
    /** What stands on the screen, as it is written there. */
    texts: screenTexts,
    /** Beats a minute of the music; 0: the game has none. */
    tempos: scenes.map(({ fromMs, place, title, tempo }, i) => ({
      fromMs,
      toMs: scenes[i + 1]?.fromMs ?? PERIOD_MS,
      place,
      title,
      tempo,
    })),
    ads: { ...ADS, spots: adSpots },
    silences,
    still: silences,
    /** When the streamer is heard; `shout`: loud, with a cheer. */
    speech,
    jumps,
    blows: blows.map(Math.round),
    /** Shares of the picture. */
    facecam: {
      x: FACECAM.x / WIDTH,
      y: FACECAM.y / HEIGHT,
      width: FACECAM.width / WIDTH,
      height: FACECAM.height / HEIGHT,
    },
    /** Timestamps begin anew behind a DISCONTINUITY at each of these; a segment is two seconds or what is left until there. */
    discontinuities: films[0]?.runs.map(({ fromMs }) => fromMs) ?? [],
    segments: films[0] === undefined ? 0 : segmentsOf(films[0]).length,
    /** The other channel's loop is its own: (now − anchorMs) modulo `periodMs`. */
    nightfern: { periodMs: MAP_MS, spillMs: SPILL_MS },
  };
}
