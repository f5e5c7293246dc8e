import { z } from "zod";
import { WebSocket } from "ws";
import { readEmote, type Emote } from "./providers.ts";

/** 7TV's EventAPI v3: https://github.com/SevenTV/EventAPI */
const OP = {
  dispatch: 0,
  hello: 1,
  heartbeat: 2,
  reconnect: 4,
  ack: 5,
  end: 7,
  resume: 34,
  subscribe: 35,
  unsubscribe: 36,
} as const;
const FRAME_BYTES = 4 * 1024 * 1024;
const RETRY_MS = { first: 1000, most: 60_000 };
/** So many heartbeats may be missing before the connection counts as dead. */
const MISSED_HEARTBEATS = 3;

const frame = z.object({ op: z.int(), d: z.unknown() });
const hello = z.object({
  heartbeat_interval: z.number().min(100),
  session_id: z.string(),
  subscription_limit: z.number().optional(),
});
const ack = z.object({ command: z.string(), data: z.object({ success: z.boolean().optional() }).optional() });
const item = z.object({ id: z.unknown(), name: z.unknown() }).nullish();
const change = z.array(z.object({ key: z.string(), value: item, old_value: item })).optional();
const body = z.object({ id: z.string(), pushed: change, pulled: change, updated: change });
const dispatch = z.object({ type: z.string(), body: z.looseObject({ id: z.string() }) });

/** A change of one emote set: what went, what came. A renamed emote does both. */
export interface SetChange {
  setId: string;
  removed: Emote[];
  added: Emote[];
}

/** What an `emote_set.update` says; null when it is none or touches no emote. */
export function readSetChange(message: unknown): SetChange | null {
  const read = body.safeParse(message);
  if (!read.success) return null;
  const { id: setId, pushed, pulled, updated } = read.data;
  const emotes = (changes: z.infer<typeof change>, side: "value" | "old_value"): Emote[] =>
    (changes ?? []).flatMap((one) => {
      const emote = one.key === "emotes" ? readEmote(one[side]?.id, one[side]?.name) : null;
      return emote === null ? [] : [emote];
    });
  const result: SetChange = {
    setId,
    removed: [...emotes(pulled, "old_value"), ...emotes(updated, "old_value")],
    added: [...emotes(pushed, "value"), ...emotes(updated, "value")],
  };
  return result.removed.length + result.added.length === 0 ? null : result;
}

export interface SevenTvEvents {
  /** Follows a set, and its user's choice of set, from now on. */
  follow(setId: string, userId: string): void;
  unfollow(setId: string, userId: string): void;
  connected(): boolean;
  close(): void;
}

/**
 * Follows changes of 7TV sets as they happen. A lost session is resumed; where the server cannot, `missed` is called: changes may
 * have been lost, the sets must be fetched again. Connects only while something is followed.
 */
export function followSevenTv(
  url: string,
  events: { changed: (change: SetChange) => void; userChanged: (userId: string) => void; missed: () => void },
): SevenTvEvents {
  const followed = new Map<string, { type: string; objectId: string }>();
  let socket: WebSocket | null = null;
  let session: string | null = null;
  let limit = 500;
  let retry = RETRY_MS.first;
  let retryTimer: NodeJS.Timeout | null = null;
  let deadTimer: NodeJS.Timeout | null = null;
  let ready = false;
  let everReady = false;
  let closed = false;

  const send = (op: number, d: unknown): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ op, d }));
  };
  const subscription = ({ type, objectId }: { type: string; objectId: string }): unknown => ({
    type,
    condition: { object_id: objectId },
  });
  const subscribeAll = (): void => {
    for (const one of [...followed.values()].slice(0, limit)) send(OP.subscribe, subscription(one));
  };
  const dead = (): void => socket?.terminate();
  const beat = (intervalMs: number): void => {
    if (deadTimer !== null) clearTimeout(deadTimer);
    deadTimer = setTimeout(dead, intervalMs * MISSED_HEARTBEATS);
  };
  let heartbeatMs = 30_000;

  const onFrame = (text: string): void => {
    const read = frame.safeParse(parse(text));
    if (!read.success) return;
    const { op, d } = read.data;
    beat(heartbeatMs);
    if (op === OP.hello) {
      const said = hello.safeParse(d);
      if (!said.success) return dead();
      heartbeatMs = said.data.heartbeat_interval;
      limit = Math.max(1, said.data.subscription_limit ?? limit);
      retry = RETRY_MS.first;
      ready = true;
      beat(heartbeatMs);
      const before = session;
      session = said.data.session_id;
      if (before === null) {
        subscribeAll();
        if (everReady) events.missed();
      } else send(OP.resume, { session_id: before });
      everReady = true;
    } else if (op === OP.ack) {
      const said = ack.safeParse(d);
      if (said.success && said.data.command === "RESUME" && said.data.data?.success !== true) {
        subscribeAll();
        events.missed();
      }
    } else if (op === OP.dispatch) {
      const said = dispatch.safeParse(d);
      if (!said.success) return;
      if (said.data.type === "emote_set.update") {
        const changed = readSetChange(said.data.body);
        if (changed !== null) events.changed(changed);
      } else if (said.data.type === "user.update") events.userChanged(said.data.body.id);
    } else if (op === OP.reconnect || op === OP.end) {
      dead();
    }
  };

  const dial = (): void => {
    retryTimer = null;
    if (closed || followed.size === 0) return;
    const mine = new WebSocket(url, {
      maxPayload: FRAME_BYTES,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    });
    socket = mine;
    beat(heartbeatMs);
    mine.on("message", (data) => onFrame((data as Buffer).toString("utf8")));
    mine.on("error", () => {});
    mine.on("close", () => {
      if (socket !== mine) return;
      socket = null;
      ready = false;
      if (deadTimer !== null) clearTimeout(deadTimer);
      if (closed) return;
      retryTimer = setTimeout(dial, retry * (0.5 + Math.random() / 2));
      retry = Math.min(retry * 2, RETRY_MS.most);
    });
  };

  const add = (type: string, objectId: string): void => {
    const key = `${type}:${objectId}`;
    if (objectId === "" || followed.has(key)) return;
    followed.set(key, { type, objectId });
    if (ready && followed.size <= limit) send(OP.subscribe, subscription({ type, objectId }));
    else if (socket === null && retryTimer === null) dial();
  };
  const remove = (type: string, objectId: string): void => {
    if (followed.delete(`${type}:${objectId}`)) send(OP.unsubscribe, subscription({ type, objectId }));
  };

  return {
    follow(setId, userId) {
      add("emote_set.update", setId);
      add("user.update", userId);
    },
    unfollow(setId, userId) {
      remove("emote_set.update", setId);
      remove("user.update", userId);
    },
    connected: () => ready,
    close() {
      closed = true;
      if (retryTimer !== null) clearTimeout(retryTimer);
      if (deadTimer !== null) clearTimeout(deadTimer);
      socket?.terminate();
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
