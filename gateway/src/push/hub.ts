import { CLOSE_CODES } from "@hypecast/contracts/close-codes.ts";
import {
  CLIENT_MESSAGE_BYTES,
  clientMessage,
  TOPICS_PER_SOCKET,
  type ClientMessage,
  type ServerControl,
  type Topic,
} from "@hypecast/contracts/push.ts";
import { OPERATOR, type Person } from "@hypecast/contracts/journal.ts";
import type { Who } from "../access.ts";
import type { Allowed } from "./allowed.ts";
import { latestChannel, narrowedChannel, ringChannel, type Channel } from "./topic.ts";

/**
 * Who hears what, and when. Every value is encoded once, when it comes, and waits a little for others to share a frame with. A
 * tick then writes one frame a socket: sockets that hold the same topics share one frame, which uWebSockets.js sends to all of them in one call. Sockets are spread over phases, whose
 * writes alternate, so that thousands of them do not stand in one queue.
 *
 * Nothing here queues per socket: a tick sends what is newer than the phase's last one, read from the topics' own memory. A socket
 * that cannot keep up is taken out of its group, left alone until its buffer is empty, and then given what it has missed: every
 * value of a ring topic that is still there, or a snapshot; only the newest of the others. One that stays behind is closed.
 */

/** The wire under the hub. One implementation is real (sockets.ts); the simulation in the tests is another. */
export interface Wire {
  publish(group: string, frame: string): void;
}
export interface Socket {
  send(frame: string): void;
  bufferedBytes(): number;
  join(group: string): void;
  leave(group: string): void;
  /** Says goodbye. The socket must not be used afterwards. */
  end(code: number, reason: string): void;
  /** At once, without a farewell. */
  cut(): void;
}

/** Beats of silence: an empty frame says that the connection lives. */
export const HEARTBEAT_MS = 5000;
/** A socket may be behind for so long before it is closed. */
export const BEHIND_MS = 10_000;
/** So long it may take a socket to hear its farewell. */
const FAREWELL_MS = 3000;
/** It is behind when more than this waits for it outside of the kernel. The wire drops what goes beyond. */
export const BEHIND_BYTES = 256 * 1024;
/** Client messages between two ticks. An honest page sends one a topic when it opens. */
const MESSAGES_A_TICK = 4 * TOPICS_PER_SOCKET;
/** How often sockets that are behind are looked at, and silence is noticed. */
export const BEAT_MS = 500;
/** Parts of topics that are remembered to be shared. */
const MOST_NARROWED = 1000;
const SOCKETS_A_PHASE = 1250;
const MOST_PHASES = 8;
/** Two phases do not write closer together than this. */
const APART_MS = 8;

/**
 * How long the first value of a frame waits for others to share the write with. A write costs the kernel as much for one value
 * as for six, so it is short while sockets are few and grows to what a screen does not notice when they are many.
 */
export function lingerMs(sockets: number): number {
  const few = 100;
  const many = 1000;
  return Math.round(20 + 64 * Math.min(1, Math.max(0, (sockets - few) / (many - few))));
}
export const phasesFor = (sockets: number): number =>
  Math.max(1, Math.min(MOST_PHASES, Math.ceil(sockets / SOCKETS_A_PHASE)));

interface Group {
  readonly name: string;
  readonly channels: readonly Channel[];
  members: number;
  wroteAtMs: number;
}

export interface Member {
  readonly socket: Socket;
  /** As of the last time that was looked. */
  who: Who;
  readonly phase: Phase;
  readonly topics: Map<Topic, Channel>;
  /** Null while it is written to alone: it has just asked for something, or it is behind. */
  group: Group | null;
  asked: ClientMessage[];
  /** Everything up to this seq has been written to it; meaningful while alone. */
  upTo: number;
  behindSinceMs: number | null;
  endedAtMs: number | null;
}

interface Phase {
  readonly index: number;
  readonly members: Set<Member>;
  readonly groups: Map<string, Group>;
  readonly alone: Set<Member>;
  upTo: number;
  /** When it will write; null while there is nothing to write. */
  dueMs: number | null;
}

export interface HubCounts {
  frames: number;
  values: number;
  slow: number;
  closedSlow: number;
  resumed: number;
  snapshots: number;
}

