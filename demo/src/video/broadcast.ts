import type { AdSpot, Rendition } from "./playlists.ts";

export interface Slot {
  /** Wall clock of its first frame. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly discontinuity: boolean;
  readonly title: string;
  /** `ts`, `m4s`. */
  readonly extension: string;
  /** Lines before it in a playlist; `again`: also where it is the first of one (EXT-X-MAP and EXT-X-KEY hold for all that follow). */
  readonly headers: readonly string[];
}

/** A live channel as the HTTP side sees it: segments numbered from 0, each out when it has ended. */
export interface Broadcast {
  readonly renditions: readonly Rendition[];
  readonly targetS: number;
  readonly startedMs: number;
  /** Whether its playlists carry Twitch's tags. */
  readonly twitch: boolean;
  /** Number of the oldest segment that may be listed. */
  readonly first: number;
  /** Number of the newest segment that is out; below `first`: none yet. */
  lastAt(nowMs: number): number;
  /** Null: the channel has ended before it. */
  slot(number: number): Slot | null;
  /** DISCONTINUITY tags before segment `number` since segment 0, its own not included. */
  discontinuitiesBefore(number: number): number;
  /** Null: it is not there (any more, or yet). */
  body(rendition: string, number: number): Promise<Buffer | null>;
  /** What `headers` point at: an initialisation section, a key. */
  extra(rendition: string, name: string): Promise<Buffer | null>;
  adsBetween(fromMs: number, toMs: number): readonly AdSpot[];
}
