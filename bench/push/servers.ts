import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { loadUws } from "@hypecast/gateway/uws.ts";
import { createAccess } from "@hypecast/gateway/access.ts";
import { Hub } from "@hypecast/gateway/push/hub.ts";
import { serveSockets } from "@hypecast/gateway/push/sockets.ts";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer, type WebSocket } from "ws";

/**
 * One server under test, `node bench/push/servers.ts <kind> <port>`. What comes in on /pub, one JSON value a message, goes to
 * every subscriber: ours through the gateway's own hub and sockets, the others with one frame an event.
 */
const [, , kind, portText] = process.argv;
const port = Number(portText);
const HOST = "127.0.0.1";
/** As much as the slowest of them may ever have waiting: nothing is dropped by the others either. */
const UNBOUNDED = 64 << 20;

const servers: Record<string, () => void> = {
  ours() {
    const { uws } = loadUws();
    const app = uws.App();
    const hub = new Hub({
      wire: { publish: (group, frame) => void app.publish(group, frame) },
      epoch: randomUUID(),
      build: "bench",
    });
    serveSockets(
      app,
      uws,
      hub,
      createAccess({ HYPECAST_HOST: HOST, HYPECAST_TOKEN: "", HYPECAST_ORIGINS: "" }),
    );
    app.ws("/pub", {
      message: (_socket, data) => hub.publish("events:bench", Buffer.from(data).toString(), Date.now()),
    });
    app.listen(HOST, port, (ok) => void (ok || process.exit(1)));
  },
  uws() {
    const { uws } = loadUws();
    const app = uws.App();
    const limits = { compression: uws.DISABLED, maxBackpressure: UNBOUNDED, idleTimeout: 120 };
    app
      .ws("/ws", { ...limits, open: (socket) => void socket.subscribe("chat") })
      .ws("/pub", { ...limits, message: (_socket, data) => void app.publish("chat", data, false) })
      .listen(HOST, port, (ok) => void (ok || process.exit(1)));
  },
  ws() {
    const server = new WebSocketServer({ host: HOST, port, perMessageDeflate: false, backlog: 4096 });
    const subscribers = new Set<WebSocket>();
    server.on("connection", (socket, request) => {
      socket.on("error", () => undefined);
      if (request.url === "/ws") {
        subscribers.add(socket);
        socket.on("close", () => subscribers.delete(socket));
      } else
        socket.on("message", (data: Buffer) => {
          for (const subscriber of subscribers) subscriber.send(data, { binary: false });
        });
    });
  },
  "socket.io"() {
    const http = createServer();
    const io = new SocketIo(http, {
      transports: ["websocket"],
      perMessageDeflate: false,
      serveClient: false,
    });
    const publisher = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      if (request.url !== "/pub") return;
      publisher.handleUpgrade(request, socket, head, (ws) =>
        ws.on("message", (data: Buffer) => io.emit("e", data.toString())),
      );
    });
    http.listen(port, HOST, 4096);
  },
};
const serve = servers[kind ?? ""];
if (serve === undefined || !Number.isInteger(port))
  throw new Error(`servers.ts <${Object.keys(servers).join("|")}> <port>`);
serve();
