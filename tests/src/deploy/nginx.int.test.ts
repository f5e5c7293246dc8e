import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { exited, freePort, listening, startNats, temporaryFolder, type Server } from "../servers.ts";

const root = join(import.meta.dirname, "../../..");
const NGINX = "/usr/sbin/nginx";
const TOKEN = "a shared token of the nginx test";

let nats: Server;
let gateway: ChildProcess;
let nginx: ChildProcess;
let folder: string;
let https: number;
let http: number;

/** deploy/nginx/hypecast.conf as it stands; only addresses, ports and the certificate's place are this machine's. */
beforeAll(async () => {
  if (!existsSync(NGINX)) return;
  folder = temporaryFolder("nginx");
  nats = await startNats();
  const upstream = await freePort();
  gateway = spawn(process.execPath, [join(root, "gateway/src/main.ts")], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      HYPECAST_NATS_URL: nats.url,
      HYPECAST_PORT: String(upstream),
      HYPECAST_HOST: "0.0.0.0",
      HYPECAST_TOKEN: TOKEN,
      HYPECAST_DATA: folder,
      HYPECAST_REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      HYPECAST_LOG_LEVEL: "error",
    },
  });
  await listening(upstream);
  [http, https] = [await freePort(), await freePort()];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=localhost",
      "-keyout",
      "tls.key",
      "-out",
      "tls.crt",
    ],
    { cwd: folder, stdio: "ignore" },
  );
  mkdirSync(join(folder, "logs"));
  const conf = readFileSync(join(root, "deploy/nginx/hypecast.conf"), "utf8")
    .replace("server gateway:4200;", `server 127.0.0.1:${upstream};`)
    .replace("listen 8080;", `listen 127.0.0.1:${http};`)
    .replace("listen 8443 ssl;", `listen 127.0.0.1:${https} ssl;`)
    .replaceAll("/etc/nginx/tls/", `${folder}/`);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/logs/error.log; events {} http { access_log off; ${temp.join(" ")}\n${conf}\n}`,
  );
  nginx = spawn(NGINX, ["-c", join(folder, "nginx.conf"), "-e", join(folder, "logs/error.log")], {
    stdio: "ignore",
  });
  await listening(https);
});
afterAll(async () => {
  nginx?.kill("SIGTERM");
  gateway?.kill("SIGKILL");
  if (nginx !== undefined) await exited(nginx);
  await nats?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}
async function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port: https,
        path,
        method: options.method ?? "GET",
        rejectUnauthorized: false,
        headers: { host: `localhost:${https}`, authorization: `Bearer ${TOKEN}`, ...options.headers },
      },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => (body += chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      },
    );
    sent.once("error", reject);
    sent.end(options.body);
  });
}

const withNginx = test.skipIf(!existsSync(NGINX));

withNginx("plain http is sent to https", async () => {
  const answer = await fetch(`http://127.0.0.1:${http}/live/x`, { redirect: "manual" });
  expect(answer.status).toBe(308);
  expect(answer.headers.get("location")).toMatch(/^https:\/\/.*\/live\/x$/);
});

withNginx("the page and the API come through TLS, with a login", async () => {
  expect((await ask("/")).status).toBe(200);
  const channels = await ask("/api/v1/channels");
  expect(channels.status).toBe(200);
  expect(JSON.parse(channels.body)).toEqual({ channels: [] });
  expect((await ask("/api/v1/channels", { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
});

withNginx("a part of a file can be asked for", async () => {
  const part = await ask("/favicon.svg", { headers: { range: "bytes=0-9" } });
  expect(part.status).toBe(206);
  expect(part.body).toHaveLength(10);
});

withNginx("the websocket says hello through the proxy, and a foreign page may not open it", async () => {
  const open = async (origin: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`wss://127.0.0.1:${https}/ws`, {
        rejectUnauthorized: false,
        origin,
        headers: { host: `localhost:${https}`, authorization: `Bearer ${TOKEN}` },
      });
      socket.once("message", (data: Buffer) => {
        resolve(data.toString());
        socket.close();
      });
      socket.once("error", (error) => resolve(error.message));
    });
  expect(await open(`https://localhost:${https}`)).toContain('"op":"hello"');
  expect(await open("https://evil.example")).toContain("403");
});

withNginx("metrics stay inside, big bodies and floods are refused", async () => {
  expect((await ask("/metrics")).status).toBe(404);
  const big = await ask("/api/v1/channels", {
    method: "POST",
    body: "x".repeat(1_200_000),
    headers: { "content-type": "application/json" },
  });
  expect(big.status).toBe(413);
  const statuses = await Promise.all(
    Array.from({ length: 90 }, async () => (await ask("/api/v1/channels")).status),
  );
  expect(statuses).toContain(429);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(40);
});
