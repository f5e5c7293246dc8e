import { createHash } from "node:crypto";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { questionFailure, questionSubject, type Question } from "@hypecast/contracts/question.ts";
import type { Cache } from "./cache.ts";
import { ProblemError } from "./problems.ts";

const DEADLINE_MS = 8000;
const ANSWER_KEPT_MS = 1500;
const RETRY = { "Retry-After": "3" };

/** Asks the store a question and gives the answer as JSON text. The same question at the same time is asked once. */
export type Ask = (question: Question, ask: Record<string, unknown>, deadlineMs?: number) => Promise<string>;

export function createAsk(nc: NatsConnection, cache: Cache): Ask {
  const asked = new Map<string, Promise<string>>();
  return (question, ask, deadlineMs = DEADLINE_MS) => {
    const checked = question.ask.safeParse(ask);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      throw new ProblemError(
        "invalid_parameters",
        `${issue?.path.join(".") ?? "query"}: ${issue?.message ?? "not valid"}`,
      );
    }
    const body = JSON.stringify(checked.data);
    const key = `answer:${question.name}:${createHash("sha256").update(body).digest("base64url")}`;
    const running = asked.get(key);
    if (running !== undefined) return running;
    const answer = (async () => {
      const kept = await cache.get(key);
      if (kept !== null) return kept;
      const fresh = await request(nc, question, body, deadlineMs);
      cache.set(key, fresh, ANSWER_KEPT_MS);
      return fresh;
    })().finally(() => asked.delete(key));
    asked.set(key, answer);
    return answer;
  };
}

async function request(
  nc: NatsConnection,
  question: Question,
  body: string,
  deadlineMs: number,
): Promise<string> {
  let text: string;
  try {
    text = (await nc.request(questionSubject(question), body, { timeout: deadlineMs })).string();
  } catch (error) {
    if (
      error instanceof errors.NoRespondersError ||
      (error instanceof errors.RequestError && error.isNoResponders())
    )
      throw new ProblemError(
        "store_down",
        "nobody answers questions now: the analytics process is not running",
        RETRY,
      );
    if (error instanceof errors.TimeoutError)
      throw new ProblemError("too_slow", `no answer within ${deadlineMs / 1000} s`, RETRY);
    throw new ProblemError("bus_down", "the question could not be asked", RETRY);
  }
  // Answers are large and failures small: only what may be one is read.
  if (!text.startsWith('{"error"')) return text;
  const failure = questionFailure.safeParse(JSON.parse(text));
  if (!failure.success) return text;
  const { error, detail } = failure.data;
  if (error === "bad_question") throw new ProblemError("invalid_parameters", detail);
  if (error === "internal") throw new ProblemError("internal", "the store could not answer");
  throw new ProblemError(error, detail, RETRY);
}
