import type { ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { Completeness, Vod, VodError } from "@hypecast/contracts/vod.ts";
import type { ChatDialect } from "@hypecast/contracts/vod-words.ts";
import type { ByteSource } from "./source.ts";

/** What is known from elsewhere; it goes before what the file says. */
export interface KnownOfStream {
  /** Event time of offset 0. */
  readonly startMs: number | null;
  readonly durationS: number | null;
}

/** What the file says about the stream; what it does not say is null. */
export interface ChatFacts {
  readonly twitchId: string | null;
  readonly title: string | null;
  readonly broadcaster: Vod["broadcaster"];
  readonly game: string | null;
  readonly chapters: Vod["chapters"];
  /** Length as the file says it, in seconds. */
  readonly durationS: number | null;
}

/** A chat file after it was read once from end to end. Plain data: it can be kept in a record and outlive the process. */
export interface ChatSurvey {
  readonly dialect: ChatDialect;
  readonly facts: ChatFacts;
  /** Event time of offset 0; UNKNOWN_START_MS where nothing says it. */
  readonly startMs: number;
  readonly startKnown: boolean;
  readonly lines: number;
  readonly notices: number;
  readonly moderation: number;
  readonly chatters: number;
  /** Event time of the first and the last line. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** sha256 over second, viewer and text of every line. */
  readonly contentHash: string;
  readonly badLines: Vod["badLines"];
  readonly completeness: Completeness;
  /** `truncated`, `too_large` for lines that were left out: the rest is whole. */
  readonly notes: readonly VodError[];
}

/** Everything between two moments, in event-time order inside each list; a later batch has nothing earlier. */
export interface ChatBatch {
  readonly lines: ChatLine[];
  readonly notices: ChatNotice[];
  readonly moderation: ChatModeration[];
  /** Lines, notices and moderation up to the end of this batch. */
  readonly done: number;
}

export interface Reading {
  readonly signal?: AbortSignal;
  /** Called a few times a second at most. `bytes` of the source that were read in this pass. */
  readonly progress?: (bytes: number, lines: number) => void;
}

/**
 * First pass: what the file is, and whether it can be imported. Throws ImportFailure: not_a_chat, empty, too_large, bad_archive,
 * bad_encoding, several_channels, truncated (nothing could be read before the end).
 */
export declare function surveyChat(
  source: ByteSource,
  known: KnownOfStream,
  reading?: Reading,
): Promise<ChatSurvey>;

/** Second pass: the same items at every call. `skip`: so many items (as `done` counts) are left out, to go on after an interruption. */
export declare function chatBatches(
  source: ByteSource,
  survey: ChatSurvey,
  channelId: string,
  reading?: Reading & { readonly skip?: number },
): AsyncGenerator<ChatBatch>;
