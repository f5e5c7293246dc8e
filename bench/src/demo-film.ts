import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { SceneClass } from "@hypecast/contracts/shot.ts";
import { ADS, FPS, frameOf, LOOP_FRAMES, shots } from "@hypecast/demo/video/shots.ts";
import { drawFrame } from "@hypecast/demo/video/picture.ts";
import { HEIGHT, planes, Raster, WIDTH } from "@hypecast/demo/video/raster.ts";
import type { Film } from "./shot-sets.ts";

/** The demo's whole loop as its smallest rendition, and its cuts from its script. Drawing it takes about a minute of CPU. */
export async function demoFilm(folder: string): Promise<Film> {
  const path = join(folder, "demo.mp4");
  const encoder = spawn(
    "ffmpeg",
    [
      ...["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", `${WIDTH}x${HEIGHT}`],
      ...["-r", String(FPS), "-i", "pipe:0", "-vf", "scale=284:160:flags=area,format=yuv420p"],
      ...[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "22",
        "-bf",
        "0",
        "-g",
        "60",
        "-threads",
        "1",
        path,
      ],
    ],
    { stdio: ["pipe", "ignore", "inherit"] },
  );
  const done = once(encoder, "close");
  const raster = new Raster();
  for (let frame = 0; frame < LOOP_FRAMES; frame++) {
    const out = new Uint8Array(WIDTH * HEIGHT * 3);
    planes(raster, drawFrame(raster, frame), out);
    if (!encoder.stdin.write(out)) await once(encoder.stdin, "drain");
  }
  encoder.stdin.end();
  await done;
  return {
    set: "demo",
    path,
    frames: LOOP_FRAMES,
    cuts: shots
      .slice(1)
      .map(({ fromMs, begins }) => ({ frame: frameOf(fromMs), kind: begins === "fade" ? "fade" : "hard" })),
  };
}

/** What the demo shows at a time of its loop, in the words of scene classes. */
export function demoSceneAt(ms: number): SceneClass {
  if (ms >= ADS.fromMs && ms < ADS.toMs) return "break";
  const { view } = shots.findLast(({ fromMs }) => fromMs <= ms)!;
  return view.look === "pause" ? "menu" : "game";
}
