import { noFaults, type Faults } from "./faults.ts";
import { Irc, type IrcOptions } from "./irc.ts";
import { ircOverTcp, ircOverWebsocket } from "./irc-sockets.ts";
import { serveHttp } from "./http.ts";

export interface DemoOptions extends Omit<IrcOptions, "faults"> {
  /** Ports on loopback; 0 chooses a free one. */
  readonly http: number;
  readonly ircWs: number;
  readonly ircTcp: number;
  /** 7TV says 25 s by default. */
  readonly sevenTvHeartbeatMs?: number;
}

export interface Demo {
  readonly ports: { readonly http: number; readonly ircWs: number; readonly ircTcp: number };
  readonly irc: Irc;
  readonly faults: Faults;
  close(): Promise<void>;
}

/** Our stand-in for Twitch, all of it in this process. Rejects when a port is taken. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const faults = noFaults();
  const irc = new Irc({ ...options, faults });
  const servers = [
    await serveHttp({
      irc,
      faults,
      port: options.http,
      now: options.now ?? Date.now,
      sevenTvHeartbeatMs: options.sevenTvHeartbeatMs ?? 25_000,
    }),
    await ircOverWebsocket(irc, options.ircWs),
    await ircOverTcp(irc, options.ircTcp),
  ] as const;
  const [http, ircWs, ircTcp] = servers;
  return {
    ports: { http: http.port, ircWs: ircWs.port, ircTcp: ircTcp.port },
    irc,
    faults,
    close: async () => {
      irc.close();
      for (const server of servers.toReversed()) await server.close();
    },
  };
}
