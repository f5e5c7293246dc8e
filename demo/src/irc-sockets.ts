import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { WebSocketServer } from "ws";
import type { Irc } from "./irc.ts";

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Resolves when it listens on loopback; throws with the port's number when that is taken. */
export async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`port ${port} is taken: choose another with --http, --irc-ws or --irc-tcp`)
          : error,
      ),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** IRC over websocket, one or more lines a frame; the subprotocol `irc` is echoed when it is asked for. */
export async function ircOverWebsocket(irc: Irc, port: number): Promise<Listening> {
  const http = createHttpServer((_request, response) => response.writeHead(426).end("websocket only\n"));
  await listen(http, port);
  // Only now: a WebSocketServer would take the port's error for its own.
  const sockets = new WebSocketServer({
    server: http,
    maxPayload: 64 * 1024,
    handleProtocols: (asked) => (asked.has("irc") ? "irc" : false),
  });
  sockets.on("connection", (socket, request) => {
    const session = irc.accept({
      send: (text) => socket.send(text, { binary: false }),
      close: (hard) => (hard ? socket.terminate() : socket.close(1000)),
      pending: () => socket.bufferedAmount,
      anyBytes: false,
      address: request.socket.remoteAddress ?? "",
    });
    // A frame is whole lines even where its last CRLF is missing.
    socket.on("message", (data) => session.receive(`${(data as Buffer).toString("utf8")}\r\n`));
    socket.on("close", () => session.ended());
    socket.on("error", () => session.ended());
  });
  return {
    port: portOf(http),
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** Plain IRC over TCP: lines cut anywhere by the network. */
export async function ircOverTcp(irc: Irc, port: number): Promise<Listening> {
  const open = new Set<{ destroy(): void }>();
  const server = createTcpServer((socket) => {
    open.add(socket);
    const decoder = new StringDecoder("utf8");
    const session = irc.accept({
      send: (text) => void socket.write(text),
      close: (hard) => (hard ? socket.resetAndDestroy() : socket.end()),
      pending: () => socket.writableLength,
      anyBytes: true,
      address: socket.remoteAddress ?? "",
    });
    socket.on("data", (chunk) => session.receive(decoder.write(chunk)));
    socket.on("close", () => {
      open.delete(socket);
      session.ended();
    });
    socket.on("error", () => session.ended());
  });
  await listen(server, port);
  return {
    port: portOf(server),
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
