import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Logger } from "../log.ts";
import { addressesOf, type Emote } from "./address.ts";
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

export interface EmoteCache {
  /** Rejects with NoImage, which says why. */
  image(emote: Emote): Promise<Image>;
  /** Names an emote's image among all providers': another configured provider is another image. */
  keyOf(emote: Emote): string;
}

/**
 * Emote images, for pages (which themselves never ask another site) and for clips. Kept in memory and on disk, both bounded, the longest
 * unused go first. Several processes may use one folder.
 */
export function openEmoteCache(
  config: Config,
  log: Logger,
  seen: (from: "memory" | "disk" | "provider" | "nowhere") => void = () => undefined,
): EmoteCache {
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
  const load = async (key: string, addresses: readonly string[]): Promise<Image> => {
    const file = join(folder, key);
    const kept = await readFile(file).catch(() => null);
    const type = kept === null ? null : imageKind(kept);
    if (kept !== null && type !== null) {
      seen("disk");
      void utimes(file, new Date(), new Date()).catch(() => undefined);
      return { type, bytes: kept };
    }
    try {
      const image = await fromUpstream(addresses);
      seen("provider");
      // Another process may be writing the same image.
      const half = `${file}.${process.pid}.new`;
      await writeFile(half, image.bytes)
        .then(() => rename(half, file))
        .catch((error: unknown) => log.warn({ err: error }, "an emote's image could not be kept on disk"));
      if (++written % SWEEP_EVERY === 0)
        await sweep(folder).catch((error: unknown) => log.warn({ err: error }, "sweep failed"));
      return image;
    } catch (error) {
      seen("nowhere");
      const reason = error instanceof Error ? error.message : String(error);
      const missing = error instanceof NoImage && error.missing;
      failures.set(key, { untilMs: Date.now() + (missing ? MISSING_MS : FAILED_MS), reason });
      const oldest = failures.keys().next().value;
      if (failures.size > NEGATIVE && oldest !== undefined) failures.delete(oldest);
      log.debug({ address: addresses[0], reason }, "no emote image");
      throw new NoImage(reason, missing);
    }
  };
  const keyOf = (emote: Emote): string =>
    createHash("sha256").update(addressesOf(emote, config).join(" ")).digest("hex").slice(0, 40);

  return {
    keyOf,
    async image(emote) {
      const key = keyOf(emote);
      const failed = failures.get(key);
      if (failed !== undefined && failed.untilMs > Date.now()) throw new NoImage(failed.reason);
      const known = memory.get(key);
      if (known !== undefined) {
        seen("memory");
        memory.delete(key);
        memory.set(key, known);
        return known;
      }
      let loading = running.get(key);
      if (loading === undefined) {
        loading = load(key, addressesOf(emote, config)).finally(() => running.delete(key));
        running.set(key, loading);
      }
      const image = await loading;
      if (!memory.has(key)) remember(key, image);
      return image;
    },
  };
}

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
