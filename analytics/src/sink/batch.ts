import { LINES_HEADER } from "@hypecast/contracts/chat.ts";
import type { StreamName } from "@hypecast/contracts/streams.ts";
import type { JsMsg } from "@nats-io/jetstream";
import { rowsOf, targetOf, type Target } from "./tables.ts";

/** Whichever comes first freezes a batch. */
export interface BatchBounds {
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
}

export interface Message {
  readonly seq: number;
  readonly subject: string;
  readonly atMs: number;
  readonly body: Uint8Array;
  readonly target: Target;
  /** As its header says; 1 where it says nothing. */
  readonly rows: number;
}

/** The messages of a frozen range, by table. */
export interface Batch {
  readonly messages: readonly Message[];
  readonly rows: number;
  readonly bytes: number;
}

export function readMessage(stream: StreamName, message: JsMsg): Message {
  return {
    seq: message.seq,
    subject: message.subject,
    atMs: message.info.timestampNanos / 1e6,
    body: message.data,
    target: targetOf(stream, message.subject),
    rows: Number(message.headers?.get(LINES_HEADER) || 1),
  };
}

/** Messages by table, in the order of the log. */
export function byTable(batch: Batch): Map<Target, Message[]> {
  const tables = new Map<Target, Message[]>();
  for (const message of batch.messages) {
    const messages = tables.get(message.target);
    if (messages) messages.push(message);
    else tables.set(message.target, [message]);
  }
  return tables;
}

export const packed = (target: Target, messages: readonly Message[]): Buffer =>
  Buffer.concat(messages.flatMap((message) => rowsOf(target, message.body)));
