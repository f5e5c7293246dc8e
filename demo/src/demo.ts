import { Moderators } from "./directory.ts";
import { noFaults } from "./faults.ts";
import { Irc, type IrcOptions } from "./irc.ts";
import { ircOverTcp, ircOverWebsocket, type Listening } from "./irc-sockets.ts";
import { serveHttp } from "./http.ts";
import { Rooms } from "./rooms.ts";
import type { Studio } from "./video/studio.ts";

export interface DemoOptions extends Omit<IrcOptions, "faults" | "rooms"> {
  /** Ports on loopback; 0 chooses a free one. */
  readonly http: number;
  readonly ircWs: number;
  readonly ircTcp: number;
  /** 7TV says 25 s by default. */
  readonly sevenTvHeartbeatMs?: number;
  /** EventSub keeps a session alive so often; absent: as the client asks, 10 s at least. */
  readonly keepaliveMs?: number;
  /** False: the script's moderators and AutoMod do nothing. */
  readonly acting?: boolean;
  /** What runs with it and is closed with it; absent: no channel has a picture. */
  readonly studio?: Studio;
}

export interface Demo {
  readonly ports: { readonly http: number; readonly ircWs: number; readonly ircTcp: number };
  readonly irc: Irc;
  close(): Promise<void>;
}

/** Our stand-in for Twitch, all of it in this process. Rejects when a port is taken. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const faults = noFaults();
  const now = options.now ?? Date.now;
  const moderators = new Moderators();
  const rooms = new Rooms({ now, moderators, acting: options.acting ?? true });
  const irc = new Irc({ ...options, faults, rooms });
  const servers: Listening[] = [];
  const closeAll = async (): Promise<void> => {
    irc.close();
    rooms.close();
    for (const server of servers.toReversed()) await server.close();
    await options.studio?.close();
  };
  const started = async <Server extends Listening>(starting: Promise<Server>): Promise<Server> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  try {
    const http = await started(
      serveHttp({
        irc,
        faults,
        port: options.http,
        now,
        rooms,
        moderators,
        keepaliveMs: options.keepaliveMs ?? null,
        sevenTvHeartbeatMs: options.sevenTvHeartbeatMs ?? 25_000,
        studio: options.studio ?? null,
      }),
    );
    const ircWs = await started(ircOverWebsocket(irc, options.ircWs));
    const ircTcp = await started(ircOverTcp(irc, options.ircTcp));
    return { ports: { http: http.port, ircWs: ircWs.port, ircTcp: ircTcp.port }, irc, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
