import type { ChannelState } from "@hypecast/contracts/channel.ts";
import type { ChatGap } from "@hypecast/contracts/chat.ts";
import type { ChannelEmotes } from "../emotes/sets.ts";
import { monotonicMs } from "./clock.ts";
import type { Transport } from "./connection.ts";
import type { Link } from "./link.ts";

export interface Connection {
  readonly name: string;
  link: Link;
  transport: Transport | null;
  channels: Set<Channel>;
  attempt: number;
  /** Monotonic; null while a connection is open or being opened. */
  retryAt: number | null;
  refused: string | null;
  /** How old its newest line was when it was read, and when that was: more than a blink means that older ones still wait. */
  lagMs: number;
  lagAt: number;
  closed: boolean;
}

/** A watched channel as the source sees it. */
export interface Channel {
  readonly login: string;
  channelId: string | null;
  name: string | null;
  state: ChannelState["state"];
  reason: string | null;
  sinceMs: number;
  attempt: number;
  /** Monotonic; when to ask for a refused channel again. */
  retryAt: number | null;
  /** Monotonic; when the JOIN was sent and is not yet confirmed. */
  askedAt: number | null;
  /** Monotonic; when Twitch confirmed the JOIN. Null: not hearing it. */
  joinedAt: number | null;
  connection: Connection | null;
  lastLineAtMs: number | null;
  /** As acknowledged by the log. */
  aliveAtMs: number | null;
  /** Until when it was heard, and why no longer; a gap is due from there. Null: never heard. */
  unheard: { fromMs: number; reason: ChatGap["reason"] } | null;
  stream: ChannelState["stream"];
}

export const newChannel = (login: string, paused: boolean): Channel => ({
  login,
  channelId: null,
  name: null,
  state: paused ? "paused" : "joining",
  reason: null,
  sinceMs: Date.now(),
  attempt: 0,
  retryAt: null,
  askedAt: null,
  joinedAt: null,
  connection: null,
  lastLineAtMs: null,
  aliveAtMs: null,
  unheard: null,
  stream: null,
});

/** Changes what is told of a channel; saying the same again leaves the time since when it is so. */
export const say = (channel: Channel, state: Channel["state"], reason: string | null = null): void => {
  if (channel.state === state && channel.reason === reason) return;
  channel.state = state;
  channel.reason = reason;
  channel.sinceMs = Date.now();
};

export const stateOf = (channel: Channel, emotes: ChannelEmotes): ChannelState => ({
  login: channel.login,
  channelId: channel.channelId,
  name: channel.name,
  state: channel.state,
  reason: channel.reason,
  sinceMs: channel.sinceMs,
  attempt: channel.state === "lost" ? (channel.connection?.attempt ?? 0) : channel.attempt,
  nextAttemptAtMs: wallOf(channel.retryAt ?? channel.connection?.retryAt ?? null),
  lastLineAtMs: channel.lastLineAtMs,
  aliveAtMs: channel.aliveAtMs,
  connection: channel.connection?.name ?? null,
  emotes: channel.channelId === null ? [] : emotes.states(channel.channelId),
  stream: channel.stream,
});

const wallOf = (monotonic: number | null): number | null =>
  monotonic === null ? null : Math.round(Date.now() + (monotonic - monotonicMs()));
