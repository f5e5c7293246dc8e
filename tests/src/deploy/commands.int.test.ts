import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import {
  exited,
  freePort,
  listening,
  startClickHouse,
  startNats,
  STORE_PASSWORD,
  temporaryFolder,
  type Server,
} from "../servers.ts";

const root = join(import.meta.dirname, "../../..");

interface Service {
  command: string[];
  healthcheck: { test: string[] };
}
const { services } = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true }) as {
  services: Record<string, Service>;
};
const OURS = [
  "analytics",
  "sources",
  "processors",
  "media",
  "clips",
  "imports",
  "oracle",
  "moderation",
  "gateway",
];

let nats: Server;
let clickhouse: Server;
let env: Record<string, string>;
let folder: string;
const running: ChildProcess[] = [];

/** The containers' own command lines as plain processes, against real servers on the addresses that compose would give. */
beforeAll(async () => {
  folder = temporaryFolder("commands");
  [nats, clickhouse] = await Promise.all([startNats(), startClickHouse()]);
  const redisPort = await freePort();
  // The image's entry point is the first word; only the port and the folder are this machine's.
  const [, ...redis] = services["redis"]?.command ?? [];
  running.push(
    spawn(join(root, ".tools/bin/redis-server"), [...redis, "--port", String(redisPort), "--dir", folder], {
      stdio: "ignore",
    }),
  );
  await listening(redisPort);
  env = {
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    HYPECAST_CLICKHOUSE_URL: clickhouse.url,
    HYPECAST_CLICKHOUSE_PASSWORD: STORE_PASSWORD,
    HYPECAST_HOST: "0.0.0.0",
    HYPECAST_PORT: String(await freePort()),
    HYPECAST_TOKEN: "a shared token of the command test",
    HYPECAST_DATA: folder,
    HYPECAST_LOG_LEVEL: "error",
  };
  for (const name of OURS) {
    const child = spawn(process.execPath, services[name]?.command ?? [], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...env },
    });
    running.push(child);
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
    });
  }
});
afterAll(async () => {
  for (const child of running.toReversed()) {
    child.kill("SIGTERM");
    await exited(child);
  }
  await clickhouse?.close();
  await nats?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function check(words: string[]): Promise<{ code: number | null; said: string }> {
  const [program = "", ...args] = words.map((word) =>
    word.replace("127.0.0.1:4200", `127.0.0.1:${env["HYPECAST_PORT"]}`),
  );
  const child = spawn(program === "node" ? process.execPath : program, args, {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await exited(child);
  return { code: child.exitCode, said };
}

test.each(OURS)("%s starts by its container's command and its health check agrees", async (name) => {
  const words = services[name]?.healthcheck.test.slice(1) ?? [];
  expect(await check(words)).toEqual({ code: 0, said: "" });
});

test("a health check of a part that does not run says which", async () => {
  expect(await check(["node", "runtime/src/healthcheck.ts", "sink", "no-such-part"])).toEqual({
    code: 1,
    said: "no healthy report within 3 s from: no-such-part\n",
  });
});
