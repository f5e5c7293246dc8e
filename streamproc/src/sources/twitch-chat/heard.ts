import { partitionOf } from "@hypecast/contracts/event.ts";
import { chatGap } from "@hypecast/contracts/chat.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { gapId, type LogWriter } from "../publish.ts";
import type { Channel, Connection } from "./channel.ts";
import type { TwitchClock } from "./clock.ts";
import { PING_AFTER_MS } from "./link.ts";

/**
 * Lines take a little to arrive, each another time: at both ends of a gap so much more is taken as not heard, so that no line
 * can have fallen beside it.
 */
export const JITTER_MS = 100;
/** Lines that are older than this when they are read came out of a backlog (we were paused, or are too slow). */
const BEHIND_MS = 1000;

/** What was heard of the channels and what was not, told to the log: alive markers and gaps. */
export function heardToLog(
  clock: TwitchClock,
  writer: LogWriter,
  log: Logger,
): {
  settleGap: (channel: Channel) => void;
  sayAlive: (channels: Iterable<Channel>) => void;
  heardUntil: (connection: Connection, joinedAt: number) => number | null;
} {
  /** Writes the gap that is due before anything else of the channel; waits while Twitch's time is not known. */
  const settleGap = (channel: Channel): void => {
    if (channel.unheard === null || channel.joinedAt === null || channel.channelId === null) return;
    const joinedMs = clock.at(channel.joinedAt);
    if (joinedMs === null) return;
    const toMs = joinedMs + JITTER_MS + clock.uncertainMs();
    const { fromMs, reason } = channel.unheard;
    channel.unheard = null;
    if (toMs <= fromMs) return;
    const gap = { channelId: channel.channelId, fromMs, toMs, reason };
    writer.event(chatGap, { ...gap, id: gapId(gap) });
    log.info({ login: channel.login, seconds: (toMs - fromMs) / 1000, reason }, "gap");
  };

  /**
   * Until when each channel is known to have been heard: when its connection last gave a byte. Channels whose connections
   * were heard within half a second of one another share a message.
   */
  const sayAlive = (channels: Iterable<Channel>): void => {
    const partitions = new Map<number, { atMs: number; channel: Channel; channelId: string }[]>();
    for (const channel of channels) {
      if (channel.joinedAt === null || channel.connection === null || channel.channelId === null) continue;
      settleGap(channel);
      const heard = heardUntil(channel.connection, channel.joinedAt);
      if (heard === null) continue;
      const atMs = Math.max(heard, channel.aliveAtMs ?? 0);
      const partition = partitionOf(channel.channelId);
      const list = partitions.get(partition) ?? [];
      partitions.set(partition, list);
      list.push({ atMs, channel, channelId: channel.channelId });
    }
    for (const [partition, list] of partitions) {
      list.sort((a, b) => a.atMs - b.atMs);
      for (let from = 0; from < list.length;) {
        const atMs = list[from]?.atMs ?? 0;
        let to = from;
        while ((list[to]?.atMs ?? Infinity) <= atMs + 500) to++;
        const group = list.slice(from, to);
        writer.alive(
          partition,
          atMs,
          group.map((one) => one.channelId),
          () => {
            for (const { channel } of group) channel.aliveAtMs = Math.max(channel.aliveAtMs ?? 0, atMs);
          },
        );
        from = to;
      }
    }
  };

  /** Twitch's time before which all that a connection brought has been read. */
  const heardUntil = (connection: Connection, joinedAt: number): number | null => {
    const at = clock.at(Math.max(connection.link.heardAt, joinedAt));
    const behind = connection.lagMs > BEHIND_MS && connection.link.heardAt - connection.lagAt < PING_AFTER_MS;
    return at === null || !behind ? at : Math.max(at - connection.lagMs, clock.at(joinedAt) ?? 0);
  };

  return { settleGap, sayAlive, heardUntil };
}
