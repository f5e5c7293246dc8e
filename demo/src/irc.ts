import { FERN_ID, BROOK_ID, PEPEL_ID } from "./chatters.ts";
import { malformedLines, type Faults } from "./faults.ts";
import { hash32 } from "./random.ts";
import { floodDue, floodFrames, floodRate, floodRoomId, isScripted, linesBetween } from "./schedule.ts";
import { tagLine } from "./wire.ts";

/** One connection, whatever it runs over. */
export interface Wire {
  send(text: string | Buffer): void;
  /** Polite (end of stream) or not (reset). */
  close(hard: boolean): void;
  /** Bytes that the client has not taken yet. */
  pending(): number;
  /** A websocket's text frames must be UTF-8, a TCP stream carries anything. */
  readonly anyBytes: boolean;
  /** Limits of anonymous clients count by address. */
  readonly address: string;
}

/** Accounts that may log in; everybody else's token is wrong. justinfan<digits> needs none. */
export const DEMO_ACCOUNTS: Readonly<Record<string, string>> = { pepel_lamp: "oauth:hypecast-demo-token" };

/** Channels that exist but have nobody writing. */
export const QUIET_CHANNELS: Readonly<Record<string, string>> = { offline_mila: "644120031" };
/** Channels that Twitch has closed. */
export const SUSPENDED_CHANNELS: readonly string[] = ["zakrytaya_dver"];

/** 20 in 10 s each, as Twitch allows an ordinary account. */
export const RATE_LIMIT = { count: 20, windowMs: 10_000 } as const;
const MESSAGE_LIMIT = { count: 20, windowMs: 30_000 } as const;
const TICK_MS = 25;
const SLOW_CLIENT_BYTES = 32 * 1024 * 1024;
/** What was missed while the process slept longer than this is gone, as it would be at Twitch. */
const CATCH_UP_MS = 5_000;
const FLOOD_LINES_PER_FRAME = 48;

type Capability = "tags" | "commands" | "membership";
const CAPABILITIES: readonly Capability[] = ["tags", "commands", "membership"];

interface Session {
  readonly wire: Wire;
  readonly caps: Set<Capability>;
  readonly rooms: Set<string>;
  pass: string;
  nick: string | null;
  anonymous: boolean;
  unread: string;
  awaitsPongSinceMs: number | null;
  lastPingMs: number;
  closed: boolean;
}

export interface IrcOptions {
  readonly faults: Faults;
  /** What moderation has made of the rooms: whose lines are said, and what ROOMSTATE says. Absent: all of them, nothing. */
  readonly rooms?: {
    lets(roomId: string, line: string): boolean;
    tags(roomId: string): Record<string, string>;
  };
  readonly now?: () => number;
  readonly pingEveryMs?: number;
  readonly pongWithinMs?: number;
}

const clean = (text: string): string => text.replace(/[\r\n]/g, "");
export const roomIdOf = (channel: string): string | null => {
  const rate = floodRate(channel);
  if (rate !== null) return floodRoomId(rate);
  return (
    { pepel_lamp: PEPEL_ID, nightfern: FERN_ID, tihiy_ruchey: BROOK_ID, ...QUIET_CHANNELS }[channel] ?? null
  );
};

/** At most `count` in any `windowMs`, per account: what comes on top is refused and does not count. */
function slidingWindow(limit: { count: number; windowMs: number }, now: () => number) {
  const taken = new Map<string, number[]>();
  return (key: string): boolean => {
    const since = now() - limit.windowMs;
    const times = (taken.get(key) ?? []).filter((at) => at > since);
    taken.set(key, times);
    if (times.length >= limit.count) return false;
    times.push(now());
    return true;
  };
}

/**
 * Twitch's chat server as its documents and real captures describe it: capabilities, anonymous and token login, rooms,
 * limits, PING, RECONNECT. Lines come from the schedule; each session hears what is due after its JOIN.
 */
