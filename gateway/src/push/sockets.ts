import type { TemplatedApp } from "@uwsjs/core";
import type { Uws } from "../uws.ts";
import { clientOf, type Access, type Claim, type Who } from "../access.ts";
import * as measured from "../metrics.ts";
import { BEAT_MS, BEHIND_BYTES, type Hub, type Member, type Socket } from "./hub.ts";

/** Longer messages end the connection before they are read whole; up to here they are told what was wrong. */
const MOST_MESSAGE_BYTES = 64 * 1024;
/** Without a frame from the client, not even a pong, the connection is given up. uWS pings by itself. */
const IDLE_S = 32;

const MOST_SOCKETS = 20_000;

interface Carried {
  readonly who: Who;
  member: Member | null;
}
/** Sessions end without anybody saying so, and roles from Twitch lapse: so often all sockets are looked over. */
const RECHECK_MS = 30_000;

/** Puts the hub on /ws and ticks it. */
export function serveSockets(app: TemplatedApp, uws: Uws, hub: Hub, access: Access): { close(): void } {
  app.ws<Carried>("/ws", {
    compression: uws.DISABLED,
    maxPayloadLength: MOST_MESSAGE_BYTES,
    maxBackpressure: BEHIND_BYTES,
    idleTimeout: IDLE_S,
    sendPingsAutomatically: true,
    upgrade(res, req, context) {
      const claim: Claim = {
        host: req.getHeader("host"),
        origin: req.getHeader("origin"),
        authorization: req.getHeader("authorization"),
        cookie: req.getHeader("cookie"),
        client: clientOf(
          Buffer.from(res.getRemoteAddressAsText()).toString(),
          req.getHeader("x-forwarded-for"),
        ),
        site: req.getHeader("sec-fetch-site"),
      };
      const who = admit(access, claim, hub.sockets);
      if (typeof who === "string") {
        res.writeStatus(who).endWithoutBody(0, true);
        return;
      }
      res.upgrade<Carried>(
        { who, member: null },
        req.getHeader("sec-websocket-key"),
        req.getHeader("sec-websocket-protocol"),
        req.getHeader("sec-websocket-extensions"),
        context,
      );
    },
    open(ws) {
      const socket: Socket = {
        send: (frame) => void ws.send(frame),
        bufferedBytes: () => ws.getBufferedAmount(),
        join: (group) => void ws.subscribe(group),
        leave: (group) => void ws.unsubscribe(group),
        end: (code, reason) => ws.end(code, reason),
        cut: () => ws.close(),
      };
      const carried = ws.getUserData();
      carried.member = hub.open(socket, Date.now(), carried.who);
    },
    message(ws, data) {
      const { member } = ws.getUserData();
      if (member !== null) hub.receive(member, data, Date.now());
    },
    dropped(ws) {
      const { member } = ws.getUserData();
      if (member !== null) hub.dropped(member);
    },
    close(ws) {
      const { member } = ws.getUserData();
      if (member !== null) hub.close(member);
    },
  });

  let timer: NodeJS.Timeout | undefined;
  let timerMs = Number.POSITIVE_INFINITY;
  const wake = (atMs: number): void => {
    if (atMs >= timerMs) return;
    clearTimeout(timer);
    timerMs = atMs;
    timer = setTimeout(tick, Math.max(0, atMs - Date.now()));
  };
  const tick = (): void => {
    timerMs = Number.POSITIVE_INFINITY;
    const began = performance.now();
    const next = hub.tick(Date.now());
    measured.push.tick.observe((performance.now() - began) / 1000);
    if (next !== null) wake(next);
  };
  const beat = setInterval(() => hub.beat(Date.now()), BEAT_MS);
  const looking = setInterval(() => hub.recheck(null, (who) => access.again(who), Date.now()), RECHECK_MS);
  hub.onWake(wake);
  return {
    close() {
      clearTimeout(timer);
      clearInterval(beat);
      clearInterval(looking);
      hub.closeAll("restarting", "the gateway stops");
    },
  };
}

/** Who it is, or the HTTP status that says why not. */
function admit(access: Access, claim: Claim, sockets: number): Who | string {
  const who = access.who(claim);
  if (who === "unauthorized") return "401 Unauthorized";
  if (who === "too_many_requests") return "429 Too Many Requests";
  // Any page on the web may open a websocket to here: the browser says which.
  if (who === "wrong_host" || !access.originAllowed(claim)) return "403 Forbidden";
  return sockets >= MOST_SOCKETS ? "503 Service Unavailable" : who;
}
