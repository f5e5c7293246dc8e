import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { jetstream } from "@nats-io/jetstream";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { videoMeasured, type VideoMeasured } from "@hypecast/contracts/measured.ts";
import { videoSegment, type VideoSegment } from "@hypecast/contracts/video.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { openWorkers } from "@hypecast/streamproc/media/workers.ts";
import { exited, startNats } from "@hypecast/tests/servers.ts";

/**
 * What a segment of two seconds at 160p costs on its whole path through a media worker (every frame, finer frames, sound, signals,
 * thumbnail), beside one ffmpeg that only decodes it to the same small frames; and whether one process `media` with two workers
 * keeps up with many channels in real time. Footage: a real street scene of `--data`, else a test picture.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    channels: { type: "string", default: "40" },
    seconds: { type: "string", default: "60" },
  },
});
const CHANNELS = Number(options.channels);
const SECONDS = Number(options.seconds);
const SEGMENT_MS = 2000;
const SEGMENTS = 30;
const WARM_UP = 10;
const GOAL_CPU_MS = 45;
const GOAL_BEHIND_S = 5;

const TICKS_PER_S = 100;
/** CPU milliseconds that a process and its ended children have used. */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return ([11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) * 1000) / TICKS_PER_S;
  } catch {
    return 0;
  }
}
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits;
const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;

