import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { portOwner } from "./ports.ts";
import { readConfig } from "@hypecast/runtime/config.ts";

/** `./hypecast doctor`: each part with its version, place and health. Exit code 1 when something that is needed does not work. */
const root = join(import.meta.dirname, "../..");
let broken = false;

const say = (health: "ok" | "warn" | "bad", part: string, version: string, place: string): void => {
  if (health === "bad") broken = true;
  console.log(
    `${{ ok: "ok  ", warn: "note", bad: "BAD " }[health]}  ${part.padEnd(20)} ${version.padEnd(26)} ${place}`,
  );
};

/** The first line that a program prints about itself; "bad" when it cannot be run. */
function program(part: string, path: string, args: string[], health: "bad" | "warn" = "bad"): void {
  try {
    const first =
      execFileSync(path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).split("\n")[0] ?? "";
    say("ok", part, /\d+(?:\.\d+)+[\w-]*/.exec(first)?.[0] ?? first.slice(0, 26), path);
  } catch (error) {
    say(
      health,
      part,
      "does not run",
      `${path}: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`,
    );
  }
}

/** Loads a native package as the workspace that uses it would, and says its version. */
function native(name: string, workspace: string, check: (loaded: never) => void): void {
  const require = createRequire(join(root, workspace, "package.json"));
  try {
    check(require(name) as never);
    const folder = join(root, "node_modules", name, "package.json");
    const { version } = JSON.parse(readFileSync(folder, "utf8")) as { version: string };
    say("ok", name, version, join("node_modules", name));
  } catch (error) {
    say(
      "bad",
      name,
      "does not load",
      error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error),
    );
  }
}

/** Who decodes video for measuring: asked in a process of its own, since a GStreamer that does not load may end it. */
function decoders(): void {
  const wanted = readConfig(process.env).HYPECAST_FRAMES;
  const ask = (program: string, args: string[]): string | null => {
    try {
      return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch {
      return null;
    }
  };
  const check = join(root, "streamproc/src/media/appsink-check.ts");
  const gstreamer = ask(process.execPath, ["--disable-warning=ExperimentalWarning", check])?.trim() ?? null;
  const ffmpeg = /version (\S+)/.exec(ask("ffmpeg", ["-version"]) ?? "")?.[1] ?? null;
  const used = wanted !== "ffmpeg" && gstreamer !== null ? "gstreamer" : "ffmpeg";
  const note = (name: string): string => (name === used ? "decodes video" : "in reserve");
  if (gstreamer === null)
    say(
      wanted === "gstreamer" ? "bad" : "warn",
      "gstreamer",
      "binding does not load",
      ".tools/native, see .tools/native.log: ffmpeg decodes video",
    );
  else say("ok", "gstreamer", gstreamer, `.tools/native/appsink.node, ${note("gstreamer")}`);
  // Clips are cut with it in any case.
  if (ffmpeg === null) say("bad", "ffmpeg", "does not run", "cuts clips");
  else say("ok", "ffmpeg", ffmpeg, `cuts clips, ${note("ffmpeg")}`);
}

program("node", join(root, ".tools/bin/node"), ["--version"]);
program("npm", join(root, ".tools/bin/npm"), ["--version"]);
program("nats-server", join(root, ".tools/bin/nats-server"), ["--version"]);
program("redis-server", join(root, ".tools/bin/redis-server"), ["--version"]);
native("@uwsjs/core", "gateway", ({ App }: { App: unknown }) => void App);
native("chdb", "clickhouse", ({ query }: { query: (sql: string, format: string) => unknown }) =>
  query("SELECT 1", "CSV"),
);
native(
  "onnxruntime-node",
  "streamproc",
  ({ InferenceSession }: { InferenceSession: unknown }) => void InferenceSession,
);
decoders();
say(existsSync(join(root, "web/build/200.html")) ? "ok" : "bad", "web app", "", "web/build");
program("chromium (tests)", "/usr/bin/chromium", ["--version"], "warn");
program("nginx (tests)", "/usr/sbin/nginx", ["-h"], "warn");

const config = readConfig(process.env);
for (const [part, address] of [
  ["web and API", `http://127.0.0.1:${config.HYPECAST_PORT}`],
  ["NATS", config.HYPECAST_NATS_URL],
  ["Redis", config.HYPECAST_REDIS_URL],
  ["ClickHouse", config.HYPECAST_CLICKHOUSE_URL],
] as const) {
  const port = Number(new URL(address.split(",")[0] ?? "").port);
  const owner = Number.isInteger(port) && port > 0 ? portOwner(port) : null;
  say(
    "ok",
    part,
    owner === null ? "not running" : "running",
    owner === null ? address : `${address}, ${owner}`,
  );
}
try {
  const answer = await fetch(`http://127.0.0.1:${config.HYPECAST_PORT}/health/ready`, {
    signal: AbortSignal.timeout(2000),
  });
  say(answer.ok ? "ok" : "bad", "health", `HTTP ${answer.status}`, (await answer.text()).slice(0, 200));
} catch {
  say("ok", "health", "not running", "start it: ./hypecast demo");
}
process.exit(broken ? 1 : 0);