export interface HubOptions {
  readonly wire: Wire;
  readonly epoch: string;
  readonly build: string;
  /** How a topic remembers, where not as its name says. */
  readonly columnOf?: (topic: Topic) => (() => string | null) | undefined;
  /** The first subscriber came, or the last one left. */
  readonly watched?: (topic: Topic, watched: boolean) => void;
  /** Without it everybody may hold everything. */
  readonly allowed?: Allowed;
}

export class Hub {
  readonly counts: HubCounts = { frames: 0, values: 0, slow: 0, closedSlow: 0, resumed: 0, snapshots: 0 };
  readonly #options: HubOptions;
  readonly #channels = new Map<Topic, Channel>();
  readonly #watchers = new Map<Topic, number>();
  /** Parts of topics, by key. Who still holds one that was forgotten here goes on with it. */
  readonly #narrowed = new Map<string, { whole: Channel; channel: Channel }>();
  readonly #phases: Phase[];
  #seq = 0;
  #sockets = 0;
  /** By phase: the seq that its newest frames begin after. */
  readonly #beforeTick: number[] = [];
  readonly #dropped = new Map<Member, number>();

  constructor(options: HubOptions) {
    this.#options = options;
    this.#phases = Array.from({ length: MOST_PHASES }, (_none, index) => ({
      index,
      members: new Set(),
      groups: new Map(),
      alone: new Set(),
      upTo: 0,
      dueMs: null,
    }));
  }

  /** `wake` is told when `tick` has something to do earlier than it had said. */
  onWake(wake: (atMs: number) => void): void {
    this.#wake = wake;
  }
  #wake: (atMs: number) => void = () => undefined;

  get sockets(): number {
    return this.#sockets;
  }
  get behind(): number {
    let behind = 0;
    for (const { alone } of this.#phases)
      for (const member of alone) if (member.behindSinceMs !== null) behind++;
    return behind;
  }
  get groups(): number {
    return this.#phases.reduce((sum, { groups }) => sum + groups.size, 0);
  }
  get topics(): number {
    return this.#channels.size;
  }

  isWatched(topic: Topic): boolean {
    return this.#watchers.has(topic);
  }

  /** `d`: the value as JSON. */
  publish(topic: Topic, d: string, nowMs: number, keepMs?: number): void {
    this.#channel(topic).add(d, ++this.#seq, nowMs, keepMs);
    this.counts.values++;
    if (!this.#watchers.has(topic)) return;
    const linger = lingerMs(this.#sockets);
    for (const phase of this.#phases)
      if (phase.dueMs === null && phase.members.size > 0) this.#schedule(phase, this.#apart(nowMs + linger));
  }

  /** Changes what the topic remembers, and with it what later snapshots and resumptions say. */
  rewrite(topic: Topic, edit: (d: string) => string | null): void {
    this.#channels.get(topic)?.rewrite(edit);
  }

  /** Values of the topic went by unpublished. */
  interrupt(topic: Topic): void {
    this.#channels.get(topic)?.interrupt();
  }

  /** The topic's subject is gone. */
  forget(topic: Topic): void {
    if (!this.#watchers.has(topic)) this.#channels.delete(topic);
    else this.#channels.get(topic)?.rewrite(() => null);
  }

  /** Somebody's roles may be others than they were (null: everybody's): what they may no longer hold ends, and a list is cut anew. */
  recheck(userId: string | null, again: (who: Who) => Who | null, nowMs: number): void {
    for (const { members } of this.#phases)
      for (const member of members) {
        if (member.endedAtMs !== null || (userId !== null && member.who.person.userId !== userId)) continue;
        const who = again(member.who);
        if (who === null) {
          this.#end(member, "unauthorized", "signed out");
          continue;
        }
        member.who = who;
        for (const [topic, channel] of [...member.topics]) {
          const part = this.#partFor(who, topic);
          if (part !== null && keyOf(topic, part) === channel.key) continue;
          // Gone before anything more is written; asking for it anew is answered with the refusal, or with what is theirs now.
          this.#takeOut(member, this.#dropped.get(member) ?? member.phase.upTo);
          member.topics.delete(topic);
          this.#unwatch(topic);
          member.asked.push({ op: "sub", ch: topic });
          if (member.phase.dueMs === null) this.#schedule(member.phase, nowMs);
        }
      }
  }

  /** People who have the page open. */
  *people(): Iterable<Person> {
    for (const { members } of this.#phases)
      for (const member of members) if (member.endedAtMs === null) yield member.who.person;
  }

  /** Who has which topic of a kind open. */
  *holders(kind: "mod"): Iterable<readonly [login: string, Person]> {
    for (const { members } of this.#phases)
      for (const member of members)
        if (member.endedAtMs === null)
          for (const topic of member.topics.keys())
            if (topic.startsWith(`${kind}:`)) yield [topic.slice(kind.length + 1), member.who.person];
  }

  open(socket: Socket, nowMs: number, who: Who = { person: OPERATOR, session: null }): Member {
    // Into the emptiest phase of those in use, so that they stay even as sockets come and go.
    const inUse = this.#phases.slice(0, phasesFor(this.#sockets + 1));
    const phase = inUse.reduce((least, next) => (next.members.size < least.members.size ? next : least));
    const member: Member = {
      socket,
      who,
      phase,
      topics: new Map(),
      group: null,
      asked: [],
      upTo: phase.upTo,
      behindSinceMs: null,
      endedAtMs: null,
    };
    phase.members.add(member);
    this.#sockets++;
    socket.send(
      JSON.stringify([
        {
          op: "hello",
          epoch: this.#options.epoch,
          heartbeatMs: HEARTBEAT_MS,
          topics: TOPICS_PER_SOCKET,
          build: this.#options.build,
        } satisfies ServerControl,
      ]),
    );
    this.#settle(member, nowMs);
    return member;
  }

  /** What a client sent. Its answer goes out with the next tick. */
  receive(member: Member, data: ArrayBuffer, nowMs: number): void {
    if (member.endedAtMs !== null) return;
    const message = data.byteLength > CLIENT_MESSAGE_BYTES ? null : parseClientMessage(data);
    if (message === null) {
      const what =
        data.byteLength > CLIENT_MESSAGE_BYTES ? `over ${CLIENT_MESSAGE_BYTES} bytes` : "not understood";
      return this.#end(member, "badMessage", `message ${what}`);
    }
    if (member.asked.length >= MESSAGES_A_TICK) return this.#end(member, "badMessage", "too many messages");
    member.asked.push(message);
    if (member.behindSinceMs !== null) return;
    this.#takeOut(member, this.#dropped.get(member) ?? member.phase.upTo);
    if (member.phase.dueMs === null)
      this.#schedule(member.phase, this.#apart(nowMs + lingerMs(this.#sockets)));
  }

  /** The wire dropped the newest frame of its group. Noted now, acted on at the next tick: the wire is in the middle of its list. */
  dropped(member: Member): void {
    if (member.group !== null) this.#dropped.set(member, this.#beforeTick[member.phase.index] ?? 0);
  }

  /** The socket is gone, by whoever's doing. */
  close(member: Member): void {
    if (!member.phase.members.delete(member)) return;
    member.endedAtMs ??= 0;
    this.#dropped.delete(member);
    member.phase.alone.delete(member);
    this.#leaveGroup(member, false);
    for (const topic of member.topics.keys()) this.#unwatch(topic);
    member.topics.clear();
    this.#sockets--;
  }

  closeAll(reason: keyof typeof CLOSE_CODES, words: string): void {
    for (const { members } of this.#phases) for (const member of members) this.#end(member, reason, words);
  }

  /** Writes to the phases that are due. Returns when the next one is. */
  tick(nowMs: number): number | null {
    for (const [member, wholeUpTo] of this.#dropped) {
      this.#takeOut(member, wholeUpTo);
      this.#fallBehind(member, nowMs);
    }
    this.#dropped.clear();
    let next: number | null = null;
    for (const phase of this.#phases) {
      if (phase.dueMs !== null && phase.dueMs <= nowMs) {
        phase.dueMs = null;
        this.#tickPhase(phase, nowMs);
      }
      if (phase.dueMs !== null) next = Math.min(next ?? phase.dueMs, phase.dueMs);
    }
    return next;
  }

  /** To be called every BEAT_MS: looks after those who are behind, and after silence. */
  beat(nowMs: number): void {
    for (const phase of this.#phases)
      if (phase.members.size > 0 && phase.dueMs === null) this.#schedule(phase, nowMs);
  }

  #schedule(phase: Phase, atMs: number): void {
    if (phase.dueMs !== null && phase.dueMs <= atMs) return;
    phase.dueMs = atMs;
    this.#wake(atMs);
  }

  /** The latest time up to `atMs` that no other phase has for its own writes. */
  #apart(atMs: number): number {
    const taken = this.#phases.flatMap(({ dueMs }) => dueMs ?? []);
    let free = atMs;
    for (let tries = 0; tries < MOST_PHASES; tries++) {
      const near = taken.find((dueMs) => Math.abs(dueMs - free) < APART_MS);
      if (near === undefined) return free;
      free = near - APART_MS;
    }
    return free;
  }

  #tickPhase(phase: Phase, nowMs: number): void {
    const after = phase.upTo;
    this.#beforeTick[phase.index] = after;
    phase.upTo = this.#seq;
    for (const group of phase.groups.values()) {
      const frame = frameOf(group.channels, after);
      if (frame === null && nowMs - group.wroteAtMs < HEARTBEAT_MS) continue;
      group.wroteAtMs = nowMs;
      this.counts.frames += group.members;
      this.#options.wire.publish(group.name, frame ?? "[]");
    }
    for (const member of [...phase.alone]) this.#tickAlone(member, nowMs);
  }

  #tickAlone(member: Member, nowMs: number): void {
    const { socket } = member;
    if (member.endedAtMs !== null) {
      // The farewell waits behind what it does not read.
      if (nowMs - member.endedAtMs > FAREWELL_MS) socket.cut();
      return;
    }
    if (member.behindSinceMs !== null) {
      if (socket.bufferedBytes() > 0) {
        if (nowMs - member.behindSinceMs > BEHIND_MS) {
          this.counts.closedSlow++;
          this.#end(member, "slow", "the connection could not keep up");
        }
        return;
      }
      member.behindSinceMs = null;
    } else if (socket.bufferedBytes() > BEHIND_BYTES) return this.#fallBehind(member, nowMs);
    const parts = this.#missedBy(member, nowMs);
    for (const message of member.asked) if (!this.#answer(member, message, parts, nowMs)) return;
    member.asked = [];
    member.upTo = member.phase.upTo;
    if (parts.length > 0) {
      this.counts.frames++;
      socket.send(`[${parts.join(",")}]`);
    }
    this.#settle(member, nowMs);
  }

  #fallBehind(member: Member, nowMs: number): void {
    if (member.behindSinceMs !== null || member.endedAtMs !== null) return;
    this.counts.slow++;
    member.behindSinceMs = nowMs;
  }

  /** Values of its topics since it was taken out of its group: all of them where the ring still has them, else a snapshot. */
  #missedBy(member: Member, nowMs: number): string[] {
    const parts: string[] = [];
    for (const channel of member.topics.values()) {
      const missed = channel.remembers(member.upTo) ? channel.since(member.upTo) : channel.snapshot(nowMs);
      parts.push(...missed);
    }
    return parts;
  }

  /** Applies one client message and adds what it is answered with. False when the socket was closed for it. */
  #answer(member: Member, message: ClientMessage, parts: string[], nowMs: number): boolean {
    if (message.op === "ping") {
      parts.push(JSON.stringify({ op: "pong" } satisfies ServerControl));
      return true;
    }
    const { ch } = message;
    if (message.op === "unsub") {
      if (member.topics.delete(ch)) this.#unwatch(ch);
      return true;
    }
    const part = this.#partFor(member.who, ch);
    if (part === null) {
      if (member.topics.delete(ch)) this.#unwatch(ch);
      parts.push(
        JSON.stringify({
          op: "err",
          ch,
          code: "forbidden",
          detail: "your role does not allow it",
        } satisfies ServerControl),
      );
      return true;
    }
    if (!member.topics.has(ch)) {
      if (member.topics.size >= TOPICS_PER_SOCKET) {
        const detail = `a socket may hold ${TOPICS_PER_SOCKET} topics`;
        const refusal: ServerControl = { op: "err", ch, code: "too_many_topics", detail };
        member.socket.send(JSON.stringify([refusal]));
        this.#end(member, "tooManyTopics", detail);
        return false;
      }
      this.#watch(ch);
    }
    const channel = this.#part(ch, part);
    member.topics.set(ch, channel);
    const missed =
      message.since !== undefined && message.epoch === this.#options.epoch
        ? channel.resume(message.since, nowMs)
        : null;
    parts.push(JSON.stringify({ op: "subbed", ch, resumed: missed !== null } satisfies ServerControl));
    if (missed === null) this.counts.snapshots++;
    else this.counts.resumed++;
    parts.push(...(missed ?? channel.snapshot(nowMs)));
    return true;
  }

  /** Puts a member that is up to date into the group of those who hold the same topics. */
  #settle(member: Member, nowMs: number): void {
    const { phase } = member;
    phase.alone.delete(member);
    const channels = [...member.topics.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    const name = `${phase.index}/${channels.map(({ key }) => key).join(" ")}`;
    let group = phase.groups.get(name);
    if (group === undefined) {
      group = { name, channels, members: 0, wroteAtMs: nowMs };
      phase.groups.set(name, group);
    }
    group.members++;
    member.group = group;
    member.socket.join(name);
  }

  #takeOut(member: Member, upTo: number): void {
    if (member.group === null) return;
    member.upTo = upTo;
    this.#leaveGroup(member, true);
    member.phase.alone.add(member);
  }

  #leaveGroup(member: Member, open: boolean): void {
    const { group } = member;
    if (group === null) return;
    member.group = null;
    if (open) member.socket.leave(group.name);
    if (--group.members === 0) member.phase.groups.delete(group.name);
  }

  #end(member: Member, reason: keyof typeof CLOSE_CODES, words: string): void {
    if (member.endedAtMs !== null) return;
    member.endedAtMs = Date.now();
    member.phase.alone.add(member);
    member.socket.end(CLOSE_CODES[reason].code, words);
  }

  #channel(topic: Topic): Channel {
    let channel = this.#channels.get(topic);
    if (channel === undefined) {
      channel = /^(?:chat:|events:|mod:|(?:clips|streams)$)/.test(topic)
        ? ringChannel(topic, this.#options.columnOf?.(topic))
        : latestChannel(topic);
      this.#channels.set(topic, channel);
    }
    return channel;
  }

  /** `""`: the whole topic; null: they may not hold it. */
  #partFor({ person }: Who, topic: Topic): string | null {
    const { allowed } = this.#options;
    return allowed === undefined ? "" : allowed.part(person, topic);
  }

  /** A topic, or the part of it that some may see. */
  #part(topic: Topic, part: string): Channel {
    const whole = this.#channel(topic);
    const { allowed } = this.#options;
    if (part === "" || allowed === undefined) return whole;
    const key = keyOf(topic, part);
    const known = this.#narrowed.get(key);
    // A topic that nobody watched was forgotten: its part is one of another life.
    if (known?.whole === whole) return known.channel;
    const channel = narrowedChannel(whole, key, allowed.narrow(topic, part));
    this.#narrowed.delete(key);
    this.#narrowed.set(key, { whole, channel });
    const oldest = this.#narrowed.keys().next().value;
    if (this.#narrowed.size > MOST_NARROWED && oldest !== undefined) this.#narrowed.delete(oldest);
    return channel;
  }

  #watch(topic: Topic): void {
    const watchers = this.#watchers.get(topic) ?? 0;
    this.#watchers.set(topic, watchers + 1);
    if (watchers === 0) this.#options.watched?.(topic, true);
  }

  #unwatch(topic: Topic): void {
    const watchers = this.#watchers.get(topic) ?? 0;
    if (watchers > 1) return void this.#watchers.set(topic, watchers - 1);
    this.#watchers.delete(topic);
    // A name that nobody has ever published on must not stay because somebody once asked for it.
    if (this.#channels.get(topic)?.size() === 0) this.#channels.delete(topic);
    this.#options.watched?.(topic, false);
  }
}

const keyOf = (topic: Topic, part: string): string => (part === "" ? topic : `${topic} ${part}`);

function frameOf(channels: readonly Channel[], afterSeq: number): string | null {
  const parts: string[] = [];
  for (const channel of channels) if (channel.newestSeq() > afterSeq) parts.push(...channel.since(afterSeq));
  return parts.length === 0 ? null : `[${parts.join(",")}]`;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
function parseClientMessage(data: ArrayBuffer): ClientMessage | null {
  try {
    const read = clientMessage.safeParse(JSON.parse(decoder.decode(data)));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
