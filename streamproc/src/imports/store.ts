import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import type { z } from "zod";
import { questionFailure, questionSubject, type Question } from "@hypecast/contracts/question.ts";

const DEADLINE_MS = 8000;
const RETRY_MS = 1000;

/** Asks the store a question until it answers: a store that is away is waited for. Throws what the asker did wrong. */
export type AskStore = <Asked extends Question>(
  question: Asked,
  ask: z.input<Asked["ask"]>,
  signal: AbortSignal,
) => Promise<z.output<Asked["answer"]>>;

export const askStore =
  (nc: NatsConnection): AskStore =>
  async (question, ask, signal) => {
    for (;;) {
      signal.throwIfAborted();
      const told = await nc
        .request(questionSubject(question), JSON.stringify(ask), { timeout: DEADLINE_MS })
        .then((reply): unknown => reply.json())
        .catch((error: unknown) => {
          if (nc.isClosed()) throw error;
          return null;
        });
      const answer = question.answer.safeParse(told);
      if (answer.success) return answer.data as z.output<(typeof question)["answer"]>;
      const failure = questionFailure.safeParse(told);
      if (failure.success && (failure.data.error === "bad_question" || failure.data.error === "internal"))
        throw new Error(`the store does not answer ${question.name}: ${failure.data.detail}`);
      if (!failure.success && told !== null)
        throw new Error(`the store's answer to ${question.name} has another form: ${answer.error.message}`);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };
