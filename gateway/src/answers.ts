import type { NatsConnection } from "@nats-io/transport-node";
import { newAnswer } from "@hypecast/contracts/new-answer.ts";
import { answer, ANSWERS_BUCKET, type Answer } from "@hypecast/contracts/oracle.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { keepBucket } from "./bucket.ts";
import { ProblemError } from "./problems.ts";
import { random } from "./vods.ts";

/** Answers that are kept, those that were judged first of all: about ten kilobytes each in memory. */
const MOST_ANSWERS = 2000;
/** Answers that are being written. */
const MOST_WAITING = 50;
const MOST_FEEDBACK = 100;

export interface Answers {
  /** Writes the question down; the process `oracle` answers it from there. */
  ask(
    asked: Pick<Answer, "question" | "scope" | "after" | "language"> & { within: Answer["within"] | null },
  ): Promise<Answer>;
  readonly get: (id: string) => Answer | null;
  judge(id: string, verdict: Omit<Answer["feedback"][number], "atMs">): Promise<Answer>;
  /** Has it stopped, and forgets it. */
  stop(id: string): Promise<void>;
  readonly ready: () => boolean;
  readonly close: () => void;
}

export const isWriting = ({ state }: Answer): boolean =>
  state === "asked" || state === "searching" || state === "reading";

export async function watchAnswers(
  nc: NatsConnection,
  log: Logger,
  changed: (id: string, answer: Answer | null, isNews: boolean) => void,
): Promise<Answers> {
  const kept = await keepBucket(nc, ANSWERS_BUCKET, answer, log, changed);
  const missing = (id: string): ProblemError =>
    new ProblemError("answer_not_found", `there is no answer ${id}`);
  const forgetOldest = async (): Promise<void> => {
    const all = [...kept.values()];
    if (all.length <= MOST_ANSWERS) return;
    const byWorth = all
      .filter((one) => !isWriting(one))
      .sort((a, b) => a.feedback.length - b.feedback.length || a.askedAtMs - b.askedAtMs);
    for (const { id } of byWorth.slice(0, all.length - MOST_ANSWERS)) await kept.remove(id);
  };
  return {
    async ask({ question, scope, within, after, language }) {
      if (after !== null && kept.get(after) === null) throw missing(after);
      const waiting = [...kept.values()].filter(isWriting).length;
      if (waiting >= MOST_WAITING)
        throw new ProblemError("too_many_answers", `${waiting} answers are being written`, {
          "Retry-After": "5",
        });
      const nowMs = Date.now();
      const id = `${nowMs.toString(36).padStart(9, "0")}${random()}`;
      const record = newAnswer({ id, question, scope, within: within ?? [], after, language }, nowMs);
      await kept.put(record.id, record);
      void forgetOldest().catch((error: unknown) => log.warn({ err: error }, "old answers stay"));
      return record;
    },
    get: (id) => kept.get(id),
    async judge(id, verdict) {
      const after = await kept.change(id, (before) => ({
        ...before,
        revision: before.revision + 1,
        feedback: [
          // A second word on the same place takes back the first.
          ...before.feedback.filter(({ rank }) => rank !== verdict.rank),
          { ...verdict, atMs: Date.now() },
        ].slice(-MOST_FEEDBACK),
      }));
      if (after === null) throw missing(id);
      return after;
    },
    async stop(id) {
      const known = kept.get(id);
      // Gone already is what was asked for.
      if (known === null) return;
      if (isWriting(known))
        await kept.change(id, (before) =>
          isWriting(before) ? { ...before, state: "stopped", revision: before.revision + 1 } : null,
        );
      await kept.remove(id);
    },
    ready: kept.ready,
    close: kept.close,
  };
}
