import { pino, type Logger } from "pino";

export type { Logger };

/** JSON lines on stderr; `part` names the process, children add `{ channel, partition … }`. Tokens and raw chat text never go in. */
export function createLog(part: string, level: string): Logger {
  // Written at once: what a dying process says last is what one wants to read. When whoever reads it is gone, pino falls silent.
  return pino({ level, base: { part, pid: process.pid } }, pino.destination({ fd: 2, sync: true }));
}
