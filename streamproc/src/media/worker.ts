import { measure } from "./measure.ts";
import { openFrameSource, type FramesChoice } from "./open-source.ts";
import type { Answer, Job, Ready } from "./protocol.ts";

/**
 * A forked process that measures one segment at a time for `workers.ts`. It has no network, writes no file and holds no secret; when a
 * segment ends it, the next one gets a new process.
 */
const source = await openFrameSource((process.argv[2] ?? "auto") as FramesChoice);

process.on("message", (job: Job) => void work(job));
async function work(job: Job): Promise<void> {
  const before = process.cpuUsage();
  const outcome = await measure(source, job);
  const { user, system } = process.cpuUsage(before);
  const answer: Answer = {
    id: job.id,
    outcome,
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
  };
  process.send?.(answer);
}
process.once("disconnect", () => process.exit(0));
const ready: Ready = { ready: { decoder: source.name, version: source.version } };
process.send?.(ready);
