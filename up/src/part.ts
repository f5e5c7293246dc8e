import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, renameSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

export interface PartPlan {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  /** `message`: our own processes say so over IPC. A port: ready when something accepts there. */
  readonly ready: "message" | number;
}

export interface Part {
  readonly name: string;
  readonly pid: () => number | undefined;
  readonly restarts: () => number;
  close(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
const RESTART_FIRST_MS = 200;
const RESTART_MOST_MS = 5_000;
/** A run this long counts as healthy: the next restart is quick again. */
const HEALTHY_AFTER_MS = 10_000;
const LOG_BYTES = 20_000_000;

/**
 * Starts a process, waits until it is ready and starts it again whenever it ends before `close`. What it writes goes to
 * `<logs>/<name>.log`; its last lines are told when the first start fails.
 */
export async function startPart(plan: PartPlan, logs: string, tell: (line: string) => void): Promise<Part> {
  let child: ChildProcess | null = null;
  let stopping = false;
  let restarts = 0;
  let pauseMs = RESTART_FIRST_MS;
  const log = openLog(logs, plan.name);

  const launch = async (): Promise<void> => {
    const startedAt = performance.now();
    const [program, args] = diesWithUs(plan.program, plan.args);
    const tail: string[] = [];
    const started = spawn(program, args, {
      env: { ...process.env, ...plan.env },
      // A group of its own: Ctrl-C in a terminal reaches us alone, and we stop the parts in order.
      detached: true,
      stdio: plan.ready === "message" ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
    });
    child = started;
    const keep = (chunk: Buffer): void => {
      log.write(chunk);
      tail.push(chunk.toString());
      if (tail.length > 20) tail.shift();
    };
    started.stdout?.on("data", keep);
    started.stderr?.on("data", keep);
    const ended = new Promise<string>((resolve) => {
      started.once("error", (error) => resolve(error.message));
      started.once("exit", (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
    const ready =
      plan.ready === "message" ? saidReady(started) : accepts(plan.ready, () => child === started);
    const failed = await Promise.race([ready, ended]);
    if (failed !== null) {
      started.kill("SIGKILL");
      throw new Error(
        `${plan.name} did not start: ${failed}\n${tail.join("").trim().split("\n").slice(-6).join("\n")}`,
      );
    }
    void restartAfter(ended, startedAt);
  };
  const restartAfter = async (ended: Promise<string>, startedAt: number): Promise<void> => {
    const how = await ended;
    if (stopping) return;
    if (performance.now() - startedAt > HEALTHY_AFTER_MS) pauseMs = RESTART_FIRST_MS;
    tell(`${plan.name} ended (${how}); starting it again`);
    await again();
  };
  const again = async (): Promise<void> => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, RESTART_MOST_MS);
      if (stopping) return;
      restarts++;
      try {
        await launch();
        return;
      } catch (error) {
        if (!stopping) tell(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
      }
    }
  };

  await launch();
  return {
    name: plan.name,
    pid: () => child?.pid,
    restarts: () => restarts,
    async close() {
      stopping = true;
      const running = child;
      if (running === null || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.kill("SIGTERM");
      const hard = setTimeout(() => running.kill("SIGKILL"), STOP_WITHIN_MS);
      await ended;
      clearTimeout(hard);
    },
  };
}

async function saidReady(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`not ready after ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    child.on("message", (message) => {
      if (typeof message !== "object" || message === null || !("ready" in message)) return;
      clearTimeout(timer);
      resolve(null);
    });
  });
}

async function accepts(port: number, wanted: () => boolean): Promise<string | null> {
  const until = performance.now() + READY_WITHIN_MS;
  while (performance.now() < until && wanted()) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (open) return null;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return `nothing listens on port ${port} after ${READY_WITHIN_MS / 1000} s`;
}

/**
 * Our own processes notice by their IPC channel that we are gone. Servers that are not ours get the kernel's parent-death
 * signal where util-linux has it, so that even a kill -9 of this process leaves nothing behind.
 */
function diesWithUs(program: string, args: readonly string[]): [string, string[]] {
  if (program === process.execPath || !hasSetpriv()) return [program, [...args]];
  return ["setpriv", ["--pdeathsig", "TERM", program, ...args]];
}
let setpriv: boolean | undefined;
function hasSetpriv(): boolean {
  setpriv ??= spawnSync("setpriv", ["--pdeathsig", "TERM", "true"]).status === 0;
  return setpriv;
}

function openLog(logs: string, name: string): NodeJS.WritableStream {
  mkdirSync(logs, { recursive: true });
  const path = join(logs, `${name}.log`);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES) renameSync(path, `${path}.1`);
  return createWriteStream(path, { flags: "a" });
}
