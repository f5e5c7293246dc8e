import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Positions } from "./positions.ts";

const LOOK_EVERY_MS = 200;

/** The newest message of INPUT on any of these subjects; 0: there is none. */
export async function lastSequence(nc: NatsConnection, subjects: readonly string[]): Promise<number> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  let newest = 0;
  for (const subject of subjects) {
    const last = await whenTheLogAnswers(nc, () =>
      jsm.streams.getMessage("INPUT", { last_by_subj: subject }),
    );
    newest = Math.max(newest, last?.seq ?? 0);
  }
  return newest;
}

/** Resolves when a partition's outputs up to a commit are stored, and the rows of INPUT up to a sequence. */
export async function untilStored(
  positions: Positions,
  partition: number,
  revision: number,
  inputSeq: number,
  signal: AbortSignal,
): Promise<void> {
  const foldSeq = await positions.lastOutput(partition, revision);
  while (
    (await positions.storedBefore("FOLD")) <= foldSeq ||
    (await positions.storedBefore("INPUT")) <= inputSeq
  )
    await sleep(LOOK_EVERY_MS, undefined, { signal });
}
