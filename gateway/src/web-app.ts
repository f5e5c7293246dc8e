import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { ProblemError } from "./problems.ts";
import type { Reply, Request } from "./http.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};
const FALLBACK = "/200.html";

interface File {
  readonly type: string;
  readonly etag: string;
  readonly cache: string;
  readonly plain: Buffer;
  readonly br: Buffer | null;
  readonly gzip: Buffer | null;
}

/**
 * The built web app, read once into memory (about 3 MB). A path without extension gets the one page; a missing file with an
 * extension is a 404, or a tab of yesterday's build would be given HTML where it asks for a script.
 */
export function loadWebApp(folder: string): { readonly build: string; serve(request: Request): Reply } {
  if (!existsSync(join(folder, FALLBACK)))
    throw new Error(
      `the web app is not built: ${folder}${FALLBACK} is missing; run ./hypecast, or npm run build -w web`,
    );
  const files = readAll(folder);
  const version = files.get("/_app/version.json");
  const build =
    version === undefined ? "unknown" : (JSON.parse(version.plain.toString()) as { version: string }).version;
  return {
    build,
    serve(request) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} ${request.path}`, {
          Allow: "GET, HEAD",
        });
      const file =
        files.get(request.path) ?? (extname(request.path) === "" ? files.get(FALLBACK) : undefined);
      if (file === undefined)
        throw new ProblemError("not_found", `there is no file ${request.path.slice(0, 200)}`);
      return reply(file, request);
    },
  };
}

function reply(file: File, request: Request): Reply {
  const headers: Record<string, string> = {
    "Content-Type": file.type,
    "Cache-Control": file.cache,
    ETag: file.etag,
  };
  if (file.br !== null || file.gzip !== null) headers["Vary"] = "Accept-Encoding";
  if (request.header("if-none-match") === file.etag) return { status: 304, headers };
  const accepted = request.header("accept-encoding");
  if (file.br !== null && accepts(accepted, "br"))
    return { status: 200, headers: { ...headers, "Content-Encoding": "br" }, body: file.br };
  if (file.gzip !== null && accepts(accepted, "gzip"))
    return { status: 200, headers: { ...headers, "Content-Encoding": "gzip" }, body: file.gzip };
  return { status: 200, headers, body: file.plain };
}

/** True when the coding is listed and not with weight 0. */
function accepts(header: string, coding: string): boolean {
  return header.split(",").some((part) => {
    const [name = "", ...parameters] = part.trim().toLowerCase().split(";");
    return name.trim() === coding && !parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/.test(parameter));
  });
}

function readAll(folder: string): Map<string, File> {
  const files = new Map<string, File>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(?:br|gz)$/.test(entry.name)) continue;
    const place = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, place).split(sep).join("/")}`;
    const plain = readFileSync(place);
    const packed = (ending: string): Buffer | null =>
      existsSync(place + ending) ? readFileSync(place + ending) : null;
    files.set(path, {
      type: TYPES[extname(path)] ?? "application/octet-stream",
      etag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
      cache: path.startsWith("/_app/immutable/") ? "public, max-age=31536000, immutable" : "no-cache",
      plain,
      br: packed(".br"),
      gzip: packed(".gz"),
    });
  }
  return files;
}
