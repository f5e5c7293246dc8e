import type { Answer, Evidence, Hit, Searched } from "@hypecast/contracts/oracle.ts";
import { check, placesSoFar, wordsSoFar, type Checked, type CheckedPlace } from "./check.ts";
import { LlmError, type Completion, type Llm } from "./llm.ts";
import { ANSWER_SCHEMA, PROMPT_VERSION, repairOf, turnsOf } from "./prompt.ts";
import { shownWindows, type FoundWindow, type ShownWindow } from "./windows.ts";
import { extractText, notFoundText } from "./words.ts";

/** What answering needs of the search. */
export interface Looking {
  /** `before`: the answer that the question goes on from. */
  search(
    asked: { record: Answer; before: Answer | null; limit: number },
    signal: AbortSignal,
  ): Promise<Searched>;
  /** All lines around these places, for reading. */
  windows(record: Answer, hits: readonly Hit[], signal: AbortSignal): Promise<FoundWindow[]>;
}

export interface AnsweringTools {
  readonly looking: Looking;
  /** Null: none is configured. */
  readonly llm: Llm | null;
  /** Shows what there is so far; the last word is the result. */
  readonly show: (soFar: Partial<Answer>) => void;
  readonly signal: AbortSignal;
}

const MOST_HITS = 10;
const SHOWN_HITS = 5;
const MOST_NEAREST = 3;
/** Places this far below the threshold are not worth a model's reading. */
const WORTH_READING = 0.5;

/**
 * From a question to its answer: search, then, where there is a model, let it read the windows that were found. What it says stands only if
 * `check` lets it; once it may repair it, then the lines answer themselves. Throws only when the search fails.
 */
export async function answering(
  record: Answer,
  before: Answer | null,
  { looking, llm, show, signal }: AnsweringTools,
): Promise<Partial<Answer>> {
  const found = await looking.search({ record, before, limit: MOST_HITS }, signal);
  const good = found.hits.filter(({ score }) => score >= found.needed).slice(0, SHOWN_HITS);
  const common: Partial<Answer> = {
    understood: found.understood,
    best: found.best,
    needed: found.needed,
    searched: { chunks: found.chunks, channels: found.channels, withoutVector: found.withoutVector },
  };
  const nearest = found.hits.filter(({ score }) => score < found.needed).slice(0, MOST_NEAREST);
  const readable = found.hits.filter(({ score }) => score >= found.needed * WORTH_READING);
  const reads = llm !== null && readable.length > 0 && found.understood.kind !== "best";
  const windows = reads ? await looking.windows(record, readable, signal) : [];
  const extract: Partial<Answer> =
    good.length > 0
      ? {
          found: true,
          hits: good,
          nearest: [],
          text: extractText(good, record.language),
          by: "extract",
        }
      : { found: false, hits: [], nearest, text: notFoundText(record.language), by: "extract" };
  // The juiciest moments are what was measured: there is nothing to read out of lines.
  if (llm === null || windows.length === 0) return { ...common, ...extract, state: "done" };

  show({ ...common, ...extract, text: "", by: null, state: "reading" });
  const shown = shownWindows(windows);
  const read = await reading(record, before, shown, llm, show, signal);
  const model = {
    name: llm.model,
    promptVersion: PROMPT_VERSION,
    costUsd: llm.costOf(read),
    ...tokensOf(read),
  };
  if (read.refused !== null)
    return {
      ...common,
      ...extract,
      state: "done",
      model: { ...model, refused: read.refused, repaired: read.repaired },
    };
  const hits = read.places.map((place, i) => hitOf(place, i + 1));
  return {
    ...common,
    state: "done",
    by: "model",
    found: hits.length > 0,
    hits,
    nearest: hits.length > 0 ? [] : nearest.length > 0 ? nearest : found.hits.slice(0, MOST_NEAREST),
    text: read.text === "" ? notFoundText(record.language) : read.text,
    model: { ...model, refused: null, repaired: read.repaired },
  };
}

interface Read {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly places: readonly CheckedPlace[];
  readonly text: string;
  /** Why nothing of it stands; null: it does. */
  readonly refused: string | null;
  readonly repaired: boolean;
}

const tokensOf = ({ inputTokens, outputTokens }: Read): { inputTokens: number; outputTokens: number } => ({
  inputTokens,
  outputTokens,
});

/** Thrown into the stream as soon as its places are whole and do not stand: the rest need not be paid for. */
class DoesNotStand extends Error {
  readonly said: string;
  readonly problems: readonly string[];
  constructor(said: string, problems: readonly string[]) {
    super("the answer does not stand");
    this.said = said;
    this.problems = problems;
  }
}

async function reading(
  record: Answer,
  before: Answer | null,
  shown: readonly ShownWindow[],
  llm: Llm,
  show: (soFar: Partial<Answer>) => void,
  signal: AbortSignal,
): Promise<Read> {
  let turns = turnsOf(
    record.question,
    record.language,
    shown,
    before === null ? null : { question: before.question, text: before.text },
  );
  let inputTokens = 0;
  let outputTokens = 0;
  for (const repaired of [false, true]) {
    let known: Checked | null = null;
    const grew = (text: string): void => {
      if (known === null) {
        known = placesSoFar(text, shown);
        if (known !== null && !known.stands) throw new DoesNotStand(text, known.problems);
      }
      const words = known === null ? "" : wordsSoFar(text);
      if (words !== "") show({ text: words });
    };
    let said: string;
    let problems: readonly string[];
    try {
      const completion: Completion = await llm.complete({ turns, schema: ANSWER_SCHEMA, signal, grew });
      inputTokens += completion.inputTokens;
      outputTokens += completion.outputTokens;
      const checked = check(completion.text, shown);
      if (checked.stands)
        return {
          inputTokens,
          outputTokens,
          places: checked.places,
          text: checked.text ?? "",
          refused: null,
          repaired,
        };
      ({ problems } = checked);
      said = completion.text;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof LlmError)
        return { inputTokens, outputTokens, places: [], text: "", refused: error.message, repaired };
      if (!(error instanceof DoesNotStand)) throw error;
      ({ said, problems } = error);
    }
    if (repaired)
      return {
        inputTokens,
        outputTokens,
        places: [],
        text: "",
        refused: `its answer did not stand: ${problems.join("; ")}`.slice(0, 400),
        repaired,
      };
    turns = repairOf(turns, said, problems);
  }
  throw new Error("unreachable: the loop above returns");
}

/** The place that was found, moved to where the model saw it begin, with the lines that it cites in front. */
function hitOf({ window, atMs, lineIds, why, confidence }: CheckedPlace, rank: number): Hit {
  const { hit } = window.found;
  const lagMs = Math.max(0, hit.chatAtMs - hit.atMs);
  const movedMs = atMs - hit.chatAtMs;
  const cited = lineIds.flatMap((id) => {
    const known = hit.lines.find((line) => line.id === id);
    return known ?? [];
  });
  const rest: Evidence[] = hit.lines.filter((line) => !lineIds.includes(line.id));
  return {
    ...hit,
    rank,
    chatAtMs: atMs,
    atMs: atMs - lagMs,
    startMs: hit.startMs + Math.min(0, movedMs),
    endMs: Math.max(hit.endMs, atMs + 5000),
    lines: [...cited, ...rest],
    why,
    certainty: confidence >= 0.8 ? "sure" : confidence >= 0.5 ? "likely" : "maybe",
    parts: { ...hit.parts, model: confidence },
  };
}
