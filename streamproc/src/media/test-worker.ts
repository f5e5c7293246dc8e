import { connect } from "node:net";
import { appendFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Job, Outcome, Ready } from "./protocol.ts";

/** A worker with bad habits, for the tests of `workers.ts`: what it does stands where others find a path. */
const leaked: Buffer[] = [];
const said = (detail: string): Outcome => ({ failed: "not_media", detail });

const habits: Record<string, () => Promise<Outcome> | Outcome> = {
  fine: () => said(String(process.pid)),
  crash: () => process.abort(),
  hang: () => {
    for (;;);
  },
  leak: () => {
    leaked.push(Buffer.alloc(60_000_000, 1));
    return said(String(process.pid));
  },
  devour: () => {
    for (;;) leaked.push(Buffer.alloc(100_000_000));
  },
  network: async () =>
    new Promise((resolve) => {
      const interfaces = Object.keys(networkInterfaces()).join();
      // The address of the test's own server.
      connect(Number(process.argv[2]?.split(":")[1] ?? 0) || 9, "127.0.0.1")
        .once("connect", () => resolve(said(`connected, ${interfaces}`)))
        .once("error", (error: NodeJS.ErrnoException) => resolve(said(`${error.code} [${interfaces}]`)));
    }),
  environment: () => said(Object.keys(process.env).toSorted().join()),
  write: () => {
    try {
      appendFileSync(join(tmpdir(), "hypecast-written-by-a-worker"), "x");
      return said("written");
    } catch (error) {
      return said((error as NodeJS.ErrnoException).code ?? "refused");
    }
  },
};

process.on("message", (job: Job) => void work(job));
async function work(job: Job): Promise<void> {
  const outcome = await habits[job.path]!();
  const answer: Answer = { id: job.id, outcome, cpuMs: 1, rssBytes: process.memoryUsage.rss() };
  process.send?.(answer);
}
process.once("disconnect", () => process.exit(0));
const ready: Ready = { ready: { decoder: "none", version: "0" } };
process.send?.(ready);
