import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CHANNELS_BUCKET, videoChannelId } from "@hypecast/contracts/channel.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { followVideo } from "@hypecast/runtime/kept-video.ts";
import { openFolder } from "@hypecast/runtime/objects-folder.ts";
import { startHls, tsBody } from "@hypecast/streamproc/sources/hls/test-hls.ts";
import { exited, startNats, temporaryFolder } from "@hypecast/tests/servers.ts";
import { Kvm } from "@nats-io/kv";

/**
 * One process `sources` that follows many HLS channels in two renditions (6 and 0.4 Mbit/s) from a server on this machine, with a quota of
 * seconds: what it costs, how soon a segment is on the log after it was published, and whether the quota holds. Easier than life: no TLS,
 * no network. Harder: the server, the log and all files are on the same cores and disk.
 */
const { values: options } = parseArgs({
  options: {
    channels: { type: "string", default: "40" },
    seconds: { type: "string", default: "60" },
    segment: { type: "string", default: "2000" },
  },
});
const CHANNELS = Number(options.channels);
const SECONDS = Number(options.seconds);
const SEGMENT_MS = Number(options.segment);
const WARM_UP_S = 8;
const QUOTA_BYTES = 50e6;
const PACKET = 188;
const bytesOf = (bitsPerS: number): number => (bitsPerS / 8) * (SEGMENT_MS / 1000);
const bodies = new Map([
  ["1080", tsBody(0, "1080", Math.ceil(bytesOf(6e6) / PACKET))],
  ["160", tsBody(0, "160", Math.ceil(bytesOf(4e5) / PACKET))],
]);

const folder = temporaryFolder("bench-ingest");
const [nats, hls] = await Promise.all([startNats(), startHls(SEGMENT_MS)]);
const env = {
  ...process.env,
  ...{ HYPECAST_DATA: folder, HYPECAST_NATS_URL: nats.url, HYPECAST_REDIS_URL: "redis://127.0.0.1:1" },
  ...{ HYPECAST_LOG_LEVEL: "error", HYPECAST_VIDEO_PRIVATE_HOSTS: hls.host },
  // As `up` starts it.
  UV_THREADPOOL_SIZE: "16",
  ...{ HYPECAST_VIDEO_GB: String(QUOTA_BYTES / 1e9), TWITCH_IRC_URL: "ws://127.0.0.1:1" },
};
const nc = await connectBus(readConfig(env), "bench");
await ensureStreams(nc, 1);
const main = join(import.meta.dirname, "../streamproc/src/main.ts");
const source = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "--only", "sources"], {
  env,
  stdio: ["ignore", "ignore", "inherit", "ipc"],
});
await new Promise((resolve) => source.once("message", resolve));

const behindMs: number[] = [];
const heard = { segments: 0, gaps: 0, doubles: 0 };
const ids = new Set<string>();
let measuring = false;
const follower = followVideo(nc, "*", Date.now(), {
  segment({ id, startMs, durationMs }) {
    if (ids.has(id)) heard.doubles++;
    ids.add(id);
    if (!measuring) return;
    heard.segments++;
    behindMs.push(Date.now() - startMs - durationMs);
  },
  gap: () => heard.gaps++,
});
const wanted = await new Kvm(nc).open(CHANNELS_BUCKET);
const logins = Array.from({ length: CHANNELS }, (_, i) => `bench_${i}`);
for (const login of logins) {
  const video = hls.add(login, { body: (_n, rendition) => bodies.get(rendition) ?? Buffer.alloc(0) });
  await wanted.put(login, JSON.stringify({ login, video, chat: false, paused: false, addedAtMs: 0 }));
}
await sleep(WARM_UP_S * 1000);
measuring = true;
const [cpuBefore, began] = [cpuS(), performance.now()];
await sleep(SECONDS * 1000);
const cores = (cpuS() - cpuBefore) / ((performance.now() - began) / 1000);
const residentMb =
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${source.pid}/status`, "utf8"))?.[1]) / 1024;
measuring = false;
const objects = openFolder(join(folder, "objects"));
const kept = new Map<string, number>(logins.map((login) => [videoChannelId(login), 0]));
for await (const { key, bytes } of objects.list("video/")) {
  const channelId = key.split("/")[1] ?? "";
  kept.set(channelId, (kept.get(channelId) ?? 0) + bytes);
}
objects.close();
const mostKept = Math.max(...kept.values());

follower.close();
source.kill("SIGKILL");
await exited(source);
await nc.close();
await hls.close();
await nats.close();
rmSync(folder, { recursive: true });

const expected = Math.round((CHANNELS * SECONDS * 1000) / SEGMENT_MS);
const figures = {
  channels: CHANNELS,
  segmentMs: SEGMENT_MS,
  cores: round(cores),
  cpuMsPerSegment: round((cores * SECONDS * 1000) / heard.segments),
  residentMb: Math.round(residentMb),
  segments: heard.segments,
  expected,
  ...{ gaps: heard.gaps, doubles: heard.doubles },
  ...{ behindP50Ms: quantile(0.5), behindP95Ms: quantile(0.95), behindP99Ms: quantile(0.99) },
  mostKeptMb: round(mostKept / 1e6),
  quotaMb: QUOTA_BYTES / 1e6,
};
const ratios = { kept: round(heard.segments / expected), ofQuota: round(mostKept / QUOTA_BYTES) };
const meets = {
  "nothing lost, nothing twice": heard.gaps === 0 && heard.doubles === 0,
  "the quota holds": mostKept <= QUOTA_BYTES,
};
console.log(JSON.stringify({ bench: "ingest", figures, ratios, meets }));
process.exit(0);

function cpuS(): number {
  const fields = readFileSync(`/proc/${source.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
function quantile(share: number): number {
  const sorted = behindMs.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? NaN;
}
