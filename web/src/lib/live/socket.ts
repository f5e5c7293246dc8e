import { CLOSE_CODES } from "@hypecast/contracts/close-codes.ts";
import type { ClientMessage, Envelope, ServerControl, Topic } from "@hypecast/contracts/push.ts";

/** How the page stands with the gateway. Data age is another matter: it is kept per channel, and a pong is no data. */
export type Link =
  | { state: "connecting"; attempt: number }
  | { state: "open" }
  | { state: "waiting"; attempt: number; nextAtMs: number }
  /** Closed with a code that says not to come back by itself. */
  | { state: "refused"; code: number; reason: string };

export interface Listener {
  message(envelope: Envelope): void;
  /** The gateway refused the topic. */
  refused?(code: string, detail: string): void;
}

/** What the socket needs from its surroundings; tests bring their own. */
export interface Surroundings {
  open(): WebSocket;
  now(): number;
  random(): number;
  later(run: () => void, ms: number): number;
  cancel(timer: number): void;
}

interface Subscription {
  listener: Listener;
  /** Highest id seen; null before the first and after an epoch change. */
  lastId: number | null;
}

const FIRST_WAIT_MS = 500;
/** The gateway is on the same machine or LAN: a longer cap only makes a healed page late. */
const LONGEST_WAIT_MS = 5000;
/** No frame at all, not even a pong, for so long: the connection is dead though nobody said so. */
const SILENT_MS = 15_000;
const CHECK_MS = 2000;

/** Equal jitter: half fixed, half random, so that a thousand pages do not return in one moment. */
export function waitMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
  return full / 2 + (random * full) / 2;
}

const RETRY_BY_CODE = new Map<number, boolean>(
  Object.values(CLOSE_CODES).map(({ code, retry }) => [code, retry]),
);

/**
 * One websocket a page. Topics outlive connections: after each hello they are subscribed again with the last id seen, so that
 * the gateway replays what was missed. A restarted gateway counts ids from the start; its new epoch makes us forget ours, or
 * everything would look like a repetition.
 */
export class LiveSocket {
  link: Link = { state: "connecting", attempt: 0 };
  /** Least of (our clock − gateway's clock) seen on this connection: transport delay and clock difference together. */
  clockOffsetMs = Number.POSITIVE_INFINITY;
  build: string | null = null;

  readonly #around: Surroundings;
  readonly #linkChanged: (link: Link) => void;
  readonly #topics = new Map<Topic, Subscription>();
  #socket: WebSocket | null = null;
  #epoch: string | null = null;
  #greeted = false;
  #attempt = 0;
  #lastFrameAtMs = 0;
  #heartbeatMs = 5000;
  #pingedAtMs = 0;
  #retryTimer: number | null = null;
  #checkTimer: number | null = null;
  #closed = false;

  constructor(around: Surroundings, linkChanged: (link: Link) => void) {
    this.#around = around;
    this.#linkChanged = linkChanged;
  }

  start(): void {
    this.#connect();
    this.#check();
  }

  /** One listener a topic. Returns the end of the subscription. */
  subscribe(topic: Topic, listener: Listener): () => void {
    if (this.#topics.has(topic)) throw new Error(`topic ${topic} is subscribed twice`);
    this.#topics.set(topic, { listener, lastId: null });
    if (this.#greeted) this.#send({ op: "sub", ch: topic });
    return () => {
      this.#topics.delete(topic);
      if (this.#greeted) this.#send({ op: "unsub", ch: topic });
    };
  }

  /** Asked by a person, by the browser being online again, or by the tab being looked at again. */
  connectNow(): void {
    if (this.link.state === "open" || this.#closed) return;
    if (this.link.state === "connecting" && this.#socket !== null) return;
    this.#attempt = 0;
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#stopTimers();
    if (this.#checkTimer !== null) this.#around.cancel(this.#checkTimer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #connect(): void {
    this.#stopTimers();
    this.#greeted = false;
    this.#setLink({ state: "connecting", attempt: this.#attempt });
    const socket = this.#around.open();
    this.#socket = socket;
    this.#lastFrameAtMs = this.#around.now();
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#frame(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code, event.reason);
    };
  }

  #lost(code: number, reason: string): void {
    this.#socket = null;
    this.#greeted = false;
    if (this.#closed) return;
    if (RETRY_BY_CODE.get(code) === false) {
      this.#setLink({ state: "refused", code, reason });
      return;
    }
    const wait = waitMs(this.#attempt, this.#around.random());
    this.#attempt += 1;
    this.#setLink({ state: "waiting", attempt: this.#attempt, nextAtMs: this.#around.now() + wait });
    this.#retryTimer = this.#around.later(() => this.#connect(), wait);
  }

  #frame(data: unknown): void {
    this.#lastFrameAtMs = this.#around.now();
    let messages: unknown;
    try {
      messages = JSON.parse(String(data));
    } catch {
      return; // A frame that is no JSON is the gateway's bug; the next one may be fine.
    }
    for (const message of Array.isArray(messages) ? messages : [messages])
      if (typeof message === "object" && message !== null) this.#take(message as ServerControl | Envelope);
  }

  #take(message: ServerControl | Envelope): void {
    if ("op" in message) return this.#control(message);
    const topic = this.#topics.get(message.ch);
    if (topic === undefined) return; // Unsubscribed while it was under way.
    if (message.snap !== true && topic.lastId !== null && message.id <= topic.lastId) return;
    topic.lastId = message.id;
    this.clockOffsetMs = Math.min(this.clockOffsetMs, this.#around.now() - message.t);
    topic.listener.message(message);
  }

  #control(message: ServerControl): void {
    if (message.op === "hello") {
      if (message.epoch !== this.#epoch) for (const topic of this.#topics.values()) topic.lastId = null;
      this.#epoch = message.epoch;
      this.#heartbeatMs = message.heartbeatMs;
      this.build = message.build;
      this.#greeted = true;
      this.#attempt = 0;
      this.clockOffsetMs = Number.POSITIVE_INFINITY;
      for (const [ch, { lastId }] of this.#topics)
        this.#send(
          lastId === null ? { op: "sub", ch } : { op: "sub", ch, since: lastId, epoch: message.epoch },
        );
      this.#setLink({ state: "open" });
    } else if (message.op === "err" && message.ch !== null) {
      this.#topics.get(message.ch as Topic)?.listener.refused?.(message.code, message.detail);
    }
  }

  /** A connection may die without a word (sleep, a pulled cable): ping, and give up on one that stays silent. */
  #check(): void {
    const now = this.#around.now();
    if (this.#socket !== null) {
      if (now - this.#lastFrameAtMs > SILENT_MS) {
        const silent = this.#socket;
        this.#lost(1006, "silent");
        silent.close();
      } else if (this.#greeted && now - this.#pingedAtMs >= this.#heartbeatMs) {
        this.#pingedAtMs = now;
        this.#send({ op: "ping" });
      }
    }
    this.#checkTimer = this.#around.later(() => this.#check(), CHECK_MS);
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #setLink(link: Link): void {
    this.link = link;
    this.#linkChanged(link);
  }

  #stopTimers(): void {
    if (this.#retryTimer !== null) this.#around.cancel(this.#retryTimer);
    this.#retryTimer = null;
  }
}
