import { WebSocket } from "ws";
import { readFrame, type Frame, type FrameSubscription } from "./frame.ts";

const FRAME_BYTES = 1024 * 1024;
/** Open and welcomed within this, or it is given up. */
const WELCOME_WITHIN_MS = 10_000;
/** Twitch's promise is kept a little late sometimes. */
const LATE_MS = 2_000;
const LOOK_EVERY_MS = 500;
/** So long the old socket is listened to when the new one has been welcomed. */
const LINGER_MS = 1_000;
/** A socket to the reconnect address that fails is dialled again, until Twitch closes the old one (30 s). */
const HANDOVER_AGAIN_MS = 1_000;

export interface SessionEvents {
  /** `kept`: the subscriptions came along to another socket; nothing was lost. */
  welcome: (sessionId: string, kept: boolean) => void;
  /** A frame came, whatever it says: until now all has been heard. */
  heard: () => void;
  notification: (message: Extract<Frame, { kind: "notification" }>) => void;
  revoked: (subscription: FrameSubscription) => void;
  malformed: (detail: string) => void;
  /** Once, and nothing after it. Subscriptions are gone with the session. */
  lost: (why: "closed" | "silent" | "refused", reason: string) => void;
}

interface Line {
  readonly socket: WebSocket;
  readonly openedAt: number;
  heardAt: number;
  keepaliveMs: number | null;
}

/**
 * One session of EventSub over websocket. Asked to reconnect it opens the new socket beside the old one and lets the old one go when the new
 * one is welcomed, so that nothing is lost; what comes over both is for `newMessages` to see.
 */
export function openSession(url: string, events: SessionEvents): { close(): void } {
  let current: Line | null = null;
  let next: { line: Line; url: string } | null = null;
  /** Left behind, and not closed yet: what Twitch sent over it before it knew of the new one may still be on its way. */
  const left = new Set<Line>();
  let again: NodeJS.Timeout | null = null;
  let over = false;

  const end = (why: "closed" | "silent" | "refused", reason: string): void => {
    if (over) return;
    over = true;
    clearInterval(timer);
    if (again !== null) clearTimeout(again);
    for (const line of [current, next?.line, ...left]) line?.socket.terminate();
    events.lost(why, reason);
  };

  const open = (address: string): Line => {
    const socket = new WebSocket(address, {
      maxPayload: FRAME_BYTES,
      handshakeTimeout: WELCOME_WITHIN_MS,
      perMessageDeflate: false,
    });
    const now = performance.now();
    const line: Line = { socket, openedAt: now, heardAt: now, keepaliveMs: null };
    socket.on("message", (data) => onFrame(line, (data as Buffer).toString("utf8")));
    socket.on("ping", () => {
      line.heardAt = performance.now();
    });
    socket.on("error", (error) => gone(line, error.message));
    socket.on("close", (code, reason) =>
      gone(line, `closed by Twitch (${code}${reason.length > 0 ? ` ${reason.toString()}` : ""})`),
    );
    return line;
  };

  const gone = (line: Line, reason: string): void => {
    left.delete(line);
    if (over) return;
    if (line === current) return end("closed", reason);
    if (line !== next?.line) return;
    const { url: address } = next;
    next = null;
    again = setTimeout(() => handOver(address), HANDOVER_AGAIN_MS);
  };

  const handOver = (address: string): void => {
    again = null;
    if (over || next !== null) return;
    if (!isTwitchToo(url, address)) return events.malformed(`told to reconnect to ${address.slice(0, 100)}`);
    next = { line: open(address), url: address };
  };

  const leave = (line: Line | null): void => {
    if (line === null) return;
    left.add(line);
    // A closing handshake, so that what is on its way is read; ended by force if Twitch does not answer it.
    setTimeout(() => line.socket.close(1000), LINGER_MS).unref();
    setTimeout(() => line.socket.terminate(), 2 * WELCOME_WITHIN_MS).unref();
  };

  const onFrame = (line: Line, text: string): void => {
    if (over || (line !== current && line !== next?.line && !left.has(line))) return;
    line.heardAt = performance.now();
    const frame = readFrame(text);
    if (line === current) events.heard();
    if (left.has(line) && (frame.kind === "welcome" || frame.kind === "reconnect")) return;
    switch (frame.kind) {
      case "welcome":
        line.keepaliveMs = frame.keepaliveMs;
        if (line === current) return events.welcome(frame.sessionId, false);
        leave(current);
        current = line;
        next = null;
        return events.welcome(frame.sessionId, true);
      case "keepalive":
        return;
      case "reconnect":
        return handOver(frame.url);
      case "notification":
        return events.notification(frame);
      case "revocation":
        return events.revoked(frame.subscription);
      case "unknown":
        return events.malformed(`a frame of type ${frame.type}`);
      case "malformed":
        return events.malformed(frame.detail);
    }
  };

  let looked = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // We have stood still ourselves: what came meanwhile is read before anybody is called silent.
    const wasStill = now - looked > 2 * LOOK_EVERY_MS;
    looked = now;
    if (wasStill) return;
    for (const line of [current, next?.line]) {
      if (line === null || line === undefined) continue;
      const late =
        line.keepaliveMs === null
          ? now - line.openedAt > WELCOME_WITHIN_MS
          : now - line.heardAt > line.keepaliveMs + LATE_MS;
      if (!late) continue;
      if (line === current) end("silent", "Twitch has been silent for longer than it promised");
      else line.socket.terminate();
    }
  }, LOOK_EVERY_MS);
  current = open(url);

  return {
    close() {
      over = true;
      clearInterval(timer);
      if (again !== null) clearTimeout(again);
      for (const line of [current, next?.line, ...left]) line?.socket.terminate();
    },
  };
}

/** A reconnect address is Twitch's: the same host, or one of the same domain over TLS. */
export function isTwitchToo(configured: string, told: string): boolean {
  if (!URL.canParse(told)) return false;
  const [ours, theirs] = [new URL(configured), new URL(told)];
  if (theirs.host === ours.host && theirs.protocol === ours.protocol) return true;
  return (
    theirs.protocol === "wss:" &&
    ours.hostname.endsWith(".twitch.tv") &&
    theirs.hostname.endsWith(".twitch.tv")
  );
}
