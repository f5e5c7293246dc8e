import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { FLAGGED_FROM, type LineScore, TOXICITY_CLASSES } from "@hypecast/contracts/toxicity.ts";
import { BadAnswer, Late, type Outputs, type Scorer } from "../scorer/scorer.ts";
import { CONTEXT, contextRow, hasGameTerm, type LineContext, type SeenLine } from "./context.ts";
import { nearOf, PIECES, WINDOW, type Window, windowsOf, WORDS } from "./features.ts";
import { languageOf } from "./language.ts";
import { type Token, tokensOf } from "./normalise.ts";
import { type Piece, piecesOf, spanOf } from "./spans.ts";

/** Our own, or one of the same name, inputs and outputs that an operator puts before it. */
export const TOXICITY_MODEL = "toxicity";
/** Below it no class has a name. */
const CLASS_FROM = 0.3;
/** Windows in one question to the scorer. */
const ROWS_AT_ONCE = 512;
const WITHIN_MS = 2000;

export interface LineToScore {
  readonly line: ChatLine;
  readonly context: LineContext;
  /** The line's, where the caller has them (`tokensOf(line.text, context.emotes)`). */
  readonly tokens?: readonly Token[];
}

/** Scores in the order of the lines, or why there are none: a model that is away knows nothing, and nothing is clean for that. */
export type Scored =
  | { readonly scores: readonly LineScore[]; readonly unknown: null }
  | { readonly scores: null; readonly unknown: "scorer_down" | "late" | "bad_answer" };

export interface Toxicity {
  /** Never rejects. All lines within `withinMs`, or none. */
  score(lines: readonly LineToScore[], withinMs?: number): Promise<Scored>;
}

/** What the model of models/toxicity says of chat lines, through whichever scorer runs it. */
export function createToxicity(scorer: Scorer): Toxicity {
  return {
    async score(lines, withinMs = WITHIN_MS) {
      try {
        return { scores: await scoreLines(scorer, lines, performance.now() + withinMs), unknown: null };
      } catch (error) {
        return {
          scores: null,
          unknown: error instanceof Late ? "late" : error instanceof BadAnswer ? "bad_answer" : "scorer_down",
        };
      }
    },
  };
}

/** What a line tells of its surroundings to `ChannelMemory.see`. */
export const seenOf = (line: ChatLine): SeenLine => ({
  userId: line.userId,
  sentAtMs: line.sentAtMs,
  text: line.text,
  emotes: (line.emotes ?? []).map(([, , first, last]) => [first, last] as const),
  reply: (line.replyTo ?? "") !== "",
  firstMessage: line.firstMessage ?? false,
  trusted: /(?:^|,)(?:moderator|broadcaster|vip)\//.test(line.badges ?? ""),
  subscriber: /(?:^|,)(?:subscriber|founder)\//.test(line.badges ?? ""),
});

interface Reading {
  readonly tokens: readonly Token[];
  readonly context: Float32Array;
}
interface Row {
  readonly toxicity: number;
  readonly severity: number;
  readonly action: number;
  readonly scores: readonly number[];
  /** The worst one. */
  readonly window: Window;
}

async function scoreLines(
  scorer: Scorer,
  lines: readonly LineToScore[],
  untilMs: number,
): Promise<LineScore[]> {
  if (lines.length === 0) return [];
  const readings = lines.map(({ line, context, tokens = tokensOf(line.text, context.emotes) }) => ({
    tokens,
    context: contextRow(line.text, tokens, context),
  }));
  const rows = await ask(
    scorer,
    readings.map((reading) => ({ ...reading, windows: windowsOf(reading.tokens) })),
    untilMs,
  );
  // What drives a line is sought only where somebody will look at it, and in the window that is worst.
  const flagged = rows.flatMap((row, i) => {
    if (row.toxicity < FLAGGED_FROM) return [];
    const tokens = readings[i]!.tokens.slice(row.window.from, row.window.to);
    return [{ i, tokens, pieces: piecesOf(tokens) }];
  });
  const spans = await spansOf(scorer, readings, rows, flagged, untilMs);
  const model = scorer.version(TOXICITY_MODEL);
  return lines.map(({ line, context }, i) => {
    const { toxicity, severity, action, scores } = rows[i]!;
    const best = Math.max(...scores);
    const named = best >= CLASS_FROM;
    return {
      ...{ lineId: line.id, channelId: line.channelId, sentAtMs: line.sentAtMs, userId: line.userId },
      ...{ login: line.login, name: line.name ?? line.login, text: line.text },
      class: named ? TOXICITY_CLASSES[scores.indexOf(best)]! : "none",
      confidence: named ? best : 1 - best,
      ...{ toxicity, severity, action },
      scores: [...scores],
      span: spans.get(i) ?? null,
      language: languageOf(line.text, readings[i]!.tokens),
      authorLines: context.authorLines,
      copies: context.copies,
      near: nearOf(readings[i]!.tokens),
      firstMessage: context.firstMessage,
      gameTerm: hasGameTerm(readings[i]!.tokens),
      replyTo: line.replyTo ?? "",
      model,
    };
  });
}

