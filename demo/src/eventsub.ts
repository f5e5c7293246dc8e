import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Answer } from "./answer.ts";
import { notificationsOf, type Deed, type Told } from "./deeds.ts";
import { channels, whoHasId, type Moderators } from "./directory.ts";
import type { Access, Grants } from "./grants.ts";
import { problem } from "./helix-moderation.ts";
import { uuidOf } from "./random.ts";

/** Twitch's numbers. */
const SUBSCRIBE_WITHIN_MS = 10_000;
const RECONNECT_WITHIN_MS = 30_000;
const SUBSCRIPTIONS_PER_SESSION = 300;
const SESSIONS_PER_USER = 3;
const MAX_TOTAL_COST = 10;
const KEEPALIVE_S = { least: 10, most: 600, usual: 10 };
const CLOSE = {
  clientSent: [4001, "client sent inbound traffic"],
  unused: [4003, "connection unused"],
  reconnectLate: [4004, "reconnect grace time expired"],
  invalidReconnect: [4007, "invalid reconnect"],
} as const;

/** Types with what they need: the version, the scopes (one of each group), and whose id beside the broadcaster's. */
const either = (what: string): string[] => [`moderator:manage:${what}`, `moderator:read:${what}`];
const MODERATE = [
  ...["blocked_terms", "chat_settings", "unban_requests", "banned_users", "chat_messages", "warnings"].map(
    either,
  ),
  ["moderator:read:moderators"],
  ["moderator:read:vips"],
];
const TYPES: Readonly<
  Record<
    string,
    { version: string; scopes: readonly (readonly string[])[]; as: "moderator_user_id" | "user_id" | null }
  >
> = {
  "channel.moderate": { version: "2", scopes: MODERATE, as: "moderator_user_id" },
  "automod.message.hold": { version: "2", scopes: [["moderator:manage:automod"]], as: "moderator_user_id" },
  "automod.message.update": { version: "2", scopes: [["moderator:manage:automod"]], as: "moderator_user_id" },
  "automod.settings.update": {
    version: "1",
    scopes: [["moderator:read:automod_settings"]],
    as: "moderator_user_id",
  },
  "automod.terms.update": { version: "1", scopes: [["moderator:manage:automod"]], as: "moderator_user_id" },
  "channel.suspicious_user.message": {
    version: "1",
    scopes: [["moderator:read:suspicious_users"]],
    as: "moderator_user_id",
  },
  "channel.suspicious_user.update": {
    version: "1",
    scopes: [["moderator:read:suspicious_users"]],
    as: "moderator_user_id",
  },
  "channel.shield_mode.begin": { version: "1", scopes: [either("shield_mode")], as: "moderator_user_id" },
  "channel.shield_mode.end": { version: "1", scopes: [either("shield_mode")], as: "moderator_user_id" },
  "channel.unban_request.create": {
    version: "1",
    scopes: [either("unban_requests")],
    as: "moderator_user_id",
  },
  "channel.unban_request.resolve": {
    version: "1",
    scopes: [either("unban_requests")],
    as: "moderator_user_id",
  },
  "channel.warning.send": { version: "1", scopes: [either("warnings")], as: "moderator_user_id" },
  "channel.warning.acknowledge": { version: "1", scopes: [either("warnings")], as: "moderator_user_id" },
  "channel.chat.message_delete": { version: "1", scopes: [["user:read:chat"]], as: "user_id" },
  "channel.chat.clear_user_messages": { version: "1", scopes: [["user:read:chat"]], as: "user_id" },
  "channel.chat.clear": { version: "1", scopes: [["user:read:chat"]], as: "user_id" },
  "channel.chat_settings.update": { version: "1", scopes: [["user:read:chat"]], as: "user_id" },
  "channel.ban": { version: "1", scopes: [["channel:moderate"]], as: null },
  "channel.unban": { version: "1", scopes: [["channel:moderate"]], as: null },
};

interface Session {
  readonly id: string;
  readonly keepaliveMs: number;
  socket: WebSocket;
  /** Asked to come back elsewhere: what happens until it does goes over the old socket. */
  movingTo: string | null;
  toldAtMs: number;
  openedAtMs: number;
}
interface Subscription {
  readonly id: string;
  readonly type: string;
  readonly version: string;
  readonly condition: Readonly<Record<string, string>>;
  readonly userId: string;
  readonly sessionId: string;
  readonly createdAtMs: number;
}

