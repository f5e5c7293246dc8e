import { setTimeout as sleep } from "node:timers/promises";
import type { WantedChannel } from "@hypecast/contracts/channel.ts";
import type { VideoCode, VideoGap, VideoSegment, VideoState } from "@hypecast/contracts/video.ts";
import { readKeptVideo } from "@hypecast/runtime/kept-video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { addressOf } from "./address.ts";
import { NotFound, type Fetch } from "./fetch.ts";
import { playFile } from "./file.ts";
import { openKeep, type Held, type Keep, type KeepLimits } from "./keep.ts";
import { openChannelLog, Overtaken, type ChannelLog } from "./log.ts";
import { plan, positionOf, type Position } from "./plan.ts";
import { Refused } from "./playlist.ts";
import { openPlaylists, type Playlists } from "./playlists.ts";
import { openPump, type Pump } from "./pump.ts";

export interface ChannelParts {
  readonly nc: NatsConnection;
  readonly log: Logger;
  readonly fetch: Fetch;
  readonly objects: Objects;
  readonly held: Held;
  readonly limits: KeepLimits;
  readonly settings: {
    readonly mostHeight: number;
    readonly mostBytes: number;
    readonly giveUpMs: number;
    readonly twitchCommand: string;
    /** Channels may be files of this machine. */
    readonly filesAllowed: boolean;
    /** Folder for a file's segments on their way into `objects`. */
    readonly scratch: string;
  };
  /** The id of a channel: at once of one of video alone, else when Twitch's chat has told it. */
  channelIdOf(wanted: WantedChannel): Promise<string | null>;
  /** What was last said of the channel, by an earlier run or another process. */
  lastState(login: string): Promise<VideoState | null>;
  /** False: another process may have taken our channels over. */
  readonly sure: () => boolean;
}

export interface ChannelVideo {
  state(): VideoState;
  /** Lets go of what is over the limits. */
  trim(nowMs: number): Promise<void>;
  measured(shed: boolean): void;
  close(): Promise<void>;
}

const POLL_MS = { least: 300, most: 10_000 };
/**
 * When the playlist is read again, in lengths of a segment: shortly before the next is due, then often, so that a segment is seen within a
 * quarter of its length. (RFC 8216 would wait for a whole target duration, three segments with Twitch.)
 */
const POLL_AFTER = { news: 0.75, nothing: 0.25 };
/** When to try again: after an error, when there is no stream, when the address is refused. */
const AGAIN_MS = { error: { first: 500, most: 15_000 }, nothing: 10_000, refused: 30_000, most: 60_000 };
/** Playlist fetches that fail in a row before the address is asked for again. */
const FAILURES_MOST = 5;
const STALLED_MS = 2000;
const ID_AGAIN_MS = 1000;
/** So many segments in a row that cannot be had, and the channel is not said to be live. */
const GAPS_MOST = 3;

