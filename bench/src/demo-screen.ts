import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import { encodeSegments } from "@hypecast/demo/video/encode.ts";
import { segmentsOf, type Film } from "@hypecast/demo/video/film.ts";
import { films } from "@hypecast/demo/video/films.ts";
import { PERIOD_MS } from "@hypecast/demo/world.ts";
import { openFrameSource } from "@hypecast/streamproc/media/open-source.ts";
import { measurePicture } from "@hypecast/streamproc/signals/picture.ts";
import { measureSound } from "@hypecast/streamproc/signals/sound.ts";
import { BEGIN_MS, type TimedInput } from "./demo-events.ts";

/** A segment is on the log so long after its end, and its measure after that: a playlist's delay, a decoder's. */
const SEGMENT_LATE_MS = 3000;
const MEASURE_LATE_MS = 300;

type Signals = Pick<VideoMeasured, "picture" | "sound">;

/**
 * The demo's loop as ingest and media workers say it: drawn, encoded at 160 lines, decoded and measured by the program's own code. What that
 * gives is kept under the system's folder for temporary files by a name that changes with the drawing (three minutes of CPU the first time), or in `folder`, where
 * the demo has rendered it already: `<data>/demo/loop-<hash>/pepel_lamp`.
 */
export async function renderedScreen(loops: number, folder: string | null): Promise<TimedInput[]> {
  const castle = films.find((film) => film.login === "pepel_lamp")!;
  const film: Film = { ...castle, renditions: castle.renditions.slice(-1) };
  const signals = await measuredLoop(film, folder);
  const inputs: TimedInput[] = [];
  for (let loop = 0; loop < loops; loop++)
    for (const [i, segment] of segmentsOf(film).entries()) {
      const startMs = BEGIN_MS + loop * PERIOD_MS + segment.atMs;
      const seq = loop * signals.length + i;
      const common = {
        ...{ id: `1:${BEGIN_MS}:${seq}`, channelId: "1", epoch: BEGIN_MS, seq, startMs },
        durationMs: segment.durationMs,
        discontinuity: segment.place === 0,
        ad: film.ads.some((ad) => segment.atMs < ad.toMs && segment.atMs + segment.durationMs > ad.fromMs),
      };
      const atMs = startMs + segment.durationMs + SEGMENT_LATE_MS;
      inputs.push(
        { atMs, input: { type: "segment", segment: { ...common, analysis: null, source: null } } },
        {
          atMs: atMs + MEASURE_LATE_MS,
          input: {
            type: "measured",
            measured: { ...common, failed: null, ...signals[i]!, framesKey: null, thumbKey: null },
          },
        },
      );
    }
  return inputs;
}

const ROOT = join(import.meta.dirname, "../..");
function hashOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(join(ROOT, folder)).sort())
    if (name.endsWith(".ts") && !name.includes(".test.")) hash.update(readFileSync(join(ROOT, folder, name)));
  return hash.digest("hex").slice(0, 12);
}

async function measuredLoop(film: Film, folder: string | null): Promise<Signals[]> {
  const place = folder ?? join(tmpdir(), "hypecast-bench", `loop-${hashOf("demo/src/video")}`);
  const kept = join(place, `signals-${hashOf("streamproc/src/signals")}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Signals[];

  mkdirSync(place, { recursive: true });
  const all = segmentsOf(film);
  const fileOf = (i: number): string => join(place, film.renditions[0]!.name, `${i}.ts`);
  for (const run of film.runs.keys()) {
    const missing = [...all.keys()].filter((i) => all[i]!.run === run && !existsSync(fileOf(i)));
    if (missing.length === 0) continue;
    console.log(`drawing and encoding ${missing.length} segments, once`);
    await encodeSegments(film, place, missing[0]!, missing.at(-1)! + 1, () => {});
  }
  const source = await openFrameSource("ffmpeg");
  const signals: Signals[] = [];
  for (const [i, { durationMs, place: inRun }] of all.entries()) {
    const bytes = (at: number) => ({ container: "ts" as const, media: readFileSync(fileOf(at)), init: null });
    const before = inRun === 0 ? null : bytes(i - 1);
    const { frames, detail, sizes, sound } = await source.decode({ ...bytes(i), durationMs, before });
    signals.push({
      picture: measurePicture(frames, detail, sizes[0]!),
      sound: sound === null ? null : measureSound(sound),
    });
  }
  writeFileSync(`${kept}.part`, JSON.stringify(signals));
  renameSync(`${kept}.part`, kept);
  return signals;
}
