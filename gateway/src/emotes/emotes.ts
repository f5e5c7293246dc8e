import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Reply, Request } from "../http.ts";
import * as measured from "../metrics.ts";
import { ProblemError } from "../problems.ts";
import { addressesOf, emoteOf } from "./address.ts";
import { fetchImage, NoImage, type Image } from "./fetch.ts";
import { imageKind } from "./image-kind.ts";

const MEMORY_BYTES = 32 * 1024 * 1024;
const DISK_BYTES = 256 * 1024 * 1024;
/** Fetches at a time; further ones wait, up to WAITING. */
const AT_ONCE = 16;
const WAITING = 2000;
/** An image that was not there is not asked for again so soon; one that failed otherwise is, sooner. */
const MISSING_MS = 10 * 60_000;
const FAILED_MS = 20_000;
const NEGATIVE = 5000;
const SWEEP_EVERY = 200;

export interface Emotes {
  answer(path: string, request: Request): Promise<Reply>;
}

/**
 * Emote images for the page, which itself never asks another site. Kept in memory and on disk, both bounded, the longest
 * unused go first. An id never changes its image, so a browser may keep it for good.
 */
export function serveEmotes(config: Config, log: Logger): Emotes {
  const folder = join(config.HYPECAST_DATA, "emotes");
  mkdirSync(folder, { recursive: true });
  const memory = new Map<string, Image>();
  let memoryBytes = 0;
  const failures = new Map<string, { untilMs: number; reason: string }>();
  const running = new Map<string, Promise<Image>>();
  const queue: (() => void)[] = [];
  let fetching = 0;
  let written = 0;

  const remember = (key: string, image: Image): void => {
    memory.delete(key);
    memory.set(key, image);
    memoryBytes += image.bytes.byteLength;
    for (const [oldest, { bytes }] of memory) {
      if (memoryBytes <= MEMORY_BYTES) break;
      memory.delete(oldest);
      memoryBytes -= bytes.byteLength;
    }
  };
  const fromUpstream = async (addresses: readonly string[]): Promise<Image> => {
    if (queue.length >= WAITING) throw new NoImage("too many images are being fetched");
    if (fetching >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
    fetching++;
    try {
      let last: unknown;
      for (const address of addresses) {
        try {
          return await fetchImage(address, config.HYPECAST_ALLOW_PRIVATE_EMOTES);
        } catch (error) {
          last = error;
          if (!(error instanceof NoImage && error.missing)) break;
        }
      }
      throw last;
    } finally {
      fetching--;
      queue.shift()?.();
    }
  };
  const load = async (key: string, path: string, addresses: readonly string[]): Promise<Image> => {
    const file = join(folder, key);
    const kept = await readFile(file).catch(() => null);
    const type = kept === null ? null : imageKind(kept);
    if (kept !== null && type !== null) {
      measured.emotes.inc({ from: "disk" });
      void utimes(file, new Date(), new Date()).catch(() => undefined);
      return { type, bytes: kept };
    }
    try {
      const image = await fromUpstream(addresses);
      measured.emotes.inc({ from: "provider" });
      await writeFile(`${file}.new`, image.bytes)
        .then(() => rename(`${file}.new`, file))
        .catch((error: unknown) => log.warn({ err: error }, "an emote's image could not be kept on disk"));
      if (++written % SWEEP_EVERY === 0)
        await sweep(folder).catch((error: unknown) => log.warn({ err: error }, "sweep failed"));
      return image;
    } catch (error) {
      measured.emotes.inc({ from: "nowhere" });
      const reason = error instanceof Error ? error.message : String(error);
      const missing = error instanceof NoImage && error.missing;
      failures.set(key, { untilMs: Date.now() + (missing ? MISSING_MS : FAILED_MS), reason });
      const oldest = failures.keys().next().value;
      if (failures.size > NEGATIVE && oldest !== undefined) failures.delete(oldest);
      log.debug({ path, reason }, "no emote image");
      throw new NoImage(reason, missing);
    }
  };

  return {
    async answer(path, request) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
      const emote = emoteOf(path);
      if (emote === null)
        throw new ProblemError("not_found", "an image is at /emotes/<twitch|bttv|ffz|7tv>/<id>[/<1x|2x|3x>]");
      const addresses = addressesOf(emote, config);
      // By address: another configured provider is another image.
      const key = createHash("sha256").update(addresses.join(" ")).digest("hex").slice(0, 40);
      const etag = `"${key.slice(0, 20)}"`;
      const failed = failures.get(key);
      if (failed !== undefined && failed.untilMs > Date.now()) throw unavailable(failed.reason);
      let image = memory.get(key);
      if (image === undefined) {
        let loading = running.get(key);
        if (loading === undefined) {
          loading = load(key, path, addresses).finally(() => running.delete(key));
          running.set(key, loading);
        }
        image = await loading.catch((error: unknown) => {
          throw unavailable(error instanceof Error ? error.message : String(error));
        });
        if (!memory.has(key)) remember(key, image);
      } else {
        measured.emotes.inc({ from: "memory" });
        memory.delete(key);
        memory.set(key, image);
      }
      const headers = {
        "Content-Type": image.type,
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        ETag: etag,
      };
      if (request.header("if-none-match") === etag) return { status: 304, headers };
      return { status: 200, headers, body: image.bytes };
    },
  };
}

const unavailable = (reason: string): ProblemError =>
  new ProblemError("emote_unavailable", `the provider gave no image: ${reason.slice(0, 200)}`);

/** Removes what was longest unused until the folder is a tenth under its bound. */
async function sweep(folder: string): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return { name, size, mtimeMs };
    }),
  );
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes <= DISK_BYTES) return;
  for (const { name, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (bytes <= DISK_BYTES * 0.9) return;
    await rm(join(folder, name), { force: true });
    bytes -= size;
  }
}
