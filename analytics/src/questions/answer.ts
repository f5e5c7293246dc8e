import type { z } from "zod";
import type { Question } from "@hypecast/contracts/question.ts";
import type { Store } from "../store.ts";

/** Rows of one query. `params` fill `{name:Type}`. Throws when the deadline passes. */
export interface Ask {
  <Row>(query: string, params: Record<string, unknown>): Promise<Row[]>;
  /** A statement without rows. It goes on in the store when nobody waits any more. */
  command(statement: string, params: Record<string, unknown>): Promise<void>;
}

/** One file a question: from what is asked to what is answered. */
export interface Answer<Asked extends Question = Question> {
  readonly question: Asked;
  answer(asked: z.infer<Asked["ask"]>, ask: Ask, nowMs: number): Promise<z.infer<Asked["answer"]>>;
}

export const defineAnswer = <Asked extends Question>(
  question: Asked,
  answer: Answer<Asked>["answer"],
): Answer<Asked> => ({ question, answer });

/** Columns as the contract spells them, for a SELECT. */
export const columnsOf = (shape: z.ZodObject): string => Object.keys(shape.shape).join(", ");

/** One row an id, also before the store has merged: partitions depend on the id, so each can be read by itself. */
const SETTINGS = { do_not_merge_across_partitions_select_final: 1 } as const;

export function asker(store: Store, signal: AbortSignal, secondsLeft: () => number): Ask {
  const rows = async <Row>(query: string, params: Record<string, unknown>): Promise<Row[]> => {
    const result = await store.query({
      query,
      query_params: params,
      format: "JSONEachRow",
      abort_signal: signal,
      clickhouse_settings: { ...SETTINGS, max_execution_time: Math.max(1, Math.ceil(secondsLeft())) },
    });
    return result.json<Row>();
  };
  const command = async (query: string, params: Record<string, unknown>): Promise<void> => {
    await store.command({ query, query_params: params, abort_signal: signal });
  };
  return Object.assign(rows, { command });
}