/** Follows one channel's picture, for as long as it is ours. */
export function followChannel(wanted: WantedChannel, parts: ChannelParts): ChannelVideo {
  const { login } = wanted;
  const closing = new AbortController();
  const log = parts.log.child({ login });
  let keep: Keep | null = null;
  const state: VideoState = {
    ...{ login, channelId: null, state: "waiting", sinceMs: Date.now() },
    ...{ code: null, reason: null },
    ...{ epoch: null, lastSeq: null, newestMs: null, oldestMs: null, keptBytes: 0 },
    ...{ ad: false, renditions: [], shed: false },
  };
  const say = (what: VideoState["state"], why: Why | null = null): void => {
    if (state.state !== what) state.sinceMs = Date.now();
    state.state = what;
    state.code = why?.[0] ?? null;
    state.reason = why?.[1] ?? null;
  };
  if (wanted.paused) say("paused");

  const running = (async () => {
    let why: VideoGap["reason"] = "source_restarted";
    let attempt = 0;
    while (!closing.signal.aborted) {
      try {
        await followOnce(why);
      } catch (error) {
        if (closing.signal.aborted) return;
        if (error instanceof Overtaken)
          log.info("another process has gone on with the channel; reading the log again");
        else {
          log.warn({ err: error }, "following the video was interrupted");
          say("failed", ["interrupted", `The source was interrupted (${sentence(error)}); it tries again.`]);
        }
        const wait = Math.min(AGAIN_MS.error.most, AGAIN_MS.error.first * 2 ** attempt++);
        await sleep(wait * (0.5 + Math.random()), undefined, { signal: closing.signal }).catch(() => {});
      }
      why = "source_restarted";
    }
  })();

  /** Everything from what the log has of the channel on; ends by throwing. */
  async function followOnce(why: VideoGap["reason"]): Promise<void> {
    const { signal } = closing;
    const before = await parts.lastState(login);
    const channelId = await knownId(signal);
    state.channelId = channelId;
    const channelLog = await openChannelLog(parts.nc, channelId, signal);
    keep = await restoreKeep(channelId);
    const { segment, gap } = channelLog.last;
    let position: Position | null = segment === null ? null : positionOf(segment, gap, why);
    if (position !== null && before?.state === "ended") position = { ...position, ended: true };
    if (position !== null && before?.state === "paused") position = { ...position, holeReason: "paused" };
    state.epoch = segment?.epoch ?? null;
    state.lastSeq = segment?.seq ?? null;
    if (wanted.paused) {
      say("paused");
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return;
    }
    // What was shown while the channel was paused was not wanted.
    let notBeforeMs = before?.state === "paused" ? Date.now() : 0;
    for (let inVain = 0; ; inVain++) {
      const result = await followStream({ channelId, channelLog, position, notBeforeMs });
      if (result.position?.seq !== position?.seq) inVain = 0;
      position = result.position;
      notBeforeMs = 0;
      const againMs = Math.min(AGAIN_MS.most, result.againMs * 1.5 ** inVain);
      await sleep(againMs * (0.8 + 0.4 * Math.random()), undefined, { signal });
    }
  }

  async function knownId(signal: AbortSignal): Promise<string> {
    for (;;) {
      const id = await parts.channelIdOf(wanted);
      if (id !== null) return id;
      if (!wanted.paused) say("waiting", NO_ID);
      await sleep(ID_AGAIN_MS, undefined, { signal });
    }
  }

  async function restoreKeep(channelId: string): Promise<Keep> {
    const opened = openKeep(channelId, parts.limits, { objects: parts.objects, held: parts.held, log });
    const now = Date.now();
    const kept = await readKeptVideo(parts, channelId, now - parts.limits.keepMs, now + parts.limits.keepMs);
    const last = await parts.lastState(login);
    for (const segment of kept.segments)
      if (last?.oldestMs == null || segment.startMs >= last.oldestMs) opened.add(segment);
    return opened;
  }

  interface Followed {
    readonly channelId: string;
    readonly channelLog: ChannelLog;
    readonly position: Position | null;
    readonly notBeforeMs: number;
  }

  /** From asking for the address to the end of the stream, or to where it must be asked for again. */
  async function followStream(from: Followed): Promise<{ position: Position | null; againMs: number }> {
    let { position } = from;
    const run = new AbortController();
    const signal = AbortSignal.any([closing.signal, run.signal]);
    let fetch = parts.fetch;
    let player: { close(): Promise<void> } | null = null;
    try {
      const address = await addressOf(wanted, parts.settings, signal);
      if (address === null) {
        say("off", wanted.video === "" ? null : OFF);
        return { position, againMs: AGAIN_MS.nothing };
      }
      let playlist = "playlist" in address ? address.playlist : "";
      if ("file" in address) {
        const file = await playFile(address.file, parts.settings.scratch, position);
        if (file === null) {
          say("ended");
          return { position, againMs: AGAIN_MS.refused };
        }
        player = file;
        fetch = file.fetch;
        playlist = file.playlist;
      }
      const opened = await openPlaylists(playlist, fetch, signal, parts.settings.mostHeight);
      state.renditions = opened.renditions
        .filter((one) => one !== undefined)
        .map(({ width, height, bandwidth }) => ({ width, height, bandwidth }));
      const pump = openPump({
        ...{ channelId: from.channelId, channelLog: from.channelLog, lists: opened, fetch, signal, log },
        ...{ objects: parts.objects, sure: parts.sure, settings: parts.settings, told },
      });
      pump.failed.catch((error: unknown) => run.abort(error));
      const polled = await poll(opened, pump, position, from.notBeforeMs, signal);
      ({ position } = polled);
      // What was planned is fetched and told, whatever became of the playlist.
      await pump.idle();
      signal.throwIfAborted();
      if (polled.failed !== null) throw polled.failed;
      say("ended", position === null ? RECORDING : null);
      return { position: position === null ? null : { ...position, ended: true }, againMs: AGAIN_MS.nothing };
    } catch (error) {
      if (run.signal.aborted && !closing.signal.aborted) throw run.signal.reason;
      closing.signal.throwIfAborted();
      return { position, againMs: sayWhy(error, position !== null) };
    } finally {
      run.abort(new Error("the stream is not followed any more"));
      await player?.close();
    }
  }

  /** Says what kept us from going on; how long until it is worth trying again. */
  function sayWhy(error: unknown, hadPicture: boolean): number {
    if (error instanceof Refused) {
      say("refused", [error.code, `Refused: ${sentence(error)}.`]);
      // One that has given a picture mostly shows an error page for a moment, and its playlist forgets within seconds.
      return hadPicture ? AGAIN_MS.error.first * 4 : AGAIN_MS.refused;
    }
    const wasLive = state.state === "live" || state.state === "stalled";
    if (error instanceof NotFound) {
      if (state.state === "ended") return AGAIN_MS.nothing;
      say(wasLive ? "stalled" : "waiting", [
        "no_stream",
        `There is no stream at the address (${sentence(error)}).`,
      ]);
      return wasLive ? AGAIN_MS.error.first : AGAIN_MS.nothing;
    }
    say(wasLive ? "stalled" : "failed", unreachable(error));
    return AGAIN_MS.error.first * 4;
  }

  /** Reads the playlist for as long as it goes on: to its end, or until it fails for good. */
  async function poll(
    lists: Playlists,
    pump: Pump,
    begun: Position | null,
    notBeforeMs: number,
    signal: AbortSignal,
  ): Promise<{ position: Position | null; failed: Error | null }> {
    let position = begun;
    let newAt = performance.now();
    let stalled = false;
    let failures = 0;
    for (;;) {
      const began = performance.now();
      let waitMs = 1000;
      try {
        const list = await lists.next(signal);
        failures = 0;
        const planned = plan({ position, list, nowMs: Date.now(), stalled, notBeforeMs });
        ({ position } = planned);
        const newest = list.segments.at(-1)?.durationMs ?? list.targetMs;
        if (planned.steps.length > 0) {
          newAt = performance.now();
          stalled = false;
          pump.add(planned.steps);
        } else if (list.ended) {
          return { position, failed: null };
        } else if (performance.now() - newAt > Math.max(STALLED_MS, 3 * newest)) {
          stalled = true;
          say("stalled", FROZEN);
        }
        if (list.ended && position === null) return { position, failed: null };
        waitMs =
          Math.min(newest, list.targetMs) * (planned.steps.length > 0 ? POLL_AFTER.news : POLL_AFTER.nothing);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Refused || error instanceof NotFound || ++failures >= FAILURES_MOST)
          return { position, failed: error instanceof Error ? error : new Error(String(error)) };
        if (performance.now() - newAt > STALLED_MS * 3) say("stalled", unreachable(error));
        waitMs = Math.min(AGAIN_MS.error.most, AGAIN_MS.error.first * 2 ** failures) * (0.5 + Math.random());
      }
      const rest = Math.min(POLL_MS.most, Math.max(POLL_MS.least, waitMs)) - (performance.now() - began);
      // A timer of 0 would let a server that answers slowly be asked without a pause.
      await sleep(Math.max(50, rest), undefined, { signal });
    }
  }

  let gapsInARow = 0;
  const told = {
    segment(segment: VideoSegment): void {
      gapsInARow = 0;
      keep?.add(segment);
      state.epoch = segment.epoch;
      state.lastSeq = segment.seq;
      state.ad = segment.ad;
      say("live", keep?.tightened() === true ? FULL : null);
    },
    gap(gap: VideoGap): void {
      if (gap.toSeq !== undefined) state.lastSeq = gap.toSeq;
      if (gap.reason === "disk_full") keep?.diskFull();
      const why = whyGap(gap);
      if (why !== null && ++gapsInARow >= GAPS_MOST) say("stalled", why);
    },
  };

  return {
    state() {
      state.oldestMs = keep?.oldestMs() ?? null;
      state.newestMs = keep?.newestMs() ?? null;
      state.keptBytes = keep?.bytes() ?? 0;
      return { ...state };
    },
    trim: async (nowMs) => keep?.trim(nowMs),
    measured: (shed) => (state.shed = shed),
    async close() {
      closing.abort(new Error("the channel is not followed any more"));
      await running.catch(() => {});
    },
  };
}

type Why = readonly [VideoCode, string];
const OFF: Why = ["no_address", "No address of its video is known: give one, or set TWITCH_VIDEO_COMMAND."];
const NO_ID: Why = [
  "no_channel_id",
  "Twitch has not said the channel's number yet; its chat is asked for it.",
];
const FROZEN: Why = ["frozen", "The playlist answers and stands still."];
const RECORDING: Why = ["recording", "The playlist is a finished recording; only live streams are followed."];
const FULL: Why = [
  "disk_full",
  "The disk is full: older video is removed early. Free some space or lower HYPECAST_VIDEO_GB.",
];
/** Null: its segments may well be there. */
function whyGap({ reason, detail }: VideoGap): Why | null {
  if (reason === "disk_full") return FULL;
  if (!["not_found", "failed", "refused", "too_large"].includes(reason)) return null;
  const details = detail == null || detail === "" ? reason : detail;
  return ["bad_stream", `The playlist goes on, but its segments cannot be had (${details}).`];
}
const unreachable = (error: unknown): Why => [
  "unreachable",
  `The playlist cannot be had (${sentence(error)}); it is asked for again.`,
];

const sentence = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
