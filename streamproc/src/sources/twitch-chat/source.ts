import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { ChannelState, WantedChannel } from "@hypecast/contracts/channel.ts";
import {
  chatAlive,
  chatModeration,
  chatNotice,
  type ChatAlive,
  type ChatGap,
} from "@hypecast/contracts/chat.ts";
import { partitionOf } from "@hypecast/contracts/event.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { leftOut, type OptOuts } from "@hypecast/runtime/opt-outs.ts";
import { counter, gauge } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import type { ChannelEmotes } from "../emotes/sets.ts";
import type { LogWriter } from "../publish.ts";
import type { Removals } from "../twitch-eventsub/removals.ts";
import { newChannel, say, stateOf, type Channel, type Connection } from "./channel.ts";
import {
  chatLineOf,
  chatModerationOf,
  chatNoticeOf,
  fromAnotherRoom,
  isOptedOut,
  validId,
  type Heard,
} from "./chat.ts";
import { monotonicMs, noticeSleep, twitchClock } from "./clock.ts";
import { openTransport } from "./connection.ts";
import { heardToLog, JITTER_MS } from "./heard.ts";
import { parseIrc, type IrcMessage } from "./irc.ts";
import type { Limiter } from "./limits.ts";
import { backoffMs, newLink, watch } from "./link.ts";
import { refusalOf, TOKEN_REFUSED } from "./notices.ts";

/** Twitch has no written limit; the big bots keep to this (a lost connection loses so many channels at once). */
const CHANNELS_PER_CONNECTION = 50;
/** A JOIN that Twitch has not confirmed by then is taken as refused. */
const CONFIRM_MS = 10_000;
/** When to try a refused channel, or a refused token, again. */
const REFUSED_AGAIN_MS = { first: 60_000, most: 15 * 60_000 };
const TICK_MS = 250;
const ALIVE_EVERY_MS = 1000;
/** Commands that say nothing we need. */
const IGNORED = new Set([
  "JOIN",
  "002",
  "003",
  "004",
  "353",
  "366",
  "372",
  "375",
  "376",
  "CAP",
  "PONG",
  "PART",
  "GLOBALUSERSTATE",
  "USERSTATE",
  "HOSTTARGET",
  "WHISPER",
  "MODE",
]);

const linesIn = counter("irc_lines_total", "IRC lines heard, by what became of them", ["outcome"]);
const reconnects = counter("irc_reconnects_total", "Connections to Twitch chat that were lost, by why", [
  "why",
]);
const joinsSent = counter("irc_joins_total", "JOIN commands sent");
const joinsWaiting = gauge("irc_joins_waiting", "Channels that wait for their JOIN");
const connectionsUp = gauge("irc_connections", "Connections to Twitch chat that are up");
const forgedTimes = counter(
  "irc_unbelieved_times_total",
  "Lines filed under the estimate of Twitch's clock, their own time being absurd",
);

type Outcome =
  | "line"
  | "notice"
  | "moderation"
  | "told_before"
  | "control"
  | "shared_chat"
  | "opted_out"
  | "malformed"
  | "too_long"
  | "unknown_command"
  | "not_joined"
  | "wrong_room";

export interface TwitchChat {
  /** What shall be watched, whole: what is missing is left, what is new is joined. */
  want: (channels: readonly WantedChannel[]) => void;
  states: () => ChannelState[];
  health: () => Health;
  /** What Helix says of a channel. */
  describe(
    login: string,
    found: {
      name?: string;
      stream?: ChannelState["stream"];
      gone?: "not_found" | "renamed";
      reason?: string;
    },
  ): void;
  dated(atMs: number): void;
  close(): void;
}

export interface TwitchChatParts {
  config: Config;
  log: Logger;
  nc: NatsConnection;
  writer: LogWriter;
  limiter: Limiter;
  emotes: ChannelEmotes;
  optOuts: Pick<OptOuts, "leavesOut">;
  /** What EventSub has told of the same removals. */
  removals: Pick<Removals, "byChat">;
  /** The last known state of a channel, from an earlier run or another process. */
  lastState(login: string): Promise<ChannelState | null>;
}

