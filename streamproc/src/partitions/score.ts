import type { Scorer } from "../scorer/scorer.ts";
import { meters } from "./meters.ts";
import type { Ask, Partition } from "./partition.ts";

/** A model that needs longer is not waited for: its fold is told "unknown". */
const SCORE_WITHIN_MS = 250;

/** Scores what all channels ask in one call a model, and hands each its rows. States must not move until this resolves. */
export async function answerAll(
  partition: Partition,
  asks: readonly Ask[],
  scorer: Scorer | null,
  signal: AbortSignal,
  unanswered: (model: string, error: unknown) => void,
): Promise<void> {
  for (const fold of new Set(asks.map((ask) => ask.fold))) {
    const ofFold = asks.filter((ask) => ask.fold === fold);
    const { name, width } = partition.folds[fold]!.model!;
    const features = new Float32Array(ofFold.reduce((sum, { rows }) => sum + rows.length, 0));
    const rows = features.length / width;
    let at = 0;
    for (const ask of ofFold) {
      features.set(ask.rows, at);
      at += ask.rows.length;
    }
    let scores: Record<string, Float32Array> | null = null;
    let version = "none";
    try {
      if (scorer !== null) {
        scores = await scorer.score(name, { features }, rows, SCORE_WITHIN_MS);
        version = scorer.version(name);
      }
    } catch (error) {
      meters.unscored.inc(rows);
      unanswered(name, error);
    }
    if (signal.aborted) return;
    let row = 0;
    for (const ask of ofFold) {
      const count = ask.rows.length / width;
      partition.answer(ask, scores === null ? null : rowsOf(scores, row, count, rows), version);
      row += count;
    }
  }
}

const rowsOf = (
  scores: Record<string, Float32Array>,
  from: number,
  count: number,
  rows: number,
): Record<string, Float32Array> =>
  Object.fromEntries(
    Object.entries(scores).map(([name, values]) => {
      const width = values.length / rows;
      return [name, values.subarray(from * width, (from + count) * width)];
    }),
  );
