import { Kvm, type KV, type KvWatchEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  CHANNEL_STATE_BUCKET,
  channelState,
  CHANNELS_BUCKET,
  wantedChannel,
  type ChannelState,
  type WantedChannel,
} from "@hypecast/contracts/channel.ts";
import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { ProblemError } from "./problems.ts";

/** A gateway's list is for people to look at; the log itself carries more. */
const MOST_CHANNELS = 10_000;
const KV_TIMEOUT_MS = 3000;
const RETRY_MS = 500;
const FIRST_READ_MS = 3000;

export interface Channels {
  list(): ChannelSummary[];
  get(login: string): ChannelSummary | null;
  readonly loginOf: (channelId: string) => string | null;
  /** Null until a source has said it. Known also of channels that were removed. */
  idOf(login: string): string | null;
  /** Counts up with every change of what `list` says. */
  readonly version: () => number;
  /** True when both buckets have been read since the start. */
  readonly ready: () => boolean;
  add(login: string): Promise<{ summary: ChannelSummary; isNew: boolean }>;
  pause(login: string, paused: boolean): Promise<ChannelSummary>;
  remove(login: string): Promise<void>;
  close(): void;
}

/** What people want and what the sources say about it: both buckets, kept in memory by watching them. */
export async function watchChannels(
  nc: NatsConnection,
  now: (channelId: string) => ChannelSummary["now"],
  removed: (login: string) => void,
  log: Logger,
): Promise<Channels> {
  const kvm = new Kvm(nc);
  const bucket = await kvm.open(CHANNELS_BUCKET);
  const stateBucket = await kvm.open(CHANNEL_STATE_BUCKET);
  const wanted = new Map<string, WantedChannel>();
  const states = new Map<string, ChannelState>();
  const logins = new Map<string, string>();
  let version = 0;
  const watches = [
    watchBucket(bucket, CHANNELS_BUCKET, log, (login, value) => {
      const read = value === null ? null : wantedChannel.safeParse(value);
      if (read?.success === true) wanted.set(login, read.data);
      else if (wanted.delete(login)) removed(login);
      version++;
    }),
    watchBucket(stateBucket, CHANNEL_STATE_BUCKET, log, (login, value) => {
      const read = value === null ? null : channelState.safeParse(value);
      const id = (read?.success === true ? read.data : states.get(login))?.channelId ?? null;
      if (read?.success === true) states.set(login, read.data);
      else states.delete(login);
      if (id !== null && read?.success === true) logins.set(id, login);
      else if (id !== null) logins.delete(id);
      version++;
    }),
  ];

  // A page that asks at once must not be told that nothing is watched.
  const until = Date.now() + FIRST_READ_MS;
  while (!watches.every((watch) => watch.ready()) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 10));

  const summary = (channel: WantedChannel): ChannelSummary => {
    const state = states.get(channel.login) ?? null;
    const channelId = state?.channelId ?? null;
    return { ...channel, state, now: channelId === null ? null : now(channelId) };
  };
  /** What was written is seen at once by whoever wrote it, before the watch tells. */
  const write = async (channel: WantedChannel): Promise<ChannelSummary> => {
    await onBus(() => bucket.put(channel.login, JSON.stringify(channel)));
    wanted.set(channel.login, channel);
    version++;
    return summary(channel);
  };
  const wantedOrThrow = (login: string): WantedChannel => {
    const channel = wanted.get(login);
    if (channel === undefined) throw new ProblemError("channel_not_watched", `${login} is not watched`);
    return channel;
  };

  return {
    list: () => [...wanted.values()].sort((a, b) => a.addedAtMs - b.addedAtMs).map(summary),
    get: (login) => {
      const channel = wanted.get(login);
      return channel === undefined ? null : summary(channel);
    },
    loginOf: (channelId) => logins.get(channelId) ?? null,
    idOf: (login) => states.get(login)?.channelId ?? null,
    version: () => version,
    ready: () => watches.every((watch) => watch.ready()),
    async add(login) {
      const known = wanted.get(login);
      if (known !== undefined) return { summary: summary(known), isNew: false };
      if (wanted.size >= MOST_CHANNELS)
        throw new ProblemError("too_many_channels", `${MOST_CHANNELS} channels are watched already`);
      return {
        summary: await write({ login, addedAtMs: Date.now(), paused: false, video: null, chat: true }),
        isNew: true,
      };
    },
    async pause(login, paused) {
      const channel = wantedOrThrow(login);
      return channel.paused === paused ? summary(channel) : write({ ...channel, paused });
    },
    async remove(login) {
      // Gone already is what was asked for.
      if (!wanted.has(login)) return;
      await onBus(() => bucket.delete(login));
      wanted.delete(login);
      removed(login);
      version++;
    },
    close: () => watches.forEach((watch) => watch.close()),
  };
}

async function onBus(effect: () => Promise<unknown>): Promise<void> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error("no answer")), KV_TIMEOUT_MS).unref();
  });
  try {
    await Promise.race([effect(), late]);
  } catch {
    throw new ProblemError("bus_down", "the log did not confirm the change", { "Retry-After": "2" });
  }
}

/** Tells every value of a bucket and every change, for good: a watch that ends is begun again. `null`: deleted. */
function watchBucket(
  bucket: KV,
  name: string,
  log: Logger,
  tell: (key: string, value: unknown) => void,
): { ready(): boolean; close(): void } {
  let ready = false;
  const closing = new AbortController();
  let stop = (): void => undefined;
  void (async () => {
    while (!closing.signal.aborted) {
      try {
        const entries = await bucket.watch();
        stop = () => entries.stop();
        if ((await bucket.status()).values === 0) ready = true;
        for await (const entry of entries) {
          tell(entry.key, entry.operation === "PUT" ? parsed(entry) : null);
          if (entry.delta === 0) ready = true;
        }
      } catch (error) {
        if (!closing.signal.aborted) log.warn({ err: error, bucket: name }, "a watch ended; beginning again");
      }
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();
  return {
    ready: () => ready,
    close: () => {
      closing.abort();
      stop();
    },
  };
}

function parsed(entry: KvWatchEntry): unknown {
  try {
    return entry.json();
  } catch {
    return null;
  }
}
