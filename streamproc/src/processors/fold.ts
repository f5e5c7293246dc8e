import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChatGap, ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { DropReason } from "@hypecast/contracts/outcome.ts";
import type { ForecastOutcome, HypeForecast, HypeValue } from "@hypecast/contracts/hype.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";

/** What a fold may see: first what the log says of one channel, in order, then what earlier folds of the list emitted in the same step. */
export type FoldInput =
  | { type: "lines"; lines: readonly ChatLine[]; emoteSet: string }
  | { type: "notice"; notice: ChatNotice }
  | { type: "moderation"; moderation: ChatModeration }
  | { type: "gap"; gap: ChatGap }
  /** The source has heard the channel until then; the only clock in silence. */
  | { type: "alive"; atMs: number }
  | FoldOutput;

/** What a fold may say. Committed with the state; a later fold sees it in the same step. */
export type FoldOutput =
  | { type: "window"; window: ChatWindow }
  | { type: "burst"; burst: ChatBurst }
  | { type: "hype"; hype: HypeValue }
  | { type: "forecast"; forecast: HypeForecast }
  | { type: "outcome"; outcome: ForecastOutcome };

export interface Emit {
  (output: FoldOutput): void;
}

/**
 * A fold keeps one state a channel and is a deterministic function of that channel's events: no clock, no randomness, no I/O.
 * `step` changes the state in place (measured: copying costs more than the work), so a state belongs to one caller.
 * One fold = one file; the list is `index.ts`.
 */
export interface Fold<State = unknown> {
  readonly name: string;
  /** Raised when `save` changes its form. */
  readonly version: number;
  initial(channelId: string): State;
  step(state: State, input: FoldInput, emit: Emit): void;
  /** Bytes that `load` understands; small, since it is written about once a second. */
  save(state: State): Uint8Array;
  /** Reads what `save` of this or an older version wrote; null when it cannot, and the channel starts anew. */
  load(channelId: string, version: number, bytes: Uint8Array): State | null;
  /** Lines that this fold counted, and those it left out, by reason: for in = out + late + dropped. */
  counts?(state: State): { counted: number; late: number; dropped: Partial<Record<DropReason, number>> };
  /** A model's turn. The engine gathers the rows of all channels before a commit, scores them at once and hands each its answer. */
  readonly model?: Model<State>;
}

export interface Model<State> {
  /** Name in models/. */
  readonly name: string;
  /** One row of features, or null when there is nothing to ask now. Must not change the state. */
  ask(state: State): Float32Array | null;
  /** `outputs` by name, this row's values; null when the scorer did not answer in time. */
  answer(state: State, outputs: Record<string, Float32Array> | null, version: string, emit: Emit): void;
}

export const defineFold = <State>(fold: Fold<State>): Fold<State> => fold;
