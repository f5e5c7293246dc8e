import { hostname } from "node:os";
import { createLog, type Logger } from "./log.ts";
import { readConfig, type Config } from "./config.ts";

interface Closable {
  close(): unknown;
}

export interface Process {
  readonly config: Config;
  readonly log: Logger;
  /** Unique to this run of the process; begins with the host's name. */
  readonly instance: string;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Takes charge of a part: at the end they are closed in reverse order. Returns the part. */
  readonly own: <Part extends Closable>(part: Part) => Part;
}

const STOP_WITHIN_MS = 8000;
/** The host's name as one token of a subject: no dots. */
export const hostName = hostname().replace(/[^\w-]/g, "-");

/**
 * The shell of every process: reads the settings, builds its parts, waits for SIGTERM, SIGINT or the end of its parent, closes
 * the parts in reverse order. A part that throws ends the process with exit code 1 and the reason; whoever started it starts it again.
 */
export async function run(part: string, main: (process: Process) => Promise<void>): Promise<void> {
  const config = configOrExit();
  const log = createLog(part, config.HYPECAST_LOG_LEVEL);
  const parts: Closable[] = [];
  const stop = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
    // Started with an IPC channel: when the parent dies, even by kill -9, the channel closes.
    process.once("disconnect", () => resolve("parent gone"));
  });
  const crash = (error: unknown): never => {
    log.fatal({ err: error }, "stopped by an error");
    process.exit(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);

  const instance = `${hostName}-${process.pid.toString(36)}-${Date.now().toString(36)}`;
  const started = main({
    config,
    log,
    instance,
    signal: stop.signal,
    own: (owned) => {
      parts.push(owned);
      return owned;
    },
  });
  // A start waits for a log that is away for as long as it takes, and can be stopped meanwhile like everything else.
  if (await Promise.race([started.then(() => true), stopped.then(() => false)])) {
    log.info("ready");
    process.send?.({ ready: true });
  }
  const reason = await stopped;
  log.info({ reason }, "stopping");
  stop.abort();
  setTimeout(() => crash(new Error(`did not stop within ${STOP_WITHIN_MS} ms`)), STOP_WITHIN_MS).unref();
  for (const owned of parts.toReversed()) await owned.close();
  log.info("stopped");
  process.exit(0);
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return process.exit(2);
  }
}
