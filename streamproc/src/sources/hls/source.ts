import { setTimeout as sleep } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { join } from "node:path";
import { videoChannelId, type ChannelState, type WantedChannel } from "@hypecast/contracts/channel.ts";
import { videoMeasured } from "@hypecast/contracts/measured.ts";
import { subjectFilter } from "@hypecast/contracts/event.ts";
import { VIDEO_STATE_BUCKET, videoState, type VideoState } from "@hypecast/contracts/video.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { hasAddress } from "./address.ts";
import { followChannel, type ChannelVideo } from "./channel.ts";
import { watchClipHolds } from "./clip-holds.ts";
import { openFetcher, rulesOf } from "./fetch.ts";
import { sweepScratch } from "./file.ts";
import { sweepVideo } from "./keep.ts";
import { behindSeconds } from "./metrics.ts";

export interface HlsSource {
  /** Channels whose picture shall be followed, whole: what is missing is left, what is new is begun. */
  want: (channels: readonly WantedChannel[]) => void;
  health: () => Health;
  close(): Promise<void>;
}

export interface HlsParts {
  readonly config: Config;
  readonly log: Logger;
  readonly nc: NatsConnection;
  readonly objects: Objects;
  /** What Twitch's chat has told of a channel. */
  chatState(login: string): Promise<ChannelState | null>;
  readonly sure: () => boolean;
}

/** States are written at most so often, and only when they have changed. */
const WRITE_EVERY_MS = 1000;
const TRIM_EVERY_MS = 1000;
const SWEEP = { firstMs: 60_000, everyMs: 20 * 60_000 };
const GIVE_UP_MS = 15_000;
const GB = 1e9;
const HOUR_MS = 3600_000;

