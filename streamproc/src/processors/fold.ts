import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import type { ChatGap, ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { DropReason } from "@hypecast/contracts/outcome.ts";
import type { ForecastOutcome, HypeForecast, HypeValue } from "@hypecast/contracts/hype.ts";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { Moment, MomentMark, ReactionLag } from "@hypecast/contracts/moment.ts";
import type { ModCase, ModErase, ModPolicy, ModReport } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import type { ShotScore, VideoShot } from "@hypecast/contracts/shot.ts";
import type { ToxicityScores, ToxicitySpike, ToxicityWindow } from "@hypecast/contracts/toxicity.ts";
import type { VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import type { ScreenOnset } from "./onsets.ts";
import type { Pane } from "./pane.ts";
import type { Reaction } from "./reaction.ts";

/** What a fold may see: first what the log says of one channel, in order, then what earlier folds of the list emitted in the same step. */
export type FoldInput =
  | { type: "lines"; lines: readonly ChatLine[]; emoteSet: string }
  | { type: "notice"; notice: ChatNotice }
  | { type: "moderation"; moderation: ChatModeration }
  | { type: "gap"; gap: ChatGap }
  /** The source has heard the channel until then; the only clock in silence. */
  | { type: "alive"; atMs: number }
  | { type: "segment"; segment: VideoSegment }
  | { type: "videoGap"; gap: VideoGap }
  | { type: "measured"; measured: VideoMeasured }
  | { type: "score"; score: ShotScore }
  | { type: "mark"; mark: MomentMark }
  | { type: "toxicity"; scores: ToxicityScores }
  | { type: "modEvent"; event: ModEvent }
  | { type: "policy"; policy: ModPolicy }
  | { type: "report"; report: ModReport }
  | { type: "erase"; erase: ModErase }
  | FoldOutput
  | FoldHandover;

/** What a fold may say. Committed with the state; a later fold sees it in the same step. */
export type FoldOutput =
  | { type: "window"; window: ChatWindow }
  | { type: "burst"; burst: ChatBurst }
  | { type: "hype"; hype: HypeValue }
  | { type: "forecast"; forecast: HypeForecast }
  | { type: "outcome"; outcome: ForecastOutcome }
  | { type: "shot"; shot: VideoShot }
  | { type: "audio"; audio: AudioWindow }
  | { type: "moment"; moment: Moment }
  | { type: "lag"; lag: ReactionLag }
  | { type: "chunk"; chunk: ChatChunk }
  | { type: "toxicityWindow"; toxicityWindow: ToxicityWindow }
  | { type: "spike"; spike: ToxicitySpike }
  | { type: "modCase"; modCase: ModCase };

/**
 * What a fold says only to the later ones of the list, in the same step: never committed, never on the log. Times are whole
 * seconds since the epoch. A pane that comes with `seconds` no longer changes and may be kept.
 */
export type FoldHandover =
  /** The seconds fromS … untilS − 1 are final. With a pane it is that one second; without, nobody wrote; `heard` false: the source did not hear them. Every second is handed over once, in order, a long silence in one piece. */
  | { type: "seconds"; fromS: number; untilS: number; pane: Pane | null; heard: boolean }
  /** The second untilS − 1 has just passed by the channel's clock and may still change. The open panes, oldest first; of pane i the first rows[i] rows had come by then (the rest of a pane may be newer). Said once a second while lines come. */
  | { type: "glance"; untilS: number; panes: readonly Pane[]; rows: readonly number[] }
  /** Final seconds again, as bursts see them: without floods. */
  | { type: "reaction"; reaction: Reaction }
  /** Something began on screen, as the lag fold sees it; in the order in which it becomes known. */
  | { type: "onset"; onset: ScreenOnset };

const HANDOVERS: ReadonlySet<string> = new Set(["seconds", "glance", "reaction", "onset"]);
export const isHandover = (said: FoldOutput | FoldHandover): said is FoldHandover => HANDOVERS.has(said.type);

export interface Emit {
  (said: FoldOutput | FoldHandover): void;
}

/**
 * A fold keeps one state a channel and is a deterministic function of that channel's events: no clock, no randomness, no I/O.
 * `step` changes the state in place (measured: copying costs more than the work), so a state belongs to one caller.
 * One fold = one file; the list is `index.ts`.
 */
export interface Fold<State = unknown> {
  readonly name: string;
  /** One line for README's table. */
  readonly says: string;
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
  /** Name in models/; its one input is called `features`. */
  readonly name: string;
  /** Features in one row. */
  readonly width: number;
  /** Rows of features, row-major, one or more (while a backlog is worked off, more happens between two commits); null when there is nothing to ask now. Must not change the state. */
  ask(state: State): Float32Array | null;
  /** `outputs` by name, the values of these rows; null when the scorer did not answer in time. */
  answer(state: State, outputs: Record<string, Float32Array> | null, version: string, emit: Emit): void;
}

export const defineFold = <State>(fold: Fold<State>): Fold<State> => fold;
