import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { lateEmoteIsThere, SEVENTV_SET, sevenTvActiveEmote, sevenTvActor } from "./emote-sets.ts";
import { lateEmote } from "./emotes.ts";
import { uuidOf } from "./random.ts";

/** 7TV's EventAPI v3: https://github.com/SevenTV/EventAPI */
const OP = {
  dispatch: 0,
  hello: 1,
  heartbeat: 2,
  reconnect: 4,
  ack: 5,
  error: 6,
  endOfStream: 7,
  resume: 34,
  subscribe: 35,
  unsubscribe: 36,
} as const;
const CLOSE = {
  unknownOperation: 4001,
  invalidPayload: 4002,
  restart: 4006,
  alreadySubscribed: 4009,
  notSubscribed: 4010,
} as const;
const SUBSCRIPTION_LIMIT = 500;
/** A lost session's changes are kept so long for a RESUME. */
const RESUME_MS = 60_000;
const EVERY_OBJECT = "*";

interface Session {
  readonly id: string;
  readonly subscriptions: Set<string>;
  readonly socket: WebSocket;
  heartbeats: number;
}

interface Change {
  readonly subject: string;
  readonly objectId: string;
  readonly body: object;
  readonly atMs: number;
}

export interface SevenTvEvents {
  /** Adds or removes any emote of the channel's set now; the schedule does it by itself with one emote. */
  change(kind: "pushed" | "pulled", emote: { id: string; name: string }): void;
  /** op 4, then the socket closes. */
  reconnect(): void;
  sessions(): number;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

/** Live changes of 7TV's sets: hello, heartbeats, subscriptions by object, dispatches, resume. */
export function serveSevenTvEvents(options: { now: () => number; heartbeatMs: number }): SevenTvEvents {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });
  const live = new Map<string, Session>();
  const lost = new Map<string, { subscriptions: Set<string>; atMs: number }>();
  const history: Change[] = [];
  let started = 0;
  let host = "";

  const tell = (socket: WebSocket, op: number, d: unknown): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ op, t: options.now(), d }));
  };
  const hears = (subscriptions: Set<string>, { subject, objectId }: Change): boolean =>
    subscriptions.has(`${subject} ${objectId}`) || subscriptions.has(`${subject} ${EVERY_OBJECT}`);
  const publish = (change: Change): void => {
    history.push(change);
    while ((history[0]?.atMs ?? Infinity) < options.now() - RESUME_MS) history.shift();
    for (const session of live.values())
      if (hears(session.subscriptions, change))
        tell(session.socket, OP.dispatch, { type: change.subject, body: change.body });
  };
  const changed = (kind: "pushed" | "pulled", active: object): void => {
    const item = {
      key: "emotes",
      index: 0,
      type: "object",
      old_value: kind === "pulled" ? active : null,
      value: kind === "pushed" ? active : null,
    };
    publish({
      subject: "emote_set.update",
      objectId: SEVENTV_SET,
      body: { id: SEVENTV_SET, kind: 3, contextual: true, actor: sevenTvActor, [kind]: [item] },
      atMs: options.now(),
    });
  };

  const onMessage = (session: Session, text: string): void => {
    let message: {
      op?: unknown;
      d?: { type?: string; condition?: { object_id?: string }; session_id?: string };
    };
    try {
      message = JSON.parse(text);
    } catch {
      return session.socket.close(CLOSE.invalidPayload, "Invalid Payload");
    }
    const key = `${message.d?.type} ${message.d?.condition?.object_id ?? EVERY_OBJECT}`;
    const ack = (command: string, data: object): void => tell(session.socket, OP.ack, { command, data });
    switch (message.op) {
      case OP.subscribe:
        if (typeof message.d?.type !== "string")
          return session.socket.close(CLOSE.invalidPayload, "Invalid Payload");
        if (session.subscriptions.has(key))
          return session.socket.close(CLOSE.alreadySubscribed, "Already Subscribed");
        if (session.subscriptions.size >= SUBSCRIPTION_LIMIT)
          return tell(session.socket, OP.error, {
            message: "Too many subscriptions",
            fields: { limit: SUBSCRIPTION_LIMIT },
          });
        session.subscriptions.add(key);
        return ack("SUBSCRIBE", {
          id: session.subscriptions.size,
          type: message.d.type,
          condition: message.d.condition ?? {},
        });
      case OP.unsubscribe:
        if (!session.subscriptions.delete(key))
          return session.socket.close(CLOSE.notSubscribed, "Not Subscribed");
        return ack("UNSUBSCRIBE", { type: message.d?.type, condition: message.d?.condition ?? {} });
      case OP.resume: {
        const before = lost.get(message.d?.session_id ?? "");
        if (before === undefined)
          return ack("RESUME", { success: false, dispatches_replayed: 0, subscriptions_restored: 0 });
        lost.delete(message.d?.session_id ?? "");
        for (const one of before.subscriptions) session.subscriptions.add(one);
        const missed = history.filter(
          (change) => change.atMs >= before.atMs && hears(session.subscriptions, change),
        );
        ack("RESUME", {
          success: true,
          dispatches_replayed: missed.length,
          subscriptions_restored: before.subscriptions.size,
        });
        for (const change of missed)
          tell(session.socket, OP.dispatch, { type: change.subject, body: change.body });
        return;
      }
      default:
        return session.socket.close(CLOSE.unknownOperation, "Unknown Operation");
    }
  };

  const upgrade: SevenTvEvents["upgrade"] = (request, socket, head) => {
    host = request.headers.host ?? "";
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const session: Session = {
        id: uuidOf("7tv", options.now(), started++).replaceAll("-", ""),
        subscriptions: new Set(),
        socket: ws,
        heartbeats: 0,
      };
      live.set(session.id, session);
      tell(ws, OP.hello, {
        heartbeat_interval: options.heartbeatMs,
        session_id: session.id,
        subscription_limit: SUBSCRIPTION_LIMIT,
        instance: { name: "demo", population: live.size },
      });
      ws.on("message", (data) => onMessage(session, (data as Buffer).toString("utf8")));
      ws.on("error", () => ws.terminate());
      ws.on("close", () => {
        live.delete(session.id);
        lost.set(session.id, { subscriptions: session.subscriptions, atMs: options.now() });
        for (const [id, { atMs }] of lost) if (atMs < options.now() - RESUME_MS) lost.delete(id);
      });
    });
  };

  const heart = setInterval(() => {
    for (const session of live.values()) tell(session.socket, OP.heartbeat, { count: ++session.heartbeats });
  }, options.heartbeatMs);
  let there = lateEmoteIsThere(options.now());
  const schedule = setInterval(() => {
    const now = lateEmoteIsThere(options.now());
    if (now !== there) changed(now ? "pushed" : "pulled", sevenTvActiveEmote(lateEmote, host));
    there = now;
  }, 250);

  return {
    change: (kind, emote) => changed(kind, sevenTvActiveEmote({ ...lateEmote, ...emote }, host)),
    reconnect() {
      for (const { socket } of live.values()) {
        tell(socket, OP.reconnect, { reason: "the server is being restarted" });
        socket.close(CLOSE.restart, "Server Restart");
      }
    },
    sessions: () => live.size,
    upgrade,
    close() {
      clearInterval(heart);
      clearInterval(schedule);
      for (const { socket } of live.values()) socket.terminate();
    },
  };
}
