import type { NatsConnection } from "@nats-io/transport-node";
import {
  CHANNEL_STATE_BUCKET,
  channelState,
  CHANNELS_BUCKET,
  loginOfVideo,
  videoChannelId,
  wantedChannel,
  type WantedChannel,
} from "@hypecast/contracts/channel.ts";
import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { firstRead, keepBucket } from "./bucket.ts";
import { ProblemError } from "./problems.ts";

/** A gateway's list is for people to look at; the log itself carries more. */
const MOST_CHANNELS = 10_000;

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
  add(login: string, as: Pick<Partial<WantedChannel>, "video" | "chat" | "addedBy">): Promise<ChannelSummary>;
  change(login: string, change: Pick<Partial<WantedChannel>, "paused" | "video">): Promise<ChannelSummary>;
  remove(login: string): Promise<void>;
  close(): void;
}

/** What people want and what the sources say about it: both buckets, kept in memory by watching them. */
export async function watchChannels(
  nc: NatsConnection,
  now: (channelId: string) => ChannelSummary["now"],
  removed: (login: string) => void,
  /** Another channel is watched than before, or its number has become known: what people see of the list may be another part. */
  relisted: () => void,
  log: Logger,
): Promise<Channels> {
  let version = 0;
  const listed = new Set<string>();
  const wanted = await keepBucket(nc, CHANNELS_BUCKET, wantedChannel, log, (login, value) => {
    if (value === null) removed(login);
    version++;
    const isOther = value === null ? listed.delete(login) : !listed.has(login);
    if (value !== null) listed.add(login);
    if (isOther) relisted();
  });
  const logins = new Map<string, string>();
  const ids = new Map<string, string>();
  const states = await keepBucket(nc, CHANNEL_STATE_BUCKET, channelState, log, (login, value) => {
    version++;
    const before = ids.get(login) ?? null;
    const id = value === null ? null : (value.channelId ?? before);
    if (before !== null && before !== id) {
      ids.delete(login);
      logins.delete(before);
    }
    if (id !== null) {
      ids.set(login, id);
      logins.set(id, login);
    }
    if (before !== id) relisted();
  });
  const watches = [wanted, states];

  await firstRead(...watches);

  const summary = (channel: WantedChannel): ChannelSummary => {
    const id = idOf(channel.login);
    return { ...channel, state: states.get(channel.login), now: id === null ? null : now(id) };
  };
  /** A channel of video alone has no source of chat that would name it. */
  const idOf = (login: string): string | null =>
    wanted.get(login)?.chat === false ? videoChannelId(login) : (states.get(login)?.channelId ?? null);
  const write = async (channel: WantedChannel): Promise<ChannelSummary> => {
    await wanted.put(channel.login, channel);
    return summary(channel);
  };

  return {
    list: () => [...wanted.values()].sort((a, b) => a.addedAtMs - b.addedAtMs).map(summary),
    get: (login) => {
      const channel = wanted.get(login);
      return channel === null ? null : summary(channel);
    },
    loginOf: (channelId) => logins.get(channelId) ?? loginOfVideo(channelId),
    idOf,
    version: () => version,
    ready: () => watches.every((watch) => watch.ready()),
    async add(login, { video = null, chat = true, addedBy }) {
      const known = wanted.get(login);
      if (known !== null)
        // Added already is what was asked for, but its picture may be named now.
        return video === null || video === known.video ? summary(known) : write({ ...known, video });
      if ([...wanted.values()].length >= MOST_CHANNELS)
        throw new ProblemError("too_many_channels", `${MOST_CHANNELS} channels are watched already`);
      const by = addedBy === undefined ? {} : { addedBy };
      return write({ login, addedAtMs: Date.now(), paused: false, video, chat, ...by });
    },
    async change(login, change) {
      const channel = wanted.get(login);
      if (channel === null) throw new ProblemError("channel_not_watched", `${login} is not watched`);
      const changed = { ...channel, ...change };
      return changed.paused === channel.paused && changed.video === channel.video
        ? summary(channel)
        : write(changed);
    },
    async remove(login) {
      // Gone already is what was asked for.
      if (wanted.get(login) !== null) await wanted.remove(login);
    },
    close: () => watches.forEach((watch) => watch.close()),
  };
}
