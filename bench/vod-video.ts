import { execFileSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readManifest } from "@hypecast/runtime/kept-video.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { takeVideo } from "@hypecast/streamproc/imports/video/video.ts";
import { measure } from "@hypecast/streamproc/media/measure.ts";
import { openFrameSource } from "@hypecast/streamproc/media/open-source.ts";
import { file, H264 } from "@hypecast/streamproc/media/test-footage.ts";
import { startNats, temporaryFolder } from "@hypecast/tests/servers.ts";

/**
 * What the picture of an imported file costs: taking it apart into segments that are on the log, and measuring it, from the file's own 1080 lines or from a
 * rendition of 160 lines that would be made for it. Seconds of CPU for each second of the stream; `--file` takes another file than ours.
 */
const SECONDS = 40;
const given = process.argv[2] === "--file" ? process.argv[3] : undefined;
const path =
  given ??
  file(
    [
      ...["-f", "lavfi", "-i", `testsrc2=size=1920x1080:rate=30:duration=${SECONDS},noise=alls=10:allf=t`],
      ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`],
      ...[...H264, "-b:v", "6M", "-maxrate", "6M", "-bufsize", "12M", "-g", "60", "-c:a", "aac", "-ac", "2"],
    ],
    "file.mp4",
  );

const nats = await startNats();
const data = temporaryFolder("bench-vod-video");
const config = readConfig({ HYPECAST_NATS_URL: nats.url, HYPECAST_DATA: data });
const nc = await connectBus(config, "bench");
await ensureStreams(nc, 1);
const objects = openFolder(join(data, "objects"));
const log = { info: () => undefined, warn: console.error, debug: () => undefined } as never;
const vod = {
  id: "_0bench000000000000",
  startMs: Date.UTC(2026, 0, 1),
  source: { url: pathToFileURL(path).href, chatUpload: null, videoUpload: null },
};
const tools = { nc, objects, config, log, fetch: () => Promise.reject(new Error("nothing is fetched")) };
const began = performance.now();
const { video } = await takeVideo(vod, tools, new AbortController().signal, () => undefined);
const tookS = (performance.now() - began) / 1000;

const source = await openFrameSource(config.HYPECAST_FRAMES);
const segments = await readManifest(objects, vod.id);
/** CPU of this process, in which GStreamer decodes. */
async function measuring(pathOf: (key: string) => string): Promise<number> {
  const before = process.cpuUsage();
  for (const { id, source: own, startMs, durationMs } of segments) {
    const media = { container: "ts" as const, path: pathOf(own?.key ?? ""), initPath: null };
    const outcome = await measure(source, {
      id,
      startMs,
      durationMs,
      ...media,
      before: null,
      allFrames: false,
    });
    if (outcome.failed !== null) throw new Error(`${id}: ${outcome.failed}`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / video.durationS;
}
const fromSource = await measuring((key) => join(data, "objects", key));

const small = (key: string): string => join(data, `${key.replaceAll("/", "-")}.small.ts`);
/** What bash says that its children took: lines of minutes and seconds, user and system. */
const secondsIn = (times: string): number =>
  [...(times.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
let making = 0;
for (const { source: own } of segments) {
  const from = join(data, "objects", own?.key ?? "");
  const script = `ffmpeg -v error -nostdin -threads 1 -i "$1" -vf scale=-2:160:flags=fast_bilinear -c:v libx264 -preset ultrafast -threads 1 -c:a copy -f mpegts "$2"; times`;
  making += secondsIn(execFileSync("bash", ["-c", script, "bash", from, small(own?.key ?? "")]).toString());
}
const fromSmall = await measuring(small);

const { decoder } = source as { decoder?: string };
console.log({ file: path, bytes: statSync(path).size, decoder });
const round = (value: number): number => Math.round(value * 10_000) / 10_000;
console.log(
  JSON.stringify({
    bench: "vod-video",
    figures: {
      height: video.height,
      seconds: round(video.durationS),
      segments: video.segments,
      takeTimesRealTime: Math.round(video.durationS / tookS),
      takeMbPerS: Math.round(video.bytes / 1e6 / tookS),
      measureCpuPerS: round(fromSource),
      makeSmallCpuPerS: round(making / video.durationS),
      measureSmallCpuPerS: round(fromSmall),
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
    },
    ratios: { withSmallToSource: round((making / video.durationS + fromSmall) / fromSource) },
    meets: {},
  }),
);
objects.close();
await nc.close();
await nats.close();
rmSync(data, { recursive: true, force: true });
process.exit(0);
