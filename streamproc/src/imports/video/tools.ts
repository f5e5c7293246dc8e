import type { NatsConnection } from "@nats-io/transport-node";
import type { Vod } from "@hypecast/contracts/vod.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
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
  /** While it is taken: what can be played already, for the record. */
  readonly video?: Vod["video"];
}
export type Tell = (progress: Progress) => void;
