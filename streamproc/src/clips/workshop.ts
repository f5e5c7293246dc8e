import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { hostName } from "@hypecast/runtime/run.ts";

/** What a process left behind is gone after this, whoever it was. */
const LEFT_BEHIND_MS = 3_600_000;

/** A folder for one rendering, gone with `clear`. Its name says whose it is, so that what a dead process left can be told from work. */
export interface Workshop {
  readonly path: string;
  clear(): Promise<void>;
}

export async function openWorkshop(root: string, clipId: string): Promise<Workshop> {
  const path = join(root, `${hostName}.${process.pid}.${clipId}.${Date.now().toString(36)}`);
  await mkdir(path, { recursive: true });
  // A long rendering writes into files, which does not move the folder's own time.
  const alive = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => undefined);
  }, LEFT_BEHIND_MS / 6);
  alive.unref();
  return {
    path,
    async clear() {
      clearInterval(alive);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Removes what dead processes of this machine left, and whatever is older than an hour. Returns how many. */
export async function sweepWorkshops(root: string, nowMs: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(root).catch(() => [])) {
    const path = join(root, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
    const [host, pid] = name.split(".");
    const isOurs = host === hostName && Number(pid) === process.pid;
    const isDead = host === hostName && !isAlive(Number(pid));
    if (isOurs || !(isDead || nowMs - mtimeMs > LEFT_BEHIND_MS)) continue;
    await rm(path, { recursive: true, force: true });
    removed++;
  }
  return removed;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
