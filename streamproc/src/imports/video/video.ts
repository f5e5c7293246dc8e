import type { NatsConnection } from "@nats-io/transport-node";
import type { Vod, VodError } from "@hypecast/contracts/vod.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { EventType } from "@hypecast/contracts/event.ts";
import type { Fetch } from "../../sources/hls/fetch.ts";

export interface VideoTools {
  readonly nc: NatsConnection;
  readonly objects: Objects;
  readonly config: Config;
  readonly log: Logger;
  /** Of `openFetcher(rulesOf(config))`. */
  readonly fetch: Fetch;
}

/** What of a record is needed here. */
export type OfVod = Pick<Vod, "id" | "source" | "startMs">;

/** What a picture is before any of it is taken. */
export interface VideoFacts {
  readonly kind: "file" | "hls";
  /** Null: the source does not say. */
  readonly durationS: number | null;
  readonly bytes: number | null;
  readonly width: number;
  readonly height: number;
  /** When its first picture was, by the playlist's own clock (EXT-X-PROGRAM-DATE-TIME). Null: nothing says it. */
  readonly startMs: number | null;
  /** Has to be encoded anew, which takes long: why. Null: it is taken as it is. */
  readonly encodes: string | null;
}

export interface Progress {
  readonly segments: number;
  readonly bytes: number;
  /** Of the stream. */
  readonly seconds: number;
  /** Null: not known. */
  readonly ofSeconds: number | null;
}
export type Tell = (progress: Progress) => void;

/** One event for INPUT on the channel of a run, ready to be published under `subjectOf(type, channelId)`. */
export interface TimedEvent {
  /** Event time by which it is put among the others. */
  readonly atMs: number;
  readonly type: EventType;
  readonly data: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Does the record name a picture? */
export declare function namesVideo(source: Vod["source"]): boolean;

/**
 * Looks at the picture without taking it, so that the import knows its length and when it began before anything is published. Throws
 * ImportFailure: not_a_video, unreachable, refused, protected, no_way, not_found.
 */
export declare function lookAtVideo(vod: OfVod, tools: VideoTools, signal: AbortSignal): Promise<VideoFacts>;

/**
 * Takes the picture apart into segments in `objects`, tells each as `video.segment` (or `video.gap`) on the channel of run 1, and keeps the
 * manifest. `vod.startMs` is the event time of the first picture and must not change between calls. What an earlier call did is not done
 * again. Throws ImportFailure.
 */
export declare function takeVideo(
  vod: OfVod,
  tools: VideoTools,
  signal: AbortSignal,
  tell: Tell,
): Promise<{ readonly video: NonNullable<Vod["video"]>; readonly notes: readonly VodError[] }>;

/**
 * Waits until the process `media` has measured every segment and scored every shot of run 1, and keeps the scores beside the manifest (the
 * log forgets). Publishes the `chat.alive` that ends the last shot: nothing of run 1 may be told afterwards but `chat.ended`.
 */
export declare function measured(
  vod: OfVod,
  tools: VideoTools,
  signal: AbortSignal,
  tell: Tell,
): Promise<void>;

/**
 * Everything of a merged run in event-time order: what `chat` yields, with segments, measurements and scores of run 1 rewritten for `channelId`,
 * and a `chat.alive` a second where `chat` is null. Nothing but these four is added: the caller ends the run. The same at every call.
 */
export declare function merge(
  vod: OfVod,
  channelId: string,
  chat: AsyncIterable<TimedEvent> | null,
  tools: Pick<VideoTools, "objects">,
): AsyncGenerator<TimedEvent>;
