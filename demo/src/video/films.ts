import { PERIOD_MS } from "../world.ts";
import type { Film } from "./film.ts";
import { drawMap, MAP_MS, mapSound } from "./nightfern.ts";
import { drawFrame } from "./picture.ts";
import { ADS, adSpots } from "./shots.ts";
import { soundOf } from "./sound.ts";

const SOUND = "mp4a.40.2";

/** «Пепельный замок»: up to the ad break, the ads, and the rest. */
const castle: Film = {
  login: "pepel_lamp",
  periodMs: PERIOD_MS,
  runs: [
    { fromMs: 0, toMs: ADS.fromMs },
    { fromMs: ADS.fromMs, toMs: ADS.toMs },
    { fromMs: ADS.toMs, toMs: PERIOD_MS },
  ],
  // The picture is flat and sharp: fast presets lose little in it.
  renditions: [
    {
      ...{
        name: "1080",
        width: 1920,
        height: 1080,
        fps: 30,
        bandwidth: 2_400_000,
        codecs: `avc1.42C028,${SOUND}`,
      },
      ...{ preset: "ultrafast", crf: 31, scale: "scale=1920:1080:flags=neighbor" },
    },
    {
      ...{
        name: "480",
        width: 854,
        height: 480,
        fps: 30,
        bandwidth: 900_000,
        codecs: `avc1.64001F,${SOUND}`,
      },
      ...{ preset: "superfast", crf: 29, scale: "scale=960:540:flags=neighbor,scale=854:480:flags=bilinear" },
    },
    {
      ...{
        name: "160",
        width: 284,
        height: 160,
        fps: 30,
        bandwidth: 260_000,
        codecs: `avc1.64000D,${SOUND}`,
      },
      ...{ preset: "veryfast", crf: 22, scale: "scale=284:160:flags=area" },
    },
  ],
  draw: drawFrame,
  sound: soundOf,
  ads: adSpots,
};

/** The quiet neighbour who draws the castle's map: one small rendition, mostly still. */
const map: Film = {
  login: "nightfern",
  periodMs: MAP_MS,
  runs: [{ fromMs: 0, toMs: MAP_MS }],
  renditions: [
    {
      ...{
        name: "360",
        width: 640,
        height: 360,
        fps: 30,
        bandwidth: 300_000,
        codecs: `avc1.64001E,${SOUND}`,
      },
      ...{ preset: "superfast", crf: 26, scale: "scale=640:360:flags=neighbor" },
    },
  ],
  draw: drawMap,
  sound: mapSound,
  ads: [],
};

export const films: readonly Film[] = [castle, map];
