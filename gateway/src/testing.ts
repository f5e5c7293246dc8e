import { spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { exited, freePort, temporaryFolder } from "@hypecast/tests/servers.ts";
import { WebSocket } from "ws";

/** The gateway as it runs: its own process on a free port, with a data folder of its own. */
export interface Gateway {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Everything that it has written. */
  readonly printed: () => string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** kill -9 and start again on the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** `env`: settings, or what makes them of the port. */
export async function startGateway(
  env: Record<string, string> | ((port: number) => Record<string, string>),
): Promise<Gateway> {
  const port = await freePort();
  const data = temporaryFolder("gateway");
  let printed = "";
  const launch = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: {
        ...process.env,
        HYPECAST_PORT: String(port),
        HYPECAST_DATA: data,
        HYPECAST_REDIS_URL: "redis://127.0.0.1:1",
        ...(typeof env === "function" ? env(port) : env),
      },
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}:\n${printed}`)));
    });
    return child;
  };
  let child = await launch();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    get child() {
      return child;
    },
    printed: () => printed,
    get: (path, headers = {}) => fetch(url + path, { headers, redirect: "manual" }),
    async restart() {
      child.kill("SIGKILL");
      await exited(child);
      child = await launch();
    },
    async close() {
      child.kill("SIGKILL");
      await exited(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A page's websocket: everything that came, in order, and how it ended. */
export interface Page {
  readonly socket: WebSocket;
  readonly messages: Record<string, unknown>[];
  say(message: unknown): void;
  /** The first message, past or to come, that fits. */
  until(
    fits: (message: Record<string, unknown>) => boolean,
    withinMs?: number,
  ): Promise<Record<string, unknown>>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

export async function openPage(port: number, headers: Record<string, string> = {}): Promise<Page> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
  const messages: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer) => {
    messages.push(...(JSON.parse(data.toString()) as Record<string, unknown>[]));
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, response) =>
      reject(new Error(`HTTP ${response.statusCode}`)),
    );
  });
  socket.on("error", () => undefined);
  return {
    socket,
    messages,
    closed,
    say: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    until: (fits, withinMs = 5000) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(
              `nothing fitting came; what came: ${JSON.stringify(messages.slice(-5)).slice(0, 1500)}`,
            ),
          );
        }, withinMs);
        const look = (): void => {
          const found = messages.find(fits);
          if (found === undefined) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}
