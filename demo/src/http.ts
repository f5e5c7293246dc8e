import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Faults } from "./faults.ts";
import type { Irc } from "./irc.ts";
import { listen, type Listening } from "./irc-sockets.ts";

export async function serveHttp(demo: { irc: Irc; faults: Faults; port: number }): Promise<Listening> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  await listen(server, demo.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
