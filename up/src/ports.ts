import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";

/** Resolves to true when nobody listens there. Binding is the only sure test; the socket is closed again at once. */
export async function portIsFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Who listens on a TCP port: `pid 812 (nginx: master process)`, or null where this cannot be seen (another user's process, no /proc). */
export function portOwner(port: number): string | null {
  const inode = listeningInode(port);
  if (inode === null) return null;
  for (const pid of folder("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of folder(`/proc/${pid}/fd`)) {
      if (link(`/proc/${pid}/fd/${descriptor}`) !== `socket:[${inode}]`) continue;
      const command = text(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
      return `pid ${pid} (${command.slice(0, 80)})`;
    }
  }
  return null;
}

/** proc(5): columns of /proc/net/tcp are local address, remote address, state (0A = listen), …, inode. */
function listeningInode(port: number): string | null {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const row of text(table).split("\n").slice(1)) {
      const columns = row.trim().split(/\s+/);
      if (columns[1]?.endsWith(wanted) && columns[3] === "0A") return columns[9] ?? null;
    }
  }
  return null;
}

// /proc changes while it is read: what has gone is no error.
const attempt = <Value>(read: () => Value, otherwise: Value): Value => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};
const folder = (path: string): string[] => attempt(() => readdirSync(path), []);
const link = (path: string): string => attempt(() => readlinkSync(path), "");
const text = (path: string): string => attempt(() => readFileSync(path, "utf8"), "");