export interface EventSubFaults {
  /** Nothing is said until then, keepalives neither. */
  silentUntilMs: number;
  /** Every notification comes twice, and a third time under another message id. */
  duplicate: boolean;
  /** Subscriptions are refused so often with this status. */
  refuse: { status: 403 | 429 | 500; count: number };
}

export interface EventSubServer {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** /helix/eventsub/subscriptions */
  ask(method: string, query: URLSearchParams, body: string, access: Access | null): Answer;
  tell(deed: Deed): void;
  readonly faults: EventSubFaults;
  /** Every session is asked to come back under another address. `graceMs`: until the old socket is closed. */
  reconnect(graceMs: number): void;
  /** Cuts every socket. */
  drop(): void;
  /** Ends subscriptions with a reason of Twitch's. */
  revoke(which: (subscription: { type: string; userId: string }) => boolean, status: string): number;
  /** What is wrong, each in its own way: another channel's, no shape, unheard of, ten minutes old. */
  forge(): void;
  readonly counts: { connections: number; notifications: number; refused: number };
  state(): object;
  close(): void;
}

export function serveEventSub(
  path: string,
  options: {
    readonly now: () => number;
    readonly moderators: Moderators;
    readonly grants: Grants;
    readonly keepaliveMs?: number;
  },
): EventSubServer {
  const { now, moderators } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  const sessions = new Map<string, Session>();
  const subscriptions = new Map<string, Subscription>();
  const faults: EventSubFaults = { silentUntilMs: 0, duplicate: false, refuse: { status: 403, count: 0 } };
  const counts = { connections: 0, notifications: 0, refused: 0 };
  let made = 0;
  let told = 0;
  let host = "";

  const iso = (ms: number): string => new Date(ms).toISOString().replace("Z", "000001Z");
  const send = (session: Session, type: string, payload: object, more: object = {}, id?: string): void => {
    if (now() < faults.silentUntilMs || session.socket.readyState !== session.socket.OPEN) return;
    session.toldAtMs = now();
    session.socket.send(
      JSON.stringify({
        metadata: {
          message_id: id ?? uuidOf("eventsub", now(), told++),
          message_type: type,
          message_timestamp: iso(now()),
          ...more,
        },
        payload,
      }),
    );
  };
  const sessionView = (session: Session, status: string, reconnectUrl: string | null): object => ({
    id: session.id,
    status,
    connected_at: iso(session.openedAtMs),
    keepalive_timeout_seconds: status === "connected" ? session.keepaliveMs / 1000 : null,
    reconnect_url: reconnectUrl,
    recovery_url: null,
  });
  const view = (subscription: Subscription, status = "enabled"): object => ({
    id: subscription.id,
    status,
    type: subscription.type,
    version: subscription.version,
    condition: subscription.condition,
    transport: { method: "websocket", session_id: subscription.sessionId },
    created_at: iso(subscription.createdAtMs),
    cost: 0,
  });

  const end = (session: Session): void => {
    sessions.delete(session.id);
    for (const [id, { sessionId }] of subscriptions) if (sessionId === session.id) subscriptions.delete(id);
  };
  const accept = (ws: WebSocket, query: URLSearchParams): void => {
    counts.connections++;
    const moving = query.get("reconnect");
    if (moving !== null) {
      const session = [...sessions.values()].find((one) => one.movingTo === moving);
      if (session === undefined) return ws.close(...CLOSE.invalidReconnect);
      session.movingTo = null;
      session.socket = ws;
      listen(session, ws);
      return send(session, "session_welcome", { session: sessionView(session, "connected", null) });
    }
    const asked = Number(query.get("keepalive_timeout_seconds") ?? KEEPALIVE_S.usual);
    if (!(asked >= KEEPALIVE_S.least && asked <= KEEPALIVE_S.most)) return ws.close(...CLOSE.unused);
    const session: Session = {
      id: `demo_${uuidOf("session", now(), made++).replaceAll("-", "")}`,
      keepaliveMs: options.keepaliveMs ?? asked * 1000,
      socket: ws,
      movingTo: null,
      toldAtMs: now(),
      openedAtMs: now(),
    };
    sessions.set(session.id, session);
    listen(session, ws);
    send(session, "session_welcome", { session: sessionView(session, "connected", null) });
  };
  const listen = (session: Session, ws: WebSocket): void => {
    ws.on("message", () => ws.close(...CLOSE.clientSent));
    ws.on("error", () => ws.terminate());
    ws.on("close", () => {
      if (session.socket === ws) end(session);
    });
  };

  const notify = (told: Told, channelId: string): void => {
    for (const subscription of subscriptions.values()) {
      const { type, version, condition, sessionId } = subscription;
      if (type !== told.type || version !== told.version) continue;
      if (condition["broadcaster_user_id"] !== channelId) continue;
      const session = sessions.get(sessionId);
      if (session === undefined) continue;
      counts.notifications++;
      const payload = { subscription: view(subscription), event: told.event };
      const more = { subscription_type: type, subscription_version: version };
      const id = uuidOf("notification", now(), counts.notifications);
      send(session, "notification", payload, more, id);
      if (!faults.duplicate) continue;
      send(session, "notification", payload, more, id);
      send(session, "notification", payload, more);
    }
  };

  const missing = problem(403, "Forbidden", "subscription missing proper authorization");
  const create = (json: string, access: Access | null): Answer => {
    if (faults.refuse.count > 0) {
      faults.refuse.count--;
      counts.refused++;
      return faults.refuse.status === 429
        ? {
            ...problem(429, "Too Many Requests", "You have exceeded your request limit"),
            headers: { "Ratelimit-Reset": String(Math.ceil(now() / 1000) + 1) },
          }
        : faults.refuse.status === 500
          ? problem(500, "Internal Server Error", "")
          : missing;
    }
    if (access === null) return problem(400, "Bad Request", "invalid transport and auth combination");
    let asked: {
      type?: unknown;
      version?: unknown;
      condition?: Record<string, string>;
      transport?: { method?: unknown; session_id?: string };
    };
    try {
      asked = JSON.parse(json);
    } catch {
      return problem(400, "Bad Request", "the body is no JSON");
    }
    const type = typeof asked.type === "string" ? asked.type : "";
    const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
    if (known === undefined || asked.version !== known.version)
      return problem(400, "Bad Request", "invalid subscription type and version");
    if (asked.transport?.method !== "websocket")
      return problem(400, "Bad Request", "the stand-in speaks over websockets alone");
    const session = sessions.get(asked.transport.session_id ?? "");
    if (session === undefined)
      return problem(
        400,
        "Bad Request",
        "websocket transport session does not exist or has already disconnected",
      );
    const condition = asked.condition ?? {};
    const channelId = condition["broadcaster_user_id"] ?? "";
    if (!channels.has(channelId)) return problem(400, "Bad Request", "invalid condition");
    const as = known.as === null ? channelId : condition[known.as];
    const allowed = known.scopes.every((group) => group.some((scope) => access.scopes.includes(scope)));
    const mayHear = known.as === "user_id" || moderators.may(channelId, access.userId);
    if (as !== access.userId || !allowed || !mayHear) {
      counts.refused++;
      return missing;
    }
    const own = [...subscriptions.values()].filter(({ userId }) => userId === access.userId);
    const inSession = own.filter(({ sessionId }) => sessionId === session.id);
    if (inSession.some((one) => one.type === type && one.condition["broadcaster_user_id"] === channelId))
      return problem(409, "Conflict", "subscription already exists");
    if (inSession.length >= SUBSCRIPTIONS_PER_SESSION)
      return problem(429, "Too Many Requests", "number of subscriptions of the websocket session exceeded");
    const others = [...subscriptions.values()].find(
      (one) => one.sessionId === session.id && one.userId !== access.userId,
    );
    if (others !== undefined)
      return problem(
        400,
        "Bad Request",
        "websocket transport cannot have subscriptions created by different users",
      );
    if (inSession.length === 0 && new Set(own.map(({ sessionId }) => sessionId)).size >= SESSIONS_PER_USER)
      return problem(429, "Too Many Requests", "number of websocket transports limit exceeded");
    const subscription: Subscription = {
      id: uuidOf("subscription", now(), made++),
      type,
      version: known.version,
      condition,
      userId: access.userId,
      sessionId: session.id,
      createdAtMs: now(),
    };
    subscriptions.set(subscription.id, subscription);
    return {
      status: 202,
      json: {
        data: [view(subscription)],
        total: own.length + 1,
        total_cost: 0,
        max_total_cost: MAX_TOTAL_COST,
      },
    };
  };

  const timer = setInterval(() => {
    const nowMs = now();
    for (const session of sessions.values()) {
      if (nowMs - session.toldAtMs >= session.keepaliveMs - 200) send(session, "session_keepalive", {});
      const unused = ![...subscriptions.values()].some(({ sessionId }) => sessionId === session.id);
      if (unused && nowMs - session.openedAtMs > SUBSCRIBE_WITHIN_MS) session.socket.close(...CLOSE.unused);
    }
  }, 100);

  return {
    faults,
    counts,
    upgrade(request, socket, head) {
      host = request.headers.host ?? "";
      const query = new URL(request.url ?? "/", `http://${host}`).searchParams;
      sockets.handleUpgrade(request, socket, head, (ws) => accept(ws, query));
    },
    ask(method, query, body, access) {
      if (method === "POST") return create(body, access);
      if (access === null) return problem(401, "Unauthorized", "Missing User OAUTH Token");
      if (method === "DELETE") {
        const id = query.get("id") ?? "";
        return subscriptions.get(id)?.userId === access.userId && subscriptions.delete(id)
          ? { status: 204, body: "" }
          : problem(404, "Not Found", "subscription not found");
      }
      const own = [...subscriptions.values()].filter(({ userId }) => userId === access.userId);
      return {
        status: 200,
        json: {
          data: own.map((one) => view(one)),
          total: own.length,
          total_cost: 0,
          max_total_cost: MAX_TOTAL_COST,
          pagination: {},
        },
      };
    },
    tell(deed) {
      for (const one of notificationsOf(deed)) notify(one, deed.channel.userId);
    },
    reconnect(graceMs) {
      for (const session of sessions.values()) {
        const moving = uuidOf("moving", now(), made++);
        session.movingTo = moving;
        const old = session.socket;
        send(session, "session_reconnect", {
          session: sessionView(session, "reconnecting", `ws://${host}${path}?reconnect=${moving}`),
        });
        setTimeout(() => old.close(...CLOSE.reconnectLate), Math.min(graceMs, RECONNECT_WITHIN_MS)).unref();
      }
    },
    drop() {
      for (const { socket } of sessions.values()) socket.terminate();
    },
    revoke(which, status) {
      let ended = 0;
      for (const [id, subscription] of subscriptions) {
        if (!which(subscription)) continue;
        subscriptions.delete(id);
        ended++;
        const session = sessions.get(subscription.sessionId);
        const more = { subscription_type: subscription.type, subscription_version: subscription.version };
        if (session !== undefined)
          send(session, "revocation", { subscription: view(subscription, status) }, more);
      }
      return ended;
    },
    forge() {
      for (const session of sessions.values()) {
        const [subscription] = [...subscriptions.values()].filter(
          ({ sessionId }) => sessionId === session.id,
        );
        if (subscription === undefined) continue;
        const about = view(subscription) as { condition: object };
        const more = { subscription_type: subscription.type, subscription_version: subscription.version };
        const victim = whoHasId(subscription.userId);
        const ban = {
          user_id: victim?.userId,
          user_login: victim?.login,
          user_name: victim?.name,
          reason: "",
        };
        const event = {
          broadcaster_user_id: "31337",
          broadcaster_user_login: "somebody_else",
          moderator_user_id: "1",
          moderator_user_login: "forger",
          action: "ban",
          ban,
        };
        send(session, "notification", { subscription: about, event }, more);
        const elsewhere = { ...about, condition: { broadcaster_user_id: "31337", moderator_user_id: "1" } };
        send(session, "notification", { subscription: elsewhere, event }, more);
        const ours = { ...event, broadcaster_user_id: subscription.condition["broadcaster_user_id"] };
        send(session, "notification", { subscription: about, event: { ...ours, ban: "everybody" } }, more);
        send(
          session,
          "notification",
          { subscription: about, event: { ...ours, action: "obliterate" } },
          more,
        );
        send(
          session,
          "notification",
          { subscription: { ...about, type: "channel.obliterate" }, event: ours },
          more,
        );
        const old = { ...more, message_timestamp: iso(now() - 11 * 60_000) };
        send(session, "notification", { subscription: about, event: ours }, old);
        send(session, "notification", { nothing: true }, more);
        session.socket.send("no JSON at all");
        session.socket.send(JSON.stringify({ metadata: { message_type: "session_reconnect" } }));
      }
    },
    state: () => ({
      sessions: sessions.size,
      subscriptions: subscriptions.size,
      types: Object.fromEntries(
        [...subscriptions.values()].reduce(
          (sums, { type }) => sums.set(type, (sums.get(type) ?? 0) + 1),
          new Map<string, number>(),
        ),
      ),
      ...counts,
    }),
    close() {
      clearInterval(timer);
      for (const { socket } of sessions.values()) socket.terminate();
      sockets.close();
    },
  };
}
