import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { z } from "zod";
import { questionSubject, type QuestionFailure } from "@hypecast/contracts/question.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter, histogram } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { ClickHouseError } from "@clickhouse/client";
import { storeErrorText, type Store } from "../store.ts";
import { asker, type Answer } from "./answer.ts";

/** Several processes may answer: each question goes to one of them. */
const QUEUE = "questions";
const DEADLINE_MS = 5000;
/** Questions at work at once; more are told to come back. */
const AT_ONCE = 64;

const seconds = histogram("question_seconds", "Time to answer.", ["question"]);
const failures = counter("question_failures_total", "Questions without an answer.", ["question", "error"]);

export interface Questions {
  health(): Health;
  close(): Promise<void>;
}

/** Answers each question on its subject until closed. `trouble` says why the store cannot be asked yet. */
export function serveQuestions(
  nc: NatsConnection,
  store: Store,
  answers: readonly Answer[],
  log: Logger,
  trouble: () => string | null,
  now: () => number = Date.now,
  atOnce = AT_ONCE,
): Questions {
  let atWork = 0;
  let answered = 0;
  let failed = 0;
  let lastFailure: { atMs: number; detail: string } | null = null;

  async function answer(one: Answer, message: Msg): Promise<void> {
    const { name } = one.question;
    const done = seconds.startTimer({ question: name });
    atWork++;
    let reply = await answerOne(
      one,
      message.data,
      store,
      nc.info?.max_payload ?? 1_000_000,
      atWork > atOnce,
      trouble(),
      now(),
    );
    atWork--;
    done();
    if (typeof reply !== "string") {
      failures.inc({ question: name, error: reply.error });
      if (reply.error !== "bad_question") {
        failed++;
        lastFailure = { atMs: now(), detail: `${name}: ${reply.detail}` };
        log.warn({ question: name, ...reply }, "no answer");
      }
      reply = JSON.stringify(reply);
    } else answered++;
    message.respond(reply);
  }

  const subscriptions: Subscription[] = answers.map((one) =>
    nc.subscribe(questionSubject(one.question), {
      queue: QUEUE,
      callback: (error, message) => {
        if (error === null) void answer(one, message);
      },
    }),
  );
  return {
    health() {
      const why =
        trouble() ?? (lastFailure !== null && now() - lastFailure.atMs < 10_000 ? lastFailure.detail : null);
      return {
        status: why === null ? "ok" : "degraded",
        reason: why === null ? null : `history cannot be asked: ${why}; live values go on`,
        figures: { answered, failed, atWork },
      };
    },
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    },
  };
}

/** The answer as JSON, or why there is none. Never throws. */
async function answerOne(
  one: Answer,
  data: Uint8Array,
  store: Store,
  mostBytes: number,
  tooMany: boolean,
  trouble: string | null,
  nowMs: number,
): Promise<string | QuestionFailure> {
  const { question } = one;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(data).toString("utf8"));
  } catch {
    return { error: "bad_question", detail: "the question is no JSON" };
  }
  const asked = question.ask.safeParse(json);
  if (!asked.success) return { error: "bad_question", detail: z.prettifyError(asked.error) };
  const span = json as { fromMs?: number; toMs?: number };
  if (span.fromMs !== undefined && span.toMs !== undefined && span.fromMs >= span.toMs)
    return { error: "bad_question", detail: `the span is empty: from ${span.fromMs} to ${span.toMs}` };
  if (trouble !== null) return { error: "store_down", detail: trouble };
  if (tooMany) return { error: "too_slow", detail: "too many questions are at work already" };
  const began = performance.now();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const left = (): number => (DEADLINE_MS - (performance.now() - began)) / 1000;
  try {
    const said = question.answer.parse(await one.answer(asked.data, asker(store, signal, left), nowMs));
    const text = JSON.stringify(said);
    if (Buffer.byteLength(text) > mostBytes)
      return {
        error: "bad_question",
        detail: `the answer has ${Buffer.byteLength(text)} bytes, more than ${mostBytes}: ask for less`,
      };
    return text;
  } catch (error) {
    return failureOf(error, signal.aborted);
  }
}

/** ClickHouse's codes for a query that may succeed later. */
const TOO_SLOW = new Set(["159", "160", "202", "241", "396"]);

function failureOf(error: unknown, late: boolean): QuestionFailure {
  if (late || (error instanceof ClickHouseError && TOO_SLOW.has(error.code)))
    return {
      error: "too_slow",
      detail: late ? `no answer within ${DEADLINE_MS / 1000} s` : storeErrorText(error),
    };
  if (error instanceof ClickHouseError || error instanceof z.ZodError)
    return { error: "internal", detail: storeErrorText(error) };
  return { error: "store_down", detail: storeErrorText(error) };
}