const folder = mkdtempSync(join(tmpdir(), "hypecast-bench-segment-"));
try {
  const paths = makeFootage();
  const figures = {
    footageKbPerSegment: round(
      paths.reduce((sum, path) => sum + readFileSync(path).length, 0) / paths.length / 1000,
    ),
    gstreamer: await throughWorker("gstreamer", paths),
    ffmpegInWorker: await throughWorker("ffmpeg", paths),
    ffmpegSpawn: bySpawn(paths),
    live: await live(paths),
  };
  const cost = figures.gstreamer.cpuMsPerSegment;
  console.log(
    JSON.stringify({
      bench: "segment",
      figures,
      ratios: {
        "whole path over an ffmpeg that only decodes": round(cost / figures.ffmpegSpawn.cpuMsPerSegment, 2),
      },
      meets: {
        [`≤ ${GOAL_CPU_MS} ms CPU a segment`]: cost <= GOAL_CPU_MS,
        [`${CHANNELS} channels without falling behind`]:
          figures.live.shed === 0 && figures.live.unmeasured === 0 && figures.live.lateP99S <= GOAL_BEHIND_S,
      },
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function makeFootage(): string[] {
  const street = join(options.data, "footage/intel/car-detection.mp4");
  const picture = existsSync(street)
    ? ["-stream_loop", "-1", "-i", street]
    : ["-f", "lavfi", "-i", "testsrc2=size=284x160:rate=30"];
  const made = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-nostdin", ...picture],
      ...["-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.2:sample_rate=48000"],
      ...["-map", "0:v:0", "-map", "1:a:0", "-t", String((SEGMENTS * SEGMENT_MS) / 1000)],
      ...[
        "-vf",
        "scale=284:160,fps=30",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-b:v",
        "230k",
        "-pix_fmt",
        "yuv420p",
      ],
      ...["-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-c:a", "aac", "-b:a", "96k", "-ac", "2"],
      ...[
        "-f",
        "hls",
        "-hls_time",
        "2",
        "-hls_list_size",
        "0",
        "-hls_segment_filename",
        join(folder, "s%03d.ts"),
      ],
      join(folder, "list.m3u8"),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (made.status !== 0) throw new Error("ffmpeg made no footage");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .toSorted()
    .map((name) => join(folder, name));
}

/** One worker, one segment after the other, each with the one before it as pre-roll. */
async function throughWorker(
  frames: "gstreamer" | "ffmpeg",
  paths: readonly string[],
): Promise<{ cpuMsPerSegment: number; wallMsMedian: number; wallMsP95: number; memoryMb: number }> {
  const workers = openWorkers({ count: 1, frames, log: { info: () => undefined, warn: console.error } });
  const wallMs: number[] = [];
  let before = 0;
  const rounds = frames === "gstreamer" ? 4 : 1;
  for (let i = 0; i < WARM_UP + paths.length * rounds; i++) {
    if (i === WARM_UP) before = cpuMs(workers.pids()[0]!);
    const at = i % paths.length;
    const began = performance.now();
    const outcome = await workers.measure({
      ...{
        id: String(i),
        startMs: 0,
        durationMs: SEGMENT_MS,
        container: "ts",
        path: paths[at]!,
        initPath: null,
      },
      before: at === 0 ? null : { container: "ts", path: paths[at - 1]!, initPath: null },
      allFrames: false,
    });
    if (outcome.failed !== null) throw new Error(`${outcome.failed}: ${outcome.detail}`);
    if (i >= WARM_UP) wallMs.push(performance.now() - began);
  }
  const pid = workers.pids()[0]!;
  const used = cpuMs(pid) - before;
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  await workers.close();
  return {
    cpuMsPerSegment: round(used / wallMs.length),
    wallMsMedian: round(quantile(wallMs, 0.5)),
    wallMsP95: round(quantile(wallMs, 0.95)),
    memoryMb: round(Number(memory) / 1000, 0),
  };
}

/** The usual way: one ffmpeg for each segment, its small frames read through a pipe; no sound, no times, no signals. */
function bySpawn(paths: readonly string[]): { cpuMsPerSegment: number; wallMsMedian: number } {
  const wallMs: number[] = [];
  const before = cpuMs(process.pid);
  for (const path of paths) {
    const began = performance.now();
    const { status, stdout } = spawnSync("ffmpeg", [
      ...["-v", "error", "-nostdin", "-threads", "1", "-filter_threads", "1", "-i", path, "-an"],
      ...[
        "-vf",
        "scale=64:36:flags=fast_bilinear",
        "-fps_mode",
        "passthrough",
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
        "pipe:1",
      ],
    ]);
    if (status !== 0 || stdout.length === 0) throw new Error("ffmpeg decoded nothing");
    wallMs.push(performance.now() - began);
  }
  return {
    cpuMsPerSegment: round((cpuMs(process.pid) - before) / paths.length),
    wallMsMedian: round(quantile(wallMs, 0.5)),
  };
}

/** Real time: every channel gets a segment every two seconds, as from so many streams, on a real log. */
async function live(paths: readonly string[]): Promise<{
  channels: number;
  segments: number;
  unmeasured: number;
  shed: number;
  failed: number;
  lateMedianS: number;
  lateP99S: number;
  mostUnmeasured: number;
  cores: { media: number; workers: number; nats: number };
  loadAverage: number;
}> {
  const nats = await startNats();
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "bench");
  await ensureStreams(nc, 1);
  const data = join(folder, "data");
  const objects = openFolder(join(data, "objects"));
  for (const [i, path] of paths.entries())
    await objects.put(`video/shared/0/${i}-160.ts`, readFileSync(path));

  const main = join(import.meta.dirname, "../streamproc/src/main.ts");
  const media = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "--only", "media"], {
    env: {
      PATH: process.env["PATH"],
      ...{
        HYPECAST_NATS_URL: nats.url,
        HYPECAST_DATA: data,
        HYPECAST_MEDIA_WORKERS: "2",
        HYPECAST_LOG_LEVEL: "warn",
      },
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await new Promise((resolve) => media.once("message", resolve));
  await pause(1500);

  const saidAt = new Map<string, number>();
  const lateS: number[] = [];
  let shed = 0;
  let failed = 0;
  nc.subscribe(`${videoMeasured.name}.>`, {
    callback: (_error, message) => {
      const { id, failed: why } = message.json<VideoMeasured>();
      const at = saidAt.get(id);
      if (at === undefined) return;
      saidAt.delete(id);
      lateS.push((performance.now() - at) / 1000);
      if (why === "shed") shed++;
      else if (why !== null) failed++;
    },
  });
  const js = jetstream(nc);
  const workersBefore = childrenOf(media.pid!).map((pid) => ({ pid, ms: cpuMs(pid) }));
  const before = { media: cpuMs(media.pid!), nats: cpuMs(nats.child().pid!), at: performance.now() };
  const count = Math.floor((SECONDS * 1000) / SEGMENT_MS);
  let mostUnmeasured = 0;
  for (let seq = 0; seq < count; seq++)
    for (let channel = 0; channel < CHANNELS; channel++) {
      const dueMs = before.at + seq * SEGMENT_MS + (channel * SEGMENT_MS) / CHANNELS;
      await pause(Math.max(0, dueMs - performance.now()));
      const file = {
        ...{
          key: `video/shared/0/${seq % paths.length}-160.ts`,
          bytes: 1,
          width: 284,
          height: 160,
          bandwidth: 230_000,
        },
        ...{ container: "ts" as const, init: null },
      };
      const channelId = String(1000 + channel);
      const segment: VideoSegment = {
        ...{
          id: `${channelId}:0:${seq}`,
          channelId,
          epoch: 0,
          seq,
          startMs: seq * SEGMENT_MS,
          durationMs: SEGMENT_MS,
        },
        ...{ discontinuity: seq % paths.length === 0, ad: false, analysis: file, source: file },
      };
      saidAt.set(segment.id, performance.now());
      await js.publish(subjectOf(videoSegment, channelId), JSON.stringify(segment), { msgID: segment.id });
      mostUnmeasured = Math.max(mostUnmeasured, saidAt.size);
    }
  const seconds = (performance.now() - before.at) / 1000;
  const workersMs = workersBefore.reduce((sum, { pid, ms }) => sum + cpuMs(pid) - ms, 0);
  const cores = {
    media: round((cpuMs(media.pid!) - before.media) / seconds / 1000, 2),
    workers: round(workersMs / seconds / 1000, 2),
    nats: round((cpuMs(nats.child().pid!) - before.nats) / seconds / 1000, 2),
  };
  // What a channel may be late by, and no more.
  for (let i = 0; i < GOAL_BEHIND_S * 10 && saidAt.size > 0; i++) await pause(100);
  const unmeasured = saidAt.size;
  const loadAverage = Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
  media.kill("SIGTERM");
  await exited(media);
  await nc.close();
  await nats.close();
  objects.close();
  return {
    channels: CHANNELS,
    segments: count * CHANNELS,
    unmeasured,
    shed,
    failed,
    lateMedianS: round(quantile(lateS, 0.5), 2),
    lateP99S: round(quantile(lateS, 0.99), 2),
    mostUnmeasured,
    cores,
    loadAverage,
  };
}
