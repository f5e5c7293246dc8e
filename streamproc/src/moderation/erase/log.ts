import { jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { millis, type NatsConnection } from "@nats-io/transport-node";
import { modErase, modPolicy } from "@hypecast/contracts/mod-case.ts";
import { PARTITIONS } from "@hypecast/contracts/event.ts";
import { STATE_SUBJECT, type StreamName } from "@hypecast/contracts/streams.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import type { Positions } from "../../imports/positions.ts";
import { namedIn, type Chatter } from "./named.ts";

/** The log's clock and ours. */
const CLOCKS_APART_MS = 60_000;
/** Read for a name. The journal seals its names, and `sys` and ticks are never stored. */
const STREAMS = ["INPUT", "FOLD", "DEAD"] as const satisfies readonly StreamName[];
const BASE64 = /"body":"([A-Za-z0-9+/=]+)"/;

export interface LogLook {
  /** Messages that were removed now. */
  removed: number;
  /** Messages that name the chatter and are still read by somebody: folds or the sink. */
  waiting: number;
  /** Saved states of folds that hold something of the chatter: replaced as soon as their channel goes on. */
  states: number;
  /** By the log's clock: before this nothing names the chatter any more. */
  fromMs: number;
}

/**
 * Removes every message that names the chatter and that folds and sink are through with, its bytes overwritten. A pack goes whole: what else
 * is in it was folded and stored long ago.
 */
export async function eraseFromLog(
  nc: NatsConnection,
  chatter: Chatter,
  positions: Positions,
  fromMs = 0,
): Promise<LogLook> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const isNamed = namedIn(chatter);
  const look: LogLook = { removed: 0, waiting: 0, states: 0, fromMs: Date.now() - CLOCKS_APART_MS };
  const isLeft = (message: JsMsg): void => {
    look.fromMs = Math.min(look.fromMs, millis(message.info.timestampNanos) - 1);
  };
  for (const stream of STREAMS) {
    const through = await throughOf(stream, positions);
    for await (const message of readSince(nc, stream, [">"], fromMs)) {
      const text = message.string();
      const body = stream === "DEAD" ? (BASE64.exec(text)?.[1] ?? "") : "";
      // States are bytes: what stands before a name in them is no sign of a word.
      if (message.subject.startsWith(`${STATE_SUBJECT}.`)) {
        const state = Buffer.from(message.data);
        if (state.includes(chatter.login) || state.includes(chatter.userId)) {
          look.states++;
          isLeft(message);
        }
        continue;
      }
      if (!isNamed(text) && !(body !== "" && isNamed(Buffer.from(body, "base64").toString()))) continue;
      if (!through(message.subject, message.seq)) {
        look.waiting++;
        isLeft(message);
        continue;
      }
      await whenTheLogAnswers(nc, () => jsm.streams.deleteMessage(stream, message.seq, true)).catch(
        (error: unknown) => {
          // Aged out, or removed by another who erases at the same time.
          if (!(error instanceof Error && /no message found|not found/i.test(error.message))) throw error;
        },
      );
      look.removed++;
    }
  }
  return look;
}

/** The sink passes these by. */
const FOR_FOLDS_ALONE: readonly string[] = [modErase.name, modPolicy.name];

/** Says whether a message has been folded and stored. */
async function throughOf(
  stream: (typeof STREAMS)[number],
  positions: Positions,
): Promise<(subject: string, seq: number) => boolean> {
  const stored = await positions.storedBefore(stream);
  if (stream !== "INPUT") return (_subject, seq) => seq < stored;
  const folded = await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => (await positions.folded(partition)).position),
  );
  return (subject, seq) =>
    (seq < stored || FOR_FOLDS_ALONE.includes(subject.split(".", 2).join("."))) &&
    seq <= (folded[Number(subject.split(".")[2])] ?? 0);
}