/** The pictures of many channels, into `objects` and the log. */
export async function openHls(parts: HlsParts): Promise<HlsSource> {
  const { config, log, nc, objects } = parts;
  const fetcher = openFetcher(rulesOf(config));
  const holds = await watchClipHolds(nc, log);
  const bucket = await new Kvm(nc).open(VIDEO_STATE_BUCKET);
  const limits = {
    keepMs: config.HYPECAST_VIDEO_HOURS * HOUR_MS,
    keepBytes: config.HYPECAST_VIDEO_GB * GB,
  };
  const settings = {
    mostHeight: config.HYPECAST_VIDEO_HEIGHT,
    mostBytes: config.HYPECAST_VIDEO_SEGMENT_MB * 1024 * 1024,
    giveUpMs: GIVE_UP_MS,
    twitchCommand: config.TWITCH_VIDEO_COMMAND,
    filesAllowed: /^(?:127\.[\d.]+|::1|localhost)$/.test(config.HYPECAST_HOST),
    scratch: join(config.HYPECAST_DATA, "scratch"),
  };
  const channels = new Map<string, { asked: string; video: ChannelVideo }>();
  /** Followers that are ending; one that is begun again waits for them. */
  const ending = new Set<Promise<void>>();
  const written = new Map<string, string>();
  /** Channels that have had a picture. The many that never had one, and have no address of one, cost nothing. */
  const known = new Set<string>();
  for await (const login of await bucket.keys()) known.add(login);
  const closing = new AbortController();

  const lastState = async (login: string): Promise<VideoState | null> => {
    const entry = await bucket.get(login);
    const read = videoState.safeParse(entry?.operation === "PUT" ? entry.json() : null);
    return read.success ? read.data : null;
  };
  const channelIdOf = async ({ login, chat }: WantedChannel): Promise<string | null> =>
    chat ? ((await parts.chatState(login))?.channelId ?? null) : videoChannelId(login);

  const leave = (login: string): void => {
    const found = channels.get(login);
    channels.delete(login);
    if (found === undefined) return;
    const left = found.video.close().finally(() => ending.delete(left));
    ending.add(left);
  };

  let writing = false;
  const write = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    try {
      for (const [login, { video }] of channels) {
        const text = JSON.stringify(video.state());
        if (written.get(login) === text || !parts.sure()) continue;
        await bucket.put(login, text);
        written.set(login, text);
        known.add(login);
      }
    } catch (error) {
      log.debug({ err: error }, "cannot write the states of the videos, trying again");
    }
    writing = false;
  };
  const trim = async (): Promise<void> => {
    const now = Date.now();
    let furthestMs = now;
    await Promise.all([...channels.values()].map(({ video }) => video.trim(now)));
    for (const { video } of channels.values()) {
      const { state, newestMs } = video.state();
      if (state === "live" && newestMs !== null) furthestMs = Math.min(furthestMs, newestMs);
    }
    behindSeconds.set((now - furthestMs) / 1000);
  };
  const sweep = async (): Promise<void> => {
    await sleep(SWEEP.firstMs * (0.5 + Math.random()), undefined, { signal: closing.signal });
    for (;;) {
      await sweepScratch(settings.scratch, Date.now()).catch(() => {});
      const removed = await sweepVideo(objects, limits.keepMs, holds.held, Date.now()).catch(
        (error: unknown) => {
          log.warn({ err: error }, "cannot sweep the stored video, trying again later");
          return 0;
        },
      );
      if (removed > 0) log.info({ removed }, "swept files that nobody accounts for");
      await sleep(SWEEP.everyMs, undefined, { signal: closing.signal });
    }
  };
  void sweep().catch(() => {});
  const timers = [
    setInterval(() => void write(), WRITE_EVERY_MS),
    setInterval(() => void trim(), TRIM_EVERY_MS),
  ];
  /** Whoever measures says so when the machine is behind and a channel's segments are left out. */
  const measured = nc.subscribe(subjectFilter(videoMeasured, "*"), {
    callback: (_error, message) => {
      const channelId = message.subject.split(".")[3] ?? "";
      for (const { video } of channels.values())
        if (video.state().channelId === channelId)
          video.measured(Buffer.from(message.data).includes('"failed":"shed"'));
    },
  });

  return {
    want(wanted) {
      const byLogin = new Map(wanted.map((one) => [one.login, one]));
      for (const login of channels.keys()) if (!byLogin.has(login)) leave(login);
      for (const one of wanted) {
        const asked = JSON.stringify([one.video, one.chat, one.paused]);
        if (channels.get(one.login)?.asked === asked) continue;
        leave(one.login);
        written.delete(one.login);
        if (!known.has(one.login) && !hasAddress(one, settings.twitchCommand)) continue;
        channels.set(one.login, {
          asked,
          video: followChannel(one, {
            ...{ nc, log, fetch: fetcher.fetch, objects, held: holds.held, limits, settings },
            ...{ channelIdOf, lastState, sure: parts.sure },
          }),
        });
      }
    },
    health() {
      const states = [...channels.values()].map(({ video }) => video.state());
      const count = (...which: VideoState["state"][]): number =>
        states.filter(({ state }) => which.includes(state)).length;
      const failed = states.find(({ state }) => state === "failed" || state === "refused");
      return {
        status: failed === undefined ? "ok" : "degraded",
        reason: failed === undefined ? null : `Video of ${failed.login}: ${failed.reason}`,
        figures: {
          videoChannels: states.length - count("off"),
          videoLive: count("live"),
          videoStalled: count("stalled", "failed", "refused"),
          videoKeptMb: Math.round(states.reduce((sum, { keptBytes }) => sum + keptBytes, 0) / 1e6),
        },
      };
    },
    async close() {
      closing.abort();
      for (const timer of timers) clearInterval(timer);
      measured.unsubscribe();
      await Promise.race([write(), sleep(1000)]);
      for (const login of [...channels.keys()]) leave(login);
      await Promise.race([Promise.all(ending), sleep(3000)]);
      holds.close();
      fetcher.close();
    },
  };
}
