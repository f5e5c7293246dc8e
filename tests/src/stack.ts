import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exited, freePorts, temporaryFolder } from "./servers.ts";

const root = join(import.meta.dirname, "../..");

/** The whole product as a person starts it: `up/src/main.ts demo` on free ports and a data folder of its own. */
export interface Stack {
  readonly url: string;
  readonly natsUrl: string;
  readonly clickhouseUrl: string;
  readonly data: string;
  readonly supervisor: ChildProcess;
  /** Everything that it has printed so far. */
  readonly printed: () => string;
  /** Process ids of the children by what they run, as the kernel sees them. */
  readonly children: () => Map<string, number>;
  close(): Promise<void>;
}

export async function startStack(args: readonly string[] = []): Promise<Stack> {
  const data = temporaryFolder("stack");
  const ports = await freePorts(7);
  const supervisor = spawn(
    process.execPath,
    [join(root, "up/src/main.ts"), "demo", "--ports", String(ports), "--data", data, ...args],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, HYPECAST_DATA: data } },
  );
  let printed = "";
  for (const stream of [supervisor.stdout, supervisor.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const until = Date.now() + 150_000;
  while (!printed.includes("open http://")) {
    if (supervisor.exitCode !== null || Date.now() > until) {
      supervisor.kill("SIGTERM");
      throw new Error(`the stack did not start:\n${printed}\n${logTails(data)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url: `http://127.0.0.1:${ports}`,
    natsUrl: `nats://127.0.0.1:${ports + 1}`,
    clickhouseUrl: `http://127.0.0.1:${ports + 3}`,
    data,
    supervisor,
    printed: () => printed,
    children: () => childrenOf(supervisor.pid ?? 0),
    async close() {
      supervisor.kill("SIGTERM");
      await exited(supervisor);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function childrenOf(parent: number): Map<string, number> {
  const children = new Map<string, number>();
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const parentOf = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      if (Number(parentOf) !== parent) continue;
      // Redis writes its address behind its name, with a space.
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split(/[\0 ]/);
      const script = words.find((word) => word.endsWith("main.ts"));
      const only = words[words.indexOf("--only") + 1];
      const name =
        script === undefined
          ? (words[0] ?? "")
          : script.replace(`${root}/`, "").replace(/(?:\/src)?\/main\.ts$/, "");
      children.set(name === "streamproc" ? (only ?? name) : (name.split("/").pop() ?? name), Number(pid));
    } catch {
      // gone while we looked
    }
  }
  return children;
}

function logTails(data: string): string {
  try {
    return readdirSync(join(data, "logs"))
      .map(
        (file) =>
          `--- ${file}\n${readFileSync(join(data, "logs", file), "utf8")
            .split("\n")
            .slice(-8)
            .join("\n")}`,
      )
      .join("\n");
  } catch {
    return "(no logs)";
  }
}