export class Irc {
  /** What a test or the control page wants to know. */
  readonly counts = {
    connections: 0,
    logins: 0,
    loginsRefused: 0,
    loginsOverLimit: 0,
    joins: 0,
    joinsOverLimit: 0,
    joinsRefused: 0,
    linesSent: 0,
    slowClientsDropped: 0,
    pongsMissed: 0,
    messagesTaken: 0,
    commandsUnknown: 0,
  };
  /** Lines delivered by room, all sessions together. */
  readonly linesByRoom = new Map<string, number>();
  private readonly sessions = new Set<Session>();
  private readonly faults: Faults;
  private readonly now: () => number;
  private readonly pingEveryMs: number;
  private readonly pongWithinMs: number;
  private readonly mayJoin: (account: string) => boolean;
  private readonly mayLogin: (account: string) => boolean;
  private readonly mayTalk: (account: string) => boolean;
  private readonly timer: NodeJS.Timeout;
  private toldUntilMs: number;
  private readonly rooms: IrcOptions["rooms"];

  constructor(options: IrcOptions) {
    this.faults = options.faults;
    this.rooms = options.rooms;
    this.now = options.now ?? Date.now;
    this.pingEveryMs = options.pingEveryMs ?? 270_000;
    this.pongWithinMs = options.pongWithinMs ?? 10_000;
    this.mayJoin = slidingWindow(RATE_LIMIT, this.now);
    this.mayLogin = slidingWindow(RATE_LIMIT, this.now);
    this.mayTalk = slidingWindow(MESSAGE_LIMIT, this.now);
    this.toldUntilMs = this.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  close(): void {
    clearInterval(this.timer);
    for (const session of this.sessions) session.wire.close(false);
  }

  /** A new connection; the returned functions take what it sends and its end. */
  accept(wire: Wire): { receive(chunk: string): void; ended(): void } {
    this.counts.connections++;
    const session: Session = {
      wire,
      caps: new Set(),
      rooms: new Set(),
      pass: "",
      nick: null,
      anonymous: true,
      unread: "",
      awaitsPongSinceMs: null,
      lastPingMs: this.now(),
      closed: false,
    };
    this.sessions.add(session);
    return {
      receive: (chunk) => {
        if (this.frozen()) return;
        session.unread += chunk;
        const lines = session.unread.split(/\r?\n/);
        session.unread = (lines.pop() ?? "").slice(0, 16_384);
        for (const line of lines) if (line !== "" && !session.closed) this.command(session, line);
      },
      ended: () => this.forget(session),
    };
  }

  /** Cuts every connection. */
  drop(): void {
    for (const session of this.sessions) this.end(session, true);
  }

  /** Tells everybody to come back, and closes a little later, as Twitch does before maintenance. */
  reconnect(graceMs: number): void {
    const told = [...this.sessions];
    for (const session of told)
      if (session.caps.has("commands")) this.tell(session, ":tmi.twitch.tv RECONNECT");
    setTimeout(() => told.forEach((session) => this.end(session, false)), graceMs).unref();
  }

  /** Sends lines as they are to everybody in the room. Without `lines`: the collection of malformed ones. */
  inject(channel: string, lines: readonly (string | Buffer)[] = malformedLines(channel)): void {
    for (const session of this.sessions) {
      if (!session.rooms.has(channel)) continue;
      for (const line of lines) {
        if (typeof line === "string") session.wire.send(`${line}\r\n`);
        else if (session.wire.anyBytes) session.wire.send(Buffer.concat([line, Buffer.from("\r\n")]));
      }
    }
  }

  /** A closed channel throws out who is in it. */
  evict(channel: string): void {
    for (const session of this.sessions) {
      if (!session.rooms.delete(channel)) continue;
      this.refuseRoom(session, channel);
    }
  }

  state(): { sessions: number; rooms: Record<string, number> } {
    const rooms: Record<string, number> = {};
    for (const session of this.sessions)
      for (const room of session.rooms) rooms[room] = (rooms[room] ?? 0) + 1;
    return { sessions: this.sessions.size, rooms };
  }

  private frozen(): boolean {
    return this.now() < this.faults.frozenUntilMs;
  }

  private tell(session: Session, ...lines: string[]): void {
    if (!session.closed && !this.frozen()) session.wire.send(lines.map((line) => `${line}\r\n`).join(""));
  }

  private end(session: Session, hard: boolean): void {
    session.closed = true;
    session.wire.close(hard);
    this.forget(session);
  }

  private forget(session: Session): void {
    session.closed = true;
    this.sessions.delete(session);
  }

  private command(session: Session, line: string): void {
    // A client may put tags and its own prefix in front; both say nothing here.
    const bare = line.replace(/^@\S* +/, "").replace(/^:\S* +/, "");
    const space = bare.indexOf(" ");
    const name = (space === -1 ? bare : bare.slice(0, space)).toUpperCase();
    const rest = space === -1 ? "" : bare.slice(space + 1).trim();
    switch (name) {
      case "CAP":
        return this.capability(session, rest);
      case "PASS":
        session.pass = rest.replace(/^:/, "");
        return;
      case "NICK":
        return this.login(session, rest.toLowerCase());
      case "USER":
      case "QUIT":
        return name === "QUIT" ? this.end(session, false) : undefined;
      case "PING":
        return this.tell(
          session,
          `:tmi.twitch.tv PONG tmi.twitch.tv${rest === "" ? "" : ` :${rest.replace(/^:/, "")}`}`,
        );
      case "PONG":
        session.awaitsPongSinceMs = null;
        return;
    }
    if (session.nick === null) return;
    switch (name) {
      case "JOIN":
        for (const channel of rest.split(" ")[0]?.split(",") ?? []) this.join(session, channel);
        return;
      case "PART":
        for (const channel of rest.split(" ")[0]?.split(",") ?? []) this.part(session, channel);
        return;
      case "PRIVMSG":
        return this.message(session, rest);
      default:
        this.counts.commandsUnknown++;
        this.tell(session, `:tmi.twitch.tv 421 ${session.nick} ${clean(name)} :Unknown command`);
    }
  }

  private capability(session: Session, rest: string): void {
    const [verb = "", ...words] = rest.split(" ");
    const asked = words.join(" ").replace(/^:/, "").trim();
    if (verb.toUpperCase() === "LS")
      return this.tell(
        session,
        `:tmi.twitch.tv CAP * LS :${CAPABILITIES.map((cap) => `twitch.tv/${cap}`).join(" ")}`,
      );
    if (verb.toUpperCase() !== "REQ") return;
    const wanted = asked.split(/\s+/).map((name) => name.replace("twitch.tv/", ""));
    const known = wanted.filter((name): name is Capability =>
      (CAPABILITIES as readonly string[]).includes(name),
    );
    // All or nothing, as CAP REQ is.
    if (known.length !== wanted.length) return this.tell(session, `:tmi.twitch.tv CAP * NAK :${asked}`);
    for (const cap of known) session.caps.add(cap);
    this.tell(session, `:tmi.twitch.tv CAP * ACK :${asked}`);
  }

  private account(session: Session): string {
    return session.anonymous ? `anonymous@${session.wire.address}` : (session.nick ?? "");
  }

  private login(session: Session, nick: string): void {
    if (session.nick !== null) return;
    const anonymous = /^justinfan\d+$/.test(nick);
    const account = anonymous ? `anonymous@${session.wire.address}` : nick;
    const refuse = (words: string): void => {
      this.counts.loginsRefused++;
      this.tell(session, `:tmi.twitch.tv NOTICE * :${words}`);
      this.end(session, false);
    };
    if (!this.mayLogin(account)) {
      this.counts.loginsOverLimit++;
      return refuse("Login unsuccessful");
    }
    if (!/^[a-z0-9_]{1,25}$/.test(nick)) return refuse("Improperly formatted auth");
    if (this.faults.refuseLogin) return refuse("Login authentication failed");
    if (!anonymous) {
      if (!session.pass.startsWith("oauth:")) return refuse("Improperly formatted auth");
      if (DEMO_ACCOUNTS[nick] !== session.pass) return refuse("Login authentication failed");
    }
    this.counts.logins++;
    session.nick = nick;
    session.anonymous = anonymous;
    this.tell(
      session,
      `:tmi.twitch.tv 001 ${nick} :Welcome, GLHF!`,
      `:tmi.twitch.tv 002 ${nick} :Your host is tmi.twitch.tv`,
      `:tmi.twitch.tv 003 ${nick} :This server is rather new`,
      `:tmi.twitch.tv 004 ${nick} :-`,
      `:tmi.twitch.tv 375 ${nick} :-`,
      `:tmi.twitch.tv 372 ${nick} :You are in a maze of twisty passages, all alike.`,
      `:tmi.twitch.tv 376 ${nick} :>`,
    );
    if (!anonymous && session.caps.has("commands"))
      this.tell(
        session,
        `${this.userTags(session, { "user-id": roomIdOf(nick) ?? String(hash32(nick)) })}:tmi.twitch.tv GLOBALUSERSTATE`,
      );
  }

  private userTags(session: Session, more: Record<string, string>): string {
    if (!session.caps.has("tags")) return "";
    const tags = {
      "badge-info": "",
      badges: "",
      color: "",
      "display-name": session.nick ?? "",
      "emote-sets": "0",
      "user-type": "",
      ...more,
    };
    return `${tagLine(tags)} `;
  }

  private join(session: Session, name: string): void {
    const channel = name.replace(/^#/, "").toLowerCase();
    if (!name.startsWith("#") || !/^[a-z0-9_]{1,25}$/.test(channel)) return;
    if (!this.mayJoin(this.account(session))) {
      this.counts.joinsOverLimit++;
      return;
    }
    const fault = this.faults.channels.get(channel);
    const roomId = roomIdOf(channel);
    if (fault === "silent") return;
    if (roomId === null || fault !== undefined || SUSPENDED_CHANNELS.includes(channel))
      return this.refuseRoom(session, channel);
    if (session.rooms.has(channel)) return;
    this.counts.joins++;
    session.rooms.add(channel);
    const { nick } = session;
    this.tell(
      session,
      `:${nick}!${nick}@${nick}.tmi.twitch.tv JOIN #${channel}`,
      `:${nick}.tmi.twitch.tv 353 ${nick} = #${channel} :${nick}`,
      `:${nick}.tmi.twitch.tv 366 ${nick} #${channel} :End of /NAMES list`,
    );
    if (!session.caps.has("commands")) return;
    if (!session.anonymous)
      this.tell(
        session,
        `${this.userTags(session, { mod: "0", subscriber: "0" })}:tmi.twitch.tv USERSTATE #${channel}`,
      );
    const room = {
      "emote-only": "0",
      "followers-only": "-1",
      r9k: "0",
      "room-id": roomId,
      slow: "0",
      "subs-only": "0",
      ...this.rooms?.tags(roomId),
    };
    this.tell(
      session,
      `${session.caps.has("tags") ? `${tagLine(room)} ` : ""}:tmi.twitch.tv ROOMSTATE #${channel}`,
    );
  }

  private refuseRoom(session: Session, channel: string): void {
    this.counts.joinsRefused++;
    if (!session.caps.has("commands")) return;
    const banned = this.faults.channels.get(channel) === "banned";
    const id = banned ? "msg_banned" : "msg_channel_suspended";
    const words = banned
      ? `You are permanently banned from talking in ${channel}.`
      : "This channel does not exist or has been suspended.";
    this.tell(
      session,
      `${session.caps.has("tags") ? `@msg-id=${id} ` : ""}:tmi.twitch.tv NOTICE #${channel} :${words}`,
    );
  }

  private part(session: Session, name: string): void {
    const channel = name.replace(/^#/, "").toLowerCase();
    if (!session.rooms.delete(channel)) return;
    const { nick } = session;
    this.tell(session, `:${nick}!${nick}@${nick}.tmi.twitch.tv PART #${channel}`);
  }

  /** Ours is a stream for watching: what a client says is acknowledged to it and goes no further. */
  private message(session: Session, rest: string): void {
    const channel = rest.split(" ")[0]?.replace(/^#/, "") ?? "";
    if (session.anonymous || !session.rooms.has(channel) || !session.caps.has("commands")) return;
    if (!this.mayTalk(session.nick ?? "")) return;
    this.counts.messagesTaken++;
    this.tell(
      session,
      `${this.userTags(session, { mod: "0", subscriber: "0" })}:tmi.twitch.tv USERSTATE #${channel}`,
    );
  }

  private tick(): void {
    const nowMs = this.now();
    const fromMs = Math.max(this.toldUntilMs, nowMs - CATCH_UP_MS);
    this.toldUntilMs = Math.max(nowMs, this.toldUntilMs);
    if (fromMs >= nowMs) return;
    this.keepAlive(nowMs);
    if (this.frozen()) return;
    const rooms = new Set<string>();
    for (const session of this.sessions) for (const room of session.rooms) rooms.add(room);
    for (const room of rooms) {
      const rate = floodRate(room);
      if (rate !== null) this.flood(room, rate, fromMs, nowMs);
      else if (isScripted(room)) {
        const roomId = roomIdOf(room) ?? "";
        this.say(
          room,
          linesBetween(room, fromMs, nowMs, this.faults.clockShiftMs)
            .map(({ line }) => line)
            .filter((line) => this.rooms?.lets(roomId, line) ?? true),
        );
      }
    }
  }

  /** To everybody in the room, as far as they have asked for it. */
  say(room: string, lines: readonly string[]): void {
    if (lines.length === 0 || this.frozen()) return;
    const whole = lines.map((line) => `${line}\r\n`).join("");
    for (const session of this.sessions) {
      if (!session.rooms.has(room)) continue;
      if (session.caps.has("tags") && session.caps.has("commands"))
        this.deliver(session, room, whole, lines.length);
      else {
        const heard = lines.filter((line) => session.caps.has("commands") || / PRIVMSG #/.test(line));
        const text = heard
          .map((line) => `${session.caps.has("tags") ? line : line.replace(/^@\S* /, "")}\r\n`)
          .join("");
        if (heard.length > 0) this.deliver(session, room, text, heard.length);
      }
    }
  }

  private flood(room: string, rate: number, fromMs: number, toMs: number): void {
    const listeners = [...this.sessions].filter((session) => session.rooms.has(room));
    for (const { text, lines } of floodFrames(
      rate,
      floodDue(rate, fromMs),
      floodDue(rate, toMs),
      FLOOD_LINES_PER_FRAME,
      this.faults.clockShiftMs,
    ))
      for (const session of listeners)
        this.deliver(session, room, session.caps.has("tags") ? text : text.replace(/^@\S* /gm, ""), lines);
  }

  private deliver(session: Session, room: string, text: string, lines: number): void {
    if (session.closed) return;
    if (session.wire.pending() > SLOW_CLIENT_BYTES) {
      this.counts.slowClientsDropped++;
      this.end(session, true);
      return;
    }
    this.counts.linesSent += lines;
    this.linesByRoom.set(room, (this.linesByRoom.get(room) ?? 0) + lines);
    session.wire.send(text);
  }

  private keepAlive(nowMs: number): void {
    for (const session of this.sessions) {
      if (session.awaitsPongSinceMs !== null && nowMs - session.awaitsPongSinceMs > this.pongWithinMs) {
        this.counts.pongsMissed++;
        this.end(session, true);
      } else if (session.nick !== null && nowMs - session.lastPingMs > this.pingEveryMs) {
        session.lastPingMs = nowMs;
        session.awaitsPongSinceMs = nowMs;
        this.tell(session, "PING :tmi.twitch.tv");
      }
    }
  }
}
