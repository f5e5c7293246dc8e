import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { exited, freePort, listening } from "@hypecast/tests/servers.ts";
import { frame, openClients, stampNow } from "./push/clients.ts";
import { cpuSeconds } from "./push/measure.ts";

/**
 * Deliveries per CPU-second of the server, and how late they are, at 60 events/s of 300 bytes to 1,000 and 5,000 websockets:
 * the gateway's push against `ws`, socket.io and bare uWebSockets.js with one frame an event. The load client shares the
 * machine's cores with the server under test, so at 5,000 clients the peers' latencies are the machine's, not theirs.
 */
const EVENTS_A_SECOND = 60;
const EVENT_BYTES = 300;
const SECONDS = 5;
const SIZES = [1000, 5000] as const;
const KINDS = ["ours", "uws", "ws", "socket.io"] as const;
type Kind = (typeof KINDS)[number];
const GOALS = { ws: 10, uws: 5, p99Ms: 100 };
/** What has not arrived so long after the last event is counted as not arrived. */
const GRACE_MS = 3000;

interface Result {
  readonly deliveries: number;
  readonly missing: number;
  readonly serverCpuS: number;
  readonly perCpuS: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly eventsPerFrame: number;
  /** Server time for one frame to one socket, nearly all of it the kernel's. */
  readonly cpuUsPerFrame: number;
}

const PATHS: Record<Kind, [path: string, first: string[]]> = {
  ours: ["/ws", [JSON.stringify({ op: "sub", ch: "events:bench" })]],
  uws: ["/ws", []],
  ws: ["/ws", []],
  "socket.io": ["/socket.io/?EIO=4&transport=websocket", ["40"]],
};

async function measure(kind: Kind, count: number): Promise<Result> {
  const port = await freePort();
  const server = spawn(process.execPath, [join(import.meta.dirname, "push/servers.ts"), kind, String(port)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    await listening(port);
    const clients = await openClients(port, count, ...PATHS[kind]);
    const publisher = await openPublisher(port);
    await pause(1500);
    clients.reset();
    const pid = server.pid ?? 0;
    const cpuBefore = cpuSeconds(pid);
    const total = EVENTS_A_SECOND * SECONDS;
    const beganMs = performance.now();
    for (let i = 0; i < total; i++) {
      const dueMs = beganMs + (i * 1000) / EVENTS_A_SECOND;
      if (dueMs > performance.now()) await pause(dueMs - performance.now());
      const event = `{"at":"${stampNow()}","pad":"`;
      publisher.write(frame(`${event}${"x".repeat(EVENT_BYTES - event.length - 2)}"}`));
    }
    const until = performance.now() + GRACE_MS;
    while (clients.deliveries() < total * count && performance.now() < until) await pause(20);
    const serverCpuS = cpuSeconds(pid) - cpuBefore;
    const latencies = clients.latencies();
    // The others write one frame an event; ours writes one a tick, which the first client reads as one.
    const eventsPerFrame = kind === "ours" ? total / clients.framesOfOne() : 1;
    publisher.destroy();
    clients.close();
    return {
      deliveries: clients.deliveries(),
      missing: total * count - clients.deliveries(),
      serverCpuS: round(serverCpuS),
      perCpuS: Math.round(clients.deliveries() / serverCpuS),
      p50Ms: latencies.quantile(0.5),
      p99Ms: latencies.quantile(0.99),
      eventsPerFrame: round(eventsPerFrame),
      cpuUsPerFrame: round((serverCpuS * 1e6 * eventsPerFrame) / clients.deliveries()),
    };
  } finally {
    server.kill("SIGKILL");
    await exited(server);
  }
}

async function openPublisher(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  socket.write(
    `GET /pub HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  await new Promise((resolve) => socket.once("data", resolve));
  socket.resume();
  return socket;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const round = (x: number): number => Math.round(x * 100) / 100;

const figures: Record<string, Result> = {};
const ratios: Record<string, number> = {};
const meets: Record<string, boolean> = {};
for (const count of SIZES) {
  for (const kind of KINDS) {
    const result = await measure(kind, count);
    figures[`${kind}@${count}`] = result;
    console.log(JSON.stringify({ server: kind, clients: count, ...result }));
  }
  const ours = figures[`ours@${count}`];
  if (ours === undefined) throw new Error("ours was not measured");
  for (const kind of ["ws", "socket.io", "uws"] as const)
    ratios[`${kind}@${count}`] = round(ours.perCpuS / (figures[`${kind}@${count}`]?.perCpuS ?? 0));
  meets[`≥ ${GOALS.ws} × ws @${count}`] = (ratios[`ws@${count}`] ?? 0) >= GOALS.ws;
  meets[`≥ ${GOALS.uws} × bare uWS @${count}`] = (ratios[`uws@${count}`] ?? 0) >= GOALS.uws;
  meets[`p99 ≤ ${GOALS.p99Ms} ms @${count}`] = ours.missing === 0 && (ours.p99Ms ?? Infinity) <= GOALS.p99Ms;
}
console.log(JSON.stringify({ bench: "push", figures, ratios, meets }));