interface Flagged {
  readonly i: number;
  readonly tokens: readonly Token[];
  readonly pieces: readonly Piece[];
}

/** Each flagged line's span, found by leaving out one piece after the other. */
async function spansOf(
  scorer: Scorer,
  readings: readonly Reading[],
  rows: readonly Row[],
  flagged: readonly Flagged[],
  untilMs: number,
): Promise<Map<number, [number, number] | null>> {
  const questions = flagged.flatMap(({ i, tokens, pieces }) =>
    pieces.map((piece) => ({
      context: readings[i]!.context,
      windows: windowsOf(tokens, piece.tokens).slice(0, 1),
    })),
  );
  const answers = questions.length === 0 ? [] : await ask(scorer, questions, untilMs);
  let at = 0;
  return new Map(
    flagged.map(({ i, tokens, pieces }) => {
      const without = answers.slice(at, (at += pieces.length)).map(({ toxicity }) => toxicity);
      const found = spanOf(pieces, rows[i]!.toxicity, without);
      if (found !== null || tokens.length === readings[i]!.tokens.length) return [i, found];
      return [i, [tokens[0]!.first, tokens.at(-1)!.last]];
    }),
  );
}

/** Asks about every window and takes, of each line, the strongest. */
async function ask(
  scorer: Scorer,
  lines: readonly { readonly context: Float32Array; readonly windows: readonly Window[] }[],
  untilMs: number,
): Promise<Row[]> {
  // The model looks no further than the fullest row of its batch, so rows of a size go together.
  const rows = lines
    .flatMap(({ windows, context }, line) => windows.map((window) => ({ line, window, context })))
    .toSorted((a, b) => a.window.to - a.window.from - (b.window.to - b.window.from));
  const best: Row[] = [];
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const part = rows.slice(from, from + ROWS_AT_ONCE);
    const numbers = new Float32Array(part.length * WINDOW);
    const words = new Float32Array(part.length * WORDS * PIECES);
    const context = new Float32Array(part.length * CONTEXT.length);
    for (const [i, row] of part.entries()) {
      numbers.set(row.window.numbers, i * WINDOW);
      words.set(row.window.words, i * WORDS * PIECES);
      context.set(row.context, i * CONTEXT.length);
    }
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) throw new Late(TOXICITY_MODEL, 0);
    const answer = await scorer.score(TOXICITY_MODEL, { numbers, words, context }, part.length, leftMs);
    for (const [i, { line, window }] of part.entries()) {
      const row = { ...rowOf(answer, i), window };
      const before = best[line];
      best[line] = before === undefined ? row : strongest(before, row);
    }
  }
  return best;
}

function rowOf(answer: Outputs, i: number): Omit<Row, "window"> {
  const width = TOXICITY_CLASSES.length;
  const classes = answer["classes"];
  const value = (name: string): number => {
    const found = answer[name]?.[i];
    if (found === undefined) throw new BadAnswer(`model ${TOXICITY_MODEL} has no output ${name}`);
    return Math.min(1, Math.max(0, found));
  };
  if (classes === undefined || classes.length < (i + 1) * width)
    throw new BadAnswer(`model ${TOXICITY_MODEL} has no output classes of ${width}`);
  const scores = [...classes.subarray(i * width, (i + 1) * width)].map((one) =>
    Math.min(1, Math.max(0, one)),
  );
  return {
    // What is surely of one class is surely toxic.
    toxicity: Math.max(value("toxicity"), ...scores),
    severity: value("severity"),
    action: value("action"),
    scores,
  };
}

const strongest = (a: Row, b: Row): Row => ({
  window: a.toxicity >= b.toxicity ? a.window : b.window,
  toxicity: Math.max(a.toxicity, b.toxicity),
  severity: Math.max(a.severity, b.severity),
  action: Math.max(a.action, b.action),
  scores: a.scores.map((score, i) => Math.max(score, b.scores[i]!)),
});