/** Twitch chat of many channels over few connections, into the log. */
export async function openTwitchChat(parts: TwitchChatParts): Promise<TwitchChat> {
  const { config, log, writer, limiter, emotes, optOuts, removals } = parts;
  const anonymous = config.TWITCH_TOKEN === "" || config.TWITCH_LOGIN === "";
  const nick = anonymous
    ? `justinfan${10_000 + Math.floor(Math.random() * 80_000)}`
    : config.TWITCH_LOGIN.toLowerCase();
  const jsm = await jetstreamManager(parts.nc, { checkAPI: false });
  const clock = twitchClock();
  const { settleGap, sayAlive, heardUntil } = heardToLog(clock, writer, log);
  const channels = new Map<string, Channel>();
  const connections = new Set<Connection>();
  /** Cancellable by deleting: the one queue of JOINs. */
  const joins = new Set<Channel>();
  let joining = false;
  let named = 0;
  let closed = false;
  let lastAliveAt = 0;
  let lastLines = 0;
  let lines = 0;
  let linesPerS = 0;

  const count = (outcome: Outcome): void => {
    linesIn.inc({ outcome });
  };

  // ── channels ──────────────────────────────────────────────────────────────────────────────────────────────────────

  const want = (wanted: readonly WantedChannel[]): void => {
    const byLogin = new Map(wanted.map((one) => [one.login, one]));
    for (const channel of [...channels.values()])
      if (!byLogin.has(channel.login)) {
        leave(channel, "paused");
        if (channel.channelId !== null) emotes.forget(channel.channelId);
        channels.delete(channel.login);
      }
    for (const one of wanted) {
      const channel = channels.get(one.login);
      if (channel === undefined) void begin(one);
      else if (one.paused && channel.state !== "paused") {
        leave(channel, "paused");
        say(channel, "paused");
      } else if (!one.paused && channel.state === "paused") {
        say(channel, "joining");
        place(channel);
      }
    }
  };

  /** A channel that is new here. What earlier runs have heard of it decides whether a gap is due. */
  const begin = async ({ login, paused }: WantedChannel): Promise<void> => {
    const channel = newChannel(login, paused);
    channels.set(login, channel);
    for (;;) {
      try {
        await remember(channel);
        break;
      } catch (error) {
        if (closed) return;
        log.warn({ err: error, login }, "cannot read what was heard before, trying again");
        await sleep(1000);
      }
    }
    if (channels.get(login) === channel && channel.state !== "paused") place(channel);
  };

  const remember = async (channel: Channel): Promise<void> => {
    const last = await parts.lastState(channel.login);
    if (last === null || last.channelId === null) return;
    channel.channelId ??= last.channelId;
    channel.name ??= last.name;
    // Never earlier than what the log itself vouches for: the state is written only about once a second.
    const atMs = Math.max(last.aliveAtMs ?? 0, await aliveOnTheLog(last.channelId));
    if (atMs === 0) return;
    channel.aliveAtMs = atMs;
    channel.lastLineAtMs = last.lastLineAtMs;
    channel.unheard ??= {
      fromMs: atMs - JITTER_MS,
      reason: last.state === "paused" ? "paused" : "source_restarted",
    };
  };

  const aliveOnTheLog = async (channelId: string): Promise<number> => {
    const subject = `${chatAlive.name}.${partitionOf(channelId)}`;
    const last = await jsm.streams.getMessage("INPUT", { last_by_subj: subject });
    const alive = last?.json<ChatAlive>();
    return alive?.channels.includes(channelId) === true ? alive.atMs : 0;
  };

  /** Puts a channel on the connection with the most room; opens one more only when all are full. */
  const place = (channel: Channel): void => {
    let best: Connection | null = null;
    for (const one of connections)
      if (
        one.channels.size < CHANNELS_PER_CONNECTION &&
        (best === null || one.channels.size < best.channels.size)
      )
        best = one;
    best ??= openConnection();
    channel.connection = best;
    best.channels.add(channel);
    if (best.refused !== null) say(channel, "token_refused", best.refused);
    if (best.link.up) queueJoin(channel);
  };

  /** Stops hearing a channel on purpose. */
  const leave = (channel: Channel, reason: ChatGap["reason"]): void => {
    joins.delete(channel);
    unhear(channel, reason);
    const { connection } = channel;
    channel.connection = null;
    channel.askedAt = null;
    channel.retryAt = null;
    if (connection === null) return;
    connection.channels.delete(channel);
    if (connection.link.up) connection.transport?.send(`PART #${channel.login}`);
    if (connection.channels.size === 0) closeConnection(connection);
  };

  /** From here on the channel is not heard: a gap begins where its connection was last heard. */
  const unhear = (channel: Channel, reason: ChatGap["reason"]): void => {
    if (channel.joinedAt === null) return;
    settleGap(channel);
    const fromMs = channel.connection === null ? null : heardUntil(channel.connection, channel.joinedAt);
    if (fromMs !== null) channel.unheard = { fromMs: fromMs - JITTER_MS, reason };
    channel.joinedAt = null;
  };

  /** Twitch has confirmed the JOIN. */
  const hear = (channel: Channel, roomId: string): void => {
    if (channel.joinedAt !== null || !validId(roomId)) return;
    if (channel.channelId !== roomId) {
      // The name belongs to somebody else than when it was last heard: another channel, with no past here.
      if (channel.channelId !== null) emotes.forget(channel.channelId);
      channel.channelId = roomId;
      channel.unheard = null;
      channel.aliveAtMs = null;
      channel.lastLineAtMs = null;
    }
    joins.delete(channel);
    channel.joinedAt = monotonicMs();
    channel.askedAt = null;
    channel.retryAt = null;
    channel.attempt = 0;
    emotes.use(channel.channelId);
    say(channel, "live");
    settleGap(channel);
  };

  // ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────

  const openConnection = (): Connection => {
    const connection: Connection = {
      name: String(++named),
      link: newLink(monotonicMs()),
      transport: null,
      channels: new Set(),
      attempt: 0,
      retryAt: null,
      refused: null,
      lagMs: 0,
      lagAt: -Infinity,
      closed: false,
    };
    connections.add(connection);
    void dial(connection);
    return connection;
  };

  const dial = async (connection: Connection): Promise<void> => {
    connection.retryAt = null;
    for (;;) {
      const wait = await limiter.take("auth");
      if (connection.closed) return;
      if (wait === 0) break;
      await sleep(wait + Math.random() * 200);
    }
    connection.link = newLink(monotonicMs());
    const transport = openTransport(config.TWITCH_IRC_URL, {
      open() {
        transport.send("CAP REQ :twitch.tv/tags twitch.tv/commands");
        transport.send(
          `PASS ${anonymous ? "SCHMOOPIIE" : `oauth:${config.TWITCH_TOKEN.replace(/^oauth:/, "")}`}`,
        );
        transport.send(`NICK ${nick}`);
      },
      heard() {
        connection.link.heardAt = monotonicMs();
      },
      line(text, from, to) {
        if (connection.transport === transport) onLine(connection, text, from, to);
      },
      tooLong(many) {
        for (let i = 0; i < many; i++) count("too_long");
      },
      dated: (atMs) => clock.dated(atMs, monotonicMs()),
      closed(reason) {
        if (connection.transport === transport) lost(connection, "closed", reason);
      },
    });
    connection.transport = transport;
  };

  /** The connection is gone: its channels wait for the next, with a gap from when it was last heard. */
  const lost = (
    connection: Connection,
    why: "closed" | "silent" | "asked" | "refused",
    reason: string,
  ): void => {
    const { transport } = connection;
    connection.transport = null;
    transport?.close();
    reconnects.inc({ why });
    const wasUp = connection.link.up;
    for (const channel of connection.channels) {
      joins.delete(channel);
      unhear(channel, "connection_lost");
      channel.askedAt = null;
    }
    connection.link.up = false;
    if (connection.closed) return;
    if (wasUp && monotonicMs() - connection.link.startedAt > 30_000) connection.attempt = 0;
    const attempt = why === "asked" ? 0 : connection.attempt++;
    const wait = why === "refused" ? refusedAgainMs(attempt) : backoffMs(attempt, Math.random());
    connection.retryAt = monotonicMs() + wait;
    for (const channel of connection.channels) {
      if (channel.retryAt !== null) continue;
      if (connection.refused === null) say(channel, "lost", reason);
      else say(channel, "token_refused", connection.refused);
    }
    log.warn(
      { connection: connection.name, why, reason, waitMs: Math.round(wait) },
      "lost a connection to Twitch chat",
    );
  };

  const closeConnection = (connection: Connection): void => {
    connection.closed = true;
    connections.delete(connection);
    const { transport } = connection;
    connection.transport = null;
    transport?.close();
  };

  const welcomed = (connection: Connection): void => {
    connection.link.up = true;
    connection.refused = null;
    for (const channel of connection.channels) if (channel.retryAt === null) queueJoin(channel);
  };

  const queueJoin = (channel: Channel): void => {
    say(channel, "joining");
    channel.retryAt = null;
    joins.add(channel);
    if (!joining) void sendJoins();
  };

  const sendJoins = async (): Promise<void> => {
    joining = true;
    while (joins.size > 0) {
      if (closed) return;
      const wait = await limiter.take("join");
      if (wait > 0) {
        await sleep(Math.min(wait, 1000));
        continue;
      }
      const next = [...joins].find((channel) => channel.connection?.link.up === true);
      if (next === undefined) break;
      joins.delete(next);
      next.askedAt = monotonicMs();
      joinsSent.inc();
      next.connection?.transport?.send(`JOIN #${next.login}`);
    }
    joining = false;
  };

  const refuse = (channel: Channel, state: Channel["state"], reason: string): void => {
    joins.delete(channel);
    unhear(channel, "connection_lost");
    channel.askedAt = null;
    channel.retryAt = monotonicMs() + refusedAgainMs(channel.attempt++);
    say(channel, state, reason);
  };

  // ── what Twitch says ──────────────────────────────────────────────────────────────────────────────────────────────

  const onLine = (connection: Connection, text: string, from: number, to: number): void => {
    const message = parseIrc(text, from, to);
    if (message === null) return count("malformed");
    switch (message.command) {
      case "PRIVMSG":
      case "USERNOTICE":
      case "CLEARCHAT":
      case "CLEARMSG":
        return count(onChat(connection, message));
      case "ROOMSTATE": {
        const channel = channels.get(message.channel);
        if (channel?.connection !== connection) return count("not_joined");
        hear(channel, message.roomId);
        return count(onChat(connection, message));
      }
      case "PING":
        connection.transport?.send(`PONG :${message.text}`);
        return count("control");
      case "001":
        welcomed(connection);
        return count("control");
      case "RECONNECT":
        count("control");
        return lost(connection, "asked", "Twitch asked to reconnect");
      case "NOTICE":
        onNotice(connection, message);
        return count("control");
      default:
        count(IGNORED.has(message.command) ? "control" : "unknown_command");
    }
  };

  const onNotice = (connection: Connection, message: IrcMessage): void => {
    if (!connection.link.up && TOKEN_REFUSED.test(message.text)) {
      if (anonymous) return lost(connection, "closed", message.text);
      connection.refused = message.text.slice(0, 300);
      return lost(connection, "refused", connection.refused);
    }
    const channel = channels.get(message.channel);
    const state = refusalOf(message);
    if (channel?.connection === connection && state !== null)
      refuse(channel, state, message.text === "" ? message.msgId : message.text.slice(0, 300));
  };

  const onChat = (connection: Connection, message: IrcMessage): Outcome => {
    const channel = channels.get(message.channel);
    if (channel === undefined || channel.connection !== connection) return "not_joined";
    if (channel.joinedAt === null) {
      // A refused or left channel's last lines, or a server that sends no ROOMSTATE.
      if (channel.askedAt === null || !validId(message.roomId)) return "not_joined";
      hear(channel, message.roomId);
    }
    const { channelId } = channel;
    if (channelId === null) return "malformed";
    if (message.roomId !== "" && message.roomId !== channelId) return "wrong_room";
    if (message.command === "PRIVMSG" && fromAnotherRoom(message)) return "shared_chat";
    if (isOptedOut(message, channelId, optOuts)) {
      leftOut.inc({ where: "live" });
      return "opted_out";
    }

    const sent = clock.sent(message.sentAtMs, channel.connection.link.heardAt);
    if (sent === null) return message.command === "ROOMSTATE" ? "control" : "malformed";
    if (sent.believed) {
      connection.lagAt = connection.link.heardAt;
      connection.lagMs = (clock.at(connection.lagAt) ?? sent.atMs) - sent.atMs;
    } else if (message.sentAtMs > 0) forgedTimes.inc();
    if (channel.unheard !== null) settleGap(channel);
    const set = emotes.of(channelId);
    const heard: Heard = { channelId, sentAtMs: sent.atMs, receivedAtMs: Date.now(), emotes: set.names };
    if (message.command === "PRIVMSG") {
      const line = chatLineOf(message, heard);
      if (line === null) return "malformed";
      channel.lastLineAtMs = Math.max(channel.lastLineAtMs ?? 0, line.sentAtMs);
      lines++;
      writer.line(line, set.hash);
      return "line";
    }
    if (message.command === "USERNOTICE") {
      writer.event(chatNotice, chatNoticeOf(message, heard));
      return "notice";
    }
    const moderation = chatModerationOf(message, heard);
    if (moderation === null) return "malformed";
    if (!removals.byChat(moderation, performance.now())) return "told_before";
    writer.event(chatModeration, moderation);
    return "moderation";
  };

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  const tick = (): void => {
    const slept = noticeSleep();
    const now = monotonicMs();
    if (slept > 0) log.warn({ seconds: slept / 1000 }, "the machine slept");
    for (const connection of [...connections]) {
      if (connection.retryAt !== null) {
        if (now >= connection.retryAt) void dial(connection);
        continue;
      }
      if (connection.transport === null) continue;
      const due = watch(connection.link, now);
      if (due === "ping") connection.transport.send("PING :hypecast");
      else if (due === "dead") lost(connection, "silent", "Twitch has been silent for too long");
    }
    for (const channel of channels.values()) {
      if (channel.askedAt !== null && now - channel.askedAt > CONFIRM_MS)
        refuse(
          channel,
          "join_refused",
          `Twitch has not confirmed the JOIN within ${CONFIRM_MS / 1000} s: no such channel, or it lets us not in`,
        );
      if (channel.retryAt !== null && now >= channel.retryAt && channel.connection?.link.up === true)
        queueJoin(channel);
    }
    if (now - lastAliveAt >= ALIVE_EVERY_MS) {
      linesPerS = ((lines - lastLines) / (now - lastAliveAt)) * 1000;
      lastLines = lines;
      lastAliveAt = now;
      sayAlive(channels.values());
    }
    joinsWaiting.set(joins.size);
    connectionsUp.set([...connections].filter((one) => one.link.up).length);
  };

  const timer = setInterval(tick, TICK_MS);

  return {
    want,
    states: () => [...channels.values()].map((channel) => stateOf(channel, emotes)),
    health() {
      const up = [...connections].filter((one) => one.link.up).length;
      const live = [...channels.values()].filter((channel) => channel.state === "live").length;
      const down = connections.size - up;
      const refused = [...connections].find((one) => one.refused !== null);
      const reason =
        refused !== undefined
          ? `Twitch refused the token: ${refused.refused}`
          : down > 0
            ? `${down} of ${connections.size} connections to Twitch chat are down, trying again`
            : writer.queuedChars() > 1_000_000
              ? "the log is slow: chat waits in memory"
              : null;
      return {
        status: reason === null ? "ok" : "degraded",
        reason,
        figures: {
          channels: channels.size,
          live,
          connections: up,
          linesPerS: Math.round(linesPerS),
          joinsWaiting: joins.size,
          queuedChars: writer.queuedChars(),
          overflowedLines: writer.overflowed(),
        },
      };
    },
    describe(login, found) {
      const channel = channels.get(login);
      if (channel === undefined) return;
      if (found.name !== undefined) channel.name = found.name;
      if (found.stream !== undefined) channel.stream = found.stream;
      // Chat's own word is more exact, but for two things: it calls renamed channels suspended, and of many it says nothing.
      const unexplained =
        channel.state === "join_refused" || (channel.state === "suspended" && found.gone === "renamed");
      if (found.gone !== undefined && unexplained) refuse(channel, found.gone, found.reason ?? "");
    },
    dated: (atMs) => clock.dated(atMs, monotonicMs()),
    close() {
      if (closed) return;
      sayAlive(channels.values());
      closed = true;
      clearInterval(timer);
      for (const connection of [...connections]) closeConnection(connection);
    },
  };
}

const refusedAgainMs = (attempt: number): number =>
  Math.min(REFUSED_AGAIN_MS.most, REFUSED_AGAIN_MS.first * 2 ** Math.min(attempt, 8)) *
  (1 + Math.random() / 5);
