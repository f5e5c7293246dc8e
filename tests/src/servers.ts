import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { portIsFree } from "../../up/src/ports.ts";

/** Real servers for tests: each on a free loopback port with a folder of its own, gone when closed. */
export interface Server {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  readonly child: () => ChildProcess;
  /** kill -9 and start again on the same port and folder. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, "../..");
const tool = (name: string): string => join(root, ".tools/bin", name);

/**
 * Below the ports that systems give to outgoing connections: one of those would take a port between here and the start of its server. Each
 * process begins elsewhere, since test files run beside each other, and none gives the same port twice.
 */
const PORTS = { from: 12_000, to: 32_000 };
let nextPort = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));

/** The first of `count` ports in a row that nobody has. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    if (nextPort + count > PORTS.to) nextPort = PORTS.from;
    const first = nextPort;
    nextPort += count;
    const free = await Promise.all(Array.from({ length: count }, (_, i) => portIsFree(first + i)));
    if (free.every(Boolean)) return first;
  }
}
export const freePort = (): Promise<number> => freePorts(1);

export const temporaryFolder = (name: string): string => mkdtempSync(join(tmpdir(), `hypecast-${name}-`));

/** Resolves when something accepts connections on the port; throws after `withinMs`: a busy machine starts servers slowly. */
export async function listening(port: number, withinMs = 60_000): Promise<void> {
  const until = Date.now() + withinMs;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("connect", () => resolve(socket.destroy() !== undefined));
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    if (Date.now() > until) throw new Error(`nothing listens on port ${port} after ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

async function start(
  name: string,
  scheme: string,
  command: (port: number, folder: string) => [string, string[], NodeJS.ProcessEnv?],
): Promise<Server> {
  const folder = temporaryFolder(name);
  const port = await freePort();
  const launch = async (): Promise<ChildProcess> => {
    const [program, args, env] = command(port, folder);
    const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
    await Promise.race([
      listening(port),
      new Promise((_resolve, reject) =>
        child.once("exit", (code) => reject(new Error(`${name} ended with ${code} at its start`))),
      ),
    ]);
    return child;
  };
  let child = await launch();
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    folder,
    child: () => child,
    async crash() {
      child.kill("SIGKILL");
      await exited(child);
      child = await launch();
    },
    async close() {
      child.kill("SIGKILL");
      await exited(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const startNats = (): Promise<Server> =>
  start("nats", "nats", (port, folder) => [
    tool("nats-server"),
    ["-c", join(root, "nats/server.conf")],
    { HYPECAST_NATS_LISTEN: `127.0.0.1:${port}`, HYPECAST_NATS_STORE: folder },
  ]);

/** Three nats-servers that know each other: streams with three copies outlive any one of them. */
export async function startNatsCluster(): Promise<Server[]> {
  const routes = await Promise.all([freePort(), freePort(), freePort()]);
  const known = routes.map((port) => `nats-route://127.0.0.1:${port}`).join();
  return Promise.all(
    routes.map((route, i) =>
      start(`nats-${i + 1}`, "nats", (port, folder) => [
        tool("nats-server"),
        [
          ...["-c", join(root, "nats/server.conf"), "--name", `n${i + 1}`, "--cluster_name", "tests"],
          ...["--cluster", `nats://127.0.0.1:${route}`, "--routes", known],
        ],
        { HYPECAST_NATS_LISTEN: `127.0.0.1:${port}`, HYPECAST_NATS_STORE: folder },
      ]),
    ),
  );
}

export const startRedis = (): Promise<Server> =>
  start("redis", "redis", (port, folder) => [
    tool("redis-server"),
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"],
  ]);

/** The embedded engine; `password` lets its user `default` write. */
export const STORE_PASSWORD = "for tests";
export const startClickHouse = (env: NodeJS.ProcessEnv = {}): Promise<Server> =>
  start("clickhouse", "http", (port, folder) => [
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(root, "clickhouse/src/main.ts")],
    {
      HYPECAST_DATA: folder,
      HYPECAST_CLICKHOUSE_URL: `http://127.0.0.1:${port}`,
      HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
      UV_THREADPOOL_SIZE: "16",
      ...env,
    },
  ]);
