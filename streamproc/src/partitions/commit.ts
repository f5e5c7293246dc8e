import { headers, nuid, type MsgHdrs } from "@nats-io/transport-node";
import { CHECKPOINT_SUBJECT, FOLD_OUTPUT_TTL_S } from "@hypecast/contracts/streams.ts";

/** What a commit needs of a NATS connection. */
export interface Wire {
  publish(subject: string, data: Uint8Array, options: { headers: MsgHdrs }): void;
  request(
    subject: string,
    data: Uint8Array,
    options: { headers: MsgHdrs; timeout: number },
  ): Promise<{ json(): unknown }>;
}

export interface Commit {
  readonly partition: number;
  /** Leave by their time to live. */
  readonly outputs: readonly { subject: string; data: Uint8Array }[];
  /** One message a subject is kept: the newest. */
  readonly states: readonly { subject: string; data: Uint8Array; position: number }[];
  /** The one position record that vouches for all of the above. */
  readonly checkpoint: Uint8Array;
}

/**
 * `committed`: all of it stands, `revision` is what the next commit must expect. `refused`: none of it stands, because
 * somebody else has committed this partition since (or the server could not; `reason` is its sentence). `unknown`: the
 * answer was lost. In the last two cases only the log knows where the partition is: forget the state and load it again.
 */
export type Committed =
  | { readonly is: "committed"; readonly revision: number }
  | { readonly is: "refused" | "unknown"; readonly reason: string };

/** Most messages of one atomic batch (nats-server 2.12–2.15: "atomic publish batch is too large: 1000"). */
export const BATCH_MESSAGES = 1000;
const ANSWER_WITHIN_MS = 5000;
/** State messages carry the position they were saved at, so that a reader can tell a torn read. */
export const POSITION_HEADER = "Hypecast-Position";
/** JetStream's code for "wrong last sequence". */
const WRONG_LAST_SEQUENCE = 10071;

/**
 * Outputs, states and position as one JetStream atomic batch: all of it is stored or none. It is stored only if the
 * partition's checkpoint is still the message with sequence `expected` (0: there is none). Headers are written here because
 * the client's own batch drops the expectation and hides the server's error.
 */
export async function commit(wire: Wire, work: Commit, expected: number): Promise<Committed> {
  const messages = work.outputs.length + work.states.length + 1;
  if (messages > BATCH_MESSAGES)
    throw new Error(`partition ${work.partition}: ${messages} messages do not fit into one batch`);
  const batch = nuid.next();
  let n = 0;
  const next = (): MsgHdrs => {
    const header = headers();
    header.set("Nats-Batch-Id", batch);
    header.set("Nats-Batch-Sequence", String(++n));
    return header;
  };
  for (const { subject, data } of work.outputs) {
    const header = next();
    header.set("Nats-TTL", `${FOLD_OUTPUT_TTL_S}s`);
    wire.publish(subject, data, { headers: header });
  }
  for (const { subject, data, position } of work.states) {
    const header = next();
    header.set("Nats-Rollup", "sub");
    header.set(POSITION_HEADER, String(position));
    wire.publish(subject, data, { headers: header });
  }
  const last = next();
  last.set("Nats-Batch-Commit", "1");
  last.set("Nats-Rollup", "sub");
  last.set("Nats-Expected-Last-Subject-Sequence", String(expected));
  let answer: { seq?: number; error?: { err_code?: number; description?: string } };
  try {
    const reply = await wire.request(`${CHECKPOINT_SUBJECT}.${work.partition}`, work.checkpoint, {
      headers: last,
      timeout: ANSWER_WITHIN_MS,
    });
    answer = reply.json() as typeof answer;
  } catch (error) {
    return { is: "unknown", reason: error instanceof Error ? error.message : String(error) };
  }
  if (answer.error !== undefined)
    return {
      is: "refused",
      reason:
        answer.error.err_code === WRONG_LAST_SEQUENCE
          ? "another worker has committed"
          : (answer.error.description ?? "no reason given"),
    };
  if (answer.seq === undefined) return { is: "unknown", reason: "an answer without a sequence" };
  return { is: "committed", revision: answer.seq };
}
